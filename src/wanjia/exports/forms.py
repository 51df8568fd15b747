"""What people type when they ask for a list, and when they decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wanjia.exports.models import LONGEST_REASON


class AskForm(forms.Form):
    """Why somebody needs a list, and how long he saw it to be."""

    expected = forms.IntegerField(min_value=0, max_value=2_000_000_000, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("用途"), max_length=LONGEST_REASON, help_text=_("写明做什么用、给谁看；不要写身份证号码。")
    )


class DecideForm(forms.Form):
    """Yes or no; a no says why."""

    decision = forms.ChoiceField(
        label=_("意见"), choices=[("approve", _("批准")), ("decline", _("不批准"))], widget=forms.RadioSelect
    )
    note = forms.CharField(label=_("意见说明"), max_length=LONGEST_REASON, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("decision") == "decline" and not data.get("note"):
            self.add_error("note", _("不批准时请说明原因。"))
        return data
