"""A sealed year with what was corrected since beside it: of households, villages and hamlets, both ways."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from wanjia.kernel.codes import is_division_code
from wanjia.kernel.errors import Language
from wanjia.registry import queries, sealed
from wanjia.registry.choices import AsOf, YearState
from wanjia.registry.errors import YearNotSealed, YearUnknown
from wanjia.registry.models import (
    PLACES,
    HamletYear,
    HouseholdYear,
    ReportingYear,
    VillageYear,
    YearCorrection,
)
from wanjia.registry.queries import READ, HistoryEntry, PersonRecord
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import NotVisible
from wanjia.scope.models import holds, range_q
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """Somebody of a household in a sealed year, as published and as now known."""

    published: PersonRecord
    known: PersonRecord


@dataclass(frozen=True, slots=True)
class SealedHousehold:
    """A household in a sealed year. The year may hold facts of its people and no record of itself."""

    year: ReportingYear
    household_no: int
    village_code: str
    published: HouseholdYear | None
    known: HouseholdYear | None
    people: tuple[SealedPerson, ...]

    @property
    def head_name(self) -> str:
        return next((one.known.name for one in self.people if one.known.is_head), "")


def sealed_household(viewer: Viewer, household_no: int, year: int) -> SealedHousehold:
    """A household in a sealed year, as far as the viewer reads it.

    Raises YearUnknown, YearNotSealed, and NotVisible where the year holds nothing of it that he reads.
    """
    row = sealed_year(year)
    ways = (AsOf.PUBLISHED, AsOf.KNOWN)
    records = [{one.year: one.facts for one in queries.years_of(viewer, household_no, way)} for way in ways]
    people = [queries.persons_of_year(viewer, household_no, year, way) for way in ways]
    published, known = (each.get(year) for each in records)
    if published is None and not any(people):
        raise NotVisible(kind="household")
    village = published.village_code if published else _village_of_people(row, household_no)
    both = tuple(SealedPerson(*each) for each in zip(*people, strict=True))
    return SealedHousehold(row, household_no, village, published, known, both)


def sealed_year(year: int) -> ReportingYear:
    """A year that is sealed. Raises YearUnknown, YearNotSealed."""
    row = ReportingYear.objects.filter(year=year).first()
    if row is None:
        raise YearUnknown(year=year)
    if not row.is_sealed:
        raise YearNotSealed(year=year)
    return row


def corrections_of(viewer: Viewer, household_no: int, year: int, language: Language = "zh") -> list[HistoryEntry]:
    """What was corrected beside a sealed year of a household: by whom, when and why, newest act first."""
    beside = YearCorrection.objects.visible_to(viewer).filter(household_no=household_no, year=year)
    changes = queries.changes_told(viewer).filter(household_no=household_no, year=year)
    return queries.told_by_act(viewer, changes.filter(event_id__in=beside.values("event_id")), language)


@dataclass(frozen=True, slots=True)
class VillageRecord:
    """A village in one reporting year; of a sealed one `corrected` names what differs from what was published."""

    year: int
    sealed: bool
    facts: VillageYear
    corrected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SealedVillage:
    """A village with its hamlets in a sealed year, as published and as now known."""

    year: ReportingYear
    published: VillageYear | None
    known: VillageYear | None
    hamlets: tuple[tuple[HamletYear, HamletYear], ...]


def village_years(viewer: Viewer, village_code: str, as_of: AsOf = AsOf.KNOWN) -> list[VillageRecord]:
    """A village's records, oldest first: sealed years as published or as now known, then those in the database."""
    rows = VillageYear.objects.visible_to(viewer).filter(village_code=village_code).exclude(year__in=sealed_numbers())
    found = [VillageRecord(row.year, sealed=False, facts=row) for row in rows]
    if not _reads(viewer, village_code):
        return found
    told = _told(viewer, AreaRange.of(village_code), as_of)
    for year in _sealed_years():
        for row in sealed.villages_of(year.address, AreaRange.of(village_code)):
            corrected = queries.overlay_on(row, told.get((year.year, village_code), ()))
            found.append(VillageRecord(year.year, sealed=True, facts=row, corrected=corrected))
    return sorted(found, key=lambda record: record.year)


