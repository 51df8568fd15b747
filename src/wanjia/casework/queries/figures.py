"""Figures from the counters: the home page, areas, verdicts by topic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet, Sum, Value
from django.db.models.functions import Substr

from wanjia.casework import declared, guards
from wanjia.casework.choices import Mutes
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import EVERY_TOPIC, Case, CaseCounter, CaseMove
from wanjia.casework.queries.lists import waiting_by_step
from wanjia.kernel import clock
from wanjia.scope.areas import EVERYWHERE, AreaRange
from wanjia.scope.models import range_q
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class HomeLines:
    """The three lines of the home page, from the counters and a short index."""

    waiting: int
    waiting_yellow: int
    waiting_overdue: int
    overdue_below: int
    raised: int
    moved_since_yesterday: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for somebody at his desks and in person, and how pressing it is."""

    all: int
    yellow: int
    overdue: int


def waiting_for(viewer: Viewer) -> Waiting:
    """What waits for this viewer: his desks from the counters, his own cases from their short index."""
    # Every page says it in its bar, so it is one statement. Both give few rows, which are added up here.
    my_desks = guards.desks_q(viewer, declared.flows())
    mine = Case.objects.visible_to(viewer).filter(guards.in_person_q(viewer)).exclude(my_desks).order_by()
    desks = _lying(viewer).filter(my_desks).order_by().values_list("warn_on", "due_on").annotate(all=Sum("n"))
    one_each = mine.annotate(all=Value(1)).values_list("warn_on", "due_on", "all")
    today, every, yellow, overdue = clock.today(), 0, 0, 0
    for warn_on, due_on, n in one_each.union(desks, all=True):
        every += n
        if due_on is not None and due_on < today:
            overdue += n
        elif due_on is not None and warn_on is not None and warn_on <= today:
            yellow += n
    return Waiting(every, yellow, overdue)


def home_lines(viewer: Viewer, area: str = "") -> HomeLines:
    """What waits for me, what is overdue below me, what changed since yesterday; the last two inside `area`."""
    today, waiting = clock.today(), waiting_for(viewer)
    looked_at = AreaRange.of(area) if area else EVERYWHERE
    late = _lying(viewer).exclude(guards.desks_q(viewer, declared.flows()))
    late = late.filter(range_q("holder_area", looked_at), due_on__lt=today)
    below = late.aggregate(all=Sum("n"))["all"] or 0
    offices = guards.offices_of(viewer)
    raised = sum(waiting_by_step(viewer, CaseFilter(raised="1")).values()) if offices else 0
    moved = (
        _moves(viewer)
        .filter(range_q("area_code", looked_at), on__gte=today - timedelta(days=1))
        .aggregate(all=Sum("n"))["all"]
        or 0
    )
    return HomeLines(
        waiting=waiting.all,
        waiting_yellow=waiting.yellow,
        waiting_overdue=waiting.overdue,
        overdue_below=below,
        raised=raised,
        moved_since_yesterday=moved,
    )


@dataclass(frozen=True, slots=True)
class AreaFigure:
    """Open and overdue cases lying in one part of an area."""

    area: str
    open: int
    overdue: int


def figures_by_area(viewer: Viewer, length: int) -> list[AreaFigure]:
    """Open and overdue cases by area codes cut to `length`, worst first, from the counters.

    A desk of a wider area keeps its own, shorter code; so the figures inside an area add up to its own.
    """
    rows = _lying(viewer).annotate(part=Substr("holder_area", 1, length)).values_list("part").order_by()
    found = rows.annotate(open=Sum("n"), late=Sum("n", filter=Q(due_on__lt=clock.today())))
    return sorted(
        (AreaFigure(area, every, late or 0) for area, every, late in found), key=lambda f: (-f.overdue, -f.open, f.area)
    )


@dataclass(frozen=True, slots=True)
class TopicVerdicts:
    """How the verdicts on one topic went; `share` is the part that held, None before the first."""

    topic: str
    answered: int
    held: int

    @property
    def share(self) -> float | None:
        return self.held / self.answered if self.answered else None


def verdicts(viewer: Viewer, kind: str, area: str = "") -> dict[str, TopicVerdicts]:
    """Topic → how closed cases were answered, in an area the viewer oversees; "cannot verify" counts as neither."""
    flow = declared.newest(kind).flow
    holds = {item.code: item.holds for item in flow.outcomes if item.mutes is not Mutes.NEVER}
    terminal = [step.code for step in flow.steps if step.terminal]
    rows = _moves(viewer).filter(range_q("area_code", AreaRange.of(area) if area else EVERYWHERE))
    found: dict[str, list[int]] = {}
    # a case taken up again after it was closed is answered once more, or not at all
    into, out_of = Q(to_step__in=terminal), Q(action__in=flow.leaving)
    sums = {"closed": Sum("n", filter=into), "left": Sum("n", filter=out_of)}
    counted = rows.filter(into | out_of, kind=kind).values_list("topic", "outcome").annotate(**sums)
    for topic, outcome, closed, left in counted.order_by():
        if outcome in holds:
            n, tally = (closed or 0) - (left or 0), found.setdefault(topic, [0, 0])
            tally[0] += n
            tally[1] += n if holds[outcome] else 0
    return {topic: TopicVerdicts(topic, answered, held) for topic, (answered, held) in found.items()}


def _lying(viewer: Viewer) -> QuerySet[CaseCounter]:
    """The cases that lie on desks the viewer oversees; those about his area that lie higher up are left out."""
    return CaseCounter.objects.lying_with(viewer).filter(topic=EVERY_TOPIC)


def _moves(viewer: Viewer) -> QuerySet[CaseMove]:
    return CaseMove.objects.overseen_by(viewer)


def topics(viewer: Viewer) -> list[str]:
    """The topics there have been cases about where the viewer oversees an area."""
    return sorted(_moves(viewer).order_by().values_list("topic", flat=True).distinct())
