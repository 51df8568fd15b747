"""Which fields of the registry may be corrected, how a new value is read, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from django.db import models

from wanjia.kernel import clock, identity, names
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import code_list
from wanjia.registry import problems
from wanjia.registry.errors import FieldNotEditable, ValueNotAccepted
from wanjia.registry.models import (
    HamletYear,
    Household,
    HouseholdYear,
    Membership,
    Person,
    PersonAlias,
    PersonYear,
    Relocation,
    VillageYear,
)
from wanjia.scope.fields import EncryptedTextField, Sealed
from wanjia.scope.keys import keyring

EARLIEST_YEAR = 2013  # the first registration round; earlier registers were never carried over
_PERSONAL_NUMBER = re.compile(r"\d{11}")

YEARS_OF_STANDING = frozenset({"identified_year", "exit_year", "return_year"})
LARGEST: Mapping[str, int] = MappingProxyType(
    {
        "PositiveSmallIntegerField": 32_767,
        "IntegerField": 2**31 - 1,
        "PositiveIntegerField": 2**31 - 1,
        "BigIntegerField": 10**15,
    }
)

Value = str | int | bool | date | None
Derived = Callable[[Sequence[Any]], Mapping[str, Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a stored whole number counts: so many of them make one of what people write."""

    symbol: Sentence
    per: int = 1

    @property
    def places(self) -> int:
        """Digits after the point in what people write."""
        return len(str(self.per)) - 1


YUAN = Unit(Sentence("元", "yuan"), 100)
MU = Unit(Sentence("亩", "mu"), 100)
SQUARE_METRES = Unit(Sentence("平方米", "m²"), 100)
KILOMETRES = Unit(Sentence("公里", "km"), 100)
DEGREES = Unit(Sentence("度", "°"), 1_000_000)
MONTHS = Unit(Sentence("月", "months"))


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
    code: str = ""  # its column in copies of the national system
    unit: Unit | None = None
    most: int | None = None  # no whole number beyond it
    key: str = ""  # what changes call it, where another table has a column of the same name

    @property
    def column(self) -> models.Field[Any, Any]:
        return self.model._meta.get_field(self.name)  # type: ignore[return-value]

    @property
    def protected(self) -> bool:
        """Whether its values are encrypted and shown masked."""
        return isinstance(self.column, EncryptedTextField)

    @property
    def id(self) -> str:
        """The name by which changes, forms and histories know it; unique in the registry."""
        return self.key or self.name

    @property
    def of_household(self) -> bool:
        """Whether a household number addresses it; a person number otherwise."""
        return self.model in (Household, HouseholdYear, Relocation)

    @property
    def of_year(self) -> bool:
        """Whether it is a fact of one reporting year."""
        return self.model in (HouseholdYear, PersonYear)

    @property
    def kind(self) -> str:
        """What its column holds, in Django's words."""
        return self.column.get_internal_type()

    def shown(self, value: int) -> str:
        """A stored whole number as people write it: 320050 fen is 3200.50."""
        if self.unit is None or self.unit.per == 1:
            return str(value)
        return f"{Decimal(value).scaleb(-self.unit.places):.{self.unit.places}f}"

    def parse(self, raw: object) -> Value:
        """The value `raw` stands for. Raises ValueNotAccepted."""
        if raw is None or raw == "":
            if self.required:
                raise self._refused(problems.REQUIRED)
            return None if self.column.null else ""
        kind = self.kind
        if kind == "BooleanField":
            return self._flag(raw)
        if kind == "DateField":
            return self._day(raw)
        if "Integer" in kind:
            return self._whole(raw)
        return self._text(raw)

    def stored(self, text: str) -> Value:
        """The value a change row's text stands for: what `as_text` wrote."""
        if not text:
            return None if self.column.null else ""
        if self.kind == "BooleanField":
            return text == "true"
        if self.kind == "DateField":
            return date.fromisoformat(text)
        return int(text) if "Integer" in self.kind else text

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
        value = raw if isinstance(raw, int) else self._written(str(raw))
        if self.name in YEARS_OF_STANDING and not EARLIEST_YEAR <= value <= clock.today().year:
            raise self._refused(problems.outside(EARLIEST_YEAR, clock.today().year))
        if value < 0:
            raise self._refused(problems.NEGATIVE)
        if value > self.limit:
            raise self._refused(problems.outside(0, int(self.limit / (self.unit.per if self.unit else 1))))
        return value

    @property
    def limit(self) -> int:
        """The largest whole number it takes."""
        return self.most if self.most is not None else LARGEST[self.kind]

    def _written(self, raw: str) -> int:
        """A number as people write it, in stored units. A stored int is passed through as it is."""
        per = self.unit.per if self.unit else 1
        try:
            value = Decimal(raw.strip().replace(",", "").replace("，", "")) * per
        except InvalidOperation:
            raise self._refused(problems.NO_NUMBER) from None
        if not value.is_finite() or value != value.to_integral_value():
            raise self._refused(problems.too_fine(self.unit.places if self.unit else 0))
        return int(value)

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


