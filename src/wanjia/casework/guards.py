"""Who may act on a case now: the seat, the person, four eyes, impartiality (domain.md §16.3).

The page asks the same questions to show only what is possible; the services ask them again
under the lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.db.models import Q

from wanjia.accounts import deputies
from wanjia.accounts import queries as accounts
from wanjia.accounts.deputies import Linked
from wanjia.casework import declared
from wanjia.casework.choices import SEAT_LENGTH, Bar, Seat
from wanjia.casework.declared import FlowCallbacks, Reexamined
from wanjia.casework.models import Case, CaseEvent, CaseSubject
from wanjia.casework.rules import Action, Flow, Step, seat_area
from wanjia.kernel import clock
from wanjia.kernel.codes import LENGTHS
from wanjia.reference import queries as reference
from wanjia.scope.areas import AreaRange
from wanjia.scope.bulk import pieces
from wanjia.scope.models import NOTHING
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer

T = TypeVar("T")


def seats_of(viewer: Viewer, permission: str) -> frozenset[str]:
    """The areas at whose very desk the viewer may do this, not merely above it."""
    return frozenset(
        grant.area.lo
        for grant in viewer.grants_for(permission)
        if grant.relation is Relation.ALL
        and len(grant.area.lo) in LENGTHS
        and grant.area == AreaRange.of(grant.area.lo)
    )


def desks_of(step: Step, action: Action, area: str) -> frozenset[str]:
    """The areas whose office may perform `action` in `step` on a case of `area`."""
    seats = (step.seat, *step.also, *action.also)
    return frozenset(seat_area(area, seat) for seat in seats if seat is not Seat.PERSON)


def places_of(cases: Sequence[Case]) -> dict[int, frozenset[str]]:
    """Case number → where somebody must be at home to go to its doors: its area, or those of its several subjects."""
    found = {case.case_no: frozenset({case.area_code}) for case in cases}
    wide = [case.case_no for case in cases if len(case.area_code) < SEAT_LENGTH[Seat.VILLAGE]]
    if wide:
        rows = CaseSubject.objects.visible_to(system_viewer("casework.candidates")).filter(case_id__in=wide)
        for number, area in rows.values_list("case_id", "area_code"):
            found[number] |= {area}
    return found


def goes_there(viewer: Viewer, permission: str, case: Case) -> bool:
    """Whether the viewer may do this where the case is; of two places one is enough, the case was given to him."""
    if viewer.may(permission, case.area_code):
        return True
    return any(viewer.may(permission, area) for area in places_of([case])[case.case_no])


def unpicked(action: Action) -> Bar | None:
    """Whether only a draw performs the action, never a person who picks his cases."""
    return Bar.ONLY_DRAWN if action.unlooked else None


def unstaffed(action: Action, cases: Sequence[Case]) -> dict[int, Bar]:
    """The cases at whose destination nobody could act, for an action that asks."""
    if not action.staffed or action.moves:  # where it moves to is known once somebody says so
        return {}
    desks: dict[int, str] = {}
    wanted: dict[frozenset[str], set[str]] = {}
    for group in _by_flow(cases).values():
        target = group[0].flow.step(action.to)
        able = frozenset(following.permission for following in target.actions)
        own = {case.case_no: seat_area(case.area_code, target.seat) for case in group}
        wanted.setdefault(able, set()).update(own.values())
        desks |= own
    manned = {desk for able, areas in wanted.items() for desk in accounts.staffed(able, areas)}
    return {number: Bar.NO_OFFICE for number, desk in desks.items() if desk not in manned}


def _by_flow(cases: Sequence[Case]) -> dict[tuple[str, int], list[Case]]:
    groups: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.kind, case.flow_version), []).append(case)
    return groups


def returned(
    viewer: Viewer, action: Action, cases: Sequence[Case], told: Sequence[CaseEvent] | None = None
) -> dict[int, Bar]:
    """The cases this desk, or where a person holds them this person, has sent back as often as may be.

    After that the level above has decided that they stay; a case that moved to another place is asked anew.
    `told` is all that happened to them, where the caller has read it.
    """
    if not action.limit_parameter or not cases:
        return {}
    area_of = {case.case_no: case.area_code for case in cases}
    rows = told if told is not None else CaseEvent.objects.of_many(area_of).filter(action=action.code)
    back = [row for row in rows if row.action == action.code and row.area_code == area_of[row.case_id]]
    if cases[0].at.seat is Seat.PERSON:
        own = {viewer.user_id, *viewer.stands_in_for}
        back = [row for row in back if row.by_user in own or row.data.get("for") == viewer.user_id]
    sent = Counter(row.case_id for row in back)
    most = {number: int(reference.parameter(action.limit_parameter, region=area)) for number, area in area_of.items()}
    return {number: Bar.RETURNED for number, n in sent.items() if n >= most[number]}


def seat_bar(viewer: Viewer, case: Case, step: Step, action: Action) -> Bar | None:
    """Whether the turn is somebody else's, and no colleague's he stands in for."""
    own = _seat_bar(viewer.acting_for(0), viewer.user_id, case, step, action)
    return None if own is None or _principal(viewer, case, step, action) else own


def seat_bars(viewer: Viewer, cases: Sequence[Case], step: Step, action: Action) -> dict[int, Bar]:
    """Case number → why it is not the viewer's turn, of cases that stand in one step; the others are left out."""
    found = _of_each(cases, step, lambda case: seat_bar(viewer, case, step, action))
    return {number: bar for number, bar in found.items() if bar is not None}


