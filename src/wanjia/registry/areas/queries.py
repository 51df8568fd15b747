"""Counting the registry by area and by value, and a village's records. All cut to the viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Left

from wanjia.kernel import clock
from wanjia.registry import overlaid
from wanjia.registry.areas.dimensions import AGES, Dimension
from wanjia.registry.choices import IN_HOUSEHOLD, POOR, Standing
from wanjia.registry.models import Household, Membership, Person, PersonYear, VillageYear
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import range_q
from wanjia.scope.viewer import Viewer

READ = "registry.read"
NEXT_LENGTH = {2: 4, 4: 6, 6: 9, 9: 12}
PERSON_TABLES = (Person, PersonYear)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many households and people there are of one value, or in one area; persons alone where people are counted."""

    value: str
    households: int | None
    persons: int


@dataclass(frozen=True, slots=True)
class Incidence:
    """The share of poor people among everybody who lives in the villages of an area (domain.md §19).

    `population` is the denominator as the villages' records of `year` hold it; None where none is held.
    """

    year: int | None
    poor: int
    population: int | None
    villages: int  # whose records hold one

    @property
    def share(self) -> float | None:
        return self.poor / self.population if self.population else None


def by_value(viewer: Viewer, area: str, dimension: Dimension, year: int | None = None) -> list[Figure]:
    """Live households, or the people who belong to them now, by value. One statement."""
    rows = _rows(viewer, area, dimension, year)
    if dimension.model is Household:
        counted = rows.order_by().values_list(dimension.column).annotate(n=Count("*"), people=Sum("member_count"))
        found = [Figure(_text(value), households, persons or 0) for value, households, persons in counted]
    else:
        found = [Figure(_text(value), None, persons) for value, persons in _people_by(rows, dimension)]
    if dimension.several:
        found = _parted(found)
    return sorted(found, key=lambda one: (one.value == "", one.value.zfill(4)))


def by_area(viewer: Viewer, area: str, dimension: Dimension, value: str, year: int | None = None) -> list[Figure]:
    """The same of one value ("" for all), area by area one level below. One statement."""
    length = NEXT_LENGTH.get(len(area))
    if length is None:
        return []
    rows = _with(_rows(viewer, area, dimension, year), dimension, value)
    rows = rows.order_by().annotate(part=Left("village_code", length)).values_list("part")
    if dimension.model is Household:
        counted = rows.annotate(n=Count("*"), people=Sum("member_count"))
        found = [Figure(part, households, persons or 0) for part, households, persons in counted]
    else:
        found = [Figure(part, None, persons) for part, persons in rows.annotate(n=Count("*"))]
    return sorted(found, key=lambda one: one.value)


def fact_years(viewer: Viewer, area: str) -> list[int]:
    """The years of which yearly facts of people are on record in an area, newest first."""
    rows = _within(PersonYear.objects.visible_to(viewer), area)
    return sorted(rows.order_by().values_list("year", flat=True).distinct(), reverse=True)


def incidence(viewer: Viewer, area: str) -> Incidence:
    """Of the newest year whose village records hold a population, in the database or sealed."""
    villages = _within(VillageYear.objects.visible_to(viewer), area).filter(population__isnull=False)
    villages = villages.exclude(year__in=overlaid.sealed_numbers())
    year = villages.aggregate(year=Max("year"))["year"]
    held = villages.filter(year=year).aggregate(people=Sum("population"), villages=Count("*"))
    if year is None and (sealed := overlaid.populations(viewer, area)) is not None:
        year, populations = sealed
        held = {"people": sum(populations), "villages": len(populations)}
    homes = _within(Household.objects.visible_to(viewer), area).filter(standing=Standing.LIVE)
    poor = homes.filter(poverty_status__in=sorted(POOR)).aggregate(people=Sum("member_count"))["people"]
    return Incidence(year, poor or 0, held["people"], held["villages"])


def registered_in(viewer: Viewer, village_code: str) -> Mapping[str, int]:
    """How many hamlets' households are registered, by hamlet."""
    rows = _within(Household.objects.visible_to(viewer), village_code).filter(standing=Standing.LIVE)
    return dict(rows.order_by().values_list("hamlet").annotate(n=Count("*")))


def _rows(viewer: Viewer, area: str, dimension: Dimension, year: int | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = _within(dimension.model.objects.visible_to(viewer), area)
    if dimension.model is Household:
        live: QuerySet[Any] = rows.filter(standing=Standing.LIVE)
        return live
    if dimension.model is PersonYear:
        rows = rows.filter(year=year)
    present = Membership._base_manager.filter(
        person_no=OuterRef("person_no"), latest=True, member_status__in=sorted(IN_HOUSEHOLD)
    )
    here: QuerySet[Any] = rows.filter(Exists(present))
    return here


def _within(rows: QuerySet[Any], area: str) -> QuerySet[Any]:
    return rows.filter(range_q("village_code", AreaRange.of(area))) if area else rows


def _people_by(rows: QuerySet[Any], dimension: Dimension) -> Sequence[tuple[Any, int]]:
    if dimension.column != "birth_date":
        return list(rows.order_by().values_list(dimension.column).annotate(n=Count("*")))
    banded = rows.annotate(band=_band()).order_by()
    return list(banded.values_list("band").annotate(n=Count("*")))


def _band() -> Case:
    """The first age of the band somebody is in today."""
    today = clock.today()
    whens = [
        When(birth_date__lte=_years_before(today, first), then=Value(str(first)))
        for first in sorted(AGES, reverse=True)
    ]
    return Case(*whens, default=Value(""), output_field=CharField())


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _with(rows: QuerySet[Any], dimension: Dimension, value: str) -> QuerySet[Any]:
    narrowed = rows
    if value and dimension.column == "birth_date":
        narrowed = rows.annotate(band=_band()).filter(band=value)
    elif value and dimension.several:
        among = Q(all_of=value) | Q(all_of__startswith=f"{value},") | Q(all_of__contains=f",{value}")
        narrowed = rows.annotate(all_of=F(dimension.column)).filter(among)
    elif value:
        narrowed = rows.filter(**{dimension.column: value})
    return narrowed


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _parted(figures: Sequence[Figure]) -> list[Figure]:
    """Somebody under several values counts under each."""
    counted: dict[str, int] = {}
    for figure in figures:
        for value in figure.value.split(","):
            counted[value] = counted.get(value, 0) + figure.persons
    return [Figure(value, None, persons) for value, persons in counted.items()]
