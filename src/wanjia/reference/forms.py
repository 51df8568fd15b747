"""New values of policy. What they may be is decided by the services; the forms read and label them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wanjia.reference.choices import LineKind, ValueType
from wanjia.reference.services import Notice
from wanjia.scope.viewer import Viewer
from wanjia.ui import hooks

EARLIEST_YEAR = 2010
LATEST_YEAR = 2050
REGION_LENGTHS = (2, 4, 6)  # policy is set by provinces, cities and counties

KIND_LABELS = {
    LineKind.NBS_CURRENT: _("国家统计局现价标准"),
    LineKind.WORKING: _("工作标准"),
    LineKind.MONITORING: _("监测收入参考线"),
}

VALUE_HELP = {
    ValueType.DAYS: _("工作日数,1 至 365 的整数。"),
    ValueType.INTEGER: _("不小于 0 的整数。"),
    ValueType.SHARE: _("0 到 1 之间的小数，如 0.05 表示 5%。"),
    ValueType.DECIMAL: _("小数。"),
    ValueType.TEXT: "",
}


def regions_of(viewer: Viewer) -> list[tuple[str, str]]:
    """The areas whose policy the viewer may set, widest first."""
    codes = {area.lo for grant in viewer.grants_for("reference.write") if (area := grant.area)}
    wide = sorted((code for code in codes if len(code) in REGION_LENGTHS), key=lambda code: (len(code), code))
    return [(code, hooks.area_name(code)) for code in wide]


class NoticeForm(forms.Form):
    """What every new value needs: where and from when it holds, and by which document."""

    region = forms.ChoiceField(label=_("适用地区"))
    valid_from = forms.DateField(
        label=_("生效日期"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("此前的数值保留，仍用于此前的日期。"),
    )
    source = forms.CharField(label=_("依据"), max_length=200, help_text=_("文件名称和文号，如：桂扶领发〔2018〕13号。"))

    def __init__(self, viewer: Viewer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"] = forms.ChoiceField(label=_("适用地区"), choices=regions_of(viewer))

    def notice(self) -> Notice:
        """The notice the services take."""
        valid_from: date = self.cleaned_data["valid_from"]
        return Notice(self.cleaned_data["source"], valid_from, self.cleaned_data["region"])


class ParameterForm(NoticeForm):
    value = forms.CharField(label=_("新的数值"), max_length=60, required=False)
    field_order = ["value", "region", "valid_from", "source"]

    def __init__(self, viewer: Viewer, value_type: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(viewer, *args, **kwargs)
        self.fields["value"].help_text = str(VALUE_HELP[ValueType(value_type)])
        self.fields["value"].required = value_type != ValueType.TEXT


class PovertyLineForm(NoticeForm):
    year = forms.IntegerField(label=_("年度"), min_value=EARLIEST_YEAR, max_value=LATEST_YEAR)
    kind = forms.ChoiceField(label=_("标准类别"), choices=list(KIND_LABELS.items()))
    amount = forms.DecimalField(label=_("金额（元/人·年）"), min_value=1, max_digits=10, decimal_places=2)
    field_order = ["year", "kind", "amount", "region", "valid_from", "source"]
