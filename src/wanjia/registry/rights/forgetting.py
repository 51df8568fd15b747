"""The lake follows an erasure: what it holds of the people is made anew without them.

    registry/load=…        their rows become tombstones: the digest stays, so the load's root still verifies
    registry/sealed=…      published anew with their names and personal fields empty; every figure as before
    registry/snapshot=…    as sealed years
    sheets/…               imports of their places that are over lose the sender's files

Each dataset is the old one or the new one at any moment. Nothing here must be remembered: what is
left to do is found by looking, so a process that died is followed by another, at night at the latest.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import connection, transaction

from wanjia.audit.services import Kind, common_area, record
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.lake import Columns, Type
from wanjia.lake.parquet import SORTED_ROW_GROUP
from wanjia.lake.parquet import write as write_parquet
from wanjia.registry import loaded, sealed
from wanjia.registry.choices import ErasureState, YearState
from wanjia.registry.models import Erasure, Household, Membership, ReportingYear, SheetFile, SheetImport
from wanjia.registry.rights.erasing import is_text, overlapping
from wanjia.registry.rights.policy import FORGETTING, numbers_of
from wanjia.registry.services import snapshot
from wanjia.registry.services.load import SEPARATOR
from wanjia.registry.services.sealing import digest_over
from wanjia.registry.services.sheets.keeping import FINISHED
from wanjia.scope.stores import lake

_NUMBER: Final = rf"^(?P<no>\d+){SEPARATOR}"
_YEAR: Final = "year"  # a day becomes the first of its year

Blanks = Mapping[str, Any]  # column → what stands in it then
PERSON: Final[Blanks] = {
    "national_person_no": "", "name": "", "name_match": "", "id_type": "", "person_key": None, "phone_key": None,
    "birth_date": _YEAR,
}  # fmt: skip
STAY: Final[Blanks] = {"joined_on": _YEAR, "left_on": _YEAR}
FACTS: Final[Blanks] = {name: "" for name, kind in sealed.columns_of(sealed.FILES["person_years"]).items()
                        if kind is Type.TEXT and name != "village_code" and is_text(name)}  # fmt: skip
HOME: Final[Blanks] = {
    "national_household_no": "", "hamlet": "", "cause_note": "", "longitude": None, "latitude": None,
    "phone_key": None, "bank_name": "",
}  # fmt: skip
Change = Callable[[pa.Table], pa.Table]


def finish_erasures() -> int:
    """Let the lake forget everybody who was erased in the database; returns how many people. Harmless at any time."""
    done = 0
    while rows := list(_unfinished()):
        _forget(rows)
        with transaction.atomic():
            _unfinished().filter(pk__in=[row.pk for row in rows]).update(finished_at=clock.now())
            record(
                Kind.DECISION,
                viewer=FORGETTING,
                area=common_area(row.village_code for row in rows),
                act="registry.finish_erasures",
                content={"persons": len(rows)},
            )
            reached("registry.forgetting")
        reached("registry.forgotten")
        done += len(rows)
    if done and connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:  # or the write-ahead log keeps what the database no longer holds
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return done


def _unfinished() -> Any:
    return Erasure.objects.visible_to(FORGETTING).filter(state=ErasureState.ERASED, finished_at=None).order_by("pk")


def _forget(rows: Collection[Erasure]) -> None:
    people = sorted({number for row in rows for number in numbers_of(row.person_no)})
    homes = sorted({row.household_no for row in rows if row.whole_household})
    for address in lake().list("registry"):
        if address.startswith(loaded.PREFIX):
            _of_load(address, people, homes)
        elif address.startswith(snapshot.address_of("")):
            _of_snapshot(address, people, homes)
    for year in ReportingYear.objects.filter(state=YearState.SEALED).exclude(address="").order_by("year"):
        _of_year(year, people, homes)
    _sheets(people)


# -- the rows of loads ---------------------------------------------------------------------------


def _of_load(address: str, people: Collection[int], homes: Collection[int]) -> None:
    source = lake().path(address, loaded.FILE)
    manifest = lake().read_manifest(address)
    told = _named_in(source, manifest.facts["columns"]["persons"], people)
    wanted = {"persons": people, "person_years": people, "households": homes}
    found = 0

    def emptied(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal found
        hit = _rows_of(batch, wanted, told)
        places = pc.indices_nonzero(hit).to_pylist()
        if not places:
            return batch
        found += len(places)
        tables, rows, salts = (batch.column(name).to_pylist() for name in loaded.COLUMNS)
        digests = loaded.loaded_digests(
            [tables[at] for at in places],
            [rows[at] for at in places],
            [bytes.fromhex(salts[at]) for at in places],
        )
        for at, digest in zip(places, digests, strict=True):
            rows[at], salts[at] = None, digest.hex()
        columns = (pa.array(values, pa.string()) for values in (tables, rows, salts))
        return pa.RecordBatch.from_arrays(list(columns), names=list(loaded.COLUMNS))

    if not any(pc.any(_rows_of(batch, wanted, told)).as_py() for batch in _batches(source)):
        return
    with lake().replacing(address) as staging:
        write_parquet(staging.path(loaded.FILE), map(emptied, _batches(source)), loaded.COLUMNS)
        staging.manifest.update({**manifest.facts, "erased": int(manifest.facts.get("erased", 0)) + found})
    reached("registry.load_forgotten")


def _batches(source: Path) -> Iterator[pa.RecordBatch]:
    yield from pq.ParquetFile(source).iter_batches(batch_size=50_000)


def _numbers(batch: pa.RecordBatch) -> pa.Array[Any]:
    """The number each row begins with; none of a row that is a tombstone already."""
    return pc.cast(pc.struct_field(pc.extract_regex(batch.column("row"), _NUMBER), "no"), pa.int64())


def _rows_of(
    batch: pa.RecordBatch, wanted: Mapping[str, Collection[int]], told: Mapping[int, Collection[str]]
) -> pa.Array[Any]:
    numbers, tables = _numbers(batch), batch.column("table")
    hit = pa.array([False] * batch.num_rows)
    for name, these in wanted.items():
        own = pc.and_(pc.equal(tables, name), pc.is_in(numbers, pa.array(sorted(these), pa.int64())))
        hit = pc.or_(hit, pc.and_(own, pc.is_valid(batch.column("row"))))
    for home, names in told.items():  # the household's own row may name him in a note
        own = pc.and_(pc.equal(tables, "households"), pc.fill_null(pc.equal(numbers, home), fill_value=False))
        for name in names:
            named = pc.fill_null(pc.match_substring(batch.column("row"), name), fill_value=False)
            hit = pc.or_(hit, pc.and_(own, named))
    return hit


def _named_in(source: Path, columns: list[str], people: Collection[int]) -> dict[int, set[str]]:
    """The names of these people in a load, by their household."""
    name, home = columns.index("name"), columns.index("household_no")
    found: dict[int, set[str]] = {}
    for batch in _batches(source):
        for row in batch.column("row").filter(_rows_of(batch, {"persons": people}, {})).to_pylist():
            values = row.split(SEPARATOR)
            if len(values[name]) > 1:
                found.setdefault(int(values[home]), set()).add(values[name])
    return found


# -- snapshots and sealed years ------------------------------------------------------------------


def _of_snapshot(address: str, people: Collection[int], homes: Collection[int]) -> None:
    named = _names(lake().path(address, "persons.parquet"), people)
    households = lake().path(address, "households.parquet")
    if not named and not _has(households, homes, "hamlet"):
        return
    manifest = lake().read_manifest(address)
    with lake().replacing(address) as staging:
        old = lake().path(address, "persons.parquet")
        _rewrite(old, staging.path("persons.parquet"), _blanking("person_no", people, PERSON))
        _rewrite(
            households,
            staging.path("households.parquet"),
            _without_heads(named),
            _blanking("household_no", homes, HOME),
        )
        names = ("households", "persons")
        _restate(staging.manifest, manifest.facts, digest_over(staging.path(f"{name}.parquet") for name in names))
    reached("registry.snapshot_forgotten")


def _of_year(year: ReportingYear, people: Collection[int], homes: Collection[int]) -> None:
    """A sealed year published anew: at an address of its own, and current from the commit on, as when it was sealed."""
    store, old, old_index = lake(), year.address, year.serving
    named = _names(store.path(old, "persons.parquet"), people)
    if not named and not _has(store.path(old, "households.parquet"), homes, "hamlet"):
        return
    attempt = uuid4()
    address, index = sealed.address_of(year.year, attempt), sealed.address_of_index(year.year, attempt)
    changes: Mapping[str, tuple[Change, ...]] = {
        "persons": (_blanking("person_no", people, PERSON),),
        "memberships": (_blanking("person_no", people, STAY),),
        "person_years": (_blanking("person_no", people, FACTS),),
        "households": (_without_names(named), _blanking("household_no", homes, HOME)),
    }
    with store.publishing(address) as staging:
        for name in sealed.FILES:
            _rewrite(store.path(old, f"{name}.parquet"), staging.path(f"{name}.parquet"), *changes.get(name, ()))
        digest = digest_over(staging.path(f"{name}.parquet") for name in sorted(sealed.FILES))
        _restate(staging.manifest, store.read_manifest(old).facts, digest)
    with store.publishing_file(index) as path:
        _rewrite_index(store.path(old_index), path, people, digest)
    reached("registry.year_rewriting")
    with transaction.atomic():
        moved = ReportingYear.objects.filter(pk=year.pk, address=old)
        if not moved.update(address=address, serving=index, digest=digest):
            return  # another worker was faster; what was made here is swept
        record(
            Kind.DECISION,
            viewer=FORGETTING,
            area="",
            act="registry.rewrite_year",
            content={"year": year.year, "before": year.digest, "digest": digest, "persons": len(named)},
        )
    reached("registry.year_rewritten")
    for address_before in (old, old_index):
        store.discard(address_before)
    reached("registry.year_forgotten")


def _restate(manifest: dict[str, Any], facts: Mapping[str, Any], digest: str) -> None:
    """The facts of before, with the digest of now and those the dataset had."""
    until = {"digest": facts["digest"], "until": str(clock.today())}
    manifest.update({**facts, "digest": digest, "was": [*facts.get("was", ()), until]})


def _rewrite(source: Path, target: Path, *changes: Change) -> None:
    if not changes:
        shutil.copyfile(source, target)
        return
    file = pq.ParquetFile(source)
    columns = _columns(file.schema_arrow)

    def changed() -> Iterator[pa.RecordBatch]:
        for batch in file.iter_batches(batch_size=SORTED_ROW_GROUP):
            table = pa.Table.from_batches([batch])
            for change in changes:
                table = change(table)
            yield from table.combine_chunks().to_batches()

    write_parquet(target, changed(), columns, row_group=SORTED_ROW_GROUP)


def _columns(schema: pa.Schema) -> Columns:
    """The declared columns of a file as it is, which an earlier version may have written."""
    kinds = {kind.arrow: kind for kind in Type}
    return {field.name: kinds[field.type] for field in schema}


def _blanking(key: str, numbers: Collection[int], blanks: Blanks) -> Change:
    def change(table: pa.Table) -> pa.Table:
        hit = _is_in(table[key], numbers)
        if not pc.any(hit).as_py():
            return table
        for name, blank in blanks.items():
            place = table.column_names.index(name) if name in table.column_names else -1
            if place < 0:
                continue
            values = table[name]
            new = pc.floor_temporal(values, unit="year") if blank == _YEAR else pa.scalar(blank, values.type)
            emptied = pc.if_else(hit, pc.cast(new, values.type) if blank == _YEAR else new, values)
            table = table.set_column(place, table.schema.field(place), emptied)
        return table

    return change


def _without_names(named: Mapping[int, Collection[str]], column: str = "cause_note", *, whole: bool = False) -> Change:
    """Texts of households without the names of their people who were erased; `whole`: emptied where it is one."""

    def change(table: pa.Table) -> pa.Table:
        if column not in table.column_names:
            return table
        place = table.column_names.index(column)
        for home, names in named.items():
            for name in names:
                own = pc.equal(table["household_no"], home)
                values = table[column]
                if whole:
                    own, new = pc.and_(own, pc.equal(values, name)), pa.scalar("", values.type)
                else:
                    new = pc.replace_substring(values, name, "※")
                table = table.set_column(
                    place, table.schema.field(place), pc.if_else(pc.fill_null(own, fill_value=False), new, values)
                )
        return table

    return change


def _without_heads(named: Mapping[int, Collection[str]]) -> Change:
    return _without_names(named, "head_name", whole=True)


def _is_in(column: Any, numbers: Collection[int]) -> Any:
    return pc.is_in(column, pa.array(sorted(numbers), column.type))


def _names(persons: Path, people: Collection[int]) -> dict[int, set[str]]:
    """By household the names under which these people stand in a file; nothing once it has forgotten them."""
    found: dict[int, set[str]] = {}
    rows = pq.read_table(persons, columns=["household_no", "name"], filters=[("person_no", "in", list(people))])
    for home, name in zip(rows["household_no"].to_pylist(), rows["name"].to_pylist(), strict=True):
        if name:
            found.setdefault(home, set()).add(name)
    return found


def _has(households: Path, homes: Collection[int], column: str) -> bool:
    """Whether a file still says something of a household's own."""
    if not homes:
        return False
    rows = pq.read_table(households, columns=[column], filters=[("household_no", "in", list(homes))])
    return any(rows[column].to_pylist())


