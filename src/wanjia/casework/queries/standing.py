"""The open cases of a filter: how many stand in which step, and the most urgent, from the counters where they can tell.

The counters know a case by its own township, so they answer whoever reads everything in whole
townships. What reaches such a reader through one of several subjects alone, lying elsewhere, and
what is in his own hands, is asked for in the rows and comes on top: both are few. Everybody else's
cases, those of a relation or of a part of a township, are counted in the rows.

The counters also know on which days cases are due, so the most urgent are looked for on those days
only: an index by deadline would else be walked from its beginning, past everybody's older cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet, Sum

from wanjia.casework import declared, guards
from wanjia.casework.choices import SEAT_LENGTH, Seat
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseCounter, CaseMove, CaseSubject
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import NOTHING, range_q
from wanjia.scope.reach import stamped
from wanjia.scope.viewer import Relation, Viewer

Steps = Counter[tuple[str, str]]  # (kind, step) → cases


class ByStep(dict[tuple[str, str], int]):
    """(kind, step) → how many cases of a filter stand there.

    `due` says on which days those are due that the counters know of, by step; None where they tell nothing.
    """

    def __init__(self, steps: Mapping[tuple[str, str], int], due: Mapping[tuple[str, date], int] | None = None) -> None:
        super().__init__(steps)
        self.due = due

    def due_in(self, step: str) -> Counter[date] | None:
        """Day → how many of them are due, in one step or ("") in all."""
        if self.due is None:
            return None
        days: Counter[date] = Counter()
        for (of_step, day), n in self.due.items():
            if step in ("", of_step):
                days[day] += n
        return days


class Key(NamedTuple):
    """The place of a case in a list by deadline."""

    due_on: date
    case_no: int


def key_of(case: Case) -> Key:
    """Where an open case stands in a list by deadline."""
    assert case.due_on is not None  # noqa: S101 - a constraint of the table
    return Key(case.due_on, case.case_no)


def beyond(key: Key | None) -> Q:
    """The open cases behind the key."""
    return Q() if key is None else Q(due_on__gt=key.due_on) | Q(due_on=key.due_on, case_no__gt=key.case_no)


def told_by_counters(viewer: Viewer, case_filter: CaseFilter) -> bool:
    """Whether the counters know what this viewer sees of the filter."""
    return case_filter.counters_tell and _reads_whole_townships(viewer)


def by_step(viewer: Viewer, case_filter: CaseFilter) -> ByStep:
    """How many open cases of the filter stand in which step, if the counters tell."""
    parts = _parts(viewer, case_filter)
    found: Steps = Counter()
    due: Counter[tuple[str, date]] = Counter()
    for counters, sign in parts.counters:
        for kind, step, day, n in counters.order_by().values_list("kind", "step", "due_on").annotate(all=Sum("n")):
            found[kind, step] += sign * n
            due[step, day] += sign * n
    for rows in parts.few:
        found.update(_counted(rows))
    for rows in parts.fewer:
        found.subtract(_counted(rows))
    return ByStep({step: n for step, n in found.items() if n}, due)


def closed(viewer: Viewer, case_filter: CaseFilter) -> int | None:
    """How many closed cases the filter holds, by the moves into a last step and out of it; None if they cannot tell."""
    if not case_filter.moves_tell or not _reads_whole_townships(viewer):
        return None
    into, out_of = NOTHING, NOTHING
    for flow in declared.flows():
        into |= Q(kind=flow.kind, to_step__in=[step.code for step in flow.steps if step.terminal])
        out_of |= Q(kind=flow.kind, action__in=sorted(flow.leaving))
    moves = CaseMove.objects.overseen_by(viewer)
    for name in ("kind", "topic", "outcome"):
        if value := getattr(case_filter, name):
            moves = moves.filter(**{name: value})
    if case_filter.area:
        moves = moves.filter(range_q("area_code", AreaRange.of(case_filter.area)))
    sums = moves.aggregate(into=Sum("n", filter=into), out_of=Sum("n", filter=out_of))
    elsewhere = _from_elsewhere(viewer, replace(case_filter, state="closed")).count()
    return int(sums["into"] or 0) - int(sums["out_of"] or 0) + elsewhere


def most_urgent(
    viewer: Viewer, case_filter: CaseFilter, size: int, after: Key | None = None, due: Counter[date] | None = None
) -> list[Case]:
    """The first cases of the filter behind the key by deadline and number, if the counters tell.

    `due` is what they said already of the days on which its cases are due.
    """
    parts = _parts(viewer, case_filter)
    found: list[Case] = []
    for first, last in _stretches(_due(parts, after) if due is None else due, size, after):
        wanted = parts.many.filter(beyond(after), due_on__gte=first, due_on__lte=last)
        found += wanted.order_by("due_on", "case_no")[: size - len(found)]
        if len(found) >= size:
            break
    for rows in parts.few:
        found += rows.filter(beyond(after)).order_by("due_on", "case_no")[:size]
    return sorted(found, key=key_of)[:size]


@dataclass(frozen=True, slots=True)
class _Parts:
    """A filter's cases in parts that share none: `many`, as the counters have them, and `few`.

    `counters`, each with its sign, and `few` less `fewer` add up to all of them.
    """

    counters: list[tuple[QuerySet[CaseCounter], int]]
    many: QuerySet[Case]
    few: list[QuerySet[Case]]
    fewer: list[QuerySet[Case]]


def _parts(viewer: Viewer, case_filter: CaseFilter) -> _Parts:
    counters, rows, flows = _counters(viewer, case_filter), _rows(viewer, case_filter), declared.flows()
    inside, elsewhere = rows.filter(_inside(viewer)), _from_elsewhere(viewer, case_filter)
    if not case_filter.mine:
        return _Parts([(counters, 1)], inside, [elsewhere], [])
    turn, desks = guards.turn_q(viewer, flows), guards.desks_q(viewer, flows)
    in_hand = inside.filter(guards.in_person_q(viewer)).exclude(desks)
    if case_filter.mine == "1":
        return _Parts([(counters.filter(desks), 1)], inside.filter(desks), [in_hand, elsewhere.filter(turn)], [])
    others = elsewhere.exclude(turn)
    return _Parts([(counters, 1), (counters.filter(desks), -1)], inside.exclude(turn), [others], [in_hand])


def _due(parts: _Parts, after: Key | None) -> Counter[date]:
    due: Counter[date] = Counter()
    for counters, sign in parts.counters:
        rows = counters if after is None else counters.filter(due_on__gte=after.due_on)
        for day, n in rows.order_by().values_list("due_on").annotate(all=Sum("n")):
            due[day] += sign * n
    return due


def _stretches(due: Counter[date], size: int, after: Key | None) -> Iterator[tuple[date, date]]:
    """First and last day of each stretch of deadlines that holds as many cases as are wanted, or all there are."""
    first, held = None, 0
    days = sorted(day for day, n in due.items() if n > 0 and (after is None or day >= after.due_on))
    for day in days:
        first = first or day
        held += due[day] if after is None or day > after.due_on else 0  # of that day's some are before the key
        if held >= size or day == days[-1]:
            yield first, day
            first, held = None, 0


def _reads_whole_townships(viewer: Viewer) -> bool:
    grants = [grant for flow in declared.flows() for grant in viewer.grants_for(flow.read_permission)]
    return all(grant.relation is Relation.ALL and _whole(grant.area) for grant in grants)


def _whole(area: AreaRange) -> bool:
    """Whether a range cuts through no township."""
    return max(len(area.lo), len(area.hi or "")) <= SEAT_LENGTH[Seat.TOWNSHIP]


def _counters(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[CaseCounter]:
    rows = CaseCounter.objects.overseen_by(viewer).filter(case_filter.counter_condition())
    return rows.filter(raised_to__in=guards.offices_of(viewer)) if case_filter.raised else rows


def _rows(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[Case]:
    rows = stamped(Case.objects.for_writing(), viewer).filter(case_filter.condition())
    return rows.filter(raised_to__in=guards.offices_of(viewer)) if case_filter.raised else rows


def _from_elsewhere(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[Case]:
    """What reaches him through a subject in his area, while the case itself lies outside."""
    wanted = NOTHING
    for kind, permission in {flow.kind: flow.read_permission for flow in declared.flows()}.items():
        subjects = CaseSubject.objects.visible_to(viewer, permission).filter(apart=True)
        wanted |= Q(kind=kind, pk__in=subjects.values("case_id"))
    return _rows(viewer, case_filter).filter(wanted).exclude(_inside(viewer))


def _inside(viewer: Viewer) -> Q:
    """The cases of each kind that lie where the viewer reads it."""
    wanted = NOTHING
    for flow in declared.flows():
        for area in viewer.ranges(flow.read_permission):
            wanted |= Q(kind=flow.kind) & range_q("area_code", area)
    return wanted


def _counted(rows: QuerySet[Case]) -> Steps:
    sums = rows.order_by().values_list("kind", "step").annotate(all=Count("pk"))
    return Counter({(kind, step): n for kind, step, n in sums})
