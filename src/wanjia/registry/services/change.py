"""Corrections, removal, exit, members leaving (domain.md §4.8: T3, T5, T7, T8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models, transaction

from wanjia.kernel import clock
from wanjia.reference.queries import code_list
from wanjia.registry.bulk import pieces
from wanjia.registry.choices import (
    EXITED,
    HEAD,
    IN_HOUSEHOLD,
    LEFT_STATUSES,
    MAY_EXIT,
    REMOVED_WITH_HOUSEHOLD,
    Standing,
)
from wanjia.registry.errors import (
    CannotExit,
    EditedTwice,
    FieldNotEditable,
    HeadMustBeNamed,
    HouseholdNotLive,
    NotAMember,
    RecordChangedMeanwhile,
    ValueNotAccepted,
)
from wanjia.registry.fields import FIELDS, Field, as_text, editable
from wanjia.registry.models import Household, Membership, Person
from wanjia.registry.services.writing import Act, Changed, Write, checked_reason, done_before, perform
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.models import ScopedModel
from wanjia.scope.viewer import Viewer

WRITE, APPROVE = "registry.write", "registry.approve"
COUNTY_LENGTH = 6

Row = TypeVar("Row", bound=ScopedModel)


@dataclass(frozen=True, slots=True)
class Edit:
    """One new value. Name the household or the person, as the field asks.

    `expected_old` is the value the editor saw, as text; if it is no longer there the whole
    submission is refused. None skips the comparison.
    """

    field: str
    new: object
    household_no: int | None = None
    person_no: int | None = None
    expected_old: str | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """A member who leaves: as what (CL-13), why (CL-14) and when."""

    person_no: int
    member_status: str
    change_reason: str
    left_on: date


@transaction.atomic
def correct(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    edits: Sequence[Edit],
    reason: str,
    case_no: int | None = None,
    event_id: UUID | None = None,
    action: str = WRITE,
) -> Changed:
    """Correct registered values, all or none, as one act.

    `event_id`, if the client made one, makes a repetition harmless. Raises NotVisible when a
    household or person is outside what the viewer may do `action` on, FieldNotEditable,
    ValueNotAccepted, EditedTwice, HouseholdNotLive, ReasonMissing, and RecordChangedMeanwhile
    when an `expected_old` no longer holds.
    """
    act = Act("registry.correct", viewer, checked_reason(reason), case_no, event_id)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    fields = [editable(edit.field) for edit in edits]
    targets = _Targets(viewer, action, edits, fields)
    writes, conflicts, seen = list[Write](), 0, set[tuple[str, int]]()
    for edit, field in zip(edits, fields, strict=True):
        row = targets.row(edit, field)
        if (field.name, row.pk) in seen:
            raise EditedTwice(field=field.title.zh)
        seen.add((field.name, row.pk))
        write = _write(field, row, field.parse(edit.new))
        if field.name == "relation" and HEAD in (write.old, write.new) and write.old != write.new:
            raise FieldNotEditable(field="relation")  # a change of head concerns two people: change_head
        conflicts += edit.expected_old is not None and edit.expected_old != write.old
        writes.append(write)
    if conflicts:
        raise RecordChangedMeanwhile(conflicts=conflicts)
    targets.refuse_ended()
    return perform(act, writes)


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
    leaving = _ended(_present(household), REMOVED_WITH_HOUSEHOLD, "", clock.today())
    return perform(act, [*leaving, *_closed(household, Standing.REMOVED)])


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
    return perform(act, _household_writes(household, news))


@transaction.atomic
def remove_members(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    household_no: int,
    leaving: Sequence[Leaving],
    reason: str,
    new_head: int | None = None,
    former_relations: Mapping[int, str] | None = None,
    case_no: int | None = None,
    event_id: UUID | None = None,
) -> Changed:
    """T8: members leave the household. When nobody remains it is cancelled (T7).

    A leaving head needs `new_head` among those who remain; `former_relations` states how others
    are related to the new head, where that changes. Asks for `registry.write`. Raises NotVisible,
    HouseholdNotLive, NotAMember, HeadMustBeNamed, ValueNotAccepted, ReasonMissing.
    """
    act = Act("registry.remove_members", viewer, checked_reason(reason), case_no, event_id)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    household = _live(viewer, WRITE, household_no)
    present = {member.person_no: member for member in _present(household)}
    chosen = {item.person_no: item for item in leaving}
    if not chosen or len(chosen) != len(leaving) or not chosen.keys() <= present.keys():
        raise NotAMember(household_no=household_no)
    writes = [write for item in leaving for write in _leaves(present[item.person_no], item)]
    staying = {number: member for number, member in present.items() if number not in chosen}
    if not staying:
        return perform(act, [*writes, *_closed(household, Standing.CANCELLED)])
    if household.head_person_no in chosen or new_head is not None:
        writes += _head_writes(household, staying, new_head, former_relations or {})
    writes += _household_writes(household, {"member_count": len(staying)})
    return perform(act, writes)


@transaction.atomic
def change_head(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    household_no: int,
    new_head: int,
    relations: Mapping[int, str],
    reason: str,
    case_no: int | None = None,
    event_id: UUID | None = None,
) -> Changed:
    """Make another member the head; `relations` gives the former head's (and others') relation to him.

    Raises NotVisible, HouseholdNotLive, HeadMustBeNamed, ValueNotAccepted, ReasonMissing.
    """
    act = Act("registry.change_head", viewer, checked_reason(reason), case_no, event_id)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    household = _live(viewer, WRITE, household_no)
    staying = {member.person_no: member for member in _present(household)}
    return perform(act, _head_writes(household, staying, new_head, relations))


class _Targets:
    """The rows a set of edits names, read with the permission to change them, and locked."""

    def __init__(self, viewer: Viewer, action: str, edits: Sequence[Edit], fields: Sequence[Field]) -> None:
        wanted: dict[type[models.Model], set[int]] = {Household: set(), Person: set(), Membership: set()}
        for edit, field in zip(edits, fields, strict=True):
            number = edit.household_no if field.of_household else edit.person_no
            if number is None:
                raise NotVisible(kind="household" if field.of_household else "person")
            wanted[field.model].add(number)
        self._rows: dict[type[models.Model], dict[int, Any]] = {
            Household: _by_number(Household, viewer, action, wanted[Household]),
            Person: _by_number(Person, viewer, action, wanted[Person]),
            Membership: _by_number(Membership, viewer, action, wanted[Membership], latest=True),
        }
        homes = {row.household_no for rows in self._rows.values() for row in rows.values()}
        known = self._rows[Household]
        missing = homes - known.keys()
        self._homes = {**known, **_by_number(Household, viewer, action, missing)}

    def row(self, edit: Edit, field: Field) -> Any:
        """The row an edit is about. Raises NotVisible."""
        number = edit.household_no if field.of_household else edit.person_no
        row = self._rows[field.model].get(number or 0)
        if row is None:
            raise NotVisible(kind="household" if field.of_household else "person")
        return row

    def refuse_ended(self) -> None:
        """Raise HouseholdNotLive if one of the households has left the registry."""
        ended = sorted(number for number, home in self._homes.items() if not home.is_live)
        if ended:
            raise HouseholdNotLive(household_no=ended[0])


def _by_number(
    model: type[Row], viewer: Viewer, action: str, numbers: Collection[int], **where: object
) -> dict[int, Row]:
    """Rows by household or person number, cut to what the viewer may do `action` on, locked."""
    key = "household_no" if model is Household else "person_no"
    found: dict[int, Row] = {}
    for some in pieces(sorted(numbers)):
        rows = _locked(model.objects.visible_to(viewer, action).filter(**{f"{key}__in": some}, **where))
        found |= {getattr(row, key): row for row in rows}
    return found


def _locked(rows: models.QuerySet[Row]) -> models.QuerySet[Row]:
    # SQLite's IMMEDIATE transaction already holds the only write lock
    return rows.select_for_update(of=("self",)) if connection.features.has_select_for_update_of else rows


def _live(viewer: Viewer, action: str, household_no: int) -> Household:
    found = _by_number(Household, viewer, action, [household_no])
    if household_no not in found:
        raise NotVisible(kind="household")
    if not found[household_no].is_live:
        raise HouseholdNotLive(household_no=household_no)
    return found[household_no]


def _decided_by_county(viewer: Viewer, household_no: int) -> Household:
    """The household, for an act that is the county's to decide (domain.md §4.8), not a township's."""
    household = _live(viewer, APPROVE, household_no)
    if not viewer.may(APPROVE, household.village_code[:COUNTY_LENGTH]):
        raise NotAllowed(action=APPROVE)
    return household


def _present(household: Household) -> list[Membership]:
    """Who belongs to the household now. Its permission is the household's, which was just checked."""
    rows = Membership._base_manager.filter(household_no=household.household_no, latest=True)
    return list(_locked(rows.filter(member_status__in=sorted(IN_HOUSEHOLD)).order_by("person_no")))


