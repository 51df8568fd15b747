"""A file as records, every physical line accounted for.

A line is what ends with a line break (or with the file). A record is one line, or several where
a quoted cell holds line breaks: it is then counted on its first line, and the others are listed
as continuations.

Blocks in which every line stands for itself are split by Arrow; a block with a cell of several
lines, or with quotes that do not pair up line by line, by the csv module, which is exact and
ten times slower. A record cut by the block's end waits for the next block.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from wanjia.intake.errors import EndlessLine, UnbalancedQuote

BLOCK = 4 << 20  # characters at a time
MOST_LINES = 65_536  # at a time, however short; every line that is no plain row costs memory of its own
MOST_CELLS = 10_000  # of a row; one with more is no row but a line
LONGEST_LINE = 4 << 20  # characters; what goes on beyond is not divided into lines
LONGEST_RECORD = 200  # lines; a quote open for longer was never meant to be one
LONGEST_CELL = 131_072  # the csv module's own limit; no cell of a register is a hundredth of it

_QUOTE, _NEWLINE = ord('"'), ord("\n")


@dataclass(frozen=True, slots=True)
class Odd:
    """A record with another number of cells than the header."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a file in order.

    `cells` are those with as many cells as the header, `lines` the line each begins on; `odd` the
    others; `blank` the lines without a character; `continuations` the further lines of records of
    several. `first` and `end` bound the lines of all of them; `breaks_off` says that the last one
    has no line end.
    """

    first: int
    end: int
    cells: pa.Table
    lines: np.ndarray
    odd: list[Odd] = field(default_factory=list)
    continuations: list[int] = field(default_factory=list)
    blank: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    breaks_off: bool = False


def records(text: Iterable[str], *, width: int, delimiter: str) -> Iterator[Records]:
    """The file's records in blocks. Raises UnbalancedQuote, EndlessLine."""
    splitter = _Splitter(width, delimiter)
    waiting = ""
    for block in _blocks(text):
        waiting = yield from splitter.split(waiting + block, last=False)
    if waiting:
        yield from splitter.split(waiting, last=True)


def _blocks(text: Iterable[str]) -> Iterator[str]:
    held: list[str] = []
    size = lines = 0
    for part in _few_lines(text):
        held.append(part)
        size += len(part)
        lines += part.count("\n")
        if size >= BLOCK or lines >= MOST_LINES:
            yield "".join(held)
            held, size, lines = [], 0, 0
    yield "".join(held)


def _few_lines(text: Iterable[str]) -> Iterator[str]:
    """The same text in parts of few lines: cut again where the lines are short."""
    for part in text:
        if part.count("\n") <= MOST_LINES:
            yield part
        else:  # no piece of so many characters can hold more lines
            yield from (part[at : at + MOST_LINES] for at in range(0, len(part), MOST_LINES))


