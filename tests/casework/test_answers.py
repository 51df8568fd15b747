"""Answering in Excel: the form, what comes back, and everything that can be wrong with it."""

import datetime as dt
import io
from collections import Counter

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.casework.conftest import NEXT_TOWN
from tests.casework.test_pages import do, photo, row
from wanjia.accounts.models import User
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.casework.choices import Bar
from wanjia.casework.models import AnswerSheet, CaseEvent
from wanjia.scope.system import system_viewer

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ANSWERS = "/cases/answers/"


@pytest.fixture
def assigned(opened, county, town, looker):
    """Cases on the looker's desk, one for each household."""

    def give(*households):
        numbers = opened(*households)
        for number in numbers:
            do(county, number, "pass_on")
            do(town, number, "assign", assignee=looker.user_id)
        return numbers

    return give


@pytest.fixture
def next_looker(people):
    own = {"leaks.read": "own_cases", "leaks.look": "own_cases"}
    return people.viewer(people.add("next", "leak_looker", NEXT_TOWN, narrowed=own))


def form(browser, **query):
    answer = browser.get(reverse("casework:answers_form"), query)
    assert answer.status_code == 200, answer.content.decode()
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def columns(book):
    return {cell.value: cell.column_letter for cell in book.worksheets[0][1]}


def fill(book, row_no, **cells):
    titles = {"outcome": "核查结果", "on": "入户日期", "met": "见到何人", "note": "核查说明", "no": "核查件编号", "check": "校验（请勿改动）", "person": "姓名"}  # fmt: skip
    sheet, where = book.worksheets[0], columns(book)
    for key, value in cells.items():
        sheet[f"{where[titles[key]]}{row_no}"] = value
    return book


GOOD = {"outcome": "dry 不属实", "on": dt.datetime(2020, 11, 16, 9, 30), "met": "户主", "note": "屋顶完好"}  # noqa: DTZ001 - a workbook knows no zone


def sent(browser, book, name="答复.xlsx"):
    content = book
    if not isinstance(book, bytes):
        out = io.BytesIO()
        book.save(out)
        content = out.getvalue()
    return browser.post(reverse("casework:answers_upload"), {"sheet": SimpleUploadedFile(name, content, XLSX)})


def preview(browser):
    page = browser.get(ANSWERS)
    return page.context


def apply(browser):
    token = browser.get(ANSWERS).context["sheet"].token
    return browser.post(reverse("casework:answers_apply"), {"token": token})


def reasons(browser):
    return {row: why for row, _, why in preview(browser)["refused"]}


def test_the_form_has_a_row_for_each_case_and_offers_only_what_may_be_chosen(assigned, browse, looker):
    numbers = assigned(7, 8)
    book = form(browse(looker))
    sheet, where = book.worksheets[0], columns(book)
    assert [sheet[f"{where['核查件编号']}{n}"].value for n in (2, 3)] == numbers
    assert sheet[f"{where['姓名']}2"].value == f"韦*{numbers[0]}"
    assert sheet.protection.sheet
    assert sheet[f"{where['姓名']}2"].protection.locked
    assert not sheet[f"{where['核查结果']}2"].protection.locked
    assert sheet.column_dimensions[where["校验（请勿改动）"]].hidden
    rules = {str(rule.sqref).rstrip("23:").split("2")[0]: rule for rule in sheet.data_validations.dataValidation}
    source = next(rule.formula1 for rule in rules.values() if rule.type == "list")
    assert source.startswith("'选项'!")
    assert book["选项"].sheet_state == "hidden"
    assert [cell[0].value for cell in book["选项"].iter_rows()] == [
        "wet 属实（须先上传照片或文件）", "dry 不属实", "away 没人在家",
    ]  # fmt: skip


def test_only_what_waits_for_this_reader_is_in_his_form(assigned, browse, looker, county, roofs):
    first, _second = assigned(7, 8)
    roofs.bars[looker.user_id, 8] = Bar.RELATIVE
    book = form(browse(looker))
    assert [cell.value for cell in book.worksheets[0]["A"]] == ["核查件编号", first]
    assert form(browse(county)).worksheets[0].max_row == 1, "the county has nothing to answer"


def test_good_rows_go_on_under_one_audit_entry_and_the_others_stay(assigned, browse, looker):
    numbers = assigned(7, 8, 9)
    browser = browse(looker)
    book = form(browser)
    fill(book, 2, **GOOD)
    fill(book, 3, **{**GOOD, "outcome": "wet 属实（须先上传照片或文件）"})
    assert sent(browser, book).status_code == 302
    assert not any(row(number).outcome for number in numbers), "a preview changes nothing"
    seen = preview(browser)
    assert (seen["good_n"], seen["proofless_n"], seen["refused_n"], seen["sheet"].blank) == (1, 1, 0, 1)
    assert seen["households"] == [(8, f"韦*{numbers[1]}", 1)]
    apply(browser)
    assert [(row(n).step, row(n).outcome) for n in numbers] == [
        ("looked", "dry"),
        ("with_looker", ""),
        ("with_looker", ""),
    ]
    event = CaseEvent.objects.of(row(numbers[0])).order_by("-id")[0]
    assert (event.note, event.data["visit"]) == ("屋顶完好", {"on": "2020-11-16", "met": "户主"})
    entries = Opening.objects.visible_to(system_viewer("audit.record")).filter(act="leak.look")
    assert entries.count() == 1
    apply(browser)
    assert entries.count() == 1, "applied once, however often it is sent"


