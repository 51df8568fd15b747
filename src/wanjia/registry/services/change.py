"""Corrections, removal and exit (domain.md §4.8: T3, T5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models, transaction

from wanjia.audit.services import JSON
from wanjia.kernel import clock
from wanjia.registry.choices import EXITED, HEAD, MAY_EXIT, REMOVED_WITH_HOUSEHOLD, Standing
from wanjia.registry.errors import (
    CannotExit,
    EditedTwice,
    FieldNotEditable,
    HouseholdNotLive,
    RecordChangedMeanwhile,
)
from wanjia.registry.fields import FIELDS, Field, Value, as_text, editable
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation
from wanjia.registry.services.rows import (
    APPROVE,
    WRITE,
    by_number,
    closed,
    ended,
    household_writes,
    live_household,
    moves_of,
    present_members,
    wholes,
    write,
)
from wanjia.registry.services.writing import Act, Changed, Write, checked_reason, done_before, perform
from wanjia.registry.services.years import open_household_years, open_person_years
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.viewer import Viewer

COUNTY_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Edit:
    """One new value. Name the household or the person, as the field asks; a fact of a year goes to the open one.

    `expected_old` is the value the editor saw, as text; if it is no longer there the whole
    submission is refused. None skips the comparison.
    """

    field: str
    new: object
    household_no: int | None = None
    person_no: int | None = None
    expected_old: str | None = None


@transaction.atomic
def correct(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    edits: Sequence[Edit],
    reason: str,
    case_no: int | None = None,
    event_id: UUID | None = None,
    action: str = WRITE,
    content: Mapping[str, JSON] | None = None,
) -> Changed:
    """Correct registered values, all or none, as one act; `content` is what its entry says besides.

    `event_id`, if the client made one, makes a repetition harmless. Raises NotVisible when a
    household or person is outside what the viewer may do `action` on, FieldNotEditable,
    ValueNotAccepted, EditedTwice, HouseholdNotLive, ReasonMissing, and RecordChangedMeanwhile
    when an `expected_old` no longer holds.
    """
    act = Act("registry.correct", viewer, checked_reason(reason), case_no, event_id, content)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    fields = [editable(edit.field) for edit in edits]
    targets = _Targets(viewer, action, edits, fields)
    writes, conflicts, seen = list[Write](), 0, set[tuple[str, int]]()
    parsed = _Parsed()
    for edit, field in zip(edits, fields, strict=True):
        row = targets.row(edit, field)
        if (field.id, row.pk) in seen:
            raise EditedTwice(field=field.title)
        seen.add((field.id, row.pk))
        new = write(field, row, parsed.value(field, edit.new))
        if field.name == "relation" and HEAD in (new.old, new.new) and new.old != new.new:
            raise FieldNotEditable(field="relation")  # a change of head concerns two people: change_head
        conflicts += edit.expected_old not in (None, new.old) and as_text(new.new) != new.old
        writes.append(new)
    if conflicts:
        raise RecordChangedMeanwhile(conflicts=conflicts)
    targets.refuse_ended()
    return perform(act, [*targets.begun(writes), *writes, *targets.sums(writes)])


@transaction.atomic
def remove_household(
    *, viewer: Viewer, household_no: int, reason: str, case_no: int | None = None, event_id: UUID | None = None
) -> Changed:
    """T5: the household was not eligible when it was identified. Its members get status 10.

    The county decides: asks for `registry.approve` over the whole county. Raises NotVisible,
    NotAllowed, HouseholdNotLive, ReasonMissing.
    """
    act = Act("registry.remove_household", viewer, checked_reason(reason), case_no, event_id)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    household = _decided_by_county(viewer, household_no)
    leaving = ended(present_members(household), REMOVED_WITH_HOUSEHOLD, "", clock.today())
    return perform(act, [*leaving, *closed(household, Standing.REMOVED)])


@transaction.atomic
def exit_normally(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    household_no: int,
    exit_year: int,
    reason: str,
    case_no: int | None = None,
    event_id: UUID | None = None,
) -> Changed:
    """T3: the household leaves poverty in `exit_year` and stays entitled to policy.

    The county decides: asks for `registry.approve` over the whole county. Raises NotVisible,
    NotAllowed, HouseholdNotLive, CannotExit, ReasonMissing.
    """
    act = Act("registry.exit_household", viewer, checked_reason(reason), case_no, event_id, {"year": exit_year})
    if (earlier := done_before(event_id)) is not None:
        return earlier
    household = _decided_by_county(viewer, household_no)
    possible = household.identified_year <= exit_year <= clock.today().year
    if household.poverty_status not in MAY_EXIT or not possible:
        raise CannotExit(household_no=household_no, year=exit_year)
    news = {"poverty_status": EXITED, "exit_year": exit_year}
    return perform(act, household_writes(household, news))


class _Parsed:
    """What the values of a correction stand for; the same text is mostly given to many."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Value] = {}

    def value(self, field: Field, raw: object) -> Value:
        """`field.parse(raw)`. Raises ValueNotAccepted."""
        if not isinstance(raw, str):
            return field.parse(raw)
        asked = field.id, raw
        if asked not in self._known:
            self._known[asked] = field.parse(raw)
        return self._known[asked]


