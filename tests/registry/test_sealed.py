"""A sealed year: what its files hold, who reads it as published or as now known, and corrections beside it."""

from datetime import date

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.accounts import client_for
from tests.factories.registry import BUILDER, CONTACT_HOUSEHOLDS, VILLAGES, batch, family
from tests.factories.years import EVERYBODY, WHY, closed_county, read, rows, states, values
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.registry import queries
from wanjia.registry.choices import AsOf, RejectReason, YearState
from wanjia.registry.errors import (
    FieldNotEditable,
    ValueNotAccepted,
    YearNotSealed,
    YearUnknown,
)
from wanjia.registry.fields import FIELDS, from_text
from wanjia.registry.income import PARTS
from wanjia.registry.models import (
    SCOPE,
    Change,
    Household,
    HouseholdYear,
    PersonYear,
    ReportingYear,
    YearCorrection,
)
from wanjia.registry.services import (
    Edit,
    correct_sealed,
    load_registry,
)
from wanjia.scope.errors import NotVisible
from wanjia.scope.models import holds
from wanjia.scope.stores import lake

pytestmark = pytest.mark.django_db  # also when the module is run by itself


@pytest.fixture(scope="module")
def closed(stands):
    return closed_county()


def test_a_sealed_year_holds_everything_of_it_and_nothing_protected(closed, home):
    assert states() == {2018: "sealed", 2019: "sealed", 2020: "sealed", 2021: "open"}
    told = {row["household_no"]: row for row in read(2020, "household_years").to_pylist()}
    assert sorted(told) == list(range(1, 33))
    assert (told[1]["wage_income"], told[1]["transfer_income"], told[1]["fuel"]) == (2_345_600, 10_000, "04")
    assert (told[1]["poverty_status"], told[1]["household_category"], told[1]["main_cause"]) == ("1", "01", "07")
    assert (told[3]["danger_grade"], told[3]["wage_income"], told[3]["poverty_status"]) == ("B", None, "2")
    assert told[5]["poverty_status"] == ""  # removed in that year
    assert {row["year"] for row in told.values()} == {2020}
    assert read(2019, "household_years")["wage_income"].to_pylist()[0] == 1_200_000
    assert read(2020, "persons").num_rows == read(2020, "memberships").num_rows == 128

    number = closed.person(1).id_number.clear().encode()
    files = [*(home / "lake" / "registry").rglob("*.parquet"), *(home / "lake" / "serving").glob("registry-year*")]
    assert len(files) > 24
    for path in files:
        content = path.read_bytes()
        assert number not in content
        assert b"13800138000" not in content
    for name in ("persons", "households"):
        assert not {"id_number", "phone", "bank_account"} & set(read(2020, name).column_names)


def test_the_rows_become_the_next_year_s_with_what_is_collected_anew_emptied(closed):
    assert set(rows(HouseholdYear).values_list("year", flat=True)) == {2021}
    assert set(rows(PersonYear).values_list("year", flat=True)) == {2021}
    assert set(rows(Household, standing="live").values_list("year", flat=True)) == {2021}
    row = rows(HouseholdYear, household_no=1).get()
    assert (row.fuel, row.danger_grade, row.water_safe) == ("04", "B", True)
    assert (row.wage_income, row.transfer_income, row.member_count, row.poverty_status) == (None, None, None, "")
    assert not rows(HouseholdYear, household_no=5).exists()
    assert rows(PersonYear, person_no=1).get().education == "02"


def test_a_load_brings_no_facts_of_a_sealed_year(closed):
    home, people = family("H901", VILLAGES[0])
    told = [{"national_household_no": "H901", "year": year, "wage_income": 5} for year in (2020, 2021)]
    result = load_registry(viewer=BUILDER, batch=batch([home], people, household_years=told), year=2021)

    assert [(row.table, row.row, row.reason) for row in result.rejected] == [
        ("household_years", 0, RejectReason.YEAR_SEALED)
    ]
    assert states()[2021] == YearState.OPEN


