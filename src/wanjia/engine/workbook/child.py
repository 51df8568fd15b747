"""The child process that opens a workbook: takes its limits upon itself, reads, and tells what it found.

It gets one line of JSON and the workbook's bytes, and answers in frames: a letter, a length, and
JSON (`J`), rows as tab-separated text (`T`), or the refusal (`R`). It writes no file, opens none
after its start, and is gone when it has answered.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from wanjia.engine.limits import take_upon_us
from wanjia.engine.workbook.package import Bounds, Package, Refused, Texts
from wanjia.engine.workbook.sheet import (
    BEYOND,
    HIDDEN,
    MERGED,
    WHOLE_ROW,
    Book,
    Frame,
    Row,
    beginning,
    frame_of,
    plain_cell,
    rows_of,
)

FRAME = struct.Struct(">cI")
ROWS_AT_A_TIME = 2_000
BLANKS_AT_A_TIME = 60_000
CELLS_OF_ROWS = 200  # handed over at a time


def main(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Do one task."""
    task = json.loads(stdin.readline())
    take_upon_us(task["limits"])
    tell = partial(_tell, stdout)
    try:
        package = Package(_content(stdin, task["file_bytes"]), Bounds(**task["bounds"]))
        _TASKS[task["kind"]](package, task, tell)
    except Refused as refused:
        tell(b"R", json.dumps({"kind": refused.kind, "facts": refused.facts}).encode())
    except (MemoryError, RecursionError):
        tell(b"R", b'{"kind": "oversized", "facts": {"what": "memory", "limit": ""}}')
    stdout.flush()


def _content(stdin: BinaryIO, most: int) -> BinaryIO:
    content = io.BytesIO()
    while piece := stdin.read(1 << 20):
        content.write(piece)
        if content.tell() > most:
            raise Refused("oversized", what="file", limit=f"{most >> 20} MB")
    content.seek(0)
    return content


def _tell(stdout: BinaryIO, letter: bytes, content: bytes) -> None:
    stdout.write(FRAME.pack(letter, len(content)))
    stdout.write(content)


def _look(package: Package, task: dict[str, Any], tell: Any) -> None:
    """The beginning of every sheet. Of the shared texts only those are read that stand there: they are many."""
    asked = _Asked()
    unread = Book(Texts(asked), package.date_styles(), package.from_1904, package.bounds)
    for sheet in package.sheets:
        if sheet.part:
            beginning(partial(package.open, sheet.part), unread, task["rows"])
    book = replace(unread, texts=package.texts(asked.most + 1))
    for number, sheet in enumerate(package.sheets):
        told: dict[str, Any] = {"number": number, "name": sheet.name, "hidden": sheet.hidden, "table": bool(sheet.part)}
        if sheet.part:
            part = partial(package.open, sheet.part)
            frame, rows = frame_of(part, book), beginning(part, book, task["rows"])
            told["rows"] = [
                [row.number, {column: plain_cell(text) for column, text in row.cells.items()}] for row in rows
            ]
            told["merged"] = [area for area in frame.merged if area[0] <= task["rows"]]
            told["hidden_columns"] = frame.hidden_columns
        tell(b"J", json.dumps(told).encode())
    tell(b"J", json.dumps({"from_1904": package.from_1904}).encode())


class _Asked(Sequence[str]):
    """Texts that are not there yet; notes the last one asked for."""

    most = -1

    def __len__(self) -> int:
        return 0

    def __getitem__(self, number: Any) -> Any:
        self.most = max(self.most, number)
        return "?"


def _rows(package: Package, task: dict[str, Any], tell: Any) -> None:
    """The rows of the sheets that were asked for, as text of `width` columns."""
    book = Book(package.texts(), package.date_styles(), package.from_1904, package.bounds)
    for number in task["sheets"]:
        sheet = package.sheets[number]
        part = partial(package.open, sheet.part)
        frame = frame_of(part, book)
        tell(b"J", json.dumps({"sheet": number}).encode())
        _write_sheet(rows_of(part, book), frame, task["width"], tell)


def _write_sheet(rows: Iterator[Row], frame: Frame, width: int, tell: Any) -> None:
    fill = _Fill(frame)
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    remarks: list[tuple[int, int, str]] = []
    last = waiting = 0

    def hand_over() -> None:
        nonlocal waiting
        if remarks:
            tell(b"J", json.dumps({"remarks": remarks}).encode())
            remarks.clear()
        tell(b"T", out.getvalue().encode("utf-8", "surrogatepass"))
        out.seek(0)
        out.truncate()
        waiting = 0

    for row in rows:
        cells = {column: text for column, text in row.cells.items() if not text.isspace()}
        if not cells and not row.remarks:
            continue
        for blank in range(last + 1, row.number):
            out.write("\n")
            if blank % BLANKS_AT_A_TIME == 0:
                hand_over()
        remarks += ((row.number, column, what) for column, what in row.remarks)
        if row.hidden:
            remarks.append((row.number, WHOLE_ROW, HIDDEN))
        remarks += ((row.number, column, MERGED) for column in fill(row.number, cells))
        if cells and max(cells) >= width:
            remarks.append((row.number, WHOLE_ROW, BEYOND))
        get = cells.get
        writer.writerow([plain_cell(get(column, "")) for column in range(width)])
        last = row.number
        waiting += 1
        if waiting >= ROWS_AT_A_TIME:
            hand_over()
    hand_over()


class _Fill:
    """Gives the cells below the first of a merged column what the first one says."""

    def __init__(self, frame: Frame) -> None:
        columns = sorted((area[0], area[1], area[2]) for area in frame.merged if area[2] > area[0])
        self._areas = columns
        self._starts = [area[0] for area in columns]
        self._next = 0
        self._active: dict[int, tuple[int, str]] = {}

    def __call__(self, number: int, cells: dict[int, str]) -> list[int]:
        """Fill a row's cells; returns which columns were filled."""
        filled: list[int] = []
        if self._active:
            for column, (last, text) in list(self._active.items()):
                if last < number:
                    del self._active[column]
                elif text and column not in cells:
                    cells[column] = text
                    filled.append(column)
        end = bisect_left(self._starts, number + 1, lo=self._next)
        for first, column, last in self._areas[self._next : end]:
            if first == number:
                self._active[column] = (last, cells.get(column, ""))
        self._next = end
        return filled


def _cells(package: Package, task: dict[str, Any], tell: Any) -> None:
    """Every sheet and its rows, cell by cell as they are; no more than `rows` and `told` in all."""
    book = Book(package.texts(), package.date_styles(), package.from_1904, package.bounds, formulas=True)
    left, room = task["rows"], package.bounds.told
    for sheet in package.sheets:
        tell(b"J", json.dumps({"name": sheet.name, "part": sheet.part, "hidden": sheet.hidden}).encode())
        rows = rows_of(partial(package.open, sheet.part), book) if sheet.part else iter(())
        while some := [(row.number, row.cells, row.hidden, row.remarks) for row in islice(rows, CELLS_OF_ROWS)]:
            left -= len(some)
            if left < 0:
                raise Refused("oversized", what="records", limit=f"{task['rows']:,}")
            room -= sum(len(text) for _, cells, _, _ in some for text in cells.values())
            if room < 0:
                raise Refused("oversized", what="told", limit=f"{package.bounds.told:,}")
            tell(b"J", json.dumps({"rows": some}).encode())


_TASKS = {"look": _look, "rows": _rows, "cells": _cells}

if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
