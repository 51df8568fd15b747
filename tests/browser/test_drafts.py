"""What is typed into an answer outlives an ended session, for the same person only."""

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import NARROW

NOTE = "上门看过，车在院子里"
DRAFTS = "Object.keys(sessionStorage).filter((key) => key.startsWith('wanjia.draft:')).length"


@pytest.fixture
def verifier(desk) -> str:
    """The login of somebody in whose hands a case is."""
    holder = """
        SELECT username FROM accounts_user JOIN casework_case ON holder_user_id = accounts_user.id
        WHERE step = 'assigned' ORDER BY case_no
    """
    with closing(sqlite3.connect(desk.site.home / "wanjia.sqlite3")) as database:
        return database.execute(holder).fetchone()[0]


def sign_in(page: Page, login: str, password: str) -> None:
    page.locator("input[name=username]").fill(login)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button").first.click()


def begin_an_answer(page: Page) -> str:
    page.goto("/cases/mine/")
    page.locator("main a.w-row-link").first.click()
    page.locator("input[name=met]").first.fill("户主")
    page.locator("textarea[name=note]").first.fill(NOTE)
    page.locator("input[name=outcome][value='01']").first.check()
    return page.url


def test_an_answer_begun_is_put_back_after_signing_in_again_and_gone_after_signing_out(desk, verifier):
    page = desk.open(verifier, width=NARROW)
    address = begin_an_answer(page)

    page.context.clear_cookies(name="sessionid")
    page.locator("#answers .w-answer").first.locator("button.btn-primary").click()
    assert "刚才填写的内容没有提交" in page.locator("main").inner_text()
    sign_in(page, verifier, desk.site.password)
    page.wait_for_url(address)

    assert page.locator("textarea[name=note]").first.input_value() == NOTE
    assert page.locator("input[name=outcome][value='01']").first.is_checked()
    assert "已放回原处" in page.locator("[data-drafts]").inner_text()

    page.locator(".w-me summary").click()
    page.locator("[data-signs-out] button").click()
    page.wait_for_url("**/sign-in/**")
    assert page.evaluate(DRAFTS) == 0


def test_nothing_of_it_is_left_for_another_person(desk, verifier):
    page = desk.open(verifier)
    begin_an_answer(page)
    assert page.evaluate(DRAFTS) == 1

    page.context.clear_cookies()
    page.goto("/sign-in/")
    sign_in(page, "county", desk.site.password)
    page.wait_for_selector(".w-office")
    assert page.evaluate(DRAFTS) == 0
