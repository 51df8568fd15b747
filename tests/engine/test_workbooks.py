"""Workbooks of others: read cell by cell, or refused at a limit, whatever they claim."""

import contextlib
import datetime as dt
import io
import struct
import time
import zipfile
from dataclasses import replace
from itertools import chain
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from wanjia.engine.errors import (
    NoWorkbook,
    WorkbookActive,
    WorkbookBroken,
    WorkbookEncrypted,
    WorkbookOldFormat,
    WorkbookTooLarge,
    WorkbookTooSlow,
)
from wanjia.engine.workbook import process
from wanjia.engine.workbook.package import Bounds, Sheet
from wanjia.engine.workbook.sheet import ERROR, FORMULA, LONG, NO_VALUE, Row

MEGABYTE = 1 << 20
CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = (
    f'<Relationships><Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
)
FORM = Bounds(text=32_767, cut=8_000_000)
SMALL = replace(process.LIMITS, memory_bytes=128 << 20)
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


def told(content, *, rows=100_000, bounds=FORM, limits=SMALL):
    return list(process.cells([content], rows=rows, bounds=bounds, limits=limits))


def rows_of(content, **bounds):
    return [item for item in told(content, **bounds) if isinstance(item, Row)]


def text_of(content):
    """The first sheet as the lines of a table of three columns, and what is remarked of them."""
    remarks = process.Remarks()
    text = "".join(process.rows([content], sheets=[0], width=3, remarks=remarks, limits=SMALL))
    return text.split("\n")[:-1], remarks.of_lines


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
    sheet.write_formula(0, 5, "=NA()", None, "#N/A")
    sheet.write_string(0, 6, "甲\n乙")
    sheet.write_rich_string(2, 0, book.add_format({"bold": True}), "粗", "细")
    sheet.merge_range("A5:B6", "合并")
    sheet.set_row(2, None, None, {"hidden": True})
    book.add_worksheet("藏").hide()
    book.close()
    found = told(out.getvalue())
    assert found[0] == Sheet("答复", "xl/worksheets/sheet1.xml", hidden=False)
    first, second, merged = (item for item in found if isinstance(item, Row))
    assert first.cells == {0: "韦 𬭎_x0041_", 1: "3218.5", 2: "2020-11-16", 3: "2", 4: "是", 5: "#N/A", 6: "甲\n乙"}
    assert first.remarks == [(3, FORMULA), (5, FORMULA), (5, ERROR)]
    assert (second.number, second.hidden, second.cells[0]) == (3, True, "粗细")
    assert merged.cells[0] == "合并"
    assert found[-1] == Sheet("藏", "xl/worksheets/sheet2.xml", hidden=True)

    lines, remarks = text_of(out.getvalue())
    assert lines == ["韦 𬭎_x0041_\t3218.5\t2020-11-16", "", "粗细\t\t", "", "合并\t\t"]
    assert remarks == {1: [(5, "cell_error"), (-1, "beyond_header")], 3: [(-1, "hidden_row")]}

    look = process.look([out.getvalue()])
    assert [(sheet.name, sheet.hidden, sheet.merged) for sheet in look.sheets] == [
        ("答复", False, [(5, 0, 6, 1)]), ("藏", True, []),
    ]  # fmt: skip


def test_what_openpyxl_saved_is_read_the_same():
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["户", 5, dt.date(2020, 1, 2), "=A1", dt.datetime(2020, 1, 2, 8, 30)])  # noqa: DTZ001 - a workbook knows no zone
    book.iso_dates = True
    for book.epoch in (dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)):  # noqa: DTZ001 - as openpyxl wants it
        book.save(out)
        (row,) = rows_of(out.getvalue())
        assert row.cells == {0: "户", 1: "5", 2: "2020-01-02", 4: "2020-01-02 08:30:00"}
        assert row.remarks == [(3, FORMULA), (3, NO_VALUE)]
        book.iso_dates = False


def test_a_claimed_size_decides_nothing_and_an_impossible_row_ends_the_reading():
    sheet = '<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="{}"><c r="A{}"><v>1</v></c></row></sheetData></worksheet>'
    assert [row.number for row in rows_of(packed(sheet.format(1048576, 1048576)))] == [1048576]
    content = packed(sheet.format(10**9, 10**9))
    assert len(content) < 2048
    with pytest.raises(WorkbookTooLarge):
        rows_of(content)


