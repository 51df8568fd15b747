"""Department files as Excel workbooks: real ones, as people make them."""

import datetime as dt
import io

import pyarrow.parquet as pq
import pytest
import xlsxwriter
from openpyxl.comments import Comment

from tests.factories.sources import HEADER, number, row
from tests.factories.workbooks import altered, book, fill
from wanjia.engine.errors import (
    WorkbookActive,
    WorkbookBroken,
    WorkbookEncrypted,
    WorkbookOldFormat,
    WorkbookTooLarge,
)
from wanjia.intake.errors import HiddenSheet, UnknownLayout, UnsupportedFormat
from wanjia.scope.keys import keyring
from wanjia.sources import queries, services
from wanjia.ui.sheets import Format

pytestmark = pytest.mark.django_db
SHEET = "xl/worksheets/sheet1.xml"


def rows_of(batch):
    return [line for path in queries.typed_paths(batch) for line in pq.read_table(path).to_pylist()]


def problems(batch):
    return {(each["field"], each["problem"]): each["count"] for each in batch.preview["problems"]}


@pytest.fixture
def received(province, put, reference):
    """The batch of a workbook, read."""
    return lambda content: services.receive(viewer=province, path=put(content, name="机动车.xlsx"))


def test_a_workbook_is_read_as_a_text_file_is(received):
    batch = received(book([row(1), row(2), row(3, 所有人="")]))

    assert (batch.lines, batch.accepted, batch.rejected, batch.non_data) == (5, 2, 1, 2)
    assert batch.preview["encoding"] == "XLSX"
    assert batch.as_of.isoformat() == "2020-09-30"
    assert rows_of(batch)[0]["person_key"] == keyring().person_key(number(1))
    assert [sheet["name"] for sheet in batch.preview["sheets"]] == ["机动车"]


def test_cells_are_read_as_a_person_would_have_typed_them(received):
    def cells(made, sheet):
        sheet["A3"], sheet["A4"] = 1, 2.0
        sheet["F3"] = dt.date(2015, 3, 7)
        sheet["F4"] = 42070  # the same day, as a plain number
        sheet["F5"] = 20150307
        sheet["F6"] = "2015年3月7日"
        sheet["F7"] = dt.datetime(2015, 3, 7, 8, 30)  # noqa: DTZ001 - a cell knows no zone
        sheet["B4"] = " 桂m\u00a000002\u3000"
        sheet["I5"] = "'" + number(3)
        sheet["I6"] = number(4).translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ"))

    batch = received(book([row(serial) for serial in range(1, 6)], change=cells))

    assert (batch.accepted, batch.rejected) == (5, 0)
    typed = rows_of(batch)
    assert {each["registered_on"].isoformat() for each in typed} == {"2015-03-07"}
    assert typed[1]["plate"] == "桂M00002"
    assert [each["person_key"] for each in typed] == [keyring().person_key(number(n)) for n in range(1, 6)]
    assert problems(batch) == {("registered_on", "date_serial"): 1}


def test_shared_and_rich_texts_are_read_whole_and_not_as_they_are_spoken(received):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:  # openpyxl writes texts into the cells, Excel and xlsxwriter aside
        sheet = made.add_worksheet("机动车")
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, row(1))
        sheet.write_rich_string(1, 7, made.add_format({"bold": True}), "韦", "英")
    spoken = b'</r><rPh sb="0" eb="1"><t>wei</t></rPh></si>'
    batch = received(altered(out.getvalue(), "xl/sharedStrings.xml", lambda xml: xml.replace(b"</r></si>", spoken)))

    assert rows_of(batch)[0]["owner_name"] == "韦英"


def test_days_count_from_where_the_workbook_says(received):
    def old_mac(made, sheet):
        made.epoch = dt.datetime(1904, 1, 1)  # noqa: DTZ001 - as openpyxl wants it
        sheet["F3"] = dt.date(2015, 3, 7)
        sheet["F4"] = 40608

    batch = received(book([row(1), row(2)], change=old_mac))

    assert {each["registered_on"].isoformat() for each in rows_of(batch)} == {"2015-03-07"}


def test_a_number_that_a_spreadsheet_rounded_goes_back(received):
    def rounded(made, sheet):
        sheet["I3"] = int(number(1)[:17] + "5")  # eighteen digits in a number: fifteen are kept
        sheet["I4"] = "4.56228E+17"
        sheet["I5"] = 456228760229001  # fifteen digits are whole: an old number
        sheet["B6"] = 1234567890123456789
        sheet["B7"] = 12345

    batch = received(book([row(serial) for serial in range(1, 6)], change=rounded))

    assert problems(batch) == {
        ("number", "id_ruined"): 2, ("number", "id_old_form"): 1, ("plate", "number_ruined"): 1,
    }  # fmt: skip
    assert (batch.accepted, batch.rejected) == (2, 3)


