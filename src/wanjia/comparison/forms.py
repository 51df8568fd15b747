"""What people type on the pages of runs and findings."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

REASON_LENGTH = 500


class IssueForm(forms.Form):
    """The confirmation of an issue: what was seen, and perhaps another deadline."""

    expected = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    withdrawn = forms.CharField(max_length=2_000, required=False, widget=forms.HiddenInput)  # batches, as told
    due_on = forms.DateField(
        label=_("市级转办期限"),
        required=False,
        help_text=_("不填则按规定的工作日自动计算"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )


class HeldForm(forms.Form):
    """What is decided about a run whose figures are surprising."""

    decision = forms.ChoiceField(choices=[("release", _("确认有效")), ("discard", _("作废"))], widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("理由"), max_length=REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 2}), strip=True
    )


class SampleForm(forms.Form):
    """The draw of a sample: how large, over how many cases."""

    expected = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    percent = forms.DecimalField(
        label=_("抽查比例（%）"), min_value=Decimal("0.1"), max_value=Decimal(100), decimal_places=1, max_digits=4
    )

    def __init__(self, *args: Any, least: Decimal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["percent"].initial = f"{least * 100:.1f}"


class ProgressForm(forms.Form):
    """What the progress table is narrowed to, besides the area."""

    rule = forms.ChoiceField(label=_("规则"), required=False)

    def __init__(self, *args: Any, rules: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].widget.choices = [("", _("全部")), *rules]


class WeekForm(forms.Form):
    """Any day of the week that is wanted."""

    week = forms.DateField(label=_("统计周（其中任一天）"), widget=forms.DateInput(attrs={"type": "date"}))
