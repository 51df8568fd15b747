"""Facts of a year: the income statement's identities, what a new year begins with, the move of a household."""

from datetime import date

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, VILLAGES, batch, family
from wanjia.registry import queries
from wanjia.registry.choices import IN_HOUSEHOLD, RejectReason
from wanjia.registry.errors import FieldNotEditable, ValueNotAccepted
from wanjia.registry.fields import FIELDS, as_text
from wanjia.registry.income import PARTS, per_head
from wanjia.registry.models import Change, Household, HouseholdYear, Membership, Relocation
from wanjia.registry.problems import SUM_OF_PARTS
from wanjia.registry.services import Edit, Leaving, correct, load_registry, remove_members
from wanjia.scope.errors import NotVisible

pytestmark = pytest.mark.django_db  # also when the module is run by itself
WHY = "入户核实后更正"

pytestmark = pytest.mark.django_db  # who runs this file alone wants a test database as well


@pytest.fixture(scope="module")
def settled(stands):
    return factory.build()


def year_of(household_no, year=2020):
    return HouseholdYear.objects.visible_to(BUILDER).get(household_no=household_no, year=year)


def change(county, who="county", **values):
    edits = [Edit(name, value, household_no=1) for name, value in values.items()]
    return correct(viewer=county.viewer(who), edits=edits, reason=WHY)


def load(homes, people, **tables):
    return load_registry(viewer=BUILDER, batch=batch(homes, people, **tables), year=2020)


def test_amounts_are_written_in_yuan_and_kept_in_fen(settled):
    change(settled, wage_income="3,200.50", cropland="2.35", distance_main_road="1.2")

    row = year_of(1)
    assert (row.wage_income, row.cropland, row.distance_main_road) == (320_050, 235, 120)
    sentences = [line for entry in queries.history_of(settled.viewer("county"), 1) for line in entry.sentences]
    assert "工资性收入 (2020):空 → 3,200.50 元" in sentences
    assert "耕地面积 (2020):空 → 2.35 亩" in sentences


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("wage_income", "三千"),
        ("wage_income", "12.345"),
        ("wage_income", "-1"),
        ("wage_income", "inf"),
        ("wage_income", "1e30"),
        ("cropland", "1.234"),
        ("year_member_count", "2.5"),
        ("danger_grade", "E"),
        ("water_safe", "也许"),
        ("period_end", "2031-01-01"),
    ],
)
def test_what_is_no_such_value_changes_nothing(settled, field, raw):
    with pytest.raises(ValueNotAccepted):
        change(settled, **{field: raw})
    assert not HouseholdYear.objects.visible_to(BUILDER).filter(household_no=1, year=2020).exists()


def test_a_whole_follows_its_parts_and_is_not_typed_against_them(settled):
    change(settled, dibao_grant="1000", pension_income="1572")
    assert year_of(1).transfer_income == 257_200

    with pytest.raises(ValueNotAccepted) as refused:
        change(settled, transfer_income="9999")
    assert refused.value.values["problem"] == SUM_OF_PARTS

    change(settled, dibao_grant="1200", transfer_income="2772.00")  # said rightly, it may be said
    assert year_of(1).transfer_income == 277_200
    change(settled, property_income="88")  # no part is known: the whole stands alone
    assert year_of(1).property_income == 8_800


def test_a_new_year_begins_with_what_lasts_and_without_what_is_collected(settled):
    change(settled, fuel="04")

    begun, before = year_of(1), year_of(1, 2019)
    assert (begun.danger_grade, begun.water_safe, begun.fuel) == ("B", True, "04")
    assert (begun.wage_income, begun.member_count, begun.poverty_status) == (None, None, "")
    assert (before.fuel, before.wage_income) == ("", 1_200_000)
    carried = Change.objects.visible_to(BUILDER).filter(household_no=1, year=2020)
    assert sorted(carried.values_list("field", flat=True)) == ["danger_grade", "fuel", "water_safe"]


def test_the_status_of_a_year_is_not_typed(settled):
    with pytest.raises(FieldNotEditable):
        change(settled, year_poverty_status="1")


def test_nobody_corrects_a_year_of_another_area(settled):
    with pytest.raises(NotVisible):
        change(settled, who="next_village", fuel="04")


def test_two_tables_with_a_column_of_one_name_are_told_apart(settled):
    viewer = settled.viewer("county")
    correct(viewer=viewer, edits=[Edit("member_phone", "13900139001", person_no=1)], reason=WHY)
    correct(viewer=viewer, edits=[Edit("phone", "13900139002", household_no=1)], reason=WHY)

    assert settled.person(1).phone.clear() == "13900139001"
    assert settled.household(1).phone.clear() == "13900139002"
    rows = Change.objects.visible_to(BUILDER).filter(household_no=1).order_by("id")
    assert [(row.field, row.new, row.new_sealed.clear()) for row in rows] == [
        ("member_phone", "", "13900139001"),
        ("phone", "", "13900139002"),
    ]


