"""Figures of suspects as they stand now, in three statements whatever the number of cases and areas.

Issued are all that were issued; verified those with an outcome; the true rate is the part of the
verdicts that held, "cannot be verified" counting as neither; corrected those whose correction has
been proposed or done, of those that need one. A household's contact sees figures of his own cases
only, a department those of its own records: the rows are cut like every list.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median_low

from django.db.models import Case as DatabaseCase
from django.db.models import Count, DurationField, ExpressionWrapper, Q, QuerySet, Sum, Value, When
from django.db.models import Expression as DatabaseExpression
from django.db.models.functions import Substr, TruncDate

from wanjia.casework import declared
from wanjia.casework.choices import Mutes, Need
from wanjia.casework.models import Case, CaseEvent, CaseMove
from wanjia.casework.rules import Flow
from wanjia.kernel import clock
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import range_q
from wanjia.scope.viewer import Relation, Viewer

KIND = "suspect"
READ = "suspects.read"
NEXT_LEVEL = {0: 4, 2: 4, 4: 6, 6: 9, 9: 12, 12: 12}
TOWNSHIP = 9
BEYOND = ""  # the part of an area that lies outside it
COUNTS = ("issued", "verified", "judged", "true", "to_correct", "corrected", "overdue", "closed")


@dataclass(slots=True)
class Figures:
    """One line of a progress table, in cases. `reopened` is None where its reader may not know."""

    issued: int = 0
    verified: int = 0
    judged: int = 0  # verdicts that say true or not true
    true: int = 0
    to_correct: int = 0
    corrected: int = 0
    overdue: int = 0
    closed: int = 0
    reopened: int | None = None
    days: Counter[int] = field(default_factory=Counter)  # days from issue to close → cases

    @property
    def verification_rate(self) -> float | None:
        """The part of what was issued that has an outcome."""
        return self.verified / self.issued if self.issued else None

    @property
    def true_rate(self) -> float | None:
        """The part of the verdicts that held (属实率)."""
        return self.true / self.judged if self.judged else None

    @property
    def corrected_rate(self) -> float | None:
        """The part of what must be corrected that has been."""
        return self.corrected / self.to_correct if self.to_correct else None

    @property
    def median_days(self) -> int | None:
        """The median of the calendar days from issue to close."""
        return median_low(self.days.elements()) if self.days else None

    def add(self, other: Figures) -> None:
        """Take another line's cases in."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.reopened is not None:
            self.reopened = (self.reopened or 0) + other.reopened
        self.days.update(other.days)


Key = tuple[str, str, str]  # part of the area, rule, department


@dataclass(frozen=True, slots=True)
class Progress:
    """The figures of one area: by the parts one level below, by rule, by department, and together."""

    area: str
    length: int
    cells: Mapping[Key, Figures]

    @property
    def total(self) -> Figures:
        """All of it."""
        return self._by(lambda _: "").get("", Figures())

    @property
    def by_part(self) -> dict[str, Figures]:
        """By the next level below; a case of several parts stands under the area that holds them all.

        Cases that lie outside the area and reach the reader through one of their people stand under `BEYOND`.
        """
        return self._by(lambda key: key[0])

    @property
    def by_rule(self) -> dict[str, Figures]:
        """By rule."""
        return self._by(lambda key: key[1])

    @property
    def by_department(self) -> dict[str, Figures]:
        """By the department whose records were compared; "" for rules over the registry alone."""
        return self._by(lambda key: key[2])

    def _by(self, part: Callable[[Key], str]) -> dict[str, Figures]:
        found: dict[str, Figures] = {}
        for key, figures in self.cells.items():
            found.setdefault(part(key), Figures()).add(figures)
        return found


def progress(viewer: Viewer, area: str, rule: str = "") -> Progress:
    """How far the suspects of `area` have come, as far as this viewer may read them.

    Of his own whole area all he may read is counted, as lists show it: with what was sent on to
    another place, or lies between his own and another, and is about his people all the same.
    """
    length = NEXT_LEVEL[len(area)]
    rows = _cases(viewer, area, rule).annotate(part=_part(area, length))
    cells: dict[Key, Figures] = defaultdict(Figures)
    counts = _counts()
    for part, topic, department, *numbers in (
        rows.values_list("part", "topic", "department").annotate(**counts).order_by()
    ):
        figures = cells[part, topic, department]
        for name, n in zip(counts, numbers, strict=True):
            setattr(figures, name, n)
    _add_days(cells, rows)
    _add_reopened(cells, viewer, area, rule, length)
    return Progress(area, length, dict(cells))