def stands_in(viewer: Viewer, case: Case, action: Action) -> int:
    """The colleague for whom the viewer acts, where his own posts would not let him; 0 where they do."""
    own = _seat_bar(viewer.acting_for(0), viewer.user_id, case, case.at, action)
    return 0 if own is None else _principal(viewer, case, case.at, action)


def stand_ins(viewer: Viewer, cases: Sequence[Case], step: Step, action: Action) -> dict[int, int]:
    """Case number → the same, of cases that stand in one step."""
    return _of_each(cases, step, lambda case: stands_in(viewer, case, action))


def _of_each(cases: Sequence[Case], step: Step, ask: Callable[[Case], T]) -> dict[int, T]:
    """Case number → the answer. Where it is an office's turn it hangs on the place alone and is asked once for each."""
    if step.seat is Seat.PERSON:
        return {case.case_no: ask(case) for case in cases}
    by_place: dict[str, T] = {}
    for case in cases:
        if case.area_code not in by_place:
            by_place[case.area_code] = ask(case)
    return {case.case_no: by_place[case.area_code] for case in cases}


def _principal(viewer: Viewer, case: Case, step: Step, action: Action) -> int:
    able = (
        number
        for number in sorted(viewer.stands_in_for)
        if _seat_bar(viewer.acting_for(number), number, case, step, action) is None
    )
    return next(able, 0)


def _seat_bar(viewer: Viewer, user_id: int, case: Case, step: Step, action: Action) -> Bar | None:
    """The same for one capacity: the viewer's grants are those of `user_id` alone."""
    if viewer.is_system:
        return Bar.NO_ROLE  # cases are decided by people
    in_person = step.seat is Seat.PERSON and case.holder_user_id == user_id
    if in_person and not action.also and goes_there(viewer, action.permission, case):
        return None
    if seats_of(viewer, action.permission) & desks_of(step, action, case.area_code):
        return None
    if step.seat is Seat.PERSON and not in_person and viewer.may(action.permission, case.area_code):
        return Bar.OTHER_PERSON
    return Bar.OTHER_SEAT if viewer.may(action.permission) else Bar.NO_ROLE


@dataclass(frozen=True, slots=True)
class Acted:
    """Who performed which action on a case, and in whose name."""

    case_no: int
    action: str
    people: tuple[int | None, ...]
    on: date


def _acted(
    case_nos: Collection[int],
    everybody: Collection[int],
    actions: Collection[str],
    told: Sequence[CaseEvent] | None = None,
) -> list[Acted]:
    """What these people have done on these cases. What was done in somebody's name he has done."""
    if not actions:
        return []
    if told is not None:
        every = [
            Acted(row.case_id, row.action, (row.by_user, row.data.get("for")), clock.day_of(row.at)) for row in told
        ]
        return [act for act in every if act.action in actions]
    rows = CaseEvent.objects.of_many(case_nos).filter(
        Q(by_user__in=everybody) | Q(data__for__in=sorted(everybody)), action__in=actions
    )
    found = rows.values_list("case_id", "action", "by_user", "data__for", "at")
    return [Acted(number, action, (by, principal), clock.day_of(at)) for number, action, by, principal, at in found]


def _took_part(acted: Acted, people: Collection[Linked], today: date) -> bool:
    """Whether one of these, as one with somebody now or then, has done it, even if that ended the very day."""
    return any(link.other_id in acted.people and link.on(today, acted.on) for link in people)


