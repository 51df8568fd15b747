"""Nobody sees what is not his: by page, count, search, export, attachment and guessed address.

What is whose is told by the county office and the auditor, who see all of it.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.office import area_of, figure, follow, my_name, number_in, press, rows_of

GONE = 404
CASES = "/cases/?state=all"
HOUSEHOLDS = "/registry/households/"


@dataclass(frozen=True)
class Register:
    """The county's own export: household number → the place it lies in."""

    places: dict[int, str]

    def inside(self, place: str) -> set[int]:
        return {number for number, where in self.places.items() if place in where}


@dataclass
class Whole:
    """What the county office sees of everything, gathered once for the journeys below."""

    page: Page
    register: Register = field(init=False)

    def __post_init__(self) -> None:
        follow(self.page, "户信息")
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name="导出 CSV").click()
        text = download.value.path().read_text("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text)) if row[0].isdigit()]
        self.register = Register({int(row[0]): row[2] for row in rows})

    def head_of(self, household: int) -> str:
        """The whole name of the head, as it stands on the household's page."""
        self.page.goto(f"{HOUSEHOLDS}{household}/")
        return self.page.get_by_role("heading", level=1).inner_text().split()[0]

    def contact_of(self, household: int) -> str:
        self.page.goto(f"{HOUSEHOLDS}{household}/")
        section = self.page.get_by_role("heading", name="帮扶联系人").locator("..")
        return section.get_by_role("listitem").first.inner_text().split()[0]

    def photo_of(self, cases: set[int]) -> str:
        """The address of a photo filed with one of the cases."""
        for case in sorted(cases):
            self.page.goto(f"/cases/{case}/")
            photos = self.page.get_by_role("img", name=re.compile("jpg$"))
            if photos.count():
                return str(photos.first.get_attribute("src"))
        pytest.fail(f"no photo with any of {sorted(cases)}")


@pytest.fixture
def county(desk) -> Whole:
    return Whole(desk.open("county"))


def all_numbers(page: Page, address: str, region: str, *, column: int = 0) -> set[int]:
    """The numbers in a list, over all its pages; the list's own count must agree."""
    page.goto(address)
    found: set[int] = set()
    pager = page.get_by_role("navigation", name="分页")
    total = number_in(pager.inner_text().split("共")[1]) if pager.count() else 0
    while True:
        rows = page.get_by_role("region", name=region).locator("tbody tr")
        cells = rows.locator(f"td:nth-child({column + 1})").all_inner_texts() if rows.count() else []
        found |= {number_in(text) for text in cells}
        following = page.get_by_role("link", name="下一页")
        if not following.count():
            assert len(found) == total
            return found
        following.click()
        page.wait_for_load_state()


def refused(page: Page, address: str, secret: str) -> None:
    """The address answers as one that never existed, without a byte of what is there."""
    answer = page.request.get(address)
    assert answer.status == GONE, address
    assert secret not in answer.text(), address


def posted(page: Page, address: str, values: dict[str, Any]) -> Any:
    """A form sent by hand from the person's own browser."""
    page.goto("/")
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    return page.request.post(address, form=values | {"csrfmiddlewaretoken": token}, headers={"Referer": page.url})


def searched(page: Page, text: str) -> set[int]:
    """What the search of the top bar finds."""
    page.goto("/")
    page.get_by_label("搜索户和人").fill(text)
    page.get_by_label("搜索户和人").press("Enter")
    page.wait_for_url(re.compile(r"[?&]typed="))
    return {number_in(row.inner_text()) for row in rows_of(page, "户名单")}


def suggested(page: Page, text: str) -> set[int]:
    answer = posted(page, f"{HOUSEHOLDS}suggest/", {"text": text})
    return {row["household_no"] for row in answer.json()["households"]}


def test_a_contact_sees_only_his_households(desk, county):
    page = desk.open("contact")
    me, village = my_name(page), area_of(page)
    township = area_of(desk.open("township"))
    neighbours = county.register.inside(f"{township}{village}")
    mine = {number for number in neighbours if county.contact_of(number) == me}
    other = min(neighbours - mine)
    assert 0 < len(mine) < len(neighbours)

    follow(page, "我的帮扶户")
    assert {number_in(row.inner_text().split()[-1]) for row in rows_of(page, "我的帮扶户")} == mine
    expect(page.get_by_text(f"共 {len(mine)} 户")).to_be_visible()
    assert all_numbers(page, HOUSEHOLDS, "户名单") == mine

    name = county.head_of(other)
    for text in (name, str(other)):
        assert searched(page, text) <= mine
        assert suggested(page, text) <= mine
    assert suggested(page, str(min(mine))) == {min(mine)}

    refused(page, f"{HOUSEHOLDS}{other}/", name)
    assert page.request.get(f"{HOUSEHOLDS}{min(mine)}/").status == 200
    export = page.request.get(f"{HOUSEHOLDS}export/")
    assert export.status in (403, GONE)
    assert name[0] + "*" not in export.text()


def test_a_contact_opens_nobody_elses_case_nor_its_photo(desk, county):
    page = desk.open("contact")
    cases = all_numbers(county.page, CASES, "核查件列表")
    own = all_numbers(page, CASES, "核查件列表")

    foreign = cases - own
    for case in sorted(foreign)[:5]:
        assert page.request.get(f"/cases/{case}/").status == GONE
    photo = county.photo_of(foreign)
    assert county.page.request.get(photo).status == 200
    assert page.request.get(photo).status == GONE


def test_a_township_sees_nothing_of_the_next(desk, county):
    page = desk.open("township")
    township = area_of(page)
    mine = county.register.inside(township)
    codes = codes_of_parts(county.page)
    cases = all_numbers(county.page, f"{CASES}&area={codes[township]}", "核查件列表")
    everywhere = all_numbers(county.page, CASES, "核查件列表")
    assert cases < everywhere

    assert all_numbers(page, HOUSEHOLDS, "户名单") == mine
    assert all_numbers(page, CASES, "核查件列表") == cases
    guessed = next(code for name, code in codes.items() if name != township)
    assert all_numbers(page, f"{CASES}&area={guessed}", "核查件列表") == cases
    parts = codes_of_parts(page).values()
    assert parts
    assert all(code.startswith(codes[township]) for code in parts)

    other = min(set(county.register.places) - mine)
    name = county.head_of(other)
    refused(page, f"{HOUSEHOLDS}{other}/", name)
    assert searched(page, str(other)) == suggested(page, str(other)) == set()
    assert suggested(page, name) <= mine
    foreign = sorted(everywhere - cases)
    for case in foreign:
        assert page.request.get(f"/cases/{case}/").status == GONE
    assert posted(page, f"/cases/{foreign[0]}/act/", {"action": "review", "version": 1}).status == GONE
    assert page.request.get(county.photo_of(set(foreign))).status == GONE


def codes_of_parts(page: Page) -> dict[str, str]:
    """The areas one level down that the home page lists, and their codes."""
    page.goto("/")
    links = page.get_by_role("region", name="各地未办结事项").get_by_role("rowheader").get_by_role("link").all()
    return {link.inner_text(): str(link.get_attribute("href")).removeprefix("?area=") for link in links}


def test_a_department_sees_only_what_it_delivered(desk, county):
    traffic, housing = desk.open("traffic"), desk.open("housing")
    follow(traffic, "部门数据")
    row, *_others = rows_of(traffic, "数据批次")
    batch = str(row.get_by_role("link").get_attribute("href"))
    row.get_by_role("link").click()
    file = traffic.get_by_role("definition").first.inner_text().split("（")[0]
    assert figure(traffic, "文件总行数") > 0

    follow(housing, "部门数据")
    assert rows_of(housing, "数据批次") == []
    expect(housing.get_by_text("您的范围内没有符合条件的数据批次。")).to_be_visible()
    refused(housing, batch, file)
    refused(housing, f"{batch}rejects.csv", file)
    assert posted(housing, f"{batch}reject/", {"reason": "不是我的"}).status == GONE

    cases = all_numbers(county.page, CASES, "核查件列表")
    theirs = all_numbers(traffic, CASES, "核查件列表")
    assert theirs & cases
    assert cases - theirs, "of other departments' data"
    assert all_numbers(housing, CASES, "核查件列表") == set()
    assert housing.request.get(f"/cases/{min(cases)}/").status == GONE
    assert housing.request.get(county.photo_of(cases)).status == GONE
    for officer in (traffic, housing):
        assert officer.request.get(HOUSEHOLDS).status == 403
        assert officer.request.get(f"{HOUSEHOLDS}export/").status == 403
    assert findings_of(housing) == 0


def findings_of(page: Page) -> int:
    page.goto("/comparison/runs/1/")
    return number_in(page.get_by_role("heading", name=re.compile("^疑点")).inner_text())


def test_the_language_follows_the_person(desk):
    page = desk.open("county")
    follow(page, "户信息")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Households")

    page.goto(CASES)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("核查件")


def test_a_revoked_post_ends_with_the_next_request(desk):
    page, county = desk.open("village"), desk.open("county")
    (first, *_) = sorted(all_numbers(page, HOUSEHOLDS, "户名单"))
    me = my_name(page)

    follow(county, "人员与授权")
    county.get_by_label("姓名或登录名").fill("village")
    press(county, "筛选")
    county.get_by_role("row").filter(has=county.get_by_role("cell", name="village", exact=True)).get_by_role(
        "link", name=me
    ).click()
    press(county, "收回")
    expect(county.get_by_text("岗位已收回，即刻生效。")).to_be_visible()

    assert page.request.get(f"{HOUSEHOLDS}{first}/").status in (403, GONE)
    page.goto("/")
    expect(page.get_by_role("link", name="户信息", exact=True)).to_have_count(0)
