"""Asking the child: what is in a workbook, and its rows as text.

The workbook goes to the child through a pipe, so it never lies on the disk in clear. Tables of
any length come back as `rows` that are read like those of a text file; of a form that people fill
in, `cells` tells each sheet's cells as they are.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from wanjia.engine.errors import (
    NoWorkbook,
    WorkbookActive,
    WorkbookBroken,
    WorkbookEncrypted,
    WorkbookOldFormat,
    WorkbookRefused,
    WorkbookTooLarge,
    WorkbookTooSlow,
)
from wanjia.engine.limits import Limits
from wanjia.engine.workbook.child import FRAME
from wanjia.engine.workbook.package import Bounds, Sheet
from wanjia.engine.workbook.sheet import Row
from wanjia.kernel.errors import Sentence

DELIMITER = "\t"
LARGEST = 200 << 20  # bytes of a packed workbook: a full sheet of twenty columns has half of it
LIMITS = Limits(memory_bytes=1 << 30, cpu_seconds=900, wall_seconds=3_600, file_bytes=0, open_files=16)
BOUNDS = Bounds()
BEGINNING = 45  # rows shown of each sheet: titles, header, and enough records to see what columns hold

_WHAT = {
    "cell": Sentence("有一个单元格超过 {limit} 个字符", "a cell has more than {limit} characters"),
    "rows": Sentence("行号超过 {limit}", "rows are numbered beyond {limit}"),
    "records": Sentence("内容超过 {limit} 行", "it has more than {limit} rows"),
    "told": Sentence("所有单元格共超过 {limit} 个字符", "its cells have more than {limit} characters in all"),
    "columns": Sentence("列数超过 {limit}", "columns go beyond {limit}"),
    "merged": Sentence("合并单元格超过 {limit} 处", "more than {limit} cells are merged"),
    "sheets": Sentence("工作表超过 {limit} 张", "there are more than {limit} sheets"),
    "parts": Sentence("内部文件超过 {limit} 个", "it consists of more than {limit} parts"),
    "unpacked": Sentence("解压后大得不合常理", "it unpacks to a size no table has"),
    "file": Sentence("文件超过 {limit}", "the file is larger than {limit}"),
    "memory": Sentence("读取所需内存超过 {limit}", "reading it takes more than {limit} of memory"),
}
_ACTIVE = {
    "macros": Sentence("含有宏", "macros"),
    "links": Sentence("引用了其他文件（外部链接）", "links to other files"),
    "doctype": Sentence("含有文档类型声明（可能引用外部实体）", "a document type, through which other files are read"),
}


@dataclass(frozen=True, slots=True)
class SheetBeginning:
    """The first rows of a sheet. `merged` are areas as first row, column; last row, column."""

    number: int
    name: str
    hidden: bool
    table: bool
    rows: list[tuple[int, dict[int, str]]]
    merged: list[tuple[int, int, int, int]]
    hidden_columns: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Look:
    """What a workbook holds, as far as its beginning tells."""

    sheets: list[SheetBeginning]
    from_1904: bool


@dataclass(slots=True)
class Remarks:
    """What the child remarked of lines that were handed on and not yet read, and where sheets begin."""

    of_lines: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    begins: dict[int, int] = field(default_factory=dict)  # sheet → its first line

    def taken(self, first: int, end: int) -> list[tuple[int, int, str]]:
        """Line, column (-1 the whole row) and remark for the lines from `first` before `end`."""
        if not self.of_lines:
            return []
        found = sorted(line for line in self.of_lines if first <= line < end)
        return [(line, column, what) for line in found for column, what in self.of_lines.pop(line)]


def look(parts: Iterable[bytes], *, limits: Limits = LIMITS) -> Look:
    """The beginnings of a workbook's sheets.

    Raises WorkbookEncrypted, WorkbookOldFormat, NoWorkbook, WorkbookBroken, WorkbookActive,
    WorkbookTooLarge, WorkbookTooSlow.
    """
    found: list[SheetBeginning] = []
    from_1904 = False
    for letter, content in _asked({"kind": "look", "rows": BEGINNING}, parts, limits):
        told = json.loads(content) if letter == b"J" else {}
        if "from_1904" in told:
            from_1904 = told["from_1904"]
        elif told:
            found.append(_beginning(told))
    return Look(found, from_1904)


def _beginning(told: dict[str, Any]) -> SheetBeginning:
    return SheetBeginning(
        number=told["number"],
        name=told["name"],
        hidden=told["hidden"],
        table=told["table"],
        rows=[(number, _by_column(cells)) for number, cells in told.get("rows", [])],
        merged=[tuple(area) for area in told.get("merged", [])],
        hidden_columns=[(first, last) for first, last in told.get("hidden_columns", [])],
    )


def rows(  # noqa: PLR0913 - what of which file, and what is to be told of it
    parts: Iterable[bytes],
    *,
    sheets: Iterable[int],
    width: int,
    remarks: Remarks,
    begin_sheet: Callable[[int, int], None] = lambda sheet, line: None,  # noqa: ARG005
    limits: Limits = LIMITS,
) -> Iterator[str]:
    """The rows of the sheets, one after the other, each as a line of `width` cells separated by tabs.

    What there is to remark of a line is in `remarks` before the line is handed on; `begin_sheet`
    is told of each sheet and the line it begins on. Raises as `look` does.
    """
    line, offset = 1, 0
    for letter, content in _asked({"kind": "rows", "sheets": list(sheets), "width": width}, parts, limits):
        if letter == b"T":
            text = content.decode("utf-8", "replace")
            line += text.count("\n")
            yield text
            continue
        told = json.loads(content)
        if "sheet" in told:
            offset = line - 1
            remarks.begins[told["sheet"]] = line
            begin_sheet(told["sheet"], line)
        for number, column, what in told.get("remarks", ()):
            remarks.of_lines.setdefault(offset + number, []).append((column, what))


def cells(
    parts: Iterable[bytes], *, rows: int, bounds: Bounds = BOUNDS, limits: Limits = LIMITS
) -> Iterator[Sheet | Row]:
    """Each sheet, followed by its rows with something in them; more than `rows` in all are refused.

    A cell is remarked that a formula fills, shows an error, or was cut. Raises as `look` does; what
    was told before is then worth nothing.
    """
    for _, content in _asked({"kind": "cells", "rows": rows}, parts, limits, bounds):
        told = json.loads(content)
        if "name" in told:
            yield Sheet(**told)
        for number, found, hidden, remarks in told.get("rows", ()):
            yield Row(number, _by_column(found), hidden, [(column, what) for column, what in remarks])


def _by_column(cells: dict[str, str]) -> dict[int, str]:
    return {int(column): text for column, text in cells.items()}


def _asked(
    task: dict[str, Any], parts: Iterable[bytes], limits: Limits, bounds: Bounds = BOUNDS
) -> Iterator[tuple[bytes, bytes]]:
    """The child's answers to one task."""
    task = {**task, "limits": asdict(limits), "bounds": asdict(bounds), "file_bytes": LARGEST}
    message = json.dumps(task).encode() + b"\n"
    with _child() as child, _feeding(child, message, parts), _watched(child, limits.wall_seconds):
        assert child.stdout is not None  # noqa: S101 - asked for
        answers = 0
        while len(head := child.stdout.read(FRAME.size)) == FRAME.size:
            letter, size = FRAME.unpack(head)
            content = child.stdout.read(size)
            if len(content) < size:
                break
            if letter == b"R":
                raise _refusal(json.loads(content), limits)
            answers += 1
            yield letter, content
        code = child.wait()
    if code or not answers:
        raise _ended(code, limits)


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    # -I: no user site, no PYTHON* variables, and the current folder is not imported from.
    command = [sys.executable, "-I", "-m", "wanjia.engine.workbook.child"]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LANG": "C.UTF-8", "PATH": os.defpath},
        start_new_session=True,
    ) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


