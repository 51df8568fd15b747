"""What a case page says of the department's feedback, and where it leads."""

from __future__ import annotations

from django.utils.translation import gettext as _

from wanjia.casework.models import Case
from wanjia.comparison.choices import FeedbackState
from wanjia.comparison.describing import department_title
from wanjia.comparison.feedback import queries
from wanjia.comparison.models import Feedback
from wanjia.scope.viewer import Viewer
from wanjia.ui.templatetags.wanjia import day


def warnings(case: Case, language: str) -> tuple[str, ...]:
    """How the department's answer stands; its words where it disputes."""
    feedback = queries.of_case(case.case_no)
    return () if feedback is None else (_told(feedback, language),)


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
            if feedback.is_overdue:
                return _("已反馈%(department)s，答复期限 %(due)s，已超期。") % facts
            return _("已反馈%(department)s，答复期限 %(due)s。") % facts


def links(case: Case, viewer: Viewer) -> tuple[tuple[str, str], ...]:
    """The feedback's own page, for those who may open it."""
    found = queries.of_case(case.case_no)
    if found is None or not Feedback.objects.visible_to(viewer).filter(pk=found.pk).exists():
        return ()
    return ((_("打开部门反馈"), found.get_absolute_url()),)
