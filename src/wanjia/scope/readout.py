"""Whole columns out of the database, a piece at a time, on Django's own connection.

So a read-out stands in the caller's transaction, sees what that has written, and on PostgreSQL
goes through the application's role and its row-level security like any other statement. Each row
is made into one line of text by the database itself (COPY on PostgreSQL, a JSON array on SQLite)
and Arrow reads the lines: several times cheaper than a Python object for each value.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
from django.db import connection

from wanjia.lake import Columns, Type, arrow_schema
from wanjia.scope.reach import serving
from wanjia.scope.viewer import Viewer

ROWS_AT_ONCE = 50_000
_FEW = 20_000  # lines that are turned into columns in one go
_TRUE, _FALSE = ["1", "t"], ["0", "f"]
_EDGE = "_edge"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is read: an SQL expression for each column, and everything from FROM on, its order included.

    Both databases must understand both. Personal numbers that are encrypted are not read this way:
    an expression yields text, whole numbers, days, yes or no.
    """

    expressions: Mapping[str, str]
    source: str
    columns: Columns

    def __post_init__(self) -> None:
        if self.expressions.keys() != self.columns.keys():
            raise ValueError(f"expressions and columns differ in {self.expressions.keys() ^ self.columns.keys()}")


def batches(
    selection: Selection, *, viewer: Viewer, params: Sequence[Any] = (), size: int = ROWS_AT_ONCE
) -> Iterator[pa.RecordBatch]:
    """The rows as Arrow batches of `size` rows, the last one shorter, read as far as `viewer` reaches.

    `params` fill the %s of the source. On PostgreSQL nothing else may use the connection until the
    last batch was taken.
    """
    on_postgresql = connection.vendor == "postgresql"
    tables = _copied(selection, viewer, params) if on_postgresql else _from_lines(selection, params)
    yield from _resized(tables, arrow_schema(selection.columns), size)


def _copied(selection: Selection, viewer: Viewer, params: Sequence[Any]) -> Iterator[pa.Table]:
    asked = f"SELECT {', '.join(selection.expressions.values())} {selection.source}"
    reading = _Reading(selection.columns, null="", parse=pa_csv.ParseOptions(newlines_in_values=True))
    with connection.cursor() as cursor:
        with serving(viewer):  # until the statement is on its way, and not while the caller works on what it yields
            copying = cursor.copy(f"COPY ({asked}) TO STDOUT (FORMAT csv)", params or None)
        with copying as copy:
            for rows in _some(copy):  # PostgreSQL sends each row as a message of its own
                yield reading.table(b"".join(rows))


def _from_lines(selection: Selection, params: Sequence[Any]) -> Iterator[pa.Table]:
    # a number at either end: what stands beside the brackets is no value
    row = f"cast(json_array(0, {', '.join(selection.expressions.values())}, 0) AS blob)"
    edges = (_EDGE, *selection.columns, f"{_EDGE}_end")
    escaped = pa_csv.ParseOptions(double_quote=False, escape_char="\\", newlines_in_values=False)
    reading = _Reading(selection.columns, null="null", parse=escaped, names=edges)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {row} {selection.source}", list(params))
        while found := cursor.fetchmany(_FEW):
            lines = [line for (line,) in found]
            text = b"\n".join(lines)
            # JSON writes some characters by name; Arrow would keep the name's letter
            yield _spelled_out(lines, selection.columns) if b"\\" in text else reading.table(text)


def _spelled_out(lines: Iterable[bytes], columns: Columns) -> pa.Table:
    rows = [json.loads(line)[1:-1] for line in lines]
    values = {}
    for (name, kind), column in zip(columns.items(), zip(*rows, strict=True), strict=True):
        plain: pa.Array = pa.array([None if value is None else str(value) for value in column], pa.string())
        values[name] = _as_declared(plain, kind)
    return pa.table(values)


def _as_declared(texts: pa.Array, kind: Type) -> pa.Array:
    if kind is Type.BOOLEAN:
        return texts.cast(pa.int8()).cast(pa.bool_())
    return texts.cast(kind.arrow)


class _Reading:
    """How lines of text become the declared columns."""

    def __init__(self, columns: Columns, *, null: str, parse: pa_csv.ParseOptions, names: Sequence[str] = ()) -> None:
        self._read = pa_csv.ReadOptions(column_names=list(names or columns), use_threads=False, block_size=2**26)
        self._parse = parse
        self._convert = pa_csv.ConvertOptions(
            column_types={name: kind.arrow for name, kind in columns.items()},
            include_columns=list(columns),
            null_values=[null],
            true_values=_TRUE,
            false_values=_FALSE,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # an empty text is none the less a text
        )

    def table(self, text: bytes) -> pa.Table:
        return pa_csv.read_csv(
            io.BytesIO(text), read_options=self._read, parse_options=self._parse, convert_options=self._convert
        )


def _some(messages: Iterable[bytes]) -> Iterator[list[bytes]]:
    taken: list[bytes] = []
    for message in messages:
        taken.append(message)
        if len(taken) == _FEW:
            yield taken
            taken = []
    if taken:
        yield taken


def _resized(tables: Iterable[pa.Table], schema: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `size`, whatever pieces they came in: what is written does not depend on it."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        while rows >= size:
            whole = pa.concat_tables(waiting)
            yield _one(whole.slice(0, size), schema)
            waiting, rows = [whole.slice(size)], rows - size
    if rows:
        yield _one(pa.concat_tables(waiting), schema)


def _one(table: pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    [batch] = table.cast(schema).combine_chunks().to_batches()
    return batch
