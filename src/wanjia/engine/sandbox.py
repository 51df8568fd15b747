"""Computation in a child process with limits the operating system enforces.

An engine's own `memory_limit` and `interrupt` are no sandbox: `repeat('x', 3e9)` took 2.9 GB
under a limit of 512 MB and answered an interrupt twenty seconds late. So whatever an analyst
wrote is computed in a process of its own, which has no environment, gets its rows through a
pipe, may write no file (previews) or one file (runs), and is killed when its time is up.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from wanjia.engine.dialect import Checked
from wanjia.engine.duck import DuckDB
from wanjia.engine.errors import ComputationFailed, TooExpensive
from wanjia.engine.limits import Limits
from wanjia.engine.pipeline import Pipeline
from wanjia.kernel.disk import DiskFull
from wanjia.lake import parquet
from wanjia.lake.columns import Columns

_GIB = 2**30
_CHECK_SECONDS = 0.5


PREVIEW = Limits(memory_bytes=2 * _GIB, cpu_seconds=5, wall_seconds=15, file_bytes=0, open_files=32)
RUN = Limits(memory_bytes=6 * _GIB, cpu_seconds=1_800, wall_seconds=3_600, file_bytes=None, open_files=256)


@dataclass(frozen=True, slots=True)
class Preview:
    """How often an expression fires on the given rows, and which of them (by position)."""

    rows: int
    fired: tuple[int, ...]


def preview(condition: Checked, rows: pa.Table, *, limits: Limits = PREVIEW) -> Preview:
    """Evaluate a checked condition over `rows`; only the columns it names enter the child.

    Raises TooExpensive when a limit is passed.
    """
    needed = rows.select(sorted(condition.columns)) if condition.columns else rows.select([])
    numbered = needed.append_column("_row", pa.array(range(rows.num_rows), pa.int64()))
    task = {"kind": "preview", "condition": condition.sql}
    answer = _run(task, limits, payload=_stream(numbered))
    return Preview(rows=rows.num_rows, fired=tuple(answer["fired"]))


@dataclass(frozen=True, slots=True)
class Output:
    """A pipeline and the Parquet file its rows go to."""

    pipeline: Pipeline
    path: Path
    columns: Columns
    row_group: int = parquet.ROW_GROUP

    def plain(self) -> dict[str, Any]:
        return {
            "sources": [_plain_source(source) for source in self.pipeline.sources],
            "steps": [asdict(step) for step in self.pipeline.steps],
            "path": str(self.path),
            "columns": {name: kind.value for name, kind in self.columns.items()},
            "row_group": self.row_group,
        }


def write(
    outputs: Sequence[Output],
    *,
    engine: DuckDB | None = None,
    limits: Limits = RUN,
    check: Callable[[], None] | None = None,
) -> list[int]:
    """`DuckDB.write` for each output in turn, in one child process; returns the rows of each.

    A later output may read what an earlier one wrote. `check` is called twice a second and may
    raise (a cancelled job, a lost lease); the child is then killed. Raises TooExpensive,
    ComputationFailed.
    """
    engine = engine or DuckDB()
    task = {
        "kind": "write",
        "outputs": [output.plain() for output in outputs],
        "memory_limit": engine.memory_limit,
        "threads": engine.threads,
        "spill": str(engine.spill) if engine.spill else None,
    }
    rows: list[int] = _run(task, limits, check=check)["rows"]
    return rows


def _run(
    task: Mapping[str, Any], limits: Limits, *, payload: bytes = b"", check: Callable[[], None] | None = None
) -> dict[str, Any]:
    message = json.dumps({**task, "limits": asdict(limits)}).encode() + b"\n" + payload
    # -I: no user site, no PYTHON* variables, and the current folder is not imported from.
    command = [sys.executable, "-I", "-m", "wanjia.engine.child"]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"LANG": "C.UTF-8", "PATH": os.defpath},
        start_new_session=True,
    ) as child:
        try:
            out, errors = _communicate(child, message, limits, check)
        finally:
            if child.poll() is None:
                child.kill()
    return _answer(child.returncode, out, errors, limits)


def _communicate(
    child: subprocess.Popen[bytes], message: bytes, limits: Limits, check: Callable[[], None] | None
) -> tuple[bytes, bytes]:
    """Feed the child and wait, looking up now and then to see whether we should still be doing this."""
    waited, sent = 0.0, False
    while True:
        try:
            return child.communicate(None if sent else message, timeout=_CHECK_SECONDS)
        except subprocess.TimeoutExpired:
            waited, sent = waited + _CHECK_SECONDS, True
            if check is not None:
                check()
            if waited >= limits.wall_seconds:
                raise TooExpensive(limit=f"{limits.wall_seconds:g} s") from None


def _answer(code: int, out: bytes, errors: bytes, limits: Limits) -> dict[str, Any]:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise TooExpensive(limit=f"{limits.cpu_seconds} CPU s")
    memory = f"{limits.memory_bytes // 2**20} MiB"
    try:
        answer: dict[str, Any] = json.loads(out)
    except ValueError:
        lines = errors.decode(errors="replace").strip().splitlines() or [f"exit {code}"]
        # An allocation refused by the operating system ends native code in any of these ways.
        if code < 0 or "MemoryError" in lines[-1] or "bad_alloc" in lines[-1]:
            raise TooExpensive(limit=memory) from None
        raise ComputationFailed(problem=lines[-1][:200]) from None
    if answer.get("error") == "memory":
        raise TooExpensive(limit=answer.get("limit", memory))
    if answer.get("error") == "disk":
        raise DiskFull
    if "error" in answer:
        raise ComputationFailed(problem=answer["error"])
    return answer


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _plain_source(source: Any) -> dict[str, Any]:
    return {
        "name": source.name,
        "paths": [str(path) for path in source.paths],
        "columns": {name: kind.value for name, kind in source.columns.items()},
    }