@contextmanager
def _feeding(child: subprocess.Popen[bytes], message: bytes, parts: Iterable[bytes]) -> Iterator[None]:
    """Hand the workbook over beside the reading; a fault in what is handed over is raised here."""
    faults: list[BaseException] = []

    def feed(stdin: IO[bytes]) -> None:
        try:
            with suppress(BrokenPipeError), stdin:  # the child may have seen enough
                stdin.write(message)
                for part in parts:
                    stdin.write(part)
        except BaseException as fault:  # noqa: BLE001 - raised again in the thread that asked
            faults.append(fault)
            child.kill()

    assert child.stdin is not None  # noqa: S101 - asked for
    thread = threading.Thread(target=feed, args=(child.stdin,), daemon=True)
    thread.start()
    try:
        yield
    except WorkbookRefused:
        if faults:
            raise faults[0] from None
        raise
    finally:
        if child.poll() is None and sys.exc_info()[0] is not None:
            child.kill()
        thread.join()
    if faults:
        raise faults[0]


@contextmanager
def _watched(child: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _refusal(told: dict[str, Any], limits: Limits) -> WorkbookRefused:
    facts = told["facts"]
    match told["kind"]:
        case "encrypted":
            return WorkbookEncrypted()
        case "old_format":
            return WorkbookOldFormat()
        case "zip":
            return NoWorkbook()
        case "active":
            return WorkbookActive(what=_ACTIVE[facts["what"]])
        case "oversized":
            limit = facts["limit"] if facts["what"] != "memory" else f"{limits.memory_bytes >> 20} MB"
            said = _WHAT[facts["what"]]
            return WorkbookTooLarge(what=Sentence(said.zh.format(limit=limit), said.en.format(limit=limit)))
        case _:
            return WorkbookBroken()


def _ended(code: int, limits: Limits) -> WorkbookRefused:
    """What it means that the child ended without an answer."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return WorkbookTooSlow(seconds=limits.cpu_seconds)
    return _refusal(
        {"kind": "oversized", "facts": {"what": "memory"}} if code else {"kind": "broken", "facts": {}}, limits
    )
