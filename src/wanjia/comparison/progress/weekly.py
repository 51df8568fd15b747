"""The official weekly table: what was done in one week, and altogether until its Sunday.

Counted by acts: from the counters of moves above the township, from the history within one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, Sum
from django.db.models.functions import Substr

from wanjia.casework import declared
from wanjia.casework.choices import Mutes, Need
from wanjia.casework.models import CaseEvent, CaseMove
from wanjia.casework.services import moves as acts
from wanjia.comparison.progress.figures import KIND, NEXT_LEVEL, READ, TOWNSHIP, reopening, sees_moves
from wanjia.kernel import clock
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import range_q
from wanjia.scope.viewer import Viewer

WEEK = 7


@dataclass(slots=True)
class Line:
    """One area's line: each figure of the week, and until its end."""

    area: str
    issued: int = 0
    issued_all: int = 0
    verified: int = 0
    verified_all: int = 0
    returned_all: int = 0  # verdicts sent back to be verified anew
    judged_all: int = 0
    true: int = 0
    true_all: int = 0
    corrected: int = 0
    corrected_all: int = 0
    reopened: int = 0
    reopened_all: int = 0
    closed: int = 0
    closed_all: int = 0

    @property
    def verification_rate(self) -> float | None:
        """The part of all issued that has a verdict which was not sent back."""
        return max(0, self.verified_all - self.returned_all) / self.issued_all if self.issued_all else None

    @property
    def true_rate(self) -> float | None:
        """The part of all verdicts that held (属实率)."""
        return self.true_all / self.judged_all if self.judged_all else None

    def count(self, names: tuple[str, ...], week: int, all_: int) -> None:
        """Add acts to the figures of these names."""
        for name in names:
            if hasattr(self, name):
                setattr(self, name, getattr(self, name) + week)
            setattr(self, f"{name}_all", getattr(self, f"{name}_all") + all_)


@dataclass(frozen=True, slots=True)
class Weekly:
    """A week's table of an area, the lines in the order of their codes."""

    area: str
    monday: date
    lines: tuple[Line, ...]
    total: Line

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=WEEK - 1)


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def weekly(viewer: Viewer, area: str, monday: date) -> Weekly:
    """The table of one week for an area, in two statements at most; empty for who oversees nothing."""
    length = NEXT_LEVEL[len(area)]
    lines: dict[str, Line] = {}
    total = Line(area)
    if sees_moves(viewer):
        for part, action, to_step, outcome, week, all_ in _acts(viewer, area, monday, length):
            for line in (lines.setdefault(part, Line(part)), total):
                line.count(_figures_of(action, to_step, outcome), week or 0, all_ or 0)
                if action in declared.newest(KIND).flow.leaving:  # closed in its week all the same
                    line.count(("closed",), 0, -(all_ or 0))
    return Weekly(area, monday, tuple(lines[part] for part in sorted(lines)), total)


def _acts(viewer: Viewer, area: str, monday: date, length: int) -> list[tuple[str, str, str, str, int, int]]:
    sunday = monday + timedelta(days=WEEK - 1)
    inside = range_q("area_code", AreaRange.of(area)) if area else Q()
    if length > TOWNSHIP:
        begin, end = (datetime.combine(day, time.min, clock.CHINA) for day in (monday, sunday + timedelta(days=1)))
        events = CaseEvent.objects.visible_to(viewer, READ).filter(inside, case__kind=KIND, at__lt=end)
        events = events.annotate(part=Substr("area_code", 1, length))
        return list(
            events.values_list("part", "action", "to_step", "outcome")
            .annotate(week=Count("pk", filter=Q(at__gte=begin)), all=Count("pk"))
            .order_by()
        )
    moves = CaseMove.objects.overseen_by(viewer).filter(inside, kind=KIND, on__lte=sunday)
    moves = moves.annotate(part=Substr("area_code", 1, length))
    return list(
        moves.values_list("part", "action", "to_step", "outcome")
        .annotate(week=Sum("n", filter=Q(on__gte=monday)), all=Sum("n"))
        .order_by()
    )


def _figures_of(action: str, to_step: str, outcome: str) -> tuple[str, ...]:
    """Which figures one kind of act counts for."""
    flow = declared.newest(KIND).flow
    if action == acts.OPENED:
        return ("issued",)
    declared_as = next((item for _, item in flow.actions() if item.code == action), None)
    if declared_as is None:  # what the clock says moves nothing
        return ()
    found: list[str] = []
    if Need.OUTCOME in declared_as.needs:
        verdict = flow.outcome(outcome)
        found.append("verified")
        if verdict is not None and verdict.mutes is not Mutes.NEVER:
            found += ["judged", "true"] if verdict.holds else ["judged"]
    if Need.CORRECTION in declared_as.needs:
        found.append("corrected")
    if action in reopening(flow):
        found.append("reopened")
    if action in _undoing():
        found.append("returned")
    if any(step.code == to_step and step.terminal for step in flow.steps):
        found.append("closed")
    return tuple(found)


def _undoing() -> set[str]:
    """The returns that take a verdict back: those offered behind an action that gives one."""
    flow = declared.newest(KIND).flow
    behind = {to for _, action in flow.actions() if Need.OUTCOME in action.needs for to in action.targets}
    for _round in flow.steps:  # as often as there are steps: nothing is further away
        behind |= {
            to
            for step, action in flow.actions()
            if step.code in behind and not action.goes_back
            for to in action.targets
        } | {to for code in behind for to in flow.beyond(code)}
    asking = {step.code for step, action in flow.actions() if Need.OUTCOME in action.needs}
    return {action.code for step, action in flow.actions() if step.code in behind - asking and action.goes_back}
