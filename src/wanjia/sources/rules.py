"""What can be wrong with a row, and what each problem does to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from wanjia.kernel.dates import DateFault
from wanjia.kernel.errors import Sentence
from wanjia.kernel.identity import Problem as Fault
from wanjia.kernel.money import MoneyFault
from wanjia.sources.choices import DeliveryMode, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem. `code` stands in the lake; the sentence is shown after the column's name."""

    code: str
    severity: Severity
    sentence: Sentence


def _reject(code: str, zh: str, en: str) -> Problem:
    return Problem(code, Severity.REJECT, Sentence(zh, en))


def _warn(code: str, zh: str, en: str) -> Problem:
    return Problem(code, Severity.WARN, Sentence(zh, en))


def of_identity(fault: Fault) -> str:
    """The code of a fault of an identity number."""
    return f"id_{fault.value}"


def of_amount(fault: MoneyFault) -> str:
    """The code of a fault of an amount."""
    return f"amount_{fault.value}"


def of_date(fault: DateFault) -> str:
    """The code of a fault of a date."""
    return f"date_{fault.value}"


# A number that identifies nobody keeps its row: wrong but equal numbers still match, and linkage
# may find the person by name and place. Only a number that a spreadsheet has ruined is sent back,
# because the sender can still repair it and we never can (domain.md §18 trap 2).
_ALL = (
    _reject("columns", "列数与表头不符", "has another number of columns than the header"),
    _reject("undecodable", "含有无法识别的字符", "holds characters that cannot be read"),
    _reject(
        "formula_no_value",
        "是公式而没有算出的结果；请在表格软件中打开并保存，或粘贴为数值",
        "is a formula without its result; open and save it in a spreadsheet, or paste values",
    ),
    _reject("cell_error", "是公式错误(#N/A、#REF! 等)", "is a formula's error (#N/A, #REF!)"),
    _reject(
        "number_ruined",
        "超过 15 位的数字已被表格软件舍入；请把该列设为“文本”后重新导出",
        "has more than 15 digits and was rounded by a spreadsheet; re-export the column as text",
    ),
    _reject(
        "merged_amount",
        "在合并单元格中，金额或数量不能分给各行；请逐行填写",
        "is in a merged cell; an amount or count is not shared out, fill in every row",
    ),
    _warn("merged_cell", "在合并单元格中，按第一行的内容填入", "is in a merged cell; filled in from its first row"),
    _warn(
        "hidden_row", "在表格中被隐藏(可能是筛选)，仍已读取", "is hidden in the sheet (filtered?); read all the same"
    ),
    _warn(
        "beyond_header", "在表头以外的列还有内容，未读取", "has something beyond the columns of the header; not read"
    ),
    _reject("missing", "必填项为空", "is required and empty"),
    _reject("too_long", "内容超长", "is too long"),
    _warn(
        "number_inside",
        "中有公民身份号码，已改存为可比对的代号，页面上只显示掩码",
        "holds an identity number; kept as a code that can still be compared, and shown masked",
    ),
    _warn("label_unknown", "不在代码表中，按原文保留", "is in no code list; kept as written"),
    _warn("name_damaged", "姓名中有缺字（？或□），只能按号码比对", "has lost characters; matched by number only"),
    _reject(of_date(DateFault.UNREADABLE), "不是日期", "is no date"),
    _reject(of_date(DateFault.AMBIGUOUS), "日期写法有歧义，请写成 2018-03-05", "is ambiguous; write 2018-03-05"),
    _reject(of_date(DateFault.IMPOSSIBLE), "没有这一天", "is a day that never was"),
    _reject(of_date(DateFault.OUT_OF_RANGE), "日期超出合理范围", "is out of range"),
    _reject(of_date(DateFault.TOO_COARSE), "需要精确到日", "must name the day"),
    _reject(of_amount(MoneyFault.UNREADABLE), "不是金额", "is no amount of money"),
    _reject(of_amount(MoneyFault.FRACTION), "金额小于 1 分，单位可能有误", "has less than a fen; is the unit right?"),
    _reject(of_amount(MoneyFault.TOO_LARGE), "金额过大", "is too large an amount"),
    _reject("number_unreadable", "不是整数", "is no whole number"),
    _reject("date_future", "日期晚于今天", "lies in the future"),
    _warn("date_serial", "为表格软件的日期序号，已换算", "came as a spreadsheet's serial number and was converted"),
    _reject(
        of_identity(Fault.RUINED),
        "已被表格软件转成数字，末几位丢失；请把该列设为“文本”后重新导出",
        "was turned into a number and lost its last digits; re-export the column as text",
    ),
    _warn(of_identity(Fault.EMPTY), "没有证件号码，不能按号码比对", "is empty; cannot be matched by number"),
    _warn(
        of_identity(Fault.PLACEHOLDER), "是占位号码，不能按号码比对", "is a placeholder; cannot be matched by number"
    ),
    _warn(of_identity(Fault.LENGTH), "长度不对", "has a wrong length"),
    _warn(
        of_identity(Fault.LOOK_ALIKE), "疑似把数字写成了字母（如 O 与 0）", "seems to have letters for digits (O for 0)"
    ),
    _warn(of_identity(Fault.CHARACTERS), "含有号码中不应有的字符", "has characters no number has"),
    _warn(
        of_identity(Fault.CENTENARIAN), "是 15 位百岁老人号段，请核实", "is a 15-digit number reserved for centenarians"
    ),
    _warn(of_identity(Fault.DATE), "中的出生日期不存在", "states a birth date that never was"),
    _warn(of_identity(Fault.FUTURE), "中的出生日期晚于今天", "states a birth date in the future"),
    _warn(of_identity(Fault.CHECK), "校验位不符", "has a wrong check character"),
    _warn(of_identity(Fault.OLD_FORM), "是 15 位旧号码", "is an old 15-digit number"),
    _warn(of_identity(Fault.DISABILITY_TYPE), "残疾类别不在 1–7", "states no disability type from 1 to 7"),
    _warn(of_identity(Fault.DISABILITY_GRADE), "残疾等级不在 1–4", "states no disability grade from 1 to 4"),
)

