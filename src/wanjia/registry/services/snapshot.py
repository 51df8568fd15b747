"""The registry as it stands, into the lake: what comparison and resolution run against.

One transaction reads both tables, so the snapshot is of one instant (SQLite's reader keeps the
state it began with; PostgreSQL is asked for REPEATABLE READ). Whole columns come out in village
order (`scope.readout`) and go into Parquet a piece at a time: memory does not grow with the
province. The same registry gives the same files, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import connection, models, transaction

from wanjia.audit.services import Kind, record
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.lake import Columns, Type
from wanjia.lake.parquet import SORTED_ROW_GROUP
from wanjia.lake.parquet import write as write_parquet
from wanjia.registry.choices import IN_HOUSEHOLD
from wanjia.registry.models import Household, Membership, Person, PersonYear
from wanjia.scope.readout import Selection, batches
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

NAMED_AT_ONCE = 5_000  # numbers one statement may name
PREFIX = "registry"
OF_THE_YEAR = ("health", "on_dibao", "on_tekun")

PERSONS: Columns = {
    "person_no": Type.INTEGER,
    "household_no": Type.INTEGER,
    "person_key": Type.BIGINT,
    "id_valid": Type.BOOLEAN,
    "name": Type.TEXT,
    "name_match": Type.TEXT,
    "sex": Type.TEXT,
    "birth_date": Type.DATE,
    "relation": Type.TEXT,
    "member_status": Type.TEXT,
    "in_household": Type.BOOLEAN,
    "village_code": Type.TEXT,
    "health": Type.TEXT,
    "on_dibao": Type.BOOLEAN,
    "on_tekun": Type.BOOLEAN,
}
"""The last three are of the person's latest year on record; codes of CL-12 are joined by commas."""

HOUSEHOLDS: Columns = {
    "household_no": Type.INTEGER,
    "village_code": Type.TEXT,
    "hamlet": Type.TEXT,
    "head_name": Type.TEXT,
    "household_category": Type.TEXT,
    "poverty_status": Type.TEXT,
    "identified_year": Type.INTEGER,
    "exit_year": Type.INTEGER,
    "member_count": Type.INTEGER,
}
"""Households that left the registry stay in it with an empty poverty status and no members in the household."""


def address_of(snapshot_id: str) -> str:
    """Where in the lake a snapshot is."""
    return f"{PREFIX}/snapshot={snapshot_id}"


def publish_snapshot(*, viewer: Viewer) -> str:
    """Write the whole registry into the lake and record it; returns the snapshot's id.

    Needs no grant over rows: what it writes is read under the reader's own scope. Ids sort in the
    order of publication.
    """
    snapshot_id = _next_id()
    with lake().publishing(address_of(snapshot_id)) as staging, _one_instant():
        counts = {
            "persons": write_parquet(staging.path("persons.parquet"), _persons(), PERSONS, row_group=SORTED_ROW_GROUP),
            "households": write_parquet(
                staging.path("households.parquet"),
                _households(),
                HOUSEHOLDS,
                row_group=SORTED_ROW_GROUP,
            ),
        }
        digest = _digest(staging.path(f"{name}.parquet") for name in sorted(counts))
        staging.manifest.update({**counts, "digest": digest})
    reached("registry.snapshot_published")
    with transaction.atomic():
        record(
            Kind.DELIVERY,
            viewer=viewer,
            area="",
            act="registry.publish_snapshot",
            content={"snapshot": snapshot_id, "digest": digest, **counts},
        )
    reached("registry.snapshot_recorded")
    return snapshot_id


def write_extract(folder: Path, people: Collection[int], households_of: Collection[int] = ()) -> tuple[Path, Path]:
    """These people as a snapshot would show them, with whoever shares a number with one of them, and their households.

    Of those in `households_of` everybody who stands in the household is among them. Returns the
    files of persons and households, in `folder`: not in the lake, and for one use.
    """
    numbers = _with_namesakes_by_number({*people, *_of_one_household_with(households_of)})
    persons, households = folder / "persons.parquet", folder / "households.parquet"
    with _one_instant():
        write_parquet(persons, _persons(numbers), PERSONS)
        write_parquet(households, _households(_homes_of(numbers)), HOUSEHOLDS)
    return persons, households


