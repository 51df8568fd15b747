"""Parquet with declared columns: what does not fit is refused, never silently changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wanjia.lake.columns import Columns, arrow_schema
from wanjia.lake.errors import SchemaMismatch

ROW_GROUP = 122_880
SORTED_ROW_GROUP = 30_720  # smaller groups let a sorted file be pruned by area or person


def write(
    path: Path, rows: pa.Table | Iterable[pa.RecordBatch], columns: Columns, *, row_group: int = ROW_GROUP
) -> int:
    """Write rows as zstd Parquet with exactly the declared columns; returns how many.

    Values are cast without loss. Raises SchemaMismatch for a missing, surplus or ill-typed
    column, before anything of the batch concerned is written.
    """
    schema = arrow_schema(columns)
    tables = [rows] if isinstance(rows, pa.Table) else (pa.Table.from_batches([batch]) for batch in rows)
    written = 0
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True) as writer:
        for table in tables:
            fitted = fit(table, columns)
            writer.write_table(fitted, row_group_size=row_group)
            written += fitted.num_rows
    return written


def fit(table: pa.Table, columns: Columns) -> pa.Table:
    """The table with the declared columns in their order, cast without loss. Raises SchemaMismatch."""
    for name in table.column_names:
        if name not in columns:
            raise SchemaMismatch(column=name, declared="–", found=str(table.schema.field(name).type))
    for name, kind in columns.items():
        if name not in table.column_names:
            raise SchemaMismatch(column=name, declared=kind.value, found="–")
    arrays = [_cast(name, table[name], kind.arrow) for name, kind in columns.items()]
    return pa.Table.from_arrays(arrays, schema=arrow_schema(columns))


def check(path: Path, columns: Columns) -> None:
    """Refuse a Parquet file whose columns differ from the declared ones, which may be a part of it."""
    found = pq.read_schema(path)
    for name, kind in columns.items():
        index = found.get_field_index(name)
        if index < 0:
            raise SchemaMismatch(column=name, declared=kind.value, found="–")
        actual = found.field(index).type
        if _value_type(actual) != kind.arrow:
            raise SchemaMismatch(column=name, declared=kind.value, found=str(actual))


def _value_type(kind: pa.DataType) -> pa.DataType:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(value) or pa.types.is_string_view(value) else value


def _cast(name: str, values: pa.ChunkedArray[Any], wanted: pa.DataType) -> pa.ChunkedArray[Any]:
    found = values.type
    if found == wanted:
        return values
    if not _may_become(_value_type(found), wanted):
        raise SchemaMismatch(column=name, declared=str(wanted), found=str(found))
    try:
        return pc.cast(values, wanted, safe=True)
    except pa.ArrowInvalid:
        raise SchemaMismatch(column=name, declared=str(wanted), found=f"{found}: value out of range") from None


def _may_become(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whole numbers become whole numbers (a HUGEINT arrives as decimal without digits after the point)."""
    if pa.types.is_null(found) or found == wanted:
        return True
    whole = pa.types.is_integer(found) or (pa.types.is_decimal(found) and found.scale == 0)
    return bool(whole and pa.types.is_integer(wanted))
