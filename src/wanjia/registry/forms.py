"""What the pages of the registry ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.reference.queries import code_list
from wanjia.registry.choices import Standing
from wanjia.registry.queries import Filters
from wanjia.registry.services.writing import LONGEST_REASON, SHORTEST_REASON


def listed(name: str, empty: object | None = None) -> list[tuple[str, object]]:
    """The choices of a code list in the reader's language, after an empty one if there is one."""
    choices: list[tuple[str, object]] = [(code, label) for code, label in code_list(name).choices(_language())]
    return choices if empty is None else [("", empty), *choices]


def _language() -> str:
    return get_language() or "zh-hans"


class HouseholdFilter(forms.Form):
    """The filters of the list. They stand in the address; what was searched for only as a token."""

    status = forms.ChoiceField(label=_("脱贫标志"), required=False)
    category = forms.ChoiceField(label=_("贫困户属性"), required=False)
    standing = forms.ChoiceField(label=_("在册状态"), required=False)
    typed = forms.CharField(max_length=16, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = _("全部")
        self._choose("status", listed("poverty_status", everything))
        self._choose("category", listed("household_category", everything))
        self._choose("standing", [*Standing.choices, ("all", everything)])

    def _choose(self, name: str, choices: Sequence[tuple[str, object]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = list(choices)

    def filters(self, area: str, text: str) -> Filters:
        """The filters chosen, within `area` and for what was typed; an invalid one counts as not chosen."""
        chosen = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        standing = chosen.get("standing") or Standing.LIVE.value
        return Filters(
            area=area,
            status=chosen.get("status", ""),
            category=chosen.get("category", ""),
            standing="" if standing == "all" else standing,
            text=text,
        )


class SearchForm(forms.Form):
    """A search whose text stays out of the address."""

    text = forms.CharField(label=_("姓名、拼音、户编号、电话、村名或完整证件号码"), max_length=60)


class RevealForm(forms.Form):
    """Which protected value to show, and why."""

    what = forms.RegexField(r"^(id_number:\d{1,9}|phone:|bank_account:)$")
    reason = forms.CharField(
        label=_("查看理由"),
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        error_messages={
            "required": _("请填写查看理由。"),
            "min_length": _("请至少用四个字说明查看理由。"),
        },
    )

    def wanted(self) -> tuple[str, int | None]:
        """The field, and the person it is of unless it is the household's."""
        field, _colon, person_no = str(self.cleaned_data["what"]).partition(":")
        return field, int(person_no) if person_no else None


class SealForm(forms.Form):
    """What the checks warned of when the page was made, and that it was looked at."""

    confirmed = forms.RegexField(r"^([a-z_]+=[0-9]{1,9}(,|$))*$", required=False, widget=forms.HiddenInput)
    looked = forms.BooleanField(label=_("已核对以上检查结果及数量"))

    @staticmethod
    def written(warnings: Mapping[str, int]) -> str:
        """The warnings with their counts as the page carries them."""
        return ",".join(f"{code}={count}" for code, count in sorted(warnings.items()))

    def clean_confirmed(self) -> dict[str, int]:
        """By code the count that was shown."""
        pairs = (pair.partition("=") for pair in self.cleaned_data["confirmed"].split(",") if pair)
        return {code: int(count) for code, _, count in pairs}
