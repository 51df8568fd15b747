"""What a department types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wanjia.comparison.choices import DepartmentAnswer, FeedbackState
from wanjia.comparison.feedback.queries import OPEN, OVERDUE, RAISED, RAISED_HERE

LONGEST_REASON = 1000
STATES = (
    ("", _("全部")),
    (OPEN, _("待部门答复")),
    (OVERDUE, _("已超期")),
    (RAISED, _("已报上级")),
    (RAISED_HERE, _("已报到本级")),
    (DepartmentAnswer.AGREE.value, _("部门认可")),
    (DepartmentAnswer.DISPUTE.value, _("部门有异议")),
    (FeedbackState.LIFTED.value, _("答复前已撤回")),
)


class FeedbackFilter(forms.Form):
    """What the list is narrowed to."""

    state = forms.ChoiceField(label=_("状态"), choices=STATES, required=False)
    dataset = forms.ChoiceField(label=_("数据集"), required=False)

    def __init__(self, *args: Any, datasets: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].choices = [("", _("全部")), *datasets]  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """A department's answer to one feedback, and the version it saw."""

    answer = forms.ChoiceField(choices=DepartmentAnswer.choices)
    version = forms.IntegerField(min_value=1, max_value=1_000_000)
    reason = forms.CharField(max_length=LONGEST_REASON, required=False, strip=True)
