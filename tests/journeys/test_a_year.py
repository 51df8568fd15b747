"""A reporting year is checked, mended and sealed; what was published of it then stands still."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.site import Built, Site, copied
from tests.journeys.office import agrees, follow, income_of, number_in, opens_request, press, rows_of
from tests.journeys.year_end import ALLOWANCE

WORK = 60_000  # milliseconds a sealing may take on a busy machine
SHOWN, MISTYPED = "2,400.00", "240.00"
WHY = "低保发放表核对，少录一位"


@pytest.fixture(scope="module")
def site(worked_county: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The county at the end of its year."""
    home = tmp_path_factory.mktemp("year") / "home"
    with copied(worked_county, home, then="tests.journeys.year_end") as running:
        yield running


def test_a_year_is_checked_mended_sealed_and_published(site, desk):
    year, household = site.built["year"], site.built["household"]
    leader, village = desk.open("leader"), desk.open("village")

    is_stopped(leader, year, household)
    request = corrects(village, year, household)
    for login in ("township", "county"):
        page = desk.open(login)
        opens_request(page, request, WHY)
        agrees(page)
    people = seals(leader, year)
    is_published(village, year, household)
    the_next_year_is_open(village, year, people)


def is_stopped(page: Page, year: int, household: int) -> None:
    """The check names the household whose income does not add up; there is nothing to press."""
    opens_the_checks(page, year)
    error = page.get_by_role("listitem").filter(has_text="收入合计不等于各分项之和的户")
    expect(error).to_contain_text("错误")
    expect(page.get_by_text("有错误未更正，不能封存。")).to_be_visible()
    expect(seal_button(page, year)).to_have_count(0)
    error.get_by_role("link", name=re.compile(rf"\b{household}\b")).click()
    facts = income_of(page)[str(year)]
    assert (facts["低保金"], facts["其他转移性收入"], facts["转移性收入"]) == (MISTYPED, "360.00", "2,760.00")


def corrects(page: Page, year: int, household: int) -> int:
    """Whoever answers for the village corrects the part; the request's number."""
    page.goto(f"/registry/households/{household}/")
    page.get_by_role("link", name="更正", exact=True).click()
    page.get_by_role("navigation", name="更正内容").get_by_role("link", name="收入").click()
    expect(page.get_by_text("本页内容须经乡镇审核、县级批准后生效。")).to_be_visible()
    page.get_by_label("低保金（元）").fill(ALLOWANCE)
    page.get_by_label("更正理由").fill(WHY)
    press(page, "保存更正")
    expect(page.get_by_text("1 项须经审核，已提交变更申请。")).to_be_visible()
    assert income_of(page)[str(year)]["低保金"] == MISTYPED
    return number_in(page.get_by_role("link", name=re.compile("^变更申请 ")).inner_text())


def seals(page: Page, year: int) -> int:
    """What is left are warnings, which are confirmed with their counts; how many people the year has."""
    opens_the_checks(page, year)
    expect(page.get_by_text("收入合计不等于各分项之和的户")).to_have_count(0)
    warnings = page.locator("main").get_by_role("listitem").filter(has_text="提示")
    expect(warnings.filter(has_text="年度尚未结束")).to_be_visible()
    expect(warnings.filter(has_text="有年度记录而未采集收入的户")).to_contain_text(re.compile(r"：[\d,]+"))
    seal_button(page, year).click()
    expect(page.get_by_text("这个字段是必填项。")).to_be_visible()
    page.get_by_label("已核对以上检查结果及数量").check()
    seal_button(page, year).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("正在封存")
    back = page.get_by_role("link", name="返回")
    expect(back).to_be_visible(timeout=WORK)
    expect(page.get_by_text("已完成")).to_be_visible()
    back.click()
    cells = row_of(page, year)
    assert "已封存" in cells[1]
    return number_in(cells[3])


def is_published(page: Page, year: int, household: int) -> None:
    """The household's page tells the year as published, and as it is known now."""
    page.goto(f"/registry/households/{household}/")
    page.get_by_role("link", name="公布口径").click()
    expect(page).to_have_url(re.compile("as_of=published"))
    facts = income_of(page)[str(year)]
    assert (facts["低保金"], facts["转移性收入"]) == (SHOWN, "2,760.00")
    story = page.get_by_role("heading", name="大事记").locator("..").get_by_role("listitem")
    expect(story.filter(has_text=WHY)).to_contain_text(f"低保金 ({year})")


def the_next_year_is_open(page: Page, year: int, people: int) -> None:
    """Sealed is sealed; work goes on in the next one."""
    follow(page, "报告年度")
    assert "开放" in row_of(page, year + 1)[1]
    assert people > 0
    expect(page.get_by_role("link", name="检查并封存")).to_have_count(0)  # not the village's to do
    household = page.request.get(f"/registry/years/{year}/")
    assert household.status in (403, 404)


def opens_the_checks(page: Page, year: int) -> None:
    follow(page, "报告年度")
    page.get_by_role("link", name="检查并封存").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"封存 {year} 年度")


def seal_button(page: Page, year: int) -> Locator:
    return page.get_by_role("button", name=f"封存 {year} 年度")


def row_of(page: Page, year: int) -> list[str]:
    found = [row.get_by_role("cell").all_inner_texts() for row in rows_of(page, "各报告年度")]
    (cells,) = [cells for cells in found if cells[0] == str(year)]
    return cells
