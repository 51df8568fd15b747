"""What can be wrong with a row, and what each problem does to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wanjia.intake.choices import Severity
from wanjia.kernel.dates import DateFault
from wanjia.kernel.errors import Sentence
from wanjia.kernel.identity import Problem as Fault
from wanjia.kernel.money import MoneyFault


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
    _reject("code_unknown", "不在代码表中", "is in no code list"),
    _reject("codes_many", "代码过多或重复", "has too many codes, or one twice"),
    _reject("codes_exclude", "所列代码不能同时成立", "has codes that exclude each other"),
    _reject("flag_unreadable", "只能是“是”或“否”", "is neither yes nor no"),
    _reject("number_fine", "小数位数过多", "has too many digits after the point"),
    _reject("number_negative", "不能小于 0", "is below 0"),
    _reject("number_large", "数值过大", "is too large"),
    _reject("year_unreadable", "不是年份", "is no year"),
    _reject("masked", "是打了掩码的号码，请填完整号码", "is masked; enter the whole number"),
    _reject(
        "personal_number",
        "含有 11 位以上的数字，证件号码和电话不能填在这一列",
        "holds 11 digits or more; identity numbers and telephones belong elsewhere",
    ),
    _warn(
        "id_repaired",
        "中的字母已按数字读取（校验位相符）",
        "had letters for digits, which were read as digits: the check character fits",
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