class _Splitter:
    def __init__(self, width: int, delimiter: str) -> None:
        self._width = width
        self._delimiter = delimiter
        self._names = [str(number) for number in range(width)]
        self._line = 1  # the next line to be read

    def split(self, text: str, *, last: bool) -> Generator[Records, None, str]:
        """Yield the whole records of `text`; returns what is left over."""
        cut = len(text) if last else text.rfind("\n") + 1
        text, rest = text[:cut], text[cut:]
        if len(rest) > LONGEST_LINE:
            raise EndlessLine(line=self._line + text.count("\n"))
        if not text:
            return rest
        found, used = self._together(text), len(text)
        if found is None:
            found, used = self._one_by_one(text, last=last)
        self._line = found.end
        if found.end > found.first:
            yield found
        left = text[used:]
        if left.count("\n") > LONGEST_RECORD or len(left) > LONGEST_CELL * 2:
            raise UnbalancedQuote(line=self._line)
        return left + rest

    def _together(self, text: str) -> Records | None:
        """Split with Arrow; None if not every line is a record of its own."""
        breaks_off = not text.endswith("\n")
        data = text.encode("utf-8", "surrogatepass")
        if not _quotes_pair_up(data):
            return None
        every = np.arange(self._line, self._line + text.count("\n") + breaks_off, dtype=np.int32)
        end = self._line + len(every)
        data, is_blank = _without_blank_lines(data)
        blank, every = (every[is_blank], every[~is_blank]) if is_blank.any() else (every[:0], every)
        if not data:
            table = pa.table([pa.array([], pa.string())] * self._width, names=self._names)
            return Records(self._line, end, table, every, blank=blank)
        odd: list[arrow_csv.InvalidRow] = []

        def keep(row: arrow_csv.InvalidRow) -> str:
            odd.append(row)
            return "skip"

        table = arrow_csv.read_csv(
            pa.py_buffer(data),
            read_options=arrow_csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(data) + 1),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter, ignore_empty_lines=False, invalid_row_handler=keep
            ),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(self._names, pa.string())),
        )
        if table.num_rows + len(odd) != len(every):
            return None  # quotes paired up by chance
        skipped = [row.number - 1 for row in odd]
        lines = np.delete(every, skipped) if skipped else every
        others = [Odd(int(every[row.number - 1]), self._cells(row.text)) for row in odd]
        return Records(self._line, end, table, lines, others, blank=blank, breaks_off=breaks_off)

    def _cells(self, line: str) -> list[str]:
        """The cells of one line; of a line beyond every measure, the line as a single one."""
        if line.count(self._delimiter) >= MOST_CELLS:
            return [line]
        try:
            return next(csv.reader([line], delimiter=self._delimiter), [])
        except csv.Error:
            return [line]

    def _one_by_one(self, text: str, *, last: bool) -> tuple[Records, int]:
        """Split with the csv module; also returns how much of the text the whole records take."""
        feed = _Feed(text)
        reader = csv.reader(feed, delimiter=self._delimiter)
        rows: list[list[str]] = []
        lines: list[int] = []
        odd: list[Odd] = []
        continuations: list[int] = []
        at = used = 0
        try:
            for row in reader:
                if feed.ran_dry:  # the record wanted another line
                    if last:
                        raise UnbalancedQuote(line=self._line + at)
                    break
                line = self._line + at
                if feed.given - at > LONGEST_RECORD:
                    raise UnbalancedQuote(line=line)
                continuations.extend(range(line + 1, self._line + feed.given))
                if len(row) == self._width:
                    rows.append(row)
                    lines.append(line)
                else:
                    odd.append(Odd(line, row if len(row) <= MOST_CELLS else [self._delimiter.join(row)]))
                at, used = feed.given, feed.position
        except csv.Error:  # a cell beyond every measure: a quote that never closed
            raise UnbalancedQuote(line=self._line + at) from None
        columns = zip(*rows, strict=True) if rows else [()] * self._width
        table = pa.table([pa.array(values, pa.string()) for values in columns], names=self._names)
        breaks_off = used == len(text) and not text.endswith("\n")
        starts = np.array(lines, np.int32)
        return Records(self._line, self._line + at, table, starts, odd, continuations, breaks_off=breaks_off), used


class _Feed:
    """Lines for the csv module, counted; knows when it was asked for one too many."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.position = 0
        self.given = 0
        self.ran_dry = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.position >= len(self._text):
            self.ran_dry = True
            raise StopIteration
        end = self._text.find("\n", self.position) + 1 or len(self._text)
        line = self._text[self.position : end]
        self.position, self.given = end, self.given + 1
        return line


def _without_blank_lines(data: bytes) -> tuple[bytes, np.ndarray]:
    """The lines with something in them, and which lines had nothing."""
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == _NEWLINE)
    if not len(ends) or ends[-1] != len(octets) - 1:  # the last line has no end
        ends = np.append(ends, len(octets))
    is_blank = np.diff(ends, prepend=-1) == 1
    if not is_blank.any():
        return data, is_blank
    return np.delete(octets, ends[is_blank]).tobytes(), is_blank


def _quotes_pair_up(data: bytes) -> bool:
    """Whether no line ends inside a quoted cell, as far as counting tells."""
    if _QUOTE not in data:
        return True
    octets = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(octets == _QUOTE)
    ends = np.flatnonzero(octets == _NEWLINE)
    return not (np.searchsorted(quotes, ends) % 2).any() and len(quotes) % 2 == 0
