"""Every page of the menu and what its first row leads to, as it meets the eye and the screen reader."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import NARROW, WIDE, axe_findings, overflowing

CHINESE = re.compile("[\u4e00-\u9fff]")

# Between them these people see every page of the menu.
READERS = ["county", "verifier", "province", "traffic", "auditor"]  # with every element looked at
OTHERS = ["city", "township", "village", "secretary", "contact", "secadmin"]


def menu_of(page: Page) -> list[str]:
    return page.eval_on_selector_all(".w-menu li a", "links => links.map(a => a.getAttribute('href'))")


def without(names: list[str], text: str) -> str:
    for name in names:
        text = text.replace(name.strip(), "")
    return text


def visited(page: Page) -> Iterator[str]:
    """Opens the pages of this person's menu one after another, each followed by what its first row leads to."""
    addresses = menu_of(page)
    opened = set(addresses)
    for address in addresses:
        yield at(page, address)
        for row in page.locator("main a.w-row-link").all()[:1]:
            target = row.get_attribute("href")
            if target not in opened:
                opened.add(target)
                yield at(page, target)


PARTS = """[...document.querySelectorAll("body *")].map(
    part => [part.tagName, part.className.baseVal ?? part.className, part.name ?? "", part.type ?? ""].join(" "))"""


@pytest.fixture(scope="module")
def looked_at() -> set[tuple[str, int, str]]:
    """Which parts were looked at, in which language and width: a page made of nothing else is only opened."""
    return set()


def parts_of(page: Page, language: str, width: int) -> set[tuple[str, int, str]]:
    return {(language, width, part) for part in page.evaluate(PARTS)}


def at(page: Page, address: str) -> str:
    assert page.goto(address).status == 200, address
    return address


def what_is_wrong_with(page: Page, *, closely: bool = True) -> list[str]:
    found = axe_findings(page) if closely else []
    found += [f"{page.url} is wider than the screen: {element}" for element in overflowing(page)]
    if page.locator("h1").count() != 1:
        found.append(f"{page.url} has {page.locator('h1').count()} h1")
    return found


@pytest.mark.parametrize(
    ("login", "language", "width"),
    [*((login, "zh", NARROW) for login in READERS), *((login, "en", WIDE) for login in READERS[:2])],
)
def test_the_main_pages_can_be_read_by_everybody(desk, looked_at, login, language, width):
    page = desk.open(login, width=width, language=language)

    wrong = []
    for _address in visited(page):
        parts = parts_of(page, language, width)
        wrong += what_is_wrong_with(page, closely=not parts <= looked_at)
        looked_at |= parts

    assert wrong == []


@pytest.mark.parametrize("login", OTHERS)
def test_whatever_the_menu_offers_opens(desk, login):
    page = desk.open(login)

    addresses = []
    for address in visited(page):
        assert page.locator("main h1").count() == 1, address
        addresses.append(address)
    assert addresses[0] == "/"


@pytest.mark.parametrize("login", ["county", "contact"])
def test_english_pages_leave_no_chinese_behind(desk, login):
    """Names, places and what people wrote stay Chinese; what the platform itself says does not."""
    page = desk.open(login, language="en")
    for address in menu_of(page):
        page.goto(address)
        names = page.locator(".w-me summary span, .w-area summary b, .w-area-list button").all_text_contents()
        said = page.locator(".w-menu a, h1, h2, thead th, main label, main button, .w-empty p").all_text_contents()
        assert [text for text in said if CHINESE.search(without(names, text))] == [], address


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_sign_in_page_is_open_to_everybody(desk, width):
    page = desk.open(width=width)
    page.goto("/")

    assert "/sign-in/" in page.url
    assert what_is_wrong_with(page) == []


def test_a_wrong_password_says_so_and_keeps_the_name(desk):
    page = desk.open()
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill("auditor")
    page.locator("input[name=password]").fill("not-the-password-1")
    page.locator("main form button").first.click()

    assert page.locator("input[name=username]").input_value() == "auditor"
    assert page.locator("main").inner_text().count("密码") >= 1


def test_what_is_not_mine_looks_like_what_does_not_exist(desk):
    page = desk.open("contact")

    answer = page.goto("/registry/households/999999999/")
    assert answer.status == 404
    assert page.locator("main h1").count() == 1
    assert page.goto("/nothing/here/").status == 404


def test_the_menu_is_reached_by_thumb(desk):
    page = desk.open("county", width=NARROW)

    assert not page.locator(".w-menu li a").first.is_visible()
    page.locator(".w-menu-open").click()
    page.locator(".w-menu li a").nth(1).click()
    assert page.locator("main h1").is_visible()
    assert not page.locator(".w-menu li a").first.is_visible()


def test_the_pages_work_without_scripts(site, browser):
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill("county")
    page.locator("input[name=password]").fill(site.password)
    page.locator("main form button").first.click()

    for address in [link.get_attribute("href") for link in page.locator(".w-menu li a").all()]:
        assert page.goto(address).status == 200
        assert page.locator("main h1").is_visible()
    context.close()


def test_another_area_keeps_the_page(desk):
    page = desk.open("county")
    page.goto("/")
    before = page.locator(".w-area summary b").inner_text()

    page.locator(".w-area summary").click()
    page.locator(".w-area-list button:not(.w-area-up)").first.click()
    page.wait_for_load_state()

    after = page.locator(".w-area summary b").inner_text()
    assert after != before
    assert page.locator(".w-menu a[aria-current=page]").count() == 1
    page.locator(".w-menu li a").nth(1).click()
    assert page.locator(".w-area summary b").inner_text() == after


def test_the_keyboard_reaches_the_search(desk):
    page = desk.open("county")
    page.goto("/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "w-search-text"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_who_types_is_told_whom_it_may_mean_and_follows_by_keyboard(desk, width):
    page = desk.open("county", width=width)
    page.goto("/")
    field, options = page.locator("#w-search-text"), page.locator(".w-suggest [role=option]:visible")

    field.press_sequentially("l")
    options.first.wait_for()
    assert options.count() > 3
    assert overflowing(page) == []
    assert axe_findings(page) == []
    field.press("Escape")
    assert options.count() == 0

    field.press_sequentially("i")
    options.first.wait_for()
    number = options.first.inner_text().split()[-1]
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("Enter")
    page.wait_for_url(re.compile(rf"/registry/households/{number}/$"))

    page.locator("#w-search-text").fill("zzzz")
    page.wait_for_timeout(400)
    assert [option.get_attribute("aria-disabled") for option in options.all()] == ["true"]
    page.locator("#w-search-text").press("Enter")  # nothing chosen: the form is sent
    page.wait_for_url(re.compile(r"[?&]typed="))


@pytest.mark.parametrize("width", [1366, 1920])
def test_the_office_screens_hold_the_home_page(desk, width):
    page = desk.open("county", width=width)
    page.goto("/")
    assert overflowing(page) == []
    assert page.locator(".w-side").bounding_box()["x"] == 0
