"""The child process of `sandbox`: takes its limits upon itself, does one task, answers in JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from wanjia.engine.duck import DuckDB, close
from wanjia.engine.errors import TooExpensive
from wanjia.engine.limits import take_upon_us
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.kernel.disk import DiskFull
from wanjia.kernel.errors import Refusal
from wanjia.lake.columns import Type


def main(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Read one task, do it within its limits, write one answer."""
    task = json.loads(stdin.readline())
    take_upon_us(task["limits"])
    try:
        answer = _TASKS[task["kind"]](task, stdin)
    except TooExpensive as refusal:
        answer = {"error": "memory", "limit": refusal.values["limit"]}
    except DiskFull:
        answer = {"error": "disk"}
    except (MemoryError, duckdb.OutOfMemoryException):
        answer = {"error": "memory"}
    except Refusal as refusal:
        answer = {"error": str(refusal)[:300]}
    except (duckdb.Error, pa.ArrowException) as error:
        answer = {"error": str(error).split("\n")[0][:200]}
    stdout.write(json.dumps(answer).encode())


def _preview(task: dict[str, Any], stdin: BinaryIO) -> dict[str, Any]:
    rows = pa.ipc.open_stream(stdin.read()).read_all()
    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "512MB"})
    connection.register("rows", rows)
    connection.execute("create table given as select * from rows")
    connection.unregister("rows")
    connection.execute("set temp_directory = ''")
    close(connection, ())
    statement = f"select _row from given where {task['condition']} order by _row"  # noqa: S608 - rendered by the dialect
    return {"fired": [row[0] for row in connection.execute(statement).fetchall()]}


def _write(task: dict[str, Any], _: BinaryIO) -> dict[str, Any]:
    spill = Path(task["spill"]) if task["spill"] else None
    engine = DuckDB(memory_limit=task["memory_limit"], threads=task["threads"], spill=spill)
    return {"rows": [_write_one(engine, output) for output in task["outputs"]]}


def _write_one(engine: DuckDB, output: dict[str, Any]) -> int:
    sources = [
        Source(item["name"], tuple(Path(path) for path in item["paths"]), _columns(item["columns"]))
        for item in output["sources"]
    ]
    steps = [Step(**{**item, "reads": tuple(item["reads"])}) for item in output["steps"]]
    columns = _columns(output["columns"])
    return engine.write(Pipeline(sources, steps), Path(output["path"]), columns, row_group=output["row_group"])


def _columns(declared: dict[str, str]) -> dict[str, Type]:
    return {name: Type(kind) for name, kind in declared.items()}


_TASKS = {"preview": _preview, "write": _write}

if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
