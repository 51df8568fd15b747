"""Records of villages and hamlets in sealed years: read through one door, corrected beside, gone from the database."""

import pytest
from django.urls import reverse

from tests.factories import registry as factory
from tests.factories.accounts import client_for
from tests.factories.registry import BUILDER, COUNTY, VILLAGES
from tests.factories.years import WHY, rows, seal
from wanjia.audit.models import Opening
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.registry.areas import queries as areas
from wanjia.registry.choices import AsOf
from wanjia.registry.errors import (
    EditedTwice,
    FieldNotEditable,
    RecordChangedMeanwhile,
    YearNotSealed,
    YearSealedAlready,
    YearUnknown,
)
from wanjia.registry.models import Change, HamletYear, ReportingYear, VillageYear, YearCorrection
from wanjia.registry.overlaid import hamlets_of, sealed_village, village_years
from wanjia.registry.services import PlaceEdit, correct_sealed_village, load_villages
from wanjia.scope.errors import NotVisible
from wanjia.scope.stores import lake

pytestmark = pytest.mark.django_db
VILLAGE, HAMLET = VILLAGES[0], f"{VILLAGES[0]}002"


@pytest.fixture(scope="module")
def closed(stands):
    county = factory.build()
    for year in (2018, 2019):
        load_villages(
            viewer=BUILDER,
            year=year,
            villages=[
                {"village_code": code, "population": 1_000 + year, "collective_income": "5000", "bus": "是"}
                for code in VILLAGES[:3]
            ],
            hamlets=[
                {"village_code": VILLAGE, "name": name, "households": 30, "access_road": "03"}
                for name in ("弄王屯", "弄福屯")
            ],
        )
    for year in (2018, 2019):
        seal(year)
    return county


def beside(closed, *edits, who="county", year=2019, village=VILLAGE, **more):
    return correct_sealed_village(
        viewer=closed.viewer(who), year=year, village_code=village, edits=edits, reason=WHY, **more
    )


def test_sealed_they_leave_the_database_and_are_read_as_before(closed):
    assert not rows(VillageYear).exists()
    assert not rows(HamletYear).exists()
    found = village_years(closed.viewer("county"), VILLAGE)
    assert [(one.year, one.sealed, one.facts.population) for one in found] == [(2018, True, 3018), (2019, True, 3019)]
    assert found[0].facts.collective_income == 500_000
    assert [one.name for one in hamlets_of(closed.viewer("county"), VILLAGE)] == ["弄王屯", "弄福屯"]
    load_villages(viewer=BUILDER, year=2020, villages=[{"village_code": VILLAGE, "population": 900}])
    assert [one.facts.population for one in village_years(closed.viewer("village"), VILLAGE)] == [3018, 3019, 900]
    assert village_years(closed.viewer("next_village"), VILLAGE) == []
    assert village_years(closed.viewer("next_county"), VILLAGE) == []
    assert village_years(closed.viewer("contact"), VILLAGE) == []


def test_a_sealed_year_takes_no_records_in(closed):
    with pytest.raises(YearSealedAlready):
        load_villages(viewer=BUILDER, year=2019, villages=[{"village_code": VILLAGE, "population": 1}])


def test_the_incidence_counts_by_the_newest_sealed_populations_as_now_known(closed):
    found = areas.incidence(closed.viewer("county"), COUNTY)
    assert (found.year, found.population, found.villages) == (2019, 3 * 3019, 3)
    beside(closed, PlaceEdit("place_population", "19"))
    assert areas.incidence(closed.viewer("county"), "").population == 2 * 3019 + 19
    assert areas.incidence(closed.viewer("next_county"), "").population is None
    load_villages(viewer=BUILDER, year=2020, villages=[{"village_code": VILLAGE, "population": 900}])
    assert areas.incidence(closed.viewer("county"), COUNTY).year == 2020


