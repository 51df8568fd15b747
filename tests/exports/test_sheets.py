"""The one writer: nothing becomes a formula, nothing is lost, nothing is uncounted, nothing is kept."""

import datetime as dt
import io
import tracemalloc
import zipfile
from decimal import Decimal

import pytest

from tests.exports.payloads import PAYLOADS, as_excel_shows, cells_of, opened, read_csv, starts_formula
from wanjia.ui import workbook
from wanjia.ui.sheets import Format, Table, download, formula_safe, written

at = dt.datetime.fromisoformat  # a workbook knows no zone


def table(rows, header=("甲", "乙"), **more):
    rows = list(rows) if not hasattr(rows, "__next__") else rows
    promised = more.pop("promised", len(rows) if isinstance(rows, list) else 0)
    return Table(title="名单", header=header, rows=rows, promised=promised, account="county", **more)


def made(form, rows, **more):
    return b"".join(written(table(rows, **more), form))


def test_there_are_more_than_forty_payloads():
    assert len(set(PAYLOADS)) == len(PAYLOADS) > 60


def test_a_text_stays_text_in_a_workbook_and_stands_there_unchanged():
    content = made(Format.XLSX, [[payload, 1] for payload in PAYLOADS], conditions=[(each, each) for each in PAYLOADS])
    assert [row[0] for row in cells_of(content)[1:-1]] == PAYLOADS
    assert [row[:2] for row in cells_of(content, sheet=1)[3:]] == [[as_excel_shows(each)] * 2 for each in PAYLOADS]


def test_a_title_that_is_a_formula_is_a_title():
    content = made(Format.XLSX, [["x"] * len(PAYLOADS)], header=PAYLOADS)
    assert cells_of(content)[0] == [as_excel_shows(each) for each in PAYLOADS]  # openpyxl undoes half of _xHHHH_
    assert not any(starts_formula(title) for title in read_csv(made(Format.CSV, [], header=PAYLOADS))[0])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_no_cell_of_a_csv_begins_a_formula_wherever_a_spreadsheet_splits_it(delimiter):
    for payload in PAYLOADS:
        content = made(Format.CSV, [["韦英", payload, payload]], header=("a", "b", payload))
        cells = [cell for row in read_csv(content, delimiter) for cell in row]
        assert [cell for cell in cells if starts_formula(cell)] == [], payload


def test_a_text_survives_a_csv_with_at_most_apostrophes_before_it():
    rows = read_csv(made(Format.CSV, [[payload, "x"] for payload in PAYLOADS]))[1:-1]
    for payload, (cell, _) in zip(PAYLOADS, rows, strict=True):
        assert cell.replace("'", "") == payload.replace("'", "")
        assert len(cell) <= len(payload) + 4


@pytest.mark.parametrize(
    "honest", ["韦英", "安阳镇弄王屯3号", "2020-11-16", "3-5人", "A+B", "都安县;马山县", "", "O'Neill", "100%"]
)
def test_an_honest_text_has_nothing_added(honest):
    assert formula_safe(honest) == honest


def test_a_number_a_spreadsheet_would_round_is_text_in_both():
    number = "459999199001010012"
    assert read_csv(made(Format.CSV, [[number, 1]]))[1][0] == f"'{number}"
    assert cells_of(made(Format.XLSX, [[number, int(number)]]))[1] == [number, number]


def test_numbers_and_days_keep_their_type():
    row = [5, -5, 2.5, Decimal("1234.50"), dt.date(2020, 11, 16), at("2020-11-16 09:30"), None, ""]
    content = made(Format.XLSX, [row], header=tuple("abcdefgh"))
    page = opened(content).worksheets[0]
    day, instant = page["E2"], page["F2"]
    assert [cell.value for cell in page[2]][:4] == [5, -5, 2.5, 1234.5]
    assert (day.value, instant.value) == (at("2020-11-16"), at("2020-11-16 09:30"))
    assert (day.number_format, instant.number_format) == ("yyyy-mm-dd", "yyyy-mm-dd hh:mm")
    assert (page["G2"].value, page["H2"].value) == (None, None)
    assert page["A3"].number_format == "@"
    assert read_csv(made(Format.CSV, [row]))[1] == [
        "5",
        "-5",
        "2.5",
        "1234.50",
        "2020-11-16",
        "2020-11-16 09:30",
        "",
        "",
    ]


@pytest.mark.parametrize("odd", [dt.date(1899, 1, 1), float("nan"), float("inf"), True])
def test_what_excel_cannot_hold_as_a_value_is_text(odd):
    assert cells_of(made(Format.XLSX, [[odd, 1]]))[1] == [str(odd), 1]


def test_the_workbook_has_a_frozen_header_filters_widths_and_a_mark_on_paper():
    page = opened(made(Format.XLSX, [["韦英", 1]] * 7, header=("户主", "贫困户属性" * 3))).worksheets[0]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:B8"
    assert page["A1"].font.b
    assert page.column_dimensions["A"].width < page.column_dimensions["B"].width
    assert "county 2020-11-16 09:00" in page.oddFooter.left.text
    assert page.print_title_rows == "$1:$1"


