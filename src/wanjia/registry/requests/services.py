"""Proposing changes, reviewing, approving, declining and taking them back. What is direct is applied at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction

from wanjia.accounts.deputies import links_of
from wanjia.accounts.queries import able_at
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import JSON, Kind, common_area, record
from wanjia.kernel import clock
from wanjia.registry.choices import OPEN_REQUESTS, ItemState, RequestState
from wanjia.registry.errors import ConflictsUndecided, NothingProposed, NotYourRequest, RequestOver
from wanjia.registry.fields import FIELDS, editable
from wanjia.registry.models import ChangeRequest, ChangeRequestItem
from wanjia.registry.overlaid import sealed_household
from wanjia.registry.queries import household_for, is_relative
from wanjia.registry.requests import queries
from wanjia.registry.requests.merging import Merge
from wanjia.registry.requests.policy import (
    APPROVE,
    COUNTY,
    DIRECT,
    PROPOSE,
    WRITE,
    desk_of,
    first_step,
    levels_for,
    waits_in_sealed_year,
)
from wanjia.registry.requests.queries import Line, lines_of
from wanjia.registry.services import Changed, Edit, correct, correct_sealed
from wanjia.registry.services.overlay import may_correct_sealed
from wanjia.registry.services.rows import locked
from wanjia.registry.services.writing import checked_reason
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.viewer import Viewer

NOTHING = Changed(None, 0, 0)
DOES_SOMETHING = (Merge.APPLY, Merge.CONFLICT)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a submission: what stands already, and the requests that wait, by number."""

    changed: Changed
    requests: tuple[int, ...]
    waiting: int  # values that wait


@dataclass(frozen=True, slots=True)
class Desk:
    """The office an open request waits at; whether anybody has the post there, and whether one of them may decide."""

    seat: str
    held: bool
    free: bool


@transaction.atomic
def submit(*, viewer: Viewer, household_no: int, edits: Sequence[Edit], reason: str) -> Submitted:
    """Change values of one household and its members, each as the policy says: at once, or by a request.

    Values that one level and values that two levels look at become two requests. Asks for
    `registry.propose`, and for `registry.write` where a value stands at once. Raises what `correct`
    raises, and NothingProposed.
    """
    why = checked_reason(reason)
    household = household_for(viewer, household_no, PROPOSE)
    writes = viewer.may(WRITE, household.village_code)
    by_levels: dict[int, list[Edit]] = defaultdict(list)
    for edit in edits:
        levels = levels_for(editable(edit.field).id, household.village_code, proposes_only=not writes)
        by_levels[levels].append(edit)
    direct = by_levels.pop(DIRECT, [])
    changed = correct(viewer=viewer, edits=direct, reason=why) if direct else NOTHING
    made = [_proposed(viewer, household_no, why, levels, some) for levels, some in sorted(by_levels.items())]
    requests = [each for each in made if each is not None]
    if not changed.fields and not requests:
        raise NothingProposed
    return Submitted(changed, tuple(number for number, _ in requests), sum(count for _, count in requests))


@transaction.atomic
def submit_sealed(*, viewer: Viewer, household_no: int, year: int, edits: Sequence[Edit], reason: str) -> Submitted:
    """Correct facts of a sealed year, each as the policy says: at once, or once a colleague of the county agrees.

    Asks for `registry.approve` over the county of the record. Raises what `correct_sealed` raises, and
    NothingProposed.
    """
    why = checked_reason(reason)
    village = sealed_household(viewer, household_no, year).village_code
    if not may_correct_sealed(viewer, village, household_no):
        raise NotVisible(kind="household")
    waits = [edit for edit in edits if edit.field in FIELDS and waits_in_sealed_year(edit.field, village)]
    direct = [edit for edit in edits if edit not in waits]
    changed = NOTHING
    if direct:
        changed = correct_sealed(viewer=viewer, year=year, edits=direct, reason=why)
    lines = [line for line in queries.compared_in_year(household_no, year, waits) if line.merge in DOES_SOMETHING]
    if lines:
        request = ChangeRequest(
            household_no=household_no, village_code=village, year=year, levels=COUNTY, state=RequestState.COUNTY
        )
        _file(viewer, request, why, lines)
        return Submitted(changed, (request.pk,), len(lines))
    if not changed.fields:
        raise NothingProposed
    return Submitted(changed, (), 0)