def _of_phones(values: Sequence[str | None]) -> Mapping[str, Sequence[Any]]:
    ring = keyring()
    return {"phone_key": [ring.phone_key(value) for value in values]}


def _declared() -> tuple[Field, ...]:
    return (
        *_of_households(),
        *_of_people(),
        *_of_household_years(),
        *_of_person_years(),
        *_of_relocations(),
        *_of_villages(),
        *_of_hamlets(),
    )


def _titled(model: type[models.Model], *rows: tuple[Any, ...]) -> tuple[Field, ...]:
    """Fields from rows of name, Chinese title, English title and what else is to be said."""
    return tuple(Field(model, name, Sentence(zh, en), **(more[0] if more else {})) for name, zh, en, *more in rows)


def _of_households() -> tuple[Field, ...]:
    fixed: dict[str, Any] = {"editable": False}
    return _titled(
        Household,
        ("hamlet", "屯", "Hamlet", {"code": "AAR007"}),
        ("village_no", "贫困村编号", "Poor village number", {"code": "AAD001"}),
        ("recognition_standard", "识别标准", "Recognition standard",
         {"code_list": "recognition_standard", "code": "AAC005"}),
        ("household_category", "贫困户属性", "Category",
         {"code_list": "household_category", "required": True, "code": "AAC006"}),
        ("identified_year", "识别年度", "Year identified", {"required": True}),
        ("main_cause", "主要致贫原因", "Main cause", {"code_list": "poverty_cause", "code": "AAC007"}),
        ("other_causes", "其他致贫原因", "Other causes",
         {"code_list": "poverty_cause", "several": 2, "code": "AAC008"}),
        ("cause_note", "致贫原因描述", "Cause described", {"code": "AAC011"}),
        ("martyr_or_military_family", "是否军烈属", "Family of a martyr or soldier", {"code": "AAC012"}),
        ("one_child_family", "是否独生子女户", "One-child family", {"code": "AAC013"}),
        ("two_daughter_family", "是否双女户", "Two-daughter family", {"code": "AAC014"}),
        ("relocated", "易地扶贫搬迁户", "Relocated", {"code": "ACR077"}),
        ("longitude", "经度", "Longitude", {"unit": DEGREES, "most": 180_000_000}),
        ("latitude", "纬度", "Latitude", {"unit": DEGREES, "most": 90_000_000}),
        ("phone", "联系电话", "Phone", {"derived": _of_phones, "code": "AAR012"}),
        ("bank_name", "开户银行", "Bank", {"code": "AAQ002"}),
        ("bank_account", "银行卡号", "Bank account", {"code": "AAC004"}),
        ("poverty_status", "脱贫标志", "Poverty status", {"code_list": "poverty_status", "code": "AAR010"} | fixed),
        ("exit_year", "脱贫年度", "Year of exit", fixed),
        ("return_year", "返贫年度", "Year of return", fixed),
        ("standing", "在册状态", "Standing", fixed),
        ("removed_on", "退出登记日期", "Left the registry on", fixed),
        ("head_person_no", "户主", "Head", fixed),
        ("member_count", "家庭人口数", "Members", fixed),
    )  # fmt: skip


