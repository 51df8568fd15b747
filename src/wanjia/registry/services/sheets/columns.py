"""What the two sheets hold: the header rows of domain.md §18, and behind them every further field we keep.

A column is found by its title here, by the field's own title in either language, by a synonym, or
by its name in copies of the national system (AAC001). Columns without a `field` are said by others
of the row: where it is, whose it is, sums that are computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from django.db import models

from wanjia.intake import contracts as intake
from wanjia.intake.contracts import SOURCE_ROW, Reading
from wanjia.kernel.errors import Sentence
from wanjia.lake.columns import Columns, Type
from wanjia.registry.choices import SheetKind
from wanjia.registry.fields import FIELDS, YUAN, Field, fields_of
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation

HEADER_WITHIN = 12  # rows; titles, a unit, a date above it
TOTALS = ("合计", "总计", "小计", "共计", "总户数", "总人数")
NOTES = ("说明", "注:", "注：", "备注", "填表", "制表", "填报", "审核", "单位负责", "由")
LONGEST_NUMBER = 40
LONGEST_PLACE = 60

# title in the national sheet → the field's id, or the name of what has no field
_HOUSEHOLD_HEADER = (
    ("省", "province"), ("市", "city"), ("县", "county"), ("乡", "township"), ("村", "village"),
    ("户编号", "household_no"), ("户主编号", "head_no"), ("户主姓名", "head_name"), ("户主证件号码", "head_id_number"),
    ("家庭人口数", "members"), ("是否危房户", "dangerous_house"), ("人均纯收入", "net_income_per_head"),
    ("年收入", "gross_income"), ("是否解决安全饮用水", "water_safe"), ("年度", "year"), ("村办公电话", "village_phone"),
    ("开户银行名称", "bank_name"), ("银行卡号", "bank_account"), ("识别标准", "recognition_standard"),
    ("主要致贫原因", "main_cause"), ("次要致贫原因", "other_causes"), ("工资性收入", "wage_income"),
    ("生产经营性收入", "business_income"), ("财产性收入", "property_income"), ("转移性收入", "transfer_income"),
    ("计划生育金", "family_planning_grant"), ("低保金", "dibao_grant"), ("五保金", "tekun_grant"),
    ("养老保险金", "pension_income"), ("生态补偿金", "eco_compensation"), ("其他转移性收入", "other_transfer"),
    ("生产经营性支出", "business_expense"), ("纯收入", "net_income"), ("资产收益扶贫分红收入", "asset_dividend"),
    ("其他财产性收入", "other_property_income"), ("耕地面积（亩）", "cropland"), ("水面面积", "water_area"),
    ("是否加入农民专业合作组织", "coop_member"), ("退耕还林面积（亩）", "grain_for_green"),
    ("林果面积（亩）", "orchard"), ("牧草地面积", "pasture"), ("林地面积（亩）", "forest"),
    ("是否通生产用电", "production_power"), ("是否通生活用电", "household_power"), ("是否通广播电视", "tv"),
    ("与村主干路距离", "distance_main_road"), ("入户路类型", "access_road"), ("住房面积", "dwelling_area"),
    ("是否有卫生厕所", "sanitary_toilet"), ("主要燃料类型", "fuel"), ("危房级别", "danger_grade"),
    ("是否有龙头企业带动", "linked_enterprise"), ("是否有创业致富带头人带动", "linked_leader"),
)  # fmt: skip
_MEMBER_HEADER = (
    ("省", "province"), ("市", "city"), ("县", "county"), ("乡", "township"), ("村", "village"),
    ("户编号", "household_no"), ("人口编号", "member_no"), ("姓名", "name"), ("性别", "sex"),
    ("出生日期", "birth_date"),
    ("证件类型", "id_type"), ("证件号码", "id_number"), ("民族", "ethnicity"), ("户联系电话", "household_phone"),
    ("成员联系电话", "member_phone"), ("年度", "year"), ("与户主关系", "relation"), ("文化程度", "education"),
    ("在校生状况", "student_status"), ("劳动技能", "labour_capacity"), ("务工时间（月）", "work_months"),
    ("健康状况", "health"), ("政治面貌", "political_status"), ("务工企业名称", "employer"),
    ("是否享受低保", "on_dibao"), ("是否参加城镇职工基本养老保险", "employee_pension"),
    ("是否参加大病保险", "critical_illness_ins"),
    ("是否参加新型农村合作医疗（城乡居民基本医疗保险）", "resident_medical_ins"),
    ("是否参加城乡居民基本养老保险", "resident_pension"), ("失学或辍学原因", "dropout_reason"),
    ("是否会讲普通话", "speaks_mandarin"), ("是否参加商业补充医疗保险", "commercial_ins"),
    ("是否国外务工", "works_abroad"), ("产业分类", "industry"), ("是否接受大病医疗救助", "medical_aid"),
    ("是否接受其他健康扶贫", "other_health_aid"), ("公益性岗位类型", "public_post_type"),
    ("公益性岗位(月数)", "public_post_months"), ("就业渠道", "employment_channel"), ("残疾类别", "disability_type"),
    ("务工所在地", "work_place"), ("户主姓名", "head_name"), ("户主证件号码", "head_id_number"),
    ("是否参加城镇职工基本医疗保险", "employee_medical_ins"), ("是否特困供养人员", "on_tekun"),
    ("残疾证办证年度", "disability_cert_year"), ("识别标准", "household_standard"),
)  # fmt: skip

# What columns are also called in files (domain.md §18 trap 8). Codes of the national system where a field has none.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "province": ("省份", "省（区、市）", "自治区", "省级"), "city": ("地市", "市（州）", "市级", "设区市"),
    "county": ("县区", "县（市、区）", "县级", "区县"), "township": ("乡镇", "乡（镇）", "镇", "乡级", "乡镇（街道）"),
    "village": ("行政村", "村（社区）", "村级", "村名"),
    "division_code": ("区划代码", "行政区划", "村代码", "行政村代码", "AAR008"),
    "household_no": ("户编码", "贫困户编号", "户号", "家庭编号", "AAC001"),
    "member_no": ("人编号", "人员编号", "成员编号", "人口编码", "个人编号", "AAB001"),
    "head_name": ("户主", "AAC029"),
    "head_id_number": ("户主身份证号", "户主身份证号码", "户主证件号", "AAC031"),
    "year": ("数据年度", "报告年度", "AAR040"),
    "gross_income": ("家庭年收入", "总收入", "AAC081"), "net_income": ("家庭纯收入", "年纯收入", "AAC079"),
    "net_income_per_head": ("家庭人均纯收入", "AAC082"), "members": ("家庭人口", "人口数", "家庭成员数"),
    "household_phone": ("联系电话", "户主电话", "AAR012"),
    "phone": ("户联系电话", "户主联系电话", "电话"), "member_phone": ("本人电话", "个人联系电话"),
    "bank_name": ("开户行",), "bank_account": ("银行账号", "银行卡卡号", "账号"),
    "other_causes": ("次要致贫原因", "其他致贫原因"), "tekun_grant": ("特困供养金", "五保金（特困供养金）"),
    "dangerous_house": ("是否危房",), "water_safe": ("饮水是否安全", "是否有安全饮用水", "安全饮水"),
    "sanitary_toilet": ("有无卫生厕所", "卫生厕所"), "coop_member": ("是否加入专业合作组织", "是否加入合作社"),
    "hamlet": ("自然村", "村民小组", "自然屯", "组"), "household_category": ("户属性", "贫困属性", "农户属性"),
    "poverty_status": ("脱贫状态", "脱贫属性"), "identified_year": ("识别时间", "识别年份"),
    "exit_year": ("脱贫年份", "脱贫时间"), "relocated": ("是否易地扶贫搬迁户", "是否搬迁户"),
    "name": ("成员姓名", "姓名（成员）"), "sex": ("成员性别",), "birth_date": ("出生年月日", "出生年月", "生日"),
    "id_number": ("身份证号", "身份证号码", "公民身份号码", "公民身份证号码", "身份证", "证件号"),
    "relation": ("与户主的关系", "户主关系"), "labour_capacity": ("劳动能力", "劳动力"),
    "work_months": ("务工时间", "务工月数"), "work_location": ("务工情况", "务工地区"),
    "on_dibao": ("享受低保", "是否低保"), "on_tekun": ("是否特困供养", "是否五保"),
    "resident_medical_ins": (
        "是否参加城乡居民基本医疗保险", "是否参加新型农村合作医疗", "新农合", "是否参加新农合",
        "是否参加城乡居民医疗保险",
    ),
    "employee_medical_ins": ("是否参加城镇职工医疗保险",), "critical_illness_ins": ("是否参加城乡居民大病保险",),
    "resident_pension": ("是否参加城乡居民社会养老保险",), "public_post_months": ("公益岗位月数", "公益性岗位月数"),
    "public_post_type": ("公益岗位", "公益性岗位", "公益岗位类型"), "active_soldier": ("现役军人",),
    "student_status": ("在校状况", "在校生情况", "在校生"), "member_status": ("成员状态",),
}  # fmt: skip

_KNOWN: Mapping[str, Sentence] = {
    "province": Sentence("省", "Province"), "city": Sentence("市", "City"), "county": Sentence("县", "County"),
    "township": Sentence("乡", "Township"), "village": Sentence("村", "Village"),
    "division_code": Sentence("行政区划代码", "Division code"),
    "household_no": Sentence("户编号", "Household number"), "member_no": Sentence("人口编号", "Member number"),
    "head_no": Sentence("户主编号", "Head's number"), "head_name": Sentence("户主姓名", "Head's name"),
    "head_id_number": Sentence("户主证件号码", "Head's identity number"), "year": Sentence("年度", "Year"),
    "members": Sentence("家庭人口数", "Members"), "net_income": Sentence("纯收入", "Net income"),
    "net_income_per_head": Sentence("人均纯收入", "Net income per head"),
    "gross_income": Sentence("年收入", "Gross income"), "village_phone": Sentence("村办公电话", "Village phone"),
    "household_phone": Sentence("户联系电话", "Household's phone"),
    "household_standard": Sentence("识别标准", "Household's recognition standard"),
}  # fmt: skip
_NAMES_OF_PLACES = ("province", "city", "county", "township", "village")
_PERSONAL = {"id": "id", "phone": "phone", "account": "account"}
_FOLLOWS = frozenset({"standing", "removed_on", "head_person_no", "member_count", "new_no"})  # not said in sheets


@dataclass(frozen=True, slots=True)
class SheetField(intake.Field):
    """A column of a sheet; `of` is the registry's field it holds, None where it says something else of the row."""

    of: Field | None = None

    @property
    def type(self) -> Type:
        """What its values are once they are read."""
        if self.of is None:
            return Type.INTEGER if self.name == "year" else Type.TEXT
        kind = self.of.kind
        if kind == "BooleanField":
            return Type.BOOLEAN
        if kind == "DateField":
            return Type.DATE
        return Type.BIGINT if kind == "BigIntegerField" else Type.INTEGER if "Integer" in kind else Type.TEXT