def test_a_cell_longer_than_a_cell_can_be_is_cut_and_says_so():
    (row,) = rows_of(packed(one_cell(["字" * 100_000])))
    assert (row.remarks, row.cells) == ([(0, LONG)], {0: "字" * 32_767})
    shared = ["<sst><si><t>", "字" * 100_000, "</t></si></sst>"]
    sheet = '<worksheet><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>'
    assert rows_of(packed(sheet, shared))[0].remarks == [(0, LONG)]
    with pytest.raises(WorkbookTooLarge):
        rows_of(packed(sheet, shared), bounds=process.BOUNDS)


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
            rows_of(content)
    assert time.monotonic() - began < 60


def test_what_unpacks_without_end_or_hides_its_size_in_an_attribute_is_stopped():
    blanks = packed(
        one_cell(
            ["<!--", *["--><!--", " " * (MEGABYTE // 2)] * 80, "-->"], before="<worksheet><sheetData><row><c><is><t>"
        )
    )
    with pytest.raises(WorkbookTooLarge):
        rows_of(blanks, bounds=replace(FORM, unpacked_bytes=20 * MEGABYTE))
    began = time.monotonic()
    attribute = packed(
        one_cell(["x"], before='<worksheet><sheetData><row r="' + "1" * (30 * MEGABYTE) + '"><c><is><t>')
    )
    with pytest.raises(WorkbookTooLarge):
        rows_of(attribute)
    with pytest.raises(WorkbookTooLarge):
        process.look([attribute])
    assert time.monotonic() - began < 60


def test_entities_are_not_expanded():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + "".join(one_cell(["&b;"]))
    with pytest.raises(WorkbookActive):
        rows_of(packed(bomb))


def test_macros_and_links_end_the_reading_where_a_table_alone_is_wanted():
    sheet = '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'
    for part in ("xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml"):
        out = io.BytesIO(packed(sheet))
        with zipfile.ZipFile(out, "a") as book:
            book.writestr(part, "x")
        with pytest.raises(WorkbookActive):
            process.look([out.getvalue()])
        assert rows_of(out.getvalue(), bounds=replace(FORM, passive=False))[0].cells == {0: "1"}


def test_more_rows_than_asked_for_are_refused():
    rows = "".join(f'<row r="{n}"><c><v>1</v></c></row>' for n in range(1, 1002))
    assert len(rows_of(packed(f"<worksheet><sheetData>{rows}</sheetData></worksheet>"))) == 1001
    with pytest.raises(WorkbookTooLarge):
        rows_of(packed(f"<worksheet><sheetData>{rows}</sheetData></worksheet>"), rows=1000)


def test_one_text_in_very_many_cells_is_no_form():
    """The file holds it once; whoever reads the cells would hold it as often as it stands there."""
    row = "<row>" + '<c t="s"><v>0</v></c>' * 40 + "</row>"
    shared = f"<sst><si><t>{'a' * 100}</t></si></sst>"
    small = packed(f"<worksheet><sheetData>{row * 250}</sheetData></worksheet>", shared)
    assert len(rows_of(small, bounds=replace(FORM, told=1_000_000))) == 250
    with pytest.raises(WorkbookTooLarge, match="characters in all"):
        rows_of(small, bounds=replace(FORM, told=999_999))
    long = f"<sst><si><t>{'a' * 32_000}</t></si></sst>"
    with pytest.raises(WorkbookTooLarge, match="characters in all"):
        rows_of(packed(f"<worksheet><sheetData>{row * 60}</sheetData></worksheet>", long))


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
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
    with pytest.raises(NoWorkbook):
        rows_of(empty.getvalue())
    for broken in (whole[: len(whole) // 2], b"PK\x03\x04", b""):
        with pytest.raises(WorkbookBroken):
            rows_of(broken)


def test_whoever_stops_listening_leaves_no_process_behind():
    rows = "".join(f'<row r="{n}"><c><v>1</v></c></row>' for n in range(1, 50_000))
    before = children()
    items = process.cells([packed(f"<worksheet><sheetData>{rows}</sheetData></worksheet>")], rows=100_000)
    next(items)
    assert children() - before, "somebody reads"
    items.close()
    assert not children() - before


def test_a_reading_that_takes_too_long_is_stopped():
    rows = "".join(f'<row r="{n}"><c><v>1</v></c></row>' for n in range(1, 200_000))
    with pytest.raises(WorkbookTooSlow):
        rows_of(
            packed(f"<worksheet><sheetData>{rows}</sheetData></worksheet>"),
            rows=10**6,
            limits=replace(SMALL, wall_seconds=0.2),
        )


def test_a_fault_in_what_is_handed_over_is_told_as_it_is():
    def parts():
        yield b"PK\x03\x04"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(process.cells(parts(), rows=1))


def children():
    """The processes this one has started and not buried."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            found |= {int(child) for child in (task / "children").read_text("ascii").split()}
    return found
