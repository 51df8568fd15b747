"""Rows whose cells have slipped, and masks that come back: nobody is changed but who the row speaks of."""

import csv
import io

import pytest

from tests.factories import registry as factory
from tests.factories import sheets as made
from tests.factories.registry import BUILDER, COUNTY, VILLAGES
from tests.factories.sheets import HOME_HEADER, MEMBER_HEADER, text, upload
from wanjia.audit import acts
from wanjia.audit.models import Opening
from wanjia.divisions.queries import gazetteer
from wanjia.protection.masking import mask_id
from wanjia.registry.choices import ImportMode, ImportStatus, SheetKind
from wanjia.registry.imports import presenting
from wanjia.registry.models import SheetFile
from wanjia.registry.services.sheets import exporting, importing
from wanjia.registry.services.sheets.exporting import Wanted
from wanjia.ui.sheets import Encoding, Format

pytestmark = pytest.mark.django_db  # so that the module may be run alone


@pytest.fixture(scope="module")
def settled(stands):
    return factory.build()


def brought(settled, *files, mode=ImportMode.CORRECTION):
    viewer = settled.viewer("county")
    row = importing.bring(viewer=viewer, brought=files, area=COUNTY, mode=mode)
    return importing.read_sheets(viewer=viewer, import_id=row.pk)


def sheet_of(*rows):
    return upload(text(rows, tuple(rows[0])))


def exported(settled, kind):
    _, pieces = exporting.export_sheet(
        viewer=settled.viewer("county"), wanted=Wanted(kind, 2020, COUNTY), account="tester", form=Format.CSV,
        encoding=Encoding.UTF8,
    )  # fmt: skip
    table = list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))
    return table[0], [dict(zip(table[0], row, strict=True)) for row in table[1:-1]]


def counts(row):
    files = SheetFile.objects.visible_to(BUILDER).filter(of=row)
    return {file.sheet: (file.accepted, file.known, file.rejected) for file in files}


