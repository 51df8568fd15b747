"""What a bulk act would do, before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import Substr

from wanjia.accounts import queries as accounts
from wanjia.casework import declared, guards
from wanjia.casework.choices import SEAT_LENGTH, Need
from wanjia.casework.filters import CaseFilter
from wanjia.casework.queries.lists import matching
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


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What a bulk act would do, in numbers: how many cases, to how many desks, until when."""

    count: int
    by_desk: Sequence[tuple[str, int]]
    elsewhere: int  # open cases in the filter that offer no such action now

    @property
    def moving(self) -> int:
        return self.count - self.elsewhere


def bulk_preview(viewer: Viewer, case_filter: CaseFilter, action_code: str) -> BulkPreview:
    """The split of a bulk act by the desks its cases would go to."""
    rows = matching(viewer, case_filter).filter(closed_at=None)
    total = rows.count()
    by_desk: Counter[str] = Counter()
    for flow in declared.flows():
        for step in flow.steps:
            action = flow.action(step.code, action_code)
            if action is None or not action.bulk:
                continue
            length = SEAT_LENGTH[flow.step(action.to).seat]
            here = rows.filter(kind=flow.kind, flow_version=flow.version, step=step.code)
            areas = here.values_list(Substr("area_code", 1, length)).annotate(n=Count("pk")).order_by()
            for area, n in areas:
                by_desk[area] += n
    moving = sum(by_desk.values())
    return BulkPreview(total, sorted(by_desk.items()), total - moving)


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
