"""Sealing a reporting year: its figures become files that never change, and the registry goes on to the next.

One transaction holds everything: the tables are kept from writers, read out as they stand, the
files and their index published, the yearly rows moved on, the act recorded. A process that dies
leaves the year as it was, with files beside it that nobody refers to (`sweep_sealed`); from the
commit on it is sealed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
from django.db import connection, models, transaction
from django.db.models import Exists, Max, Min, OuterRef, Q

from wanjia.audit.services import Kind, common_area, record
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.models import Job
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.lake.parquet import SORTED_ROW_GROUP
from wanjia.lake.parquet import write as write_parquet
from wanjia.registry import sealed
from wanjia.registry.choices import IN_HOUSEHOLD, Standing, YearState
from wanjia.registry.errors import (
    WarningsNotConfirmed,
    YearNotOpen,
    YearNotSound,
    YearOutOfOrder,
    YearSealedAlready,
    YearUnknown,
)
from wanjia.registry.models import (
    HamletYear,
    Household,
    HouseholdYear,
    Membership,
    Person,
    PersonYear,
    Relocation,
    ReportingYear,
    VillageYear,
)
from wanjia.registry.services.year_checks import Found, check_year
from wanjia.registry.services.years import emptied
from wanjia.scope.errors import NotAllowed
from wanjia.scope.reach import serving
from wanjia.scope.readout import Selection, batches
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

SEAL = "registry.seal"
SEALING = "registry.seal_year"
HELD = (Household, Person, Membership, Relocation, HouseholdYear, PersonYear, VillageYear, HamletYear)
_LIVE = Standing.LIVE.value
_PRESENT = ", ".join(f"'{status}'" for status in sorted(IN_HOUSEHOLD))

Tell = Callable[[int, int, str], None]


def _silent(_done: int, _total: int, _note: str) -> None:
    """Nobody is told how far it is."""


@dataclass(frozen=True, slots=True)
class SealedYear:
    """What a sealing made. `again` if the same act had sealed the year before."""

    year: int
    next_year: int
    digest: str
    counts: Mapping[str, int]
    event_id: UUID
    again: bool = False


def checks_of(viewer: Viewer, year: int) -> list[Found]:
    """What stands against sealing a year. Raises YearUnknown, YearSealedAlready, NotAllowed."""
    _require(viewer)
    found = _unsealed(year)
    return check_year(found)


def seal_year(
    *,
    viewer: Viewer,
    year: int,
    confirmed: Mapping[str, int] | None = None,
    event_id: UUID | None = None,
    tell: Tell = _silent,
) -> SealedYear:
    """Seal a reporting year, the oldest unsealed one first.

    `confirmed` holds the warnings of `checks_of` with their counts. With an `event_id` of the
    client a repetition is harmless. Raises NotAllowed unless the viewer may do `registry.seal` in
    the whole registry, YearUnknown, YearSealedAlready, YearOutOfOrder, YearNotSound,
    WarningsNotConfirmed; of a year that is refused nothing is written.
    """
    _require(viewer)
    act = event_id or uuid4()
    everything = system_viewer("registry.seal")
    with transaction.atomic(), serving(everything):
        earlier = ReportingYear.objects.select_for_update().filter(year=year).first()
        if earlier is not None and earlier.is_sealed and earlier.event_id == act:
            return _as_sealed(earlier)
        row = _unsealed(year)
        _keep_writers_out()
        tell(0, STEPS, "正在检查")
        warnings = _require_sound(row, confirmed or {})
        done = _seal(row, act, everything, tell)
        _finish(viewer, row, done, warnings)
    reached("registry.year_sealed")
    return done


@transaction.atomic
def ask_to_seal(*, viewer: Viewer, year: int, confirmed: Mapping[str, int]) -> Job:
    """Put the sealing into the queue; while one waits or runs, that one is returned.

    What is wrong already is told at once: raises what `seal_year` raises.
    """
    _require(viewer)
    _require_sound(_unsealed(year), confirmed)
    args = {"year": year, "confirmed": dict(confirmed), "act": str(uuid4())}
    return enqueue(SEALING, args, viewer=viewer, title="封存年度", key=SEALING)


def seal_in_background(job: JobHandle, year: int, confirmed: Mapping[str, int], act: str) -> None:
    """The job of `ask_to_seal`. Done again after a crash it finds the year sealed by its own act."""

    def tell(done: int, total: int, note: str) -> None:
        job.check()
        job.progress(done, total, note)

    # not inside `finishing`: the job's row would be locked, and its progress with it
    done = seal_year(viewer=job.viewer, year=year, confirmed=confirmed, event_id=UUID(act), tell=tell)
    with job.finishing({"year": done.year}):
        pass


def hold_open(year: int) -> None:
    """Keep a load's year open until its transaction ends; the first load opens it. Raises YearNotOpen.

    A share of the row is enough: loads do not wait for each other, sealing waits for all of them.
    """
    known = ReportingYear.objects.filter(state=YearState.OPEN)
    if not known.exists() and not ReportingYear.objects.filter(year__gte=year).exists():
        ReportingYear.objects.bulk_create(
            [ReportingYear(year=year, state=YearState.OPEN, opened_at=clock.now())], ignore_conflicts=True
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM registry_reportingyear WHERE state = %s FOR SHARE", [YearState.OPEN.value])
    found = known.values_list("year", flat=True).first()
    if found != year:
        raise YearNotOpen(year=year, open=found or "–")


def note_history(years: Iterator[int] | set[int]) -> None:
    """Years before the open one of which a load brought facts; they wait to be sealed."""
    last = last_sealed()
    new = [year for year in sorted(set(years)) if year > last]
    ReportingYear.objects.bulk_create(
        [ReportingYear(year=year, state=YearState.EARLIER, opened_at=clock.now()) for year in new],
        ignore_conflicts=True,
    )


def last_sealed() -> int:
    """The newest sealed year, 0 while there is none."""
    return ReportingYear.objects.filter(state=YearState.SEALED).aggregate(last=Max("year"))["last"] or 0


def sweep_sealed(abandoned_after: float) -> int:
    """Remove files of sealings that never came to their end; returns how many."""
    store = lake()
    known = set(ReportingYear.objects.exclude(address="").values_list("address", flat=True))
    known |= set(ReportingYear.objects.exclude(serving="").values_list("serving", flat=True))
    indexes = (f"serving/{path.name}" for path in (store.root / "serving").glob(f"{sealed.SERVING}*"))
    files = (address for address in store.list("registry") if address.startswith(f"registry/{sealed.PREFIX}"))
    left = [each for each in (*files, *indexes) if each not in known and store.age(each) > abandoned_after]
    for address in left:
        store.discard(address)
    return len(left)


def _require(viewer: Viewer) -> None:
    ends = Household.objects.visible_to(system_viewer("registry.seal")).aggregate(
        first=Min("village_code"), last=Max("village_code")
    )
    area = common_area([code for code in ends.values() if code])
    if not viewer.may_throughout(SEAL, area):
        raise NotAllowed(action=SEAL)


def _unsealed(year: int) -> ReportingYear:
    row = ReportingYear.objects.filter(year=year).first()
    if row is None:
        raise YearUnknown(year=year)
    if row.is_sealed:
        raise YearSealedAlready(year=year)
    first = ReportingYear.objects.exclude(state=YearState.SEALED).order_by("year").first()
    assert first is not None  # noqa: S101 - this one is unsealed
    if first.year != year:
        raise YearOutOfOrder(year=year, first=first.year)
    return row


def _keep_writers_out() -> None:
    """Until the transaction ends others may read the registry and nobody writes it.

    SQLite's transaction is the only one that writes anyway. On PostgreSQL writers wait at their first
    locked row, and each statement of ours sees the same state as the others.
    """
    if connection.vendor == "postgresql":
        tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in HELD)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")


def _require_sound(year: ReportingYear, confirmed: Mapping[str, int]) -> dict[str, int]:
    found = check_year(year)
    errors = [one for one in found if one.stops]
    if errors:
        raise YearNotSound(year=year.year, problems=sum(one.count for one in errors), first=errors[0].what)
    warnings = {one.code: one.count for one in found}
    if any(confirmed.get(code) != count for code, count in warnings.items()):
        raise WarningsNotConfirmed(year=year.year, warnings=len(warnings))
    return warnings


# -- the files ----------------------------------------------------------------------------------


def _seal(row: ReportingYear, act: UUID, everything: Viewer, tell: Tell) -> SealedYear:
    attempt = uuid4()  # a try after a crash is the same act, and must not meet the files of the one that died
    address, index = sealed.address_of(row.year, attempt), sealed.address_of_index(row.year, attempt)
    is_open = row.state == YearState.OPEN
    counts: dict[str, int] = {}
    with lake().publishing(address) as staging:
        for number, (name, selection) in enumerate(_selections(row.year, is_open=is_open).items(), start=1):
            tell(number, STEPS, "正在写出年度数据")
            rows: Iterator[pa.RecordBatch] = batches(selection, viewer=everything)
            target = staging.path(f"{name}.parquet")
            counts[name] = write_parquet(target, rows, selection.columns, row_group=SORTED_ROW_GROUP)
        digest = digest_over(staging.path(f"{name}.parquet") for name in sorted(counts))
        # of an earlier year the households and people are those of the day it was sealed
        staging.manifest.update({**counts, "year": row.year, "digest": digest, "stands_on": str(clock.today())})
    reached("registry.year_published")
    tell(len(counts) + 1, STEPS, "正在建立索引")
    facts = {"year": str(row.year), "digest": digest}
    sealed.build_index(lake(), address, index, facts, collected=not is_open)
    reached("registry.year_indexed")
    tell(STEPS, STEPS, "正在转入下一年度")
    next_year = _open_year() if not is_open else row.year + 1
    row.address, row.serving, row.digest, row.event_id = address, index, digest, act
    row.households, row.persons = counts["household_years"], counts["persons"]
    return SealedYear(row.year, next_year, digest, counts, act)


def _open_year() -> int:
    return ReportingYear.objects.get(state=YearState.OPEN).year


def _selections(year: int, *, is_open: bool) -> dict[str, Selection]:
    """What each file holds. Of the open year every household that was in the registry in it, recorded or not."""
    same = f"r.household_no = h.household_no AND r.year = {year:d}"
    recorded = f"EXISTS (SELECT 1 FROM {_table(HouseholdYear)} r WHERE {same})"  # noqa: S608 - model names
    of_year = f"(h.standing = '{_LIVE}' OR h.removed_on >= '{year:d}-01-01' OR {recorded})" if is_open else recorded
    home = f"JOIN {_table(Household)} h ON h.household_no ="
    same = f"r.person_no = p.person_no AND r.year = {year:d}"
    told = f"EXISTS (SELECT 1 FROM {_table(PersonYear)} r WHERE {same})"  # noqa: S608 - model names
    people = of_year if is_open else f"({of_year} OR {told})"
    persons = f"FROM {_table(Person)} p {home} p.household_no"
    join = "LEFT JOIN" if is_open else "JOIN"
    where = f"WHERE y.year = {year:d}"
    now = {"household_no": "p.household_no", "village_code": "p.village_code"} if is_open else {}
    return {
        "households": _select(Household, "h", f"WHERE {of_year} ORDER BY h.village_code, h.household_no"),
        "persons": _select(Person, "p", f"{home} p.household_no WHERE {people} ORDER BY p.village_code, p.person_no"),
        "memberships": _selected(
            Membership,
            "m",
            f"{persons} JOIN {_table(Membership)} m ON m.person_no = p.person_no WHERE {people}"
            " ORDER BY m.person_no, m.household_no, m.id",
        ),
        "relocations": _select(Relocation, "r", f"{home} r.household_no WHERE {of_year} ORDER BY r.household_no"),
        "household_years": _selected(
            HouseholdYear,
            "y",
            f"FROM {_table(Household)} h {join} {_table(HouseholdYear)} y ON y.household_no = h.household_no"
            f" AND y.year = {year:d} WHERE {of_year} ORDER BY {'h' if is_open else 'y'}.village_code, h.household_no",
            _standing_of(year) if is_open else {},
        ),
        "person_years": _selected(
            PersonYear,
            "y",
            f"{persons} JOIN {_table(PersonYear)} y ON y.person_no = p.person_no {where} AND {people}"
            f" ORDER BY {'p' if is_open else 'y'}.village_code, y.person_no",
            now,
        ),
        "village_years": _select(sealed.FILES["village_years"], "y", f"{where} ORDER BY y.village_code"),
        "hamlet_years": _select(sealed.FILES["hamlet_years"], "y", f"{where} ORDER BY y.hamlet_code"),
    }  # fmt: skip


STEPS = len(sealed.FILES) + 2


def _standing_of(year: int) -> dict[str, str]:
    """The year's record takes the household's standing at its end; without a row it holds nothing else."""
    told = {
        name: f"h.{name}"
        for name in ("household_no", "village_code", "household_category", "poverty_status", "main_cause")
    }
    missing = {
        str(field.column): f"coalesce(y.{field.column}, '')"
        for field in HouseholdYear._meta.concrete_fields
        if not field.null and field.get_internal_type() == "CharField"
    }
    return {**missing, **told, "year": f"{year:d}"}


def _select(model: type[models.Model], alias: str, source: str) -> Selection:
    return _selected(model, alias, f"FROM {_table(model)} {alias} {source}")


def _selected(
    model: type[models.Model], alias: str, source: str, special: Mapping[str, str] | None = None
) -> Selection:
    columns = sealed.columns_of(model)
    expressions = {name: f"{alias}.{name}" for name in columns} | dict(special or {})
    return Selection(expressions, source, columns)


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def digest_over(paths: Iterable[Path]) -> str:
    """One digest over the files' own, in the order given."""
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


