"""A table as an Excel workbook, streamed (docs/adr/0018-exports-are-streamed-workbooks.md).

XlsxWriter makes the frame: styles, frozen header, filters, the sheet that tells of the export.
The rows are written straight into the answer, between the halves of each framed sheet, because
every library that writes rows first puts them in clear into temporary files.

Text is written as text and numbers as numbers; there is no way to write a formula.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter
from django.utils.translation import gettext
from xlsxwriter.utility import xl_col_to_name

from wanjia.ui.sheets import PIECE, Cell, Column, Table, Tally
from wanjia.ui.zipped import Sink, entry

MOST_ROWS = 1_048_576  # of a sheet, header and last words among them
MOST_BYTES = 1 << 30  # of a sheet's XML; beyond 2 GiB a zip needs extensions for which Excel offers a repair
MOST_COLUMNS = 16_384
LONGEST_TEXT = 32_767  # characters of a cell
EXACT_DIGITS = 15  # of a number; Excel rounds the others away
NARROWEST, WIDEST = 10, 48

_DAY_ZERO, _FIRST_DAY = date(1899, 12, 30), date(1900, 3, 1)  # before the latter Excel counts a day that never was
_DAY = 86_400  # seconds
_INSTANT_STYLE, _DATE_STYLE, _TEXT_STYLE = 2, 3, 4  # the frame's styles in the order of first use, after the header's
_DIMENSION = re.compile(rb"<dimension [^>]*/>")  # optional, and not known while the sheet begins
# What XML cannot hold is written _xHHHH_, and a text that looks like that gets its underscore written so.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def workbook(table: Table, tally: Tally) -> Iterator[bytes]:
    """The workbook's bytes. A sheet that is full is followed by another one with the same header."""
    frames = _Frames(table, tally)
    rows = _Rows(tally)
    sink = Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as out:
        while True:
            with out.open(entry(frames.next_sheet, tally.at), "w") as sheet:
                yield from _sheet(sheet, sink, rows, frames)
            if rows.ended:
                break
        for name, content in frames.rest():
            out.writestr(entry(name, tally.at), content)
    yield sink.taken()


def _sheet(sheet: IO[bytes], sink: Sink, rows: _Rows, frames: _Frames) -> Iterator[bytes]:
    """Write one sheet into its place in the zip."""
    sheet.write(frames.head())
    number, size = 1, 0
    while not rows.ended and number < MOST_ROWS - 1 and size < MOST_BYTES:
        number += 1
        size += sheet.write(_row(number, rows.taken(), frames.styles))
        if len(sink.waiting) >= PIECE:
            yield sink.taken()
    if rows.ended and (words := rows.last_words):
        sheet.write(_row(number + 1, [words]))
    frames.close_sheet(number)
    sheet.write(frames.tail())