def hamlets_of(viewer: Viewer, village_code: str, as_of: AsOf = AsOf.KNOWN) -> list[HamletYear]:
    """The hamlets of a village as its newest record has them."""
    open_years = HamletYear.objects.visible_to(viewer).exclude(year__in=sealed_numbers())
    rows = list(open_years.filter(village_code=village_code).order_by("hamlet_code"))
    if rows or not _reads(viewer, village_code):
        newest = max((row.year for row in rows), default=0)
        return [row for row in rows if row.year == newest]
    told = _told(viewer, AreaRange.of(village_code), as_of)
    for year in reversed(_sealed_years()):
        if found := sealed.hamlets_of(year.address, village_code):
            for hamlet in found:
                queries.overlay_on(hamlet, told.get((year.year, hamlet.hamlet_code), ()))
            return found
    return []


def sealed_village(viewer: Viewer, village_code: str, year: int) -> SealedVillage:
    """A village in a sealed year. Raises YearUnknown, YearNotSealed, NotVisible."""
    row = sealed_year(year)
    if not is_division_code(village_code) or not _reads(viewer, village_code):
        raise NotVisible(kind="village")
    area = AreaRange.of(village_code)
    villages = [next(iter(sealed.villages_of(row.address, area)), None) for _ in AsOf]
    hamlets = [sealed.hamlets_of(row.address, village_code) for _ in AsOf]
    if villages[0] is None and not hamlets[0]:
        raise NotVisible(kind="village")
    told = _told(viewer, area, AsOf.KNOWN)
    if villages[1] is not None:
        queries.overlay_on(villages[1], told.get((year, village_code), ()))
    for hamlet in hamlets[1]:
        queries.overlay_on(hamlet, told.get((year, hamlet.hamlet_code), ()))
    return SealedVillage(row, villages[0], villages[1], tuple(zip(*hamlets, strict=True)))


def populations(viewer: Viewer, area: str) -> tuple[int, list[int]] | None:
    """The newest sealed year whose village records hold a population in an area, and those, as now known."""
    ranges = [AreaRange.of(area)] if area else list(viewer.ranges(READ))
    for year in reversed(_sealed_years()):
        held = []
        for each in ranges:
            told = _told(viewer, each, AsOf.KNOWN)
            for row in sealed.villages_of(year.address, each):
                queries.overlay_on(row, told.get((year.year, row.village_code), ()))
                if row.population is not None and _reads(viewer, row.village_code):
                    held.append(row.population)
        if held:
            return year.year, held
    return None


def corrections_of_village(
    viewer: Viewer, village_code: str, year: int, language: Language = "zh"
) -> list[HistoryEntry]:
    """What was corrected beside a sealed year of a village and its hamlets, newest act first."""
    of_place = {"village_code": village_code, "household_no": None, "year": year}
    beside = YearCorrection.objects.visible_to(viewer).filter(**of_place)
    changes = queries.changes_told(viewer).filter(**of_place, event_id__in=beside.values("event_id"))
    return queries.told_by_act(viewer, changes, language)


def _told(viewer: Viewer, area: AreaRange, as_of: AsOf) -> dict[tuple[int, str], list[YearCorrection]]:
    """What was corrected of villages and hamlets beside sealed years, by year and place, oldest first."""
    found: dict[tuple[int, str], list[YearCorrection]] = {}
    if as_of == AsOf.KNOWN:
        rows = YearCorrection.objects.visible_to(viewer).filter(range_q("village_code", area), household_no=None)
        for row in rows.order_by("id"):
            found.setdefault((row.year, row.hamlet_code or row.village_code), []).append(row)
    return found


def sealed_numbers() -> QuerySet[ReportingYear, int]:
    """The years whose records are in files, and nowhere else."""
    return ReportingYear.objects.filter(state=YearState.SEALED).values_list("year", flat=True)


def _sealed_years() -> list[ReportingYear]:
    return list(ReportingYear.objects.filter(state=YearState.SEALED).order_by("year"))


def _reads(viewer: Viewer, village_code: str) -> bool:
    return holds(PLACES, viewer, {"village_code": village_code})


def _village_of_people(year: ReportingYear, household_no: int) -> str:
    return next(str(person["village_code"]) for person in sealed.people_of(year.serving, household_no))
