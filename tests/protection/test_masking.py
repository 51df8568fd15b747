import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.protection import masking
from wanjia.protection.masking import MASKS, mask_account, mask_all, mask_id, mask_name, mask_phone


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (mask_name, "覃大某", "覃*某"),
        (mask_name, "覃某", "覃*"),
        (mask_name, "欧阳大某", "欧**某"),
        (mask_name, "覃", "*"),
        (mask_name, " 覃某 ", "覃*"),
        (mask_name, "", ""),
        (mask_id, "459999197602290012", "459999********0012"),
        (mask_id, "45999919760229001242", "459999**********1242"),
        (mask_id, "459999760229001", "459999*****9001"),
        (mask_id, "护照E123", "****"),
        (mask_phone, "13800008000", "138****8000"),
        (mask_phone, "0778-5212345", "**********45"),
        (mask_phone, "12345", "****"),
        (mask_account, "6217000000000001234", "***************1234"),
        (mask_account, "1234567", "****"),
        (mask_all, "因病", "****"),
        (mask_all, "", ""),
    ],
)
def test_masks_show_what_the_rule_allows(mask, value, shown):
    assert mask(value) == shown


@given(st.text(min_size=1, max_size=40), st.sampled_from(sorted(MASKS)))
def test_no_mask_shows_a_whole_value(value, kind):
    shown = MASKS[kind](value)
    assert shown != value.strip() or set(shown) <= {"*"}


def test_a_number_kept_in_a_text_is_shown_by_its_mask_alone():
    kept = f"证{masking.keyed('459999197602290012', -2)}号"
    assert kept == "证459999********0012#fffffffffffffffe号"
    assert masking.without_key(kept) == "证459999********0012号"
    assert masking.without_key(masking.keyed("459999760229001", 7)) == "459999*****9001"
    for text in ("C#0123456789abcdef", "12#34", "459999********0012", ""):
        assert masking.without_key(text) == text
