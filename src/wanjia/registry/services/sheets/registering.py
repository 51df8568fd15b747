"""A first registration: the two sheets become one batch of a load.

A household that is registered already is not registered again: its row is known, and people of
the member sheet who are not registered join it. So a sheet that was put right can be sent again,
whole or as the reject sheet that came back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake.identity import judge_many
from wanjia.kernel import clock, names
from wanjia.registry.choices import HEAD, RejectReason, Remark, Standing
from wanjia.registry.errors import ColumnsNeeded
from wanjia.registry.fields import FIELDS, Field
from wanjia.registry.models import Household, Person
from wanjia.registry.national import numbered
from wanjia.registry.services.checks import Checked
from wanjia.registry.services.rows import WRITE
from wanjia.registry.services.sealing import last_sealed
from wanjia.registry.services.sheets.placing import by_row, place
from wanjia.registry.services.sheets.reading import Rows, flags
from wanjia.registry.services.tables import TABLES, RegistryBatch
from wanjia.scope.bulk import pieces
from wanjia.scope.viewer import Viewer

PRESENT = "1"  # CL-13; what a sheet that says nothing of it means by a member
NEEDED = ("household_category", "poverty_status", "identified_year")

At = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Registration:
    """What a first registration would do: the batch, the registered households people join, and where they live."""

    batch: RegistryBatch
    joined: Mapping[str, tuple[int, str]]
    villages: Sequence[str]  # of the households, one each

    @property
    def households(self) -> int:
        return int(self.batch.households.num_rows)

    @property
    def persons(self) -> int:
        return int(self.batch.persons.num_rows)


def registration(  # noqa: PLR0913 - what was sent, and what was said of it
    *, viewer: Viewer, homes: Rows, people: Rows, area: str, year: int, terms: Mapping[str, Any], source: str
) -> Registration:
    """Judge the rows of the two sheets and make the batch of those that stand. Raises ColumnsNeeded."""
    needed = [name for name in NEEDED if name not in homes.has and not terms.get(name)]
    if needed:
        raise ColumnsNeeded(columns="、".join(FIELDS[name].title.zh for name in needed))
    codes = place(homes, area)
    joined = _known(viewer, homes, people, area)
    for rows in (homes, people):
        _refuse_masked(rows)
    _compare_heads(homes, people)
    _compare_numbers(people)
    while True:
        lost = homes.column("household_no").filter(pa.array(~homes.alive))
        stands = homes.column("household_no").filter(pa.array(homes.alive))
        mine = people.column("household_no")
        gone = pc.and_(pc.is_in(mine, lost), pc.invert(pc.is_in(mine, stands)))
        people.refuse(flags(gone), "", RejectReason.HOUSEHOLD_REJECTED)
        at, who = np.flatnonzero(homes.alive & ~homes.known), np.flatnonzero(people.alive & ~people.known)
        tables = _tables(homes, people, at, who, by_row(codes, at), year, terms)
        batch = RegistryBatch(**tables, source=source)
        checked = Checked(batch.tables(), year, sealed=last_sealed(), joined=joined)
        if not _refused(checked, tables, homes, people, at, who):
            return Registration(batch, joined, by_row(codes, at).to_pylist())


def _refuse_masked(rows: Rows) -> None:
    """What is registered for the first time is registered whole: numbers of people, and their names."""
    for name in rows.has:
        item = rows.contract.by_name[name]
        of: Field | None = item.of  # type: ignore[attr-defined]
        if name in ("name", "household_phone") or (of is not None and of.protected):
            masked = flags(pc.match_substring_regex(rows.column(name), "[*＊]"))
            rows.refuse(masked & ~rows.known, name, RejectReason.MASKED)


def _known(viewer: Viewer, homes: Rows, people: Rows, area: str) -> dict[str, tuple[int, str]]:
    """Mark what is registered in the area already; returns the households people may join."""
    mine = people.column("household_no")
    asked = pc.unique(pa.concat_arrays([homes.column("household_no"), mine])).to_pylist()
    found: dict[str, tuple[int, str, str]] = {}
    visible = Household.objects.visible_to(viewer, WRITE).filter(village_code__startswith=area)
    columns = ("national_household_no", "household_no", "village_code", "standing")
    for some in pieces([text for text in asked if text]):
        for text, number, village, standing in visible.filter(numbered("national_household_no", some)).values_list(
            *columns
        ):
            found[text] = (number, village, standing)
    ended = pa.array([text for text, told in found.items() if told[2] != Standing.LIVE], pa.string())
    for rows in (homes, people):
        rows.refuse(flags(pc.is_in(rows.column("household_no"), ended)), "household_no", RejectReason.NOT_LIVE)
    live = {text: (number, village) for text, (number, village, standing) in found.items() if standing == Standing.LIVE}
    homes.known = homes.alive & flags(pc.is_in(homes.column("household_no"), pa.array(list(live), pa.string())))
    registered: list[str] = []
    persons = Person.objects.visible_to(viewer, WRITE).filter(village_code__startswith=area)
    numbers = pc.unique(people.column("member_no")).to_pylist()
    for some in pieces([text for text in numbers if text]):
        registered += persons.filter(numbered("national_person_no", some)).values_list("national_person_no", flat=True)
    people.known = people.alive & flags(pc.is_in(people.column("member_no"), pa.array(registered, pa.string())))
    for rows in (homes, people):
        rows.remark(rows.known, "", Remark.KNOWN)
    return live


def _compare_heads(homes: Rows, people: Rows) -> None:
    """Remark households whose head is called otherwise in the member sheet."""
    if "head_name" not in homes.has:
        return
    heads = flags(pc.equal(people.column("relation"), HEAD)) & people.alive
    at = np.flatnonzero(heads)
    who = zip(people.column("household_no").take(pa.array(at)).to_pylist(),
              people.column("name").take(pa.array(at)).to_pylist(), strict=True)  # fmt: skip
    named = {home: names.match_form(name) for home, name in who if name}
    told = zip(homes.column("household_no").to_pylist(), homes.column("head_name").to_pylist(), strict=True)
    other = [bool(name) and home in named and names.match_form(name) != named[home] for home, name in told]
    homes.remark(np.array(other, np.bool_), "head_name", Remark.HEAD_DISAGREES)


def _compare_numbers(people: Rows) -> None:
    """Remark people whose sex or birthday is not what their number says."""
    judged = judge_many(pc.fill_null(people.column("id_number"), ""), clock.today())
    for name, said, what in (
        ("sex", judged.sex, Remark.SEX_DISAGREES),
        ("birth_date", judged.born_on, Remark.BIRTH_DISAGREES),
    ):
        sound = flags(judged.valid)
        people.remark(sound & flags(pc.not_equal(people.column(name), said)), name, what)


def _tables(  # noqa: PLR0913 - which rows of which sheets, and what is said of all of them
    homes: Rows, people: Rows, at: At, who: At, villages: pa.Array, year: int, terms: Mapping[str, Any]
) -> dict[str, pa.Table]:
    of_home, of_person = pa.array(at), pa.array(who)
    number, member = homes.column("household_no").take(of_home), people.column("member_no").take(of_person)
    household: dict[str, Any] = {"national_household_no": number, "village_code": villages}
    household |= _declared("households", homes, of_home)
    for name in NEEDED:
        if terms.get(name):
            value = int(terms[name]) if name == "identified_year" else str(terms[name])
            household[name] = pc.fill_null(household[name], pa.scalar(value, household[name].type))
    household["phone"] = _phones(household["phone"], number, people)
    persons: dict[str, Any] = {
        "national_person_no": member,
        "national_household_no": people.column("household_no").take(of_person),
        **_declared("persons", people, of_person),
    }
    persons["member_status"] = pc.fill_null(persons["member_status"], PRESENT)
    years = pa.array([year] * len(at), pa.int32())
    moves = _declared("relocations", homes, of_home)
    said = np.logical_or.reduce([flags(pc.is_valid(values)) for values in moves.values()])
    return {
        "households": pa.table(household),
        "persons": pa.table(persons),
        "household_years": pa.table(
            {"national_household_no": number, "year": years, **_declared("household_years", homes, of_home)}
        ),
        "person_years": pa.table(
            {
                "national_person_no": member,
                "year": pa.array([year] * len(who), pa.int32()),
                **_declared("person_years", people, of_person),
            }
        ),
        "relocations": pa.table({"national_household_no": number, **moves}).filter(pa.array(said)),
    }


_IDS = {
    name: {
        (field.name if field.id != "member_phone" else "phone"): field.id
        for field in FIELDS.values()
        if field.model.__name__
        in {
            "households": ("Household",), "persons": ("Person", "Membership"), "household_years": ("HouseholdYear",),
            "person_years": ("PersonYear",), "relocations": ("Relocation",),
        }[name]
    }
    for name in TABLES
}  # fmt: skip


def _declared(table: str, rows: Rows, at: pa.Array) -> dict[str, Any]:
    """The sheet's columns of one table of a load."""
    ids = {column: ids for column, ids in _IDS[table].items() if column in TABLES[table]}
    known = rows.contract.by_name
    return {column: rows.column(name).take(at) for column, name in ids.items() if name in known}


