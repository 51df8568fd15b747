"""The department officer disputes what was found of her record; the county sees it and answers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.office import follow, number_in, opens, press

pytestmark = pytest.mark.one_database

FOUND = "车辆两年前已卖给外村人，有协议和收款条。"
WHY = "车管档案无转移登记，车辆仍在本人名下。"
STANDS = "协议、收款条原件已由乡镇核对，车辆由买方使用。"


def test_the_department_officer_disputes(desk):
    verifier, township, county, traffic = (desk.open(login) for login in ("verifier", "township", "county", "traffic"))
    case = finds_the_record_outdated(verifier)
    for page, act in ((township, "审核通过"), (county, "同意并办结")):
        opens(page, case)
        press(page, act)
        expect(page.get_by_text(f"核查件 {case} 已办理：")).to_be_visible()
    county.goto(f"/cases/{case}/")
    expect(county.get_by_text("已反馈公安厅，答复期限 2020-11-30。")).to_be_visible()
    feedback = str(county.get_by_role("link", name="打开部门反馈").get_attribute("href"))

    is_told_and_disputes(traffic, feedback)
    answers(county, case)

    traffic.goto(feedback)
    expect(traffic.get_by_role("heading", name="县级维持结论")).to_be_visible()
    expect(traffic.get_by_text(STANDS)).to_be_visible()
    assert traffic.get_by_role("button", name="提出异议").count() == 0
    assert desk.open("housing").request.get(feedback).status == 404, "another department's is not there"


def finds_the_record_outdated(page: Page) -> int:
    """The verifier answers the first case about the police's records that waits for him; its number."""
    page.goto("/cases/mine/?department=gongan")
    row = page.get_by_role("region", name="核查件列表").locator("tbody").get_by_role("row").first
    case = number_in(row.get_by_role("cell").first.inner_text())
    row.get_by_role("link").first.click()
    page.get_by_role("radio", name="08 不属实，数据过期").check()
    page.get_by_label("见到何人").fill("户主")
    page.get_by_label("核查说明").fill(FOUND)
    press(page, "提交核查结果")
    expect(page.get_by_text(f"核查件 {case} 已办理：")).to_be_visible()
    return case


def is_told_and_disputes(page: Page, feedback: str) -> None:
    """From her home page to the record; a dispute without a reason goes nowhere."""
    page.goto("/")
    expect(page.get_by_text(re.compile(r"等我答复的数据反馈 \d+ 条"))).to_be_visible()
    page.get_by_role("link", name="去答复").click()
    page.locator(f"main a[href='{feedback}']").click()
    expect(page.get_by_text(FOUND)).to_be_visible()
    press(page, "提出异议")
    assert page.url.endswith(feedback), "the browser asks for the reason first"
    page.get_by_label("理由").fill(WHY)
    press(page, "提出异议")
    expect(page.get_by_text("条反馈的异议已送县级处理。")).to_be_visible()
    follow(page, "部门反馈")
    row = page.get_by_role("row").filter(has=page.locator(f"a[href='{feedback}']"))
    expect(row).to_contain_text("部门有异议，待县级处理")


def answers(page: Page, case: int) -> None:
    """The county finds the case in its queue, reads why, and stands by what was found."""
    opens(page, case)
    expect(page.get_by_role("status").filter(has_text=WHY)).to_be_visible()
    answer = page.locator("details").filter(has_text="理由告知部门")
    answer.get_by_label("原因").fill(STANDS)
    answer.get_by_role("button", name="维持原结论").click()
    expect(page.get_by_text(re.compile(rf"核查件 {case} 已办理：.+，现为“县级已决定，待抽查”。"))).to_be_visible()
    page.goto(f"/cases/{case}/")
    history = page.get_by_role("heading", name="办理经过").locator("..").get_by_role("listitem").all_inner_texts()
    assert any(WHY in line for line in history)
    assert any(STANDS in line for line in history)