def test_a_correction_stands_beside_and_says_which_hamlet(closed):
    done = beside(
        closed, PlaceEdit("place_collective_income", "8000"), PlaceEdit("hamlet_households", "19", hamlet_code=HAMLET)
    )
    assert (done.fields, done.households) == (2, 0)
    published, known = (
        {one.year: one for one in village_years(closed.viewer("county"), VILLAGE, way)}[2019]
        for way in (AsOf.PUBLISHED, AsOf.KNOWN)
    )
    assert (published.facts.collective_income, published.corrected) == (500_000, frozenset())
    assert (known.facts.collective_income, known.corrected) == (800_000, {"place_collective_income"})
    assert [one.households for one in hamlets_of(closed.viewer("county"), VILLAGE)] == [30, 19]
    assert [one.households for one in hamlets_of(closed.viewer("county"), VILLAGE, AsOf.PUBLISHED)] == [30, 30]
    changes = rows(Change, event_id=done.event_id).order_by("seq")
    assert [(row.field, row.hamlet_code, row.year, row.household_no) for row in changes] == [
        ("place_collective_income", "", 2019, None), ("hamlet_households", HAMLET, 2019, None),
    ]  # fmt: skip
    entry = rows(Opening, event_id=done.event_id).get()
    assert (entry.act, entry.payload["content"]["values"]) == ("registry.correct_sealed_village", 2)
    lake().verify(ReportingYear.objects.get(year=2019).address)
    again = beside(closed, PlaceEdit("place_collective_income", "9000"), event_id=done.event_id)
    assert (again.again, rows(YearCorrection).count()) == (True, 2)
    assert verify_event(done.event_id).true


def test_a_hamlet_exchanged_in_a_detail_is_found_out(closed):
    done = beside(closed, PlaceEdit("hamlet_households", "19", hamlet_code=HAMLET))
    with unrecorded():
        rows(Change, event_id=done.event_id).update(hamlet_code=f"{VILLAGE}001")
    assert not verify_event(done.event_id).true


def test_what_may_not_be_corrected(closed):
    edit = PlaceEdit("place_population", "19")
    for who in ("next_county", "township", "village", "contact", "province", "auditor"):
        with pytest.raises(NotVisible):
            beside(closed, edit, who=who)
    with pytest.raises(NotVisible):
        beside(closed, edit, village=VILLAGES[3])  # without a record
    with pytest.raises(NotVisible):
        beside(closed, edit, village="4512")
    with pytest.raises(NotVisible):
        beside(closed, PlaceEdit("hamlet_households", "19", hamlet_code=f"{VILLAGES[1]}001"))
    with pytest.raises(YearNotSealed):
        beside(closed, edit, year=2020)
    with pytest.raises(YearUnknown):
        beside(closed, edit, year=2012)
    for name, hamlet in (("hamlet_households", ""), ("place_population", HAMLET), ("wage_income", ""), ("x", "")):
        with pytest.raises(FieldNotEditable):
            beside(closed, PlaceEdit(name, "1", hamlet_code=hamlet))
    with pytest.raises(EditedTwice):
        beside(closed, edit, edit)
    with pytest.raises(RecordChangedMeanwhile):
        beside(closed, PlaceEdit("place_population", "19", expected_old="7"))
    assert not rows(YearCorrection).exists()


def test_from_the_village_to_its_sealed_year_and_back(closed):
    client = client_for(closed.users["county"])
    page = reverse("registry:village", args=[VILLAGE])
    year = reverse("registry:correct_village_year", args=[VILLAGE, 2019])
    assert year in client.get(page).content.decode()
    village = client_for(closed.users["village"])
    assert year not in village.get(page).content.decode()
    assert village.get(year).status_code in (403, 404)
    asked = client.get(year)
    assert asked.status_code == 200
    data = {field.html_name: "" if field.value() is None else field.value() for field in asked.context["form"]}
    assert client.post(year, data | {"reason": WHY}).status_code == 400
    assert client.post(year, data | {f"place_population-{VILLAGE}": "许多", "reason": WHY}).status_code == 400
    changed = {f"place_population-{VILLAGE}": "19", f"hamlet_households-{HAMLET}": "21", "reason": WHY}
    done = client.post(year, data | changed, follow=True).content.decode()
    assert "已更正 2 项，公布数不变" in done
    assert f"{HAMLET} · 全屯户数 (2019):30 → 21" in done
    assert "2019 年度封存后有更正" in client.get(page).content.decode()
    published = client.get(page, {"as_of": "published"}).content.decode()
    assert "封存后有更正" not in published
    stale = client.post(year, data | {f"place_population-{VILLAGE}": "20", "reason": WHY})
    assert stale.status_code == 400
    assert {known.hamlet_code: known.households for _, known in sealed_village(BUILDER, VILLAGE, 2019).hamlets} == {
        f"{VILLAGE}001": 30, HAMLET: 21,
    }  # fmt: skip