def test_it_is_recorded_with_its_digest(closed):
    year = ReportingYear.objects.get(year=2020)
    entry = Opening.objects.visible_to(BUILDER).get(event_id=year.event_id)
    assert entry.act == "registry.seal_year"
    assert entry.payload["content"]["digest"] == year.digest == lake().read_manifest(year.address).facts["digest"]
    assert entry.payload["content"]["next"] == 2021


def test_years_are_read_from_where_they_are(closed):
    found = queries.years_of(closed.viewer("county"), 1)
    assert [(each.year, each.sealed) for each in found] == [(2018, True), (2019, True), (2020, True), (2021, False)]
    assert found[2].facts.net_income_per_head == (2_345_600 + 10_000 + 1) // 3
    people = queries.persons_of_year(closed.viewer("county"), 1, 2020)
    assert [(each.person_no, each.is_head, each.member_status) for each in people] == [
        (1, True, "1"), (2, False, "1"), (3, False, "1"), (4, False, "2"),
    ]  # fmt: skip
    assert people[0].facts.education == "02"
    assert queries.counts_of_year(closed.viewer("village"), ReportingYear.objects.get(year=2020))["0"] == (1, 3)
    assert queries.counts_of_year(closed.viewer("county"), ReportingYear.objects.get(year=2020))[""] == (4 - 3, 0)


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_sealed_year_is_cut_as_the_database_is(closed, who):
    viewer = closed.viewer(who)
    seen = {row.household_no for row in HouseholdYear.objects.visible_to(viewer)} | (
        {5} if who in ("province", "city", "county", "township", "village", "auditor") else set()
    )
    for number in (*range(1, 10), 17, 32):
        row = closed.household(number)
        assert holds(SCOPE, viewer, {"village_code": row.village_code, "household_no": number}) == (number in seen)
        years = [each.year for each in queries.years_of(viewer, number) if each.sealed]
        assert years == ([2018, 2019, 2020] if number in seen else [])
        assert bool(queries.persons_of_year(viewer, number, 2020)) == (number in seen)
    if who == "contact":
        assert seen == set(CONTACT_HOUSEHOLDS)


def test_of_a_household_that_moved_each_village_reads_its_own_years(closed):
    with unrecorded():
        for model in (Household, HouseholdYear):
            rows(model, household_no=1).update(village_code=VILLAGES[1])
    before, after = (queries.years_of(closed.viewer(who), 1) for who in ("village", "next_village"))
    assert [each.year for each in before] == [2018, 2019, 2020]
    assert [each.year for each in after] == [2021]


def test_the_page_of_a_household_has_both_ways_of_reading(closed):
    correct_sealed(
        viewer=closed.viewer("county"), year=2020, edits=[Edit("wage_income", "777", household_no=1)], reason=WHY
    )
    client = client_for(closed.users["county"])
    known = client.get(reverse("registry:household", args=[1])).content.decode()
    published = client.get(reverse("registry:household", args=[1]), {"as_of": "published"}).content.decode()
    assert "2020 年度封存后有更正" in known
    assert "封存后有更正" not in published
    assert known.count("23,456.00") < published.count("23,456.00")


def test_a_correction_stands_beside_what_was_published(closed):
    viewer = closed.viewer("county")
    done = correct_sealed(
        viewer=viewer, year=2020, reason=WHY,
        edits=[Edit("dibao_grant", "300", household_no=1), Edit("year_poverty_status", "0", household_no=1),
               Edit("health", "02", person_no=2)],
    )  # fmt: skip

    assert done.fields == 4  # the whole follows its part
    [record] = [each for each in queries.years_of(viewer, 1) if each.year == 2020]
    assert record.corrected == {"dibao_grant", "transfer_income", "year_poverty_status"}
    assert (record.facts.transfer_income, record.facts.poverty_status) == (30_000, "0")
    person = queries.persons_of_year(viewer, 1, 2020)[1]
    assert (person.facts.health, person.corrected) == ("02", {"health"})
    assert queries.persons_of_year(viewer, 1, 2020, AsOf.PUBLISHED)[1].facts is None
    changes = rows(Change, event_id=done.event_id).order_by("seq")
    assert {(row.year, row.household_no) for row in changes} == {(2020, 1)}
    told = [line for entry in queries.history_of(viewer, 1) for line in entry.sentences]
    assert "低保金 (2020):100.00 元 → 300.00 元" in told
    assert rows(HouseholdYear, household_no=1).get().dibao_grant is None  # the open year is another matter


