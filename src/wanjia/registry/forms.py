"""What the pages of the registry ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.reference.queries import code_list
from wanjia.registry.choices import HEAD, Standing
from wanjia.registry.fields import FIELDS, Field, as_text
from wanjia.registry.models import Household
from wanjia.registry.queries import Filters, Member
from wanjia.registry.services import Edit
from wanjia.registry.services.writing import LONGEST_REASON, SHORTEST_REASON

HOUSEHOLD_FIELDS = ("hamlet", "household_category", "main_cause", "other_causes", "relocated", "phone")
MEMBER_FIELDS = ("name", "id_number", "relation", "sex", "birth_date", "ethnicity")


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

    text = forms.CharField(label=_("姓名、户编号或完整证件号码"), max_length=60)


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """A registry field on the form, with the row it is about and what stands there now."""

    field: Field
    number: int
    person_no: int | None
    old: str

    @property
    def key(self) -> str:
        return f"{self.field.name}-{self.number}"


class CorrectionForm(forms.Form):
    """The correctable values of a household and its members. What was shown comes back as `was-…`.

    Protected values are asked for empty: leaving them so changes nothing.
    """

    reason = forms.CharField(
        label=_("更正理由"), min_length=SHORTEST_REASON, max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, household: Household, members: Sequence[Member], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._household_no = household.pk
        self.asked = [_Asked(FIELDS[name], household.pk, None, _old(household, name)) for name in HOUSEHOLD_FIELDS]
        for member in members:
            for name in MEMBER_FIELDS:
                row = member.membership if name == "relation" else member.person
                if name == "relation" and member.is_head:
                    continue  # a change of head concerns two people and has its own procedure
                self.asked.append(_Asked(FIELDS[name], member.person.pk, member.person.pk, _old(row, name)))
        for asked in self.asked:
            self.fields[asked.key] = _input(asked)
            self.fields[f"was-{asked.key}"] = forms.CharField(
                required=False, initial=asked.old, widget=forms.HiddenInput
            )
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def household_fields(self) -> list[forms.BoundField]:
        """The household's own fields, in order."""
        return [self[asked.key] for asked in self.asked if asked.person_no is None]

    def member_fields(self, person_no: int) -> list[forms.BoundField]:
        """A member's fields, in order."""
        return [self[asked.key] for asked in self.asked if asked.person_no == person_no]

    def edits(self) -> list[Edit]:
        """What the reader changed, each with the value he saw."""
        edits = []
        for asked in self.asked:
            new = as_text(self.cleaned_data.get(asked.key))
            seen = self.cleaned_data.get(f"was-{asked.key}", "")
            if asked.field.protected and not new:
                continue
            if new != seen:
                edits.append(self._edit(asked, new, None if asked.field.protected else seen))
        return edits

    def _edit(self, asked: _Asked, new: str, seen: str | None) -> Edit:
        if asked.person_no is None:
            return Edit(asked.field.name, new, household_no=self._household_no, expected_old=seen)
        return Edit(asked.field.name, new, person_no=asked.person_no, expected_old=seen)


def _old(row: Any, name: str) -> str:
    return "" if FIELDS[name].protected else as_text(getattr(row, name))


def _input(asked: _Asked) -> forms.Field:
    field = asked.field
    label = field.title.text(_language())
    shared: dict[str, Any] = {"label": label, "required": False, "initial": asked.old}
    if field.code_list and field.several == 1:
        choices = listed(field.code_list, "—")
        if field.name == "relation":
            choices = [(code, text) for code, text in choices if code != HEAD]
        return forms.ChoiceField(choices=choices, **shared)
    if field.column.get_internal_type() == "BooleanField":
        return forms.ChoiceField(choices=[("true", _("是")), ("false", _("否"))], **shared)
    if field.column.get_internal_type() == "DateField":
        return forms.CharField(widget=forms.DateInput({"type": "date"}), **shared)
    help_text = _("留空则不改动") if field.protected else ""
    return forms.CharField(
        help_text=help_text, max_length=60, widget=forms.TextInput({"autocomplete": "off"}), **shared
    )