def _proposed(
    viewer: Viewer, household_no: int, reason: str, levels: int, edits: Sequence[Edit]
) -> tuple[int, int] | None:
    """A request for these values, checked as if they were written: its number and how many; None where none differs."""
    household = household_for(viewer, household_no, PROPOSE)
    wanted = queries.compared(viewer, household, edits)
    lines = [line for line in wanted if line.merge in DOES_SOMETHING]
    if not lines:
        return None
    state = first_step(viewer, household.village_code, levels)
    request = ChangeRequest(household_no=household.pk, village_code=household.village_code, levels=levels, state=state)
    _file(viewer, request, reason, lines)
    return request.pk, len(lines)


def _file(viewer: Viewer, request: ChangeRequest, reason: str, lines: Sequence[Line]) -> None:
    """Write a request with its items, and that the viewer proposed it."""
    request.reason, request.proposed_by, request.proposed_at = reason, viewer.user_id, clock.now()
    request.save(force_insert=True)
    for line in lines:
        sealed = line.field.protected
        ChangeRequestItem(
            request=request,
            village_code=request.village_code,
            household_no=request.household_no,
            person_no=line.person_no,
            field=line.field.id,
            base="" if sealed else line.base,
            wanted="" if sealed else line.wanted,
            base_sealed=line.base or None if sealed else None,
            wanted_sealed=line.wanted or None if sealed else None,
        ).save(force_insert=True)
    told: dict[str, JSON] = {"fields": sorted({line.field.id for line in lines}), "reason": reason}
    if request.year is not None:
        told["year"] = request.year
    _record(viewer, request, "registry.propose", **told)


@transaction.atomic
def approve(
    *, viewer: Viewer, request_id: int, take: Mapping[int, bool] | None = None, note: str = ""
) -> ChangeRequest:
    """Pass a request on to the county, or let it stand, whichever is its next step.

    `take` says for each item in conflict (by its number) whether the wanted value is taken; when the
    request becomes a correction, every conflict must be said. Raises NotVisible, NotAllowed, NotYourRequest,
    RequestOver, ConflictsUndecided, HouseholdNotLive.
    """
    request = _to_decide(viewer, request_id, note)
    state = RequestState(request.state)
    if state is RequestState.TOWNSHIP and request.levels == COUNTY:
        request.reviewed_by, request.reviewed_at, request.state = viewer.user_id, clock.now(), RequestState.COUNTY
        request.save(update_fields=["reviewed_by", "reviewed_at", "state"])
        _record(viewer, request, "registry.review", note=note)
        return request
    changed = _applied(viewer, request, dict(take or {}))
    request.event_id = changed.event_id
    return _ended(viewer, request, RequestState.APPLIED, note, "registry.approve")


@transaction.atomic
def decline(*, viewer: Viewer, request_id: int, note: str) -> ChangeRequest:
    """Give a request back, with a reason. Raises as `approve` does, and ReasonMissing."""
    request = _to_decide(viewer, request_id, note)
    return _ended(viewer, request, RequestState.DECLINED, checked_reason(note), "registry.decline")


@transaction.atomic
def withdraw(*, viewer: Viewer, request_id: int) -> ChangeRequest:
    """Take one's own request back while it waits. Raises NotVisible, NotYourRequest, RequestOver."""
    request = _open(viewer, request_id, "registry.read")
    if request.proposed_by != viewer.user_id:
        raise NotYourRequest
    return _ended(viewer, request, RequestState.WITHDRAWN, "", "registry.withdraw")


