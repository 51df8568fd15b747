"""Workbooks of others: read cell by cell, or refused at a limit, whatever they claim."""

import datetime as dt
import io
import struct
import time
import zipfile
from itertools import chain
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from wanjia.engine.errors import WorkbookBroken, WorkbookEncrypted, WorkbookOldFormat, WorkbookTooLarge
from wanjia.engine.workbooks import Cell, Reading, Row, Sheet, SheetEnd, day_of, read

MEGABYTE = 1 << 20
CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
RELATIONS = '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'
BOOK = '<workbook xmlns:r="r"><sheets><sheet name="表" sheetId="1" r:id="r1"/></sheets></workbook>'


def packed(sheet, shared=None):
    """A workbook around the XML of one sheet, given as text or in pieces."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("[Content_Types].xml", CONTENT_TYPES)
        book.writestr("xl/_rels/workbook.xml.rels", RELATIONS)
        book.writestr("xl/workbook.xml", BOOK)
        for name, text in (("xl/worksheets/sheet1.xml", sheet), ("xl/sharedStrings.xml", shared)):
            if text is not None:
                with book.open(name, "w") as part:
                    for piece in [text] if isinstance(text, str) else text:
                        part.write(piece.encode())
    return out.getvalue()


def one_cell(pieces, before='<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>'):
    yield before
    yield from pieces
    yield "</t></is></c></row></sheetData></worksheet>"


def rows_of(content, **limits):
    return [item for item in read([content], Reading(**limits)) if isinstance(item, Row)]


def test_texts_numbers_days_errors_and_formulas_arrive_as_what_they_are():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("答复")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_string(0, 0, "韦 𬭎_x0041_")
    sheet.write_number(0, 1, 3218.5)
    sheet.write_datetime(0, 2, dt.datetime(2020, 11, 16), day)  # noqa: DTZ001 - a workbook knows no zone
    sheet.write_formula(0, 3, "=1+1", None, 2)
    sheet.write_boolean(0, 4, boolean=True)
    sheet.write_rich_string(2, 0, book.add_format({"bold": True}), "粗", "细")
    sheet.merge_range("A5:B6", "合并")
    sheet.set_row(2, None, None, {"hidden": True})
    book.add_worksheet("藏").hide()
    book.close()
    found = list(read([out.getvalue()]))
    assert found[0] == Sheet("答复", hidden=False)
    first, second, merged = (item for item in found if isinstance(item, Row))
    assert first.cells == {
        0: Cell("s", "韦 𬭎_x0041_"), 1: Cell("n", "3218.5"), 2: Cell("d", "44151"),
        3: Cell("n", "2", formula=True), 4: Cell("b", "1"),
    }  # fmt: skip
    assert day_of(first.cells[2]) == dt.date(2020, 11, 16)
    assert (second.number, second.hidden, second.cells[0].text) == (3, True, "粗细")
    assert merged.cells[0].text == "合并"
    assert found[-3:] == [SheetEnd(("A5:B6",)), Sheet("藏", hidden=True), SheetEnd()]


def test_what_openpyxl_saved_is_read_the_same():
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["户", 5, dt.date(2020, 1, 2), "=A1"])
    book.save(out)
    (row,) = rows_of(out.getvalue())
    assert [cell.text for cell in row.cells.values()] == ["户", "5", "43832", ""]
    assert row.cells[3].formula
    assert day_of(row.cells[2]) == dt.date(2020, 1, 2)


def test_a_claimed_size_decides_nothing_and_an_impossible_row_ends_the_reading():
    sheet = '<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="{}"><c r="A{}"><v>1</v></c></row></sheetData></worksheet>'
    assert [row.number for row in rows_of(packed(sheet.format(1048576, 1048576)))] == [1048576]
    content = packed(sheet.format(10**9, 10**9))
    assert len(content) < 2048
    with pytest.raises(WorkbookTooLarge):
        rows_of(content)


def test_a_cell_longer_than_a_cell_can_be_is_cut_and_says_so():
    (row,) = rows_of(packed(one_cell(["字" * 100_000])), memory_bytes=128 * MEGABYTE)
    assert (row.cells[0].too_long, len(row.cells[0].text)) == (True, 32_767)
    shared = ["<sst><si><t>", "字" * 100_000, "</t></si></sst>"]
    sheet = '<worksheet><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>'
    assert rows_of(packed(sheet, shared), memory_bytes=128 * MEGABYTE)[0].cells[0].too_long


def test_a_cell_of_300_megabytes_is_stopped_long_before_its_end():
    def pieces(size):
        return ("x" * MEGABYTE for _ in range(size))

    began = time.monotonic()
    for content in (
        packed(one_cell(pieces(300))),
        packed("<worksheet/>", chain(["<sst><si><t>"], pieces(20), ["</t></si></sst>"])),
    ):
        assert len(content) < 2 * MEGABYTE
        with pytest.raises(WorkbookTooLarge):
            rows_of(content, memory_bytes=128 * MEGABYTE)
    assert time.monotonic() - began < 60


def test_what_unpacks_without_end_or_hides_its_size_in_an_attribute_is_stopped():
    blanks = packed(
        one_cell(
            ["<!--", *["--><!--", " " * (MEGABYTE // 2)] * 80, "-->"], before="<worksheet><sheetData><row><c><is><t>"
        )
    )
    with pytest.raises(WorkbookTooLarge):
        rows_of(blanks, unpacked_bytes=20 * MEGABYTE)
    began = time.monotonic()
    attribute = packed(
        one_cell(["x"], before='<worksheet><sheetData><row r="' + "1" * (40 * MEGABYTE) + '"><c><is><t>')
    )
    with pytest.raises(WorkbookTooLarge):
        rows_of(attribute, memory_bytes=128 * MEGABYTE)
    assert time.monotonic() - began < 60


def test_entities_are_not_expanded():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + "".join(one_cell(["&b;"]))
    with pytest.raises(WorkbookBroken):
        rows_of(packed(bomb))


def test_more_rows_than_asked_for_are_refused():
    rows = "".join(f'<row r="{n}"><c><v>1</v></c></row>' for n in range(1, 1002))
    assert len(rows_of(packed(f"<worksheet><sheetData>{rows}</sheetData></worksheet>"))) == 1001
    with pytest.raises(WorkbookTooLarge):
        rows_of(packed(f"<worksheet><sheetData>{rows}</sheetData></worksheet>"), rows=1000)


def test_passwords_old_formats_and_rubbish_are_told_apart():
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    with pytest.raises(WorkbookEncrypted):
        rows_of(ole + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(WorkbookOldFormat):
        rows_of(ole + "Workbook".encode("utf-16-le"))
    whole = packed("<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>")
    locked = bytearray(whole)
    at = locked.find(b"PK\x01\x02")  # the directory: every member says it is encrypted
    while at >= 0:
        struct.pack_into("<H", locked, at + 8, struct.unpack_from("<H", locked, at + 8)[0] | 1)
        at = locked.find(b"PK\x01\x02", at + 4)
    with pytest.raises(WorkbookEncrypted):
        rows_of(bytes(locked))
    for broken in (whole[: len(whole) // 2], b"PK\x03\x04", b""):
        with pytest.raises(WorkbookBroken):
            rows_of(broken)


def test_whoever_stops_listening_leaves_no_process_behind():
    rows = "".join(f'<row r="{n}"><c><v>1</v></c></row>' for n in range(1, 50_000))
    before = children()
    items = read([packed(f"<worksheet><sheetData>{rows}</sheetData></worksheet>")])
    next(items)
    assert children() - before, "somebody reads"
    items.close()
    assert not children() - before


def children():
    """The processes this one has started and not buried."""
    return {
        int(found)
        for task in Path("/proc/self/task").iterdir()
        for found in (task / "children").read_text("ascii").split()
    }
