"""Makes the table of how characters are read, `src/wanjia/kernel/readings.txt`, from the data of pypinyin.

    python tools/readings.py [--check]

A line is a syllable without its tone (ü is v) and all characters read so. Of each character the most usual
reading is taken, which is pypinyin's first; rare readings would only find what nobody meant. Surnames that
are read otherwise than the word, and characters of given names that people read in two ways, have all
readings in use: they stand below, and are ours.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

TABLE = Path(__file__).parents[1] / "src/wanjia/kernel/readings.txt"

# Of surnames; the word's own reading stays, since clerks type that one too.
SURNAMES = {
    "覃": "qin tan", "单": "shan dan", "仇": "qiu chou", "区": "ou qu", "盖": "ge gai", "冼": "xian sheng",
    "解": "xie jie", "查": "zha cha", "曾": "zeng ceng", "朴": "piao pu", "翟": "zhai di", "尉": "wei yu",
    "缪": "miao mou", "员": "yun yuan", "种": "chong zhong", "乐": "yue le", "繁": "po fan", "黑": "he hei",
    "秘": "bi mi", "折": "she zhe", "召": "shao zhao", "那": "na nuo", "能": "nai neng", "祭": "zhai ji",
    "洗": "xian xi", "牟": "mu mou", "隗": "wei kui", "藏": "zang cang", "柏": "bai bo", "卜": "bu", "郇": "xun huan",
    "郗": "chi xi", "宓": "mi fu", "俟": "si qi", "佴": "nai er", "谌": "chen shen", "阚": "kan", "褚": "chu zhu",
    "重": "chong zhong", "降": "jiang xiang", "沈": "shen chen", "合": "he ge", "适": "kuo shi",
    "角": "jue jiao", "宿": "su xiu", "行": "xing hang", "莘": "shen xin", "贾": "jia gu", "长": "zhang chang",
    "薄": "bo bao", "澹": "tan dan",
}  # fmt: skip
# In given names.
GIVEN = {
    "茜": "qian xi", "娜": "na nuo", "晟": "sheng cheng", "盛": "sheng cheng", "朝": "chao zhao", "传": "chuan zhuan",
    "莎": "sha suo", "筠": "yun jun", "奇": "qi ji", "颉": "xie jie", "都": "du dou", "调": "tiao diao",
    "乘": "cheng sheng", "参": "can shen", "钿": "dian tian", "琢": "zhuo", "阿": "a e", "佛": "fo", "率": "shuai",
    "省": "sheng xing", "绿": "lv lu", "炅": "jiong gui", "畜": "chu xu", "枸": "gou ju", "栎": "li yue",
    "焘": "tao dao", "蔚": "wei yu", "给": "gei ji", "仔": "zai zi", "提": "ti di", "什": "shi", "勒": "le",
    "了": "liao",
    "着": "zhe zhuo", "的": "di de", "呢": "ni", "似": "si", "泊": "bo", "厦": "xia sha", "辟": "pi bi", "轧": "zha",
}  # fmt: skip


def plain(syllable: str) -> str:
    """A syllable as it is typed: no tone, v for ü."""
    marked = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v").replace("ɡ", "g")
    return "".join(mark for mark in marked if not unicodedata.combining(mark))


def readings() -> dict[str, tuple[str, ...]]:
    """Every character with its readings."""
    from pypinyin.constants import PINYIN_DICT

    found = {}
    for code, spelt in PINYIN_DICT.items():
        syllable = plain(spelt.split(",")[0])
        if syllable.isascii() and syllable.isalpha() and code > 0x2FFF:  # noqa: PLR2004 - where characters begin
            found[chr(code)] = (syllable,)
    return found | {character: tuple(spelt.split()) for character, spelt in (SURNAMES | GIVEN).items()}


def table() -> str:
    """The file's text."""
    by_syllable: dict[str, list[str]] = defaultdict(list)
    for character, syllables in sorted(readings().items()):
        for syllable in syllables:
            by_syllable[syllable].append(character)
    lines = [f"{syllable}\t{''.join(characters)}\n" for syllable, characters in sorted(by_syllable.items())]
    return "# Made by tools/readings.py; not to be edited.\n" + "".join(lines)


def main(arguments: list[str]) -> int:
    """Write the table, or with --check say whether it is as it would be written."""
    text = table()
    if arguments == ["--check"]:
        same = TABLE.read_text("utf-8") == text
        print("readings.txt is up to date." if same else "readings.txt differs: run python tools/readings.py")
        return 0 if same else 1
    TABLE.write_text(text, "utf-8")
    print(f"{TABLE.name}: {len(text.splitlines()) - 1} syllables")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
