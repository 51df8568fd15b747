"""What a sheet is handed out from, a thousand households at a time: here the tables of today, `past` a sealed year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from wanjia.registry.choices import IN_HOUSEHOLD, AsOf, SheetKind, Standing
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation
from wanjia.registry.services.sheets.columns import SheetContract, sheet
from wanjia.scope.areas import AreaRange
from wanjia.scope.fields import open_column
from wanjia.scope.models import range_q
from wanjia.scope.viewer import Viewer

EXPORT, REVEAL = "registry.export", "registry.reveal"
PIECE = 1_000  # households read at a time


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sheet of which area and year, as codes or labels, masked or whole; of a sealed year, in which way."""

    kind: SheetKind
    year: int
    area: str = ""
    codes: bool = False
    whole: bool = False
    as_of: AsOf = AsOf.KNOWN

    def as_values(self) -> dict[str, str]:
        """As an address says it."""
        said = {"sheet": self.kind.value, "year": str(self.year), "area": self.area}
        said |= ({"codes": "1"} if self.codes else {}) | ({"whole": "1"} if self.whole else {})
        return said | ({"as_of": self.as_of.value} if self.as_of is AsOf.PUBLISHED else {})


@dataclass(slots=True)
class Piece:
    """A thousand households and what is registered of them, by number."""

    homes: list[Household]
    tables: dict[type[models.Model], dict[int, Any]]
    heads: dict[int, Person]
    members: dict[int, list[int]]  # household → its people in order, the head first
    clear: dict[tuple[type[models.Model], str], dict[int, str | None]]


def protected_of(contract: SheetContract) -> list[tuple[type[models.Model], str]]:
    """The protected columns a sheet shows or masks."""
    wanted = [(item.of.model, item.of.name) for item in contract.fields if item.of and item.of.protected]  # type: ignore[attr-defined]
    return [*wanted, (Household, "phone")] if contract is sheet(SheetKind.MEMBERS) else wanted


def opened(model: type[models.Model], name: str, rows: Mapping[int, Any]) -> dict[int, str | None]:
    """A protected column of these rows in clear, by number."""
    numbers = list(rows)
    sealed = [getattr(rows[no], name) for no in numbers]
    return dict(
        zip(numbers, open_column(model, name, numbers, [value and value.blob for value in sealed]), strict=True)
    )


class Living:
    """The registry as it stands: live households of the area that are of the year, reported in it or on record."""

    def __init__(self, viewer: Viewer, wanted: Wanted) -> None:
        self._viewer, self._wanted = viewer, wanted

    def count(self) -> int:
        """How many rows the sheet has."""
        homes = self._homes()
        if self._wanted.kind == SheetKind.HOUSEHOLDS:
            return homes.count()
        stays = Membership._base_manager.filter(latest=True, member_status__in=sorted(IN_HOUSEHOLD))
        return stays.filter(household_no__in=homes.values("household_no")).count()

    def pieces(self) -> Iterator[Piece]:
        """Its households in village order."""
        found = self._homes()
        after: Household | None = None
        while True:
            some = found
            if after is not None:
                further = Q(village_code__gt=after.village_code) | Q(household_no__gt=after.household_no)
                some = found.filter(Q(village_code__gte=after.village_code) & further)
            homes = list(some[:PIECE])
            if homes:
                yield self._piece(homes)
            if len(homes) < PIECE:
                return
            after = homes[-1]

    def _homes(self) -> QuerySet[Household]:
        wanted = self._wanted
        rows = Household.objects.visible_to(self._viewer, EXPORT).filter(standing=Standing.LIVE)
        if wanted.whole:
            rows = rows & Household.objects.visible_to(self._viewer, REVEAL)
        if wanted.area:
            rows = rows.filter(range_q("village_code", AreaRange.of(wanted.area)))
        on_record = HouseholdYear._base_manager.filter(household_no=OuterRef("household_no"), year=wanted.year)
        return rows.filter(Q(year=wanted.year) | Exists(on_record)).order_by("village_code", "household_no")

    def _piece(self, homes: list[Household]) -> Piece:
        numbers = [home.pk for home in homes]
        heads = Person._base_manager.in_bulk([home.head_person_no for home in homes])
        tables: dict[type[models.Model], dict[int, Any]] = {Household: {home.pk: home for home in homes}}
        members: dict[int, list[int]] = defaultdict(list)
        if self._wanted.kind == SheetKind.HOUSEHOLDS:
            years = HouseholdYear._base_manager.filter(household_no__in=numbers, year=self._wanted.year)
            tables[HouseholdYear] = {row.household_no: row for row in years}
            tables[Relocation] = Relocation._base_manager.in_bulk(numbers)
        else:
            stays = Membership._base_manager.filter(
                household_no__in=numbers, latest=True, member_status__in=sorted(IN_HOUSEHOLD)
            )
            tables[Membership] = {stay.person_no: stay for stay in stays}
            for stay in sorted(tables[Membership].values(), key=lambda stay: (stay.relation != "01", stay.person_no)):
                members[stay.household_no].append(stay.person_no)
            tables[Person] = Person._base_manager.in_bulk(list(tables[Membership]))
            personal = PersonYear._base_manager.filter(person_no__in=list(tables[Membership]), year=self._wanted.year)
            tables[PersonYear] = {row.person_no: row for row in personal}
        clear: dict[tuple[type[models.Model], str], dict[int, str | None]] = {
            (model, name): opened(model, name, tables[model]) for model, name in protected_of(sheet(self._wanted.kind))
        }
        clear[Person, "head"] = opened(Person, "id_number", heads)
        return Piece(homes, tables, heads, members, clear)
