"""Rows made ready before the transaction that inserts them.

On SQLite a statement that is given a row at a time spends most of its time taking the values over
from Python. Where nobody has begun a transaction yet, the columns go into a file by Arrow instead,
and the transaction moves them from there in one statement a table: a third of the cost, and the one
write lock is held for less time still. In every other case this is `bulk.insert`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Protocol

import pyarrow as pa
from django.db import connection, models

from wanjia.scope import bulk

MANY = 5_000  # rows of one table: fewer are not worth a file
ABANDONED_AFTER = 24 * 3600  # seconds
_SCHEMA = "wanjia_ready"


class Insert(Protocol):
    """Inserts the rows of a table that were made ready; the arguments are those of `bulk.insert`."""

    def __call__(self, model: type[models.Model], *, but_known: bool = False) -> int: ...


@contextlib.contextmanager
def made_ready(rows: Mapping[type[models.Model], bulk.Columns]) -> Iterator[Insert]:
    """Make the rows of these tables ready; begin the transaction inside, and insert them there.

    Raises what `bulk.insert` does, from the insert.
    """
    many = {model: columns for model, columns in rows.items() if bulk.length_of(columns) >= MANY}
    into_file = bool(many) and connection.vendor == "sqlite" and not connection.in_atomic_block

    def insert(model: type[models.Model], *, but_known: bool = False) -> int:
        if not into_file or model not in many:
            return bulk.insert(model, rows[model], but_known=but_known)
        return _moved(model, list(rows[model]), but_known=but_known)

    with _attached(many) if into_file else contextlib.nullcontext():
        yield insert


def _moved(model: type[models.Model], names: list[str], *, but_known: bool) -> int:
    into = ", ".join(bulk.quoted(field.column) for field in bulk.fields_of(model, names))
    table = bulk.quoted(model._meta.db_table)
    again = " WHERE TRUE ON CONFLICT DO NOTHING" if but_known else ""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({into}) SELECT {into} FROM {_SCHEMA}.{table}{again}")  # noqa: S608 - model names
        return int(cursor.rowcount)


@contextlib.contextmanager
def _attached(rows: Mapping[type[models.Model], bulk.Columns]) -> Iterator[None]:
    """The rows as tables of an attached database that has no name on the disk any more."""
    path = _new_file()
    try:
        _write(path, rows)
        with connection.cursor() as cursor:
            cursor.execute(f"ATTACH DATABASE %s AS {_SCHEMA}", [str(path)])
    finally:
        path.unlink()
    held = connection.connection
    try:
        yield
    finally:
        if connection.connection is held:  # else it was closed, and the file with it
            with connection.cursor() as cursor:
                cursor.execute(f"DETACH DATABASE {_SCHEMA}")


def _new_file() -> Path:
    """An empty file beside the database that only its owner reads; what a dead process left goes."""
    database = Path(connection.settings_dict["NAME"])
    prefix = f"{database.name}.ready-"
    handle, name = mkstemp(prefix=prefix, dir=database.parent)
    os.close(handle)
    fresh = Path(name)
    for left in database.parent.glob(f"{prefix}*"):
        with contextlib.suppress(FileNotFoundError):  # another process was quicker
            if fresh.stat().st_mtime - left.stat().st_mtime > ABANDONED_AFTER:
                left.unlink()
    return fresh


def _write(path: Path, rows: Mapping[type[models.Model], bulk.Columns]) -> None:
    import adbc_driver_sqlite.dbapi as adbc

    with adbc.connect(str(path), autocommit=True) as file, file.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=OFF")
        cursor.execute("PRAGMA synchronous=OFF")  # it is read by this process or by nobody
        cursor.execute("BEGIN")
        for model, columns in rows.items():
            shaped = {field.column: _arrow(field, columns[field.name]) for field in bulk.fields_of(model, columns)}
            cursor.adbc_ingest(model._meta.db_table, pa.table(shaped), mode="create")
        cursor.execute("COMMIT")


def _arrow(field: models.Field[Any, Any], values: bulk.Values) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, (pa.Array, pa.ChunkedArray)) and not pa.types.is_null(values.type):
        return values
    kind = field.get_internal_type()
    if kind == "DateField":
        return pa.array(values, pa.date32())
    shaped = bulk.for_sqlite(field, values)
    if kind == "BinaryField":
        return pa.array(shaped, pa.binary())
    if kind == "BooleanField":
        return pa.array(shaped, pa.bool_())
    return pa.array(shaped, pa.int64() if "Integer" in kind or kind.endswith("AutoField") else pa.string())