def _rewrite_index(source: Path, target: Path, people: Iterable[int], digest: str) -> None:
    shutil.copyfile(source, target)
    emptied = ", ".join(f"{name} = ''" for name in ("name", *FACTS))
    with closing(sqlite3.connect(target, isolation_level=None)) as index:
        # nothing else sees the file before it is published, and a crash throws it away
        index.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN")
        index.executemany(
            f"UPDATE person_year SET {emptied}, birth_date = substr(birth_date, 1, 4) || '-01-01' WHERE person_no = ?",  # noqa: S608 - declared names
            [(number,) for number in people],
        )
        index.execute("UPDATE fact SET value = ? WHERE name = 'digest'", [digest])
        index.execute("COMMIT")
        index.execute("VACUUM")  # or what was overwritten could stay between the rows


# -- sheets --------------------------------------------------------------------------------------


def _sheets(people: Collection[int]) -> None:
    """The sender's files, and what was wrong with which row, of imports that are over and may have held them."""
    homes = Membership.objects.visible_to(FORGETTING).filter(person_no__in=people).values("household_no")
    villages = set(Household.objects.visible_to(FORGETTING).filter(pk__in=homes).values_list("village_code", flat=True))
    imports = SheetImport.objects.visible_to(FORGETTING).filter(status__in=FINISHED)
    for each in overlapping(imports, villages):
        files = SheetFile.objects.visible_to(FORGETTING).filter(of=each).values_list("raw", flat=True)
        for address in (*files, each.kept):
            if lake().exists(address):
                lake().discard(address)
                reached("registry.sheet_forgotten")
