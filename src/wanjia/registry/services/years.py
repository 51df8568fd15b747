"""The facts of a person's open year: found, or begun with what was last known of him."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from wanjia.registry.fields import FIELDS, as_text
from wanjia.registry.models import Household, Person, PersonYear
from wanjia.registry.services.rows import locked
from wanjia.registry.services.writing import Write

CARRIED = tuple(name for name, field in FIELDS.items() if field.of_year)


@dataclass(frozen=True, slots=True)
class OpenYear:
    """A person's row of the year that corrections go to, and what it was begun with, if it is new."""

    row: PersonYear
    begun: Mapping[str, Write]


def open_years(people: Collection[Person], homes: Mapping[int, Household]) -> dict[int, OpenYear]:
    """By person the row of his household's reporting year, or of a later one that is on record.

    A year without a row is begun with the facts of the year before: an earlier year stays as it
    was reported, and nothing that was known is lost by correcting one value.
    """
    latest: dict[int, PersonYear] = {}
    rows = PersonYear._base_manager.filter(person_no__in=[person.pk for person in people])
    for row in locked(rows.order_by("year")):
        latest[row.person_no] = row
    found = {}
    for person in people:
        known, year = latest.get(person.pk), homes[person.household_no].year
        if known is not None and known.year >= year:
            found[person.pk] = OpenYear(known, {})
        else:
            found[person.pk] = _begun(person, year, known)
    return found


def _begun(person: Person, year: int, known: PersonYear | None) -> OpenYear:
    row = PersonYear._base_manager.create(
        person_no=person.pk, household_no=person.household_no, year=year, village_code=person.village_code
    )
    carried = {name: getattr(known, name) for name in CARRIED} if known is not None else {}
    begun = {
        name: Write(
            field=FIELDS[name],
            row=row.pk,
            household_no=row.household_no,
            person_no=row.person_no,
            village_code=row.village_code,
            old="",
            new=value,
            year=year,
        )
        for name, value in carried.items()
        if as_text(value)
    }
    return OpenYear(row, begun)
