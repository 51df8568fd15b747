import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel import names


@pytest.mark.parametrize("dot", "·•・‧⋅．･∙.")
def test_every_interpunct_is_one(dot):
    assert names.match_form(f"买买提{dot}依") == "买买提·依"
    assert names.match_form(f"买买提 {dot} 依") == "买买提·依"


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("李 四", "李四"),
        ("李\u3000四", "李四"),
        ("李四(户主)", "李四"),
        ("李四（户主）", "李四"),
        ("李四（已故）(户主)", "李四"),
        ("'韦英", "韦英"),
        ("韋英", "韦英"),
        ("覃\u200b燊", "覃燊"),
        ("⼀凡", "一凡"),  # a Kangxi radical
        ("𬭎生", "𬭎生"),  # outside the basic plane
        ("(户主)", "(户主)"),
        ("", ""),
    ],
)
def test_the_form_names_are_compared_in(written, form):
    assert names.match_form(written) == form


def test_names_that_are_different_people_stay_different():
    for one, other in (
        ("李喆", "李哲"),
        ("韦昇", "韦升"),
        ("覃淼", "覃水"),
        ("黄英", "黄瑛"),
        ("李四", "李四四"),
        ("", ""),
    ):
        assert not names.same(one, other)


def test_a_lost_character_agrees_with_any_as_long_as_one_is_known():
    assert names.same("覃?生", "覃燊生")
    assert names.same("覃\ue123生", "覃燊生")
    assert names.same("覃□", "覃四")
    assert not names.same("覃?生", "韦燊生")
    assert not names.same("??", "覃四")
    assert names.is_damaged("覃？生")
    assert not names.is_damaged("覃燊生")


def test_no_variant_is_folded_twice():
    folded = names._VARIANTS
    assert all(target not in folded or folded[target] == target for target in folded.values())


@given(st.text(max_size=12))
def test_the_form_is_its_own_form(name):
    once = names.match_form(name)
    assert names.match_form(once) == once
