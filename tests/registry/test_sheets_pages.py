"""The pages of the national sheets, files that are none, and what a crash leaves."""

import io
import json
import zipfile

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from typer.testing import CliRunner

from tests.factories import registry as factory
from tests.factories import sheets as made
from tests.factories.accounts import PASSWORD
from tests.factories.registry import BUILDER, COUNTY
from tests.factories.sheets import HOME_HEADER, MEMBER_HEADER, text, upload
from wanjia import cli
from wanjia.jobs.worker import run_pending
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.reference.services import Notice, set_parameter
from wanjia.registry.choices import ImportMode, ImportStatus
from wanjia.registry.models import Household, SheetImport
from wanjia.registry.services.sheets import importing
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db  # so that the module may be run alone


@pytest.fixture(scope="module")
def settled(stands):
    return factory.build()


def enter(settled, who="county"):
    client = Client()
    client.post(reverse("accounts:sign_in"), {"username": settled.users[who].username, "password": PASSWORD})
    return client


def page(client, url):
    return client.get(url).content.decode()


def test_both_sheets_are_brought_looked_over_and_taken_in(settled):
    county = made.county(6, every=3)
    client = enter(settled)
    files = [
        SimpleUploadedFile("户.csv", text(county.homes, HOME_HEADER).encode("gb18030")),
        SimpleUploadedFile("成员.csv", text(county.members, (*MEMBER_HEADER, "村医")).encode("gb18030")),
    ]
    said = {
        "mode": "new",
        "area": COUNTY,
        "year": "",
        "household_category": "",
        "poverty_status": "",
        "identified_year": "",
    }
    answer = client.post(reverse("registry:imports"), {**said, "file": files})
    assert answer.status_code == 302, answer.content.decode()
    row = SheetImport.objects.visible_to(BUILDER).latest("pk")
    assert "待读取" in page(client, answer.url)
    run_pending()
    seen = page(client, answer.url)
    for words in ("将要登记", "确认导入", "下载问题表（2 行）", "不认识、没有读取的列：村医", "有问题的行（不导入）"):
        assert words in seen, words
    assert county.members[1]["证件号码"] not in seen
    client.post(reverse("accounts:language"), {"language": "en", "next": "/"})
    assert "Rows with problems" in page(client, answer.url)
    client.post(reverse("accounts:language"), {"language": "zh-hans", "next": "/"})

    assert client.post(reverse("registry:apply_sheets", args=[row.pk])).status_code == 302
    run_pending()
    assert "已导入" in page(client, answer.url)
    assert "已导入" in page(client, reverse("registry:imports"))
    sheet = client.get(reverse("registry:rejected_rows", args=[row.pk]), {"sheet": "members"})
    assert "问题" in b"".join(sheet.streaming_content).decode("utf-8-sig")


def test_an_export_page_leads_to_the_file_or_to_the_request_it_needs(settled):
    client = enter(settled)
    assert "导出户表和成员表" in page(client, reverse("registry:sheets"))
    asked = {"sheet": "members", "year": "2020", "format": "gb18030"}
    answer = client.get(reverse("registry:sheets"), asked)
    assert answer.url.startswith(reverse("registry:export_sheet"))
    content = b"".join(client.get(answer.url).streaming_content).decode("gb18030")
    assert content.startswith("省,市,县,乡,村,户编号,人口编号")
    answer = client.get(reverse("registry:sheets"), {**asked, "whole": "1"})
    assert answer.url.startswith(reverse("exports:ask", args=["registry_sheet"]))
    assert "含完整号码" in page(client, answer.url)


def test_who_may_not_write_brings_nothing_and_takes_nothing(settled):
    assert enter(settled, "auditor").get(reverse("registry:imports")).status_code == 403
    assert enter(settled, "contact").get(reverse("registry:sheets")).status_code == 403


def _damaged(line, byte, *, lines=9):
    rows = [f"H{number:03d},2020,新屯".encode("gb18030") for number in range(1, lines)]
    rows[line - 2] = rows[line - 2][:-1] + byte
    return b"\r\n".join(["户编号,年度,屯".encode("gb18030"), *rows, b""])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (_damaged(4, b""), 4),  # half a character before the line's end
        (_damaged(6, b"\0"), 6),
        (_damaged(700, b"\0", lines=900), 700),  # beyond what an upload is judged by
    ],
)
def test_a_stray_byte_is_told_with_its_line(settled, content, line):
    said = {"mode": "correction", "area": COUNTY, "file": [SimpleUploadedFile("户.csv", content)]}
    answer = enter(settled).post(reverse("registry:imports"), said)
    assert answer.status_code == 422
    assert f"第 {line} 行含有不是文字的字节" in answer.content.decode()


def _packed(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return out.getvalue()


def _book(fill):
    book = openpyxl.Workbook()
    fill(book.active)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _altered(content, name, change):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, change(data) if part == name else data)
    return out.getvalue()


def _sheet(active):
    active.append(["户编号", "年度", "屯"])
    active.append(["H001", 2020, "新屯"])


