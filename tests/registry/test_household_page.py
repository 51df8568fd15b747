"""One household's page: its income drawn and told, its years side by side, its story, its card."""

from datetime import date

import pytest
from django.urls import reverse

from tests.factories import registry as factory
from wanjia.registry import comparing, queries
from wanjia.registry.charts import HEIGHT, income_chart
from wanjia.registry.models import HouseholdYear
from wanjia.registry.requests.services import submit
from wanjia.registry.services import Edit, Leaving, correct, exit_normally, remove_members
from wanjia.registry.stories import story_of

pytestmark = pytest.mark.django_db
WHY = "入户核实后更正"
PAGE = "/registry/households/1/"


@pytest.fixture(scope="module")
def county(stands):
    return factory.build()


def test_it_shows_the_number_of_the_national_system_which_the_search_finds(enter, county):
    client = enter("county")
    page = client.get(reverse("registry:household", args=[1])).content.decode()
    assert "户编号（国家系统）" in page
    assert county.household(1).national_household_no in page


def test_a_bar_is_as_high_as_the_net_income_and_its_line_stands_where_the_line_is(county):
    years = [each.facts for each in queries.years_of(county.viewer("county"), 1)]

    chart = income_chart(years, lambda year: 300_000 if year == 2018 else None)

    first, last = chart.bars
    assert [bar.year for bar in chart.bars] == [2018, 2019]
    assert sum(piece.amount for piece in last.pieces) == pytest.approx(last.net, abs=4)
    assert sum(piece.height for piece in last.pieces) == chart.floor - last.pieces[-1].y
    per_pixel = last.net / (chart.floor - last.pieces[-1].y)
    assert (chart.floor - first.line_y) * per_pixel == pytest.approx(300_000, rel=0.02)
    assert last.line_y is None
    assert all(0 <= y <= HEIGHT for _, y in chart.ticks)


def test_nothing_is_drawn_of_what_nobody_collected():
    assert income_chart([HouseholdYear(year=2019), HouseholdYear(year=2018, wage_income=5)], lambda _: None) is None
    loss = HouseholdYear(year=2019, business_income=100, business_expense=900, wage_income=50, member_count=1)
    (bar,) = income_chart([loss], lambda _: None).bars
    assert [(piece.kind, piece.amount) for piece in bar.pieces] == [("wage", 50)]
    assert bar.net == -750


def test_two_years_stand_side_by_side_and_what_differs_is_marked(county):
    years = [each.facts for each in queries.years_of(county.viewer("county"), 1)]
    years[1].wage_income += 100

    rows = {row.title: row.cells for row in comparing.side_by_side(years, comparing.INCOME, "zh")}

    assert rows["工资性收入"] == ((2018, "12,000.00", False), (2019, "12,001.00", True))
    assert "退耕还林面积" not in rows
    per_head = {row.title: row.cells for row in comparing.computed(years, "en")}["Net income per head"]
    assert [words for _, words, _ in per_head] == ["5,666.67", "5,667.00"]


def test_the_story_tells_standing_people_and_corrections_newest_first(county):
    viewer = county.viewer("county")
    correct(viewer=viewer, edits=[Edit("main_cause", "01", household_no=2)], reason=WHY)
    exit_normally(viewer=viewer, household_no=2, exit_year=2019, reason="双认定通过")
    leaving = [Leaving(7, "3", "R3", date(2020, 10, 5))]
    remove_members(viewer=viewer, household_no=2, leaving=leaving, reason="户籍迁出")

    household = county.household(2)
    story = story_of(household, queries.members_of(viewer, household), queries.history_of(viewer, 2), "zh")

    assert [one.key for one in story] == sorted((one.key for one in story), reverse=True)
    lines = [sentence for one in story for sentence in one.sentences]
    assert "脱贫" in lines
    assert "识别为贫困户" in lines
    assert any(line.startswith("覃大三") and "户籍迁出" in line for line in lines)
    assert any("主要致贫原因:缺技术(07) → 因病(01)" in line for line in lines)
    assert {one.reason for one in story if one.reason} == {WHY, "双认定通过", "户籍迁出"}


def test_the_page_shows_it_all_and_what_waits(enter, county):
    submit(
        viewer=county.viewer("village"),
        household_no=1,
        edits=[Edit("wage_income", "1", household_no=1)],
        reason=WHY,
    )
    text = enter("contact").get(PAGE).content.decode()
    for wanted in ("<svg", "人均纯收入 5,666.67", "生产生活条件", "大事记", "待审的变更申请", "七年级", "更正"):
        assert wanted in text.replace('<span class="w-money">', ""), wanted
    assert f"{PAGE}correct/" not in enter("province").get(PAGE).content.decode()


def test_the_card_names_the_family_and_holds_no_number_in_full(enter, county):
    text = enter("contact").get(f"{PAGE}card/").content.decode()

    number = county.person(1).id_number.clear()
    assert number not in text
    for wanted in ("帮扶明白卡", "蓝大一", number[:6], "缺技术", county.users["contact"].display_name, "<svg"):
        assert wanted in text, wanted
    assert enter("next_contact").get(f"{PAGE}card/").status_code == 404
