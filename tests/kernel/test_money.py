import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel.money import BadAmount, MoneyFault, parse_fen, yuan


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("3,200.00", 320_000),
        ("3200元", 320_000),
        ("0.32万元", 320_000),
        ("0.32万", 320_000),
        ("３２００．５", 320_050),
        ("3，200", 320_000),
        (" 3 200 ", 320_000),
        ("¥3,200.5", 320_050),
        ("￥ 12", 1_200),
        ("人民币3200元整", 320_000),
        ("(3,200.00)", -320_000),
        ("（3200）", -320_000),
        ("-3200", -320_000),
        ("−3200", -320_000),
        ("¥-5", -500),
        ("+5", 500),
        (".5", 50),
        ("5.", 500),
        ("0", 0),
        ("3200.5000", 320_050),
        ("'3200", 320_000),
    ],
)
def test_amounts_as_people_type_them(text, fen):
    assert parse_fen(text) == fen


def test_the_unit_is_the_column_s_unless_the_cell_has_its_own():
    assert parse_fen("1.5", "万元") == 1_500_000
    assert parse_fen("1.5元", "万元") == 150
    assert parse_fen("0.000001", "万元") == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", MoneyFault.EMPTY), ("—", MoneyFault.EMPTY), ("-", MoneyFault.EMPTY), ("/", MoneyFault.EMPTY),
        ("三千", MoneyFault.UNREADABLE), ("3,20", MoneyFault.UNREADABLE), ("1,2345", MoneyFault.UNREADABLE),
        ("3.2.1", MoneyFault.UNREADABLE), ("1e5", MoneyFault.UNREADABLE), ("0x10", MoneyFault.UNREADABLE),
        ("1_000", MoneyFault.UNREADABLE), ("--5", MoneyFault.UNREADABLE), ("5-", MoneyFault.UNREADABLE),
        ("()", MoneyFault.UNREADABLE), ("约3000", MoneyFault.UNREADABLE), ("3200-3500", MoneyFault.UNREADABLE),
        ("(-5)", MoneyFault.UNREADABLE), (".", MoneyFault.UNREADABLE), ("٣", MoneyFault.UNREADABLE),
        ("0.005", MoneyFault.FRACTION), ("0.0000001万元", MoneyFault.FRACTION),
        ("9" * 16, MoneyFault.TOO_LARGE),
    ],
)  # fmt: skip
def test_what_is_no_amount_says_why(text, fault):
    with pytest.raises(BadAmount) as refused:
        parse_fen(text)

    assert refused.value.fault is fault
    assert not text or text in ("-", ".", "—", "/") or text not in str(refused.value)


@given(st.integers(-(10**15), 10**15))
def test_what_is_shown_reads_back(fen):
    assert parse_fen(yuan(fen)) == fen


def test_yuan_has_separators_and_two_decimals():
    assert (yuan(123_450), yuan(-5), yuan(0)) == ("1,234.50", "-0.05", "0.00")