def _write(field: Field, row: Any, new: Any) -> Write:
    return Write(
        field=field,
        row=row.pk,
        household_no=row.household_no,
        person_no=getattr(row, "person_no", None),
        village_code=row.village_code,
        old=as_text(getattr(row, field.name)),
        new=new,
    )


def _household_writes(household: Household, news: Mapping[str, Any]) -> list[Write]:
    return [_write(FIELDS[name], household, value) for name, value in news.items()]


def _ended(members: Iterable[Membership], status: str, change_reason: str, on: date) -> Iterator[Write]:
    for member in members:
        yield _write(FIELDS["member_status"], member, status)
        yield _write(FIELDS["left_on"], member, max(on, member.joined_on or on))
        if change_reason:
            yield _write(FIELDS["change_reason"], member, change_reason)


def _leaves(member: Membership, item: Leaving) -> list[Write]:
    left_on = FIELDS["left_on"].parse(item.left_on)
    reason = FIELDS["change_reason"].parse(item.change_reason)
    if item.member_status not in LEFT_STATUSES or item.member_status not in code_list("member_status").items:
        raise ValueNotAccepted(field=FIELDS["member_status"].title.zh, problem="code")
    if not isinstance(left_on, date) or (member.joined_on is not None and left_on < member.joined_on):
        raise ValueNotAccepted(field=FIELDS["left_on"].title.zh, problem="before joining")
    return list(_ended([member], item.member_status, str(reason), left_on))


def _closed(household: Household, standing: Standing) -> list[Write]:
    return _household_writes(
        household,
        {"standing": standing.value, "poverty_status": "", "member_count": 0, "removed_on": clock.today()},
    )


def _head_writes(
    household: Household, staying: Mapping[int, Membership], new_head: int | None, relations: Mapping[int, str]
) -> list[Write]:
    """The new head's relation, everybody else's stated new one, and the household's pointer to him."""
    if new_head is None or new_head not in staying:
        raise HeadMustBeNamed(household_no=household.household_no)
    field = FIELDS["relation"]
    news = {number: str(field.parse(code)) for number, code in relations.items()} | {new_head: HEAD}
    if not news.keys() <= staying.keys():
        raise NotAMember(household_no=household.household_no)
    after = {number: news.get(number, member.relation) for number, member in staying.items()}
    if list(after.values()).count(HEAD) != 1:
        raise HeadMustBeNamed(household_no=household.household_no)
    writes = [_write(field, staying[number], code) for number, code in news.items()]
    return [*writes, *_household_writes(household, {"head_person_no": new_head})]
