"""Figures of the registry against a slow independent count, what a village's page holds, and who sees it."""

from collections import Counter
from datetime import date

import pytest

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, COUNTY, NEXT_COUNTY, TOWNSHIPS, VILLAGES
from wanjia.audit.models import Opening
from wanjia.registry.areas import queries
from wanjia.registry.areas.dimensions import AGES, DIMENSIONS
from wanjia.registry.models import HamletYear, Household, Membership, Person, PersonYear, VillageYear
from wanjia.registry.services import load_villages
from wanjia.scope.errors import NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def county(stands):
    built = factory.build()
    PersonYear._base_manager.filter(person_no=3).update(health="02,04")
    villages = [
        {"village_code": code, "population": str(1_000 * place), "collective_income": "12,000.50", "bus": "是"}
        for place, code in enumerate(VILLAGES, start=1)
    ]
    hamlets = [
        {"village_code": VILLAGES[0], "name": name, "households": number}
        for name, number in (("弄王屯", 31), ("上屯", 12))
    ]
    load_villages(viewer=BUILDER, year=2019, villages=villages, hamlets=hamlets, source="tests")
    return built


def slow_count(dimension, area):
    """The same figures, person by person in Python."""
    stays = {row.person_no: row for row in Membership.objects.visible_to(BUILDER).filter(latest=True)}
    here = {number for number, row in stays.items() if row.in_household and row.village_code.startswith(area)}
    counted = Counter()
    if dimension.model is Household:
        for home in Household.objects.visible_to(BUILDER).filter(standing="live", village_code__startswith=area):
            value = getattr(home, dimension.column)
            members = sum(1 for number in here if stays[number].household_no == home.pk)
            counted["" if value is None else str(value)] += members
    elif dimension.model is Person:
        for person in Person.objects.visible_to(BUILDER).filter(pk__in=here):
            value = getattr(person, dimension.column)
            if dimension.column == "birth_date":
                today = date(2020, 11, 16)
                age = today.year - value.year - ((today.month, today.day) < (value.month, value.day))
                value = str(max(first for first in AGES if first <= age))
            counted[value] += 1
    else:
        for row in PersonYear.objects.visible_to(BUILDER).filter(person_no__in=here, year=2019):
            for value in getattr(row, dimension.column).split(","):
                counted[value] += 1
    return counted


@pytest.mark.parametrize("code", sorted(DIMENSIONS))
def test_every_figure_equals_a_slow_count(county, code):
    dimension, viewer = DIMENSIONS[code], county.viewer("county")
    for area in (COUNTY, TOWNSHIPS[0]):
        figures = queries.by_value(viewer, area, dimension, 2019)
        assert {one.value: one.persons for one in figures} == dict(slow_count(dimension, area))
        for figure in figures:
            if figure.value:
                parts = queries.by_area(viewer, area, dimension, figure.value, 2019)
                assert sum(part.persons for part in parts) == figure.persons


def test_nobody_counts_beyond_his_area(county):
    status = DIMENSIONS["status"]
    for who, area, persons in (
        ("county", COUNTY, 96), ("township", COUNTY, 48), ("contact", COUNTY, 6), ("next_county", COUNTY, 0),
    ):  # fmt: skip
        figures = queries.by_value(county.viewer(who), area, status)
        assert sum(one.persons for one in figures) == persons, who
        assert sum(one.persons for one in queries.by_area(county.viewer(who), area, status, "")) == persons, who


def test_the_incidence_states_its_denominator(county):
    found = queries.incidence(county.viewer("county"), COUNTY)
    assert (found.year, found.population, found.villages) == (2019, 10_000, 4)
    assert found.poor == sum(n for code, n in slow_count(DIMENSIONS["status"], COUNTY).items() if code in "03")
    assert found.share == found.poor / 10_000
    assert queries.incidence(county.viewer("next_county"), NEXT_COUNTY).share is None


def test_village_records_replace_those_of_their_year_and_bad_ones_are_told(county):
    done = load_villages(
        viewer=county.viewer("county"),
        year=2019,
        villages=[
            {"village_code": VILLAGES[0], "population": 1_234, "poor_type": "02,03"},
            {"village_code": "451228999999"},
            {"village_code": VILLAGES[0]},
            {"village_code": VILLAGES[1], "population": "许多"},
            {"village_code": VILLAGES[2], "topography": "77"},
        ],
        hamlets=[{"village_code": VILLAGES[0], "name": "新屯"}, {"village_code": VILLAGES[0]}],
    )

    assert (done.villages, done.hamlets) == (1, 1)
    assert [(row.table, row.row) for row in done.rejected] == [
        ("villages", 1), ("villages", 2), ("villages", 3), ("villages", 4), ("hamlets", 1),
    ]  # fmt: skip
    assert all(row.reason.zh and row.reason.en for row in done.rejected)
    record = VillageYear.objects.visible_to(BUILDER).get(village_code=VILLAGES[0])
    assert (record.population, record.poor_type, record.collective_income) == (1_234, "02,03", None)
    hamlets = HamletYear.objects.visible_to(BUILDER).filter(village_code=VILLAGES[0])
    assert [(row.hamlet_code, row.name) for row in hamlets] == [(f"{VILLAGES[0]}001", "新屯")]
    entry = Opening.objects.visible_to(BUILDER).filter(act="registry.load_villages").order_by("pk").last()
    assert entry.payload["content"]["rejected"] == 5
    with pytest.raises(NotAllowed):
        load_villages(viewer=county.viewer("township"), year=2019, villages=[{"village_code": VILLAGES[0]}])


def test_the_pages_lead_from_a_figure_to_its_list_and_down_to_the_village(enter):
    client = enter("county")
    page = client.get("/registry/statistics/", {"by": "status", "value": "0"})
    (line,) = [line for line in page.context["values"] if line.code == "0"]
    assert client.get(line.list_url).context["page"].total == line.households == 4
    assert [part.code for part in page.context["parts"]] == list(TOWNSHIPS)
    below = client.get(f"/registry/statistics/{page.context['parts'][0].narrow_url}")
    assert below.context["parts"][0].narrow_url == f"/registry/villages/{VILLAGES[0]}/"
    ages = client.get("/registry/statistics/", {"by": "age"}).content.decode()
    assert "16 至 59 岁" in ages
    assert client.get("/registry/statistics/", {"by": "nonsense", "year": "x", "value": "9"}).status_code == 200


def test_a_village_on_one_page_and_only_for_who_may_read_it_whole(enter):
    address = f"/registry/villages/{VILLAGES[0]}/"
    text = enter("village").get(address).content.decode()
    for wanted in ("弄王屯", "12,000.50", "1,000", "缺技术"):
        assert wanted in text, wanted
    for who in ("next_village", "contact", "next_township", "next_county"):
        assert enter(who).get(address).status_code == 404, who
    assert enter("county").get("/registry/villages/451228/").status_code == 404
    assert enter("county").get("/registry/villages/451228999999/").status_code == 404
