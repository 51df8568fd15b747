"""The national sheets handed out: their header rows, what is masked, what goes round unchanged."""

import csv
import io

import openpyxl
import pytest

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, COUNTY, TOWNSHIPS
from tests.factories.sheets import HOME_HEADER, MEMBER_HEADER, upload
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.exports import services as exports
from wanjia.registry.choices import ImportMode, SheetKind
from wanjia.registry.errors import WholeNumbersNeedApproval
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation
from wanjia.registry.services import Edit, correct
from wanjia.registry.services.sheets import exporting, importing
from wanjia.registry.services.sheets.columns import sheet
from wanjia.registry.services.sheets.exporting import Wanted
from wanjia.ui.sheets import Encoding, Format

pytestmark = pytest.mark.django_db  # so that the module may be run alone

HOMES, MEMBERS = SheetKind.HOUSEHOLDS, SheetKind.MEMBERS


@pytest.fixture(scope="module")
def settled(stands):
    county = factory.build()
    edits = [
        ("wage_income", "12345.67", {"household_no": 1}), ("dwelling_area", "86.50", {"household_no": 1}),
        ("other_causes", "01,02", {"household_no": 1}), ("longitude", "108.123456", {"household_no": 1}),
        ("moved_in_date", "2019-05-01", {"household_no": 1}), ("mode", "3", {"household_no": 1}),
        ("health", "02,04", {"person_no": 2}), ("work_months", "6", {"person_no": 2}),
        ("member_phone", "13900139000", {"person_no": 2}), ("employer", "=公司", {"person_no": 2}),
    ]  # fmt: skip
    correct(
        viewer=county.viewer("county"), edits=[Edit(field, new, **who) for field, new, who in edits], reason="入户核实"
    )
    return county


def taken(settled, kind, who="county", form=Format.CSV, encoding=Encoding.UTF8, request_id=None, **wanted):
    rows, pieces = exporting.export_sheet(
        viewer=settled.viewer(who),
        wanted=Wanted(kind, **{"year": 2020, "area": COUNTY} | wanted),
        account="tester",
        form=form,
        encoding=encoding,
        request_id=request_id,
    )
    return rows, b"".join(pieces)


def approved(settled, kind):
    values = Wanted(kind, 2020, COUNTY, whole=True).as_values()
    asked = exporting.exportable_sheet(settled.viewer("county"), values)
    request = exports.ask(
        viewer=settled.viewer("county"), code=exporting.SHEET, values=values, expected=asked.rows, reason="报送省系统"
    )
    exports.decide(viewer=settled.viewer("city"), request_id=request.pk, approve=True)
    return request.pk


def lines(content, encoding="utf-8-sig"):
    return list(csv.reader(io.StringIO(content.decode(encoding))))


def test_the_header_rows_are_the_national_ones(settled):
    _, homes = taken(settled, HOMES)
    _, members = taken(settled, MEMBERS)
    assert lines(homes)[0][:53] == list(HOME_HEADER[:53])
    assert lines(members)[0][:47] == list(MEMBER_HEADER)
    assert lines(homes)[0] == [title for title, _ in sheet(HOMES).header]


def test_labels_or_codes_and_numbers_masked(settled):
    rows, content = taken(settled, MEMBERS, encoding=Encoding.GB18030)
    header, *body = lines(content, "gb18030")
    wife = dict(zip(header, body[1], strict=True))
    assert (rows, len(body)) == (96, 97)  # and the last words
    assert (wife["姓名"], wife["与户主关系"], wife["健康状况"]) == ("韦大二", "配偶", "长期慢性病、残疾") or wife[
        "姓名"
    ]
    assert wife["证件号码"].startswith("459999********")
    assert wife["成员联系电话"] == "139****9000"
    assert wife["务工企业名称"] == "'=公司"
    assert "由 tester" in body[-1][0]

    _, coded = taken(settled, MEMBERS, codes=True)
    wife = dict(zip(header, lines(coded)[2], strict=True))
    assert (wife["与户主关系"], wife["健康状况"], wife["务工时间（月）"]) == ("02", "02,04", "6")

    _, homes = taken(settled, HOMES)
    header, first, *_ = lines(homes)
    first = dict(zip(header, first, strict=True))
    assert (first["省"], first["县"], first["村"]) == ("广西壮族自治区", "都安瑶族自治县", first["村"])
    assert (first["工资性收入"], first["住房面积"], first["次要致贫原因"]) == ("12345.67", "86.50", "因病、因残")
    assert (first["银行卡号"], first["联系电话"], first["搬迁方式"]) == (
        "***************1234",
        "138****8000",
        first["搬迁方式"],
    )