def test_a_formula_counts_with_its_value_and_goes_back_without(received):
    with_formula = book([row(1), row(2)], change=lambda made, sheet: sheet.__setitem__("F3", "=DATE(2015,3,7)"))
    batch = received(with_formula)
    assert problems(batch) == {("registered_on", "formula_no_value"): 1}
    assert (batch.accepted, batch.rejected) == (1, 1)

    value = b"<f>DATE(2015,3,7)</f><v>42070</v>"
    computed = received(altered(with_formula, SHEET, lambda xml: xml.replace(b"<f>DATE(2015,3,7)</f><v />", value)))
    assert (computed.accepted, computed.rejected) == (2, 0)

    errors = received(book([row(1), row(2)], change=lambda made, sheet: sheet.__setitem__("C3", "#N/A")))
    assert problems(errors) == {("vehicle_kind", "cell_error"): 1}


def test_a_table_of_nothing_but_uncomputed_formulas_is_not_blank(received):
    batch = received(book([row(1), [f"=A{n}" for n in range(10)]]))

    assert (batch.accepted, batch.rejected, batch.preview["non_data"].get("blank", 0)) == (1, 1, 0)


def test_titles_totals_notes_units_and_numbering_are_no_records(received):
    def around(made, sheet):
        sheet.insert_rows(3, 2)
        sheet["A3"], sheet["B3"], sheet["G3"] = "(个)", "元", "—"
        for column in range(1, 11):
            sheet.cell(4, column, column)
        sheet.append([None, "合计", "3辆"])
        sheet.append(["填表人：覃某", None, None, "审核人：蓝某"])
        sheet.append([])
        sheet.append(["注:数据来源于登记系统"])

    batch = received(book(change=around))

    assert (batch.accepted, batch.rejected) == (3, 0)
    assert batch.preview["non_data"] == {
        "title": 1, "header": 1, "unit": 1, "numbering": 1, "total": 1, "note": 2, "blank": 0,
    } | ({"blank": batch.preview["non_data"]["blank"]} if "blank" in batch.preview["non_data"] else {})  # fmt: skip
    assert batch.lines == batch.accepted + batch.rejected + batch.non_data


def two_levels(made, sheet):
    """A header of two rows: 车辆信息 over four columns, the others over both rows."""
    sheet.insert_rows(2)
    for column in (1, *range(7, 11)):
        sheet.cell(2, column, sheet.cell(3, column).value)
        sheet.cell(3, column).value = None
        sheet.merge_cells(start_row=2, end_row=3, start_column=column, end_column=column)
    sheet["B2"] = "车辆信息"
    sheet.merge_cells("B2:F2")


def test_a_header_of_two_rows_is_read_as_one(received):
    batch = received(book(change=two_levels))

    assert (batch.accepted, batch.rejected, batch.preview["non_data"]) == (3, 0, {"title": 1, "header": 2})
    assert [column["header"] for column in batch.preview["columns"]] == list(HEADER)


def test_two_columns_of_one_name_are_told_apart_by_what_stands_over_them(received):
    """姓名 and 证件号码 once under 所有人 and once under 经办人: the joined names decide."""

    def people(made, sheet):
        two_levels(made, sheet)
        sheet.unmerge_cells("H2:H3")
        sheet.unmerge_cells("I2:I3")
        sheet["H2"], sheet["H3"], sheet["I2"], sheet["I3"] = "所有人", "姓名", None, "证件号码"
        sheet.merge_cells("H2:I2")
        sheet["K2"], sheet["K3"], sheet["L3"] = "经办人", "工号", "电话"
        sheet.merge_cells("K2:L2")

    batch = received(book(change=people))

    assert (batch.accepted, batch.rejected) == (3, 0)
    assert [column["field"] for column in batch.preview["columns"]][7:] == ["owner_name", "number", "address", "", ""]


def test_a_merged_column_says_for_every_row_what_its_first_says(received):
    batch = received(
        book([row(1), row(2, 所有人=""), row(3, 所有人="")], change=lambda made, sheet: sheet.merge_cells("H3:H5"))
    )

    assert [each["owner_name"] for each in rows_of(batch)] == ["韦英"] * 3
    assert problems(batch) == {("owner_name", "merged_cell"): 2}
    assert (batch.accepted, batch.warned) == (3, 2)


def test_what_is_hidden_is_told(received):
    def hidden(made, sheet):
        sheet.row_dimensions[4].hidden = True
        sheet.column_dimensions["G"].hidden = True
        other = made.create_sheet("备份")
        fill(other, [row(9)])
        other.sheet_state = "hidden"

    batch = received(book(change=hidden))

    assert (batch.accepted, batch.warned) == (3, 1)
    assert problems(batch) == {("", "hidden_row"): 1}
    assert batch.preview["hidden_columns"] == ["机动车状态"]
    assert batch.preview["unread"] == [{"name": "备份", "why": "hidden"}]


