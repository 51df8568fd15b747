"""How characters are read, and what somebody typed."""

import importlib.util
from pathlib import Path

import pytest

from wanjia.kernel import pinyin

TOOL = Path(__file__).parents[2] / "tools/readings.py"


@pytest.mark.parametrize(
    ("character", "readings"),
    [("国", "guo"), ("覃", "qin tan"), ("单", "shan dan"), ("区", "ou qu"), ("曾", "zeng ceng"), ("朴", "piao pu"),
     ("吕", "lv"), ("略", "lve"), ("𬭎", "hong"), ("𠅤", "xi"), ("A", ""), ("?", ""), ("#", ""), ("1", "")],
)  # fmt: skip
def test_a_character_is_read_as_people_read_it(character, readings):
    assert set(pinyin.readings(character)) == set(readings.split())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Huáng Jiàn'guó", "huangjianguo"),
        ("ｈｊｇ", "hjg"),
        ("nǚ", "nv"),
        ("nyu", "nyu nv"),
        ("anyu", "anyu"),
        ("黄jg", ""),
        ("", ""),
        ("a1", ""),
    ],
)
def test_what_was_typed_is_compared_without_tones_and_spaces(text, meant):
    assert pinyin.typed(text) == tuple(meant.split())


def test_the_table_is_what_its_tool_makes():
    pytest.importorskip("pypinyin")
    spec = importlib.util.spec_from_file_location("readings", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.TABLE.read_text("utf-8") == tool.table()
