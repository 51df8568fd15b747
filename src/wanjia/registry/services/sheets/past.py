"""A sheet of a sealed year, from its files, as published or with what was corrected since.

Numbers, phones and accounts are not in the files (`registry.sealed`): they are those that stand today, of whoever the
viewer may still export. An earlier year's households and people are those of the day it was sealed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import models

from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.registry import sealed
from wanjia.registry.choices import HEAD, IN_HOUSEHOLD, AsOf, SheetKind, Standing
from wanjia.registry.models import (
    Household,
    HouseholdYear,
    Membership,
    Person,
    PersonYear,
    Relocation,
    ReportingYear,
    YearCorrection,
)
from wanjia.registry.queries import overlay_on
from wanjia.registry.services.sheets.columns import sheet
from wanjia.registry.services.sheets.pieces import EXPORT, PIECE, REVEAL, Piece, Wanted, opened, protected_of
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import ScopedModel
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer

COUNTY = 6  # one at a time, so that what is sorted fits into memory
_PRESENT = ", ".join(f"'{status}'" for status in sorted(IN_HOUSEHOLD))
# The year's households: with a record, and then live or with a status of the year; removed in it they have neither.
_OF_YEAR = f"(h.standing = '{Standing.LIVE.value}' or y.poverty_status <> '')"
_STANDING = ("household_category", "poverty_status", "main_cause")
_HOMES: Mapping[str, type[models.Model]] = {"h": Household, "y": HouseholdYear, "r": Relocation}
_PEOPLE: Mapping[str, type[models.Model]] = {"h": Household, "m": Membership, "p": Person, "f": PersonYear}


class Past:
    """The households of a sealed year in village order; cut by where each record lay, as every reading of it is."""

    def __init__(self, viewer: Viewer, wanted: Wanted, year: ReportingYear) -> None:
        self._viewer, self._wanted, self._year = viewer, wanted, year
        self._homes = wanted.kind == SheetKind.HOUSEHOLDS

    def count(self) -> int:
        """How many rows the sheet has."""
        [row] = self._rows("count(*) as n", self._tables(self._where()), 1)
        return int(row["n"])

    def pieces(self) -> Iterator[Piece]:
        """A stretch of rows at a time; a household's people may stand in two of them."""
        county = f"left(y.village_code, {COUNTY})"
        counties = self._rows(f"distinct {county} as county", f"{self._tables(self._where())} order by 1", PIECE)
        for found in [str(row["county"]) for row in counties]:
            yield from self._county(found)

    def _county(self, county: str) -> Iterator[Piece]:
        of = _HOMES if self._homes else _PEOPLE
        columns = [
            f"{alias}.{name} as {alias}_{name}" for alias, model in of.items() for name in sealed.columns_of(model)
        ]
        told = "y.village_code as village_code, hd.name as head_name, hd.national_person_no as head_national_no"
        told += "".join(f", y.{name} as year_{name}" for name in _STANDING)
        order = "y.village_code, h.household_no" + ("" if self._homes else f", m.relation <> '{HEAD}', p.person_no")
        tables = self._tables(f"({self._where()}) and left(y.village_code, {COUNTY}) = '{county}'", heads=True)
        batch: list[dict[str, Any]] = []
        for row in self._rows(f"{', '.join(columns)}, {told}", f"{tables} order by {order}", PIECE):
            batch.append(row)
            if len(batch) == PIECE:
                yield self._piece(batch)
                batch = []
        if batch:
            yield self._piece(batch)

    def _tables(self, where: str, *, heads: bool = False) -> str:
        found = "{household_years} y join {households} h on h.household_no = y.household_no"
        if self._homes:
            found += " left join {relocations} r on r.household_no = h.household_no"
        else:
            found += (
                " join {memberships} m on m.household_no = h.household_no and m.latest"
                f" and m.member_status in ({_PRESENT})"
                " join {persons} p on p.person_no = m.person_no left join {person_years} f on f.person_no = p.person_no"
            )
        if heads:
            found += " left join {persons} hd on hd.person_no = h.head_person_no"
        return f"{found} where {where}"

    def _rows(self, columns: str, source: str, size: int) -> Iterator[dict[str, Any]]:
        sql = f"select {columns} from {source}"  # noqa: S608 - declared columns, our own codes and digits
        names = tuple(name for name in sealed.FILES if f"{{{name}}}" in sql)
        sources = [
            Source(name, (lake().path(self._year.address, f"{name}.parquet"),), sealed.columns_of(sealed.FILES[name]))
            for name in names
        ]
        step = Step("sheet", "What stands in the sheet of the year?", sql, reads=names)
        for batch in DuckDB().batches(Pipeline(sources, [step]), size=size):
            yield from batch.to_pylist()

    def _where(self) -> str:
        """Where the viewer exports everybody, with whole numbers also reveals, within the area asked for."""
        wanted = [self._viewer.ranges(EXPORT)]
        if self._wanted.whole:
            wanted.append(self._viewer.ranges(REVEAL))
        if self._wanted.area:
            wanted.append((AreaRange.of(self._wanted.area),))
        return " and ".join([_OF_YEAR, *(_within(ranges) for ranges in wanted)])

    def _piece(self, rows: list[dict[str, Any]]) -> Piece:
        of = _HOMES if self._homes else _PEOPLE
        tables: dict[type[models.Model], dict[int, Any]] = {model: {} for model in of.values()}
        heads: dict[int, Person] = {}
        members: dict[int, list[int]] = defaultdict(list)
        standing: dict[int, HouseholdYear] = {}
        for row in rows:
            number = row["h_household_no"]
            for alias, model in of.items():
                key = number if alias in ("h", "y", "r") else row["m_person_no"]
                made = _made(model, alias, row)
                if made is not None:
                    tables[model].setdefault(key, made)
            if not self._homes:
                members[number].append(row["m_person_no"])
            home = tables[Household][number]
            home.village_code = row["village_code"]
            heads[home.head_person_no] = Person(
                person_no=home.head_person_no,
                name=row["head_name"] or "",
                national_person_no=row["head_national_no"] or "",
            )
            standing[number] = HouseholdYear(**{name: row[f"year_{name}"] for name in _STANDING})
        if self._wanted.as_of is AsOf.KNOWN:
            self._overlay(tables, standing)
        for number, year in standing.items():
            for name in _STANDING:
                setattr(
                    tables[Household][number], name, getattr(year, name) or getattr(tables[Household][number], name)
                )
        return Piece(list(tables[Household].values()), tables, heads, members, self._clear(tables, heads))

    def _overlay(self, tables: dict[type[models.Model], dict[int, Any]], standing: dict[int, HouseholdYear]) -> None:
        """Put over the rows what was corrected since."""
        rows = YearCorrection.objects.visible_to(self._viewer, EXPORT)
        told: dict[tuple[int, int | None], list[YearCorrection]] = defaultdict(list)
        for edit in rows.filter(year=self._year.year, household_no__in=list(standing)).order_by("id"):
            assert edit.household_no is not None  # noqa: S101 - as asked
            told[edit.household_no, edit.person_no].append(edit)
        for (number, person_no), edits in told.items():
            if person_no is None:
                overlay_on(standing[number], edits)
                if HouseholdYear in tables:
                    overlay_on(tables[HouseholdYear][number], edits)
            elif person_no in tables.get(Person, ()):
                begun = PersonYear(person_no=person_no, household_no=number, year=self._year.year)
                overlay_on(tables[PersonYear].setdefault(person_no, begun), edits)

    def _clear(
        self, tables: Mapping[type[models.Model], Mapping[int, Any]], heads: Mapping[int, Person]
    ) -> dict[tuple[type[models.Model], str], dict[int, str | None]]:
        today: dict[type[models.Model], dict[int, Any]] = {
            model: self._today(model, tables[model]) for model in (Household, Person) if model in tables
        }
        found = {
            (model, name): opened(model, name, today[model]) for model, name in protected_of(sheet(self._wanted.kind))
        }
        found[Person, "head"] = opened(Person, "id_number", self._today(Person, heads))
        return found

    def _today(self, model: type[ScopedModel], numbers: Iterable[int]) -> dict[int, Any]:
        rows = model.objects.visible_to(self._viewer, EXPORT)
        if self._wanted.whole:
            rows = rows & model.objects.visible_to(self._viewer, REVEAL)
        return rows.in_bulk(list(numbers))


def _made(model: type[models.Model], alias: str, row: Mapping[str, Any]) -> models.Model | None:
    """The row of one table; None where the join found none."""
    if row[f"{alias}_{'person_no' if model in (Person, PersonYear, Membership) else 'household_no'}"] is None:
        return None
    return model(**{name: row[f"{alias}_{name}"] for name in sealed.columns_of(model)})


def _within(ranges: Iterable[AreaRange]) -> str:
    """A condition on the village of the record. The bounds of ranges are digits and nothing else."""
    found = []
    for area in ranges:
        assert not area.lo or area.lo.isdigit()  # noqa: S101 - goes into a statement
        assert area.hi is None or area.hi.isdigit()  # noqa: S101 - likewise
        found.append(f"(y.village_code >= '{area.lo}'" + (f" and y.village_code < '{area.hi}')" if area.hi else ")"))
    return f"({' or '.join(found)})" if found else "false"