def _of_people() -> tuple[Field, ...]:
    fixed: dict[str, Any] = {"editable": False}
    return (
        *_titled(
            Person,
            ("name", "姓名", "Name", {"required": True, "derived": _of_names, "code": "AAB002"}),
            ("id_type", "证件类型", "Certificate type", {"code": "AAB018"}),
            ("id_number", "证件号码", "Identity number", {"derived": _of_numbers, "code": "AAB004"}),
            ("sex", "性别", "Sex", {"code_list": "sex", "code": "AAB003"}),
            ("birth_date", "出生日期", "Born on", {"code": "AAB005"}),
            ("ethnicity", "民族", "Ethnicity", {"code_list": "ethnicity", "code": "AAB007"}),
            ("phone", "成员联系电话", "Member's phone",
             {"key": "member_phone", "derived": _of_phones, "code": "AAB031"}),
        ),
        *_titled(
            Membership,
            ("relation", "与户主关系", "Relation to head",
             {"code_list": "relation", "required": True, "code": "AAB006"}),
            ("member_status", "人员状态", "Member status", {"code_list": "member_status", "code": "AAB015"} | fixed),
            ("joined_on", "入户日期", "Joined on", fixed),
            ("left_on", "离户日期", "Left on", fixed),
            ("change_reason", "增减原因", "Why moved", {"code_list": "member_change_reason"} | fixed),
        ),
        *_titled(PersonAlias, ("new_no", "并入人员编号", "Merged into person", fixed)),
    )  # fmt: skip


def _of_household_years() -> tuple[Field, ...]:
    money: dict[str, Any] = {"unit": YUAN}
    land: dict[str, Any] = {"unit": MU}
    fixed: dict[str, Any] = {"editable": False}
    return _titled(
        HouseholdYear,
        ("household_category", "年末贫困户属性", "Category at the end of the year",
         {"code_list": "household_category", "key": "year_household_category"} | fixed),
        ("poverty_status", "年末脱贫标志", "Poverty status at the end of the year",
         {"code_list": "poverty_status", "key": "year_poverty_status"} | fixed),
        ("main_cause", "年末主要致贫原因", "Main cause at the end of the year",
         {"code_list": "poverty_cause", "key": "year_main_cause"} | fixed),
        ("member_count", "采集时家庭人口数", "Members at collection", {"key": "year_member_count", "most": 99}),
        ("period_start", "收入期间起", "Income period from"),
        ("period_end", "收入期间止", "Income period to"),
        ("wage_income", "工资性收入", "Wage income", money | {"code": "AAC073"}),
        ("business_income", "生产经营性收入", "Business income", money | {"code": "AAC071"}),
        ("property_income", "财产性收入", "Property income", money | {"code": "AAC072"}),
        ("asset_dividend", "资产收益扶贫分红收入", "Dividends of poverty-alleviation assets", money),
        ("land_lease", "土地流转收入", "Land lease income", money),
        ("other_property_income", "其他财产性收入", "Other property income", money),
        ("transfer_income", "转移性收入", "Transfer income", money | {"code": "AAC085"}),
        ("family_planning_grant", "计划生育金", "Family planning grant", money | {"code": "AAC076"}),
        ("dibao_grant", "低保金", "Minimum living allowance money", money | {"code": "AAC077"}),
        ("tekun_grant", "五保金（特困供养金）", "Extreme-poverty support money", money | {"code": "AAC086"}),
        ("pension_income", "养老保险金", "Pension", money | {"code": "AAC087"}),
        ("eco_compensation", "生态补偿金", "Ecological compensation", money | {"code": "AAC078"}),
        ("other_transfer", "其他转移性收入", "Other transfers", money | {"code": "AAC083"}),
        ("business_expense", "生产经营性支出", "Business expense", money | {"code": "AAC074"}),
        ("claim_income", "理赔收入", "Insurance claims", money),
        ("eligible_out_of_pocket", "合规自付支出", "Eligible out-of-pocket costs", money),
        ("cropland", "耕地面积", "Cropland", land | {"code": "AAC301"}),
        ("irrigated", "有效灌溉面积", "Irrigated land", land | {"code": "AAC302"}),
        ("forest", "林地面积", "Forest", land | {"code": "AAC303"}),
        ("grain_for_green", "退耕还林面积", "Grain-for-green land", land | {"code": "AAC304"}),
        ("orchard", "林果面积", "Orchard", land | {"code": "AAC305"}),
        ("pasture", "牧草地面积", "Pasture", land | {"code": "AAC306"}),
        ("water_area", "水面面积", "Water surface", land | {"code": "AAC307"}),
        ("production_power", "是否通生产用电", "Power for production", {"code": "AAC308"}),
        ("household_power", "是否通生活用电", "Power in the house"),
        ("tv", "是否通广播电视", "Radio and television"),
        ("distance_main_road", "与村主干路距离", "Distance to the main road", {"unit": KILOMETRES, "code": "AAC315"}),
        ("access_road", "入户路类型", "Access road", {"code_list": "access_road", "code": "AAC316"}),
        ("dwelling_area", "住房面积", "Dwelling area", {"unit": SQUARE_METRES, "code": "AAC317"}),
        ("house_structure", "房屋主要结构", "House structure", {"code_list": "house_structure"}),
        ("dangerous_house", "是否危房户", "Dangerous house", {"code": "AAC318"}),
        ("danger_grade", "危房级别", "Danger grade", {"code_list": "danger_grade", "code": "AAC322"}),
        ("water_difficult", "饮水是否困难", "Drinking water difficult", {"code": "AAC311"}),
        ("water_safe", "是否解决安全饮用水", "Drinking water safe", {"code": "AAC312"}),
        ("fuel", "主要燃料类型", "Main fuel", {"code_list": "fuel", "code": "AAC320"}),
        ("sanitary_toilet", "是否有卫生厕所", "Sanitary toilet", {"code": "AAC319"}),
        ("coop_member", "是否加入农民专业合作组织", "Cooperative member", {"code": "AAC084"}),
        ("linked_enterprise", "是否有龙头企业带动", "Linked to an enterprise"),
        ("linked_leader", "是否有创业致富带头人带动", "Linked to an entrepreneurship leader"),
    )  # fmt: skip