def reasons(settled, row, kind):
    pieces = importing.reject_sheet(viewer=settled.viewer("county"), import_id=row.pk, kind=kind)
    return [each["问题"] for each in csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig")))]


def one(settled, kind, **said):
    """What becomes of a row of the second member, or of the first household, that says this too."""
    key = {"人口编号": "P0011"} if kind is SheetKind.MEMBERS else {"户编号": "H001"}
    row = brought(settled, sheet_of(key | {"年度": "2020"} | said))
    told = counts(row)[str(kind)], reasons(settled, row, kind)
    importing.cancel(viewer=settled.viewer("county"), import_id=row.pk)  # so that the same may be said again
    return told


@pytest.mark.parametrize("kind", list(SheetKind))
def test_an_exported_sheet_comes_back_with_nothing_to_be_done(settled, kind):
    header, rows = exported(settled, kind)
    assert any("*" in cell for cell in rows[0].values())
    row = brought(settled, upload(text(rows, header)))
    assert row.preview["sheets"][str(kind)]["problems"] == []
    assert counts(row) == {str(kind): (0, len(rows), 0)}


def test_one_correction_in_an_exported_member_sheet_is_the_only_one(settled):
    header, rows = exported(settled, SheetKind.MEMBERS)
    rows[1]["健康状况"] = "残疾"
    row = brought(settled, upload(text(rows, header)))
    assert row.preview["changes"]["fields"] == {"health": 1}
    assert counts(row) == {"members": (1, len(rows) - 1, 0)}


def test_the_mask_of_another_number_is_refused(settled):
    other = mask_id(settled.person(5).id_number.clear())
    assert other != mask_id(settled.person(2).id_number.clear())
    told, why = one(settled, SheetKind.MEMBERS, 证件号码=other)
    assert (told, why) == ((0, 0, 1), ["证件号码打了掩码，且与登记的号码不是同一个"])


def test_who_is_registered_for_the_first_time_is_registered_whole(settled):
    county = made.county(3)
    county.members[1]["证件号码"] = mask_id(county.members[1]["证件号码"])
    county.members[5]["姓名"] = "韦*"
    county.homes[2]["银行卡号"] = "***************0002"
    files = upload(text(county.homes, HOME_HEADER)), upload(text(county.members, MEMBER_HEADER))
    row = brought(settled, *files, mode=ImportMode.NEW)
    told = {(each["field"], each["problem"]) for each in row.preview["sheets"]["members"]["problems"]}
    assert {("id_number", "not_whole"), ("name", "not_whole")} <= told
    assert reasons(settled, row, SheetKind.HOUSEHOLDS) == ["银行卡号打了掩码，请填写完整"]


@pytest.mark.parametrize("kind", list(SheetKind))
def test_a_sheet_whose_numbers_slipped_by_a_row_changes_nobody(settled, kind):
    header, rows = exported(settled, kind)
    for said in rows:
        said["户主证件号码"] = ""  # masks and villages of neighbours are alike; names alone must do
        said["主要致贫原因" if kind is SheetKind.HOUSEHOLDS else "健康状况"] = (
            "因残" if kind is SheetKind.HOUSEHOLDS else "残疾"
        )
        for place in ("省", "市", "县", "乡", "村"):
            said[place] = ""
    key = "户编号" if kind is SheetKind.HOUSEHOLDS else "人口编号"
    numbers = [said[key] for said in rows]
    for said, number in zip(rows, numbers[1:] + numbers[:1], strict=True):
        said[key] = number
    row = brought(settled, upload(text(rows, header)))
    accepted, known, rejected = counts(row)[str(kind)]
    assert (accepted + known, rejected) == (0, len(rows))
    assert "请核对是否错行" in reasons(settled, row, kind)[0]
    assert row.preview["changes"]["values"] == 0


@pytest.mark.parametrize("kind", list(SheetKind))
def test_another_head_is_another_household(settled, kind):
    change = {"主要致贫原因": "因残"} if kind is SheetKind.HOUSEHOLDS else {"健康状况": "残疾"}
    head, stranger = settled.person(1), settled.person(5)
    right, wrong = head.id_number.clear(), stranger.id_number.clear()
    for said in (head.name, f" {head.name[0]} {head.name[1:]}（户主）", "", "覃*"):
        assert one(settled, kind, 户主姓名=said, **change) == ((1, 0, 0), [])
    for said in (right, right.lower(), mask_id(right), ""):
        assert one(settled, kind, 户主证件号码=said, **change) == ((1, 0, 0), [])
    for said in (wrong, mask_id(wrong)):
        why = ["户主证件号码与该编号登记的不同，请核对是否错行"]
        assert one(settled, kind, 户主证件号码=said, **change) == ((0, 0, 1), why)
    why = ["户主姓名与该编号登记的不同，请核对是否错行"]
    assert one(settled, kind, 户主姓名="陌生人", **change) == ((0, 0, 1), why)


def test_another_village_is_another_household(settled):
    places = gazetteer().places
    here, there = (places[code].official_name for code in (VILLAGES[0], VILLAGES[-1]))
    change = {"主要致贫原因": "因残"}
    township = places[VILLAGES[0][:9]].official_name
    for said in (
        {"村": here},
        {"乡": township, "村": here},
        {"乡": township},
        {"行政区划代码": VILLAGES[0]},
        {"村": ""},
    ):
        assert one(settled, SheetKind.HOUSEHOLDS, **said, **change) == ((1, 0, 0), []), said
    wrong = ({"村": there}, {"乡": places[VILLAGES[-1][:9]].official_name}, {"行政区划代码": VILLAGES[-1]})
    for said in wrong:
        told, why = one(settled, SheetKind.HOUSEHOLDS, **said, **change)
        assert (told, why) == ((0, 0, 1), ["村与该编号登记的不同，请核对是否错行"]), said
    told, why = one(settled, SheetKind.HOUSEHOLDS, 村="没有的村", **change)
    assert told == (0, 0, 1)
    assert "不能确定" in why[0]


def test_a_new_name_needs_the_number_it_belongs_to(settled):
    number, other = (settled.person(no).id_number.clear() for no in (2, 5))
    why = ["姓名与该编号登记的不同，请核对是否错行；更名的，请同时填写登记的证件号码"]
    for said in ("", other, mask_id(other)):
        told = one(settled, SheetKind.MEMBERS, 姓名="韦新名", 证件号码=said)
        assert told == ((0, 0, 1), why), said
    for said in (number, mask_id(number)):
        row = brought(settled, sheet_of({"人口编号": "P0011", "年度": "2020", "姓名": "韦新名", "证件号码": said}))
        assert row.preview["changes"]["fields"] == {"name": 1}
        [remark] = row.preview["sheets"]["members"]["problems"]
        assert (remark["field"], remark["problem"]) == ("name", "renamed")
    assert one(settled, SheetKind.MEMBERS, 姓名="韦*", 健康状况="残疾") == ((1, 0, 0), [])


def test_a_name_that_differs_in_its_form_alone_is_corrected(settled):
    name = settled.person(2).name
    assert name[0] == "蓝"
    row = brought(settled, sheet_of({"人口编号": "P0011", "年度": "2020", "姓名": "藍" + name[1:]}))
    assert (row.preview["changes"]["fields"], row.preview["sheets"]["members"]["problems"]) == ({"name": 1}, [])


def test_another_household_of_a_member_is_remarked_and_left(settled):
    row = brought(settled, sheet_of({"人口编号": "P0011", "户编号": "H002", "年度": "2020", "健康状况": "残疾"}))
    assert counts(row) == {"members": (1, 0, 0)}
    [remark] = row.preview["sheets"]["members"]["problems"]
    assert (remark["field"], remark["problem"]) == ("household_no", "procedure")


def test_rows_that_all_fail_are_told_and_not_that_there_is_no_year(settled):
    row = brought(settled, sheet_of({"户编号": "H001", "年度": "2020", "主要致贫原因": "没有的原因"}))
    assert (row.status, row.year) == (ImportStatus.PREVIEWED, None)
    assert counts(row) == {"households": (0, 0, 1)}
    [problem] = row.preview["sheets"]["households"]["problems"]
    assert (problem["field"], problem["problem"]) == ("main_cause", "code_unknown")

    county = made.county(2)
    for each in county.homes + county.members:
        each["年度"] = "去年"
    files = upload(text(county.homes, HOME_HEADER)), upload(text(county.members, MEMBER_HEADER))
    row = brought(settled, *files, mode=ImportMode.NEW)
    assert (row.status, counts(row)) == (
        ImportStatus.PREVIEWED,
        {"households": (0, 0, 2), "members": (0, 0, 8)},
    )


def test_a_sheet_that_says_no_year_is_told_so(settled):
    row = brought(settled, sheet_of({"户编号": "H001", "主要致贫原因": "因残"}))
    assert (row.status, row.refusal["code"]) == (ImportStatus.UNREADABLE, "registry.year_needed")


def test_the_log_says_in_words_what_was_done(settled):
    row = brought(settled, sheet_of({"户编号": "H001", "年度": "2020", "屯": "新屯"}))
    importing.apply_sheets(viewer=settled.viewer("county"), import_id=row.pk)
    row = brought(settled, sheet_of({"户编号": "H002", "年度": "2020", "屯": "新屯"}))
    importing.cancel(viewer=settled.viewer("county"), import_id=row.pk)
    openings = Opening.objects.visible_to(BUILDER).filter(act="registry.import_sheets").order_by("pk")
    told = [
        [acts.sentence("registry.import_sheets", language, opening.payload["content"]) for opening in openings]
        for language in ("zh", "en")
    ]
    assert [each.partition("：")[2] for each in told[0]] == [
        "上传了文件", "读取完成，等待确认", "已导入", "上传了文件", "读取完成，等待确认", "取消了导入",
    ]  # fmt: skip
    assert told[1][2] == f"the sheets of import {row.pk - 1}: taken in"


def test_in_english_a_column_is_called_as_in_the_sheet(settled):
    row = brought(settled, sheet_of({"户编号": "H001", "数据年度": "2019", "屯": "新屯"}))
    files = list(SheetFile.objects.visible_to(BUILDER).filter(of=row))
    [sheet] = presenting.told(row, files, "en")
    assert dict(sheet.columns)["屯"].startswith("屯 (")
    row = brought(settled, sheet_of({"户编号": "H001", "数据年度": "2020", "自然村": "新屯", "主要致贫原因": "没有的"}))
    files = list(SheetFile.objects.visible_to(BUILDER).filter(of=row))
    [sheet] = presenting.told(row, files, "en")
    assert dict(sheet.columns)["数据年度"] == "数据年度 (Year)"
    assert [each.title for each in sheet.rejects] == ["主要致贫原因 (Main cause)"]
    [sheet] = presenting.told(row, files, "zh")
    assert dict(sheet.columns)["数据年度"] == "年度"
