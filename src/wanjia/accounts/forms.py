"""Forms of the account pages. They translate; services decide."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.accounts import queries
from wanjia.accounts.models import LONGEST_FILTER_NAME
from wanjia.divisions.errors import PlaceNotResolved
from wanjia.divisions.queries import name_of
from wanjia.divisions.resolver import Resolver
from wanjia.kernel import clock
from wanjia.scope.viewer import Relation, Viewer

RELATIONS = {
    "": _("按岗位默认"),
    Relation.ALL.value: _("区域内全部"),
    Relation.OWN_DEPARTMENT.value: _("仅本部门"),
    Relation.OWN_HOUSEHOLDS.value: _("仅结对户"),
    Relation.OWN_CASES.value: _("仅本人办理"),
}


class PlaceField(forms.CharField):
    """A division, typed as its name or its code; cleans to the code."""

    default_error_messages = {"required": _("请填写行政区划的名称或代码。")}

    def __init__(self, *, within: str = "", **kwargs: Any) -> None:
        super().__init__(max_length=60, help_text=_("填写名称或代码，例如 高岭镇 或 451228101。"), **kwargs)
        self._within = within  # of two places of one name, the one in here is meant

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        try:
            return Resolver().named(typed, within=self._within)
        except PlaceNotResolved as refusal:
            raise forms.ValidationError(" ".join(refusal.sentences(get_language() or "zh"))) from None


class SignInForm(forms.Form):
    username = forms.CharField(
        label=_("登录名"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class DeputyForm(forms.Form):
    """Who stands in for me, and until when."""

    colleague = forms.CharField(label=_("代理人"), max_length=60, help_text=_("同单位同事的姓名；有同名的填登录名"))
    office = forms.ChoiceField(label=_("单位"))
    valid_from = forms.DateField(label=_("第一天"), widget=forms.DateInput(attrs={"type": "date"}))
    last_day = forms.DateField(label=_("最后一天"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label=_("原因"), max_length=200, help_text=_("例如：年休假、外出培训"))

    def __init__(self, offices: Iterable[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = [(code, name_of(code)) for code in offices]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """What the service takes, but for the deputy."""
        data = self.cleaned_data
        return {
            "area_code": data["office"],
            "valid_from": data["valid_from"],
            "valid_to": data["last_day"] + timedelta(days=1) if data["last_day"] < date.max else date.max,
            "reason": data["reason"],
        }


class PeopleFilter(forms.Form):
    q = forms.CharField(label=_("姓名或登录名"), max_length=60, required=False)


class AccountForm(forms.Form):
    username = forms.CharField(
        label=_("登录名"), max_length=60, help_text=_("3 到 60 个小写字母、数字、点或连字符；开设后不能更改。")
    )
    display_name = forms.CharField(label=_("姓名"), max_length=60)
    area_code = PlaceField(label=_("所属区划"))
    phone = forms.CharField(label=_("手机号"), max_length=20, required=False)
    id_number = forms.CharField(
        label=_("本人证件号码"), max_length=22, required=False, help_text=_("只用于核对一人一号，不保存明文。")
    )
    password = forms.CharField(
        label=_("初始密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("10 位以上，同时包含字母和数字；请当面告知本人并提醒更改。"),
    )

    def __init__(self, viewer: Viewer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area_code"] = PlaceField(label=_("所属区划"), within=viewer.home_area, initial=viewer.home_area)


class GrantForm(forms.Form):
    """A role in an area. Offers only what the viewer may give."""

    role = forms.ChoiceField(label=_("岗位"))
    area_code = PlaceField(label=_("行政区划"))
    relation = forms.ChoiceField(label=_("范围"), required=False, choices=list(RELATIONS.items()))
    department = forms.CharField(
        label=_("部门代码"), max_length=40, required=False, help_text=_("仅“仅本部门”的授权填写。")
    )
    valid_from = forms.DateField(
        label=_("开始日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last_day = forms.DateField(
        label=_("最后一天"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("岗位到期自动失效；长期有效可不填。"),
    )

    def __init__(self, viewer: Viewer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area_code"] = PlaceField(label=_("行政区划"), within=viewer.home_area)
        language = get_language() or "zh"
        choices = [(role.code, role.title(language)) for role in queries.roles_given_by(viewer)]
        self.fields["role"] = forms.ChoiceField(label=_("岗位"), choices=choices)

    def wanted(self) -> dict[str, Any]:
        """What `services.grant` takes; the last day is included."""
        data = self.cleaned_data
        last: date | None = data["last_day"]
        return {
            "role": data["role"],
            "area_code": data["area_code"],
            "relation": data["relation"],
            "department": data["department"].strip(),
            "valid_from": data["valid_from"] or clock.today(),
            "valid_to": last + timedelta(days=1) if last and last < date.max else None,
        }


class FilterNameForm(forms.Form):
    """The name somebody gives a filter of his."""

    name = forms.CharField(label=_("名称"), max_length=LONGEST_FILTER_NAME)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("原因"), max_length=200)


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label=_("新密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("10 位以上，同时包含字母和数字，不能与最近 5 个相同。"),
    )


class ChangePasswordForm(NewPasswordForm):
    present = forms.CharField(
        label=_("当前密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    again = forms.CharField(
        label=_("再输一次新密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    field_order = ["present", "password", "again"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", _("两次输入的新密码不一致。"))
        return data