def kept_apart(pair: Collection[int], office: str) -> int:
    """How many cases wait at an office for a step that neither of two may take while they count as one.

    One of them has done a step before it, which the other, were he not his deputy, could follow.
    """
    apart = {code for flow in declared.flows() for _, action in flow.actions() for code in action.apart_from}
    area = AreaRange.of(office)
    events = CaseEvent.objects.visible_to(system_viewer("casework.history")).filter(
        Q(by_user__in=pair) | Q(data__for__in=sorted(pair)),
        action__in=sorted(apart), case__closed_at=None, case__area_code__gte=area.lo, case__area_code__lt=area.hi,
    )  # fmt: skip
    did: dict[int, set[str]] = {}
    for number, code in events.values_list("case_id", "action"):
        did.setdefault(number, set()).add(code)
    found = 0
    for numbers in pieces(sorted(did)):
        for case in Case.objects.visible_to(system_viewer("casework.history")).filter(pk__in=numbers):
            found += any(
                action.apart_from & did[case.case_no] and office in desks_of(case.at, action, case.area_code)
                for action in case.at.actions
            )
    return found


def bars(viewer: Viewer, action: Action, cases: Sequence[Case]) -> dict[int, Bar]:
    """Case number → why this viewer may not perform `action` there, seat aside."""
    return bars_by_action(viewer, [action], cases)[action.code]


def bars_by_action(
    viewer: Viewer, actions: Collection[Action], cases: Sequence[Case], told: Sequence[CaseEvent] | None = None
) -> dict[str, dict[int, Bar]]:
    """As `bars`, for several actions; what they have in common is asked once, and nothing of what is `told` again."""
    personal = personal_bars_by_action([viewer.user_id], actions, cases, told)
    return {
        action.code: unstaffed(action, cases)
        | returned(viewer, action, cases, told)
        | {case_no: bar for (_, case_no), bar in personal[action.code].items()}
        for action in actions
    }


def personal_bars(user_ids: Collection[int], action: Action, cases: Sequence[Case]) -> dict[tuple[int, int], Bar]:
    """(user, case number) → why this person may not perform `action` there, whatever his seat."""
    return personal_bars_by_action(user_ids, [action], cases)[action.code]


def personal_bars_by_action(
    user_ids: Collection[int],
    actions: Collection[Action],
    cases: Sequence[Case],
    told: Sequence[CaseEvent] | None = None,
) -> dict[str, dict[tuple[int, int], Bar]]:
    """As `personal_bars`, for several actions; what they have in common is asked once."""
    found: dict[str, dict[tuple[int, int], Bar]] = {action.code: {} for action in actions}
    asked = [action for action in actions if action.apart_from or action.impartial]
    if not asked:
        return found
    today = clock.today()
    one_with = _one_with(user_ids)
    everybody = {link.other_id for people in one_with.values() for link in people}
    apart = {code for action in asked for code in action.apart_from}
    acted = _acted([case.case_no for case in cases], everybody, apart, told)
    impartial = [action for action in asked if action.impartial]
    recused = _recused(everybody, cases) if impartial else {}
    outside = _outside_bars(everybody, impartial, cases)
    for action in asked:
        bars = found[action.code]
        mine = [act for act in acted if act.action in action.apart_from]
        for user_id, people in one_with.items():
            bars |= {(user_id, act.case_no): Bar.TOOK_PART for act in mine if _took_part(act, people, today)}
        if not action.impartial:
            continue
        of_one = {**recused, **outside.get(action.code, {})}
        for user_id, people in one_with.items():
            for link in people:
                if link.on(today):
                    bars |= {(user_id, no): bar for (other, no), bar in of_one.items() if other == link.other_id}
    return found


def _one_with(user_ids: Collection[int]) -> dict[int, list[Linked]]:
    """Each with himself always, and with whom he stands in for or who stands in for him: one person for four eyes."""
    found = {user_id: [Linked(user_id, user_id, date.min, date.max)] for user_id in user_ids}
    for link in deputies.links_of(user_ids):
        found[link.user_id].insert(0, link)  # what is said of himself comes last and stays
    return found


