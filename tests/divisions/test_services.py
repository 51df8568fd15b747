import time
from pathlib import Path

import pytest

from wanjia.audit.models import Opening
from wanjia.divisions import queries
from wanjia.divisions.errors import (
    BadDivisionCode,
    BadDivisionHeader,
    BadDivisionRow,
    DivisionFileIncomplete,
    DivisionFileRefused,
    DuplicateDivision,
    LevelContradictsCode,
    NotADivisionFile,
    OrphanDivision,
)
from wanjia.divisions.models import Division
from wanjia.divisions.rules import spoken_name
from wanjia.divisions.services import load_divisions
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer

YUNNAN = """\
code,name,level,parent
53,云南省,province,
5326,文山壮族苗族自治州,city,53
532628,富宁县,county,5326
532628100,新华镇,township,532628
532628100201,城镇村委会,village,532628100
"""


def file_of(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "divisions.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_guangxi_has_its_18091_divisions(guangxi):
    levels = [
        len([each for each in Division.objects.all() if each.level == level])
        for level in ("province", "city", "county", "township", "village")
    ]

    assert guangxi == 18_091
    assert levels == [1, 14, 111, 1_284, 16_681]


def test_loading_takes_seconds_and_again_changes_nothing(guangxi, django_assert_max_num_queries):
    acts = Opening.objects.visible_to(system_viewer("audit.trail")).filter(act="divisions.load")
    assert acts.count() == 1
    started = time.perf_counter()

    with django_assert_max_num_queries(10):
        assert load_divisions() == 18_091

    assert time.perf_counter() - started < 5  # a quarter of a second on an idle core
    assert acts.count() == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_another_province_loads_beside_it(guangxi, tmp_path, encoding):
    assert load_divisions(file_of(tmp_path, YUNNAN, encoding)) == 5

    assert queries.path_of("532628100201") == [
        ("53", "云南省"), ("5326", "文山壮族苗族自治州"), ("532628", "富宁县"), ("532628100", "新华镇"),
        ("532628100201", "城镇村"),
    ]  # fmt: skip
    assert queries.name_of("451228") == "都安瑶族自治县"


def test_padded_codes_are_the_same_divisions(db, tmp_path):
    padded = "code,name\n530000000000,云南省\n532600000000,文山壮族苗族自治州\n532628000000,富宁县\n"

    assert load_divisions(file_of(tmp_path, padded)) == 3

    assert [each.code for each in Division.objects.order_by("code")] == ["53", "5326", "532628"]


@pytest.mark.parametrize(
    ("text", "refusal", "fact"),
    [
        ("代码,名称\n53,云南省\n", BadDivisionHeader, ("found", "代码,名称")),
        ("name,code\n云南省,53\n", BadDivisionHeader, ("found", "name,code")),
        (YUNNAN + "53262,残缺,county,5326\n", BadDivisionCode, ("line", 7)),
        (YUNNAN + "5326x1,残缺,county,5326\n", BadDivisionCode, ("value", "5326x1")),
        (YUNNAN + "532628101\n", BadDivisionRow, ("line", 7)),
        (YUNNAN + "532628101,,township,532628\n", BadDivisionRow, ("line", 7)),
        (YUNNAN + "532629101,孤儿镇,township,532629\n", OrphanDivision, ("parent", "532629")),
        (YUNNAN + "532628,富宁县,county,5326\n", DuplicateDivision, ("first_line", 4)),
        (YUNNAN + "532628101,归朝镇,county,532628\n", LevelContradictsCode, ("expected", "township")),
        (YUNNAN + "532628101,归朝镇,township,532627\n", LevelContradictsCode, ("written", "532627")),
        ("", NotADivisionFile, ("file", "divisions.csv")),
        ("code,name,level,parent\n", NotADivisionFile, ("file", "divisions.csv")),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_changes_nothing(db, tmp_path, text, refusal, fact):
    with pytest.raises(refusal) as refused:
        load_divisions(file_of(tmp_path, text))

    assert refused.value.values[fact[0]] == fact[1]
    assert isinstance(refused.value, DivisionFileRefused)
    assert all(refused.value.sentences(language) for language in ("zh", "en"))
    assert not Division.objects.exists()


def test_a_missing_or_binary_file_is_refused(db, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\x81\xff\xfe\x00\x01\xff")
    for name in ("x.csv", "none.csv"):
        with pytest.raises(NotADivisionFile):
            load_divisions(tmp_path / name)


def test_a_division_gone_from_a_new_edition_is_closed_and_may_come_back(db, tmp_path):
    villages = "".join(f"532628100{n},第{n}村委会,village,532628100\n" for n in range(202, 260))
    load_divisions(file_of(tmp_path, YUNNAN + villages))
    fewer = YUNNAN + villages.replace("532628100259,第259村委会,village,532628100\n", "")

    load_divisions(file_of(tmp_path, fewer))

    assert Division.objects.get(code="532628100259").valid_to == clock.today()
    assert "532628100259" not in queries.villages_under("532628")
    load_divisions(file_of(tmp_path, YUNNAN + villages))
    assert Division.objects.get(code="532628100259").valid_to is None


def test_half_a_province_is_not_taken_for_a_new_edition(guangxi, tmp_path):
    part = "code,name\n45,广西壮族自治区\n4512,河池市\n451228,都安瑶族自治县\n"

    with pytest.raises(DivisionFileIncomplete):
        load_divisions(file_of(tmp_path, part))

    assert Division.objects.filter(valid_to=None).count() == 18_091


@pytest.mark.parametrize(
    ("official", "spoken"),
    [
        ("定福村委会", "定福村"),
        ("农贸社区居委会", "农贸社区"),
        ("农贸社区居民委员会", "农贸社区"),
        ("拉堡村村民委员会", "拉堡村"),
        ("太阳村镇居民委员会", "太阳村镇居委会"),
        ("里建农场生活区", "里建农场生活区"),
        ("中山街道办事处", "中山街道"),
        ("安阳镇", "安阳镇"),
    ],
)
def test_committees_are_left_off_in_speech(official, spoken):
    assert spoken_name(official) == spoken
