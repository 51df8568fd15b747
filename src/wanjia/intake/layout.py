"""Where the rows are: titles, header, totals and notes around them (domain.md §18 traps 7, 8 and 15)."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from wanjia.intake.choices import NonData
from wanjia.intake.contracts import Contract, Field, Reading
from wanjia.intake.detect import delimiter_of
from wanjia.intake.errors import (
    ColumnTwice,
    EmptyFile,
    EndlessLine,
    TooManyColumns,
    UnbalancedQuote,
    UnknownLayout,
    UnknownUnit,
    WrongDataset,
)
from wanjia.kernel import clock, dates
from wanjia.kernel.money import Unit

MOST_COLUMNS = 1_000  # a register has a tenth of them; every column costs memory in every block

TALLEST_HEADER = 3  # rows
PROBLEM_COLUMN = "问题"  # what a reject sheet adds

_NOISE = re.compile(r"[\s*★：:]+|\((?:必填|选填|元|万元|亩|人|户)\)")
_INVISIBLE = re.compile(r"[\s\u200b-\u200f\ufeff]+")
_UNIT_CELL = re.compile(r"\(?(?:单位[:：]?)?(元|万元|亩|人|户|人次|平方米|㎡|%|年|月|岁|辆|套|个)\)?|[-—/]")
_UNIT_IN_TITLE = re.compile(r"单位[:：]?\(?(元|千元|万元|百万元|亿元)(?![\u4e00-\u9fff])")
_UNIT_IN_HEADER = re.compile(r"[(,，](?:单位[:：]?)?(元|千元|万元|百万元|亿元)(?:/[人户年月]+)?[)]?$")
_ORDINALS = "甲乙丙丁戊己庚辛壬癸"


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
    """The file's columns and what its other lines look like.

    `units` are those of columns as a row of units states them; `unit` is what the titles say of
    all amounts. `is_1904` tells from which day the workbook counts.
    """

    contract: Contract
    delimiter: str
    header_line: int  # the last line of the header
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    above: Mapping[int, NonData]  # line → what it is, for every line up to the header and what belongs to it
    titles: frozenset[str]
    as_of: date | None
    header_rows: tuple[tuple[str, ...], ...] = ()
    unit: str = ""
    units: Mapping[int, str] = field(default_factory=dict)
    is_1904: bool = False
    fingerprint: str = ""  # of the header: by it a mapping that somebody saved is found again

    @property
    def width(self) -> int:
        return len(self.header)

    def position_of(self, field: Field) -> int | None:
        return next((column.position for column in self.columns if column.field == field), None)

    def unit_of(self, field: Field) -> Unit:
        """The unit of the field's amounts: as the file states it (`unit_said`), else 元. Raises UnknownUnit."""
        said = self.unit_said(field)
        if said in ("千元", "百万元", "亿元"):
            raise UnknownUnit(unit=said)
        return "万元" if said == "万元" else "元"

    def unit_said(self, field: Field) -> str:
        """The unit the file states for the field's amounts: in its header, else a row of units, else the titles.

        Empty when it says nothing, or when the field holds no amounts.
        """
        column = next((column for column in self.columns if column.field == field), None)
        if column is None or field.reading is not Reading.MONEY:
            return ""
        named = _UNIT_IN_HEADER.search(squeezed(unicodedata.normalize("NFKC", column.header)))
        if named:
            return named[1]
        return "万元" if "万元" in column.header else self.units.get(column.position) or self.unit

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
        if self._is_header(plain):
            return NonData.REPEATED_HEADER
        if len(filled) > max(2, self.width // 2):
            return None
        return self._around(plain, filled)

    def _around(self, plain: Sequence[str], filled: Sequence[str]) -> NonData | None:
        """What a line with little in it says about the records, if it is none."""
        start = unicodedata.normalize("NFKC", filled[0])
        if any(start.startswith(word) for word in self.contract.layout.totals):
            return NonData.TOTAL
        if any(start.startswith(word) for word in self.contract.layout.notes) and (
            len(filled) == 1 or (len(filled) <= self.width // 3 and plain[0])
        ):
            return NonData.NOTE
        if len(filled) == 1 and filled[0] in self.titles:
            return NonData.TITLE
        return None

    def _is_header(self, plain: Sequence[str]) -> bool:
        if len(plain) != self.width:
            return False
        for names in (self.header, *self.header_rows):
            same = sum(a == squeezed(b) for a, b in zip(plain, names, strict=False) if a or b)
            filled = sum(bool(squeezed(name)) for name in names)
            if filled > 1 and same * 2 > filled and same * 2 > sum(map(bool, plain)):
                return True
        return False


def find_layout(head: str, contracts: Sequence[Contract], *, wanted: str | None = None) -> Layout:
    """The layout of a text by its first lines.

    `wanted` is the dataset the sender named. Raises EmptyFile, UnknownLayout, WrongDataset,
    ColumnTwice, TooManyColumns, EndlessLine, UnbalancedQuote.
    """
    return layout_of(first_rows(head, contracts), contracts, wanted=wanted)


def first_rows(head: str, contracts: Sequence[Contract]) -> Beginning:
    """The first rows of a text. Raises EndlessLine, UnbalancedQuote."""
    within = max(contract.layout.header_within for contract in contracts)
    delimiter = delimiter_of(head.split("\n")[:within])
    return Beginning(_first_rows(head, delimiter, within + AFTER_HEADER), delimiter)


def layout_of(
    beginning: Beginning, contracts: Sequence[Contract], *, wanted: str | None = None, saved: Saved | None = None
) -> Layout:
    """The layout of a table by its first rows. Raises as `find_layout`.

    `saved` mappings go before what the contracts say: dataset → fingerprint → the field of each column.
    """
    rows = beginning.rows
    if not any(squeezed(cell) for _, _, cells in rows for cell in cells):
        raise EmptyFile
    found = [layout for contract in contracts if (layout := _layout(contract, beginning, saved or {}))]
    for layout in found:
        if layout.contract.dataset == wanted or wanted is None:
            return layout
    if found and wanted:
        raise WrongDataset(expected=wanted, found=found[0].contract.dataset)
    raise _unknown([c for c in contracts if wanted in (None, c.dataset)], rows)


# What stands in records and in no title alone: somebody's number, a day.
_VALUE = re.compile(r"[0-9]{14,19}[0-9Xx]|[0-9]{4}[-/.年]?[0-9]{1,2}[-/.月]?[0-9]{1,2}日?")

Saved = Mapping[str, Mapping[str, Sequence[str]]]
_Row = tuple[int, int, list[str]]  # first line, last line, cells
AFTER_HEADER = 5  # rows looked at beyond where the header may stand: units, numbering


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first rows of a table. `merged` are areas of a sheet as first line, column; last line, column."""

    rows: list[_Row]
    delimiter: str
    is_sheet: bool = False
    merged: Sequence[tuple[int, int, int, int]] = ()
    is_1904: bool = False


def titles_of(beginning: Beginning) -> list[str]:
    """What stands alone in the rows before the first with columns."""
    titles: list[str] = []
    for _, _, cells in beginning.rows:
        filled = list(dict.fromkeys(filter(None, map(squeezed, cells))))
        if len(filled) > 2:  # noqa: PLR2004 - a title, and beside it a unit or a day
            break
        titles += filled
    return titles


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


@dataclass(frozen=True, slots=True)
class HeaderSpan:
    """Rows taken together as a header: for every column the names it may go by, the fullest first."""

    at: int  # of the rows
    height: int
    names: list[tuple[str, ...]]

    def fields(self, names: Mapping[str, Field]) -> list[tuple[str, Field | None]]:
        """The name each column is known by, and its field."""
        found: list[tuple[str, Field | None]] = []
        for said in self.names:
            known = next(((name, names[plain]) for name in said if (plain := plain_header(name)) in names), None)
            found.append(known or (said[0] if said else "", None))
        return found


def header_spans(beginning: Beginning, within: int) -> Iterator[list[HeaderSpan]]:
    """For every row that may be a header's first, the spans that may be the header."""
    rows = beginning.rows
    for at, (_, last, cells) in enumerate(rows):
        if last > within:
            return
        if not any(map(squeezed, cells)):
            continue
        least = max((area[2] - area[0] + 1 for area in beginning.merged if area[0] == rows[at][0]), default=1)
        most = TALLEST_HEADER if len(cells) <= MOST_COLUMNS else 1
        heights = [n for n in range(min(least, most), most + 1) if at + n <= len(rows)]
        yield [HeaderSpan(at, height, _names_of(beginning, at, height)) for height in heights]


def _names_of(beginning: Beginning, at: int, height: int) -> list[tuple[str, ...]]:
    """The names of the columns when `height` rows are the header: all levels together, the lowest, the others."""
    if height == 1:
        return [(cell,) for cell in beginning.rows[at][2]]
    grid = [list(cells) for _, _, cells in beginning.rows[at : at + height]]
    width = max(map(len, grid))
    grid = [cells + [""] * (width - len(cells)) for cells in grid]
    _spread(grid, beginning, at)
    names: list[tuple[str, ...]] = []
    for column in range(width):
        levels = list(dict.fromkeys(cells[column] for cells in grid if squeezed(cells[column])))
        names.append(tuple(dict.fromkeys(["".join(levels), *reversed(levels)])) if levels else ("",))
    return names


def _spread(grid: list[list[str]], beginning: Beginning, at: int) -> None:
    """Write what stands in a merged area's first cell into all of it.

    A text file tells of no merging: there an empty cell over a filled one belongs to its neighbour.
    """
    first = beginning.rows[at][0]
    for top, left, bottom, right in beginning.merged:
        row = top - first
        if 0 <= row < len(grid) and left < len(grid[row]):
            for n in range(row, min(bottom - first + 1, len(grid))):
                grid[n][left : right + 1] = [grid[row][left]] * len(grid[n][left : right + 1])
    if not beginning.is_sheet:
        for n, cells in enumerate(grid[:-1]):
            for column in range(1, len(cells)):
                if not squeezed(cells[column]) and squeezed(grid[n + 1][column]):
                    cells[column] = cells[column - 1]


def _header_of(contract: Contract, beginning: Beginning, names: Mapping[str, Field]) -> HeaderSpan | None:
    """The span that names every field a file must have: the one that says most, and of equal ones the lowest.

    A title over the header would make a header of two rows that says no more than the one below.
    """
    fitting: list[tuple[int, int, int, int, HeaderSpan]] = []
    for spans in header_spans(beginning, contract.layout.header_within):
        for span in spans:
            found = [item.name for _, item in span.fields(names) if item]
            if all(item.name in found for item in contract.expected):
                twice = len(found) - len(set(found))
                fitting.append((twice, -len(found), span.height, span.at, span))
        if fitting and fitting[0][3] + TALLEST_HEADER <= spans[0].at:
            break
    return min(fitting, key=lambda each: each[:4])[4] if fitting else None


def _mapped(contract: Contract, beginning: Beginning, saved: Saved) -> Layout | None:
    """The layout by a mapping somebody saved for just this header."""
    known = saved.get(contract.dataset)
    if not known:
        return None
    for spans in header_spans(beginning, contract.layout.header_within):
        for span in spans:
            columns = known.get(fingerprint_of(span))
            if columns is None:
                continue
            fields = [contract.by_name.get(columns[n]) if n < len(columns) else None for n in range(len(span.names))]
            if all(item in fields for item in contract.expected):
                return built(
                    contract, beginning, span, [(said[0], item) for said, item in zip(span.names, fields, strict=True)]
                )
    return None


def _layout(contract: Contract, beginning: Beginning, saved: Saved) -> Layout | None:
    mapped = _mapped(contract, beginning, saved)
    if mapped is not None:
        return mapped
    names = _names(contract)
    span = _header_of(contract, beginning, names)
    return None if span is None else built(contract, beginning, span, span.fields(names))


def built(
    contract: Contract, beginning: Beginning, span: HeaderSpan, fields: Sequence[tuple[str, Field | None]]
) -> Layout:
    """The layout of a table whose header is known and understood. Raises TooManyColumns, ColumnTwice."""
    rows, at, height = beginning.rows, span.at, span.height
    fields = list(fields)
    if beginning.is_sheet:  # a sheet's columns without a name begin where the table ends
        while len(fields) > 1 and not squeezed(fields[-1][0]):
            fields.pop()
    if len(fields) > MOST_COLUMNS:
        raise TooManyColumns(columns=len(fields), limit=MOST_COLUMNS)
    known = [item for _, item in fields if item]
    for item in known:
        if known.count(item) > 1:
            raise ColumnTwice(column=item.title.zh)
    first, end = rows[at][0], rows[at + height - 1][1]
    above = dict.fromkeys(range(first, end + 1), NonData.HEADER)
    titles = set()
    for begin, last, title in _titles(rows[:at], contract, fields):
        blank = not any(squeezed(cell) for cell in title)
        above |= dict.fromkeys(range(begin, last + 1), NonData.BLANK if blank else NonData.TITLE)
        titles |= {squeezed(cell) for cell in title if squeezed(cell)}
    units: dict[int, str] = {}
    for begin, last, cells in rows[at + height : at + height + 2]:
        what = _under_header(cells)
        if what is None:
            break
        above |= dict.fromkeys(range(begin, last + 1), what)
        end = last
        if what is NonData.UNIT:
            units = {n: found[1] for n, cell in enumerate(cells) if (found := _unit(cell)) and found[1]}
    columns = tuple(Column(position, name, item) for position, (name, item) in enumerate(fields))
    return Layout(
        contract=contract,
        delimiter=beginning.delimiter,
        header_line=end,
        header=tuple(name for name, _ in fields),
        columns=columns,
        above=above,
        titles=frozenset(titles),
        as_of=_as_of(contract, titles),
        header_rows=tuple(tuple(cells[: len(fields)]) for _, _, cells in rows[at : at + height]) if height > 1 else (),
        unit=_unit_of_titles(titles),
        units=units,
        is_1904=beginning.is_1904,
        fingerprint=fingerprint_of(span),
    )


def fingerprint_of(span: HeaderSpan) -> str:
    """What files with the same header have in common, whatever stands around it.

    A reject sheet that comes back has one column more, which does not count.
    """
    names = [plain_header(said[0]) for said in span.names]
    while names and names[-1] in ("", PROBLEM_COLUMN):
        names.pop()
    return hashlib.sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).hexdigest()


def _under_header(cells: Sequence[str]) -> NonData | None:
    """What a row right below the header says of the columns, if that is all it says."""
    plain = [squeezed(unicodedata.normalize("NFKC", cell)) for cell in cells]
    filled = [cell for cell in plain if cell]
    if not filled:
        return None
    if all(_unit(cell) for cell in filled) and any(found[1] for cell in filled if (found := _unit(cell))):
        return NonData.UNIT
    numbers = [cell.strip("()栏") for cell in filled if cell not in _ORDINALS]
    in_order = numbers == [str(n) for n in range(1, len(numbers) + 1)] or numbers == [
        str(n) for n in range(len(numbers))
    ]
    if len(filled) > 2 and in_order and len(filled) * 2 > len(plain):  # noqa: PLR2004 - a record of two numbers
        return NonData.NUMBERING
    return None


def _unit(cell: str) -> re.Match[str] | None:
    return _UNIT_CELL.fullmatch(squeezed(unicodedata.normalize("NFKC", cell)))


def _unit_of_titles(titles: set[str]) -> str:
    """The unit the titles state for all amounts; empty when they state none."""
    for title in sorted(titles):
        if found := _UNIT_IN_TITLE.search(unicodedata.normalize("NFKC", title)):
            return found[1]
    return ""


def _titles(rows: Sequence[_Row], contract: Contract, fields: Sequence[tuple[str, Field | None]]) -> list[_Row]:
    """The lines above a header but for the records among them, which are read like those below.

    A file sorted with its header, or to which the header was added later, has some.
    """
    needed = [position for position, (_, item) in enumerate(fields) if item in contract.required]
    return [row for row in rows if not _is_record(row[2], len(fields), needed)]


def _is_record(cells: Sequence[str], width: int, needed: Sequence[int]) -> bool:
    """Whether a line above the header is no title: whole, and with a value in it that no title is."""
    if len(cells) != width or not all(squeezed(cells[position]) for position in needed):
        return False
    return any(_VALUE.fullmatch(unicodedata.normalize("NFKC", squeezed(cell))) for cell in cells)


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
