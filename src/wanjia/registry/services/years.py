"""The facts of an open year: found, or begun with what was last known of the household or person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from wanjia.registry.fields import FIELDS, YUAN, as_text, fields_of
from wanjia.registry.models import Household, HouseholdYear, Person, PersonYear
from wanjia.registry.services.rows import locked
from wanjia.registry.services.writing import Write
from wanjia.scope.models import ScopedModel

# What is collected anew each year, or true of one year's end only; everything else is carried into the next.
_COLLECTED = frozenset({
    *(field.id for field in fields_of(HouseholdYear) if field.unit is YUAN),
    "period_start", "period_end", "year_member_count",
    "year_household_category", "year_poverty_status", "year_main_cause",
})  # fmt: skip


def carried(model: type[models.Model]) -> tuple[str, ...]:
    """The fields of a yearly table that a new year begins with."""
    return tuple(field.id for field in fields_of(model) if field.id not in _COLLECTED)


def emptied(model: type[models.Model]) -> dict[str, Any]:
    """What the columns of a yearly table that are collected anew hold when a year begins."""
    collected = (field.column for field in fields_of(model) if field.id in _COLLECTED)
    return {column.name: None if column.null else "" for column in collected}


@dataclass(frozen=True, slots=True)
class OpenYear:
    """The row of the year that corrections go to, and what it was begun with, if it is new."""

    row: Any
    begun: Mapping[str, Write]


def open_person_years(people: Iterable[Person], homes: Mapping[int, Household]) -> dict[int, OpenYear]:
    """By person the row of his household's reporting year, or of a later one that is on record."""
    owners = [_Owner(one.pk, one.household_no, one.village_code, homes[one.household_no].year) for one in people]
    return _open_years(PersonYear, "person_no", owners)


def open_household_years(homes: Iterable[Household]) -> dict[int, OpenYear]:
    """By household the row of its reporting year, or of a later one that is on record."""
    return _open_years(
        HouseholdYear, "household_no", [_Owner(one.pk, one.pk, one.village_code, one.year) for one in homes]
    )


@dataclass(frozen=True, slots=True)
class _Owner:
    number: int
    household_no: int
    village_code: str
    year: int

    @property
    def columns(self) -> dict[str, Any]:
        return {"household_no": self.household_no, "year": self.year, "village_code": self.village_code}


def _open_years(model: type[ScopedModel], key: str, owners: Iterable[_Owner]) -> dict[int, OpenYear]:
    """A year without a row is begun with the facts of the year before.

    So an earlier year stays as it was reported, and nothing that was known is lost by correcting one value.
    """
    known: dict[int, Any] = {}
    by_number = {owner.number: owner for owner in owners}
    rows = model._base_manager.filter(**{f"{key}__in": list(by_number)})
    for row in locked(rows.order_by("year")):
        known[getattr(row, key)] = row
    missing = [owner for number, owner in by_number.items() if number not in known or known[number].year < owner.year]
    begun = [model(**owner.columns | {key: owner.number}) for owner in missing]
    created: dict[int, Any] = {getattr(row, key): row for row in model._base_manager.bulk_create(begun)}
    new = {number: OpenYear(row, _beginning(row, known.get(number))) for number, row in created.items()}
    return {number: new.get(number) or OpenYear(known[number], {}) for number in by_number}


def _beginning(row: HouseholdYear | PersonYear, known: HouseholdYear | PersonYear | None) -> dict[str, Write]:
    if known is None:
        return {}
    values = {name: getattr(known, FIELDS[name].name) for name in carried(type(row))}
    return {
        name: Write(
            field=FIELDS[name],
            row=row.pk,
            household_no=row.household_no,
            person_no=getattr(row, "person_no", None),
            village_code=row.village_code,
            old="",
            new=value,
            year=row.year,
        )
        for name, value in values.items()
        if as_text(value)
    }