def test_a_photo_filed_meanwhile_makes_the_row_good(assigned, browse, looker):
    (number,) = assigned(7)
    browser = browse(looker)
    sent(browser, fill(form(browser), 2, **{**GOOD, "outcome": "wet"}))
    assert preview(browser)["proofless_n"] == 1
    browser.post(reverse("casework:evidence", args=[number]), {"evidence": photo()})
    assert preview(browser)["good_n"] == 1
    apply(browser)
    assert (row(number).step, row(number).outcome) == ("to_mend", "wet")
    assert CaseEvent.objects.of(row(number)).order_by("-id")[0].data["evidence"]


def test_answers_in_rows_nobody_saw_are_told_before_they_are_given(assigned, browse, looker):
    """A sheet goes from hand to hand: whoever sends it in answers with his own name what another hid in it."""
    assigned(7, 8)
    browser = browse(looker)
    book = fill(fill(form(browser), 2, **GOOD), 3, **GOOD)
    book.worksheets[0].row_dimensions[3].hidden = True
    sent(browser, book)
    page = browser.get(ANSWERS)
    assert (page.context["good_n"], page.context["hidden_rows"]) == (2, [3])
    assert "其中 1 行在表中是隐藏的" in page.content.decode()
    sent(browser, fill(fill(form(browser), 2, **GOOD), 3, **GOOD))
    assert "是隐藏的" not in browser.get(ANSWERS).content.decode()


def test_what_was_altered_swapped_doubled_or_made_up_is_told_row_by_row(assigned, browse, looker):
    numbers = assigned(*range(10, 19))
    browser = browse(looker)
    book = form(browser)
    for at in range(2, 11):
        fill(book, at, **GOOD)
    sheet, where = book.worksheets[0], columns(book)
    for title in ("核查件编号", "姓名"):  # 2 and 3 swapped, but for the check
        one, other = (sheet[f"{where[title]}{at}"] for at in (2, 3))
        one.value, other.value = other.value, one.value
    fill(book, 4, no=numbers[0])  # an edited number
    fill(book, 5, person="覃某某")  # an edited name
    fill(book, 6, check=f"{numbers[4]}.2.00000000000000000000")
    fill(book, 7, outcome="zzz")
    fill(book, 8, note="=1+1")
    fill(book, 9, on="昨天")
    for column in "ABCDEFGHIJKLMNOPQ":  # row 10 twice
        sheet[f"{column}11"] = sheet[f"{column}10"].value
    sent(browser, book)
    told = reasons(browser)
    assert set(told) == set(range(2, 12))
    for at in range(2, 7):
        assert "校验列" in told[at], at
    assert "下拉列表" in told[7]
    assert "公式" in told[8]
    assert "日期" in told[9]
    assert "多次（第 10, 11 行）" in told[10] == told[11]
    apply(browser)
    assert not any(row(number).outcome for number in numbers)
    kept = AnswerSheet.objects.get(user_id=looker.user_id)
    assert {row[4] for row in kept.refused} <= {*numbers, ""}
    assert Counter(code for _, code, *_ in kept.refused) == {
        "casework.row_altered": 5, "casework.cell_unusable": 3, "casework.answered_twice": 2,
    }  # fmt: skip


def test_answers_to_cases_that_moved_closed_or_belong_to_others_change_nothing(
    assigned, browse, looker, next_looker, town, roofs
):
    moved, barred, foreign = assigned(7, 8, 9)
    book = form(browse(looker))
    for at in (2, 3, 4):
        fill(book, at, **GOOD)
    do(looker, moved, "look", outcome="away", note="锁着门")
    roofs.bars[looker.user_id, 8] = Bar.OWN_HOUSEHOLD
    sent(browse(looker), book)
    told = reasons(browse(looker))
    assert "已由" in told[2]
    assert "家庭成员" in told[3]
    sent(browse(next_looker), book)
    told = reasons(browse(next_looker))
    assert all("没有找到" in why for why in told.values())
    apply(browse(next_looker))
    assert row(foreign).outcome == ""
    apply(browse(looker))
    assert (row(moved).outcome, row(barred).outcome, row(foreign).outcome) == ("away", "", "dry")