def _recused(user_ids: Collection[int], cases: Sequence[Case]) -> dict[tuple[int, int], Bar]:
    """Who gave back a case about the same household because he is a relative, as he said himself."""
    words = {
        why.code for flow in declared.flows() for _, action in flow.actions() for why in action.whys if why.recuses
    }
    households = {case.household_no for case in cases if case.household_no is not None}
    if not words or not households:
        return {}
    told = CaseEvent.objects.visible_to(system_viewer("casework.history")).filter(
        case__household_no__in=households, by_user__in=user_ids, data__why__in=sorted(words)
    )
    said = set(told.values_list("by_user", "case__household_no"))
    return {
        (user_id, case.case_no): Bar.RELATIVE
        for user_id in user_ids
        for case in cases
        if (user_id, case.household_no) in said
    }


def _outside_bars(
    user_ids: Collection[int], actions: Sequence[Action], cases: Sequence[Case]
) -> dict[str, dict[tuple[int, int], Bar]]:
    found: dict[str, dict[tuple[int, int], Bar]] = {action.code: {} for action in actions}
    if not actions:
        return found
    by_flow: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        by_flow.setdefault((case.kind, case.flow_version), []).append(case)
    for key, own in by_flow.items():
        for code, bars in declared.offered_for(*key).callbacks.barred(user_ids, actions, own).items():
            found[code] |= bars
    return found


def reexamined(acts: Sequence[tuple[Case, Action]]) -> dict[int, Reexamined]:
    """Case number → whether it would be opened again today, where the action on it asks; each owner asked once."""
    asked: dict[int, tuple[FlowCallbacks, list[Case]]] = {}
    for case, action in acts:
        if action.reexamines:
            owner = declared.offered_for(case.kind, case.flow_version).callbacks
            asked.setdefault(id(owner), (owner, []))[1].append(case)
    found: dict[int, Reexamined] = {}
    for owner, cases in asked.values():
        found |= owner.reexamine(cases)
    return found


def turn_q(viewer: Viewer, flows: Sequence[Flow]) -> Q:
    """Open cases on which some action is this viewer's to perform: his desks and his own.

    Each part says for itself that the case is open: only so SQLite looks every part up in its own
    index of open cases, where it would otherwise walk through all of them.
    """
    wanted = in_person_q(viewer)
    for steps, place in _desk_parts(viewer, flows):
        wanted |= Q(closed_at=None, **steps) & place
    return wanted


def in_person_q(viewer: Viewer) -> Q:
    """Open cases in this viewer's own hands, or in those of somebody he stands in for."""
    return Q(closed_at=None, holder_user_id__in=[viewer.user_id, *sorted(viewer.stands_in_for)])


def desks_q(viewer: Viewer, flows: Sequence[Flow]) -> Q:
    """The part of his turn that lies on desks: of cases that are open, and of their counters alike."""
    wanted = NOTHING
    for steps, place in _desk_parts(viewer, flows):
        wanted |= Q(**steps) & place
    return wanted


def _desk_parts(viewer: Viewer, flows: Sequence[Flow]) -> Iterator[tuple[dict[str, Any], Q]]:
    """Steps, and where they wait for the viewer."""
    for flow in flows:
        # steps that wait for him at the same places, said once
        alike: dict[Q, list[str]] = {}
        for step in flow.steps:
            for seat in (step.seat, *step.also):
                place = _desk_q(viewer, step, seat) if seat is not Seat.PERSON else None
                if place is not None:
                    alike.setdefault(place, []).append(step.code)
        for place, codes in alike.items():
            yield {"kind": flow.kind, "flow_version": flow.version, "step__in": sorted(set(codes))}, place


def _desk_q(viewer: Viewer, step: Step, seat: Seat) -> Q | None:
    """Where cases of the step wait for the viewer as `seat`; None if nowhere."""
    desks = sorted(frozenset[str]().union(*(seats_of(viewer, action.permission) for action in step.actions)))
    if seat is step.seat:
        return Q(holder_area__in=desks) if desks else None
    # the office that stands in for the holder: his desk lies inside its area
    inside = [AreaRange.of(desk) for desk in desks if len(desk) == SEAT_LENGTH[seat]]
    if not inside:
        return None
    places = Q(holder_area__gte=inside[0].lo, holder_area__lt=inside[0].hi)
    for area in inside[1:]:
        places |= Q(holder_area__gte=area.lo, holder_area__lt=area.hi)
    return places


def offices_of(viewer: Viewer) -> list[str]:
    """Areas whose office this viewer belongs to, for what was raised to him."""
    acts = {action.permission for flow in declared.flows() for _, action in flow.actions()}
    reads = {flow.read_permission for flow in declared.flows()}
    return sorted({desk for permission in acts | reads for desk in seats_of(viewer, permission)})
