"""A sealed year in the lake: its files, its index, and what is read from it.

    registry/sealed=2020,<try>/     households, persons, memberships, relocations, household_years,
                                    person_years, village_years, hamlet_years (.parquet)
    serving/registry-year@2020,<try>.sqlite
                                    household_year by household, person_year by household and
                                    person, village_count by village

The few records of villages and hamlets are read from their files, which lie in their order.

Encrypted values (numbers, phones, accounts) are in neither: their ciphertext is bound to a row of
the database, where it stays, and a file that never changes could follow neither a change of keys
nor an erasure.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import models

from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.lake import Columns, Lake, Type, serving
from wanjia.registry.choices import HEAD, IN_HOUSEHOLD
from wanjia.registry.models import (
    HamletYear,
    Household,
    HouseholdYear,
    Membership,
    Person,
    PersonYear,
    Relocation,
    VillageYear,
)
from wanjia.scope.areas import AreaRange
from wanjia.scope.fields import EncryptedTextField
from wanjia.scope.stores import lake

PREFIX = "sealed="
SERVING = "registry-year@"
_KINDS: Mapping[str, Type] = {
    "CharField": Type.TEXT,
    "BooleanField": Type.BOOLEAN,
    "DateField": Type.DATE,
    "BigIntegerField": Type.BIGINT,
    "IntegerField": Type.INTEGER,
    "PositiveIntegerField": Type.INTEGER,
    "PositiveSmallIntegerField": Type.INTEGER,
}


def columns_of(model: type[models.Model]) -> Columns:
    """The columns of a table as sealed files hold them: all but encrypted ones and the table's own row numbers."""
    return {
        str(field.column): _KINDS[field.get_internal_type()]
        for field in model._meta.concrete_fields
        if not isinstance(field, EncryptedTextField) and field.get_internal_type() != "BigAutoField"
    }


FILES: Mapping[str, type[models.Model]] = {
    "households": Household,
    "persons": Person,
    "memberships": Membership,
    "relocations": Relocation,
    "household_years": HouseholdYear,
    "person_years": PersonYear,
    "village_years": VillageYear,
    "hamlet_years": HamletYear,
}

_FACTS = {name: kind for name, kind in columns_of(PersonYear).items() if name not in columns_of(Membership)}
_PERSON: Columns = {
    "household_no": Type.INTEGER,
    "person_no": Type.INTEGER,
    "village_code": Type.TEXT,
    "name": Type.TEXT,
    "sex": Type.TEXT,
    "birth_date": Type.DATE,
    "relation": Type.TEXT,
    "member_status": Type.TEXT,
    "is_head": Type.BOOLEAN,
    "has_facts": Type.BOOLEAN,
    **_FACTS,
}
_COUNT: Columns = {
    "village_code": Type.TEXT,
    "poverty_status": Type.TEXT,
    "households": Type.INTEGER,
    "persons": Type.INTEGER,
}
HOUSEHOLD_YEAR = serving.ServingTable("household_year", columns_of(HouseholdYear), key=("household_no",))
PERSON_YEAR = serving.ServingTable("person_year", _PERSON, key=("household_no", "person_no"), indexes=(("person_no",),))
VILLAGE_COUNT = serving.ServingTable("village_count", _COUNT, key=("village_code", "poverty_status"))


def address_of(year: int, attempt: UUID) -> str:
    """Where in the lake one try to seal the year puts its files; which try counts, the reporting year says."""
    return f"registry/{PREFIX}{year},{attempt.hex}"


def address_of_index(year: int, attempt: UUID) -> str:
    """The index beside them."""
    return f"serving/{SERVING}{year},{attempt.hex}.sqlite"


def build_index(store: Lake, files: str, target: str, facts: dict[str, str], *, collected: bool) -> None:
    """Make the index of a sealed year from its files.

    `collected` counts members as they were when the year's facts were collected, for a year whose
    households are no longer as they were; else as they stand.
    """
    counts = _COUNTS_COLLECTED if collected else _COUNTS
    with store.publishing_file(target) as path:
        engine = DuckDB(spill=path.parent / "spill")

        def rows(step: Step) -> Iterator[pa.RecordBatch]:
            sources = [
                Source(name, (store.path(files, f"{name}.parquet"),), columns_of(FILES[name])) for name in step.reads
            ]
            return engine.batches(Pipeline(sources, [step]))

        tables = [(HOUSEHOLD_YEAR, rows(_HOUSEHOLDS)), (PERSON_YEAR, rows(_PEOPLE)), (VILLAGE_COUNT, rows(counts))]
        serving.build(path, tables, facts)


