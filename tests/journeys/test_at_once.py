"""Two people act on one case at the same moment: one does, the other is told who and when."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys.office import my_name, number_in

DECIDED = "/cases/?step=county_closed"
ACTS = {"city": "列入抽查", "province": "列入抽查"}


def test_one_of_two_wins_and_the_other_is_told(desk):
    """City and province take the same case into their samples."""
    pages = {login: desk.open(login) for login in ACTS}
    names = {login: my_name(page) for login, page in pages.items()}
    pages["city"].goto(DECIDED)
    row = pages["city"].get_by_role("region", name="核查件列表").locator("tbody").get_by_role("row").first
    case = number_in(row.get_by_role("cell").first.inner_text())
    for page in pages.values():
        page.goto(f"/cases/{case}/")
    steps_before = steps_of(pages["city"])

    for login, page in pages.items():
        page.get_by_role("button", name=ACTS[login]).evaluate("button => { setTimeout(() => button.click(), 50); }")
    for page in pages.values():
        page.wait_for_url(re.compile(rf"/cases/(?!{case}/$)"))

    lost = [login for login, page in pages.items() if page.get_by_role("heading", name="已由他人办理").count()]
    assert len(lost) == 1, "one of the two, and not both"
    loser, winner = lost[0], next(login for login in ACTS if login != lost[0])
    told = pages[loser].locator("main").inner_text()
    assert f"核查件 {case} 已由{names[winner]}于 2020-11-16" in told
    expect(pages[loser].get_by_text("没有任何内容被改动")).to_be_visible()

    pages[loser].get_by_role("link", name="查看最新情况").click()
    expect(pages[loser].get_by_role("heading", name="办理经过")).to_be_visible()
    added = steps_of(pages[loser])[len(steps_before) :]
    assert len(added) == 1
    assert names[winner] in added[0]


def steps_of(page: Page) -> list[str]:
    """The case's history, one line for each act."""
    return page.get_by_role("heading", name="办理经过").locator("..").get_by_role("listitem").all_inner_texts()
