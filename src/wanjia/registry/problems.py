"""What may be wrong with a new value, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wanjia.kernel.errors import Sentence
from wanjia.kernel.identity import Problem

REQUIRED = Sentence("不能为空", "it may not be empty")
NOT_YES_OR_NO = Sentence("只能是“是”或“否”", "it is yes or no")
NO_DAY = Sentence("日期须写成 2020-11-16", "a day is written as 2020-11-16")
IN_THE_FUTURE = Sentence("日期在今天以后", "the day lies in the future")
NO_NUMBER = Sentence("须是整数", "it is a whole number")
NEGATIVE = Sentence("不能小于 0", "it is not below 0")
UNPRINTABLE = Sentence("含有控制字符", "it holds control characters")
PERSONAL_NUMBER = Sentence("含有 11 位以上的数字", "it holds 11 digits or more")
NO_CODE = Sentence("代码不在代码表中", "the code is not in its list")
EXCLUDES = Sentence("所选代码不能同时成立", "one of the codes excludes the others")
SUM_OF_PARTS = Sentence("它等于各分项之和，请改分项", "it is the sum of its parts; correct those")
BEFORE_JOINING = Sentence("早于入户日期", "the day lies before the person joined")


def too_long(most: int) -> Sentence:
    return Sentence(f"超过 {most} 个字", f"it is longer than {most} characters")


def too_many(most: int) -> Sentence:
    return Sentence(f"最多 {most} 项，不能重复", f"at most {most}, each once")


def too_fine(places: int) -> Sentence:
    if not places:
        return NO_NUMBER
    return Sentence(f"最多 {places} 位小数", f"at most {places} digits after the point")


def outside(first: int, last: int) -> Sentence:
    return Sentence(f"须在 {first} 至 {last} 之间", f"it lies between {first} and {last}")


OF_NUMBERS: Mapping[Problem, Sentence] = MappingProxyType({
    Problem.EMPTY: REQUIRED,
    Problem.PLACEHOLDER: Sentence("不是证件号码", "it is no identity number"),
    Problem.RUINED: Sentence("末几位已被表格软件改掉", "a spreadsheet has lost its last digits"),
    Problem.LENGTH: Sentence("位数不对", "it has a wrong length"),
    Problem.LOOK_ALIKE: Sentence("有字母混作数字", "a letter stands where a digit belongs"),
    Problem.CHARACTERS: Sentence("含有不该有的字符", "it holds characters that do not belong there"),
    Problem.CENTENARIAN: Sentence("15 位旧号码，须向公安核实", "an old number, to be verified with the police"),
    Problem.DATE: Sentence("其中的出生日期不存在", "its date of birth does not exist"),
    Problem.FUTURE: Sentence("其中的出生日期在今天以后", "its date of birth lies in the future"),
    Problem.CHECK: Sentence("校验位不对", "its check character is wrong"),
    Problem.OLD_FORM: Sentence("15 位旧号码，请填 18 位", "an old 15-digit number; enter all 18"),
    Problem.DISABILITY_TYPE: Sentence("残疾类别不对", "its kind of disability does not exist"),
    Problem.DISABILITY_GRADE: Sentence("残疾等级不对", "its grade of disability does not exist"),
})  # fmt: skip
