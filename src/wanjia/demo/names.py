"""Names as they are heard in a county of north-western Guangxi; of nobody in particular."""

from __future__ import annotations

from itertools import accumulate
from random import Random

# Surname → weight. 韦, 蓝, 覃 and 黄 lead in 都安; a few compound and rare ones keep software honest.
SURNAMES = {
    "韦": 190, "蓝": 150, "黄": 110, "覃": 95, "潘": 60, "陆": 55, "卢": 45, "罗": 40, "苏": 38, "唐": 34,
    "石": 30, "莫": 28, "梁": 26, "班": 24, "农": 22, "李": 20, "陈": 20, "王": 15, "张": 14, "袁": 13,
    "兰": 12, "周": 12, "杨": 11, "谭": 10, "蒙": 10, "邓": 9, "何": 9, "吴": 8, "刘": 8, "甘": 6,
    "樊": 5, "零": 4, "岑": 4, "欧阳": 2, "上官": 1,
}  # fmt: skip
MALE = "强伟军明华建国志勇文海山林平生荣贵福庆忠德龙飞鹏超波涛宏亮光辉胜利锋毅权正东南春民才学武金宝成安康祥"
FEMALE = "英花秀兰芳梅桂香美玲丽红艳霞娟凤珍月云莲菊琼燕玉萍琴素青妹小春彩爱珠翠芬慧敏静雪晓婷思怡佳欣"
# Outside the basic plane, and in extension A: they must survive GB18030, databases and fonts.
RARE = "𬭎㙍𬱖㛃"
OTHER_SCRIPT = ("阿依古丽·买买提", "艾力·吐尔逊", "古丽·阿不都")

_FAMILY = list(SURNAMES)
_WEIGHTS = list(accumulate(SURNAMES.values()))


def surname(random: Random) -> str:
    """A surname with the county's frequencies."""
    return random.choices(_FAMILY, cum_weights=_WEIGHTS)[0]


def given(random: Random, *, male: bool) -> str:
    """A given name of one or, mostly, two characters."""
    stock = MALE if male else FEMALE
    if random.random() < 0.002:
        return random.choice(RARE)
    first = random.choice(stock)
    return first if random.random() < 0.18 else first + random.choice(stock)


def full(random: Random, *, male: bool, family: str | None = None) -> str:
    """A full name; now and then one written with a middle dot."""
    if family is None and random.random() < 0.001:
        return random.choice(OTHER_SCRIPT)
    return (family or surname(random)) + given(random, male=male)