PROBLEMS: Mapping[str, Problem] = MappingProxyType({problem.code: problem for problem in _ALL})

# Problems as small numbers, for whole columns at once; 0 is none.
CODES: tuple[str, ...] = ("", *PROBLEMS)
NUMBER: Mapping[str, int] = MappingProxyType({code: number for number, code in enumerate(CODES)})
OK = 0
REJECTS: tuple[bool, ...] = (False, *(problem.severity is Severity.REJECT for problem in _ALL))


# -- which deliveries are current ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivered:
    """An accepted delivery, as far as it matters which others it replaces. Later ones have higher numbers."""

    number: int
    dataset: str
    area: str
    mode: str
    period: tuple[date | None, date | None] = (None, None)


def supersedes(later: Delivered, earlier: Delivered) -> bool:
    """Whether a delivery takes the place of an earlier one.

    A full delivery replaces everything delivered before for the area it covers. Changes add to
    what is there. A period stands beside other periods, and replaces only what was delivered for
    the same period before.
    """
    if later.dataset != earlier.dataset or not earlier.area.startswith(later.area):
        return False
    if later.mode == DeliveryMode.FULL:
        return True
    return later.mode == earlier.mode == DeliveryMode.PERIOD and later.period == earlier.period


def superseded(deliveries: Sequence[Delivered]) -> dict[int, int]:
    """Number of each delivery that is no longer current → the number of the latest that replaces it."""
    found: dict[int, int] = {}
    replacing: list[Delivered] = []
    for each in sorted(deliveries, key=lambda each: -each.number):
        by = next((later.number for later in replacing if supersedes(later, each)), None)
        if by is not None:
            found[each.number] = by
        elif each.mode != DeliveryMode.DELTA:
            replacing.append(each)
    return found


def overlapping(delivery: Delivered, others: Sequence[Delivered]) -> list[int]:
    """Earlier deliveries for a wider area, which a full delivery for a part of it does not replace."""
    return [
        each.number
        for each in others
        if each.number < delivery.number
        and each.dataset == delivery.dataset
        and delivery.mode == each.mode == DeliveryMode.FULL
        and delivery.area.startswith(each.area)
        and delivery.area != each.area
    ]