def _with_namesakes_by_number(people: Collection[int]) -> list[int]:
    """Whose record it is depends on everybody who holds the number."""
    rows = Person.objects.visible_to(system_viewer("registry.snapshot"))
    numbers = set(people)
    for piece in _pieces(sorted(people)):
        keys = rows.filter(person_no__in=piece, person_key__isnull=False).values("person_key")
        numbers.update(rows.filter(person_key__in=keys).values_list("person_no", flat=True))
    return sorted(numbers)


def _of_one_household_with(people: Collection[int]) -> set[int]:
    rows = Person.objects.visible_to(system_viewer("registry.snapshot"))
    return {
        number
        for piece in _pieces(_homes_of(sorted(people)))
        for number in rows.filter(household_no__in=piece).values_list("person_no", flat=True)
    }


def _homes_of(people: Sequence[int]) -> list[int]:
    rows = Person.objects.visible_to(system_viewer("registry.snapshot"))
    return sorted(
        {
            number
            for piece in _pieces(people)
            for number in rows.filter(person_no__in=piece).values_list("household_no", flat=True)
        }
    )


def _pieces(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + NAMED_AT_ONCE] for start in range(0, len(numbers), NAMED_AT_ONCE))


def _next_id() -> str:
    """The day and a running number: 20201116-01."""
    day = clock.today().strftime("%Y%m%d")
    taken = sum(1 for address in lake().list(PREFIX) if address.startswith(address_of(day)))
    return f"{day}-{taken + 1:02d}"


@contextmanager
def _one_instant() -> Iterator[None]:
    """A transaction in which every query sees the same state."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql" and outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _persons(only: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
    for where, params in _narrowed("p.person_no", only):
        yield from batches(_person_selection(where), viewer=system_viewer("registry.snapshot"), params=params)


def _person_selection(where: str) -> Selection:
    """Everybody with his latest membership and the facts of his latest year."""
    present = ", ".join(f"'{status}'" for status in sorted(IN_HOUSEHOLD))
    special = {
        "relation": "m.relation",
        "member_status": "m.member_status",
        "in_household": f"CASE WHEN m.member_status IN ({present}) THEN 1 ELSE 0 END",
        **{name: f"y.{name}" for name in OF_THE_YEAR},
    }
    return Selection(
        {name: special.get(name, f"p.{name}") for name in PERSONS},
        f"""
        FROM {_table(Person)} p
        LEFT JOIN {_table(Membership)} m ON m.person_no = p.person_no AND m.latest
        LEFT JOIN {_table(PersonYear)} y ON y.person_no = p.person_no AND NOT EXISTS (
            SELECT 1 FROM {_table(PersonYear)} later WHERE later.person_no = y.person_no AND later.year > y.year)
        {where} ORDER BY p.village_code, p.person_no
        """,  # noqa: S608 - model names
        PERSONS,
    )


def _households(only: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
    for where, params in _narrowed("h.household_no", only):
        yield from batches(_household_selection(where), viewer=system_viewer("registry.snapshot"), params=params)


def _household_selection(where: str) -> Selection:
    return Selection(
        {name: f"h.{name}" for name in HOUSEHOLDS} | {"head_name": "p.name"},
        f"""
        FROM {_table(Household)} h LEFT JOIN {_table(Person)} p ON p.person_no = h.head_person_no
        {where} ORDER BY h.village_code, h.household_no
        """,
        HOUSEHOLDS,
    )


def _narrowed(column: str, only: Sequence[int] | None) -> Iterator[tuple[str, Sequence[int]]]:
    """The condition of a statement for everybody, or of several that name the numbers wanted."""
    if only is None:
        yield "", ()
        return
    for piece in _pieces(only):
        yield f"WHERE {column} IN ({', '.join(['%s'] * len(piece))})", piece


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _digest(paths: Iterator[Any]) -> str:
    """One digest over the files' bytes, in the order given."""
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()