@dataclass(frozen=True, kw_only=True)
class SheetContract(intake.Contract):
    """One of the two sheets. `header` are the titles of an export, in order, with the column each stands for."""

    header: tuple[tuple[str, str], ...]

    @cached_property
    def columns(self) -> Columns:
        return {SOURCE_ROW: Type.INTEGER, **{item.name: item.type for item in self.fields}}  # type: ignore[attr-defined]


@cache
def sheet(kind: SheetKind) -> SheetContract:
    """What is expected of a sheet, and in which order it is handed out."""
    if kind == SheetKind.MEMBERS:
        tables: tuple[type[models.Model], ...] = (Person, Membership, PersonYear)
        header: tuple[tuple[str, str], ...] = _MEMBER_HEADER
        key = "member_no"
        title = Sentence("成员表", "Member sheet")
    else:
        tables, header, key = (Household, HouseholdYear, Relocation), _HOUSEHOLD_HEADER, "household_no"
        title = Sentence("户年度表", "Household-year sheet")
    said = dict(header)
    by_name = {name: told for told, name in header}
    own = [field for table in tables for field in fields_of(table) if field.id not in _FOLLOWS]
    rest = [(field.title.zh, field.id) for field in own if field.id not in said.values()]
    whole = (*header, *rest)
    fields = [_field(name, by_name.get(name, ""), required=name == key) for _, name in whole]
    if "division_code" not in by_name:
        fields.append(_field("division_code", "", required=False))
    return SheetContract(
        dataset=str(kind.value),
        title=title,
        layout=intake.Layout(HEADER_WITHIN, TOTALS, NOTES, None),
        key=(key,),
        fields=tuple(fields),
        version="",
        header=whole,
    )


