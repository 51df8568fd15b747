from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.audit import subjects
from wanjia.audit.choices import Kind

_LARGEST = 10**9 - 1  # our own numbers; a phone or an identity number must not get into an address

OLDEST = "oldest"  # first


class SubjectFilter(forms.Form):
    """What a subject's or a person's history is asked for; kept in the address."""

    subject_kind = forms.ChoiceField(label=_("对象"), required=False)
    subject_id = forms.IntegerField(label=_("编号"), required=False, min_value=1, max_value=_LARGEST)
    actor = forms.IntegerField(label=_("操作人编号"), required=False, min_value=0, max_value=_LARGEST)
    since = forms.DateField(label=_("起始日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("截止日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        language = get_language() or "zh"
        kinds = [(subject.kind, subject.title.text(language)) for subject in subjects.declared()]
        self.fields["subject_kind"].choices = [("", _("全部")), *kinds]  # type: ignore[attr-defined]

    def lookup(self, *names: str) -> dict[str, object]:
        """The filters that were filled in, of those `names`; nothing while any is wrong."""
        if not self.is_valid():
            return {}
        values = {name: self.cleaned_data.get(name) for name in names}
        return {name: value for name, value in values.items() if value not in (None, "")}


class LogFilter(SubjectFilter):
    kind = forms.ChoiceField(label=_("类别"), required=False)
    system = forms.ChoiceField(
        label=_("查阅存证"), required=False, choices=[("", _("不显示")), ("shown", _("显示（系统每分钟一条）"))]
    )
    order = forms.ChoiceField(label=_("次序"), required=False, choices=[("", _("新的在前")), (OLDEST, _("按时间先后"))])

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            ("", _("全部")),
            *Kind.choices,
        ]
