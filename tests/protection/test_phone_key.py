"""The key of a telephone number: one number by one, and a column together."""

import pyarrow as pa
import pytest

from wanjia.protection.phone_key import PhoneKeys, phone_text

KEYS = PhoneKeys(b"k" * 32)
WRITTEN = [
    "13800138000",
    "138 0013 8000",
    "+86 138-0013-8000",
    "8613800138000",
    "１３８００１３８０００",
    "008613800138000",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_one_number_written_in_many_ways_has_one_key(text):
    assert phone_text(text) == "13800138000"
    assert KEYS.one(text) == KEYS.one("13800138000")


@pytest.mark.parametrize("text", ["", "无", "1380013", "138001380001234", "11111111111", "00000000000", "call me"])
def test_what_is_no_number_has_none(text):
    assert (KEYS.one(text) is None) == (text != "1380013")


def test_a_leading_zero_and_another_secret_tell_numbers_apart():
    assert KEYS.one("07785212345") != KEYS.one("7785212345")
    assert KEYS.one("13800138000") != PhoneKeys(b"l" * 32).one("13800138000")


def test_a_column_has_the_keys_of_its_numbers():
    texts = [*WRITTEN, None, "", "无", "11111111111", "(0778)5212345", "13900139000"]
    column = pa.chunked_array([pa.array(texts[:5], pa.string()), pa.array(texts[5:], pa.string())])
    assert KEYS.many(column).to_pylist() == [KEYS.one(text) for text in texts]
    assert KEYS.many(pa.array([], pa.string())).to_pylist() == []