def test_the_rejects_come_back_as_a_form_that_can_be_put_right(assigned, browse, looker):
    (number,) = assigned(7)
    browser = browse(looker)
    sent(browser, fill(form(browser), 2, **{**GOOD, "on": "2031-01-01"}))
    assert "今天以后" in reasons(browser)[2]
    answer = browser.get(reverse("casework:answers_rejects"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    assert book.worksheets[0]["A1"].value == "问题"
    assert "今天以后" in book.worksheets[0]["A2"].value
    sent(browser, fill(book, 2, on="2020/11/16"))
    apply(browser)
    assert row(number).outcome == "dry"


def test_nothing_is_injected_and_no_identity_number_is_kept(assigned, browse, looker):
    assigned(7)
    browser = browse(looker)
    sent(browser, fill(form(browser), 2, **{**GOOD, "note": "他的号码 459999197602290012"}))
    assert "身份证" in reasons(browser)[2]
    hostile = fill(form(browser), 2, **{**GOOD, "on": "x"})
    cell = hostile.worksheets[0][f"{columns(hostile)['核查说明']}2"]
    cell.value, cell.data_type = '=HYPERLINK("http://127.0.0.1")', "s"
    sent(browser, hostile)
    answer = browser.get(reverse("casework:answers_rejects"))
    back = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    found = [cell for cell in back[2] if str(cell.value).startswith("=")]
    assert [cell.data_type for cell in found] == ["s"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000) + "EncryptedPackage".encode("utf-16-le"),
            "取消密码（文件-信息-保护工作簿）",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000) + "Workbook".encode("utf-16-le"), "旧格式的表格"),
        (b"not a workbook", "不接受"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml" + b"\0" * 5_000, "损坏"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_cure(browse, looker, content, code):
    answer = sent(browse(looker), content)
    assert answer.status_code in (413, 415, 422)
    assert code in answer.content.decode()


def test_another_workbook_is_no_form(browse, looker):
    book = openpyxl.Workbook()
    book.active.append(["姓名", "身份证号"])
    answer = sent(browse(looker), book)
    assert answer.status_code == 422
    assert "不是从本系统下载的填写表" in answer.content.decode()
    assert AnswerSheet.objects.count() == 0


def test_an_older_sheet_is_not_applied_from_a_page_left_open(assigned, browse, looker):
    assigned(7)
    browser = browse(looker)
    book = fill(form(browser), 2, **GOOD)
    sent(browser, book)
    old = preview(browser)["sheet"].token
    sent(browser, book)
    answer = browser.post(reverse("casework:answers_apply"), {"token": old}, follow=True)
    assert "代替" in answer.content.decode()
    assert browser.post(reverse("casework:answers_apply"), {"token": "x"}).status_code == 302
    assert preview(browser)["good_n"] == 1


def test_an_english_form_is_read_back_too(assigned, browse, looker):
    (number,) = assigned(7)
    browser = browse(looker)
    with unrecorded():
        User.objects.visible_to(system_viewer("accounts.sign_in")).filter(pk=looker.user_id).update(language="en")
    book = form(browser)
    sheet, where = book.worksheets[0], columns(book)
    for title, value in {
        "Outcome": "dry x",
        "Date of visit": "2020-11-16",
        "Whom you met": "the head",
        "Note": "dry",
    }.items():
        sheet[f"{where[title]}2"] = value
    sent(browser, book)
    apply(browser)
    assert row(number).outcome == "dry"


def test_one_visit_answers_several_cases_of_a_household(opened, county, town, looker, browse):
    (first,) = opened(7)
    (second,) = opened(7, topic="L2")
    for number in (first, second):
        do(county, number, "pass_on")
        do(town, number, "assign", assignee=looker.user_id)
    browser, address = browse(looker), reverse("casework:visit", args=[7])
    page = browser.get(address).content.decode()
    assert f"outcome-{first}" in page
    assert f"outcome-{second}" in page
    typed = {"visited_on": "2020-11-16", "met": "户主", "note": "两件一起看", f"version-{first}": row(first).version, f"version-{second}": row(second).version}  # fmt: skip
    answer = browser.post(address, {**typed, f"outcome-{first}": "wet", f"outcome-{second}": "dry"})
    assert answer.status_code == 422, "a true one needs its photo; the other went on"
    assert (row(first).outcome, row(second).outcome) == ("", "dry")
    answer = browser.post(address, {**typed, f"outcome-{first}": "wet", "evidence": photo()})
    assert answer.status_code == 302
    assert row(first).step == "to_mend"
    assert browse(town).get(address).status_code == 200


def test_households_and_check_sheets_show_each_household_once(assigned, browse, looker, next_looker):
    assigned(7, 8)
    page = browse(looker).get(reverse("casework:households"), {"mine": "1"})
    assert [bundle.household_no for bundle in page.context["bundles"]] == [7, 8]
    with CaptureQueriesContext(connection) as asked:
        looked = page.client.get(reverse("casework:households"))
    assert looked.status_code == 200
    assert len(asked) <= 15
    paper = browse(looker).get(reverse("casework:check_sheets"), {"mine": "1"}).content.decode()
    assert "□ dry 不属实" in paper, "what may be answered, by its code"
    assert paper.count('class="w-sheet"') == 2
    assert paper.count("<svg") > 2
    assert browse(next_looker).get(reverse("casework:visit", args=[7])).status_code == 404