def _cases(viewer: Viewer, area: str, rule: str) -> QuerySet[Case]:
    rows = Case.objects.visible_to(viewer).filter(kind=KIND)
    if area and area != viewer.home_area:
        rows = rows.filter(range_q("area_code", AreaRange.of(area)))
    return rows.filter(topic=rule) if rule else rows


def _part(area: str, length: int) -> DatabaseExpression:
    part = Substr("area_code", 1, length)
    if not area:
        return part
    return DatabaseCase(When(range_q("area_code", AreaRange.of(area)), then=part), default=Value(BEYOND))


def _counts() -> dict[str, Count]:
    flow = declared.newest(KIND).flow
    holds = [item.code for item in flow.outcomes if item.holds]
    judged = [item.code for item in flow.outcomes if item.mutes is not Mutes.NEVER]
    correcting = correctable(flow)
    done = Q(outcome__in=correcting) & ~Q(step__in=before_correction(flow))
    conditions = {
        "issued": Q(),
        "verified": ~Q(outcome=""),
        "judged": Q(outcome__in=judged),
        "true": Q(outcome__in=holds),
        "to_correct": Q(outcome__in=correcting),
        "corrected": done,
        "overdue": Q(closed_at=None, due_on__lt=clock.today()),
        "closed": Q(closed_at__isnull=False),
    }
    return {name: Count("pk", filter=condition or None) for name, condition in conditions.items()}


def correctable(flow: Flow) -> list[str]:
    """The outcomes whose cases wait for a correction."""
    waiting = before_correction(flow)
    return sorted({code for _, action in flow.actions() for code, step in action.routes.items() if step in waiting})


def before_correction(flow: Flow) -> list[str]:
    """The steps in which a true suspect still waits for its correction."""
    return [step.code for step in flow.steps if any(Need.CORRECTION in action.needs for action in step.actions)]


def _add_days(cells: dict[Key, Figures], rows: QuerySet[Case]) -> None:
    took = ExpressionWrapper(TruncDate("closed_at") - TruncDate("opened_at"), output_field=DurationField())
    closed = rows.filter(closed_at__isnull=False).annotate(took=took)
    for part, topic, department, duration, n in (
        closed.values_list("part", "topic", "department", "took").annotate(n=Count("pk")).order_by()
    ):
        cells[part, topic, department].days[_days(duration)] += n


def _days(duration: timedelta) -> int:
    return duration.days


def _add_reopened(cells: dict[Key, Figures], viewer: Viewer, area: str, rule: str, length: int) -> None:
    """How often a sample sent cases back; counted per township, within one from its history."""
    if not sees_moves(viewer):
        return
    codes = reopening(declared.newest(KIND).flow)
    departments = {(part, topic): department for part, topic, department in cells}
    for figures in cells.values():
        figures.reopened = 0
    for part, topic, n in _acts(viewer, area, rule, length, codes):
        key = (part, topic, departments.get((part, topic), ""))
        figures = cells.setdefault(key, Figures())
        figures.reopened = (figures.reopened or 0) + n


def sees_moves(viewer: Viewer) -> bool:
    """Whether the counters of moves are this viewer's to read: he oversees an area."""
    return any(grant.relation is Relation.ALL for grant in viewer.grants_for(READ))


def reopening(flow: Flow) -> list[str]:
    """The actions that send back what was decided already: returns offered where the county's decision is done."""
    later = {to for _, action in flow.actions() if action.applies and not action.goes_back for to in action.targets}
    for step in flow.steps:
        if step.code in later:
            later |= {to for action in step.actions for to in action.targets if not action.goes_back}
    later |= {to for code in later for to in flow.beyond(code)}
    return sorted({action.code for step, action in flow.actions() if step.code in later and action.goes_back})


def _acts(viewer: Viewer, area: str, rule: str, length: int, codes: Iterable[str]) -> list[tuple[str, str, int]]:
    narrowed = Q(topic=rule) if rule else Q()
    if length > TOWNSHIP:
        events = CaseEvent.objects.visible_to(viewer, READ).filter(action__in=codes, case__kind=KIND)
        events = events.filter(range_q("area_code", AreaRange.of(area))).annotate(part=Substr("area_code", 1, length))
        if rule:
            events = events.filter(case__topic=rule)
        return list(events.values_list("part", "case__topic").annotate(n=Count("pk")).order_by())
    moves = CaseMove.objects.overseen_by(viewer).filter(narrowed, kind=KIND, action__in=codes)
    if area:
        moves = moves.filter(range_q("area_code", AreaRange.of(area)))
    moves = moves.annotate(part=Substr("area_code", 1, length))
    return list(moves.values_list("part", "topic").annotate(total=Sum("n")).order_by())