def _phones(own: pa.Array, numbers: pa.Array, people: Rows) -> pa.Array:
    """The household's phone; where its sheet says none, what the member sheet says."""
    told = dict(
        zip(people.column("household_no").to_pylist(), people.column("household_phone").to_pylist(), strict=True)
    )
    mine = zip(own.to_pylist(), numbers.to_pylist(), strict=True)
    return pa.array([phone or told.get(number) for phone, number in mine], pa.string())


def _refused(  # noqa: PLR0913 - the check and what it was made of
    checked: Checked, tables: Mapping[str, pa.Table], homes: Rows, people: Rows, at: At, who: At
) -> bool:
    """Refuse the sheets' rows of which any part fails, first what is wrong with themselves; whether there were any."""
    numbers, moves = (tables[name]["national_household_no"] for name in ("households", "relocations"))
    moved = np.flatnonzero(flags(pc.is_in(numbers, moves)))
    where = {"households": at, "household_years": at, "relocations": at[moved], "persons": who, "person_years": who}
    follows = (RejectReason.HOUSEHOLD_REJECTED, RejectReason.HEAD_MISSING)
    told = [
        (homes if rows is not who else people, int(rows[row]), reason)
        for name, rows in where.items()
        for row, reason in checked.verdicts[name].rejected()
    ]
    own = [item for item in told if item[2] not in follows]
    for rows, row, reason in own or told:
        rows.refuse_row(row, "", reason)
    return bool(told)
