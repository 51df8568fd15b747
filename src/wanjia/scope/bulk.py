"""Set-based writing on both databases, inside Django's own transaction.

Columns go in whole. On PostgreSQL they are copied into a temporary table (COPY straight into a
table under row-level security is refused) and moved from there; on SQLite `executemany` into
the table itself is already the fastest way on a connection that holds a transaction. Prepare
everything that costs time (encryption, digests) before the transaction begins: on SQLite it
holds the one write lock.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.csv as pa_csv
from django.db import connection, models

Values: TypeAlias = "Sequence[Any] | pa.Array | pa.ChunkedArray"
Columns: TypeAlias = Mapping[str, Values]

_STAGED = "wanjia_staged"
FEW = 20  # rows that are not worth a table of their own
NUMBERS_AT_ONCE = 5_000  # in one IN (…)

T = TypeVar("T")


def pieces(items: Sequence[T], size: int = NUMBERS_AT_ONCE) -> Iterator[Sequence[T]]:
    """`items` in pieces a query can name."""
    return (items[at : at + size] for at in range(0, len(items), size))


def insert(model: type[models.Model], columns: Columns, *, but_known: bool = False) -> int:
    """Insert rows given as columns by field name; columns left out take the database's NULL or number.

    Raises IntegrityError as any insert does, unless rows that stand there already are passed over (`but_known`).
    Needs a transaction to be open.
    """
    count = length_of(columns)
    if not count:
        return 0
    fields = fields_of(model, columns)
    into = ", ".join(quoted(field.column) for field in fields)
    table = quoted(model._meta.db_table)
    again = " ON CONFLICT DO NOTHING" if but_known else ""
    if connection.vendor == "sqlite" or count < FEW:
        marks = ", ".join(["%s"] * len(fields))
        _execute_many(f"INSERT INTO {table} ({into}) VALUES ({marks}){again}", fields, columns)  # noqa: S608 - model names
        return count
    with _staged(fields, columns), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({into}) SELECT {into} FROM {_STAGED}{again}")  # noqa: S608 - model names
    return count


def numbers(model: type[models.Model], count: int) -> list[int]:
    """Primary keys for so many rows about to be inserted, ascending, given to nobody else.

    Needs a transaction to be open: on SQLite it is its write lock that keeps others from the same numbers.
    """
    key, table = model._meta.pk, model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
            cursor.execute(sequence, [quoted(table), key.column, count])
            return sorted(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
    return list(range(last + 1, last + 1 + count))


def update(model: type[models.Model], key: str, columns: Columns) -> int:
    """Set the other columns on the rows whose field `key` equals it; returns how many rows were met.

    Values of `key` are unique in `columns`. One statement whatever the number of rows.
    """
    if not length_of(columns):
        return 0
    fields = fields_of(model, columns)
    key_column = quoted(model._meta.get_field(key).column)  # type: ignore[union-attr]
    table = quoted(model._meta.db_table)
    changed = ", ".join(
        f"{quoted(field.column)} = {_STAGED}.{quoted(field.column)}" for field in fields if field.name != key
    )
    with _staged(fields, columns), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {changed} FROM {_STAGED} WHERE {table}.{key_column} = {_STAGED}.{key_column}"  # noqa: S608 - model names
        )
        return int(cursor.rowcount)


@contextmanager
def _staged(fields: Sequence[models.Field[Any, Any]], columns: Columns) -> Iterator[None]:
    """A temporary table holding the columns, for one statement."""
    described = ", ".join(f"{quoted(field.column)} {field.rel_db_type(connection)}" for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {_STAGED} ({described})")
        try:
            if connection.vendor == "sqlite":
                marks = ", ".join(["%s"] * len(fields))
                _execute_many(f"INSERT INTO {_STAGED} VALUES ({marks})", fields, columns)  # noqa: S608 - our name
            else:
                _copy(cursor, fields, columns)
            yield
        finally:
            if connection.vendor == "sqlite" or not _broken():
                cursor.execute(f"DROP TABLE {_STAGED}")


def _broken() -> bool:
    """Whether an error has already doomed PostgreSQL's transaction, which then takes the table with it."""
    from psycopg.pq import TransactionStatus

    return bool(connection.connection.info.transaction_status == TransactionStatus.INERROR)


def _execute_many(sql: str, fields: Sequence[models.Field[Any, Any]], columns: Columns) -> None:
    shaped = for_sqlite if connection.vendor == "sqlite" else _for_psycopg
    lists = [shaped(field, columns[field.name]) for field in fields]
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(zip(*lists, strict=True)))


def for_sqlite(field: models.Field[Any, Any], values: Values) -> Sequence[Any]:
    plain = _plain(values)
    kind = field.get_internal_type()
    if kind == "UUIDField":
        return [None if value is None else value.hex for value in plain]
    if kind == "DateField":
        return [None if value is None else value.isoformat() for value in plain]
    if kind == "DateTimeField":
        return [None if value is None else _naive(value) for value in plain]
    if kind == "JSONField":
        return _as_json(plain)
    return plain


def _for_psycopg(field: models.Field[Any, Any], values: Values) -> Sequence[Any]:
    plain = _plain(values)
    return _as_json(plain) if field.get_internal_type() == "JSONField" else plain


def _as_json(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else json.dumps(value) for value in values]


def _naive(value: datetime) -> str:
    """An instant as Django writes it into SQLite: UTC without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _copy(cursor: Any, fields: Sequence[models.Field[Any, Any]], columns: Columns) -> None:
    table = pa.table({field.name: _for_copy(field, columns[field.name]) for field in fields})
    buffer = io.BytesIO()
    # Arrow writes null as nothing and the empty text as "", which is how COPY tells them apart.
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(include_header=False, quoting_style="needed"))
    with cursor.copy(f"COPY {_STAGED} FROM STDIN (FORMAT csv)") as copy:
        copy.write(buffer.getbuffer())


def _for_copy(field: models.Field[Any, Any], values: Values) -> pa.Array | pa.ChunkedArray:
    kind = field.get_internal_type()
    if kind == "BinaryField":
        return pa.array([None if value is None else f"\\x{value.hex()}" for value in _plain(values)], pa.string())
    if kind == "UUIDField":
        return pa.array([None if value is None else str(value) for value in _plain(values)], pa.string())
    if kind == "DateTimeField":
        plain = _plain(values)
        written = {value: None if value is None else value.isoformat() for value in set(plain)}  # often one for all
        return pa.array([written[value] for value in plain], pa.string())
    if kind == "JSONField":
        return pa.array(_as_json(_plain(values)), pa.string())
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    return pa.array(values, pa.string()) if kind in {"CharField", "TextField"} else pa.array(values)


def _plain(values: Values) -> Sequence[Any]:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        plain: list[Any] = values.to_pylist()
        return plain
    return values


def fields_of(model: type[models.Model], columns: Iterable[str]) -> list[models.Field[Any, Any]]:
    return [model._meta.get_field(name) for name in columns]  # type: ignore[misc]


def length_of(columns: Columns) -> int:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    return lengths.pop()


def quoted(name: str | None) -> str:
    assert name  # noqa: S101 - a field that is stored has a column
    return connection.ops.quote_name(name)
