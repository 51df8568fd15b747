"""Reading feedback: a department its own, the offices that of their area."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from wanjia.casework import guards
from wanjia.casework.models import CaseEvent
from wanjia.comparison.choices import DepartmentAnswer, FeedbackState
from wanjia.comparison.models import Feedback, WrongRecord
from wanjia.kernel import clock
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import range_q
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

READ, ANSWER, PRESS = "sources.read", "sources.feedback", "sources.press"
KEEPER = system_viewer("comparison.feedback")
OPEN, OVERDUE, RAISED, RAISED_HERE = "open", "overdue", "raised", "raised_here"
NAMES = ("given", "agreed", "disputed", "open", "overdue", "raised", "lifted")
SETTLING = ("stand_by", "look_again", "reopen")


def feedback_for(viewer: Viewer, feedback_id: int) -> Feedback:
    """One feedback. Raises NotVisible."""
    return Feedback.objects.get_visible(viewer, pk=feedback_id)


def waiting(viewer: Viewer) -> QuerySet[Feedback]:
    """What waits for this department officer's answer, the most urgent first."""
    return Feedback.objects.visible_to(viewer, ANSWER).filter(state=FeedbackState.GIVEN).order_by("due_on", "id")


def _raised_here(viewer: Viewer) -> Q:
    offices = sorted(guards.seats_of(viewer, PRESS))
    return Q(state=FeedbackState.GIVEN, raised_to__in=offices)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What departments have not answered in time, in an area; `raised` of it to the viewer's own office."""

    overdue: int
    raised: int


def unanswered(viewer: Viewer, area: str = "") -> Unanswered:
    """For who answers for deliveries. One statement."""
    rows = _inside(viewer, area, PRESS).order_by()
    counted = rows.aggregate(
        overdue=Count("pk", filter=_state_q(OVERDUE)), raised=Count("pk", filter=_raised_here(viewer))
    )
    return Unanswered(**counted)


def listed(viewer: Viewer, state: str = "", dataset: str = "", area: str = "") -> QuerySet[Feedback]:
    """The feedback the viewer may read, narrowed; what is open by its deadline, else the newest first."""
    rows = _inside(viewer, area)
    rows = rows.filter(_raised_here(viewer)) if state == RAISED_HERE else rows.filter(_state_q(state))
    if dataset:
        rows = rows.filter(dataset=dataset)
    return rows.order_by(*(("due_on", "id") if state in (OPEN, OVERDUE, RAISED, RAISED_HERE) else ("-id",)))


def _inside(viewer: Viewer, area: str, action: str | None = None) -> QuerySet[Feedback]:
    rows = Feedback.objects.visible_to(viewer, action)
    return rows.filter(range_q("area_code", AreaRange.of(area))) if area else rows


def _state_q(state: str) -> Q:
    late = Q(state=FeedbackState.GIVEN, due_on__lt=clock.today())
    conditions = {
        OPEN: Q(state=FeedbackState.GIVEN),
        OVERDUE: late,
        RAISED: Q(state=FeedbackState.GIVEN) & ~Q(raised_to=""),
        DepartmentAnswer.AGREE.value: Q(answer=DepartmentAnswer.AGREE),
        DepartmentAnswer.DISPUTE.value: Q(answer=DepartmentAnswer.DISPUTE),
        FeedbackState.LIFTED.value: Q(state=FeedbackState.LIFTED, answer=""),
    }
    return conditions.get(state, Q())


@dataclass(frozen=True, slots=True)
class Figures:
    """One dataset's, or department's, feedback: given = agreed + disputed + open + lifted.

    Overdue is of the open ones, raised of the overdue.
    """

    of: str
    given: int
    agreed: int
    disputed: int
    open: int
    overdue: int
    raised: int
    lifted: int  # taken back before the department answered


def figures(viewer: Viewer, area: str = "", *, by: str = "dataset", rule: str = "") -> list[Figures]:
    """Counts per dataset, or `by` "department", over what the viewer may read; most overdue first. One statement."""
    parts = (
        DepartmentAnswer.AGREE.value, DepartmentAnswer.DISPUTE.value, OPEN, OVERDUE, RAISED, FeedbackState.LIFTED.value,
    )  # fmt: skip
    counts = [Count("pk"), *(Count("pk", filter=_state_q(state)) for state in parts)]
    rows = _inside(viewer, area).filter(**({"rule": rule} if rule else {})).order_by().values(by)
    counted = rows.annotate(**dict(zip(NAMES, counts, strict=True))).values_list(by, *NAMES)
    return sorted((Figures(*row) for row in counted), key=lambda line: (-line.overdue, -line.open, line.of))


def total(lines: Collection[Figures]) -> Figures:
    """All datasets together."""
    return Figures("", *(sum(getattr(line, name) for line in lines) for name in NAMES))


def of_case(case_no: int, viewer: Viewer) -> tuple[Feedback | None, bool]:
    """The feedback that stands on a case the viewer fetched, and whether he may read it itself."""
    rows = Feedback.objects.visible_to(KEEPER).exclude(state=FeedbackState.LIFTED).filter(case_no=case_no)
    own = Feedback.objects.visible_to(viewer).filter(pk=OuterRef("pk"))
    found = rows.annotate(readable=Exists(own)).first()
    return found, found is not None and found.readable


def county_word(feedback: Feedback) -> str:
    """Why the finding was stood by, or taken back: what was written then."""
    if feedback.settled_at is None or feedback.settled_by is None:
        return ""
    acts = CaseEvent.objects.of_many([feedback.case_no]).filter(action__in=SETTLING, by_user=feedback.settled_by)
    return acts.filter(at__lte=feedback.settled_at).order_by("-id").values_list("note", flat=True).first() or ""


def agreed_wrong(viewer: Viewer, datasets: Collection[str]) -> list[WrongRecord]:
    """The rows of these datasets that their department agreed to be wrong, as far as the viewer may see them."""
    rows = WrongRecord.objects.visible_to(viewer).filter(dataset__in=list(datasets))
    return list(rows.filter(feedback__state=FeedbackState.AGREED).select_related("feedback").order_by("id"))
