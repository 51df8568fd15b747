"""What people do on every page: they follow the menu, open rows, press buttons, read figures."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

NUMBER = re.compile(r"\d[\d,]*")


def follow(page: Page, title: str) -> None:
    """Choose a page in the menu."""
    page.locator("nav").get_by_role("link", name=title, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def press(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name).click()


def number_in(text: str) -> int:
    """The first number of a sentence."""
    found = NUMBER.search(text)
    assert found, f"no number in {text!r}"
    return int(found[0].replace(",", ""))


def figure(page: Page, label: str) -> int:
    """The figure that stands above a label."""
    return number_in(page.get_by_role("listitem").filter(has_text=label).first.inner_text())


def rows_of(page: Page, region: str) -> list[Locator]:
    """The body rows of the table in a named region; none when the page has no such region."""
    return page.get_by_role("region", name=region).locator("tbody").get_by_role("row").all()


def my_name(page: Page) -> str:
    """How the home page greets its reader."""
    page.goto("/")
    return page.get_by_role("heading", level=1).inner_text().split("，")[0]


def area_of(page: Page) -> str:
    """The area somebody works in, as the top bar names it."""
    return page.locator(".w-area b").first.inner_text()


def opens(page: Page, case: int) -> None:
    """Finds the case among what waits for one."""
    follow(page, "等我办理")
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=str(case), exact=True))
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="办理经过")).to_be_visible()


def income_of(page: Page) -> dict[str, dict[str, str]]:
    """The table of incomes on a household's page: year → what stands there by title."""
    table = page.get_by_role("region", name="各年度收入")
    years = table.get_by_role("columnheader").all_inner_texts()[1:]
    told = table.locator("tbody tr").evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
    return {year: {title: cells[at] for title, *cells in told} for at, year in enumerate(years)}


def opens_request(page: Page, request: int, reason: str) -> None:
    """Finds a change request among what waits for one's decision."""
    follow(page, "变更申请")
    row = page.get_by_role("region", name="等我审核").get_by_role("row").filter(has_text=reason)
    row.get_by_role("link", name=str(request), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"变更申请 {request}")


def agrees(page: Page) -> None:
    """Passes the open request on, or lets it stand."""
    press(page, "同意")
    expect(page.get_by_text("意见已登记。")).to_be_visible()
