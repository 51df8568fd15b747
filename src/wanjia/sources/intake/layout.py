"""Where the rows are: titles, header, totals and notes around them (domain.md §18 traps 7, 8 and 15)."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from wanjia.kernel import clock, dates
from wanjia.kernel.money import Unit
from wanjia.sources.choices import NonData
from wanjia.sources.contracts import Contract, Field
from wanjia.sources.errors import (
    ColumnTwice,
    EmptyFile,
    EndlessLine,
    TooManyColumns,
    UnbalancedQuote,
    UnknownLayout,
    WrongDataset,
)
from wanjia.sources.intake.detect import delimiter_of

MOST_COLUMNS = 1_000  # a register has a tenth of them; every column costs memory in every block

_NOISE = re.compile(r"[\s*★：:]+|\((?:必填|选填|元|万元|亩|人|户)\)")
_INVISIBLE = re.compile(r"[\s\u200b-\u200f\ufeff]+")


def plain_header(text: str) -> str:
    """A column's name without spaces, line breaks, stars and (必填): how names are compared."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text))


def squeezed(text: str) -> str:
    """A cell without spaces of any kind; 合　计 is 合计."""
    return _INVISIBLE.sub("", text)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and the field it was understood as, if any."""

    position: int
    header: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class Layout:
    """The file's columns and what its other lines look like."""

    contract: Contract
    delimiter: str
    header_line: int  # the last line of the header
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    above: Mapping[int, NonData]  # line → what it is, for every line up to the header
    titles: frozenset[str]
    as_of: date | None

    @property
    def width(self) -> int:
        return len(self.header)

    def position_of(self, field: Field) -> int | None:
        return next((column.position for column in self.columns if column.field == field), None)

    def unit_of(self, field: Field) -> Unit:
        """The unit of the field's amounts, as its header states it: 元, unless it says 万元."""
        named = next((column.header for column in self.columns if column.field == field), "")
        return "万元" if "万元" in unicodedata.normalize("NFKC", named) else "元"

    @property
    def missing(self) -> tuple[Field, ...]:
        """Fields the file has no column for, though it may do without."""
        present = {column.field.name for column in self.columns if column.field}
        return tuple(field for field in self.contract.fields if field.keep and field.name not in present)

    def what_is(self, cells: Sequence[str]) -> NonData | None:
        """What a line holds instead of a record; None if it is one, however incomplete."""
        plain = [squeezed(cell) for cell in cells]
        filled = [text for text in plain if text]
        if not filled:
            return NonData.BLANK
        if (
            len(plain) == self.width
            and sum(a == squeezed(b) for a, b in zip(plain, self.header, strict=True)) * 2 > self.width
        ):
            return NonData.REPEATED_HEADER
        if plain[0] and len(filled) <= max(2, self.width // 2):
            start = unicodedata.normalize("NFKC", plain[0])
            if any(start.startswith(word) for word in self.contract.layout.totals):
                return NonData.TOTAL
            if len(filled) == 1 and any(start.startswith(word) for word in self.contract.layout.notes):
                return NonData.NOTE
            if len(filled) == 1 and plain[0] in self.titles:
                return NonData.TITLE
        return None


def find_layout(head: str, contracts: Sequence[Contract], *, wanted: str | None = None) -> Layout:
    """The layout of a file by its first lines.

    `wanted` is the dataset the sender named. Raises EmptyFile, UnknownLayout, WrongDataset,
    ColumnTwice, TooManyColumns, EndlessLine, UnbalancedQuote.
    """
    delimiter = delimiter_of(head.split("\n")[: max(contract.layout.header_within for contract in contracts)])
    rows = _first_rows(head, delimiter, max(contract.layout.header_within for contract in contracts))
    if not any(squeezed(cell) for _, _, cells in rows for cell in cells):
        raise EmptyFile
    found = [layout for contract in contracts if (layout := _layout(contract, rows, delimiter)) is not None]
    for layout in found:
        if layout.contract.dataset == wanted or wanted is None:
            return layout
    if found and wanted:
        raise WrongDataset(expected=wanted, found=found[0].contract.dataset)
    raise _unknown([c for c in contracts if wanted in (None, c.dataset)], rows)


_Row = tuple[int, int, list[str]]  # first line, last line, cells


def _first_rows(head: str, delimiter: str, lines: int) -> list[_Row]:
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    rows: list[_Row] = []
    before = 0
    try:
        for cells in reader:
            rows.append((before + 1, reader.line_num, cells))
            before = reader.line_num
            if before >= lines:
                break
    except csv.Error:  # a cell without an end: what came before it still tells the layout
        if not rows:
            raise (UnbalancedQuote if '"' in head else EndlessLine)(line=1) from None
    return rows


def _names(contract: Contract) -> dict[str, Field]:
    return {
        plain_header(name): field
        for field in contract.fields
        for name in (*field.headers, field.title.zh, field.title.en, field.name)
    }


def _is_header(contract: Contract, names: Mapping[str, Field], cells: Sequence[str]) -> bool:
    found = {names.get(plain_header(cell)) for cell in cells}
    return all(field in found for field in contract.expected)


def _layout(contract: Contract, rows: Sequence[_Row], delimiter: str) -> Layout | None:
    names = _names(contract)
    at = next((n for n, (_, _, cells) in enumerate(rows) if _is_header(contract, names, cells)), None)
    if at is None:
        return None
    first, last, cells = rows[at]
    if len(cells) > MOST_COLUMNS:
        raise TooManyColumns(columns=len(cells), limit=MOST_COLUMNS)
    fields = [names.get(plain_header(cell)) for cell in cells]
    known = [field for field in fields if field]
    for field in known:
        if known.count(field) > 1:
            raise ColumnTwice(column=field.title.zh)
    above = dict.fromkeys(range(first, last + 1), NonData.HEADER)
    titles = set()
    for begin, end, title in rows[:at]:
        blank = not any(squeezed(cell) for cell in title)
        above |= dict.fromkeys(range(begin, end + 1), NonData.BLANK if blank else NonData.TITLE)
        titles |= {squeezed(cell) for cell in title if squeezed(cell)}
    columns = tuple(
        Column(position, cell, field) for position, (cell, field) in enumerate(zip(cells, fields, strict=True))
    )
    return Layout(contract, delimiter, last, tuple(cells), columns, above, frozenset(titles), _as_of(contract, titles))


def _as_of(contract: Contract, titles: set[str]) -> date | None:
    """The day the titles say the data is of."""
    for title in sorted(titles):
        match = contract.layout.as_of and contract.layout.as_of.search(unicodedata.normalize("NFKC", title))
        if match:
            try:
                return dates.parse(match[1], today=clock.today(), declared="day").value
            except ValueError:
                continue
    return None


def _unknown(contracts: Sequence[Contract], rows: Sequence[_Row]) -> UnknownLayout:
    """Name the dataset the file resembles most and what it lacks."""

    def lacking(contract: Contract) -> list[Field]:
        names = _names(contract)
        seen = [{field for cell in cells if (field := names.get(plain_header(cell)))} for _, _, cells in rows]
        best = max(seen, key=len, default=set())
        return [field for field in contract.expected if field not in best]

    nearest = min(contracts, key=lambda contract: len(lacking(contract)) / len(contract.expected))
    missing = "、".join(field.title.zh for field in lacking(nearest))
    return UnknownLayout(lines=len(rows), nearest=nearest.title.zh, missing=missing)
