"""A sheet read as a stream, row by row, each cell as the text a person would have typed.

Excel keeps numbers in binary with fifteen digits. What has more in a cell that is a number has
lost its end already, and is written here as 4.56228197602290E+17, which every reader of identity
numbers knows as ruined; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, takewhile
from typing import IO, Any, NoReturn

from wanjia.engine.workbook.package import (
    PIECE,
    Bounds,
    Refused,
    TextPieces,
    Texts,
    decoded,
    fed,
    local,
    new_parser,
    pieces,
)

MOST_ROWS = 1_048_576  # Excel's own
MOST_COLUMNS = 16_384
MOST_MERGED = 500_000
EXACT = 10**15  # from here on a number in a cell has lost digits

# What is remarked of cells and rows.
NO_VALUE, FORMULA, ERROR, LONG = "formula_no_value", "formula", "cell_error", "too_long"
MERGED, HIDDEN, BEYOND = "merged_cell", "hidden_row", "beyond_header"
WHOLE_ROW = -1

_DIGITS = "0123456789"
_SMALL_WHOLE = re.compile(r"-?[0-9]{1,15}")
_BREAKS = re.compile(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_END_OF_DATA = re.compile(rb"</(?:[\w.-]+:)?sheetData\s*>")
_EPOCHS = (date(1899, 12, 30), date(1904, 1, 1))
_LEAP_THAT_WAS_NOT = 60  # Excel's 29 February 1900
_LAST_SERIAL = 2_958_465  # 31 December 9999
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Row:
    """A row with something in it: its number from 1, its cells by column from 0, and what is remarked."""

    number: int
    cells: dict[int, str]
    hidden: bool
    remarks: list[tuple[int, str]]


@dataclass(slots=True)
class Frame:
    """What a sheet says around its rows."""

    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # first row, column; last row, column
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)  # first and last, from 0


@dataclass(frozen=True, slots=True)
class Book:
    """What cells refer to outside their sheet. `formulas`: those with a value are remarked too."""

    texts: Texts
    date_styles: frozenset[str]
    from_1904: bool
    bounds: Bounds
    formulas: bool = False


def frame_of(open_part: Callable[[], IO[bytes]], book: Book) -> Frame:
    """What stands around a sheet's rows, which are passed over unread."""
    reader = _Reader(book)
    with open_part() as stream:
        reader.frame_only(stream)
    return reader.frame


def beginning(open_part: Callable[[], IO[bytes]], book: Book, rows: int) -> list[Row]:
    """The rows of a sheet up to the one numbered `rows`."""
    with open_part() as stream:
        return list(takewhile(lambda row: row.number <= rows, _Reader(book).rows(stream)))


def rows_of(open_part: Callable[[], IO[bytes]], book: Book) -> Iterator[Row]:
    """Every row with something in it. Raises Refused."""
    with open_part() as stream:
        yield from _Reader(book).rows(stream)


