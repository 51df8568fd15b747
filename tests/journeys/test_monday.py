"""Monday morning of a county with 3,000 suspects, and what its townships and villages make of them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.chromium import NARROW, axe_findings, overflowing
from tests.browser.site import Site, built_by
from tests.journeys.office import area_of, follow, my_name, number_in, press

pytestmark = pytest.mark.one_database
HOUSEHOLDS = 6_200
LONGEST_WAY = 60  # presses of Tab to whatever is wanted
LIST = "核查件列表"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with built_by(tmp_path_factory.mktemp("monday") / "home", "tests.journeys.monday", str(HOUSEHOLDS)) as running:
        yield running


def focused(page: Page) -> str:
    """The words of what holds the focus."""
    return page.evaluate("() => (document.activeElement.innerText || document.activeElement.name || '').trim()")


def tab_to(page: Page, wanted: re.Pattern[str]) -> str:
    """Go on with Tab until what is wanted has the focus; its words."""
    for _ in range(LONGEST_WAY):
        page.keyboard.press("Tab")
        if wanted.search(focused(page)):
            return focused(page)
    raise AssertionError(f"{wanted.pattern} is not reached by Tab on {page.url}; last: {focused(page)!r}")


def entered(page: Page, wanted: str) -> str:
    """One of the four: Tab to it, and Enter."""
    words = tab_to(page, re.compile(wanted))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return words


def test_three_thousand_suspects_go_to_the_townships_without_a_mouse(desk, site):
    waiting = site.built["waiting"]
    assert waiting > 3_000
    page = desk.open()
    page.goto("/")
    tab_to(page, re.compile("^username$"))
    page.keyboard.type("county")
    tab_to(page, re.compile("^password$"))
    page.keyboard.type(site.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("今天先办这些")

    assert number_in(page.get_by_text(re.compile(r"^等我办理 [\d,]+ 件")).first.inner_text()) == waiting
    entered(page, "^去办理$")
    assert number_in(entered(page, "^分派到乡镇：这 [0-9,]+ 件$")) == waiting
    region = page.get_by_role("region", name="去向")
    rows = region.locator("tbody").get_by_role("row").all()
    sent = sum(number_in(row.get_by_role("cell").first.inner_text()) for row in rows)
    assert 0 < sent <= waiting
    assert number_in(entered(page, "^确认分派到乡镇 [0-9,]+ 件$")) == sent

    expect(page.get_by_text(re.compile(f"已办理 {sent:,} 件"))).to_be_visible()
    page.goto("/comparison/progress/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert f"{waiting:,}" in page.locator("main").inner_text()


def test_the_township_answers_by_excel_and_hears_of_every_row_that_is_wrong(desk, tmp_path):
    officer = desk.open("verifier")
    name, page = my_name(officer), desk.open("township")
    follow(page, "等我办理")
    page.get_by_role("link", name=re.compile("^指派核查人：这 [0-9,]+ 件$")).click()
    page.get_by_label("核查人").select_option(label=option_of(page, name))
    press(page, re.compile("^确认指派核查人 [0-9,]+ 件$"))
    expect(page.get_by_text(re.compile("已办理 [0-9,]+ 件"))).to_be_visible()

    follow(officer, "用 Excel 答复")
    with officer.expect_download() as download:
        officer.get_by_role("link", name="下载填写表（Excel）").click()
    book = openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))
    sheet, column = book.worksheets[0], {cell.value: cell.column for cell in book.worksheets[0][1]}
    rows = range(2, sheet.max_row + 1)
    for row in rows:
        sheet.cell(row, column["核查结果"], "06 不属实，部门数据错误")
        sheet.cell(row, column["入户日期"], date(2020, 11, 15))
        sheet.cell(row, column["见到何人"], "户主")
        sheet.cell(row, column["核查说明"], "入户核对，名下没有车辆。")
    sheet.cell(2, column["核查结果"], "77 不知道")  # no such outcome
    sheet.cell(3, column["核查件编号"], sheet.cell(5, column["核查件编号"]).value)  # an edited number
    sheet.cell(4, column["核查结果"], "04 属实，错评清退")  # nothing was filed to prove it
    book.save(tmp_path / "答复.xlsx")

    officer.get_by_label(re.compile("选择填好的 Excel 文件")).set_input_files(tmp_path / "答复.xlsx")
    press(officer, "上传并预览")
    good = len(rows) - 3
    confirm = officer.get_by_role("button", name=f"确认办理这 {good:,} 件")
    expect(confirm).to_be_visible()
    wrong = officer.get_by_role("region", name="不能采用的行").inner_text()
    assert {"2", "3"} <= set(re.findall(r"^\d+", wrong, re.MULTILINE))
    confirm.click()
    expect(officer.get_by_role("heading", name=re.compile(f"已办理 {good:,} 件"))).to_be_visible()

    follow(page, "等我办理")
    page.get_by_role("link", name=re.compile("^审核通过：这 [0-9,]+ 件$")).click()
    press(page, f"确认审核通过 {good:,} 件")
    expect(page.get_by_text(f"已办理 {good:,} 件")).to_be_visible()


def option_of(page: Page, name: str) -> str:
    """The choice that names somebody, with whatever else it says of him."""
    texts = page.get_by_label("核查人").locator("option").all_inner_texts()
    (found,) = [text for text in texts if name in text]
    return found


def test_two_cadres_at_a_door_with_their_phones(desk, tmp_path):
    """What is left of the verifier's cases: he takes a photo on the phone, the village proposes what follows."""
    Image.effect_noise((900, 600), 60).convert("RGB").save(tmp_path / "门.jpg", "JPEG")
    page, village = desk.open("verifier", width=NARROW), desk.open("village", width=NARROW)
    page.goto("/cases/mine/")
    assert sound(page) == []
    home = area_of(village)
    row = page.get_by_role("row").filter(has_text=home).first
    case = number_in(row.get_by_role("cell").first.inner_text())
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="办理经过")).to_be_visible()
    assert sound(page) == []
    page.get_by_label("证明材料").set_input_files(tmp_path / "门.jpg")
    page.get_by_role("radio", name="04 属实，错评清退").check()
    page.get_by_label("见到何人").fill("户主")
    page.get_by_label("核查说明").fill("户主承认识别前购车。")
    press(page, "提交核查结果")
    expect(page.get_by_text(re.compile(f"核查件 {case:,} 已办理"))).to_be_visible()

    village.goto(f"/cases/{case}/")
    assert sound(village) == []
    press(village, "提交整改")
    expect(village.get_by_text(re.compile(f"核查件 {case} 已办理：.+，现为“已整改，待乡镇审核”"))).to_be_visible()


def sound(page: Page) -> list[str]:
    """What axe and the narrow screen hold against the page."""
    return axe_findings(page) + overflowing(page)
