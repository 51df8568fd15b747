"""Declared columns: the few types that mean the same in Parquet, DuckDB and Spark.

No floating point (money is integer fen, shares are computed when shown), and no HUGEINT: DuckDB
writes that to Parquet as DOUBLE, which once turned village codes into `450102100200.0`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pyarrow as pa


class Type(StrEnum):
    """The type of a declared column."""

    BOOLEAN = "boolean"
    INTEGER = "integer"  # 32 bits
    BIGINT = "bigint"  # 64 bits
    TEXT = "text"
    DATE = "date"

    @property
    def arrow(self) -> pa.DataType:
        return _ARROW[self]

    @property
    def sql(self) -> str:
        """The type's name in DuckDB."""
        return "VARCHAR" if self is Type.TEXT else self.value.upper()


_ARROW: dict[Type, pa.DataType] = {
    Type.BOOLEAN: pa.bool_(),
    Type.INTEGER: pa.int32(),
    Type.BIGINT: pa.int64(),
    Type.TEXT: pa.string(),
    Type.DATE: pa.date32(),
}

Columns = Mapping[str, Type]


def arrow_schema(columns: Columns) -> pa.Schema:
    """The Arrow schema of declared columns."""
    return pa.schema([(name, kind.arrow) for name, kind in columns.items()])