def test_both_say_who_took_how_many_when_and_what_they_were_chosen_by():
    rows, chosen = [["韦英", 1]] * 3, [("地点", "都安瑶族自治县")]
    said = "由 county 于 2020-11-16 09:00 导出 3 行"
    assert read_csv(made(Format.CSV, rows))[-1] == [said]
    content = made(Format.XLSX, rows, conditions=chosen)
    assert cells_of(content)[-1] == [said, None]
    about = [row[:2] for row in cells_of(content, sheet=1)]
    assert about == [
        ["导出时间", at("2020-11-16 09:00")], ["导出人", "county"], ["行数", 3], ["地点", "都安瑶族自治县"],
    ]  # fmt: skip


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("signed", [True, False])
def test_a_file_that_is_not_its_query_says_so_loudly(form, signed):
    content = made(form, [["韦英", 1]] * 3, promised=5, signed=signed)
    last = (read_csv(content) if form is Format.CSV else cells_of(content))[-1][0]
    assert "原计 5 行，实有 3 行：本文件不等于查询结果" in last
    if form is Format.XLSX:
        assert "不等于查询结果" in str(cells_of(content, sheet=1)[-1])


def test_a_sheet_for_a_department_to_correct_has_nothing_below_its_rows():
    rows = [["韦英", "1"]]
    assert read_csv(made(Format.CSV, rows, signed=False)) == [["甲", "乙"], *rows]
    assert cells_of(made(Format.XLSX, rows, signed=False)) == [["甲", "乙"], *rows]


def test_a_full_sheet_is_followed_by_another(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 10)  # a header, eight rows, and room for the last words
    for count in range(7, 27):
        content = made(Format.XLSX, [[f"户{n}", n] for n in range(count)])
        pages = opened(content).worksheets[:-1]
        shown = [[cell.value for cell in row] for page in pages for row in page.iter_rows(min_row=2)]
        assert shown[:-1] == [[f"户{n}", n] for n in range(count)]
        assert shown[-1][0].endswith(f"{count} 行")
        assert all(page.max_row <= 10 and page["A1"].value == "甲" for page in pages)
        assert [page.title for page in pages] == ["名单", "名单 2", "名单 3", "名单 4"][: len(pages)]
        assert sum(bool(page.sheet_view.tabSelected) for page in pages) == 1  # else one edit changes every sheet


def test_the_limit_is_excels_own():
    assert workbook.MOST_ROWS == 2**20
    assert workbook.MOST_COLUMNS == 2**14


def test_an_empty_list_is_a_whole_file():
    assert cells_of(made(Format.XLSX, [])) == [["甲", "乙"], ["由 county 于 2020-11-16 09:00 导出 0 行", None]]
    assert len(read_csv(made(Format.CSV, []))) == 2


def test_a_text_too_long_for_a_cell_says_that_it_was_cut():
    cell = cells_of(made(Format.XLSX, [["长" * 50_000, 1]]))[1][0]
    assert len(cell) == 32_767
    assert cell.endswith("…（原文 50000 字，已截断）")


def test_half_a_character_spoils_neither():
    assert cells_of(made(Format.XLSX, [["覃\ud800英", 1]]))[1][1] == 1
    assert read_csv(made(Format.CSV, [["覃\ud800英", 1]]))[1] == ["覃?英", "1"]


@pytest.mark.parametrize("form", Format)
def test_a_long_list_leaves_in_pieces_and_stays_nowhere(form, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))  # a temporary file would fail
    monkeypatch.setattr("tempfile.tempdir", None)
    rows = ([f"蓝*{n}", f"都安瑶族自治县安阳镇{n}", n] for n in range(12_000))
    pieces = written(table(rows, promised=12_000), form)
    tracemalloc.start()
    sizes = [len(piece) for piece in pieces]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sizes) >= 3
    assert max(sizes) < 400_000
    assert peak < 4_000_000


def test_the_zip_is_one_every_reader_knows():
    content = made(Format.XLSX, [["韦英", 1]] * 100)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        assert {"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"} <= set(book.namelist())
        assert all(entry.extract_version < 45 for entry in book.infolist())  # no ZIP64, for which Excel offers a repair


def test_long_runs_of_odd_characters_cost_their_length():
    for run in ("\t", " ", ";", "'", '"', "\n", "\u200b", "_x", "="):
        assert len(formula_safe(run * 200_000)) <= 400_001


def test_a_download_is_saved_and_never_shown():
    answer = download([b"x"], "户名单\r\nX: y", Format.XLSX)
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "\n" not in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert [Format.asked(text) for text in ("xlsx", "csv", "exe", None)] == ["xlsx", "csv", "csv", "csv"]
