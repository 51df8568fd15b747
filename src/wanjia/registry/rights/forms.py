"""Asking for an erasure, and deciding about one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wanjia.registry.services.writing import LONGEST_REASON, SHORTEST_REASON


class AskForm(forms.Form):
    """Why somebody is to be erased, and that it is meant."""

    reason = forms.CharField(
        label=_("申请理由"), min_length=SHORTEST_REASON, max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 2})
    )
    meant = forms.BooleanField(label=_("我知道批准后信息不能恢复"))


class DecideForm(forms.Form):
    """Whether he is erased; a refusal says why, and an erasure that it is meant."""

    decision = forms.ChoiceField(choices=[("approve", _("批准并删除")), ("decline", _("不批准"))])
    note = forms.CharField(label=_("意见"), max_length=LONGEST_REASON, required=False)
    meant = forms.BooleanField(label=_("我知道批准后信息不能恢复"), required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("decision") == "approve" and not data.get("meant"):
            self.add_error("meant", _("请先勾选，再批准。"))
        return data
