"""Which fields of the registry may be corrected, how a new value is read, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from django.db import models

from wanjia.kernel import clock, identity, names
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import code_list
from wanjia.registry import problems
from wanjia.registry.errors import FieldNotEditable, ValueNotAccepted
from wanjia.registry.models import Household, Membership, Person, PersonAlias, PersonYear
from wanjia.scope.fields import EncryptedTextField, Sealed
from wanjia.scope.keys import keyring

EARLIEST_YEAR = 2013  # the first registration round; earlier registers were never carried over
_PERSONAL_NUMBER = re.compile(r"\d{11}")

Value = str | int | bool | date | None
Derived = Callable[[Sequence[Any]], Mapping[str, Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the registry as changes name it.

    `code_list` names the list its values come from. `required` fields may not be emptied.
    `derived` computes the columns that follow from new values. `editable` is off for fields
    that change only through a service of their own.
    """

    model: type[models.Model]
    name: str
    title: Sentence
    code_list: str = ""
    several: int = 1  # codes the value may hold, joined by commas
    required: bool = False
    derived: Derived | None = None
    editable: bool = True

    @property
    def column(self) -> models.Field[Any, Any]:
        return self.model._meta.get_field(self.name)  # type: ignore[return-value]

    @property
    def protected(self) -> bool:
        """Whether its values are encrypted and shown masked."""
        return isinstance(self.column, EncryptedTextField)

    @property
    def of_household(self) -> bool:
        """Whether a household number addresses it; a person number otherwise."""
        return self.model is Household

    @property
    def of_year(self) -> bool:
        """Whether it is a fact of one reporting year."""
        return self.model is PersonYear

    def parse(self, raw: object) -> Value:
        """The value `raw` stands for. Raises ValueNotAccepted."""
        if raw is None or raw == "":
            if self.required:
                raise self._refused(problems.REQUIRED)
            return None if self.column.null else ""
        kind = self.column.get_internal_type()
        if kind == "BooleanField":
            return self._flag(raw)
        if kind == "DateField":
            return self._day(raw)
        if "Integer" in kind:
            return self._whole(raw)
        return self._text(raw)

    def _refused(self, problem: Sentence) -> ValueNotAccepted:
        return ValueNotAccepted(field=self.title, problem=problem)

    def _flag(self, raw: object) -> bool:
        known = {"true": True, "false": False, "1": True, "0": False, "是": True, "否": False}
        value = raw if isinstance(raw, bool) else known.get(str(raw).strip().lower())
        if value is None:
            raise self._refused(problems.NOT_YES_OR_NO)
        return value

    def _day(self, raw: object) -> date:
        try:
            value = raw if isinstance(raw, date) else date.fromisoformat(str(raw).strip())
        except ValueError:
            raise self._refused(problems.NO_DAY) from None
        if value > clock.today():
            raise self._refused(problems.IN_THE_FUTURE)
        return value

    def _whole(self, raw: object) -> int:
        try:
            value = int(str(raw).strip())
        except ValueError:
            raise self._refused(problems.NO_NUMBER) from None
        if self.name.endswith("_year") and not EARLIEST_YEAR <= value <= clock.today().year:
            raise self._refused(problems.outside(EARLIEST_YEAR, clock.today().year))
        if value < 0:
            raise self._refused(problems.NEGATIVE)
        return value

    def _text(self, raw: object) -> str:
        text = str(raw).strip()
        if not text.isprintable():
            raise self._refused(problems.UNPRINTABLE)
        longest = self.column.max_length or 60
        if len(text) > longest:
            raise self._refused(problems.too_long(longest))
        if self.code_list:
            return self._codes(text)
        if not self.protected and _PERSONAL_NUMBER.search(text):
            raise self._refused(problems.PERSONAL_NUMBER)  # a telephone or an identity number, which belongs elsewhere
        return text

    def _codes(self, text: str) -> str:
        codes = [part.strip() for part in text.split(",")]
        if len(codes) > self.several or len(set(codes)) != len(codes):
            raise self._refused(problems.too_many(self.several))
        book = code_list(self.code_list)
        if not book.items.keys() >= set(codes):
            raise self._refused(problems.NO_CODE)
        if len(codes) > 1 and book.with_trait("excludes_others") & set(codes):
            raise self._refused(problems.EXCLUDES)
        return ",".join(codes)


def _of_names(values: Sequence[str]) -> Mapping[str, Sequence[Any]]:
    return {"name_match": [names.match_form(value) for value in values]}


