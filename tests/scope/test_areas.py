"""Areas as ranges of digit strings: the range is exactly what begins with the code."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel.codes import LENGTHS
from wanjia.scope.areas import EVERYWHERE, AreaRange, level_of, merged, next_code, trimmed

natural = st.sampled_from(LENGTHS).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size))
nines = st.sampled_from(["99", "4599", "459999", "999999999", "459900", "450000000999"])
codes = natural | nines


@given(codes, codes)
def test_a_range_holds_exactly_what_begins_with_its_code(area, code):
    assert (code in AreaRange.of(area)) == code.startswith(area)


@given(codes, codes)
def test_a_range_covers_another_exactly_when_its_code_begins_it(wide, narrow):
    assert AreaRange.of(wide).covers(AreaRange.of(narrow)) == narrow.startswith(wide)


@given(codes)
def test_everywhere_holds_every_code_and_no_code_holds_everywhere(code):
    assert code in EVERYWHERE
    assert EVERYWHERE.covers(AreaRange.of(code))
    assert not AreaRange.of(code).covers(EVERYWHERE)
    assert AreaRange.of("") == EVERYWHERE


@given(st.lists(codes, max_size=8), codes)
def test_merging_loses_and_adds_nothing(areas, code):
    ranges = [AreaRange.of(area) for area in areas]
    few = merged(ranges)
    assert any(code in item for item in few) == any(code in item for item in ranges)
    assert len(few) <= len(set(ranges))
    assert list(few) == sorted(few, key=lambda item: item.lo)
    for left, right in itertools.pairwise(few):
        assert left.hi is not None
        assert left.hi < right.lo  # neighbours that touch are one range


@given(codes)
def test_the_next_code_is_the_first_that_is_outside(code):
    after = next_code(code)
    if after is None:
        assert set(code) == {"9"}
    else:
        assert after > code
        assert not after.startswith(code)
        assert code + "9" * 20 < after


@pytest.mark.parametrize(
    "text", ["4", "451", "45122", "451228x", "４５", "45\n", " 45", "45 ", "4512281010000000", "²³", "-5", "45122８"]
)
def test_what_is_no_code_makes_no_range(text):
    with pytest.raises(ValueError, match="not a division code"):
        AreaRange.of(text)


@pytest.mark.parametrize(
    ("padded", "code"),
    [
        ("450000000000", "45"),
        ("451000000000", "4510"),
        ("451010000000", "451010"),
        ("451228100000", "451228100"),
        ("451228101200", "451228101200"),
        ("451228", "451228"),
        ("45", "45"),
    ],
)
def test_padding_is_cut_only_at_a_level(padded, code):
    assert trimmed(padded) == code


@given(natural.filter(lambda code: len(code) <= 12 and not code.endswith("00")))
def test_trimming_undoes_padding(code):
    assert trimmed(code.ljust(12, "0")) == code


def test_levels_by_length():
    levels = [level_of("4" * size) for size in LENGTHS]
    assert levels == ["province", "city", "county", "township", "village", "hamlet"]
