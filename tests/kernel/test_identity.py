import datetime as dt
import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel.identity import (
    CHECK_CHARACTERS,
    Kind,
    Problem,
    check_character,
    found_in,
    judge,
    key_text,
    normalise,
)

TABLE = json.loads((Path(__file__).parents[1] / "vectors" / "identity.json").read_text("utf-8"))
TODAY = dt.date.fromisoformat(TABLE["today"])
VECTORS = TABLE["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{n}-{each['note']}" for n, each in enumerate(VECTORS)])
def test_the_table_of_vectors(vector):
    said = judge(vector["raw"], TODAY)

    assert key_text(vector["raw"]) == vector["key_text"]
    assert (said.kind, said.valid, said.problem) == (vector["kind"], vector["valid"], vector.get("problem"))
    assert said.number == vector.get("number")
    assert said.suggestion == vector.get("suggestion")
    assert (said.born_on.isoformat() if said.born_on else None) == vector.get("born_on")
    assert said.sex == vector.get("sex")
    assert [said.disability_type, said.disability_grade] == vector.get("disability", [None, None])


def test_the_table_covers_every_kind_and_problem_and_only_invented_people():
    assert {each["kind"] for each in VECTORS} == set(Kind)
    assert {each.get("problem") for each in VECTORS} == {None, *Problem}
    numbers = [text for each in VECTORS for text in (each.get("number"), each.get("suggestion")) if text]
    assert all(text.startswith(("459999", "456228", "999999")) for text in numbers)


def test_nothing_at_all_is_empty():
    assert key_text(None) is None
    assert judge(None, TODAY).problem is Problem.EMPTY


def test_the_check_character_needs_seventeen_digits():
    for wrong in ("4599991976022900", "459999197602290012", "4599991976022900X", "４５９９９９１９７６０２２９００１"):
        with pytest.raises(ValueError, match="17 digits"):
            check_character(wrong)


days = st.dates(dt.date(1900, 1, 1), TODAY)
sequences = st.integers(0, 999)


def number_of(day, sequence):
    first17 = f"459999{day:%Y%m%d}{sequence:03d}"
    return first17 + check_character(first17)


@given(days, sequences)
def test_a_sound_number_says_birthday_and_sex(day, sequence):
    said = judge(number_of(day, sequence), TODAY)

    assert said.valid
    assert (said.born_on, said.sex, said.county) == (day, "1" if sequence % 2 else "2", "459999")


@given(days, sequences, st.integers(0, 17), st.sampled_from(string.digits + "X"))
def test_one_wrong_character_is_never_taken_for_sound(day, sequence, at, other):
    number = number_of(day, sequence)
    wrong = number[:at] + other + number[at + 1 :]
    if wrong != number:
        assert not judge(wrong, TODAY).valid


@given(days, sequences, st.integers(0, 16))
def test_two_neighbours_swapped_are_never_taken_for_sound(day, sequence, at):
    number = number_of(day, sequence)
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if swapped != number:
        assert not judge(swapped, TODAY).valid


@given(days.filter(lambda day: day.year < 2000), st.integers(0, 995))
def test_an_old_number_is_suggested_as_the_new_one_of_the_same_person(day, sequence):
    old = f"459999{day:%y%m%d}{sequence:03d}"
    said = judge(old, TODAY)
    if said.problem is Problem.OLD_FORM:  # a few old numbers look like placeholders
        assert said.suggestion == number_of(day, sequence)
        assert not said.valid


noise = st.text(st.sampled_from(" \t\u00a0\u3000\u200b\ufeff'\"’“\u202d"), max_size=4)


@given(days, sequences, noise, noise, st.booleans())
def test_what_files_add_changes_neither_the_key_nor_the_verdict(day, sequence, before, after, wide):
    number = number_of(day, sequence)
    written = number.translate({ord(c): ord(c) + 0xFEE0 for c in string.digits + "X"}) if wide else number.lower()

    assert key_text(before + written + after) == number
    assert judge(before + written + after, TODAY) == judge(number, TODAY)


@given(days, sequences, st.integers(1, 7), st.integers(1, 4), st.sampled_from(["", "B1", "b2"]))
def test_a_certificate_has_the_key_of_its_holder(day, sequence, category, grade, again):
    number = number_of(day, sequence)
    certificate = f"{number}{category}{grade}{again}"

    assert key_text(certificate) == key_text(number) == number
    assert judge(certificate, TODAY).valid


@given(st.text(max_size=30))
def test_any_text_is_normalised_once_and_judged_without_failing(text):
    once = normalise(text)
    said = judge(text, TODAY)

    assert said.text == once
    assert (said.number is None) or (said.number[17] in CHECK_CHARACTERS and len(said.number) == 18)
    assert (said.problem is None) == said.valid
    assert key_text(text) is None or len(key_text(text)) <= max(len(once), 18)


@given(days, sequences)
def test_a_number_a_spreadsheet_rounded_has_no_key(day, sequence):
    number = number_of(day, sequence)
    rounded = number[:15] + "000"
    if check_character(rounded[:17]) != "0":
        assert judge(rounded, TODAY).problem is Problem.RUINED
        assert key_text(rounded) is None
    assert key_text(f"{int(number[:17]) * 10:.5E}") is None


def test_numbers_are_found_inside_a_text_and_nothing_else_is():
    today = dt.date(2020, 11, 16)

    def found(text):
        return [text[first:end] for first, end in found_in(text, today)]

    number, old = "459999197602290012", "459999760229001"
    assert found(f"证{number}号") == found(f"No{number}42") == [number]
    assert found(f"{number},45999919900101007X") == [number, "45999919900101007X"]
    assert found("459999 19760229 0012/459999-1990-0101-007X") == ["459999 19760229 0012", "459999-1990-0101-007X"]
    assert found(f"A{old}") == [old]
    assert found(f"7{number}3") == [number]
    assert found("459999197602290013 459999197502290015 459999203001010015") == []
    assert found(f"{old}7 13800138000 13900139000 6217001234567890123") == []
