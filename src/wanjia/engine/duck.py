"""DuckDB as the engine: closed to everything but the files a pipeline declares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from wanjia.engine.errors import ComputationFailed, TooExpensive
from wanjia.engine.pipeline import Pipeline
from wanjia.kernel.disk import NO_SPACE, DiskFull
from wanjia.lake import parquet
from wanjia.lake.columns import Columns, Type
from wanjia.lake.errors import SchemaMismatch

# What each declared type may come from without changing a value: sums and hashes are HUGEINT.
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_ACCEPTED: dict[Type, set[str]] = {
    Type.BOOLEAN: {"BOOLEAN"},
    Type.INTEGER: _WHOLE,
    Type.BIGINT: _WHOLE,
    Type.TEXT: {"VARCHAR"},
    Type.DATE: {"DATE"},
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What one step of a pipeline yields, for somebody who wants to see how a figure came about."""

    name: str
    question: str
    sql: str
    rows: int
    sample: pa.Table


@dataclass(frozen=True, slots=True)
class DuckDB:
    """Runs pipelines. `memory_limit` as DuckDB writes it; `threads` None is one per core."""

    memory_limit: str = "512MB"
    threads: int | None = None
    spill: Path | None = None  # folder for what does not fit into memory; None refuses to spill

    def table(self, pipeline: Pipeline) -> pa.Table:
        """The pipeline's rows in memory."""
        with self._connected(pipeline) as connection:
            rows: pa.Table = connection.sql(pipeline.statement(), params=dict(pipeline.bindings)).to_arrow_table()
            return rows

    def batches(self, pipeline: Pipeline, *, size: int = 10_000) -> Iterator[pa.RecordBatch]:
        """The pipeline's rows a few at a time, for what need not fit into memory."""
        with self._connected(pipeline) as connection:
            yield from connection.sql(pipeline.statement(), params=dict(pipeline.bindings)).to_arrow_reader(size)

    def write(self, pipeline: Pipeline, path: Path, columns: Columns, *, row_group: int = parquet.ROW_GROUP) -> int:
        """Write the pipeline's rows to `path` as Parquet with exactly the declared columns; returns how many.

        Raises SchemaMismatch if a column is missing, surplus or of a type that would change values.
        """
        with self._connected(pipeline, path) as connection:
            statement, bindings = pipeline.statement(), dict(pipeline.bindings)
            _check_columns(connection, statement, bindings, columns)
            casts = ", ".join(f"cast({name} as {kind.sql}) as {name}" for name, kind in columns.items())
            options = f"format parquet, compression zstd, row_group_size {row_group:d}, use_tmp_file false"
            target = str(path).replace("'", "''")
            copy = f"copy (select {casts} from ({statement})) to '{target}' ({options})"  # noqa: S608 - declared names
            counted = connection.execute(copy, bindings).fetchall()
        return int(counted[0][0])

    def debug(self, pipeline: Pipeline, *, sample: int = 20) -> Iterator[Shown]:
        """Run each step by itself and show its question, its rows and a few of them."""
        with self._connected(pipeline) as connection:
            for step in pipeline.steps:
                statement = pipeline.statement(until=step.name)
                bindings = dict(pipeline.bindings)
                counted = connection.execute(f"select count(*) from ({statement})", bindings).fetchall()  # noqa: S608
                few = connection.sql(f"select * from ({statement}) limit {sample:d}", params=bindings).to_arrow_table()  # noqa: S608
                yield Shown(step.name, step.question, step.rendered(), int(counted[0][0]), few)

    @contextmanager
    def _connected(self, pipeline: Pipeline, *written: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect(":memory:")
        try:
            connection.execute("set memory_limit = $limit", {"limit": self.memory_limit})
            connection.execute("set threads = $threads", {"threads": self.threads or os.cpu_count() or 1})
            connection.execute("set temp_directory = $folder", {"folder": str(self.spill or "")})
            close(connection, (*pipeline.paths, *written))
            yield connection
        except duckdb.OutOfMemoryException:
            raise TooExpensive(limit=self.memory_limit) from None
        except duckdb.Error as error:
            if NO_SPACE in str(error):
                raise DiskFull from None
            # the first line names the fault; later ones may quote rows
            raise ComputationFailed(problem=str(error).split("\n")[0][:200]) from error
        finally:
            connection.close()


def close(connection: duckdb.DuckDBPyConnection, paths: tuple[Path, ...]) -> None:
    """Leave the connection only `paths`: no other file, no extension, no setting may be reached again."""
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set autoload_known_extensions = false")
    connection.execute("set allow_community_extensions = false")
    connection.execute("set allowed_paths = $paths", {"paths": [str(path) for path in paths]})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _check_columns(
    connection: duckdb.DuckDBPyConnection, statement: str, bindings: dict[str, list[str]], columns: Columns
) -> None:
    described = connection.execute(f"select * from ({statement}) limit 0", bindings).description or []  # noqa: S608
    found = {str(column[0]): str(column[1]) for column in described}
    connection.fetchall()  # a half-read result would block the next statement
    for name in found.keys() - columns.keys():
        raise SchemaMismatch(column=name, declared="–", found=found[name])
    for name, kind in columns.items():
        if found.get(name, "–") not in _ACCEPTED[kind]:
            raise SchemaMismatch(column=name, declared=kind.value, found=found.get(name, "–"))
