import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.audit import rules
from wanjia.audit.errors import IdentityNumberInPayload, PayloadNotCanonical

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-rules.LARGEST_INTEGER, rules.LARGEST_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=126, min_codepoint=32)), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_the_written_form_is_the_one_of_rfc_8785():
    payload = {"b": [1, True, None], "a": '覃\u20ac\n\u000f"\\/', "A": {"z": -5, "y": ""}}
    assert (
        rules.canonical(payload)
        == b'{"A":{"y":"","z":-5},"a":"\xe8\xa6\x83\xe2\x82\xac\\n\\u000f\\"\\\\/","b":[1,true,null]}'
    )


@given(st.dictionaries(st.text(st.characters(max_codepoint=126, min_codepoint=32)), plain, max_size=5))
def test_the_written_form_survives_storage_and_does_not_depend_on_order(payload):
    stored = json.loads(json.dumps(dict(reversed(payload.items()))))
    assert rules.canonical(stored) == rules.canonical(payload)
    assert json.loads(rules.canonical(payload)) == payload


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        ({"income": 3218.5}, "$.income"),
        ({"n": 2**53}, "$.n"),
        ({"day": datetime(2020, 1, 1, tzinfo=UTC)}, "$.day"),
        ({"rows": [1, {"x": b"raw"}]}, "$.rows[1].x"),
        ({"户": 1}, "$"),
        ({"note": "a\0b"}, "$.note"),
        ({"note": "\ud800"}, "$"),
        ({"names": {"甲", "乙"}}, "$.names"),
    ],
)
def test_what_has_no_single_written_form_is_refused_with_its_place(payload, where):
    with pytest.raises(PayloadNotCanonical) as refused:
        rules.canonical(payload)
    assert refused.value.values["where"] == where


def test_sm3_is_the_national_standard():
    # GB/T 32905-2016, appendix A.1
    assert rules.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_sm3_is_the_same_without_openssl_having_it(monkeypatch):
    monkeypatch.setattr(rules, "_hashlib_has_sm3", lambda: False)
    assert rules.sm3(b"abc").hex().startswith("66c7f0f4")


def test_neither_digest_can_be_guessed_from_the_payload_alone():
    payload = {"household": 17, "outcome": "01"}
    first, second = rules.commit(b"a" * 16, payload), rules.commit(b"b" * 16, payload)
    assert first.sha256 != second.sha256
    assert first.sm3 != second.sm3
    assert first.sha256 == hashlib.sha256(b"a" * 16 + rules.canonical(payload)).hexdigest()


def test_each_detail_has_a_salt_of_its_own():
    rows = [rules.detail({"field": "phone"}) for _ in range(50)]
    assert len({row.salt for row in rows}) == len({row.digest for row in rows}) == 50
    assert all(rules.detail_digest(row.salt, {"field": "phone"}) == row.digest for row in rows)


@pytest.mark.parametrize(
    "text", ["459999199001010012", "身份证459999199001010012有误", "45999919900101001X,", 459999199001010012]
)
def test_an_identity_number_in_clear_is_refused_wherever_it_hides(text):
    with pytest.raises(IdentityNumberInPayload) as refused:
        rules.refuse_identity_numbers({"edits": [{"new": text}]}, "registry.correct")
    assert refused.value.values == {"where": "registry.correct.edits[0].new"}
    assert "459999" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["451228100201", "20201116090000123456", "a459999199001010012", 17, True, "459999********0012"]
)
def test_numbers_of_other_kinds_pass(text):
    rules.refuse_identity_numbers({"x": [text]}, "act")


@pytest.mark.parametrize(
    ("codes", "common"),
    [
        (["451228100201"], "451228100201"),
        (["451228100201", "451228100202"], "451228100"),
        (["451228100201", "451228104203"], "451228"),
        (["451228", "451202100"], "4512"),
        (["451228", "450100"], "45"),
        (["451228", "440100"], ""),
        ([], ""),
    ],
)
def test_a_wide_act_stands_at_the_smallest_area_that_holds_it(codes, common):
    assert rules.common_area(codes) == common
    assert rules.public_area(common) == common[:6]


def test_instants_are_written_in_utc():
    at = datetime(2020, 11, 16, 9, 0, 1, 5, tzinfo=timezone(timedelta(hours=8)))
    assert rules.stamp(at) == "2020-11-16T01:00:01.000005Z"
