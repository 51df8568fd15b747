"""The main line, walked by the people whose work it is: a file in, a suspect out, a door, a correction."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import Desk
from tests.browser.site import Site, installed
from tests.journeys.office import area_of, figure, follow, my_name, number_in, opens, press, rows_of
from wanjia.demo.choices import Until

WORK = 120_000  # milliseconds a background job may take on a busy machine
NOTE = "入户核实，户主承认识别前一年购车并使用至今。"
OFFICES = ("province", "city", "county", "township", "verifier", "village")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A county with its staff and its register; the department's file has only just come."""
    home = tmp_path_factory.mktemp("suspect") / "home"
    with installed(home, people=2_500, records=9_000, seed=5, until=Until.FOUNDED) as running:
        yield running


@dataclass
class People:
    """The six, each at a page of their own, and what they are called."""

    pages: dict[str, Page]
    names: dict[str, str]

    def __getitem__(self, login: str) -> Page:
        return self.pages[login]


@pytest.fixture
def people(desk: Desk) -> People:
    pages = {login: desk.open(login) for login in OFFICES}
    return People(pages, {login: my_name(page) for login, page in pages.items()})


def test_a_suspect_goes_from_the_file_to_the_corrected_register(site, desk, people, tmp_path):
    takes_in_the_file(people["province"], next((site.home / "inbox").glob("*机动车*")))
    issued = compares_and_issues(people["province"])
    sends_on(people["city"], "待市级派发", "派发到县", issued)
    sends_on(people["county"], "待县级分派", "分派到乡镇", issued)

    case = assigns(people)
    verifies(people["verifier"], case, photograph(tmp_path / "door.jpg"))
    corrects(people["village"], case)
    approves(people["township"], case, "审核通过")
    approves(people["county"], case, "同意并办结")
    samples_and_closes(people["city"], case)

    household = the_case_tells_it_all(people, case)
    the_household_is_removed(people["county"], household, people.names)
    the_record_is_true(desk.open("auditor"), household)
    the_photo_tells_no_place(people["county"], case)


def takes_in_the_file(page: Page, file: Path) -> None:
    """The province's data officer hands the file in, reads what is wrong with it, accepts the rest."""
    lines = file.read_bytes().count(b"\n")
    follow(page, "上传数据文件")
    with page.expect_file_chooser() as chooser:
        page.get_by_text("把 Excel 或 CSV 文件拖到这里，或点击选择").click()
    chooser.value.set_files(file)
    expect(page.get_by_text(file.name)).to_be_visible()
    press(page, "上传并检查")

    accept = page.get_by_role("button", name=re.compile(r"^采纳 .+ 行$"))
    expect(accept).to_be_visible(timeout=WORK)
    accepted, rejected, rest = (figure(page, label) for label in ("可采纳", "有问题，需退回", "非数据行"))
    assert figure(page, "文件总行数") == lines == accepted + rejected + rest
    assert accepted > rejected > 0
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("下载问题表")).click()
    sheet = Path(download.value.path()).read_text("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(sheet)))) == rejected + 1

    accept.click()
    expect(page.get_by_text(f"已采纳 {accepted:,} 行。")).to_be_visible()
    expect(accept).to_be_hidden()


def compares_and_issues(page: Page) -> int:
    """The comparison in the background, then its findings of one rule become cases; how many."""
    follow(page, "比对与疑点")
    press(page, "发起新的比对")
    rule = page.get_by_role("link", name=re.compile(r"^RA-02 "))
    expect(rule).to_be_visible(timeout=WORK)
    rule.click()
    page.get_by_role("region", name="疑点列表").get_by_role("link").first.click()
    expect(page.get_by_text("核实要点")).to_be_visible()
    issue = page.get_by_role("link", name=re.compile("下发符合条件的"))
    matching = number_in(issue.inner_text())
    issue.click()

    cities = rows_of(page, "去向")
    count = sum(number_in(row.inner_text().split()[-1]) for row in cities)
    assert 0 < count <= matching
    expect(page.get_by_text(f"下发 {count} 件到 {len(cities)} 个市")).to_be_visible()
    press(page, f"确认下发 {count} 件")
    expect(page.get_by_text(f"已下发 {count} 件到 {len(cities)} 个市。")).to_be_visible()
    return count


def sends_on(page: Page, step: str, act: str, count: int) -> None:
    """Everything that waits on this desk goes one level down, after a look at where to."""
    follow(page, "等我办理")
    page.get_by_role("navigation", name="按环节").get_by_role("link", name=step).click()
    page.get_by_role("link", name=f"{act}：这 {count} 件").click()
    desks = rows_of(page, "去向")
    assert sum(number_in(row.get_by_role("cell").first.inner_text()) for row in desks) == count
    press(page, f"确认{act} {count} 件")
    expect(page.get_by_text(f"已办理 {count} 件。")).to_be_visible()
    expect(page.get_by_text("没有等您办理的核查件。")).to_be_visible()


def assigns(people: People) -> int:
    """The township gives the first case of the first village to its verifier; the case's number."""
    page, village = people["township"], area_of(people["village"])
    follow(page, "等我办理")
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=village, exact=True)).first
    case = number_in(row.get_by_role("cell").first.inner_text())
    row.get_by_role("link").click()
    for barred in page.get_by_role("radio", disabled=True).all():
        reason = barred.locator("..").locator("small").inner_text()
        assert reason, "whoever may not be chosen is told why"
    page.get_by_role("radio", name=people.names["verifier"]).check()
    press(page, "指派核查人")
    expect(page.get_by_text(f"核查件 {case} 已指派给{people.names['verifier']}。")).to_be_visible()
    return case


