"""The national sheets of a sealed year: both ways, cut as the year is, and round into an empty registry."""

import csv
import io
import json

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.factories.accounts import client_for
from tests.factories.registry import COUNTY, NEXT_COUNTY, TOWNSHIPS, VILLAGES
from tests.factories.sheets import upload
from tests.factories.years import WHY, closed_county, rows
from wanjia import cli
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.exports import services as exports
from wanjia.registry.choices import AsOf, ImportMode, SheetKind
from wanjia.registry.errors import WholeNumbersNeedApproval
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation, ReportingYear
from wanjia.registry.services import Edit, correct, correct_sealed
from wanjia.registry.services.sheets import exporting, importing, past
from wanjia.registry.services.sheets.pieces import Wanted

pytestmark = pytest.mark.django_db
HOMES, MEMBERS = SheetKind.HOUSEHOLDS, SheetKind.MEMBERS


@pytest.fixture(scope="module")
def closed(stands):
    return closed_county()


def taken(closed, kind, who="county", request_id=None, **wanted):
    asked = Wanted(kind, **{"year": 2020, "area": COUNTY} | wanted)
    count, pieces = exporting.export_sheet(
        viewer=closed.viewer(who), wanted=asked, account="tester", request_id=request_id
    )
    header, *body = csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig")))
    assert len(body) == count + 1  # and the last words
    return [dict(zip(header, line, strict=True)) for line in body[:-1]]


def approved(closed, kind, year=2020, as_of=AsOf.KNOWN):
    values = Wanted(kind, year, COUNTY, whole=True, as_of=as_of).as_values()
    county = closed.viewer("county")
    asked = exporting.exportable_sheet(county, values)
    request = exports.ask(viewer=county, code=exporting.SHEET, values=values, expected=asked.rows, reason="报送省系统")
    exports.decide(viewer=closed.viewer("city"), request_id=request.pk, approve=True)
    return request.pk


def whole(closed, kind, as_of=AsOf.KNOWN):
    return taken(closed, kind, whole=True, as_of=as_of, request_id=approved(closed, kind, as_of=as_of))


def beside(closed, *edits, year=2020):
    correct_sealed(viewer=closed.viewer("county"), year=year, edits=edits, reason=WHY)


def test_a_sealed_year_is_handed_out_as_published_and_as_now_known(closed):
    beside(
        closed, Edit("wage_income", "777", household_no=1), Edit("year_poverty_status", "0", household_no=1),
        Edit("health", "02", person_no=2),
    )  # fmt: skip
    correct(viewer=closed.viewer("county"), edits=[Edit("wage_income", "5", household_no=1)], reason=WHY)  # of 2021

    homes = {way: taken(closed, HOMES, as_of=way)[0] for way in AsOf}
    assert [homes[way]["工资性收入"] for way in (AsOf.PUBLISHED, AsOf.KNOWN)] == ["23456.00", "777.00"]
    assert [homes[way]["脱贫标志"] for way in (AsOf.PUBLISHED, AsOf.KNOWN)] == ["已脱贫（享受政策）", "未脱贫"]
    people = {way: taken(closed, MEMBERS, as_of=way)[1] for way in AsOf}
    assert [people[way]["健康状况"] for way in (AsOf.PUBLISHED, AsOf.KNOWN)] == ["", "长期慢性病"]
    assert people[AsOf.KNOWN]["证件号码"].startswith("459999********")
    told = rows(Opening, act="registry.export_sheet").latest("pk").payload["content"]
    assert (told["year"], told["as_of"], told["rows"]) == (2020, told["as_of"], 31 * 3)


def test_it_holds_the_year_s_households_and_is_cut_as_the_year_is(closed):
    assert len(taken(closed, HOMES)) == 31  # without the one removed in the year
    assert len(taken(closed, MEMBERS)) == 93
    assert len(taken(closed, HOMES, year=2019)) == 32
    assert taken(closed, HOMES, year=2019)[0]["工资性收入"] == "12000.00"
    assert len(taken(closed, HOMES, area=TOWNSHIPS[0])) == 15
    assert taken(closed, HOMES, who="next_county", area="") == []
    assert taken(closed, HOMES, who="next_county", area=NEXT_COUNTY) == []
    with unrecorded():
        rows(Household, household_no=1).update(village_code="451229100001")
    assert len(taken(closed, HOMES)) == 31  # the year stays the county's in which it lay
    assert taken(closed, HOMES)[0]["联系电话"] == ""  # what is known today is no longer its to read
    assert taken(closed, HOMES, who="next_county", area="") == []
    with pytest.raises(WholeNumbersNeedApproval):
        taken(closed, MEMBERS, whole=True)


