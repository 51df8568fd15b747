"""What people type on the pages of cases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wanjia.casework.filters import CaseFilter
from wanjia.kernel import clock

Choice = tuple[str, str]  # a value and its words
NOTE_LENGTH = 2_000
PLACE_LENGTH = 60
LONGEST_MET = 100
SPREAD = 0  # stands where a person is chosen: everybody gets his share
STATES = [
    ("open", _("未办结")),
    ("overdue", _("已超期")),
    ("yellow", _("快到期")),
    ("closed", _("已办结")),
    ("all", _("全部")),
]


class FilterForm(forms.Form):
    """The filter bar; its fields carry the names `CaseFilter` has."""

    step = forms.ChoiceField(label=_("环节"), required=False)
    topic = forms.ChoiceField(label=_("规则"), required=False)
    state = forms.ChoiceField(label=_("办理情况"), required=False, choices=STATES)
    household = forms.CharField(label=_("户编号"), required=False, max_length=9)  # shorter than a phone
    mine = forms.CharField(required=False, widget=forms.HiddenInput)
    raised = forms.CharField(required=False, widget=forms.HiddenInput)
    area = forms.CharField(required=False, widget=forms.HiddenInput)
    under = forms.CharField(required=False, widget=forms.HiddenInput)
    place = forms.CharField(required=False, widget=forms.HiddenInput)
    beyond = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        case_filter: CaseFilter,
        *,
        steps: Iterable[Choice],
        topics: Iterable[Choice],
        **kwargs: Any,
    ) -> None:
        initial = {name: getattr(case_filter, name) for name in self.base_fields}
        super().__init__(initial=initial, **kwargs)
        everything = ("", _("全部"))
        self.fields["step"].widget.choices = [everything, *steps]
        self.fields["topic"].widget.choices = [everything, *topics]
        if not case_filter.area:
            del self.fields["area"]


class ActForm(forms.Form):
    """One answer to a case, whatever its action needs; the service judges whether it is complete."""

    action = forms.CharField(max_length=30)
    version = forms.IntegerField(min_value=1)
    assignee = forms.IntegerField(required=False)
    outcome = forms.CharField(required=False, max_length=10)
    note = forms.CharField(required=False, max_length=NOTE_LENGTH, label=_("核查说明"))
    reason = forms.CharField(required=False, max_length=NOTE_LENGTH, label=_("原因"))
    why = forms.CharField(required=False, max_length=20)
    place = forms.CharField(required=False, max_length=PLACE_LENGTH)
    until = forms.DateField(required=False, label=_("例外有效期至"))
    visited_on = forms.DateField(required=False, label=_("入户日期"))
    met = forms.CharField(required=False, max_length=LONGEST_MET, label=_("见到何人"))


class VisitForm(forms.Form):
    """What one visit to a household says in every case it answers; the outcomes stand beside it."""

    visited_on = forms.DateField(
        label=_("入户日期"), widget=forms.DateInput(attrs={"type": "date"}), initial=clock.today
    )
    met = forms.CharField(
        label=_("见到何人"), max_length=LONGEST_MET, help_text=_("例如：户主、长子、村支书。不要写身份证号码。")
    )
    note = forms.CharField(
        label=_("共同说明"),
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写入下面每一件；各件也可另写说明"),
    )
    until = forms.DateField(
        label=_("例外有效期至"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("只在符合政策例外时填写，可不填"),
    )

    def clean_visited_on(self) -> date:
        """The day, which cannot lie ahead."""
        day: date = self.cleaned_data["visited_on"]
        if day > clock.today():
            raise forms.ValidationError(_("日期在今天以后"))
        return day


class BulkForm(forms.Form):
    """The confirmation of a bulk act: what was seen, and what it needs."""

    expected = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    moving = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=32, required=False, widget=forms.HiddenInput)
    plan = forms.CharField(max_length=32, required=False, widget=forms.HiddenInput)
    assignee = forms.TypedChoiceField(label=_("核查人"), required=False, coerce=int, empty_value=None)
    why = forms.ChoiceField(label=_("原因类别"), required=False)
    place = forms.CharField(
        label=_("现住地"),
        required=False,
        max_length=PLACE_LENGTH,
        help_text=_("搬迁或区划调整的须填：县、乡镇或村的名称或代码，例如 高岭镇 或 451228101。"),
    )
    reason = forms.CharField(
        label=_("原因"), required=False, max_length=NOTE_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )
    due_on = forms.DateField(
        label=_("期限"),
        required=False,
        help_text=_("不填则按规定的工作日自动计算"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(
        self,
        *args: Any,
        people: Iterable[tuple[int, str]] = (),
        spread: bool = False,
        reason: bool = False,
        whys: Iterable[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        kinds = [("", "—"), *whys]
        if len(kinds) > 1:
            self.fields["why"].choices = kinds  # type: ignore[attr-defined]
        else:
            del self.fields["why"], self.fields["place"]
        evenly = [(SPREAD, _("分给各人：按联系户、所在村和手上件数（见下表）"))] if spread else []
        listed = [("", "—"), *evenly, *((number, name) for number, name in people)]
        if len(listed) > 1:
            self.fields["assignee"].choices = listed  # type: ignore[attr-defined]
        else:
            del self.fields["assignee"]
        if not reason:
            del self.fields["reason"]