def now(case: int, step: str) -> re.Pattern[str]:
    """What the page says after an act."""
    return re.compile(rf"核查件 {case} 已办理：.+，现为“{step}”。")


def photo_with(page: Page, case: int) -> Locator:
    return page.get_by_role("img", name=re.compile(rf"^case-{case}-.+\.jpg$"))


def verifies(page: Page, case: int, photo: Path) -> None:
    opens(page, case)
    page.get_by_label("证明材料").set_input_files(photo)
    press(page, "先只保存材料")
    expect(photo_with(page, case)).to_be_visible()  # under a name that says nothing of whoever took it

    page.get_by_role("group", name="核实要点").get_by_role("checkbox").first.check()
    page.get_by_role("radio", name="04 属实，错评清退").check()
    page.get_by_label("见到何人").fill("户主")
    page.get_by_label("核查说明").fill(NOTE)
    press(page, "提交核查结果")
    expect(page.get_by_text(now(case, "属实，待整改"))).to_be_visible()


def corrects(page: Page, case: int) -> None:
    opens(page, case)
    expect(page.get_by_text(NOTE).first).to_be_visible()
    press(page, "提交整改")
    expect(page.get_by_text(now(case, "已整改，待乡镇审核"))).to_be_visible()


def approves(page: Page, case: int, act: str) -> None:
    opens(page, case)
    expect(photo_with(page, case)).to_be_visible()
    press(page, act)
    expect(page.get_by_text(f"核查件 {case} 已办理：")).to_be_visible()


def samples_and_closes(page: Page, case: int) -> None:
    """One case was decided, so the draw takes it: at least one always is."""
    follow(page, "抽查")
    press(page, "抽取并销号")
    expect(page.get_by_text("抽取 1 件复核，0 件销号。")).to_be_visible()
    opens(page, case)
    press(page, "抽查无误，销号")
    expect(page.get_by_text(now(case, "已销号"))).to_be_visible()


def the_case_tells_it_all(people: People, case: int) -> int:
    """Its history names every step and who took it; returns the household's number."""
    page = people["county"]
    page.goto(f"/cases/{case}/")
    history = page.get_by_role("list").filter(has_text="→").last
    steps = [
        ("province", "待市级派发"), ("city", "待县级分派"), ("county", "待指派核查人"), ("township", "待入户核查"),
        ("verifier", "属实，待整改"), ("village", "已整改，待乡镇审核"), ("township", "待县级决定"),
        ("county", "县级已决定，待抽查"), ("city", "抽查中"), ("city", "已销号"),
    ]  # fmt: skip
    told = history.get_by_role("listitem").all_inner_texts()
    for login, step in steps:
        assert any(f"→ {step}" in line and people.names[login] in line for line in told), (login, step, told)
    page.get_by_role("link", name="打开该户").click()
    return number_in(page.url.split("/households/")[1])


def the_household_is_removed(page: Page, household: int, names: dict[str, str]) -> None:
    page.goto(f"/registry/households/{household}/")
    expect(page.get_by_role("status").filter(has_text="退出登记")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=names["county"]).filter(has_text="错评")).to_be_visible()


def the_record_is_true(page: Page, household: int) -> None:
    follow(page, "操作记录")
    page.get_by_label("编号", exact=True).fill(str(household))
    page.get_by_label("对象").select_option(label="户")
    press(page, "筛选")
    page.get_by_role("link", name=re.compile("^错评清退，理由：")).click()
    expect(page.get_by_text("是真的", exact=True)).to_be_visible()


def the_photo_tells_no_place(page: Page, case: int) -> None:
    page.goto(f"/cases/{case}/")
    picture = page.request.get(photo_with(page, case).get_attribute("src") or "")
    assert picture.headers["content-type"] == "image/jpeg"
    stored = Image.open(io.BytesIO(picture.body()))
    assert stored.size == (320, 240)
    assert dict(stored.getexif()) == {}
    assert b"Exif" not in picture.body()


def photograph(path: Path) -> Path:
    """A picture as a phone takes it: it knows where and with what it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Phone"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (23.0, 56.0, 0.0), 3: "E", 4: (108.0, 6.0, 0.0)})
    Image.new("RGB", (320, 240), (206, 190, 160)).save(path, "JPEG", exif=exif)
    with Image.open(path) as taken:
        assert taken.getexif().get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"
    return path
