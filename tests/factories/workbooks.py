"""Workbooks as departments send them, written by openpyxl, and altered where it would not write such a thing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.factories.sources import HEADER, TITLE, row


def book(
    rows: Iterable[Sequence[object]] | None = None,
    *,
    header: Sequence[str] = HEADER,
    title: str | None = TITLE,
    name: str = "机动车",
    change: Callable[[Workbook, Worksheet], None] | None = None,
) -> bytes:
    """A workbook of one sheet: title, header, rows; `change` is given both before they are saved."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = name
    fill(sheet, rows, header=header, title=title)
    if change is not None:
        change(made, sheet)
    return saved(made)


def fill(
    sheet: Worksheet,
    rows: Iterable[Sequence[object]] | None = None,
    *,
    header: Sequence[str] = HEADER,
    title: str | None = TITLE,
) -> None:
    if title:
        sheet.append([title])
        sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(header))
    sheet.append(list(header))
    for each in [row(serial) for serial in range(1, 4)] if rows is None else rows:
        sheet.append(list(each))


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def altered(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one part rewritten, or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename != part:
                new.writestr(entry, old.read(entry))
        before = old.read(part) if part in old.namelist() else b""
        new.writestr(part, change(before))
    return out.getvalue()
