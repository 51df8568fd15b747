"""The pages on which values are changed, part by part, and the one on which a request is decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.kernel.errors import Language, Sentence
from wanjia.registry.choices import HEAD
from wanjia.registry.errors import ValueNotAccepted
from wanjia.registry.fields import FIELDS, YUAN, Field, as_text, fields_of
from wanjia.registry.forms import listed
from wanjia.registry.models import HamletYear, Household, HouseholdYear, Person, PersonYear, Relocation
from wanjia.registry.overlaid import SealedHousehold, SealedVillage
from wanjia.registry.queries import Member, words_for
from wanjia.registry.requests.queries import Line, Present
from wanjia.registry.services import Edit, PlaceEdit
from wanjia.registry.services.writing import LONGEST_REASON, SHORTEST_REASON


def _editable(*models: Any) -> tuple[str, ...]:
    return tuple(field.id for model in models for field in fields_of(model) if field.editable)


_INCOME = tuple(
    field.id
    for field in fields_of(HouseholdYear)
    if field.editable and (field.unit is YUAN or field.name in ("period_start", "period_end", "member_count"))
)
# What one page offers of the household, and of each member.
HOUSEHOLD_PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "basics": _editable(Household),
        "income": _INCOME,
        "living": tuple(name for name in _editable(HouseholdYear) if name not in _INCOME),
        "relocation": _editable(Relocation),
    }
)
MEMBER_PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "basics": (*_editable(Person), "relation"),
        "people": _editable(PersonYear),
    }
)
PARTS = ("basics", "people", "income", "living", "relocation")
PART_TITLES = {
    "basics": _("户和成员"),
    "people": _("就学、务工、健康、参保"),
    "income": _("收入"),
    "living": _("生产生活条件"),
    "relocation": _("易地搬迁"),
}


# What may be corrected of a household in a sealed year, page by page; of its people what a page of today offers.
YEAR_PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "income": ("year_household_category", "year_poverty_status", "year_main_cause", *_INCOME),
        "living": HOUSEHOLD_PARTS["living"],
        "people": (),
    }
)
YEAR_PART_TITLES = {**PART_TITLES, "income": _("年末状态和收入")}


def language() -> Language:
    """The reader's language, as registry sentences know it."""
    return "en" if (get_language() or "").startswith("en") else "zh"


@dataclass(frozen=True, slots=True)
class Asked:
    """A registry field on the form, with the row it is about, what stands there now and, of a sealed year, what stood.

    Texts as change rows write them.
    """

    field: Field
    number: int | str  # of the household or person; of a village or hamlet its code
    person_no: int | None
    old: str
    published: str = ""

    @property
    def key(self) -> str:
        return f"{self.field.id}-{self.number}"

    def edit(self, new: str, seen: str | None) -> Edit:
        """The change this is, if its new value is `new`."""
        home = int(self.number) if self.person_no is None else None
        return Edit(
            self.field.id, self.field.stored(new), household_no=home, person_no=self.person_no, expected_old=seen
        )

    def place_edit(self, new: str, seen: str) -> PlaceEdit:
        """The same of a village or a hamlet."""
        hamlet = str(self.number) if self.field.model is HamletYear else ""
        return PlaceEdit(self.field.id, self.field.stored(new), hamlet_code=hamlet, expected_old=seen)


@dataclass(frozen=True, slots=True)
class YearLine:
    """A field of a sealed year on its page, in words, with the input for what it should have been."""

    title: str
    published: str
    known: str
    corrected: bool
    input: forms.BoundField