class _Rows:
    """The table's rows, across its sheets; knows when there are no more."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._rows = tally.counted()
        self._next = next(self._rows, None)

    @property
    def ended(self) -> bool:
        return self._next is None

    @property
    def last_words(self) -> str:
        return self._tally.last_words

    def taken(self) -> Sequence[Cell]:
        """The next row."""
        assert self._next is not None  # noqa: S101 - asked only while there are rows
        row, self._next = self._next, next(self._rows, None)
        return row


class _Frames:
    """The workbook without its rows, made anew whenever more is known of it; a few kilobytes."""

    def __init__(self, table: Table, tally: Tally) -> None:
        self._table = table
        self._tally = tally
        self._heights: list[int] = []  # rows of each finished sheet, its header among them
        self._header = [_fitting(title) for title in table.header[:MOST_COLUMNS]]
        self._titles = [gettext("导出人"), gettext("导出时间"), gettext("行数"), gettext("说明")]
        self._lists = gettext("选项")
        self._only = gettext("请从下拉列表中选择。")
        self._no_such_day = gettext("请填写 {first} 至 {last} 之间的日期，例如 2020-11-16。")
        self.styles: Sequence[int] = ()  # of the text in each column of a form; elsewhere all text has one
        if table.columns:
            self._made([1])

    @property
    def next_sheet(self) -> str:
        return _path(len(self._heights))

    def close_sheet(self, rows: int) -> None:
        """The sheet under way has so many rows."""
        self._heights.append(rows)

    def head(self) -> bytes:
        """The next sheet up to where its rows begin."""
        with ZipFile(self._made([*self._heights, 1])) as frame:
            content = frame.read(self.next_sheet)
        return _DIMENSION.sub(b"", content.partition(b"</sheetData>")[0])

    def tail(self) -> bytes:
        """The last sheet from where its rows end."""
        with ZipFile(self._made(self._heights)) as frame:
            return b"</sheetData>" + frame.read(_path(len(self._heights) - 1)).partition(b"</sheetData>")[2]

    def rest(self) -> Iterator[tuple[str, bytes]]:
        """Every part of the workbook that is no sheet of rows."""
        streamed = {_path(number) for number in range(len(self._heights))}
        with ZipFile(self._made(self._heights)) as frame:
            for name in frame.namelist():
                if name not in streamed:
                    yield name, frame.read(name)

    def _made(self, heights: Sequence[int]) -> io.BytesIO:
        out = io.BytesIO()
        book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
        bold = book.add_format({"bold": True, "num_format": "@", "bg_color": "#E8EEF4", "bottom": 1})
        for number, height in enumerate(heights):
            sheet = book.add_worksheet(self._table.title if not number else f"{self._table.title} {number + 1}")
            for column, title in enumerate(self._header):
                sheet.write_string(0, column, title, bold)
                if not self._table.columns:
                    # a Chinese character is as wide as two letters
                    width = sum(2 if letter > "\u2e80" else 1 for letter in title) + 4
                    sheet.set_column(column, column, min(WIDEST, max(NARROWEST, width)))
            self._make_form(book, sheet, height)
            sheet.freeze_panes(1, 0)
            if self._header:
                sheet.autofilter(0, 0, height - 1, len(self._header) - 1)
            sheet.repeat_rows(0)
            sheet.set_footer(f"&L{self._mark()}&R&P / &N")
        self._write_about(book, bold)
        self._write_lists(book)
        book.set_properties({"created": self._tally.at.replace(tzinfo=None)})
        book.close()
        self.styles = [form.xf_index for form in self._forms]
        return out

    def _make_form(self, book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet, height: int) -> None:
        """Lock what is not to be filled in, and let nothing be entered that could not be read again."""
        if not self._table.columns:
            self._forms: list[xlsxwriter.format.Format] = []
            return
        frame = {"valign": "top", "border": 1, "border_color": "#C9D3DD"}
        locked = book.add_format({**frame, "num_format": "@", "bg_color": "#F1F4F7", "text_wrap": True})
        open_text = book.add_format({**frame, "num_format": "@", "locked": False, "text_wrap": True})
        open_day = book.add_format({**frame, "num_format": "yyyy-mm-dd", "locked": False})
        self._forms = []
        last = max(1, height - 1)
        for at, column in enumerate(self._table.columns):
            form = locked if column.locked else open_day if column.day else open_text
            self._forms.append(form)
            sheet.set_column(at, at, column.width, form, {"hidden": column.hidden})
            rule = self._rule(at, column)
            if rule:
                sheet.data_validation(1, at, last, at, rule)
        sheet.protect("", {"format_columns": True, "format_rows": True, "autofilter": True})

    def _rule(self, at: int, column: Column) -> dict[str, object]:
        """What Excel lets somebody enter in a column."""
        told: dict[str, object] = {"input_title": self._header[at][:32], "input_message": column.note[:255]}
        if column.choices:
            letter = _column(self._list_columns.index(at))
            source = f"='{self._lists}'!${letter}$1:${letter}${len(column.choices)}"
            return {**told, "validate": "list", "source": source, "error_message": self._only}
        if column.day:
            first, last = column.day
            problem = self._no_such_day.format(first=first, last=last)
            between = {"criteria": "between", "minimum": first, "maximum": last}
            return {**told, "validate": "date", **between, "error_message": problem[:255]}
        return {**told, "validate": "any"} if column.note else {}

    @property
    def _list_columns(self) -> list[int]:
        return [at for at, column in enumerate(self._table.columns) if column.choices]

    def _write_lists(self, book: xlsxwriter.Workbook) -> None:
        """What may be chosen, on a hidden sheet: a list in the rule itself may have 255 characters."""
        if not self._list_columns:
            return
        sheet = book.add_worksheet(self._lists)
        for number, at in enumerate(self._list_columns):
            for row, choice in enumerate(self._table.columns[at].choices):
                sheet.write_string(row, number, choice)
        sheet.protect()
        sheet.hide()

    def _write_about(self, book: xlsxwriter.Workbook, bold: xlsxwriter.format.Format) -> None:
        """The sheet that tells who took what, chosen how."""
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        text = book.add_format({"num_format": "@"})
        by, at, rows, about = self._titles
        sheet = book.add_worksheet(about)
        sheet.set_column(0, 0, 20)
        sheet.set_column(1, 1, 60)
        sheet.write_string(0, 0, at, bold)
        sheet.write_datetime(0, 1, self._tally.at.replace(tzinfo=None), instant)
        sheet.write_blank(0, 2, None, day)  # nothing to see; gives the style its number
        lines: list[tuple[str, str | int]] = [(by, self._table.account), (rows, self._tally.rows)]
        lines += self._table.conditions
        if self._tally.difference:
            lines.append((about, self._tally.difference))
        for number, (title, said) in enumerate(lines, start=1):
            sheet.write_string(number, 0, title, bold)
            if isinstance(said, str):
                sheet.write_string(number, 1, _fitting(said), text)
            else:
                sheet.write_number(number, 1, said)

    def _mark(self) -> str:
        """What stands at the foot of every printed page; & begins a command there."""
        return f"{self._table.account[:60]} {self._tally.at:%Y-%m-%d %H:%M}".replace("&", "&&")


def _path(number: int) -> str:
    return f"xl/worksheets/sheet{number + 1}.xml"


def _row(number: int, cells: Sequence[Cell], styles: Sequence[int] = ()) -> bytes:
    inside = "".join(
        _cell(f"{_column(at)}{number}", cell, styles[at] if at < len(styles) else None)
        for at, cell in enumerate(cells[:MOST_COLUMNS])
    )
    return f'<row r="{number}">{inside}</row>'.encode()


_COLUMNS = [xl_col_to_name(number) for number in range(64)]


def _column(number: int) -> str:
    return _COLUMNS[number] if number < len(_COLUMNS) else str(xl_col_to_name(number))


def _cell(place: str, cell: Cell, form: int | None = None) -> str:
    if cell is None or cell == "":
        return "" if form is None else f'<c r="{place}" s="{form}"/>'
    if isinstance(cell, date) and (serial := _serial(cell)) is not None:
        style = form or (_INSTANT_STYLE if isinstance(cell, datetime) else _DATE_STYLE)
        return f'<c r="{place}" s="{style}"><v>{serial}</v></c>'
    if _is_exact(cell):
        style_of = "" if form is None else f' s="{form}"'
        return f'<c r="{place}"{style_of}><v>{cell}</v></c>'
    text = escape(_UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", _fitting(str(cell))))
    return f'<c r="{place}" s="{form or _TEXT_STYLE}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _is_exact(cell: Cell) -> bool:
    """Whether a number is one that Excel shows as it is."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal) or not math.isfinite(cell):
        return False
    return isinstance(cell, float) or sum(letter.isdigit() for letter in str(cell)) <= EXACT_DIGITS


def _serial(day: date) -> float | int | None:
    """The day as Excel counts it; None for one it cannot count."""
    if isinstance(day, datetime):
        whole = _serial(day.date())
        seconds = (datetime.combine(date.min, day.time()) - datetime.combine(date.min, time.min)).total_seconds()
        return None if whole is None else whole + seconds / _DAY
    return (day - _DAY_ZERO).days if day >= _FIRST_DAY else None


def _fitting(text: str) -> str:
    """The text as long as a cell may be; what is cut says so."""
    if len(text) <= LONGEST_TEXT:
        return text
    said = gettext("…（原文 {count} 字，已截断）").format(count=len(text))
    return text[: LONGEST_TEXT - len(said)] + said
