import datetime as dt
from decimal import Decimal

import holidays
import pytest
from holidays.calendars.chinese import _ChineseLunisolar

from wanjia.kernel import clock
from wanjia.reference import queries
from wanjia.reference.errors import NoValue, UnknownCodeList

NAMED = [
    "recognition_standard", "household_category", "poverty_status", "poverty_cause", "sex", "relation", "ethnicity",
    "education", "student_status", "labour_capacity", "work_location", "health", "member_status",
    "member_change_reason", "suspect_outcome", "vehicle_kind", "vehicle_status", "vehicle_use",
]  # fmt: skip


def test_every_list_has_labels_in_both_languages(policy):
    for name in NAMED:
        _check_labels(queries.code_list(name))


def _check_labels(book):
    assert book.title_zh
    assert book.title_en
    assert len({label for _, label in book.choices("zh")}) == len(book.choices("zh")) > 2
    assert all(item.label_zh and item.label_en for item in book.items.values())
    assert not any("\u4e00" <= letter <= "\u9fff" for item in book.items.values() for letter in item.label_en)
    for code, label in book.choices("zh"):
        assert book.code_for(label) == code


def test_an_unknown_list_is_refused_but_a_screen_never_fails(policy):
    with pytest.raises(UnknownCodeList):
        queries.code_list("nothing")
    assert queries.label_of("nothing", "1", "zh") == ""
    assert queries.label_of("sex", "7", "zh") == ""
    assert queries.label_of("sex", "2", "en-us") == "Female"


LABELS = [
    ("ethnicity", "壮", "08"), ("ethnicity", "壮族", "08"), ("ethnicity", "僮", "08"), ("ethnicity", "毛南族", "36"),
    ("ethnicity", "瑶", "13"), ("ethnicity", "水族", "25"), ("ethnicity", "京", "49"),
    ("relation", "户主", "01"), ("relation", "之子", "03"), ("relation", "外婆", "20"),
    ("poverty_status", "已脱贫（享受政策）", "1"), ("poverty_status", "返贫", "3"), ("poverty_status", "注销", None),
    ("poverty_cause", "因 病", "01"), ("poverty_cause", "因婚", "99"), ("health", "长期慢性病", "02"),
    ("education", "大专及以上", "05"), ("vehicle_status", "正常", "A"), ("vehicle_kind", "普通二轮摩托车", "M21"),
    ("sex", "Male", "1"), ("sex", "1", None), ("ethnicity", "火星族", None),
]  # fmt: skip


def test_labels_met_in_files_are_understood(policy):
    understood = [(name, label, queries.code_list(name).code_for(label)) for name, label, _ in LABELS]
    assert understood == LABELS


def test_a_code_is_understood_only_where_its_vintage_is_known(policy):
    causes, statuses, peoples = (queries.code_list(name) for name in ("poverty_cause", "poverty_status", "ethnicity"))

    assert causes.code_for("11", "") == "11"
    assert causes.code_for("11", "before-2016") == "03"
    assert causes.code_for("12", "before-2016") == "11"
    assert causes.code_for("1", "") == "01"  # a spreadsheet dropped the zero
    assert causes.code_for("12", "") is None
    assert statuses.code_for("4", "app") == "3"
    assert statuses.code_for("3", "app") is None  # cancelled: not a status of ours
    assert peoples.code_for("9", "poverty-system") == "08"
    assert peoples.code_for("09", "no such vintage") is None


def test_codes_come_and_go_but_old_rows_keep_their_labels(policy):
    before = dict(queries.code_list("education", dt.date(2019, 12, 31)).choices())
    after = dict(queries.code_list("education", dt.date(2020, 1, 1)).choices())

    assert "05" in before
    assert "05" not in after
    assert {"07", "08"} <= after.keys() - before.keys()
    assert queries.code_list("education", dt.date(2020, 6, 1)).label("05") == "大专及以上"


def test_traits_say_what_codes_mean_to_rules(policy):
    assert queries.code_list("member_status").with_trait("in_household") == {"1", "4"}
    assert queries.code_list("poverty_status").with_trait("currently_poor") == {"0", "3"}
    assert queries.code_list("suspect_outcome").with_trait("feedback") == {"06", "07", "08"}
    assert queries.code_list("suspect_outcome").trait("04", "transition") == "T5"
    kinds = queries.code_list("vehicle_kind")
    light = kinds.with_trait("motorcycle") | kinds.with_trait("light")
    assert {kinds.label(code) for code in light} >= {"普通二轮摩托车", "残疾人专用机动轮椅车"}
    assert "K33" not in light
    assert len(queries.code_list("ethnicity").with_trait("settled_in", "45")) == 12


