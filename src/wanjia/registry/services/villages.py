"""The yearly records of villages and hamlets (domain.md §4.7): a year of an area at a time, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from wanjia.audit.services import JSON, Kind, common_area, record
from wanjia.divisions.queries import gazetteer
from wanjia.kernel.errors import Sentence
from wanjia.registry.errors import ValueNotAccepted, YearSealedAlready
from wanjia.registry.fields import Field, as_text, fields_of
from wanjia.registry.models import HamletYear, ReportingYear, VillageYear
from wanjia.scope import bulk
from wanjia.scope.bulk import pieces
from wanjia.scope.errors import NotAllowed
from wanjia.scope.viewer import Viewer

HAMLET_DIGITS = 3
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A record that was not taken in: which table, its place from 0, and why."""

    table: str
    row: int
    reason: Sentence


@dataclass(frozen=True, slots=True)
class VillagesLoaded:
    """What was taken in. Every record is counted or stands in `rejected`."""

    villages: int
    hamlets: int
    rejected: tuple[RejectedRow, ...]


@transaction.atomic
def load_villages(
    *, viewer: Viewer, year: int, villages: Sequence[Row], hamlets: Sequence[Row] = (), source: str = ""
) -> VillagesLoaded:
    """Take in the records of a year; a village's record replaces the one it had, its hamlets' likewise.

    Rows name the model's fields, in the units they are stored in or as people write them (texts), and
    `village_code`. Hamlets are numbered in the order given. Raises NotAllowed unless the viewer may do
    `registry.write` throughout the area, and YearSealedAlready.
    """
    known = ReportingYear.objects.select_for_update().filter(year=year).first()  # a sealing of it waits, or we do
    if known is not None and known.is_sealed:
        raise YearSealedAlready(year=year)
    rejected: list[RejectedRow] = []
    taken = _accepted("villages", VillageYear, villages, rejected)
    of_hamlets = _accepted("hamlets", HamletYear, hamlets, rejected)
    area = common_area([row["village_code"] for row in (*taken, *of_hamlets)])
    if (taken or of_hamlets) and not viewer.may_throughout("registry.write", area):
        raise NotAllowed(action="registry.write")
    for village, rows in _by_village(of_hamlets).items():
        for place, row in enumerate(rows, start=1):
            row["hamlet_code"] = f"{village}{place:0{HAMLET_DIGITS}d}"
    _replaced(VillageYear, year, taken)
    _replaced(HamletYear, year, of_hamlets)
    if taken or of_hamlets:
        content: dict[str, JSON] = {
            "year": year,
            "source": source,
            "villages": len(taken),
            "hamlets": len(of_hamlets),
            "rejected": len(rejected),
            "digest": _digest(taken, of_hamlets),
        }
        record(Kind.LOAD, viewer=viewer, area=area, act="registry.load_villages", content=content)
    return VillagesLoaded(len(taken), len(of_hamlets), tuple(rejected))


def _accepted(
    table: str, model: type[models.Model], rows: Sequence[Row], rejected: list[RejectedRow]
) -> list[dict[str, Any]]:
    """The rows as they are stored; whatever does not fit is listed instead."""
    declared = {field.name: field for field in fields_of(model)}
    places, seen, taken = gazetteer().places, set[tuple[str, str]](), list[dict[str, Any]]()
    for number, row in enumerate(rows):
        village = str(row.get("village_code", ""))
        key = (village, str(row.get("name", "")) if table == "hamlets" else "")
        problem = None
        if village not in places or places[village].level != "village":
            problem = Sentence("行政村代码不存在", "there is no village of that code")
        elif key in seen:
            problem = Sentence("同一村（屯）重复", "the village or hamlet is there twice")
        elif table == "hamlets" and not key[1]:
            problem = Sentence("缺少屯名", "the hamlet has no name")
        values: dict[str, Any] = {"village_code": village}
        if problem is None:
            problem = _read(declared, row, values)
        if problem is not None:
            rejected.append(RejectedRow(table, number, problem))
            continue
        seen.add(key)
        taken.append(values)
    return taken


def _read(declared: Mapping[str, Field], row: Row, values: dict[str, Any]) -> Sentence | None:
    """Put the row's values into `values`; what is wrong with the first that does not fit."""
    for name, field in declared.items():
        try:
            values[name] = field.parse(row.get(name))
        except ValueNotAccepted as refusal:
            return Sentence(*refusal.sentences("zh")[:1], *refusal.sentences("en")[:1])
    return None


def _by_village(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["village_code"], []).append(row)
    return found


def _replaced(model: type[VillageYear | HamletYear], year: int, rows: Sequence[Row]) -> None:
    for some in pieces(sorted({row["village_code"] for row in rows})):
        model._base_manager.filter(year=year, village_code__in=some).delete()
    if rows:
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in rows[0]}
        bulk.insert(model, {**columns, "year": [year] * len(rows)})


def _digest(*tables: Sequence[Row]) -> str:
    """One digest over every value taken in, which the entry holds."""
    told = [[[name, as_text(value)] for name, value in sorted(row.items())] for rows in tables for row in rows]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