SHEET = "xl/worksheets/sheet1.xml"
LONG = "户编号,年度\r\nH001," + "x" * (6 << 20) + "\r\n"
ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def _bomb():
    spaces = b"<sheetData>" + b" " * (1 << 26)
    return _altered(_book(_sheet), SHEET, lambda data: data.replace(b"<sheetData>", spaces))


def _endless():
    return _altered(_book(_sheet), SHEET, lambda data: data.replace(b'r="2"', b'r="1000000000"'))


# a file, and a word of what is said of it
HOSTILE = {
    "bomb": (_bomb, "解压后大得不合常理"),
    "billion rows": (_endless, "行号超过"),
    "a long cell": (LONG.encode, "过长"),
    "encrypted": (lambda: ENCRYPTED, ""),
    "a packed folder": (lambda: _packed(**{"户表.csv": "户编号"}), "ZIP"),
    "other columns": ("号牌,车主\r\n1,2\r\n".encode, "缺少列"),
    "the same column twice": ("户编号,AAC001,年度\r\n1,2,2020\r\n".encode, "两列都对应"),
}


def _told(viewer, content):
    """What somebody is told who brings this file."""
    try:
        row = importing.bring(viewer=viewer, brought=[upload(content)], area=COUNTY, mode=ImportMode.CORRECTION)
    except Refusal as refusal:
        return refusal.sentences("zh")[0]
    row = importing.read_sheets(viewer=viewer, import_id=row.pk)
    assert row.status == ImportStatus.UNREADABLE
    return row.refusal["what"]["zh"]


@pytest.mark.parametrize("which", list(HOSTILE))
def test_a_file_that_is_no_sheet_gives_a_sentence(settled, which):
    content, words = HOSTILE[which]
    assert words in _told(settled.viewer("county"), content())


def test_a_sheet_of_more_lines_than_are_read_at_once_is_refused_whole(settled):
    notice = Notice(source="自治区办公室通知", valid_from=clock.today())
    set_parameter(system_viewer("reference.load"), name="registry.sheet_lines_at_most", value="3", notice=notice)
    rows = "".join(f"H{number:03d},2020,新屯\r\n" for number in range(1, 4))
    assert "超过 3 行" in _told(settled.viewer("county"), f"户编号,年度,屯\r\n{rows}")
    assert SheetImport.objects.visible_to(BUILDER).latest("pk").status == ImportStatus.UNREADABLE


def test_formulas_are_refused_or_their_values_read(settled):
    def fill(active):
        _sheet(active)
        active.append(["H002", 2020, "=A1"])  # openpyxl writes no value

    row = importing.bring(
        viewer=settled.viewer("county"), brought=[upload(_book(fill))], area=COUNTY, mode=ImportMode.CORRECTION
    )
    row = importing.read_sheets(viewer=settled.viewer("county"), import_id=row.pk)
    told = row.preview["sheets"]["households"]["problems"]
    assert [(each["field"], each["problem"]) for each in told] == [("hamlet", "formula_no_value")]


def test_a_crash_leaves_the_old_state(settled, monkeypatch):
    viewer = settled.viewer("county")
    county = made.county(4)
    files = [upload(text(county.homes, HOME_HEADER)), upload(text(county.members, MEMBER_HEADER))]
    row = importing.bring(viewer=viewer, brought=files, area=COUNTY, mode=ImportMode.NEW)
    importing.read_sheets(viewer=viewer, import_id=row.pk)

    def die(name):
        if name == "registry.sheets_applied":
            raise KeyboardInterrupt

    monkeypatch.setattr(importing, "reached", die)
    with pytest.raises(KeyboardInterrupt):
        importing.apply_sheets(viewer=viewer, import_id=row.pk)
    assert Household.objects.visible_to(BUILDER).count() == 32
    row.refresh_from_db()
    assert row.status == ImportStatus.PREVIEWED
    monkeypatch.undo()
    importing.apply_sheets(viewer=viewer, import_id=row.pk)
    assert Household.objects.visible_to(BUILDER).count() == 36


def test_the_commands_take_in_and_hand_out(settled, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "_installation", lambda: None)
    county = made.county(4, every=2)
    homes, members, out = (tmp_path / name for name in ("homes.csv", "members.csv", "out.csv"))
    homes.write_bytes(text(county.homes, HOME_HEADER).encode("gb18030"))
    members.write_bytes(text(county.members, MEMBER_HEADER).encode("utf-8-sig"))

    def run(*command):
        done = CliRunner().invoke(cli.app, ["registry", *map(str, command), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout.splitlines()[-1])

    seen = run("import", homes, members, "--area", COUNTY)
    assert (seen["status"], seen["new"]["households"], seen["sheets"]["members"]["rejected"]) == ("previewed", 4, 2)
    importing.cancel(viewer=settled.viewer("county"), import_id=seen["import"])
    assert run("import", homes, members, "--area", COUNTY, "--apply")["status"] == "done"
    done = run("export", "--area", COUNTY, "--year", 2020, "--sheet", "members", "--encoding", "gb18030", out)
    assert done["rows"] == 96 + 14
    assert out.read_bytes().decode("gb18030").startswith("省,市,县,乡,村,户编号,人口编号")