def sheets() -> list[SheetContract]:
    """Both, in the order in which a file is tried: a member sheet names households too."""
    return [sheet(SheetKind.MEMBERS), sheet(SheetKind.HOUSEHOLDS)]


def _field(name: str, title: str, *, required: bool) -> SheetField:
    of = FIELDS.get(name) if name not in _KNOWN else None
    words = of.title if of else _KNOWN[name]
    codes = (of.code,) if of and of.code else ()
    others = tuple(_cases((title, *_SYNONYMS.get(name, ()), *codes)))
    return SheetField(
        name=name,
        reading=_reading(of),
        title=words,
        headers=others,
        required=required,
        max_length=_longest(of, name),
        past=of is not None and of.kind == "DateField",
        codes=of.code_list if of else "",
        vintage="",
        personal=_personal(of, name),
        keep=True,
        of=of,
    )


def _cases(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        if name:
            yield name
            if name.isascii():
                yield name.lower()


def _reading(of: Field | None) -> Reading:
    if of is None:
        return Reading.TEXT
    if of.unit is YUAN:
        return Reading.MONEY
    if of.kind == "DateField":
        return Reading.DATE
    if "Integer" in of.kind:
        return Reading.WHOLE
    return Reading.LABEL if of.code_list else Reading.TEXT


def _longest(of: Field | None, name: str) -> int | None:
    if of is None:
        return LONGEST_PLACE if name in _NAMES_OF_PLACES else LONGEST_NUMBER
    return LONGEST_NUMBER if of.protected else of.column.max_length


def _personal(of: Field | None, name: str) -> str:
    if name.endswith("name") and name not in ("bank_name", "disease_name"):
        return "name"
    if name == "head_id_number":
        return "id"
    if name.endswith("phone"):
        return "phone"
    if of is not None and of.protected:
        return _PERSONAL.get(of.column.mask, "all")  # type: ignore[attr-defined]
    return "none"
