"""What LibreOffice makes of the exports: text, in whatever country's settings it opens them.

Starting it takes seconds, so `make fault` runs these; elsewhere they are skipped and say so.
"""

import io
import shutil
import subprocess

import pytest

from tests.exports.conftest import SPELLABLE
from tests.exports.payloads import PAYLOADS, cells_of, formulas_in
from wanjia.ui.sheets import Format, Table, written

pytestmark = [pytest.mark.fault, pytest.mark.slow]
COMMA, SEMICOLON, TAB = "44", "59", "9"


@pytest.fixture
def office(request, tmp_path):
    """Opens a file in LibreOffice and hands back what it saved."""
    if "fault" not in (request.config.getoption("markexpr") or ""):
        pytest.skip("LibreOffice looks at the exports in `make fault` only")
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is MISSING, so nobody looked at the exports with it: run `make libreoffice` as root")

    def saved(content, kind, target, *options):
        source, out = tmp_path / f"sheet.{kind}", tmp_path / "out"
        source.write_bytes(content)
        profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
        command = [program, profile, "--headless", *options, "--convert-to", target, "--outdir", str(out), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return (out / f"sheet.{target.partition(':')[0]}").read_bytes()

    return saved


def sheet(form, payloads=PAYLOADS):
    rows = [["韦英", payload, n] for n, payload in enumerate(payloads)]
    return b"".join(written(Table("名单", ["户主", "屯", "=1+1"], rows, len(rows), "=1+1"), form))


@pytest.mark.parametrize("delimiter", [COMMA, SEMICOLON, TAB])
def test_a_csv_has_no_formula_whatever_the_list_separator(office, delimiter):
    unsafe = "\ufeffa,b\r\n=1+1,x\r\n".replace(",", chr(int(delimiter))).encode()
    assert formulas_in(office(unsafe, "csv", "xlsx", f"--infilter=CSV:{delimiter},34,76"))  # it would run them
    assert formulas_in(office(sheet(Format.CSV), "csv", "xlsx", f"--infilter=CSV:{delimiter},34,76")) == []


def test_a_workbook_has_no_formula_and_its_texts_come_out_whole(office):
    saved = office(sheet(Format.XLSX), "xlsx", "xlsx")
    assert formulas_in(saved) == []
    plain = [each for each in PAYLOADS if each.isprintable() and "_x" not in each]
    shown = [row[1] for row in cells_of(saved)]
    assert [each for each in plain if each not in shown] == []


def test_a_workbook_made_text_again_reads_as_it_was(office):
    import csv

    saved = office(sheet(Format.XLSX), "xlsx", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false")
    rows = list(csv.reader(io.StringIO(saved.decode("utf-8"), newline="")))
    plain = [each for each in PAYLOADS if each.isprintable()]
    assert [each for each in plain if each not in {row[1] for row in rows if len(row) > 1}] == []


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_household_list_as_the_site_hands_it_out_has_no_formula(office, registry, form):
    content = registry(SPELLABLE[-registry.size :], form)
    options = [f"--infilter=CSV:{COMMA},34,76"] if form == "csv" else []
    assert formulas_in(office(content, form, "xlsx", *options)) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_reject_sheet_as_the_site_hands_it_out_has_no_formula(office, rejects, form):
    options = [f"--infilter=CSV:{COMMA},34,76"] if form == "csv" else []
    assert formulas_in(office(rejects(form), form, "xlsx", *options)) == []