# -- the registry goes on -----------------------------------------------------------------------


def _finish(viewer: Viewer, row: ReportingYear, done: SealedYear, warnings: Mapping[str, int]) -> None:
    _move_on(row.year, done.next_year)
    was_open = row.state == YearState.OPEN
    row.state, row.sealed_at, row.sealed_by = YearState.SEALED, clock.now(), viewer.user_id
    row.save()
    if was_open:
        ReportingYear.objects.create(year=done.next_year, state=YearState.OPEN, opened_at=clock.now())
        _homes().filter(standing=_LIVE).update(year=done.next_year)
    reached("registry.year_moved_on")
    content: dict[str, Any] = {"year": row.year, "next": done.next_year, "digest": done.digest, "address": row.address}
    content |= {"households": row.households, "persons": row.persons, "counts": dict(done.counts)}
    ends = _homes().aggregate(first=Min("village_code"), last=Max("village_code"))
    record(
        Kind.DECISION,
        viewer=viewer,
        area=common_area([code for code in ends.values() if code]),
        act="registry.seal_year",
        content={**content, "warnings": dict(warnings)},
        event_id=done.event_id,
    )
    reached("registry.year_recorded")


def _move_on(year: int, next_year: int) -> None:
    """The year's rows leave the database or become the next year's, with what is collected anew emptied.

    A row goes where a later one is known of the same household or person, or where the household had
    left the registry, the person his household, before the next year began: the sealed year holds it.
    Who left in the course of the next year is still of that year. Records of villages and hamlets all leave:
    they are loaded a whole year at a time, so nothing of one year begins the next.
    """
    everything, begins = system_viewer("registry.seal"), date(next_year, 1, 1)
    live = Household._base_manager.filter(household_no=OuterRef("household_no"))
    live = live.filter(Q(standing=_LIVE) | Q(removed_on__gte=begins))
    present = Membership._base_manager.filter(person_no=OuterRef("person_no"), latest=True)
    present = present.filter(Q(member_status__in=sorted(IN_HOUSEHOLD)) | Q(left_on__gte=begins))
    for model, key, stays in ((HouseholdYear, "household_no", live), (PersonYear, "person_no", present)):
        rows = model.objects.visible_to(everything).filter(year=year)
        later = model._base_manager.filter(**{key: OuterRef(key)}, year__gt=year)
        rows.filter(Exists(later)).delete()
        rows.filter(~Exists(stays)).delete()
        rows.update(year=next_year, **emptied(model))
    for place in (VillageYear, HamletYear):
        place.objects.visible_to(everything).filter(year=year).delete()


def _homes() -> models.QuerySet[Household]:
    return Household.objects.visible_to(system_viewer("registry.seal"))


def _as_sealed(row: ReportingYear) -> SealedYear:
    manifest = lake().read_manifest(row.address)
    counts = {name: int(manifest.facts[name]) for name in sealed.FILES}
    assert row.event_id is not None  # noqa: S101 - a constraint of the table
    next_year = ReportingYear.objects.filter(year__gt=row.year).order_by("-year").values_list("year", flat=True).first()
    return SealedYear(row.year, next_year or row.year, row.digest, counts, row.event_id, again=True)
