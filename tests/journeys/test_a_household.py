"""A household as those meet it whose work it is: found, compared, corrected, approved, printed.

The village's operator hears of a new phone and a wage. The phone is his to correct; the wage waits for
the township and for the county. What they approved stands on the card the family keeps.
"""

from __future__ import annotations

import base64
import re
import zlib
from itertools import groupby

import pytest
import segno
from playwright.sync_api import Page, expect

from tests.journeys.office import agrees, follow, income_of, my_name, number_in, opens_request, press
from wanjia.kernel import pinyin

PHONE, MASKED = "13907780042", "139****0042"
WAGE, SHOWN, MEMBERS = "23456.50", "23,456.50", "4"
NEW_PHONE, PAYSLIPS = "入户走访，户主换了号码", "核对全年工资单，补登工资性收入"


@pytest.fixture
def people(desk):
    return {login: desk.open(login) for login in ("village", "township", "county")}


def test_a_household_is_found_corrected_approved_and_printed(people):
    village = people["village"]
    household = finds_by_initials(village)
    compares_two_years(village)
    corrects_the_phone(village)
    request = proposes_the_wage(village)

    passes_on(people["township"], request, household)
    approves(people["county"], request)
    stands_in_the_register(village, household, my_name(people["county"]))
    prints_the_card(village, household)


def finds_by_initials(page: Page) -> int:
    """Types the initials of a head's name in the top bar and follows the suggestion; the household's number."""
    follow(page, "户信息")
    page.locator("main").get_by_role("row").nth(1).get_by_role("link").click()
    heading = page.get_by_role("heading", level=1)
    name, household = heading.inner_text().split()[0], number_in(page.url.split("/households/")[1])
    page.goto("/")
    page.get_by_role("search").get_by_role("combobox").press_sequentially(initials(name))
    suggested = page.get_by_role("option").filter(has_text=re.compile(rf"· {household}$"))
    expect(suggested).to_have_count(1)
    assert name not in suggested.inner_text(), "suggestions are masked"
    suggested.click()
    expect(heading).to_contain_text(f"{name} 户")
    assert number_in(page.url.split("/households/")[1]) == household
    return household


def initials(name: str) -> str:
    return "".join(pinyin.readings(character)[0][0] for character in name)


def compares_two_years(page: Page) -> None:
    """Years stand side by side; what differs from the year before is set off."""
    years = income_of(page)
    (earlier, one), (later, other) = list(years.items())[-2:]
    assert int(later) == int(earlier) + 1
    assert one["工资性收入"] != other["工资性收入"]
    living = page.get_by_role("region", name="各年度生产生活条件")
    assert living.get_by_role("columnheader").all_inner_texts()[1:] == list(years)


def corrects_the_phone(page: Page) -> None:
    page.get_by_role("link", name="更正", exact=True).click()
    page.get_by_label("联系电话", exact=True).fill(PHONE)
    page.get_by_label("更正理由").fill(NEW_PHONE)
    press(page, "保存更正")
    expect(page.get_by_text("已更正 1 项，变更已留痕。")).to_be_visible()
    expect(page.get_by_text(MASKED).first).to_be_visible()
    assert PHONE not in page.content()


def proposes_the_wage(page: Page) -> int:
    """What the policy has others look at waits; the register is as it was. The request's number."""
    page.get_by_role("link", name="更正", exact=True).click()
    page.get_by_role("navigation", name="更正内容").get_by_role("link", name="收入").click()
    page.get_by_label("工资性收入（元）").fill(WAGE)
    page.get_by_label("采集时家庭人口数").fill(MEMBERS)
    page.get_by_label("更正理由").fill(PAYSLIPS)
    press(page, "保存更正")
    expect(page.get_by_text("2 项须经审核，已提交变更申请。")).to_be_visible()
    assert SHOWN not in page.get_by_role("region", name="各年度收入").inner_text()
    link = page.get_by_role("link", name=re.compile("^变更申请 "))
    request = number_in(link.inner_text())
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("待乡镇审核")
    expect(page.get_by_role("button", name="同意")).to_have_count(0)  # who proposed does not decide
    return request


def passes_on(page: Page, request: int, household: int) -> None:
    opens_request(page, request, PAYSLIPS)
    expect(page.get_by_role("link", name=re.compile(rf"户 {household}$"))).to_be_visible()
    expect(page.get_by_text("同意后转县级批准；县级批准前登记内容不变。")).to_be_visible()
    agrees(page)
    page.goto(f"/registry/requests/{request}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("待县级批准")
    expect(page.get_by_role("button", name="同意")).to_have_count(0)


def approves(page: Page, request: int) -> None:
    opens_request(page, request, PAYSLIPS)
    expect(page.get_by_role("cell", name=f"{SHOWN} 元")).to_be_visible()
    agrees(page)
    page.goto(f"/registry/requests/{request}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("已生效")


def stands_in_the_register(page: Page, household: int, approver: str) -> None:
    page.goto(f"/registry/households/{household}/")
    year, now = list(income_of(page).items())[-1]
    assert now["工资性收入"] == now["年收入"] == now["纯收入"] == SHOWN
    story = page.get_by_role("heading", name="大事记").locator("..").get_by_role("listitem")
    told = story.filter(has_text=PAYSLIPS)
    expect(told).to_contain_text(f"工资性收入 ({year})")
    expect(told).to_contain_text(approver)
    expect(story.filter(has_text=NEW_PHONE)).to_contain_text(my_name_on(page))
    assert PHONE not in page.content()


def my_name_on(page: Page) -> str:
    """The reader's own name, as the top bar says it."""
    return page.locator(".w-me summary span").first.inner_text()


def prints_the_card(page: Page, household: int) -> None:
    page.get_by_role("link", name="明白卡").click()
    card = page.get_by_role("article")
    expect(card.get_by_text(SHOWN).first).to_be_visible()
    assert PHONE not in page.content()
    printed = base64.b64decode(
        page.context.new_cdp_session(page).send("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    )
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    address = page.url.removesuffix("card/")
    assert address.endswith(f"/registry/households/{household}/")
    assert strokes_of(address) <= strokes_in(printed)


Stroke = tuple[float, float, float]  # row, from, to


def strokes_of(address: str) -> set[Stroke]:
    """The dark stretches of the address's code, row by row, as the card draws them."""
    border = 2
    found = set()
    for row, line in enumerate(segno.make(address, error="m", micro=False).matrix):
        at = border
        for dark, modules in groupby(line):
            length = len(list(modules))
            if dark:
                found.add((row + border + 0.5, float(at), float(at + length)))
            at += length
    return found


def strokes_in(printed: bytes) -> set[Stroke]:
    """The straight level strokes of a PDF's pages, in the units they were drawn in."""
    found = set()
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", printed, re.DOTALL):
        try:
            drawn = zlib.decompress(packed)
        except zlib.error:
            continue  # a picture or a font, which draws nothing
        for x, y, to, level in re.findall(rb"([\d.]+) ([\d.]+) m\n([\d.]+) ([\d.]+) l\n", drawn):
            if y == level:
                found.add((float(y), float(x), float(to)))
    return found