def test_the_deadlines_of_the_flow(policy):
    steps = {"generated": 2, "issued": 1, "dispatched_county": 2, "dispatched_town": 2, "assigned": 7, "verified": 3,
             "corrected": 2, "town_reviewed": 3, "county_closed": 5}  # fmt: skip

    assert {step: queries.parameter(f"suspects.days.{step}") for step in steps} == steps
    assert float(queries.parameter("suspects.sample_share")) == 0.05
    assert float(queries.parameter("deadlines.warn_share")) == 0.8


def test_no_value_is_a_refusal_never_a_guess(policy):
    with pytest.raises(NoValue):
        queries.parameter("suspects.days.assigned", dt.date(2013, 12, 31))
    with pytest.raises(NoValue):
        queries.parameter("suspects.days.assigned", region="53")
    with pytest.raises(NoValue):
        queries.poverty_line(2021, "working")


def test_lines_of_the_years(policy):
    assert [queries.poverty_line(year, "nbs_current") for year in (2010, 2014, 2017, 2020)] == [2300, 2800, 2952, 4000]
    assert queries.poverty_line(2016, "working") == Decimal(3146)
    assert queries.poverty_line(2020, "monitoring", on=dt.date(2020, 6, 1)) == Decimal(5000)


def test_the_calendar_of_guangxi(policy):
    calendar, national = queries.calendar(), queries.calendar("53")

    assert not calendar.is_working_day(dt.date(2020, 3, 26))  # 三月三
    assert national.is_working_day(dt.date(2020, 3, 26))
    assert not calendar.is_working_day(dt.date(2020, 10, 8))
    assert calendar.is_working_day(dt.date(2020, 10, 10))  # a Saturday made up
    assert calendar.add(dt.date(2020, 9, 30), 1) == dt.date(2020, 10, 9)
    assert calendar.is_working_day(dt.date(2020, 11, 16))


def test_sanyuesan_is_two_days_off_from_the_third_of_the_third_lunar_month(policy):
    for year in range(2014, 2027):
        _check_sanyuesan(year)


def _check_sanyuesan(year):
    tenth = _ChineseLunisolar().hung_kings_date(year)
    third = (tenth[0] if isinstance(tenth, tuple) else tenth) - dt.timedelta(days=7)
    off = sorted(day for day in queries.calendar().holidays - queries.calendar("53").holidays if day.year == year)

    assert len(off) == 2
    assert all(third <= day <= third + dt.timedelta(days=4) for day in off)
    assert all(queries.calendar("53").is_working_day(day) for day in off)


def test_the_country_s_years_are_the_state_council_s(policy):
    calendar = queries.calendar("")
    for year in range(2014, 2027):
        official = holidays.country_holidays("CN", years=year)
        made_up = {day for day in official.weekend_workdays if day.year == year}

        assert {day for day in calendar.holidays if day.year == year} == set(official)
        assert {day for day in calendar.makeup if day.year == year} == made_up


@pytest.mark.parametrize(
    ("day", "code", "office"),
    [
        (dt.date(2020, 12, 31), "battle-2014-2020", "扶贫办"),
        (dt.date(2021, 1, 1), "transition-2021-2025", "乡村振兴局"),
        (dt.date(2026, 1, 1), "standing-2026", "农业农村局"),
    ],
)
def test_the_day_decides_the_phase_and_its_words(policy, day, code, office):
    assert queries.profile(day).code == code
    assert queries.profile(day).term("office") == office
    with clock.frozen(day):
        assert queries.profile().code == code


def test_the_newest_phase_has_none_of_what_is_now_forbidden_and_says_by_what(policy):
    phases = {phase.code: phase for phase in queries.phases()}

    assert all(
        switch.legal_source and switch.title_zh for phase in phases.values() for switch in phase.switches.values()
    )
    assert phases["battle-2014-2020"].is_on("check_in")
    assert not any(switch.is_on for switch in phases["standing-2026"].switches.values())
    assert "指尖上的形式主义" in phases["standing-2026"].switches["check_in"].legal_source
    with pytest.raises(KeyError):
        phases["standing-2026"].is_on("chekin")


def test_labels_and_values_cost_no_query_once_read(policy, django_assert_num_queries):
    queries.parameter("suspects.days.assigned")

    with django_assert_num_queries(0):
        queries.code_list("relation").label("03")
        queries.calendar()
        queries.profile()
        queries.parameter("deadlines.warn_share")


def test_no_parameter_has_a_nul_in_its_name():
    assert queries.parameter_rows("suspects.days.assigned\0") == []