def test_of_several_sheets_those_with_the_same_columns_are_one_table(received):
    def more(made, sheet):
        made.create_sheet("说明", 0).append(["填报说明"])
        fill(made.create_sheet("续表"), [row(4), row(5, 所有人="")])
        fill(made.create_sheet("汇总"), [["岑圩村", 3]], header=["村", "辆数"], title=None)
        made.create_sheet("空表")

    batch = received(book(change=more))

    assert [(sheet["name"], sheet["begins"]) for sheet in batch.preview["sheets"]] == [("机动车", 1), ("续表", 6)]
    assert batch.preview["unread"] == [
        {"name": "说明", "why": "other_columns"}, {"name": "汇总", "why": "other_columns"}, {"name": "空表", "why": "empty"},
    ]  # fmt: skip
    assert (batch.lines, batch.accepted, batch.rejected) == (9, 4, 1)
    assert batch.preview["non_data"] == {"title": 2, "header": 2}


def test_a_hidden_sheet_is_not_read_even_alone(received):
    def only_hidden(made, sheet):
        made.create_sheet("说明").append(["见另表"])
        sheet.sheet_state = "hidden"

    with pytest.raises(HiddenSheet):
        received(book(change=only_hidden))


def test_what_stands_beside_the_table_is_told_and_comments_are_nothing(received):
    def beside(made, sheet):
        sheet["M4"] = "此行待核"
        sheet["B3"].comment = Comment("经办人批注", "x")

    batch = received(book(change=beside))

    assert problems(batch) == {("", "beyond_header"): 1}
    assert (batch.accepted, batch.warned) == (3, 1)


def test_the_reject_sheet_of_a_workbook_has_its_columns_and_can_be_sent_again(received, province, put):
    batch = received(book([row(1), row(2, 初次登记日期="不详"), row(3)], change=two_levels))
    sheet = b"".join(services.reject_sheet(viewer=province, batch_id=batch.pk, form=Format.XLSX))
    assert sheet.startswith(b"PK")

    again = received(altered(sheet, "docProps/keep.txt", lambda _: b""))

    assert (again.accepted, again.rejected) == (0, 1)
    assert again.preview["columns"][-1]["header"] == "问题"


# -- workbooks that are refused -----------------------------------------------------------------

CELL = b'<c r="A1" t="inlineStr"><is><t>%s</t></is></c>'


def with_row(xml):
    return lambda old: old.replace(b"</sheetData>", xml + b"</sheetData>")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(70_000) + "EncryptedPackage".encode("utf-16-le"), WorkbookEncrypted),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(70_000) + "Workbook".encode("utf-16-le"), WorkbookOldFormat),
        (b"PK\x03\x04" + bytes(500), UnsupportedFormat),
        (book()[:-200], WorkbookBroken),
        (altered(book(), SHEET, lambda xml: xml[:-80]), WorkbookBroken),
        (altered(book(), "xl/vbaProject.bin", lambda _: b"x"), WorkbookActive),
        (altered(book(), "xl/externalLinks/externalLink1.xml", lambda _: b"<x/>"), WorkbookActive),
        (altered(book(), SHEET, lambda xml: xml.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet', 1)), WorkbookActive),
        (altered(book(), "xl/styles.xml", lambda xml: xml.replace(b"<styleSheet", b'<!DOCTYPE x [<!ENTITY a "ha">]><styleSheet', 1)), WorkbookActive),
        (altered(book(), SHEET, with_row(b'<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>')), WorkbookTooLarge),
        (altered(book(), SHEET, with_row(b'<row r="9"><c r="ZZZZ9"><v>1</v></c></row>')), WorkbookBroken),
        (altered(book(), SHEET, with_row(b'<row r="2"><c r="A2"><v>1</v></c></row>')), WorkbookBroken),
        (altered(book(), SHEET, lambda xml: xml.replace(b"</sheetData>", b'<row r="9">' + CELL % (b"x" * 400_000) + b"</row></sheetData>")), WorkbookTooLarge),
        (altered(book(), "xl/media/zeros.bin", lambda _: bytes(40 << 20)), WorkbookTooLarge),
        (book(header=["姓名", "电话"], rows=[["韦英", "1"]]), UnknownLayout),
    ],
)  # fmt: skip
def test_a_workbook_that_is_no_plain_table_is_refused_with_its_reason(received, content, refusal):
    with pytest.raises(refusal) as refused:
        received(content)

    assert all(refused.value.sentences("zh") + refused.value.sentences("en"))
