"""What may be done with a case now, and to whom it may be given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count

from wanjia.accounts import queries as accounts
from wanjia.casework import declared, guards
from wanjia.casework.choices import Bar
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.rules import Action
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Offer:
    """An action of the present step, with the reason against it if there is one."""

    action: Action
    bar: Bar | None


def offers(viewer: Viewer, case: Case, told: Sequence[CaseEvent] | None = None) -> list[Offer]:
    """What the present step offers, and to this viewer in particular; `told` is all that happened to the case."""
    step = case.at
    barred = {
        action.code: guards.seat_bar(viewer, case, step, action) or guards.unpicked(action) for action in step.actions
    }
    free = [action for action in step.actions if barred[action.code] is None]
    asked = guards.bars_by_action(viewer, free, [case], told)
    barred |= {code: bars.get(case.case_no) for code, bars in asked.items()}
    return [Offer(action, barred[action.code]) for action in step.actions]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a case might be given to; `bar` says why not, `remark` what speaks for him."""

    user_id: int
    name: str
    remark: str
    bar: Bar | None
    open_cases: int


def candidates(case: Case, action: Action, language: str) -> list[Candidate]:
    """Whom `action` could give the case to: the suitable first, the barred last with the reason."""
    permission = _permission_of_assignee(case, action)
    people = _able(permission, guards.places_of([case])[case.case_no])
    reasons = _assignee_bars(case, action, people, people)
    callbacks = declared.offered_for(case.kind, case.flow_version).callbacks
    remarks = callbacks.remarks(list(people), case, language)
    busy = open_by_person(people)
    found = [
        Candidate(number, name, remarks.get(number, ""), reasons.get(number), busy.get(number, 0))
        for number, name in people.items()
    ]
    return sorted(found, key=lambda item: (item.bar is not None, not item.remark, item.open_cases, item.name))


def open_by_person(user_ids: Collection[int]) -> dict[int, int]:
    """User → how many open cases are in his hands, wherever they lie; who has none is left out."""
    rows = Case.objects.visible_to(system_viewer("casework.candidates"))
    rows = rows.filter(closed_at=None, holder_user_id__in=user_ids)
    return dict(rows.values_list("holder_user_id").annotate(n=Count("pk")).order_by())


def assignee_bars(case: Case, action: Action, user_ids: Collection[int]) -> dict[int, Bar]:
    """Why these people may not be given the case by `action`; the others may."""
    able = _able(_permission_of_assignee(case, action), guards.places_of([case])[case.case_no])
    return _assignee_bars(case, action, user_ids, able)


def _assignee_bars(case: Case, action: Action, user_ids: Collection[int], able: Collection[int]) -> dict[int, Bar]:
    found = {number: Bar.NO_ROLE for number in user_ids if number not in able}
    known = [number for number in user_ids if number in able]  # nobody has the others, or could
    for bars in guards.personal_bars_by_action(known, _following(case, action), [case]).values():
        for (number, _), bar in bars.items():
            found.setdefault(number, bar)
    return found


def assignee_bars_over(cases: Sequence[Case], action: Action, user_id: int) -> dict[int, Bar]:
    """Case number → why this one person may not be given it; set-based over a bulk act."""
    found: dict[int, Bar] = {}
    permission, places = _permission_of_assignee(cases[0], action), guards.places_of(cases)
    able = {area for area in frozenset().union(*places.values()) if user_id in accounts.holders_of(permission, area)}
    found |= {number: Bar.NO_ROLE for number, areas in places.items() if not areas & able}
    for after in _following(cases[0], action):
        for (_, number), bar in guards.personal_bars([user_id], after, cases).items():
            found.setdefault(number, bar)
    return found


def _able(permission: str, areas: Collection[str]) -> dict[int, str]:
    """User → name of those who may do this in one of the areas."""
    found: dict[int, str] = {}
    for area in sorted(areas):
        found |= accounts.holders_of(permission, area)
    return found


def _following(case: Case, action: Action) -> tuple[Action, ...]:
    """What the person will be asked to do with the case: the forward actions of the next step."""
    return tuple(after for after in case.flow.step(action.to).actions if not after.goes_back)


def _permission_of_assignee(case: Case, action: Action) -> str:
    return _following(case, action)[0].permission
