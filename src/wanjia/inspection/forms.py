from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wanjia.casework.filters import EARLIEST, LATEST, CaseFilter
from wanjia.casework.forms import STATES, Choice
from wanjia.inspection.models import LONGEST_ANSWER, LONGEST_SEED

LARGEST = 10**9 - 1


class PopulationForm(forms.Form):
    """What a sample is drawn from; kept in the address."""

    topic = forms.ChoiceField(label=_("规则"), required=False)
    outcome = forms.ChoiceField(label=_("核查结果"), required=False)
    state = forms.ChoiceField(label=_("办理情况"), required=False, choices=STATES, initial="all")
    decided_from = forms.DateField(
        label=_("决定日期起"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    decided_to = forms.DateField(label=_("决定日期止"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    area = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, topics: Iterable[Choice], outcomes: Iterable[Choice], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        everything = ("", _("全部"))
        self.fields["topic"].choices = [everything, *topics]  # type: ignore[attr-defined]
        self.fields["outcome"].choices = [everything, *outcomes]  # type: ignore[attr-defined]

    def _day(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day is not None and not EARLIEST <= day <= LATEST:
            raise forms.ValidationError(_("没有这一天的记录，请核对年份。"))
        return day

    def clean_decided_from(self) -> date | None:
        return self._day("decided_from")

    def clean_decided_to(self) -> date | None:
        return self._day("decided_to")

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        first, last = said.get("decided_from"), said.get("decided_to")
        if first and last and first > last:
            self.add_error("decided_to", _("止日早于起日。"))
        return said

    def case_filter(self) -> CaseFilter:
        """What the valid form narrows to; the area stands beside it."""
        said = self.cleaned_data
        days = {name: said[name].isoformat() for name in ("decided_from", "decided_to") if said[name]}
        return CaseFilter(topic=said["topic"], outcome=said["outcome"], state=said["state"] or "all", **days)


class DrawForm(forms.Form):
    """The auditor's own seed, how many, and the population he was shown."""

    seed = forms.CharField(
        label=_("随机种子"),
        max_length=LONGEST_SEED,
        help_text=_("您自己定的一行文字，例如当天公布的开奖号码；同一总体用同一种子，抽出的必定相同。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    size = forms.IntegerField(label=_("抽取件数"), min_value=1, max_value=LARGEST)
    expected = forms.IntegerField(min_value=0, max_value=LARGEST, widget=forms.HiddenInput)
    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most = most
        self.fields["size"].help_text = _("1 至 %(most)s 件") % {"most": f"{most:,}"}

    def clean_size(self) -> int:
        size: int = self.cleaned_data["size"]
        if size > self.most:
            raise forms.ValidationError(_("最多 %(most)s 件。") % {"most": f"{self.most:,}"})
        return size


class AnswerReadingForm(forms.Form):
    """What came of looking into an alert."""

    answer = forms.CharField(
        label=_("核实说明"),
        max_length=LONGEST_ANSWER,
        help_text=_("问过谁、因何工作需要、是否得当；不要写身份证号码。"),
    )
