"""A file of either kind, recognised by its beginning and read as text: a workbook or delimited text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wanjia.engine.errors import WorkbookRefused
from wanjia.engine.workbook import process
from wanjia.engine.workbook.process import Remarks, SheetBeginning
from wanjia.files.sniffing import kind_of
from wanjia.intake import detect
from wanjia.intake.choices import UnreadSheet
from wanjia.intake.contracts import Contract
from wanjia.intake.errors import EmptyFile, FileRefused, HiddenSheet, UnknownLayout, WrongDataset
from wanjia.intake.layout import Beginning, Layout, Saved, first_rows, layout_of, plain_header, squeezed

Parts = Callable[[], Iterator[bytes]]
WORKBOOK = "XLSX"
REFUSED = (FileRefused, WorkbookRefused)  # why a file is not read


@dataclass(frozen=True, slots=True)
class Plan:
    """Which sheets of a workbook are read, one after the other, and which are not and why."""

    sheets: list[tuple[int, str]]
    unread: list[tuple[str, str]]
    hidden_columns: list[str] = field(default_factory=list)
    layouts: dict[int, Layout] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is: its layout, and for a workbook the sheets."""

    layout: Layout
    plan: Plan | None = None


def is_workbook(head: bytes) -> bool:
    """Whether a file of these first bytes is a workbook: a zip that begins with one of its parts."""
    return kind_of(head) == "xlsx"


def beginnings(parts: Parts, contracts: Sequence[Contract]) -> list[tuple[SheetBeginning | None, Beginning]]:
    """The tables a file may hold: one of a text, one for each sheet of a workbook.

    Raises EmptyFile, UnsupportedFormat, BinaryFile, Undecodable, WorkbookRefused.
    """
    head = detect.head_of(parts())
    if kind_of(head) in ("xlsx", "ole"):  # what an old workbook or an encrypted one is refused with, the reader knows
        seen = process.look(parts())
        return [(sheet, _grid(sheet, seen.from_1904)) for sheet in seen.sheets]
    detect.require_text(head)
    text = "".join(detect.text_of([head], detect.encoding_of_head(head)))
    detect.require_decodable(text)
    return [(None, first_rows(text, contracts))]


def recognised(
    found: Sequence[tuple[SheetBeginning | None, Beginning]],
    contracts: Sequence[Contract],
    *,
    wanted: str | None = None,
    saved: Saved | None = None,
) -> Recognised:
    """What the file is. Raises EmptyFile, UnknownLayout, WrongDataset, ColumnTwice, TooManyColumns, HiddenSheet."""
    if len(found) == 1 and found[0][0] is None:
        return Recognised(layout_of(found[0][1], contracts, wanted=wanted, saved=saved))
    tables = [(sheet, table) for sheet, table in found if sheet is not None]
    return planned([(sheet, _tried(table, contracts, wanted, saved)) for sheet, table in tables])


def planned(tried: Sequence[tuple[SheetBeginning, Layout | FileRefused]]) -> Recognised:
    """The sheets to be read of a workbook: the first visible one that fits, and those that go on with its columns."""
    sheets: list[tuple[int, str]] = []
    unread: list[tuple[str, str]] = []
    layouts: dict[int, Layout] = {}
    hidden_columns: list[str] = []
    chosen: Layout | None = None
    for sheet, layout in tried:
        if not sheet.table:
            unread.append((sheet.name, UnreadSheet.NO_TABLE))
        elif sheet.hidden:
            unread.append((sheet.name, UnreadSheet.HIDDEN))
        elif not isinstance(layout, Layout):
            unread.append(
                (sheet.name, UnreadSheet.EMPTY if isinstance(layout, EmptyFile) else UnreadSheet.OTHER_COLUMNS)
            )
        elif chosen is not None and not _goes_on(chosen, layout):
            unread.append((sheet.name, UnreadSheet.OTHER_COLUMNS))
        else:
            chosen = chosen or layout
            sheets.append((sheet.number, sheet.name))
            layouts[sheet.number] = layout
            hidden_columns += _hidden_columns(sheet, layout)
    if chosen is None:
        raise _why_none(tried)
    return Recognised(chosen, Plan(sheets, unread, list(dict.fromkeys(hidden_columns)), layouts))


def text_of(recognised: Recognised, parts: Iterable[bytes], remarks: Remarks, above: dict[int, Any]) -> Iterator[str]:
    """The rows of a workbook's sheets as text. `above` learns which lines of further sheets are no records."""
    plan = recognised.plan
    assert plan is not None  # noqa: S101 - asked of workbooks only

    def begin(sheet: int, line: int) -> None:
        layout = plan.layouts[sheet]
        above.update({number + line - 1: what for number, what in layout.above.items()})

    numbers = [number for number, _ in plan.sheets]
    return process.rows(parts, sheets=numbers, width=recognised.layout.width, remarks=remarks, begin_sheet=begin)


def _tried(
    table: Beginning, contracts: Sequence[Contract], wanted: str | None, saved: Saved | None
) -> Layout | FileRefused:
    try:
        return layout_of(table, contracts, wanted=wanted, saved=saved)
    except FileRefused as refused:
        return refused


def _grid(sheet: SheetBeginning, from_1904: bool) -> Beginning:
    """A sheet's first rows as a text's would be: every line, and every cell up to the last that is filled."""
    width = max((column + 1 for _, cells in sheet.rows for column in cells), default=0)
    last = max((number for number, _ in sheet.rows), default=0)
    known = dict(sheet.rows)
    rows = [
        (number, number, [known.get(number, {}).get(column, "") for column in range(width)])
        for number in range(1, last + 1)
    ]
    return Beginning(rows, process.DELIMITER, is_sheet=True, merged=sheet.merged, is_1904=from_1904)


def _goes_on(first: Layout, other: Layout) -> bool:
    """Whether a sheet has the columns of another, so that both are one table."""
    same = [plain_header(name) for name in first.header] == [plain_header(name) for name in other.header]
    return same and first.contract == other.contract


def _hidden_columns(sheet: SheetBeginning, layout: Layout) -> list[str]:
    return [
        squeezed(column.header)
        for column in layout.columns
        if any(first <= column.position <= last for first, last in sheet.hidden_columns) and squeezed(column.header)
    ]


def _why_none(tried: Sequence[tuple[SheetBeginning, Layout | FileRefused]]) -> FileRefused:
    """The refusal of a workbook with no sheet to read: that of the sheet that comes nearest."""
    for sheet, layout in tried:
        if isinstance(layout, Layout):
            return HiddenSheet(sheet=sheet.name)
    refusals = [answer for sheet, answer in tried if isinstance(answer, FileRefused) and not sheet.hidden]
    for kind in (WrongDataset, UnknownLayout):
        if found := next((refusal for refusal in refusals if isinstance(refusal, kind)), None):
            return found
    told = [refusal for refusal in refusals if not isinstance(refusal, EmptyFile)]
    return told[0] if told else EmptyFile()