_HOUSEHOLDS = Step(
    name="records",
    question="The records of the year by household.",
    sql="select * from {household_years} order by household_no",
    reads=("household_years",),
)
_PRESENT = ", ".join(f"'{status}'" for status in sorted(IN_HOUSEHOLD))
_PEOPLE = Step(
    name="people",
    question="Who belonged to each household, and what is recorded of him?",
    sql=f"""
    select coalesce(y.household_no, p.household_no) as household_no, p.person_no,
           coalesce(y.village_code, p.village_code) as village_code, p.name, p.sex, p.birth_date,
           m.relation, m.member_status,
           coalesce(m.relation = '{HEAD}' and m.member_status in ({_PRESENT}), false) as is_head,
           y.person_no is not null as has_facts, {", ".join(f"y.{name}" for name in _FACTS)}
    from {{persons}} p
    left join (select * from {{memberships}} where latest) m on m.person_no = p.person_no
    left join {{person_years}} y on y.person_no = p.person_no
    order by 1, 2
    """,  # noqa: S608 - declared names
    reads=("persons", "memberships", "person_years"),
)


def _counting(members: str) -> Step:
    return Step(
        name="counts",
        question="How many households and members has each village, by poverty status?",
        sql=f"""
    select h.village_code, h.poverty_status, cast(count(*) as integer) as households,
               cast(coalesce(sum({members}), 0) as integer) as persons
    from {{household_years}} h left join (
        select household_no, count(*) as n from {{memberships}}
        where latest and member_status in ({_PRESENT}) group by household_no
    ) m on m.household_no = h.household_no
    group by all order by 1, 2
    """,  # noqa: S608 - our own codes
        reads=("household_years", "memberships"),
    )


_COUNTS, _COUNTS_COLLECTED = _counting("m.n"), _counting("coalesce(h.member_count, m.n)")


def household_of(index: str, household_no: int) -> HouseholdYear | None:
    """The record of one household as it was published; None if the year has none."""
    with _opened(index) as found:
        row = found.execute("SELECT * FROM household_year WHERE household_no = ?", [household_no]).fetchone()
    return None if row is None else HouseholdYear(**_values(HouseholdYear, row))


def people_of(index: str, household_no: int) -> list[dict[str, Any]]:
    """Who belonged to the household as it was published, by number; `facts` a PersonYear or None."""
    with _opened(index) as found:
        rows = found.execute("SELECT * FROM person_year WHERE household_no = ? ORDER BY person_no", [household_no])
        return [_person(row) for row in rows]


def person_of(index: str, person_no: int) -> PersonYear | None:
    """The facts of one person as they were published; begun empty if he belonged to a household and had none."""
    with _opened(index) as found:
        row = found.execute("SELECT * FROM person_year WHERE person_no = ?", [person_no]).fetchone()
    if row is None:
        return None
    if row["has_facts"]:
        return PersonYear(**_values(PersonYear, row))
    return PersonYear(**{name: row[name] for name in ("person_no", "household_no", "village_code")})


def counts_of(index: str, ranges: Iterable[AreaRange]) -> dict[str, tuple[int, int]]:
    """Households and members by poverty status in the ranges, which do not overlap."""
    totals: dict[str, tuple[int, int]] = {}
    with _opened(index) as found:
        for area in ranges:
            rows = found.execute(
                "SELECT poverty_status, sum(households), sum(persons) FROM village_count"
                " WHERE village_code >= ? AND (? IS NULL OR village_code < ?) GROUP BY poverty_status",
                [area.lo, area.hi, area.hi],
            )
            for status, households, persons in rows:
                earlier = totals.get(status, (0, 0))
                totals[status] = (earlier[0] + households, earlier[1] + persons)
    return totals


def villages_of(address: str, area: AreaRange) -> list[VillageYear]:
    """The records of the villages of an area as they were published, in their order. One read of the year's file."""
    return [VillageYear(**row) for row in _places(address, "village_years", area)]


def hamlets_of(address: str, village_code: str) -> list[HamletYear]:
    """The hamlets of a village as they were published."""
    return [HamletYear(**row) for row in _places(address, "hamlet_years", AreaRange.of(village_code))]


def _places(address: str, name: str, area: AreaRange) -> list[dict[str, Any]]:
    wanted = [("village_code", ">=", area.lo)] + ([] if area.hi is None else [("village_code", "<", area.hi)])
    found: list[dict[str, Any]] = pq.read_table(lake().path(address, f"{name}.parquet"), filters=wanted).to_pylist()
    return found


def _opened(index: str) -> closing[sqlite3.Connection]:
    return closing(serving.connect(lake().path(index)))


def _person(row: sqlite3.Row) -> dict[str, Any]:
    facts = None
    if row["has_facts"]:
        facts = PersonYear(**_values(PersonYear, row))
    shown = {name: row[name] for name in ("person_no", "village_code", "name", "sex", "relation", "member_status")}
    born = row["birth_date"]
    return {
        **shown,
        "birth_date": None if born is None else date.fromisoformat(born),
        "is_head": bool(row["is_head"]),
        "facts": facts,
    }


def _values(model: type[models.Model], row: sqlite3.Row) -> dict[str, Any]:
    kinds = columns_of(model)
    return {name: _value(kinds[name], row[name]) for name in kinds}


def _value(kind: Type, stored: Any) -> Any:
    if stored is None:
        return None
    if kind is Type.BOOLEAN:
        return bool(stored)
    return date.fromisoformat(stored) if kind is Type.DATE else stored
