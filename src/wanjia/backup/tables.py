"""What a table holds, as one digest that is the same on SQLite and on PostgreSQL.

A row becomes a JSON array of canonical values, rows are taken in the order of their key, and the
digest is SHA-256 over the lines. Which columns there are, of which kind and in which order the
rows come stands beside the digest, so that a later program, whose own tables have moved on,
computes it again from the old ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.migrations.recorder import MigrationRecorder

UNSAVED = frozenset({"django_session"})  # whoever held a session signs in again; its key would be a secret


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns (name → kind, by name), its order, and, once read, how many rows and which digest."""

    name: str
    columns: dict[str, str]
    order: tuple[str, ...]
    rows: int = 0
    digest: str = ""


class Reader(Protocol):
    """A database at one instant."""

    def rows(self, table: Table) -> Iterator[Sequence[Any]]:
        """The table's columns, rows in its order, text compared byte by byte."""


def known_tables() -> list[Table]:
    """Every table of this program that is saved, as it should be; not yet read."""
    found = {}
    kinds: list[type[models.Model]] = [*apps.get_models(include_auto_created=True), MigrationRecorder.Migration]
    for model in kinds:
        meta = model._meta
        if not meta.managed or meta.proxy or meta.db_table in UNSAVED:
            continue
        columns = {str(field.column): _kind(field) for field in meta.concrete_fields}
        order: tuple[str, ...] = (str(meta.pk.column),)
        if meta.db_table == MigrationRecorder.Migration._meta.db_table:
            columns, order = {"app": "text", "name": "text"}, ("app", "name")  # not when they ran
        found[meta.db_table] = Table(meta.db_table, dict(sorted(columns.items())), order)
    return [found[name] for name in sorted(found)]


def read(table: Table, reader: Reader, tell: Callable[[int], None] = lambda _: None) -> Table:
    """The table with its rows counted and digested; `tell` hears of every thousand rows or so."""
    converters = [CANONICAL.get(kind) for kind in table.columns.values()]
    places = [place for place, converter in enumerate(converters) if converter is not None]
    digest, count = hashlib.sha256(), 0
    lines: list[str] = []
    for row in reader.rows(table):
        values = list(row)
        for place in places:
            if values[place] is not None:
                values[place] = converters[place](values[place])  # type: ignore[misc]
        lines.append(_line(values))
        if len(lines) == _CHUNK:
            digest.update("".join(lines).encode())
            tell(_CHUNK)
            count += _CHUNK
            lines.clear()
    digest.update("".join(lines).encode())
    tell(len(lines))
    return replace(table, rows=count + len(lines), digest=digest.hexdigest())


def digest_of(tables: Iterable[Table]) -> str:
    """One digest over all tables."""
    lines = sorted(f"{table.name} {table.rows} {table.digest}\n" for table in tables)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


_CHUNK = 2_000
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def _line(values: list[Any]) -> str:
    return _ENCODER.encode(values) + "\n"


def _kind(field: models.Field[Any, Any]) -> str:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    for kind, name in _KINDS:
        if isinstance(field, kind):
            return name
    return "number" if isinstance(field, (models.IntegerField, models.AutoField)) else "text"


_KINDS: tuple[tuple[type[models.Field[Any, Any]], str], ...] = (
    (models.BooleanField, "truth"),
    (models.DateTimeField, "instant"),
    (models.DateField, "day"),
    (models.DecimalField, "decimal"),
    (models.FloatField, "real"),
    (models.JSONField, "json"),
    (models.BinaryField, "bytes"),
    (models.UUIDField, "uuid"),
    (models.GenericIPAddressField, "address"),
)


def _instant(value: str | datetime) -> str:
    """UTC without saying so, as SQLite keeps it."""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    if instant.tzinfo is not None:
        instant = instant.astimezone(UTC).replace(tzinfo=None)
    return instant.isoformat(" ")


def _day(value: str | date) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _decimal(value: float | str | Decimal) -> str:
    """Without the zeros behind the point, which SQLite does not keep."""
    return format(Decimal(str(value)).normalize(), "f")


def _json(value: str) -> str:
    return json.dumps(json.loads(value, parse_float=_number), ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _number(text: str) -> int | float:
    """A number of a JSON text: PostgreSQL writes 1e2 as 100, and both are this number."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _uuid(value: str | UUID) -> str:
    return value.hex if isinstance(value, UUID) else value.replace("-", "")


CANONICAL: dict[str, Callable[[Any], object]] = {
    "truth": bool,
    "instant": _instant,
    "day": _day,
    "decimal": _decimal,
    "real": float,
    "json": _json,
    "bytes": lambda value: bytes(value).hex(),
    "uuid": _uuid,
    "address": str,
}