def test_a_household_that_has_moved_on_since_is_of_its_village_then(closed, monkeypatch):
    monkeypatch.setattr(past, "PIECE", 7)  # pieces end within households
    known = taken(closed, MEMBERS)
    monkeypatch.undo()
    assert known == taken(closed, MEMBERS)
    with unrecorded():
        for model in (Household, HouseholdYear, Person, Membership, PersonYear):
            rows(model, household_no=1).update(village_code=VILLAGES[1])
    assert taken(closed, MEMBERS)[0]["村"] == known[0]["村"]


EDITS = st.dictionaries(
    st.tuples(
        st.sampled_from(("wage_income", "dibao_grant", "asset_dividend", "business_expense", "year_member_count")),
        st.sampled_from((1, 2, 9, 17, 32)),
    ),
    st.integers(1, 90),
    min_size=1, max_size=5,
)  # fmt: skip
PERSONAL = st.dictionaries(
    st.sampled_from((1, 2, 3, 5, 33)), st.sampled_from(("01", "02", "02,04", "04")), max_size=3
)  # the fifth and the thirty-third are of households 2 and 9


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS, healths=PERSONAL, way=st.sampled_from(list(AsOf)))
def test_out_of_a_sealed_year_into_an_empty_registry_and_out_again_it_is_equal(closed, edits, healths, way):
    with transaction.atomic():
        beside(
            closed,
            *(Edit(name, value, household_no=number) for (name, number), value in edits.items()),
            *(Edit("health", value, person_no=number) for number, value in healths.items()),
        )
        before = {kind: whole(closed, kind, way) for kind in SheetKind}
        with unrecorded():
            for model in (Household, Person, Membership, HouseholdYear, PersonYear, Relocation):
                model._base_manager.all().delete()
            ReportingYear.objects.all().delete()
        viewer = closed.viewer("county")
        files = [upload(_written(lines), f"{kind}.csv", "utf-8-sig") for kind, lines in before.items()]
        row = importing.bring(viewer=viewer, brought=files, area=COUNTY, mode=ImportMode.NEW)
        row = importing.read_sheets(viewer=viewer, import_id=row.pk)
        assert {kind: each["problems"] for kind, each in row.preview["sheets"].items()} == {HOMES: [], MEMBERS: []}
        importing.apply_sheets(viewer=viewer, import_id=row.pk)
        assert {kind: whole(closed, kind) for kind in SheetKind} == before
        transaction.set_rollback(True)


def _written(lines):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def test_from_the_page_to_the_file(closed):
    client = client_for(closed.users["county"])
    page = client.get(reverse("registry:sheets")).content.decode()
    assert "2018、2019、2020" in page
    asked = {"sheet": "households", "year": "2020", "as_of": "published", "format": "csv"}
    led = client.get(reverse("registry:sheets"), asked)
    assert "as_of=published" in led.url
    beside(closed, Edit("wage_income", "777", household_no=1))
    published = b"".join(client.get(led.url).streaming_content).decode("utf-8-sig")
    assert "23456.00" in published
    known = client.get(client.get(reverse("registry:sheets"), asked | {"as_of": "known"}).url)
    assert "777.00" in b"".join(known.streaming_content).decode("utf-8-sig")


def test_from_the_console_to_the_file(closed, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "_installation", lambda: None)
    beside(closed, Edit("wage_income", "777", household_no=1))
    found = {}
    for way in AsOf:
        out = tmp_path / f"{way}.csv"
        command = ["registry", "export", str(out), "--area", COUNTY, "--year", "2020", "--as-of", way, "--json"]
        done = CliRunner().invoke(cli.app, command)
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout.splitlines()[-1])["rows"] == 31
        found[way] = out.read_text("utf-8-sig")
    assert "23456.00" in found[AsOf.PUBLISHED]
    assert "777.00" in found[AsOf.KNOWN]
    wrong = CliRunner().invoke(
        cli.app, ["registry", "export", "x.csv", "--area", COUNTY, "--year", "2020", "--as-of", "now"]
    )
    assert wrong.exit_code == 2
