"""Codes of the registry that the program itself must know; every other code is reference data."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from wanjia.kernel.identity import Kind

HEAD = "01"  # CL-06: the person is the household's head

IN_HOUSEHOLD = frozenset({"1", "4"})  # CL-13: every head count and per-capita figure uses only these
REMOVED_WITH_HOUSEHOLD = "10"  # CL-13: 户清退时清退人员
DIED = "R1"  # CL-14
DISABLED = "04"  # CL-12
DELETED = "9"  # CL-13: was registered and should not have been
LEFT_STATUSES = frozenset({"2", "3", "5", "9", "11"})  # CL-13: what a single member may leave as

CERTIFICATE_TYPES = {Kind.RESIDENT: "01", Kind.DISABILITY: "09"}  # domain.md §4.3 证件类型

POOR = frozenset({"0", "3"})  # CL-03: currently poor
MAY_EXIT = frozenset({"0", "2", "3"})  # CL-03: from these a household exits (T2 and T3, domain.md §4.8)
# Names of the personal data a page shows, for the record of who read what.
SHOWN_IN_LISTS = ("head_name",)
SHOWN_ON_THE_PAGE = ("name", "sex", "birth_date", "ethnicity", "health")

EXITED = "1"  # CL-03: exited, still entitled to policy


class Standing(models.TextChoices):
    """Whether a household is in the registry at all (domain.md §4.8)."""

    LIVE = "live", _("在册")
    REMOVED = "removed", _("已清退")  # T5: was not eligible when it was identified
    CANCELLED = "cancelled", _("已注销")  # T7: nobody of it is left


class RequestState(models.TextChoices):
    """Where a change request is."""

    TOWNSHIP = "township", _("待乡镇审核")
    COUNTY = "county", _("待县级批准")
    APPLIED = "applied", _("已生效")
    DECLINED = "declined", _("已退回")
    WITHDRAWN = "withdrawn", _("已撤回")


OPEN_REQUESTS = (RequestState.TOWNSHIP, RequestState.COUNTY)


class ItemState(models.TextChoices):
    """What became of one field of a change request."""

    WAITING = "waiting", _("待定")
    APPLIED = "applied", _("已采纳")
    ALREADY = "already", _("已是该值")
    KEPT = "kept", _("保留现值")


class ErasureState(models.TextChoices):
    """Where the erasure of a person is."""

    ASKED = "asked", _("待批准")
    ERASED = "erased", _("已删除")
    DECLINED = "declined", _("未批准")
    WITHDRAWN = "withdrawn", _("已撤回")


class YearState(models.TextChoices):
    """What a reporting year is (domain.md §4.1): one is open, those before it are sealed, oldest first."""

    EARLIER = "earlier", _("待封存")  # loaded as history, before the open year, and not sealed yet
    OPEN = "open", _("开放")
    SEALED = "sealed", _("已封存")


class AsOf(models.TextChoices):
    """Which figures of a sealed year are asked for."""

    PUBLISHED = "published", _("公布口径")  # as sealed; never moves
    KNOWN = "known", _("现时口径")  # with what was corrected since


class RejectReason(models.TextChoices):
    """Why a row of a load was not taken in."""

    NUMBER_MISSING = "number_missing", _("缺少国家系统编号")
    NUMBER_REPEATED = "number_repeated", _("编号在本批数据中重复")
    ALREADY_REGISTERED = "already_registered", _("编号已在册")
    UNKNOWN_VILLAGE = "unknown_village", _("行政村代码不存在")
    CODE_UNKNOWN = "code_unknown", _("代码不在代码表中")
    YEAR_IMPOSSIBLE = "year_impossible", _("年度不合理")
    YEAR_SEALED = "year_sealed", _("年度已封存")
    NAME_MISSING = "name_missing", _("缺少姓名")
    TEXT_UNREADABLE = "text_unreadable", _("含有控制字符或超出长度")
    NUMBER_IMPOSSIBLE = "number_impossible", _("数值为负或过大")
    INCOME_DISAGREES = "income_disagrees", _("收入合计不等于各分项之和")
    HOUSEHOLD_UNKNOWN = "household_unknown", _("所属户不在本批数据中")
    PERSON_UNKNOWN = "person_unknown", _("所属人不在本批数据中")
    HEAD_MISSING = "head_missing", _("没有在户的户主")
    HEAD_REPEATED = "head_repeated", _("户主多于一人")
    HOUSEHOLD_REJECTED = "household_rejected", _("所属户未通过校验")
    DATES_DISAGREE = "dates_disagree", _("出生、入户、离户日期的先后矛盾")
    # of a sheet's rows
    PLACE_UNKNOWN = "place_unknown", _("省、市、县、乡、村不能确定是哪个行政村")
    OUTSIDE_AREA = "outside_area", _("不在本次导入的地区内")
    OTHER_YEAR = "other_year", _("与本次导入的年度不同")
    YEAR_NOT_OPEN = "year_not_open", _("不能再更正")
    NOT_REGISTERED = "not_registered", _("不在册，或不在本次导入的地区内")
    NOT_LIVE = "not_live", _("所在户已清退或注销")
    HEAD_PROCEDURE = "head_procedure", _("户主变更须按“更换户主”办理")
    VALUE_REFUSED = "value_refused", _("内容不符合该项的要求")
    MASKED = "not_whole", _("打了掩码，请填写完整")
    OTHER_MASK = "other_mask", _("打了掩码，且与登记的号码不是同一个")
    REGISTERED_OTHERWISE = "registered_otherwise", _("与该编号登记的不同，请核对是否错行")
    OTHER_NAME = "other_name", _("与该编号登记的不同，请核对是否错行；更名的，请同时填写登记的证件号码")


class Remark(models.TextChoices):
    """What is said of a sheet's row that is taken in all the same."""

    PROCEDURE = "procedure", _("与登记不同，须按对应业务办理，未改动")
    RENAMED = "renamed", _("与登记不同而证件号码相同，按更名更正")
    KNOWN = "known", _("已在册，未改动；如需更正请按“更正”导入")
    HEAD_DISAGREES = "head_disagrees", _("户主姓名与成员表中的户主不同")
    SEX_DISAGREES = "sex_disagrees", _("性别与证件号码不符")
    BIRTH_DISAGREES = "birth_disagrees", _("出生日期与证件号码不符")


class SheetKind(models.TextChoices):
    """The two national sheets (domain.md §18)."""

    HOUSEHOLDS = "households", _("户年度表")
    MEMBERS = "members", _("成员表")


class ImportMode(models.TextChoices):
    """What a sheet is taken in as."""

    NEW = "new", _("首次登记")
    CORRECTION = "correction", _("更正")


class ImportStatus(models.TextChoices):
    """How far an import has come."""

    WAITING = "waiting", _("待上传另一张表")
    RECEIVED = "received", _("待读取")
    UNREADABLE = "unreadable", _("无法读取")
    PREVIEWED = "previewed", _("待确认")
    DONE = "done", _("已导入")
    CANCELLED = "cancelled", _("已取消")