def _of_person_years() -> tuple[Field, ...]:
    return _titled(
        PersonYear,
        ("education", "文化程度", "Education", {"code_list": "education", "code": "AAB008"}),
        ("student_status", "在校生状况", "Student status", {"code_list": "student_status", "code": "AAB009"}),
        ("dropout_reason", "失学或辍学原因", "Reason of dropping out", {"code_list": "dropout_reason"}),
        ("labour_capacity", "劳动能力", "Labour capacity", {"code_list": "labour_capacity", "code": "AAB010"}),
        ("industry", "产业分类", "Industry", {"code_list": "industry"}),
        ("work_location", "务工区域", "Work location", {"code_list": "work_location", "code": "AAB011"}),
        ("work_place", "务工所在地", "Place of work", {"code": "AAB025"}),
        ("work_months", "务工时间（月）", "Months of work", {"code": "AAB012", "unit": MONTHS}),
        ("works_abroad", "是否国外务工", "Works abroad"),
        ("employer", "务工企业名称", "Employer", {"code": "AAB029"}),
        ("employment_channel", "就业渠道", "Employment channel", {"code_list": "employment_channel"}),
        ("public_post_type", "公益性岗位类型", "Public-welfare post", {"code_list": "public_post_type"}),
        ("public_post_months", "公益性岗位（月数）", "Months in the post", {"unit": MONTHS}),
        ("health", "健康状况", "Health", {"code_list": "health", "several": 4, "code": "AAB017"}),
        ("disease_name", "患病名称", "Disease", {"code": "ABB001"}),
        ("disease_grade", "患病等级", "Grade of the disease", {"code": "ABB002"}),
        ("disability_type", "残疾类别", "Kind of disability", {"code_list": "disability_type"}),
        ("disability_grade", "残疾等级", "Grade of disability", {"code_list": "disability_grade"}),
        ("disability_cert_year", "残疾证办证年度", "Year of the disability certificate", {"most": 2100}),
        ("political_status", "政治面貌", "Political status", {"code_list": "political_status", "code": "AAK033"}),
        ("active_soldier", "是否现役军人", "Active soldier", {"code": "AAB019"}),
        ("speaks_mandarin", "是否会讲普通话", "Speaks Mandarin"),
        ("resident_medical_ins", "城乡居民医保", "Resident medical insurance", {"code": "AAB013"}),
        ("employee_medical_ins", "城镇职工医保", "Employee medical insurance"),
        ("critical_illness_ins", "大病保险", "Critical illness insurance", {"code": "AAB022"}),
        ("commercial_ins", "商业补充医疗保险", "Commercial medical insurance"),
        ("medical_aid", "是否接受大病医疗救助", "Medical aid received"),
        ("other_health_aid", "是否接受其他健康扶贫", "Other health aid received"),
        ("resident_pension", "城乡居民养老保险", "Resident pension insurance", {"code": "AAB014"}),
        ("employee_pension", "城镇职工养老保险", "Employee pension insurance", {"code": "AAB021"}),
        ("on_dibao", "享受低保", "Minimum living allowance", {"code": "AAB030"}),
        ("on_tekun", "特困供养", "Extreme-poverty support", {"code": "ABB003"}),
    )  # fmt: skip