# -- guards: a delivery that may not be what it seems is held, and asks -----------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """The parameters of the guards, as they are in force."""

    considered: int  # rows; below, shares say nothing
    rows_at_least: float  # share of the earlier delivery's rows
    rows_at_most: float
    repeated_keys: float  # share of rows whose key another row has
    valid_ids_drop: float  # by how much the share of valid numbers may fall
    valid_ids_least: float
    stale_days: int  # age of what the data speaks of
    recede_days: int  # by how much the newest day may lie before the earlier delivery's


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery as the guards see it."""

    number: int
    as_of: date | None
    figures: Mapping[str, Any]

    @property
    def rows(self) -> int:
        return int(self.figures.get("rows", 0))

    @property
    def valid_share(self) -> float | None:
        return self.figures["valid_ids"] / self.rows if self.rows and "valid_ids" in self.figures else None


GUARDS: Mapping[str, Sentence] = MappingProxyType(
    {
        "few_rows": Sentence(
            "只有 {rows} 行，上一批（第 {batch} 批）有 {before} 行，可能不完整",
            "only {rows} rows where batch {batch} had {before}: it may not be whole",
        ),
        "many_rows": Sentence(
            "有 {rows} 行，上一批（第 {batch} 批）只有 {before} 行，可能重复导出",
            "{rows} rows where batch {batch} had {before}: it may have been exported twice",
        ),
        "total_differs": Sentence(
            "合计行写明共 {stated} 条，文件中有 {rows} 条，可能缺行或多行",
            "its row of totals states {stated} rows and there are {rows}: some may be missing or too many",
        ),
        "repeated_keys": Sentence(
            "{share}% 的行与其他行主键相同，可能整份重复",
            "{share}% of the rows repeat another's key: it may be doubled",
        ),
        "same_content": Sentence(
            "内容与第 {batch} 批（{before} 接收）完全相同",
            "it says exactly what batch {batch}, received on {before}, said",
        ),
        "older": Sentence(
            "数据截至 {as_of}，早于上一批（第 {batch} 批）的 {before}",
            "it speaks of {as_of}, before the {before} of batch {batch}",
        ),
        "stale": Sentence(
            "数据截至 {as_of}，距今超过 {days} 天，可能是往年的文件",
            "it speaks of {as_of}, more than {days} days ago: it may be an earlier year's",
        ),
        "dates_recede": Sentence(
            "最晚的日期为 {newest}，上一批（第 {batch} 批）为 {before}，可能是往年的数据",
            "its newest day is {newest}, that of batch {batch} was {before}: it may be an earlier year's",
        ),
        "few_valid_ids": Sentence(
            "只有 {share}% 的证件号码有效{before}，证件号码列可能错位或损坏",
            "only {share}% of the identity numbers are valid{before}: the column may be shifted or damaged",
        ),
    }
)
Hold = dict[str, Any]  # guard and its facts


def guarded(new: Seen, before: Seen | None, same: tuple[int, date] | None, today: date, bounds: Bounds) -> list[Hold]:
    """Why a delivery is held; empty when nothing speaks against it.

    `before` is the delivery it would stand in the place of, `same` the number and day of an
    accepted one with the same content.
    """
    holds: list[Hold] = []
    if same is not None:
        holds.append({"guard": "same_content", "batch": same[0], "before": same[1].isoformat()})
    if new.as_of is not None and (today - new.as_of).days > bounds.stale_days:
        holds.append({"guard": "stale", "as_of": new.as_of.isoformat(), "days": bounds.stale_days})
    stated = [int(n) for n in new.figures.get("stated", ())]
    if stated and new.rows not in (*stated, sum(stated)):  # each sheet may have its own
        holds.append({"guard": "total_differs", "stated": max(stated), "rows": new.rows})
    keyed, keys = new.figures.get("keyed", 0), new.figures.get("keys", 0)
    if keyed >= bounds.considered and (keyed - keys) / keyed > bounds.repeated_keys:
        holds.append({"guard": "repeated_keys", "share": round((keyed - keys) / keyed * 100)})
    holds += _valid_ids(new, before, bounds)
    return holds if before is None else holds + _against(new, before, bounds)


def _valid_ids(new: Seen, before: Seen | None, bounds: Bounds) -> list[Hold]:
    share, was = new.valid_share, before.valid_share if before else None
    if share is None or new.rows < bounds.considered:
        return []
    if share >= bounds.valid_ids_least and (was is None or was - share <= bounds.valid_ids_drop):
        return []
    return [{"guard": "few_valid_ids", "share": round(share * 100), "before": "" if was is None else round(was * 100)}]


def _against(new: Seen, before: Seen, bounds: Bounds) -> list[Hold]:
    holds: list[Hold] = []
    if before.rows >= bounds.considered:
        counts = {"rows": new.rows, "before": before.rows, "batch": before.number}
        if new.rows < before.rows * bounds.rows_at_least:
            holds.append({"guard": "few_rows", **counts})
        elif new.rows > before.rows * bounds.rows_at_most:
            holds.append({"guard": "many_rows", **counts})
    if new.as_of and before.as_of and new.as_of < before.as_of:
        told = {"as_of": new.as_of.isoformat(), "before": before.as_of.isoformat(), "batch": before.number}
        holds.append({"guard": "older", **told})
    newest, was = new.figures.get("newest", {}), before.figures.get("newest", {})
    for name in sorted(newest.keys() & was.keys()):
        if (date.fromisoformat(was[name]) - date.fromisoformat(newest[name])).days > bounds.recede_days:
            holds.append({"guard": "dates_recede", "newest": newest[name], "before": was[name], "batch": before.number})
            break
    return holds


def sentence_of(hold: Hold, language: str) -> str:
    """A reason to hold in words."""
    facts = {name: value for name, value in hold.items() if name != "guard"}
    if hold["guard"] == "few_valid_ids" and facts["before"] != "":
        facts["before"] = Sentence("（上一批 {n}%）", " ({n}% before)").text(language, n=facts["before"])
    return GUARDS[hold["guard"]].text(language, **facts)
