"""What happens to a case from outside its flow: told in its history, and perhaps back to somebody's desk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.db import transaction

from wanjia.audit.services import JSON, Kind
from wanjia.casework import counters
from wanjia.casework.errors import AsideTooLate
from wanjia.casework.models import Case
from wanjia.casework.rules import Aside
from wanjia.casework.services import holdings
from wanjia.casework.services.moves import MOVED_FIELDS, Act, dates_for, enter
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer


def locked(case_no: int) -> Case:
    """The case under a row lock, for whoever was asked whether he may; what hangs on it is locked after it."""
    rows = Case.objects.visible_to(system_viewer("casework.aside")).select_for_update(of=("self",))
    return rows.get(pk=case_no)


def locked_together(case_nos: Collection[int]) -> list[Case]:
    """As `locked`, for a set, in the order of their numbers."""
    rows = Case.objects.visible_to(system_viewer("casework.aside")).select_for_update(of=("self",))
    return list(rows.filter(pk__in=case_nos).order_by("case_no"))


@transaction.atomic
def happen(*, viewer: Viewer, case_no: int, code: str, note: str = "", data: Mapping[str, JSON] | None = None) -> Case:
    """Write an aside of the case's flow: history, one audit entry and, where it leads somewhere, the move.

    The caller, who owns the flow, has asked whether this viewer may. An aside that leads nowhere
    leaves step and version alone. Raises AsideTooLate where the case is not in a step in which it
    can happen.
    """
    case = locked(case_no)
    aside = case.flow.aside(code)
    act = Act(viewer, case.flow, code, Kind(aside.record))
    came_from = case.step
    if aside.to:
        _move(case, aside, act, note, data or {})
    else:
        act.note_many([(case.step, case, data or {})], note)
    act.record(case=case, content={"case_no": case_no, "from": came_from, "to": case.step, **(data or {})})
    return case


@transaction.atomic
def happen_together(
    *, viewer: Viewer, cases: Sequence[Case], code: str, data: Mapping[int, Mapping[str, JSON]]
) -> None:
    """Write an aside that leads nowhere into the history of these locked cases; `data` is each one's own.

    Set-based, one audit entry for each flow version among them.
    """
    by_flow: dict[int, list[Case]] = {}
    for case in cases:
        by_flow.setdefault(case.flow_version, []).append(case)
    for same in by_flow.values():
        aside = same[0].flow.aside(code)
        act = Act(viewer, same[0].flow, code, Kind(aside.record))
        act.note_many([(case.step, case, data.get(case.case_no, {})) for case in same])
        act.record(content={"n": len(same)})


def _move(case: Case, aside: Aside, act: Act, note: str, data: Mapping[str, JSON]) -> None:
    if case.step not in aside.within:
        raise AsideTooLate(case_no=case.case_no, step=case.at.title)
    came_from, desk, holder = case.step, counters.desk_of(case), case.assignee_id
    target = case.flow.step(aside.to)
    enter(case, target, dates_for(target), act.at)
    case.version += 1
    Case.objects.for_writing().filter(pk=case.pk).update(**{name: getattr(case, name) for name in MOVED_FIELDS})
    holdings.follow(case, before=holder)
    act.write([(came_from, desk, case)], note, data)
