"""Tables as files: the one place that writes what people open in a spreadsheet.

Whatever an office hands out as CSV or Excel passes here, so that no list forgets one of the
promises: no text becomes a formula, the rows are counted against the query, the file says who
took it and when, and nothing is kept on the disk or in memory while it is written.

In a CSV a text that a spreadsheet would compute or round has an apostrophe before it; in a
workbook every cell has a type of its own and the text stands unchanged.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext

from wanjia.kernel import clock

Cell: TypeAlias = str | int | float | Decimal | date | None

BYTE_ORDER_MARK = "\ufeff"  # Excel reads UTF-8 only with it
PIECE = 64 * 1024  # bytes handed on at a time

# What may stand before a formula without the spreadsheet minding: spaces of any width, quotes, marks nobody sees.
# Tabs and line ends are not among them: they end cells, and a long row of them must not cost more than its length.
_UNSEEN = (
    r"[ \x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    r"\"'＂＇]*"
)
# At the beginning of a cell, or after what another country's settings take for the end of one.
_FORMULA = re.compile(rf"(?:^|(?<=[;\t|\r\n]))(?={_UNSEEN}[=+\-@＝＋－＠﹢﹣﹦﹫−])")
_LEADING_CONTROL = ("\t", "\r", "\n")
_LONG_NUMBER = re.compile(r"[0-9]{12,}[0-9A-Za-z]*")  # a spreadsheet would turn it into 4.59999E+17


class Format(StrEnum):
    """The kinds of file a table is handed out as."""

    CSV = "csv"
    XLSX = "xlsx"

    @classmethod
    def asked(cls, text: str | None) -> Format:
        """What an address asks for; CSV where it asks for nothing known."""
        return cls.XLSX if text == cls.XLSX else cls.CSV

    @property
    def media_type(self) -> str:
        if self is Format.XLSX:
            return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a workbook that somebody fills in and sends back.

    A locked one is read only. `choices` are all that may be entered; `day` takes a day between the
    two given, either of which may be open. `note` is shown while a cell of the column is entered.
    """

    width: int
    locked: bool = True
    hidden: bool = False
    choices: Sequence[str] = ()
    day: tuple[date, date] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What is to be written: the rows of one query, already cut to the viewer and masked.

    `promised` is how many rows the query counted. `conditions` are what it was narrowed to, in
    words. A table that is not `signed` goes back to a department as a file to correct: its last
    row says nothing, unless rows are missing. `columns`, where given, make it a form: each stands
    for one title of the header, and only a workbook can be one. `as_it_is`, asked after the last row,
    says of rows that were not read in one statement whether they are what the query gives now.
    """

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    promised: int
    account: str
    conditions: Sequence[tuple[str, str]] = ()
    signed: bool = True
    columns: Sequence[Column] = ()
    as_it_is: Callable[[], bool] | None = None


class Tally:
    """Counts the rows as they pass and finds the words for what came of it."""

    def __init__(self, table: Table) -> None:
        self.rows = 0
        self.account = table.account
        self.at = clock.now().astimezone(clock.CHINA)
        self._table = table
        self._changed = False
        # the words are chosen now: a file is written after its request, in nobody's language
        self._said = gettext("由 {account} 于 {at} 导出 {rows} 行")
        self._differs = gettext("导出期间数据有变动，原计 {promised} 行，实有 {rows} 行：本文件不等于查询结果")

    def counted(self) -> Iterator[Sequence[Cell]]:
        """The rows, counted."""
        for row in self._table.rows:
            self.rows += 1
            yield row
        if self._table.as_it_is is not None:
            self._changed = not self._table.as_it_is()

    @property
    def difference(self) -> str:
        """What a file that is not its query says of itself; empty when it is."""
        if self.rows == self._table.promised and not self._changed:
            return ""
        return self._differs.format(promised=self._table.promised, rows=self.rows)

    @property
    def last_words(self) -> str:
        """The text of the row below the data; empty when there is none."""
        if not self._table.signed:
            return self.difference and f"说明:{self.difference}"  # intake reads such a row as a note
        said = self._said.format(account=self.account, at=f"{self.at:%Y-%m-%d %H:%M}", rows=self.rows)
        return f"{said};{self.difference}" if self.difference else said


class Encoding(StrEnum):
    """What a CSV's text is written in: UTF-8 with its mark, or GB18030, which older Chinese programs expect."""

    UTF8 = "utf-8"
    GB18030 = "gb18030"


def written(table: Table, form: Format, encoding: Encoding = Encoding.UTF8) -> Iterator[bytes]:
    """The file, a piece at a time. A workbook says its encoding itself."""
    tally = Tally(table)
    if form is Format.XLSX:
        from wanjia.ui.workbook import workbook

        return workbook(table, tally)
    return _csv(table, tally, encoding)


def download(pieces: Iterable[bytes], name: str, form: Format) -> StreamingHttpResponse:
    """An answer that a browser saves and never shows."""
    return saved(pieces, f"{name}.{form}", form.media_type)


def saved(pieces: Iterable[bytes], name: str, media_type: str) -> StreamingHttpResponse:
    """As `download`, for a file of another kind."""
    answer = StreamingHttpResponse(pieces, content_type=media_type)
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"  # noqa: FBT003
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


def formula_safe(text: str) -> str:
    """The text as a CSV may hold it: with an apostrophe wherever a formula could begin, or a long number."""
    if text.startswith(_LEADING_CONTROL) or _LONG_NUMBER.fullmatch(text.strip()):
        text = f"'{text}"
    return _FORMULA.sub(_with_apostrophe, text)


def _with_apostrophe(found: re.Match[str]) -> str:
    return "" if found.string[found.start() :].startswith("'") else "'"


def _csv(table: Table, tally: Tally, encoding: Encoding) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    if encoding is Encoding.UTF8:
        buffer.write(BYTE_ORDER_MARK)
    writer.writerow([_csv_cell(cell) for cell in table.header])
    for row in tally.counted():
        writer.writerow([_csv_cell(cell) for cell in row])
        if buffer.tell() >= PIECE:
            yield _taken(buffer, encoding)
    if tally.last_words:
        writer.writerow([_csv_cell(tally.last_words)])
    yield _taken(buffer, encoding)


def _csv_cell(cell: Cell) -> object:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return formula_safe(cell) if isinstance(cell, str) else cell


def _taken(buffer: io.StringIO, encoding: Encoding) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    # half a surrogate pair is no character; the place where it stood stays visible
    return text.encode(encoding, "replace")
