"""Loading the registry: a county at a time, set-based, whole or not at all.

Everything that costs time (checks, keys, encryption, digests) happens before the transaction.
The transaction then only inserts, so on SQLite the one write lock is held for seconds even for
a million people, and nobody ever sees half a county. A load is one audit entry over the rows
taken in; the rows as loaded are kept in the lake with their salts (`registry/load=…`), since
the tables go on to change.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import Model

from wanjia.audit.rules import SALT_SIZE
from wanjia.audit.services import Kind, common_area, record
from wanjia.kernel import clock, names
from wanjia.lake.parquet import write as write_parquet
from wanjia.registry.choices import IN_HOUSEHOLD, RejectReason, Standing
from wanjia.registry.errors import HouseholdNotLive, NothingToLoad
from wanjia.registry.loaded import COLUMNS, FILE, address_of, loaded_digests
from wanjia.registry.models import Household, HouseholdYear, Membership, NameToken, Person, PersonYear, Relocation
from wanjia.registry.services.checks import Checked
from wanjia.registry.services.names import columns_of, tokens_of
from wanjia.registry.services.numbers import reserve
from wanjia.registry.services.rows import WRITE, by_number, household_writes
from wanjia.registry.services.sealing import hold_open, last_sealed, note_history
from wanjia.registry.services.tables import PROTECTED, TABLES, RegistryBatch
from wanjia.registry.services.writing import Act, perform
from wanjia.registry.soundness import are_valid
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.fields import seal_column
from wanjia.scope.keys import keyring
from wanjia.scope.ready import made_ready
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer

FAMILY_FACTS = ("martyr_or_military_family", "one_child_family", "two_daughter_family", "longitude", "latitude")
JOINED = "首次登记补录成员"  # the reason on record
SEPARATOR = "\x1f"  # no text of a load may contain it


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken in: its table, its place in it from 0, and why."""

    table: str
    row: int
    reason: RejectReason


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load took in. Every row of the batch is counted or stands in `rejected`."""

    event_id: UUID
    households: int
    persons: int
    household_years: int
    person_years: int
    relocations: int
    first_household_no: int
    first_person_no: int
    rejected: tuple[Rejected, ...]

    @property
    def reasons(self) -> dict[RejectReason, int]:
        """How many rows were refused for which reason, most first."""
        return dict(Counter(row.reason for row in self.rejected).most_common())


def load_registry(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    batch: RegistryBatch,
    year: int,
    event_id: UUID | None = None,
    joined: Mapping[str, tuple[int, str]] | None = None,
    within: Callable[[], AbstractContextManager[None]] = transaction.atomic,
    also: Callable[[UUID], None] = lambda event_id: None,  # noqa: ARG005
) -> LoadResult:
    """Take a batch of households into the registry as of reporting year `year`.

    Numbers are given in village order, after those given before. Rows that fail a check are left
    out and reported; people go with their household. The first load opens its year, later ones are of
    the open year; facts of earlier years come along, but none of a sealed one. `joined` are registered
    households, by national number, which people of the batch may join. Everything is written `within`
    one transaction, in which `also` is done. Raises ColumnsMissing, NothingToLoad, YearNotOpen, and
    NotAllowed unless the viewer may do `registry.write` in all of the area loaded; HouseholdNotLive
    when a household joined has left.
    """
    checked = Checked(batch.tables(), year, sealed=last_sealed(), joined=joined)
    rejected = tuple(
        Rejected(name, row, reason) for name in TABLES for row, reason in checked.verdicts[name].rejected()
    )
    if not checked.accepted("households").any() and not (checked.accepted("persons") & (checked.joins != 0)).any():
        reasons = Counter(row.reason for row in rejected if row.table == "households").most_common(1)
        first = str(reasons[0][0].label) if reasons else ""
        raise NothingToLoad(rows=checked.tables["households"].num_rows, first_reason=first)
    plan = _Plan(checked, viewer, year, event_id or uuid4())
    if not viewer.may_throughout("registry.write", plan.area):
        raise NotAllowed(action="registry.write")
    _write(plan, batch.source, len(rejected), within, also)
    return LoadResult(
        event_id=plan.event_id,
        **{name: len(columns[_key(name)]) for name, columns in plan.columns.items()},
        first_household_no=plan.first_household,
        first_person_no=plan.first_person,
        rejected=rejected,
    )


def _key(name: str) -> str:
    return "person_no" if name.startswith("person") else "household_no"


class _Plan:
    """A batch turned into the columns of the tables, with numbers given and values sealed."""

    def __init__(self, checked: Checked, viewer: Viewer, year: int, event_id: UUID) -> None:
        self.event_id = event_id
        self._checked = checked
        self.viewer = viewer
        self.year = year
        self._give_numbers()
        homes = self._taken("households", self._home_order)
        self._village_of_joined = dict(checked.joined.values())
        joined = np.unique(checked.joins[checked.accepted("persons")])
        self.joined = {int(no): self._village_of_joined[int(no)] for no in joined if no}
        self.area = common_area([*pc.unique(homes["village_code"]).to_pylist(), *self.joined.values()])
        self._village_of_home = pc.take(checked.tables["households"]["village_code"], pa.array(self._home_order))
        self.columns: dict[str, dict[str, Any]] = {
            "households": self._households(homes),
            "persons": self._persons(),
            "household_years": self._years("household_years", checked.home_of_year),
            "person_years": self._years("person_years", checked.person_of_year),
            "relocations": self._years("relocations", checked.home_of_relocation),
        }
        self.memberships = self._memberships()
        self.tokens = tokens_of(pc.unique(self.columns["persons"]["name_match"]).to_pylist())

    def _give_numbers(self) -> None:
        """Households by village and their order in the batch, people by household and theirs."""
        checked = self._checked
        homes = np.flatnonzero(checked.accepted("households"))
        villages = np.array(checked.tables["households"]["village_code"].to_pylist(), dtype=object)[homes]
        self._home_order = homes[np.argsort(villages.astype(str), kind="stable")]
        self.first_household = reserve("household", len(homes))
        self.home_no = np.zeros(checked.tables["households"].num_rows, np.int64)
        self.home_no[self._home_order] = np.arange(self.first_household, self.first_household + len(homes))

        people = np.flatnonzero(checked.accepted("persons"))
        of_home = self._homes_of(people)
        self._person_order = people[np.argsort(of_home, kind="stable")]
        self.first_person = reserve("person", len(people))
        self.person_no = np.zeros(checked.tables["persons"].num_rows, np.int64)
        self.person_no[self._person_order] = np.arange(self.first_person, self.first_person + len(people))

    def _taken(self, name: str, order: Any) -> dict[str, Any]:
        table = self._checked.tables[name].take(pa.array(order))
        return {column: table[column] for column in table.column_names}

    def _households(self, taken: Mapping[str, Any]) -> dict[str, Any]:
        count = len(self._home_order)
        numbers = self.home_no[self._home_order].tolist()
        present = self._present_rows()
        mine = self._checked.home_of_person[present[self._checked.joins[present] == 0]]
        members = np.bincount(mine, minlength=len(self.home_no))
        return {
            "household_no": numbers,
            **_texts(taken, "national_household_no", "village_code", "hamlet", "recognition_standard"),
            **_texts(taken, "household_category", "poverty_status", "main_cause", "other_causes", "bank_name"),
            **_texts(taken, "cause_note", "village_no"),
            **{name: taken[name] for name in ("identified_year", "exit_year", "return_year")},
            **{name: taken[name] for name in FAMILY_FACTS},
            "relocated": pc.fill_null(taken["relocated"], fill_value=False),
            "phone": seal_column(Household, "phone", numbers, _optional(taken["phone"])),
            "phone_key": keyring().phone_keys(taken["phone"]),
            "bank_account": seal_column(Household, "bank_account", numbers, _optional(taken["bank_account"])),
            "head_person_no": self.person_no[self._checked.heads()[self._home_order]].tolist(),
            "member_count": members[self._home_order].tolist(),
            "year": [self.year] * count,
            "standing": [Standing.LIVE.value] * count,
            "entered_by": pc.fill_null(taken["entered_by"], self.viewer.user_id),
            "entered_on": [clock.today()] * count,
        }

    def _persons(self) -> dict[str, Any]:
        taken = self._taken("persons", self._person_order)
        numbers = self.person_no[self._person_order].tolist()
        return {
            "person_no": numbers,
            "household_no": self._home_of_taken_person().tolist(),
            "village_code": self._villages(self._home_of_taken_person()),
            **_texts(taken, "national_person_no", "name", "id_type", "sex", "ethnicity"),
            "name_match": _match_forms(taken["name"]),
            "birth_date": taken["birth_date"],
            "id_number": seal_column(Person, "id_number", numbers, _optional(taken["id_number"])),
            "phone": seal_column(Person, "phone", numbers, _optional(taken["phone"])),
            "phone_key": keyring().phone_keys(taken["phone"]),
            "person_key": keyring().person_keys(taken["id_number"]),
            "id_valid": are_valid(taken["id_number"], clock.today()).tolist(),
        }

    def _memberships(self) -> dict[str, Any]:
        taken = self._taken("persons", self._person_order)
        people = self.columns["persons"]
        return {
            **{name: people[name] for name in ("person_no", "household_no", "village_code")},
            **_texts(taken, "relation", "member_status", "change_reason"),
            "joined_on": taken["joined_on"],
            "left_on": taken["left_on"],
            "latest": [True] * len(self._person_order),
        }

    def _years(self, name: str, owners: Any) -> dict[str, Any]:
        rows = np.flatnonzero(self._checked.accepted(name))
        taken = self._taken(name, rows)
        if name == "person_years":
            homes = self._homes_of(owners[rows]).tolist()
            keys = {"person_no": self.person_no[owners[rows]].tolist(), "household_no": homes}
        else:
            keys = {"household_no": self.home_no[owners[rows]].tolist()}
        facts = {
            column: _text(values) if values.type == pa.string() else values
            for column, values in taken.items()
            if not column.startswith("national_")
        }
        return {**keys, "village_code": self._villages(np.array(keys["household_no"], np.int64)), **facts}

    def rows(self) -> dict[type[Model], Mapping[str, Any]]:
        """The columns of each table, by field."""
        return {
            Household: self.columns["households"],
            Person: self.columns["persons"],
            Membership: self.memberships,
            HouseholdYear: self.columns["household_years"],
            PersonYear: self.columns["person_years"],
            Relocation: self.columns["relocations"],
            NameToken: columns_of(self.tokens),
        }

    def history(self) -> set[int]:
        """The years before its own that it brings facts of."""
        years = (self.columns[name]["year"] for name in ("household_years", "person_years"))
        return {year for column in years for year in pc.unique(column).to_pylist() if year < self.year}

    def _home_of_taken_person(self) -> Any:
        return self._homes_of(self._person_order)

    def _homes_of(self, people: Any) -> Any:
        """The household number of each of these rows of persons."""
        joins = self._checked.joins[people]
        if not joins.any():
            return self.home_no[self._checked.home_of_person[people]]
        own = np.where(joins == 0, self._checked.home_of_person[people], 0)
        return np.where(joins == 0, self.home_no[own] if len(self.home_no) else 0, joins)

    def _villages(self, home_numbers: Any) -> Any:
        if not self.joined:
            return self._village_of_home.take(pa.array(home_numbers - self.first_household, pa.int64()))
        own = self._village_of_home.to_pylist()
        told = [self.joined.get(no) or own[no - self.first_household] for no in home_numbers.tolist()]
        return pa.array(told, pa.string())

    def newcomers(self) -> dict[int, int]:
        """How many present members each household joined gets."""
        joins = self._checked.joins[self._present_rows()]
        return {
            int(no): int(count) for no, count in zip(*np.unique(joins[joins != 0], return_counts=True), strict=True)
        }

    def _present_rows(self) -> Any:
        statuses = self._checked.tables["persons"]["member_status"]
        present = pc.is_in(statuses, pa.array(sorted(IN_HOUSEHOLD))).to_numpy(zero_copy_only=False)
        return np.flatnonzero(present & self._checked.accepted("persons"))

    def details(self) -> tuple[pa.Table, list[bytes]]:
        """The rows as loaded with their salts, and the digests the entry commits to, in the same order."""
        rows = pa.concat_tables([self._detail_rows(name) for name in TABLES])
        drawn = os.urandom(SALT_SIZE * rows.num_rows)  # one call into the system instead of one per row
        salts = [drawn[at : at + SALT_SIZE] for at in range(0, len(drawn), SALT_SIZE)]
        digests = loaded_digests(rows["table"].to_pylist(), rows["row"].to_pylist(), salts)
        return rows.append_column("salt", pa.array([salt.hex() for salt in salts], pa.string())), digests

    def _detail_rows(self, name: str) -> pa.Table:
        columns = self.columns[name]
        texts = [_as_text(values, sealed=column in PROTECTED) for column, values in columns.items()]
        if name == "persons":
            texts += [_as_text(self.memberships[column], sealed=False) for column in ("relation", "member_status")]
        joined = pc.binary_join_element_wise(*texts, SEPARATOR, null_handling="replace", null_replacement="")
        return pa.table({"table": pa.array([name] * len(joined), pa.string()), "row": joined})


def _write(
    plan: _Plan,
    source: str,
    rejected: int,
    within: Callable[[], AbstractContextManager[None]],
    also: Callable[[UUID], None],
) -> None:
    rows, digests = plan.details()
    counts = {name: len(columns[_key(name)]) for name, columns in plan.columns.items()}
    with (
        made_ready(plan.rows()) as insert,
        within(),
        lake().publishing(address_of(plan.event_id)) as staging,
    ):
        hold_open(plan.year)
        note_history(plan.history())
        _join(plan)
        for model in plan.rows():
            insert(model, but_known=model is NameToken)
        write_parquet(staging.path(FILE), rows, COLUMNS)
        staging.manifest.update({"event_id": str(plan.event_id), "columns": _column_names(plan), **counts})
        record(
            Kind.LOAD,
            viewer=plan.viewer,
            area=plan.area,
            act="registry.load",
            content={"year": plan.year, "source": source, "rejected": rejected, **counts},
            details=digests,
            event_id=plan.event_id,
        )
        also(plan.event_id)


def _join(plan: _Plan) -> None:
    """The households joined have more members: an act of its own, so that each one's history tells it."""
    newcomers = plan.newcomers()
    homes = by_number(Household, plan.viewer, WRITE, plan.joined)
    for number in plan.joined:
        if number not in homes:
            raise NotVisible(kind="household")
        if not homes[number].is_live:
            raise HouseholdNotLive(household_no=number)
    writes = [
        each
        for number, count in newcomers.items()
        for each in household_writes(homes[number], {"member_count": homes[number].member_count + count})
    ]
    if writes:
        perform(Act("registry.join_members", plan.viewer, JOINED), writes)


def _column_names(plan: _Plan) -> dict[str, Sequence[str]]:
    named = {name: list(columns) for name, columns in plan.columns.items()}
    named["persons"] += ["relation", "member_status"]
    return named  # type: ignore[return-value]


def _text(values: Any) -> Any:
    return pc.utf8_trim_whitespace(pc.fill_null(values, ""))


def _texts(taken: Mapping[str, Any], *columns: str) -> dict[str, Any]:
    return {name: _text(taken[name]) for name in columns}


def _optional(values: Any) -> list[str | None]:
    """Texts, with None for the empty ones, so that nothing is sealed where there is nothing."""
    return [text or None for text in _text(values).to_pylist()]


def _match_forms(values: Any) -> Any:
    coded = values.combine_chunks().dictionary_encode()
    forms = [names.match_form(name) for name in coded.dictionary.to_pylist()]
    return pa.array(forms, pa.string()).take(coded.indices)


def _as_text(values: Any, *, sealed: bool) -> Any:
    """A column as texts; of sealed values the digest of the stored bytes."""
    if sealed:
        return pa.array([None if blob is None else hashlib.sha256(blob).hexdigest() for blob in values], pa.string())
    array = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values)
    return pc.cast(array, pa.string())