class _Targets:
    """The rows a set of edits names, read with the permission to change them, and locked."""

    def __init__(self, viewer: Viewer, action: str, edits: Sequence[Edit], fields: Sequence[Field]) -> None:
        wanted: dict[type[models.Model], set[int]] = defaultdict(set)
        for edit, field in zip(edits, fields, strict=True):
            number = edit.household_no if field.of_household else edit.person_no
            if number is None:
                raise NotVisible(kind=_kind(field))
            wanted[field.model].add(number)
        asked = partial(by_number, viewer=viewer, action=action)
        whole = wanted.keys() & {PersonYear, HouseholdYear, Relocation}  # begin with what is known besides
        of = {model: () if whole else _named(model, fields) for model in (Household, Person, Membership)}
        people = asked(Person, numbers=wanted[Person] | wanted[PersonYear], only=of[Person])
        stays = asked(Membership, numbers=wanted[Membership], only=of[Membership], latest=True)
        homes = asked(
            Household, numbers=wanted[Household] | wanted[HouseholdYear] | wanted[Relocation], only=of[Household]
        )
        named = {row.household_no for rows in (people, stays) for row in rows.values()}
        self._homes = {**homes, **asked(Household, numbers=named - homes.keys(), only=of[Household])}
        self._years = [
            *open_person_years([people[n] for n in wanted[PersonYear] & people.keys()], self._homes).values(),
            *open_household_years([homes[n] for n in wanted[HouseholdYear] & homes.keys()]).values(),
        ]
        for year in self._years:  # whoever corrects a new year has seen what it begins with
            for item in year.begun.values():
                setattr(year.row, item.field.name, item.new)
        moves = moves_of([homes[n] for n in wanted[Relocation] & homes.keys()])
        of_year = {(type(year.row), _owner(year.row)): year.row for year in self._years}
        self._rows: dict[tuple[type[models.Model], int], Any] = {
            **{(Household, number): row for number, row in homes.items()},
            **{(Person, number): row for number, row in people.items()},
            **{(Membership, number): row for number, row in stays.items()},
            **{(Relocation, row.pk): row for row in moves},
            **of_year,
        }

    def row(self, edit: Edit, field: Field) -> Any:
        """The row an edit is about. Raises NotVisible."""
        number = edit.household_no if field.of_household else edit.person_no
        row = self._rows.get((field.model, number or 0))
        if row is None:
            raise NotVisible(kind=_kind(field))
        return row

    def begun(self, writes: Sequence[Write]) -> list[Write]:
        """What new years are begun with, but for what is corrected anyway."""
        said = {(item.field.id, item.row) for item in writes if item.field.of_year and as_text(item.new) != item.old}
        every = [item for year in self._years for item in year.begun.values()]
        return [item for item in every if (item.field.id, item.row) not in said]

    def sums(self, writes: Sequence[Write]) -> list[Write]:
        """The incomes that are the sums of parts corrected (domain.md §4.4).

        Raises ValueNotAccepted where such a whole was itself given and is not their sum.
        """
        given = {(item.field.name, item.row): item.new for item in writes if item.field.model is HouseholdYear}
        found = list[Write]()
        for year in self._years:
            if not isinstance(year.row, HouseholdYear):
                continue
            told = {name: value for (name, row), value in given.items() if row == year.row.pk}
            found += [write(FIELDS[whole], year.row, total) for whole, total in wholes(year.row, told).items()]
        return found

    def refuse_ended(self) -> None:
        """Raise HouseholdNotLive if one of the households has left the registry."""
        ended = sorted(number for number, home in self._homes.items() if not home.is_live)
        if ended:
            raise HouseholdNotLive(household_no=ended[0])


def _named(model: type[models.Model], fields: Iterable[Field]) -> tuple[str, ...]:
    """The columns of a table that these fields are about, and by which a household is known to be live."""
    live = ("standing",) if model is Household else ()
    return (*live, *sorted({field.name for field in fields if field.model is model}))


def _kind(field: Field) -> str:
    return "household" if field.of_household else "person"


def _owner(row: HouseholdYear | PersonYear) -> int:
    return row.person_no if isinstance(row, PersonYear) else row.household_no


def _decided_by_county(viewer: Viewer, household_no: int) -> Household:
    """The household, for an act that is the county's to decide (domain.md §4.8), not a township's."""
    household = live_household(viewer, APPROVE, household_no)
    if not viewer.may(APPROVE, household.village_code[:COUNTY_LENGTH]):
        raise NotAllowed(action=APPROVE)
    return household
