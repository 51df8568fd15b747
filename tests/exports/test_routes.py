"""Every export the site offers, with a hostile text in every field that can reach it."""

import re
from pathlib import Path

import pytest

from tests.exports.conftest import SPELLABLE
from tests.exports.payloads import cells_of, read_csv, starts_formula
from tests.factories.registry import BUILDER
from tests.factories.sources import HEADER
from wanjia.audit.models import Opening

SOURCE = Path(__file__).parents[2] / "src/wanjia"


@pytest.mark.django_db
def test_the_household_list_holds_every_text_as_text(registry):
    for at in range(0, len(SPELLABLE), registry.size):
        payloads = SPELLABLE[at : at + registry.size]
        page = cells_of(registry(payloads, "xlsx"))
        assert {row[3] for row in page[1:-1]} >= set(payloads)
        shown = read_csv(registry(payloads, "csv"))
        assert [cell for row in shown for cell in row if starts_formula(cell)] == []
        assert len(shown) == len(page) == registry.size + 2


@pytest.mark.django_db
def test_the_list_names_its_account_and_filters_without_running_them(registry):
    about = dict(row[:2] for row in cells_of(registry([], "xlsx"), sheet=1))
    assert about["导出人"] == '=HYPERLINK("http://127.0.0.1","x")'
    assert about["行数"] == registry.size
    assert (about["在册状态"], about["脱贫标志"]) == ("在册", "全部")


@pytest.mark.django_db
def test_both_formats_hold_the_same_rows_and_each_is_recorded(registry):
    page, shown = cells_of(registry([], "xlsx")), read_csv(registry([], "csv"))
    as_text = [["" if cell is None else str(cell) for cell in row] for row in page]
    assert as_text[:-1] == shown[:-1]
    said = [entry.payload["content"] for entry in Opening.objects.visible_to(BUILDER).filter(act="registry.export")]
    assert sorted(entry["format"] for entry in said) == ["csv", "xlsx"]
    assert {entry["rows"] for entry in said} == {registry.size}


@pytest.mark.django_db
def test_an_unknown_format_is_a_csv(registry):
    assert registry([], "exe").startswith(b"\xef\xbb\xbf")


@pytest.mark.django_db(transaction=True)
def test_the_reject_sheet_holds_every_text_as_text_in_the_senders_columns(rejects):
    page = cells_of(rejects("xlsx"))
    assert page[0] == [*HEADER, '=HYPERLINK("http://127.0.0.1")', "+备注", "问题"]
    shown = read_csv(rejects("csv"))
    assert [cell for row in shown for cell in row if starts_formula(cell)] == []
    assert len(page) == len(shown) > len(rejects.rows) // 2
    sent = {row[0].replace("\r\n", "\n").replace("\r", "\n") for row in rejects.rows}
    assert {row[0] for row in page[1:]} <= sent


# What calls the one writer, and why it asks for nobody's approval; "approved" where it does.
LEAVES = {
    "registry/services/export.py": "approved",
    "casework/services/exporting.py": "approved",
    "audit/exports.py": "acts of officials from the log, read by those who watch over them",
    "comparison/progress/views.py": "figures of areas, rules and departments; nobody in particular",
    "casework/answers/form.py": "a form of the cases one person has to answer, and his own answers back",
    "inspection/services/population.py": "numbers of cases, without which a draw cannot be repeated",
    "registry/services/sheets/exporting.py": "approved",
    "registry/services/sheets/importing.py": "rows that were refused, back to who brought them",
    "cli.py": "the national sheets, by the service above, for whoever sits at the machine itself",
    "sources/services/sheet.py": "the sender's own rows, back to the sender",
}


def test_every_list_asks_for_its_approval_or_says_why_not():
    handed_out = re.compile(r"(?:return|=) .*\bexport\(")
    texts = {str(path.relative_to(SOURCE)): path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
    calls = {name: text for name, text in texts.items() if handed_out.search(text)}
    assert calls.keys() == LEAVES.keys()
    assert {name for name, text in calls.items() if "require_approval(" in text} == {
        name for name, why in LEAVES.items() if why == "approved"
    }


def test_nothing_but_the_one_writer_makes_spreadsheets():
    """A list that wrote its own CSV would forget what the writer knows."""
    writes = re.compile(r"csv\.(?:writer|DictWriter)\(|import xlsxwriter|openpyxl|[\"']text/csv")
    found = {
        str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if writes.search(path.read_text("utf-8"))
    }  # fmt: skip
    invented = {name for name in found if name.startswith("demo/")}  # files of departments that do not exist
    read = {"engine/workbook/child.py"}  # a delivery's rows on their way to our own reading
    assert found - invented - read == {"ui/sheets.py", "ui/workbook.py", "files/sniffing.py"}