class CorrectionForm(forms.Form):
    """One part of what may be changed of a household and its members. What was shown comes back as `was-…`.

    Protected values are asked for empty: leaving them so changes nothing.
    """

    reason = forms.CharField(
        label=_("更正理由"), min_length=SHORTEST_REASON, max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, asked: Sequence[Asked], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.asked = tuple(asked)
        for one in self.asked:
            self.fields[one.key] = _input(one)
            self.fields[f"was-{one.key}"] = forms.CharField(required=False, initial=one.old, widget=forms.HiddenInput)
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])
        self._news: dict[str, str] = {}

    def clean(self) -> dict[str, Any]:
        """Each value as its field reads it."""
        data: dict[str, Any] = super().clean() or {}
        for asked in self.asked:
            if asked.key not in data:
                continue
            try:
                self._news[asked.key] = _as_kept(asked.field, data[asked.key])
            except ValueNotAccepted as refusal:
                self.add_error(asked.key, _said(refusal))
        return data

    def household_fields(self) -> list[forms.BoundField]:
        """The household's own fields, in order."""
        return [self[asked.key] for asked in self.asked if asked.person_no is None]

    def member_fields(self, person_no: int) -> list[forms.BoundField]:
        """A member's fields, in order."""
        return [self[asked.key] for asked in self.asked if asked.person_no == person_no]

    def lines(self, number: int | str) -> list[YearLine]:
        """The fields of a household, a person or a place, each beside what was published and is known now."""
        spoken = language()
        return [
            YearLine(
                title=one.field.title.text(spoken),
                published=words_for(one.field, one.published, spoken),
                known=words_for(one.field, one.old, spoken),
                corrected=one.published != one.old,
                input=self[one.key],
            )
            for one in self.asked
            if one.number == number
        ]

    def place_edits(self) -> list[PlaceEdit]:
        """What the reader changed of a village and its hamlets."""
        return [one.place_edit(new, seen) for one, new, seen in self._changed()]

    def edits(self) -> list[Edit]:
        """What the reader changed, each with the value he saw."""
        return [one.edit(new, None if one.field.protected else seen) for one, new, seen in self._changed()]

    def _changed(self) -> Iterator[tuple[Asked, str, str]]:
        for asked in self.asked:
            new = self._news.get(asked.key, "")
            seen = self.cleaned_data.get(f"was-{asked.key}", "")
            if new != seen and not (asked.field.protected and not new):
                yield asked, new, seen

    def show_conflicts(self, lines: Iterable[Line]) -> None:
        """Say at each field that somebody else has changed it, and take what stands now for what is seen."""
        shown = dict(self.data.items()) if not hasattr(self.data, "copy") else self.data.copy()
        by_key = {asked.key: asked for asked in self.asked}
        for line in lines:
            key = f"{line.field.id}-{line.person_no or self.asked[0].number}"
            if key in by_key:
                shown[f"was-{key}"] = line.current
                now = line.words("current", language()) or "—"
                self.add_error(
                    key, _("您打开页面后，此项已被他人改为“{now}”；再次保存即以您填写的为准。").format(now=now)
                )
        self.data = shown


def asked_now(part: str, household: Household, members: Sequence[Member]) -> list[Asked]:
    """One part of a household and its members, beside what stands now."""
    present = Present(household, [member.person.pk for member in members])
    found = [
        Asked(FIELDS[name], household.pk, None, _old(present, FIELDS[name], None))
        for name in HOUSEHOLD_PARTS.get(part, ())
    ]
    for member in members:
        number = member.person.pk
        for name in MEMBER_PARTS.get(part, ()):
            if name == "relation" and member.is_head:
                continue  # a change of head concerns two people and has its own procedure
            found.append(Asked(FIELDS[name], number, number, _old(present, FIELDS[name], number)))
    return found


def asked_of_year(part: str, household: SealedHousehold) -> list[Asked]:
    """One part of a household and its people in a sealed year, beside what was published and what is known now."""
    found = []
    if household.published is not None:
        for field in (FIELDS[name] for name in YEAR_PARTS[part]):
            known, published = (as_text(getattr(row, field.name)) for row in (household.known, household.published))
            found.append(Asked(field, household.household_no, None, known, published))
    for person in household.people if part == "people" else ():
        number = person.known.person_no
        for field in (FIELDS[name] for name in MEMBER_PARTS["people"]):
            known, published = (
                as_text(getattr(row.facts, field.name)) if row.facts else "" for row in (person.known, person.published)
            )
            found.append(Asked(field, number, number, known, published))
    return found


