import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel.dates import BadDate, DateFault, parse

TODAY = dt.date(2020, 11, 16)
MARCH_5 = dt.date(2018, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "2018-3-5", "2018-03-05", "2018/03/05", "2018/3/5", "20180305", "2018.3.5", "2018.03.05", "2018年3月5日",
        "2018年03月05日", "2018年3月5号", "2018 年 3 月 5 日", "２０１８年３月５日", "二〇一八年三月五日", "二○一八年三月五日",
        "2018-03-05 00:00:00", "2018/3/5 14:30", "2018-03-05T14:30:00+08:00", "2018-03-05 00:00:00.0",
        "20180305143000", "2018年3月5日 14时30分", "2018年3月5日星期一", "2018年3月5日(周一)", "20180305.0",
        "\ufeff2018-3-5", "'2018-3-5", '="2018-3-5"', "\u30002018-3-5 ",
    ],
)  # fmt: skip
def test_one_day_however_written(text):
    parsed = parse(text, today=TODAY)

    assert (parsed.value, parsed.precision) == (MARCH_5, "day")


@pytest.mark.parametrize(
    ("text", "value"),
    [("二〇一八年十月十日", dt.date(2018, 10, 10)), ("二〇一八年十二月三十一日", dt.date(2018, 12, 31)),
     ("二〇一八年十一月二十日", dt.date(2018, 11, 20)), ("二〇二〇年二月二十九日", dt.date(2020, 2, 29))],
)  # fmt: skip
def test_chinese_numerals(text, value):
    assert parse(text, today=TODAY).value == value


@pytest.mark.parametrize(
    "text", ["201803", "2018-03", "2018.3", "2018/3", "2018年3月", "2018年3月份", "二〇一八年三月"]
)
def test_a_month_is_its_first_day_and_says_so(text):
    parsed = parse(text, today=TODAY)

    assert (parsed.value, parsed.precision) == (dt.date(2018, 3, 1), "month")


@pytest.mark.parametrize("text", ["2018", "2018年", "2018.0"])
def test_a_year_is_its_first_day_and_says_so(text):
    parsed = parse(text, today=TODAY)

    assert (parsed.value, parsed.precision) == (dt.date(2018, 1, 1), "year")


def test_excel_serials_in_both_date_systems():
    assert parse("43164", today=TODAY).value == MARCH_5
    assert parse("43164.6042", today=TODAY).precision == "serial"
    assert parse("41702", today=TODAY, epoch=1904).value == MARCH_5


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", DateFault.EMPTY), ("0", DateFault.EMPTY), ("空", DateFault.EMPTY), ("-", DateFault.EMPTY),
        ("00000000", DateFault.EMPTY), ("NULL", DateFault.EMPTY), ("　", DateFault.EMPTY),
        ("3/5/2018", DateFault.AMBIGUOUS), ("05-03-2018", DateFault.AMBIGUOUS), ("18-3-5", DateFault.AMBIGUOUS),
        ("18.3.5", DateFault.AMBIGUOUS), ("18年3月5日", DateFault.AMBIGUOUS), ("180305", DateFault.AMBIGUOUS),
        ("201203", DateFault.AMBIGUOUS), ("3-5", DateFault.AMBIGUOUS),
        ("2019-2-29", DateFault.IMPOSSIBLE), ("20180230", DateFault.IMPOSSIBLE), ("2018-13-01", DateFault.IMPOSSIBLE),
        ("201813", DateFault.IMPOSSIBLE), ("2018年0月", DateFault.IMPOSSIBLE),
        ("1899-12-31", DateFault.OUT_OF_RANGE), ("9999-12-31", DateFault.OUT_OF_RANGE),
        ("99991231", DateFault.OUT_OF_RANGE), ("99999", DateFault.OUT_OF_RANGE),
        ("去年三月", DateFault.UNREADABLE), ("2018-3/5", DateFault.UNREADABLE), ("长期", DateFault.UNREADABLE),
        ("2018-03-05-06", DateFault.UNREADABLE), ("农历三月初三", DateFault.UNREADABLE), ("2018030", DateFault.UNREADABLE),
    ],
)  # fmt: skip
def test_what_is_no_certain_date_says_why(text, fault):
    with pytest.raises(BadDate) as refused:
        parse(text, today=TODAY)

    assert refused.value.fault is fault


def test_a_declared_column_settles_what_the_text_does_not():
    assert parse("201203", today=TODAY, declared="month").value == dt.date(2012, 3, 1)
    with pytest.raises(BadDate, match="too_coarse"):
        parse("201803", today=TODAY, declared="day")
    with pytest.raises(BadDate, match="too_coarse"):
        parse("2018", today=TODAY, declared="month")
    assert parse("43164", today=TODAY, declared="day").value == MARCH_5


written = st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S"])


@given(st.dates(dt.date(1900, 1, 1), dt.date(2070, 12, 31)), written)
def test_every_day_reads_back_in_every_form(day, form):
    text = dt.datetime(day.year, day.month, day.day).strftime(form)  # noqa: DTZ001 - only its digits are wanted
    assert parse(text, today=TODAY).value == day


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_a_reason(text):
    try:
        assert 1900 <= parse(text, today=TODAY).value.year <= 2070
    except BadDate as refused:
        assert refused.fault in DateFault  # noqa: PT017 - both ends are claims