def _of_relocations() -> tuple[Field, ...]:
    return _titled(
        Relocation,
        ("intention", "搬迁意愿", "Wants to move"),
        ("mode", "搬迁方式", "Way of moving", {"code_list": "relocation_mode"}),
        ("settlement_type", "安置方式", "Settlement", {"code_list": "settlement_type"}),
        ("settlement_place", "安置地", "Place of settlement", {"code_list": "settlement_place"}),
        ("planned_year", "计划搬迁年度", "Planned year", {"most": 2100}),
        ("moved_in_date", "入住日期", "Moved in on"),
        ("old_house_demolished_date", "旧房拆除日期", "Old house demolished on"),
        ("area", "安置住房面积", "Area of the new home", {"unit": SQUARE_METRES}),
        ("difficulty", "搬迁困难", "Difficulty of moving", {"code_list": "relocation_difficulty"}),
    )


def _of_villages() -> tuple[Field, ...]:
    """Facts of a village (domain.md §4.7); changed by loading a year's records, not one by one."""
    land: dict[str, Any] = {"unit": MU}
    rows: tuple[tuple[Any, ...], ...] = (
        ("village_no", "贫困村编号", "Poor village number"),
        ("is_poor_village", "是否贫困村", "Registered poor village"),
        ("poor_type", "贫困村类型", "Kind of poor village", {"code_list": "village_poor_type", "several": 3}),
        ("exit_year", "贫困村出列年度", "Year the village left poverty", {"most": 2100}),
        ("topography", "地形地貌", "Topography", {"code_list": "topography"}),
        ("development_direction", "发展方向", "Direction of development"),
        ("households", "全村户数", "Households of the village"),
        ("population", "全村人口", "Population of the village"),
        ("dibao_persons", "低保人数", "People on the minimum living allowance"),
        ("tekun_persons", "特困供养人数", "People on extreme-poverty support"),
        ("labour_force", "劳动力人数", "Labour force"),
        ("migrant_workers", "外出务工人数", "Migrant workers"),
        ("disabled_persons", "残疾人数", "Disabled people"),
        ("cropland", "全村耕地面积", "Cropland of the village", land),
        ("forest", "全村林地面积", "Forest of the village", land),
        ("paved_road_to_township", "到乡镇是否通硬化路", "Paved road to the township"),
        ("unpaved_road", "到乡镇未硬化里程", "Road to the township not paved", {"unit": KILOMETRES}),
        ("hamlets_without_road", "未通路的屯数", "Hamlets without a road"),
        ("hamlet_road_missing", "屯级路缺口里程", "Hamlet roads missing", {"unit": KILOMETRES}),
        ("bus", "是否通客运班车", "Bus"),
        ("households_without_safe_water", "未解决安全饮水户数", "Households without safe water"),
        ("households_with_difficult_water", "饮水困难户数", "Households with difficult water"),
        ("hamlets_without_production_power", "未通生产用电的屯数", "Hamlets without power for production"),
        ("dangerous_houses", "危房户数", "Dangerous houses"),
        ("clinics", "卫生室个数", "Clinics"),
        ("licensed_doctors", "执业医师人数", "Licensed doctors"),
        ("public_toilets", "公共厕所个数", "Public toilets"),
        ("rubbish_points", "垃圾集中堆放点个数", "Rubbish points"),
        ("library", "是否有图书室", "Library"),
        ("broadband", "是否通宽带", "Broadband"),
        ("cooperatives", "农民专业合作社个数", "Cooperatives"),
        ("coop_poor_households", "加入合作社的贫困户数", "Poor households in cooperatives"),
        ("collective_income", "村集体经济收入", "Income of the village collective", {"unit": YUAN}),
        ("collective_income_source", "村集体经济收入来源", "Source of the collective's income"),
        ("medical_enrolled", "参加医保人数", "People in medical insurance"),
        ("pension_enrolled", "参加养老保险人数", "People in pension insurance"),
        ("first_secretary", "第一书记", "First secretary"),
        ("stationed_unit", "驻村单位", "Stationed unit"),
    )
    fixed: dict[str, Any] = {"editable": False}
    return _titled(
        VillageYear,
        *((name, zh, en, (more[0] if more else {}) | fixed | {"key": f"place_{name}"}) for name, zh, en, *more in rows),
    )


