"""What a bulk act would do, before it is done."""

from __future__ import annotations

from collections.abc import Collection

from wanjia.accounts import queries as accounts
from wanjia.casework import declared, guards
from wanjia.casework.choices import SEAT_LENGTH, Need
from wanjia.casework.filters import CaseFilter
from wanjia.casework.queries.figures import figures_by_area
from wanjia.casework.rules import Action, Step
from wanjia.scope.viewer import Viewer


def assignees(viewer: Viewer, case_filter: CaseFilter, action_code: str) -> dict[int, str]:
    """Whom a bulk act could give cases to: those who may do the next step all over the viewer's desk."""
    found: dict[int, str] = {}
    for action in bulk_actions(viewer, case_filter):
        if action.code != action_code or Need.ASSIGNEE not in action.needs:
            continue
        flow = declared.newest(case_filter.kind or declared.kinds()[0]).flow
        permission = next(after.permission for after in flow.step(action.to).actions if not after.goes_back)
        for desk in guards.seats_of(viewer, action.permission):
            found |= accounts.holders_of(permission, desk)
    return found


def lying_at(viewer: Viewer, desks: Collection[str]) -> dict[str, tuple[int, int]]:
    """Desk → open cases and overdue ones in that unit now, with the desks below it and the people it sent.

    For the desks the viewer oversees; the same figures as the home page's, from the counters.
    """
    words = {flow.read_permission for flow in declared.flows()}
    mine = [desk for desk in desks if any(viewer.may_throughout(word, desk) for word in words)]
    lying: dict[str, tuple[int, int]] = {}
    for length in {len(desk) for desk in mine}:
        lying |= {line.area: (line.open, line.overdue) for line in figures_by_area(viewer, length)}
    return {desk: lying.get(desk, (0, 0)) for desk in mine}


def bulk_actions(viewer: Viewer, case_filter: CaseFilter) -> list[Action]:
    """The bulk actions this viewer's desks offer for the step the filter names."""
    found: dict[str, Action] = {}
    for flow in declared.flows():
        if case_filter.kind and flow.kind != case_filter.kind:
            continue
        for step, action in flow.actions():
            if action.bulk and step.code == case_filter.step and _sits(viewer, step, action):
                found.setdefault(action.code, action)
    return list(found.values())


def _sits(viewer: Viewer, step: Step, action: Action) -> bool:
    """Whether he has a desk of the step's own level, and picks the cases himself.

    What a wider office does for a case of two places, it does singly.
    """
    if guards.unpicked(action):
        return False
    lengths = {SEAT_LENGTH[seat] for seat in (step.seat, *step.also, *action.also)}
    return any(len(desk) in lengths for desk in guards.seats_of(viewer, action.permission))
