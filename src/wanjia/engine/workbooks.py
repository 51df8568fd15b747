"""Reading .xlsx files that others made, in a child process with limits the operating system enforces.

A workbook is a packed tree of XML. A kilobyte can unpack to gigabytes, claim a billion rows or
hold one cell of 300 MB, and a library that reads a sheet at once allocates what it claims. So the
file is parsed as a stream, cell by cell, in a process of its own that has no environment, opens
no file and dies at its limit; the file goes in through a pipe, the cells come out through another.

    for item in read(upload.chunks()):
        match item:
            case Sheet(): ...     # the next sheet begins
            case Row(): ...       # one of its rows, cells by column from 0
            case SheetEnd(): ...  # its merged cells

Everything stays text: a number is what the file says, digit for digit. Cells that a formula fills
come with the value it had when the file was saved, and are marked.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, TypeAlias

from wanjia.engine.errors import WorkbookBroken, WorkbookEncrypted, WorkbookOldFormat, WorkbookTooLarge
from wanjia.kernel.errors import Refusal, Sentence

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Reading:
    """What one workbook may cost and hold; a longer text is cut and its cell marked."""

    memory_bytes: int = 512 * _MIB
    cpu_seconds: int = 60
    wall_seconds: float = 120
    unpacked_bytes: int = 1024 * _MIB
    rows: int = 100_000
    columns: int = 200
    text: int = 32_767  # the most a cell can hold in Excel


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `kind`: s text, n number, d number shown as a day, i day as ISO text, b truth, e error, long."""

    kind: str
    text: str
    formula: bool = False

    @property
    def is_error(self) -> bool:
        """Whether it shows #N/A, #REF! and the like."""
        return self.kind == "e"

    @property
    def too_long(self) -> bool:
        """Whether its text was longer than any cell may be, and was cut."""
        return self.kind == "long"


@dataclass(frozen=True, slots=True)
class Row:
    """The filled cells of a row; `number` as Excel shows it."""

    number: int
    hidden: bool
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet begins; its rows follow. `since_1904` is how its book counts days."""

    name: str
    hidden: bool
    since_1904: bool = False


@dataclass(frozen=True, slots=True)
class SheetEnd:
    """A sheet ends; the ranges of its merged cells (A1:B2)."""

    merged: tuple[str, ...] = field(default=())


Item: TypeAlias = Sheet | Row | SheetEnd


def read(content: Iterable[bytes], reading: Reading | None = None) -> Iterator[Item]:
    """Everything in a workbook, in the order of its sheets.

    Raises WorkbookEncrypted, WorkbookOldFormat, WorkbookBroken, WorkbookTooLarge; what was
    yielded before is then worth nothing.
    """
    limits = reading or Reading()
    # -I: no user site, no PYTHON* variables, and the current folder is not imported from.
    with subprocess.Popen(  # our own interpreter and module
        [sys.executable, "-I", "-m", "wanjia.engine.workbook_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LANG": "C.UTF-8", "PATH": os.defpath},
        start_new_session=True,
    ) as child:
        watch = threading.Timer(limits.wall_seconds, child.kill)
        watch.start()
        try:
            _feed(child, limits, content)
            yield from _told(child, limits)
        finally:
            watch.cancel()
            if child.poll() is None:
                child.kill()


def _feed(child: subprocess.Popen[bytes], limits: Reading, content: Iterable[bytes]) -> None:
    """The whole file goes in before a cell comes out, so neither waits for the other."""
    assert child.stdin is not None  # noqa: S101 - asked for above
    try:
        child.stdin.write(json.dumps(asdict(limits)).encode() + b"\n")
        for piece in content:
            child.stdin.write(piece)
        child.stdin.close()
    except BrokenPipeError:  # it died at a limit; how is read from its end
        pass


def _told(child: subprocess.Popen[bytes], limits: Reading) -> Iterator[Item]:
    assert child.stdout is not None  # noqa: S101 - asked for above
    since_1904 = False
    for line in child.stdout:
        try:
            word, *rest = json.loads(line)
        except ValueError:  # cut off in the middle
            break
        if word == "rows":
            for number, hidden, cells in rest[0]:
                yield Row(number, hidden, {cell[0]: Cell(cell[1], cell[2], len(cell) > 3) for cell in cells})  # noqa: PLR2004 - a mark behind the text
        elif word == "sheet":
            yield Sheet(rest[0], rest[1], since_1904)
        elif word == "end":
            yield SheetEnd(tuple(rest[0]))
        elif word == "book":
            since_1904 = rest[0]
        elif word == "refused":
            raise _refusal(rest[0], limits)
        elif word == "done":
            return
    raise _died(child, limits)


_OTHER_KINDS: Mapping[str, type[Refusal]] = {"encrypted": WorkbookEncrypted, "old_format": WorkbookOldFormat}
_UNITS = {
    "rows": Sentence("{n:,} 行", "{n:,} rows"),
    "columns": Sentence("{n:,} 列", "{n:,} columns"),
    "text": Sentence("每格 {n:,} 字", "{n:,} characters a cell"),
}


def _refusal(facts: Mapping[str, Any], limits: Reading) -> Refusal:
    reason = facts["reason"]
    if unit := _UNITS.get(reason):
        return WorkbookTooLarge(limit=Sentence(unit.text("zh", n=facts["limit"]), unit.text("en", n=facts["limit"])))
    if reason in ("memory", "unpacked"):
        return WorkbookTooLarge(limit=f"{facts.get('limit', limits.memory_bytes) // _MIB} MiB")
    return _OTHER_KINDS.get(reason, WorkbookBroken)()


def _died(child: subprocess.Popen[bytes], limits: Reading) -> Refusal:
    code = child.wait()
    if code == -signal.SIGXCPU:
        return WorkbookTooLarge(limit=f"{limits.cpu_seconds} CPU s")
    if code == -signal.SIGKILL:
        return WorkbookTooLarge(limit=f"{limits.wall_seconds:g} s")
    if code:  # an allocation refused by the operating system ends native code in several ways
        return WorkbookTooLarge(limit=f"{limits.memory_bytes // _MIB} MiB")
    return WorkbookBroken()


def day_of(cell: Cell, *, since_1904: bool = False) -> date | None:
    """The day a cell of kind d or i holds, its time of day left aside; None for any other."""
    try:
        if cell.kind == "i":
            return date.fromisoformat(cell.text[:10])
        if cell.kind != "d":
            return None
        zero = date(1904, 1, 1) if since_1904 else date(1899, 12, 30)
        return zero + timedelta(days=int(float(cell.text)))
    except (ValueError, OverflowError):
        return None
