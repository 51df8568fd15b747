"""Cases in lists: what waits for me, what a filter holds, one case, the next one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count, F, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from wanjia.casework import declared, guards
from wanjia.casework.filters import OPEN_STATES, CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.queries.standing import ByStep, Key, beyond, by_step, closed, most_urgent, told_by_counters
from wanjia.casework.rules import Step
from wanjia.scope.reach import stamped
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

PAGE = 50


def case_for(viewer: Viewer, case_no: int) -> Case:
    """One case. Raises NotVisible."""
    return Case.objects.get_visible(viewer, case_no=case_no)


def matching(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[Case]:
    """The cases in the filter that the viewer may read."""
    rows = Case.objects.visible_to(viewer).filter(case_filter.condition())
    if case_filter.mine:
        turn = guards.turn_q(viewer, declared.flows())
        rows = rows.exclude(turn) if case_filter.mine == "0" else rows.filter(turn)
    if case_filter.raised:
        rows = rows.filter(closed_at=None, raised_to__in=guards.offices_of(viewer))
    # when a case of two places was decided stands where neither side reaches; which cases, the rows above say
    return stamped(rows, system_viewer("casework.history")) if case_filter.asks_when_decided else rows


def work_queue(viewer: Viewer, size: int = PAGE, *, after: Key | None = None) -> list[Case]:
    """The first of what waits for this viewer, at his desks and in person, the most urgent first."""
    return _most_urgent(viewer, CaseFilter(mine="1"), size, after)


def _most_urgent(
    viewer: Viewer, case_filter: CaseFilter, size: int, after: Key | None, steps: ByStep | None = None
) -> list[Case]:
    if told_by_counters(viewer, case_filter):
        due = None if steps is None else steps.due_in(case_filter.step)
        return most_urgent(viewer, case_filter, size, after, due)
    return list(matching(viewer, case_filter).filter(beyond(after)).order_by("due_on", "case_no")[:size])


def count(viewer: Viewer, case_filter: CaseFilter) -> int:
    """How many open cases the filter holds: what a bulk act over it must be confirmed for."""
    return matching(viewer, case_filter).filter(closed_at=None).count()


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of a list; `after` is the key of the next page, empty at the end."""

    rows: Sequence[Case]
    total: int
    after: str


def listing(
    viewer: Viewer, case_filter: CaseFilter, *, after: str = "", size: int = PAGE, steps: ByStep | None = None
) -> CasePage:
    """A page of the filter, by deadline and number; pages are found by key, not by counting.

    `steps` is what `waiting_by_step` said of the same filter; the total is then added up from it.
    """
    rows = matching(viewer, case_filter)
    if steps is None:
        steps = waiting_by_step(viewer, case_filter)
    total = _total(viewer, case_filter, steps)
    if not total:
        return CasePage((), 0, "")
    if case_filter.state in OPEN_STATES:
        found = _most_urgent(viewer, case_filter, size + 1, _key(after), steps)
    else:
        found = list(rows.order_by("-case_no").filter(_before(after))[: size + 1])
    more = len(found) > size
    found = found[:size]
    last = found[-1] if more else None
    return CasePage(found, total, "" if last is None else f"{last.due_on or ''}~{last.case_no}")


def _key(after: str) -> Key | None:
    """The key an address names; one that makes no sense is the beginning."""
    day, _, number = after.partition("~")
    try:
        return Key(date.fromisoformat(day), int(number))
    except ValueError:
        return None


def _before(after: str) -> Q:
    number = after.partition("~")[2]
    return Q(case_no__lt=int(number)) if number.isascii() and number.isdigit() else Q()


def next_in_queue(viewer: Viewer, case: Case) -> int | None:
    """The case to turn to after this one: the next by deadline, else the first that waits."""
    turn = guards.turn_q(viewer, declared.flows())
    waiting = Case.objects.visible_to(viewer).filter(turn).order_by("due_on", "case_no").exclude(pk=case.pk)
    if case.due_on is None:
        return waiting.values_list("case_no", flat=True).first()
    later = waiting.filter(Q(due_on__gt=case.due_on) | Q(due_on=case.due_on, case_no__gt=case.case_no))
    # asked from the case itself, so that one statement looks for the first only where there is none later
    first = Coalesce(Subquery(later.values("case_no")[:1]), Subquery(waiting.values("case_no")[:1]))
    found: list[int | None] = list(Case.objects.visible_to(viewer).filter(pk=case.pk).values_list(first, flat=True))
    if found:
        return found[0]
    # out of his sight since he acted
    return later.values_list("case_no", flat=True).first() or waiting.values_list("case_no", flat=True).first()


def of_household(viewer: Viewer, household_no: int, *, except_case: int | None = None) -> QuerySet[Case]:
    """Every case about a household or one of its people, the open ones first."""
    rows = Case.objects.visible_to(viewer).filter(subjects__household_no=household_no).distinct()
    if except_case is not None:
        rows = rows.exclude(pk=except_case)
    return rows.order_by(F("closed_at").desc(nulls_first=True), "case_no")


def open_about(person_nos: Collection[int]) -> int:
    """How many open cases are about these people, wherever they lie; for who must not take them away meanwhile."""
    rows = Case.objects.visible_to(system_viewer("casework.open_about")).filter(closed_at=None)
    return rows.filter(subjects__person_no__in=person_nos).distinct().count()


def waiting_by_step(viewer: Viewer, case_filter: CaseFilter) -> ByStep:
    """(kind, step) → how many cases of the filter stand there, its own step left aside.

    They add up to the filter's total; nothing where closed cases are asked for, which stand in no step.
    """
    if case_filter.state not in OPEN_STATES:
        return ByStep({})
    every_step = replace(case_filter, step="")
    if told_by_counters(viewer, every_step):
        return by_step(viewer, every_step)
    rows = matching(viewer, every_step)
    found = rows.values_list("kind", "step").annotate(n=Count("*")).order_by()
    return ByStep({(kind, step): n for kind, step, n in found})


def _total(viewer: Viewer, case_filter: CaseFilter, steps: ByStep) -> int:
    if case_filter.state in OPEN_STATES:
        return sum(n for (_, step), n in steps.items() if case_filter.step in ("", step))
    done = closed(viewer, case_filter)
    if done is None:
        return matching(viewer, case_filter).count()
    beside = waiting_by_step(viewer, replace(case_filter, state="open")) if case_filter.state == "all" else {}
    return done + sum(beside.values())


def step_titles(kind: str, language: str) -> dict[str, str]:
    """Step code → title, over every version of the kind."""
    titles: dict[str, str] = {}
    for flow in declared.flows():
        if flow.kind == kind:
            titles |= {step.code: step.title.text(language) for step in flow.steps}
    return titles


def open_steps(kind: str) -> list[Step]:
    """The steps of the newest flow in which a case is open."""
    return [step for step in declared.newest(kind).flow.steps if not step.terminal]