def _of_hamlets() -> tuple[Field, ...]:
    """Facts of a hamlet (domain.md §4.7)."""
    rows: tuple[tuple[Any, ...], ...] = (
        ("name", "屯名", "Name of the hamlet"),
        ("households", "全屯户数", "Households of the hamlet"),
        ("population", "全屯人口", "Population of the hamlet"),
        ("access_road", "进屯路类型", "Road to the hamlet", {"code_list": "access_road"}),
        ("road_length", "进屯路里程", "Length of the road to the hamlet", {"unit": KILOMETRES}),
        ("water_source", "饮水来源", "Source of water"),
        ("production_power", "全屯是否通生产用电", "Power for production in the hamlet"),
        ("broadband", "全屯是否通宽带", "Broadband in the hamlet"),
    )
    fixed: dict[str, Any] = {"editable": False}
    return _titled(
        HamletYear,
        *(
            (name, zh, en, (more[0] if more else {}) | fixed | {"key": f"hamlet_{name}"})
            for name, zh, en, *more in rows
        ),
    )


FIELDS: Mapping[str, Field] = MappingProxyType({field.id: field for field in _declared()})

# What pages say they show, in words: the fields, the head's name, which lists show of a household, and its photos.
TITLES: Mapping[str, Sentence] = MappingProxyType(
    {name: field.title for name, field in FIELDS.items()}
    | {"head_name": Sentence("户主姓名", "Head's name"), "photo": Sentence("照片", "Photo")}
)


def fields_of(model: type[models.Model]) -> tuple[Field, ...]:
    """The declared fields of one table, in the order of the national forms."""
    return tuple(field for field in FIELDS.values() if field.model is model)


def editable(name: str) -> Field:
    """The declaration of a field that may be corrected. Raises FieldNotEditable."""
    field = FIELDS.get(name)
    if field is None or not field.editable:
        raise FieldNotEditable(field=name)
    return field


def from_text(field: Field, text: str) -> Value:
    """The stored value that a change row wrote as `text`; the way back from `as_text`."""
    if text == "":
        return None if field.column.null else ""
    if field.kind == "BooleanField":
        return text == "true"
    if field.kind == "DateField":
        return date.fromisoformat(text)
    return int(text) if "Integer" in field.kind else text


def as_text(value: object) -> str:
    """A value as a change row writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sealed):
        return value.clear()
    return value.isoformat() if isinstance(value, date) else str(value)