class _Reader:
    """The handlers of one sheet, and the rows they have completed."""

    def __init__(self, book: Book) -> None:
        self.frame = Frame()
        self._book = book
        self._ready: list[Row] = []
        self._number = 0
        self._cells: dict[int, str] = {}
        self._remarks: list[tuple[int, str]] = []
        self._hidden = False
        self._column = -1
        self._kind: str | None = None
        self._style: str | None = None
        self._value: str | None = None
        self._formula = self._cut = False
        self._pieces = TextPieces(book.bounds)
        self._collecting = self._spoken = False
        self._columns: dict[str, int] = {}  # letters → number
        self._prefixed = False

    def rows(self, stream: IO[bytes]) -> Iterator[Row]:
        for _ in fed(new_parser(self._start, self._end, self._data), pieces(stream)):
            if self._ready:
                ready, self._ready = self._ready, []
                yield from ready

    def frame_only(self, stream: IO[bytes]) -> None:
        """Read what stands before and after the rows."""
        before = self._up_to(stream, re.compile(rb"<(?:[\w.-]+:)?row[\s>/]"))
        if before is None:
            return
        head, rest = before
        parser = new_parser(self._frame_start, _nothing, _nothing)
        after = self._after(rest, stream)
        for _ in fed(parser, filter(None, [head] if after is None else chain((head, after), pieces(stream)))):
            pass

    @staticmethod
    def _up_to(stream: IO[bytes], what: re.Pattern[bytes]) -> tuple[bytes, bytes] | None:
        """The stream cut before the first match; None without one in the first part of it."""
        held = b""
        while piece := stream.read(PIECE):
            held += piece
            if found := what.search(held):
                return held[: found.start()], held[found.start() :]
            if len(held) > 64 * PIECE:  # column widths and views are not that long
                return None
        return None

    @staticmethod
    def _after(held: bytes, stream: IO[bytes]) -> bytes | None:
        """What of the stream follows the rows, from their closing tag on."""
        piece: bytes = held
        while True:
            if found := _END_OF_DATA.search(held):
                return held[found.start() :]
            piece = stream.read(PIECE)
            if not piece:
                return None
            held = held[-64:] + piece

    def _frame_start(self, name: str, attributes: dict[str, str]) -> None:
        match local(name):
            case "mergeCell":
                self._merge(attributes.get("ref", ""))
            case "col" if attributes.get("hidden") in ("1", "true"):
                first, last = attributes.get("min", "1"), attributes.get("max", "1")
                if first.isdigit() and last.isdigit():
                    self.frame.hidden_columns.append((int(first) - 1, min(int(last), MOST_COLUMNS) - 1))

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        if len(self.frame.merged) >= MOST_MERGED:
            raise Refused("oversized", what="merged", limit=f"{MOST_MERGED:,}")
        (row, column), (end_row, end_column) = self._place(first), self._place(last or first)
        self.frame.merged.append((row, column, end_row, end_column))

    def _place(self, reference: str) -> tuple[int, int]:
        letters = reference.rstrip(_DIGITS)
        number = reference[len(letters) :]
        return (int(number) if number and len(number) < 8 else 0), self._column_of(letters)  # noqa: PLR2004

    def _column_of(self, letters: str) -> int:
        known = self._columns.get(letters)
        if known is not None:
            return known
        number = 0
        if not letters.isascii() or not letters.isalpha() or len(letters) > 3:  # noqa: PLR2004 - XFD is the last
            raise Refused("broken")
        for letter in letters.upper():
            number = number * 26 + ord(letter) - 64
        if number > MOST_COLUMNS:
            raise Refused("oversized", what="columns", limit=f"{MOST_COLUMNS:,}")
        self._columns[letters] = number - 1
        return number - 1

    # -- the handlers, called for every cell ------------------------------------------------------

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = local(name)
        if name == "c":
            get = attributes.get
            reference = get("r")
            if reference is None:
                self._column += 1
            else:
                letters = reference.rstrip(_DIGITS)
                column = self._columns.get(letters)
                self._column = self._column_of(letters) if column is None else column
            self._kind, self._style = get("t"), get("s")
            self._value, self._formula, self._cut = None, False, False
        elif name == "v" or (name == "t" and not self._spoken):
            self._collecting = True
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "rPh":
            self._spoken = True

    def _data(self, text: str) -> None:
        if self._collecting:
            self._pieces.add(text)

    def _end(self, name: str) -> None:
        if ":" in name:
            name = local(name)
        if name == "v":
            self._value, self._cut = self._pieces.taken(), self._pieces.cut
            self._collecting = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            if self._cells or self._remarks:
                self._ready.append(Row(self._number, self._cells, self._hidden, self._remarks))
                self._cells, self._remarks = {}, []
        elif name == "t":
            self._collecting = False
        elif name == "rPh":
            self._spoken = False
        elif name == "is":
            self._value, self._cut = self._pieces.taken(), self._pieces.cut

    def _begin_row(self, attributes: dict[str, str]) -> None:
        told = attributes.get("r")
        if told is None:
            number = self._number + 1
        elif told.isdigit() and len(told) < 12:  # noqa: PLR2004 - no number of a row is half as long
            number = int(told)
        else:
            number = MOST_ROWS + 1
        if number > MOST_ROWS:
            raise Refused("oversized", what="rows", limit=f"{MOST_ROWS:,}")
        if number <= self._number:  # the same row twice, or rows out of order: other programs show something else
            raise Refused("broken")
        self._number, self._column = number, -1
        self._hidden = attributes.get("hidden") in ("1", "true")

    def _end_cell(self) -> None:
        value, kind = self._value, self._kind
        if self._formula and self._book.formulas:
            self._remarks.append((self._column, FORMULA))
        if value is None or (not value and kind != "str"):
            if self._formula:
                self._remarks.append((self._column, NO_VALUE))
            return
        if kind == "s":
            value = self._shared(value)
        elif kind is None or kind == "n":
            value = self._number_text(value)
        else:
            value = self._other(value, kind)
        if self._cut:
            self._remarks.append((self._column, LONG))
        if value:
            self._cells[self._column] = value

    def _other(self, value: str, kind: str) -> str:
        match kind:
            case "inlineStr" | "str":
                return decoded(value)
            case "b":
                return "是" if value == "1" else "否"
            case "d":
                return value.replace("T", " ").removesuffix("Z").removesuffix(" 00:00:00")
            case "e":
                self._remarks.append((self._column, ERROR))
        return value

    def _shared(self, number: str) -> str:
        texts = self._book.texts
        try:
            at = int(number) if number.isdigit() else _broken()
            self._cut = at in texts.cut
            return texts.found[at]
        except (ValueError, IndexError):
            return _broken()

    def _number_text(self, value: str) -> str:
        if self._style is not None and self._style in self._book.date_styles:
            return self._day_text(value)
        return value if _SMALL_WHOLE.fullmatch(value) else number_text(value)

    def _day_text(self, value: str) -> str:
        try:
            serial = float(value)
        except ValueError:
            return value
        if not 1 <= serial <= _LAST_SERIAL:
            return number_text(value)
        whole, seconds = int(serial), round(serial % 1 * _DAY)
        if not self._book.from_1904 and whole < _LEAP_THAT_WAS_NOT:
            whole += 1
        try:
            day = _EPOCHS[self._book.from_1904] + timedelta(days=whole)
        except OverflowError:
            return number_text(value)
        if not seconds or seconds == _DAY:
            return day.isoformat()
        return f"{day.isoformat()} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def number_text(value: str) -> str:
    """A number of a cell as a person would type it; one that has lost digits in scientific notation.

    >>> number_text("456228197602290012"), number_text("0.30000000000000004"), number_text("1E3")
    ('4.56228197602290E+17', '0.3', '1000')
    """
    try:
        number = float(value)
    except ValueError:
        return value
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number
        return value
    if abs(number) >= EXACT:
        return f"{number:.14E}"
    if number == int(number):
        return str(int(number))
    return f"{Decimal(f'{number:.15g}'):f}"


def plain_cell(text: str) -> str:
    """A cell's text on one line."""
    return _BREAKS.sub(" ", text) if not text.isprintable() else text


def _broken() -> NoReturn:
    raise Refused("broken")


def _nothing(*_: Any) -> None:
    pass