def test_scope_is_law_and_whole_numbers_need_a_second_person(settled):
    assert taken(settled, HOMES, area=TOWNSHIPS[0])[0] == 16
    assert taken(settled, HOMES, who="next_county", area="")[0] == 0
    assert taken(settled, HOMES, year=2019)[0] == 32
    assert taken(settled, HOMES, year=2014)[0] == 0
    with pytest.raises(WholeNumbersNeedApproval):
        taken(settled, MEMBERS, whole=True)
    _, content = taken(settled, MEMBERS, whole=True, request_id=approved(settled, MEMBERS))
    assert settled.person(1).id_number.clear() in content.decode()
    told = Opening.objects.visible_to(BUILDER).filter(act="registry.export_sheet").latest("pk").payload["content"]
    assert (told["whole"], told["rows"], told["sheet"]) == (True, 96, "成员表")


@pytest.mark.parametrize("form", list(Format))
def test_a_sheet_goes_round(settled, form):
    """Exported, registered in an empty registry, exported again: the same, and as a correction it changes nothing."""
    before = {
        kind: taken(settled, kind, whole=True, form=form, request_id=approved(settled, kind))[1] for kind in SheetKind
    }
    viewer = settled.viewer("county")

    same = importing.bring(viewer=viewer, brought=_files(before, form), area=COUNTY, mode=ImportMode.CORRECTION)
    same = importing.read_sheets(viewer=viewer, import_id=same.pk)
    assert same.preview["changes"]["fields"] == {}
    assert {kind: each["problems"] for kind, each in same.preview["sheets"].items()} == {kind: [] for kind in before}

    with unrecorded():
        for model in (Household, Person, Membership, HouseholdYear, PersonYear, Relocation):
            model._base_manager.all().delete()
    row = importing.bring(viewer=viewer, brought=_files(before, form), area=COUNTY, mode=ImportMode.NEW)
    row = importing.read_sheets(viewer=viewer, import_id=row.pk)
    assert {kind: each["problems"] for kind, each in row.preview["sheets"].items()} == {kind: [] for kind in before}
    importing.apply_sheets(viewer=viewer, import_id=row.pk)
    after = {
        kind: taken(settled, kind, whole=True, form=form, request_id=approved(settled, kind))[1] for kind in SheetKind
    }
    for kind in SheetKind:
        assert _cells(before[kind], form) == _cells(after[kind], form)


def _files(contents, form):
    return [upload(content, f"{kind}.{form}") for kind, content in contents.items()]


def _cells(content, form):
    if form is Format.CSV:
        return lines(content)[:-1]
    rows = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
    return list(rows)[:-1]


def test_every_label_of_every_list_is_read_as_its_code():
    from wanjia.reference.queries import code_list
    from wanjia.reference.services import load_reference
    from wanjia.registry.services.sheets.readers import Codes

    load_reference()
    for kind in SheetKind:
        for item in sheet(kind).fields:
            if item.codes:
                read = Codes(item.codes, 1)
                for code, entry in code_list(item.codes).items.items():
                    assert read(entry.label_zh) == (code, ""), (item.codes, code)
                    assert read(code) == (code, ""), (item.codes, code)


def test_an_export_of_masked_numbers_comes_back_as_a_correction_of_nothing(settled):
    files = {kind: taken(settled, kind)[1] for kind in SheetKind}
    viewer = settled.viewer("county")
    row = importing.bring(viewer=viewer, brought=_files(files, Format.CSV), area=COUNTY, mode=ImportMode.CORRECTION)
    row = importing.read_sheets(viewer=viewer, import_id=row.pk)
    assert row.preview["changes"]["fields"] == {}
