"""What the clock says to a department that does not answer: a reminder, then its data office is told.

Like a case that nobody sees to (design.md §5): yellow before the deadline, and some working days
after it one level up. The feedback stays the department's to answer; who is told presses it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from wanjia.accounts import queries as accounts
from wanjia.audit.services import JSON
from wanjia.casework.choices import SEAT_LENGTH, Alarm, Seat
from wanjia.casework.rules import level_up
from wanjia.casework.services import happen_together, locked_together
from wanjia.casework.services.moves import in_chunks
from wanjia.comparison.choices import FeedbackState
from wanjia.comparison.feedback import records
from wanjia.comparison.feedback.queries import PRESS
from wanjia.comparison.models import Feedback
from wanjia.kernel import clock
from wanjia.reference import queries as reference
from wanjia.scope.system import system_viewer

DAYS, PROVINCE = "feedback.days.raise", SEAT_LENGTH[Seat.PROVINCE]
CLOCK = system_viewer("comparison.raise")


@dataclass(frozen=True, slots=True)
class Raised:
    """How many feedback were reminded of, and how many raised, in this round."""

    reminded: int
    raised: int


@transaction.atomic
def raise_unanswered() -> Raised:
    """Remind departments of what is soon due, and raise what they left unanswered.

    Each is told once: a round that is run twice on a day finds nothing the second time. The case's
    history keeps both; neither disturbs whoever is just answering.
    """
    today, calendar = clock.today(), reference.calendar()
    days = int(reference.parameter(DAYS, today))
    waiting = Feedback.objects.visible_to(CLOCK).filter(state=FeedbackState.GIVEN).exclude(alarm=Alarm.RED)
    late, near = [], []
    for number, alarm, due_on in waiting.filter(warn_on__lte=today).values_list("pk", "alarm", "due_on"):
        if due_on < today and calendar.add(due_on, days) < today:
            late.append(number)
        elif alarm == Alarm.NONE:
            near.append(number)
    return Raised(_mark(near, Alarm.YELLOW, "department_reminded"), _mark(late, Alarm.RED, "department_unanswered"))


def _mark(numbers: Sequence[int], alarm: Alarm, code: str) -> int:
    done = 0
    for piece in in_chunks(sorted(numbers)):
        rows = Feedback.objects.visible_to(CLOCK).filter(pk__in=piece)
        cases = {case.case_no: case for case in locked_together(list(rows.values_list("case_no", flat=True)))}
        found = list(rows.filter(state=FeedbackState.GIVEN).select_for_update(of=("self",)).order_by("pk"))
        if not found:
            continue
        places = offices_for(found) if alarm is Alarm.RED else {}
        for place in sorted({places.get(item.pk, "") for item in found}):
            same = [item.pk for item in found if places.get(item.pk, "") == place]
            rows.filter(pk__in=same).update(alarm=alarm, raised_to=place)
        facts = {item.case_no: _facts(item, places.get(item.pk, "")) for item in found}
        happen_together(viewer=CLOCK, cases=[cases[number] for number in sorted(facts)], code=code, data=facts)
        done += len(found)
    return done


def _facts(feedback: Feedback, place: str) -> dict[str, JSON]:
    told: dict[str, JSON] = {"feedback": feedback.pk, "department": feedback.department}
    return told | ({"raised_to": place} if place else {})


def offices_for(feedbacks: Sequence[Feedback]) -> dict[int, str]:
    """Feedback → the area whose data office answers for it: of the level that received the delivery.

    Where nobody has an account there, the next level up that has; the province where none has. So it
    is with a delivery that is no longer known.
    """
    delivered = records.areas_delivered(feedbacks)
    wanted = {item.pk: delivered.get(item.pk) or item.area_code[:PROVINCE] for item in feedbacks}
    manned = _manned(wanted.values())
    return {number: _office(area, manned) for number, area in wanted.items()}


def _manned(areas: Iterable[str]) -> Collection[str]:
    reached, waiting = set[str](), set(areas)
    while waiting:
        reached |= waiting
        waiting = {level_up(area) for area in waiting if len(area) > PROVINCE} - reached
    return accounts.staffed({PRESS}, reached)


def _office(area: str, manned: Collection[str]) -> str:
    while area not in manned and len(area) > PROVINCE:
        area = level_up(area)
    return area
