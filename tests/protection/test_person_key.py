"""The scalar and the bulk form of person_key, against each other and against the shared vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel.identity import check_character, key_text, normalise
from wanjia.protection.person_key import PersonKeys, pack

KEYS = PersonKeys(b"s" * 32)
VECTORS = Path(__file__).parents[1] / "vectors" / "identity.json"

digits17 = st.text("0123456789", min_size=17, max_size=17)
numbers = st.one_of(
    digits17.map(lambda text: text + check_character(text)),
    st.tuples(digits17, st.sampled_from("0123456789Xx")).map("".join),
)
wrapping = st.text(" \t\r\n'\"=`  \u200b", max_size=3)
tails = st.sampled_from(["", "42", "42B1", "42b1", "00", "4", "4２", "\t42", "号"])
messy = st.tuples(wrapping, numbers, tails, wrapping).map("".join)
cells = st.one_of(
    st.none(),
    messy,
    numbers.map(lambda text: text[:6] + text[8:17]),
    numbers.map(lambda text: text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})),
    st.sampled_from(
        ["", "无", "0" * 18, "1" * 18, "1" * 20, "459999000000000000", "123456789012345678", "4.59999E+17"]
    ),
    numbers.map(lambda text: text[:15] + "000"),
    st.text(max_size=24),
)


@given(st.lists(cells, max_size=40))
def test_a_column_gets_the_keys_its_cells_get_one_by_one(column):
    assert KEYS.many(pa.array(column, pa.string())).to_pylist() == [KEYS.one(cell) for cell in column]


@given(messy)
def test_what_files_add_to_a_number_does_not_change_its_key(cell):
    assert KEYS.one(cell) == KEYS.one(normalise(cell))


def test_every_shared_vector_has_a_key_exactly_where_it_has_a_key_text():
    vectors = json.loads(VECTORS.read_text("utf-8"))
    raws = sorted({raw for raw in _strings(vectors) if raw is not None})
    assert len(raws) > 20
    keys = KEYS.many(pa.array(raws)).to_pylist()
    assert keys == [KEYS.one(raw) for raw in raws]
    for raw, key in zip(raws, keys, strict=True):
        assert (key is None) == (key_text(raw) is None), raw


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []


def test_a_certificate_has_its_holders_key():
    number, certificate, renewed = "459999197602290012", "45999919760229001242", "45999919760229001242B1"
    assert KEYS.one(number) == KEYS.one(certificate) == KEYS.one(renewed)
    assert KEYS.many(pa.array([certificate, renewed])).to_pylist() == [KEYS.one(number)] * 2


def test_a_wrong_number_keeps_a_key_of_its_own_and_a_missing_one_has_none():
    right, wrong, old = KEYS.one("459999197602290012"), KEYS.one("459999197602290013"), KEYS.one("459999760229001")
    assert len({right, wrong, old}) == 3
    assert None not in (right, wrong, old)
    assert KEYS.one("") is KEYS.one(None) is KEYS.one("无") is KEYS.one("000000000000000000") is None


def test_keys_are_useless_without_the_secret():
    assert PersonKeys(b"t" * 32).one("459999197602290012") != KEYS.one("459999197602290012")


def test_a_key_once_given_never_changes():
    # stored in databases and lakes: another value here is a break with every installation
    assert KEYS.one("459999197602290012") == -4436728134116460440
    assert KEYS.one("45999919900101007x") == 2756233514468739858
    assert KEYS.one("459999760229001") == 148080427257049806


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_columns_of_every_text_type_are_taken(kind):
    cells = ["459999197602290012", None, "45999919900101007X\t", "无", "459999760229001"]
    column = pa.array(cells).cast(kind) if not pa.types.is_dictionary(kind) else pa.array(cells).dictionary_encode()
    assert KEYS.many(column).to_pylist() == [KEYS.one(cell) for cell in cells]


def test_slices_and_chunks_keep_their_order():
    cells = [f"4599991976022900{number:02}" for number in range(50)]
    whole = pa.array(["x", *cells, None])
    parts = pa.chunked_array([whole.slice(1, 7), whole.slice(8, 0), whole.slice(8, 44)])
    assert KEYS.many(parts).to_pylist() == [*(KEYS.one(cell) for cell in cells), None]
    assert KEYS.many(pa.chunked_array([], pa.string())).to_pylist() == []


def test_more_rows_than_one_slice(monkeypatch):
    monkeypatch.setattr("wanjia.protection.person_key.SLICE", 7)
    cells = [None if number % 5 == 0 else f"45999919760229{number:04}" for number in range(40)]
    assert KEYS.many(pa.array(cells)).to_pylist() == [KEYS.one(cell) for cell in cells]


def test_only_a_number_packs():
    assert pack("459999197602290012") == 45999919760229001 * 11 + 2
    assert pack("45999919900101007X") == 45999919900101007 * 11 + 10
    assert pack("99999999999999999X") < 2**63
    for text in ("", "45999919760229001", "45999919760229001Y", "4599991976022900１2", "45999919760229001²"):
        assert pack(text) is None


def test_nothing_of_the_secret_is_shown():
    assert "s" * 8 not in repr(KEYS)