def asked_of_village(village: SealedVillage, village_code: str) -> list[Asked]:
    """A village and its hamlets in a sealed year, beside what was published and what is known now."""
    pairs: list[tuple[str, Any, Any]] = [(known.hamlet_code, was, known) for was, known in village.hamlets]
    if village.known is not None:
        pairs.insert(0, (village_code, village.published, village.known))
    return [
        Asked(field, code, None, as_text(getattr(known, field.name)), as_text(getattr(was, field.name)))
        for code, was, known in pairs
        for field in fields_of(type(known))
    ]


def _said(refusal: ValueNotAccepted) -> str:
    """What is wrong with the value, without the name of the field it stands in."""
    problem = refusal.values["problem"]
    return problem.text(language()) if isinstance(problem, Sentence) else str(problem)


def _old(present: Present, field: Field, person_no: int | None) -> str:
    return "" if field.protected else present.text(field, person_no)


def _as_kept(field: Field, typed: object) -> str:
    """What was typed as change rows write it. Raises ValueNotAccepted."""
    if isinstance(typed, list):
        typed = ",".join(typed)
    if field.protected and not typed:
        return ""
    return as_text(field.parse(typed))


def _input(asked: Asked) -> forms.Field:
    field = asked.field
    label = field.title.text(language())
    shared: dict[str, Any] = {"label": label, "required": False, "initial": asked.old}
    if field.code_list:
        return _choice(field, shared)
    if field.kind == "BooleanField":
        none = [("", "—")] if field.column.null else []
        return forms.ChoiceField(choices=[*none, ("true", _("是")), ("false", _("否"))], **shared)
    if field.kind == "DateField":
        return forms.CharField(widget=forms.DateInput({"type": "date"}), **shared)
    if field.unit is not None:
        shared["initial"] = field.shown(int(asked.old)) if asked.old else ""
        unit = field.unit.symbol.text(language())
        shared["label"] = f"{label} ({unit})" if language() == "en" else f"{label}（{unit}）"
        return forms.CharField(max_length=20, widget=forms.TextInput({"inputmode": "decimal"}), **shared)
    help_text = _("留空则不改动") if field.protected else ""
    longest = 60 if field.protected or not field.column.max_length else field.column.max_length
    return forms.CharField(
        help_text=help_text, max_length=longest, widget=forms.TextInput({"autocomplete": "off"}), **shared
    )


def _choice(field: Field, shared: dict[str, Any]) -> forms.Field:
    if field.several > 1:
        shared["initial"] = str(shared["initial"]).split(",") if shared["initial"] else []
        return forms.MultipleChoiceField(choices=listed(field.code_list), widget=forms.CheckboxSelectMultiple, **shared)
    choices = listed(field.code_list, "—")
    if field.name == "relation":
        choices = [(code, text) for code, text in choices if code != HEAD]
    known = {code for code, _label in choices}
    if shared["initial"] and shared["initial"] not in known:  # a code of former years stays what it is
        choices.append((shared["initial"], shared["initial"]))
    return forms.ChoiceField(choices=choices, **shared)


class DecisionForm(forms.Form):
    """What is decided about a request; for each value in conflict, which is kept."""

    decision = forms.ChoiceField(choices=[("approve", _("同意")), ("decline", _("退回"))])
    note = forms.CharField(label=_("审核意见"), max_length=LONGEST_REASON, required=False)

    def __init__(self, lines: Iterable[Line], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._conflicts = [line.item.pk for line in lines if line.in_conflict and line.item is not None]
        for number in self._conflicts:
            self.fields[f"take-{number}"] = forms.ChoiceField(
                choices=[("wanted", _("采用申请值")), ("current", _("保留现在的值"))],
                widget=forms.RadioSelect,
                required=False,
            )

    def taken(self) -> dict[int, bool]:
        """For each value in conflict that was decided, whether the wanted one is taken."""
        answers = {number: self.cleaned_data.get(f"take-{number}") for number in self._conflicts}
        return {number: answer == "wanted" for number, answer in answers.items() if answer}