def test_the_move_of_a_household_is_begun_when_first_told(settled):
    change(settled, mode="2", settlement_type="1", moved_in_date="2019-11-02", area="75.5")

    row = Relocation.objects.visible_to(BUILDER).get(household_no=1)
    assert (row.mode, row.moved_in_date, row.area, row.village_code) == ("2", date(2019, 11, 2), 7_550, VILLAGES[0])
    assert Change.objects.visible_to(BUILDER).filter(household_no=1).count() == 4


def test_a_load_takes_a_statement_whose_wholes_are_the_sums_and_fills_those_left_out(settled):
    homes, people = zip(*(family(name, VILLAGES[0]) for name in ("H901", "H902", "H903", "H904")), strict=True)
    told = [
        {"national_household_no": "H901", "year": 2019, "dibao_grant": 100, "pension_income": 50},
        {"national_household_no": "H902", "year": 2019, "dibao_grant": 100, "transfer_income": 101},
        {"national_household_no": "H903", "year": 2019, "wage_income": -5},
        {"national_household_no": "H904", "year": 2019, "transfer_income": 700},
    ]
    moves = [
        {"national_household_no": "H901", "mode": "1", "area": 6_000},
        {"national_household_no": "H901", "mode": "3"},
        {"national_household_no": "H902", "mode": "7"},
    ]

    result = load(list(homes), [one for rows in people for one in rows], household_years=told, relocations=moves)

    assert {(row.table, row.row): row.reason for row in result.rejected} == {
        ("household_years", 1): RejectReason.INCOME_DISAGREES,
        ("household_years", 2): RejectReason.NUMBER_IMPOSSIBLE,
        ("relocations", 1): RejectReason.NUMBER_REPEATED,
        ("relocations", 2): RejectReason.CODE_UNKNOWN,
    }
    assert year_of(result.first_household_no, 2019).transfer_income == 150
    assert year_of(result.first_household_no + 3, 2019).transfer_income == 700
    assert result.relocations == 1


def test_every_declared_field_says_itself_in_both_languages_once():
    titles = [(field.model, field.title.zh) for field in FIELDS.values()]
    assert len(set(titles)) == len(titles)
    assert all(field.title.en for field in FIELDS.values())
    codes = [field.code for field in FIELDS.values() if field.code]
    assert len(set(codes)) == len(codes)


AMOUNTS = st.one_of(st.just(""), st.integers(0, 9_999_999).map(lambda fen: f"{fen / 100:.2f}"))
PART = st.sampled_from([*(part for parts in PARTS.values() for part in parts), "wage_income", "business_expense"])
STEPS = st.lists(st.one_of(st.tuples(PART, AMOUNTS), st.tuples(st.just("leaves"), st.integers(1, 2))), max_size=7)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_identities_hold_after_any_sequence_of_edits(settled, steps):
    """domain.md §4.4 and §4.3: sums, per-capita figures, and heads counted in status 1 and 4 only."""
    viewer = settled.viewer("county")
    with transaction.atomic():
        gone = set()
        for name, value in steps:
            if name == "leaves":
                member = 1 + value  # the wife or the son; the head stays
                if member not in gone:
                    leaving = [Leaving(member, "3", "R3", date(2020, 11, 1))]
                    remove_members(viewer=viewer, household_no=1, leaving=leaving, reason=WHY)
                    gone.add(member)
            else:
                change(settled, **{name: value})
        home = Household.objects.visible_to(BUILDER).get(pk=1)
        stays = Membership.objects.visible_to(BUILDER).filter(household_no=1, member_status__in=sorted(IN_HOUSEHOLD))
        assert home.member_count == stays.count() == 3 - len(gone)
        for row in HouseholdYear.objects.visible_to(BUILDER).filter(household_no=1):
            for whole, parts in PARTS.items():
                known = [getattr(row, part) for part in parts if getattr(row, part) is not None]
                assert not known or getattr(row, whole) == sum(known)
            parts = [row.wage_income, row.business_income, row.property_income, row.transfer_income]
            if any(part is not None for part in parts):
                assert row.net_income == sum(part or 0 for part in parts) - (row.business_expense or 0)
                assert row.net_income_per_head == per_head(row.net_income, row.member_count)
            told = Change.objects.visible_to(BUILDER).filter(household_no=1, year=row.year).order_by("id")
            last = {change.field: change.new for change in told}
            assert {name: as_text(getattr(row, FIELDS[name].name)) for name in last} == last
        transaction.set_rollback(True)