def _applied(viewer: Viewer, request: ChangeRequest, take: dict[int, bool]) -> Changed:
    lines = lines_of(request)
    conflicts = [line for line in lines if line.merge is Merge.CONFLICT]
    if undecided := [line for line in conflicts if line.item is None or line.item.pk not in take]:
        raise ConflictsUndecided(conflicts=len(undecided))
    edits = []
    for line in lines:
        state = _outcome(line, take)
        if state is ItemState.APPLIED:
            number = (
                {"household_no": request.household_no} if line.field.of_household else {"person_no": line.person_no}
            )
            edits.append(Edit(line.field.id, line.field.stored(line.wanted), **number, expected_old=line.current))
        assert line.item is not None  # noqa: S101 - lines of a stored request
        line.item.state = state
        line.item.save(update_fields=["state"])
    if not edits:
        return NOTHING
    proposed: dict[str, JSON] = {"request": request.pk, "proposed_by": request.proposed_by}
    if request.year is not None:
        return correct_sealed(
            viewer=viewer, year=request.year, edits=edits, reason=request.reason, event_id=uuid4(), content=proposed
        )
    return correct(
        viewer=viewer, edits=edits, reason=request.reason, event_id=uuid4(), action=APPROVE, content=proposed
    )


def _outcome(line: Line, take: Mapping[int, bool]) -> ItemState:
    if line.merge is Merge.CONFLICT and line.item is not None:
        return ItemState.APPLIED if take[line.item.pk] else ItemState.KEPT
    return ItemState.APPLIED if line.merge is Merge.APPLY else ItemState.ALREADY


def _open(viewer: Viewer, request_id: int, action: str) -> ChangeRequest:
    """An open request, locked. Raises NotVisible, RequestOver."""
    rows = ChangeRequest.objects.visible_to(viewer, action).filter(pk=request_id)
    found = locked(rows).first()
    if found is None:
        raise NotVisible(kind="change request")
    if found.state not in OPEN_REQUESTS:
        raise RequestOver(state=RequestState(found.state).label)
    return found


def _to_decide(viewer: Viewer, request_id: int, note: str) -> ChangeRequest:
    """An open request that waits at the viewer's desk and is not his own affair."""
    refuse_identity_numbers(note, "note")
    request = _open(viewer, request_id, APPROVE)
    if not at_desk(viewer, request):
        raise NotAllowed(action=APPROVE)
    if not may_decide(viewer, request):
        raise NotYourRequest
    return request


def at_desk(viewer: Viewer, request: ChangeRequest) -> bool:
    """Whether the request waits at the viewer's own desk: an office acts at its own, not at those below it."""
    return viewer.may_at(APPROVE, desk_of(RequestState(request.state), request.village_code))


def may_decide(viewer: Viewer, request: ChangeRequest) -> bool:
    """Whether somebody at the right desk is not kept from deciding by his own part in the matter."""
    return _has_no_part(viewer.user_id, request)


def desk_now(request: ChangeRequest) -> Desk:
    """Where an open request waits, and whether anybody there may decide about it."""
    seat = desk_of(RequestState(request.state), request.village_code)
    able = able_at(APPROVE, seat)
    return Desk(seat, held=bool(able), free=any(_has_no_part(user_id, request) for user_id in sorted(able)))


def _has_no_part(user_id: int, request: ChangeRequest) -> bool:
    had_part = {request.proposed_by, request.reviewed_by}
    days = (clock.day_of(request.proposed_at), clock.today())
    if user_id in had_part or any(link.on(*days) and link.other_id in had_part for link in links_of([user_id])):
        return False
    return not (is_relative(user_id, request.household_no) or queries.helps(user_id, request.household_no))


def _ended(viewer: Viewer, request: ChangeRequest, state: RequestState, note: str, act: str) -> ChangeRequest:
    request.state, request.note = state, note
    request.decided_by, request.decided_at = viewer.user_id, clock.now()
    request.save(update_fields=["state", "note", "decided_by", "decided_at", "event_id"])
    _record(viewer, request, act, note=note)
    return request


def _record(viewer: Viewer, request: ChangeRequest, act: str, **content: JSON) -> None:
    record(
        Kind.DECISION,
        viewer=viewer,
        area=common_area([request.village_code]),
        act=act,
        subject=("household", request.household_no),
        content={"request": request.pk, **content},
    )
