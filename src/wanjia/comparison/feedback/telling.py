"""What a case page says of the department's feedback, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from wanjia.casework.models import Case
from wanjia.comparison.choices import FeedbackState
from wanjia.comparison.describing import department_title
from wanjia.comparison.feedback import queries
from wanjia.comparison.models import Feedback
from wanjia.divisions.queries import name_of
from wanjia.scope.viewer import Viewer
from wanjia.ui.templatetags.wanjia import day


@dataclass(frozen=True, slots=True)
class Told:
    """What stands on the case page: how the department's answer stands, and the feedback's page for its readers."""

    warnings: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


def about(case: Case, viewer: Viewer, language: str) -> Told:
    """The feedback that stands on a case its reader fetched."""
    outcome = case.flow.outcome(case.outcome)
    if outcome is None or not outcome.feedback:
        return Told()  # it says nothing of the record
    feedback, readable = queries.of_case(case.case_no, viewer)
    if feedback is None:
        return Told()
    links = ((_("打开部门反馈"), feedback.get_absolute_url()),) if readable else ()
    return Told((_told(feedback, language),), links)


def _told(feedback: Feedback, language: str) -> str:
    facts = {
        "department": department_title(feedback.department, language),
        "due": day(feedback.due_on),
        "reason": feedback.reason,
    }
    match FeedbackState(feedback.state):
        case FeedbackState.DISPUTED:
            return _("%(department)s对这一结论有异议：%(reason)s") % facts
        case FeedbackState.STOOD_BY:
            return _("%(department)s曾有异议，县级维持结论。") % facts
        case FeedbackState.AGREED:
            return _("%(department)s认可其数据有误。") % facts
        case _:
            if feedback.is_overdue and feedback.raised_to:
                raised = facts | {"place": name_of(feedback.raised_to)}
                return _("已反馈%(department)s，答复期限 %(due)s，已超期并报%(place)s督促。") % raised
            if feedback.is_overdue:
                return _("已反馈%(department)s，答复期限 %(due)s，已超期。") % facts
            return _("已反馈%(department)s，答复期限 %(due)s。") % facts
