"""What the clock says: yellow before the deadline, red after it, then one level up (design.md §5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import transaction
from django.db.models import Q, QuerySet

from wanjia.audit.services import Kind
from wanjia.casework import counters
from wanjia.casework.choices import Alarm
from wanjia.casework.models import Case
from wanjia.casework.rules import level_up
from wanjia.casework.services.moves import RAISED, WARNED, Act, in_chunks
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Escalated:
    """How many steps turned yellow and red in this round."""

    warned: int
    raised: int


def due_for_alarm() -> tuple[list[int], list[int]]:
    """The cases that turned yellow, and those that turned red, and have not been told so."""
    today = clock.today()
    rows = Case.objects.visible_to(_viewer()).filter(closed_at=None).order_by("case_no")
    yellow = rows.filter(alarm=Alarm.NONE, warn_on__lte=today, due_on__gte=today)
    red = rows.filter(~Q(alarm=Alarm.RED), due_on__lt=today)
    return list(yellow.values_list("case_no", flat=True)), list(red.values_list("case_no", flat=True))


@transaction.atomic
def escalate_overdue() -> Escalated:
    """Mark what turned yellow or red since the last round, and raise the red one level.

    A round that is run twice on a day finds nothing the second time. The case does not move: the
    one level up sees it and presses; whose turn it is stays as it was.
    """
    yellow, red = due_for_alarm()
    warned = _mark(yellow, WARNED, Alarm.YELLOW, lambda _: "")
    raised = _mark(red, RAISED, Alarm.RED, lambda case: level_up(case.holder_area))
    return Escalated(warned, raised)


def _mark(numbers: Sequence[int], action: str, alarm: Alarm, raise_to: Callable[[Case], str]) -> int:
    done = 0
    acts: dict[tuple[str, int], Act] = {}
    for piece in in_chunks(numbers):
        cases = list(_locked(piece))
        desks = {case.case_no: counters.desk_of(case) for case in cases}
        for case in cases:
            case.alarm, case.raised_to = alarm, raise_to(case)
        for raised_to, group in groupby(sorted(cases, key=lambda case: case.raised_to), lambda case: case.raised_to):
            same = [case.case_no for case in group]
            Case.objects.for_writing().filter(case_no__in=same).update(alarm=alarm, raised_to=raised_to)
        for key, own in _by_flow(cases).items():
            act = acts.setdefault(key, Act(_viewer(), own[0].flow, action, Kind.DISPATCH))
            act.note_many([(case.step, case, {"raised_to": case.raised_to} if case.raised_to else {}) for case in own])
            act.tally.shift(
                before=(desks[case.case_no] for case in own), after=(counters.desk_of(case) for case in own)
            )
        done += len(cases)
    for act in acts.values():
        act.record(content={"n": len(act.digests)})
    return done


def _by_flow(cases: Sequence[Case]) -> dict[tuple[str, int], list[Case]]:
    found: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        found.setdefault((case.kind, case.flow_version), []).append(case)
    return found


def _locked(numbers: Sequence[int]) -> QuerySet[Case]:
    rows = Case.objects.for_writing().filter(case_no__in=numbers, closed_at=None)
    return rows.select_for_update(of=("self",)).order_by("case_no")


def _viewer() -> Viewer:
    return system_viewer("casework.escalate")