def test_what_may_not_be_corrected_beside_a_year(closed):
    def beside(who="county", year=2020, **edit):
        [(name, value)] = edit.items()
        whose = {"person_no": 1} if name in ("education", "id_number") else {"household_no": 1}
        return correct_sealed(viewer=closed.viewer(who), year=year, edits=[Edit(name, value, **whose)], reason=WHY)

    with pytest.raises(YearNotSealed):
        beside(year=2021, fuel="04")
    with pytest.raises(YearUnknown):
        beside(year=2012, fuel="04")
    for name in ("id_number", "phone", "hamlet", "nothing"):
        with pytest.raises(FieldNotEditable):
            beside(**{name: "1"})
    with pytest.raises(ValueNotAccepted):
        beside(transfer_income="5")  # not the sum of its parts
    for who in ("next_county", "township", "village", "contact", "province"):
        with pytest.raises(NotVisible):
            beside(who=who, fuel="01")
    assert not rows(YearCorrection).exists()


def expect(expected, year, edits):
    """What is known after these edits: their values, and the wholes of parts that are among them."""
    for edit in edits:
        expected[edit.household_no, year][edit.field] = edit.new
    for number in {edit.household_no for edit in edits}:
        row, told = expected[number, year], {edit.field for edit in edits if edit.household_no == number}
        for whole, parts in PARTS.items():
            known = [row[part] for part in parts if row[part] is not None]
            if known and told & set(parts):
                row[whole] = sum(known)


def overlaid(row, number, year):
    """The published row with the rows of the overlay put over it, one after the other."""
    told = rows(YearCorrection, household_no=number, year=year, person_no=None).order_by("id")
    return row | {FIELDS[each.field].name: from_text(FIELDS[each.field], each.new) for each in told}


MONEY = ("wage_income", *PARTS["transfer_income"], *PARTS["property_income"])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.dictionaries(
            st.tuples(st.sampled_from(MONEY), st.sampled_from((1, 2, 9)), st.sampled_from((2019, 2020))),
            st.one_of(st.none(), st.integers(0, 900_000)),
            min_size=1, max_size=4,
        ),
        max_size=4,
    )
)  # fmt: skip
def test_published_figures_never_move_and_what_is_known_is_them_and_the_corrections(closed, acts):
    viewer, homes = closed.viewer("county"), (1, 2, 9)

    def look(as_of):
        found = {number: queries.years_of(viewer, number, as_of) for number in homes}
        return {(number, one.year): values(one.facts) for number, years in found.items() for one in years if one.sealed}

    published, expected = look(AsOf.PUBLISHED), look(AsOf.KNOWN)
    digests = {year.year: year.digest for year in queries.reporting_years()}
    for act in acts:
        for year in (2019, 2020):
            edits = [Edit(name, value, household_no=number) for (name, number, of), value in act.items() if of == year]
            if edits:
                correct_sealed(viewer=viewer, year=year, edits=edits, reason=WHY)
                expect(expected, year, edits)

    assert look(AsOf.PUBLISHED) == published
    assert look(AsOf.KNOWN) == expected
    assert look(AsOf.KNOWN) == {key: overlaid(row, *key) for key, row in published.items()}
    for year, digest in digests.items():
        if digest:
            lake().verify(ReportingYear.objects.get(year=year).address)


def test_a_year_of_another_day_is_read_with_its_types(closed):
    facts = queries.years_of(closed.viewer("county"), 9)[2].facts
    assert (type(facts.water_safe), facts.period_end, type(facts.wage_income)) == (bool, None, int)
    assert queries.persons_of_year(closed.viewer("county"), 9, 2020)[0].birth_date == date(1975, 3, 1)