def _of_numbers(values: Sequence[str | None]) -> Mapping[str, Sequence[Any]]:
    """What follows from an identity number: its key, taken as written, and whether it is valid."""
    ring, today = keyring(), clock.today()
    return {
        "person_key": [ring.person_key(value) for value in values],
        "id_valid": [value is not None and identity.judge(value, today).valid for value in values],
    }


def _declared() -> tuple[Field, ...]:
    return (
        Field(Household, "hamlet", Sentence("村民小组/屯", "Hamlet")),
        Field(Household, "recognition_standard", Sentence("识别标准", "Recognition standard"), "recognition_standard"),
        Field(Household, "household_category", Sentence("贫困户属性", "Category"), "household_category", required=True),
        Field(Household, "identified_year", Sentence("识别年度", "Year identified"), required=True),
        Field(Household, "main_cause", Sentence("主要致贫原因", "Main cause"), "poverty_cause"),
        Field(Household, "other_causes", Sentence("其他致贫原因", "Other causes"), "poverty_cause", several=2),
        Field(Household, "relocated", Sentence("易地扶贫搬迁户", "Relocated")),
        Field(Household, "phone", Sentence("联系电话", "Phone")),
        Field(Household, "bank_name", Sentence("开户银行", "Bank")),
        Field(Household, "bank_account", Sentence("银行卡号", "Bank account")),
        Field(Household, "poverty_status", Sentence("脱贫标志", "Poverty status"), "poverty_status", editable=False),
        Field(Household, "exit_year", Sentence("脱贫年度", "Year of exit"), editable=False),
        Field(Household, "standing", Sentence("在册状态", "Standing"), editable=False),
        Field(Household, "removed_on", Sentence("退出登记日期", "Left the registry on"), editable=False),
        Field(Household, "head_person_no", Sentence("户主", "Head"), editable=False),
        Field(Household, "member_count", Sentence("家庭人口数", "Members"), editable=False),
        Field(Person, "name", Sentence("姓名", "Name"), required=True, derived=_of_names),
        Field(Person, "id_type", Sentence("证件类型", "Certificate type")),
        Field(Person, "id_number", Sentence("证件号码", "Identity number"), derived=_of_numbers),
        Field(Person, "sex", Sentence("性别", "Sex"), "sex"),
        Field(Person, "birth_date", Sentence("出生日期", "Born on")),
        Field(Person, "ethnicity", Sentence("民族", "Ethnicity"), "ethnicity"),
        Field(Membership, "relation", Sentence("与户主关系", "Relation to head"), "relation", required=True),
        Field(Membership, "member_status", Sentence("人员状态", "Member status"), "member_status", editable=False),
        Field(Membership, "joined_on", Sentence("入户日期", "Joined on"), editable=False),
        Field(Membership, "left_on", Sentence("离户日期", "Left on"), editable=False),
        Field(Membership, "change_reason", Sentence("增减原因", "Why moved"), "member_change_reason", editable=False),
        Field(PersonYear, "education", Sentence("文化程度", "Education"), "education"),
        Field(PersonYear, "student_status", Sentence("在校生状况", "Student status"), "student_status"),
        Field(PersonYear, "labour_capacity", Sentence("劳动能力", "Labour capacity"), "labour_capacity"),
        Field(PersonYear, "work_location", Sentence("务工区域", "Work location"), "work_location"),
        Field(PersonYear, "work_months", Sentence("务工时间（月）", "Months of work")),
        Field(PersonYear, "health", Sentence("健康状况", "Health"), "health", several=4),
        Field(PersonYear, "disability_type", Sentence("残疾类别", "Kind of disability"), "disability_type"),
        Field(PersonYear, "disability_grade", Sentence("残疾等级", "Grade of disability"), "disability_grade"),
        Field(PersonYear, "resident_medical_ins", Sentence("城乡居民医保", "Resident medical insurance")),
        Field(PersonYear, "on_dibao", Sentence("享受低保", "Minimum living allowance")),
        Field(PersonYear, "on_tekun", Sentence("特困供养", "Extreme-poverty support")),
        Field(PersonAlias, "new_no", Sentence("并入人员编号", "Merged into person"), editable=False),
    )  # fmt: skip


FIELDS: Mapping[str, Field] = MappingProxyType({field.name: field for field in _declared()})


def editable(name: str) -> Field:
    """The declaration of a field that may be corrected. Raises FieldNotEditable."""
    field = FIELDS.get(name)
    if field is None or not field.editable:
        raise FieldNotEditable(field=name)
    return field


def as_text(value: object) -> str:
    """A value as a change row writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sealed):
        return value.clear()
    return value.isoformat() if isinstance(value, date) else str(value)
