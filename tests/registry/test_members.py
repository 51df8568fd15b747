"""Somebody joins, leaves, was registered twice; the facts of a person's year. Rows, change rows, one entry."""

from datetime import date

import pytest

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, VILLAGES, number
from wanjia.audit import rules
from wanjia.audit.details import sources
from wanjia.audit.models import Opening
from wanjia.kernel import clock
from wanjia.registry import queries
from wanjia.registry.errors import (
    HeadMustBeNamed,
    HouseholdNotLive,
    NotAMember,
    NotOnePerson,
    NumberRegistered,
    ValueNotAccepted,
)
from wanjia.registry.models import Change, Membership, Person, PersonAlias, PersonYear
from wanjia.registry.services import (
    Edit,
    Leaving,
    Newcomer,
    add_member,
    correct,
    merge_person,
    number_values,
    remove_members,
)
from wanjia.scope.errors import NotVisible
from wanjia.scope.keys import keyring
from wanjia.tlog.merkle import root

WHY = "入户核实后更正"
HEAD, WIFE, SON = 1, 2, 3  # of household 1
FRESH = number(date(2015, 6, 1), 390, male=False)


def changed(event_id):
    return list(Change.objects.visible_to(BUILDER).filter(event_id=event_id).order_by("seq"))


def year_of(person_no):
    return PersonYear.objects.visible_to(BUILDER).filter(person_no=person_no).order_by("year").last()


def stay(person_no):
    return Membership.objects.visible_to(BUILDER).get(person_no=person_no, latest=True)


def committed(event_id):
    source = next(each for each in sources() if each.label == "registry.Change")
    digests = [rules.detail_digest(salt, payload) for salt, payload in source.rows(event_id)]
    opening = Opening.objects.visible_to(BUILDER).get(event_id=event_id)
    return opening.payload["details"] == {"count": len(digests), "root": root(digests).hex()}


def test_a_fact_of_a_year_goes_to_the_open_year_and_the_reported_one_stays(county):
    viewer = county.viewer("village")

    done = correct(viewer=viewer, edits=[Edit("on_dibao", "true", person_no=SON)], reason=WHY, case_no=17)

    row = year_of(SON)
    assert (row.year, row.on_dibao, row.student_status, row.health) == (2020, True, "04", "01")
    assert PersonYear.objects.visible_to(BUILDER).get(person_no=SON, year=2019).on_dibao is None
    rows = changed(done.event_id)
    assert {(row.field, row.old, row.new, row.year) for row in rows} == {
        ("student_status", "", "04", 2020), ("health", "", "01", 2020), ("on_dibao", "", "true", 2020),
    }  # fmt: skip
    assert committed(done.event_id)
    again = correct(viewer=viewer, edits=[Edit("on_dibao", "false", person_no=SON)], reason=WHY)
    assert [(row.field, row.old, row.new, row.year) for row in changed(again.event_id)] == [
        ("on_dibao", "true", "false", 2020)
    ]
    told = queries.history_of(viewer, 1)[0].sentences
    assert told == ["蓝大三 · 享受低保 (2020):是 → 否"]


def test_several_people_at_once_each_in_his_own_year(county):
    people = [8 * 4 + 1 + 4 * place for place in range(3)]  # heads, who have no year on record
    edits = [Edit("health", "02,04", person_no=number) for number in people]
    edits += [Edit("disability_type", "4", person_no=people[0]), Edit("disability_grade", "2", person_no=people[0])]

    done = correct(viewer=county.viewer("county"), edits=edits, reason=WHY)

    assert [year_of(number).health for number in people] == ["02,04"] * 3
    assert (year_of(people[0]).disability_type, year_of(people[0]).disability_grade) == ("4", "2")
    assert (done.fields, committed(done.event_id)) == (5, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("health", "01,04"), ("health", "09"), ("disability_grade", "5"), ("on_dibao", "maybe"), ("labour_capacity", "9")],
)
def test_a_fact_that_cannot_be_is_refused_and_no_year_is_begun(county, field, value):
    with pytest.raises(ValueNotAccepted):
        correct(viewer=county.viewer("village"), edits=[Edit(field, value, person_no=HEAD)], reason=WHY)
    assert year_of(HEAD) is None


def test_nobody_corrects_the_year_of_another_villages_person(county):
    with pytest.raises(NotVisible):
        correct(viewer=county.viewer("next_village"), edits=[Edit("on_dibao", "true", person_no=SON)], reason=WHY)


def test_a_newcomer_is_what_his_number_says(county):
    child = Newcomer("蓝小妹", FRESH, relation="04", change_reason="N1", joined_on=date(2020, 3, 1), ethnicity="08")

    done = add_member(viewer=county.viewer("village"), household_no=1, newcomer=child, reason=WHY, case_no=18)

    person = Person.objects.visible_to(BUILDER).get(person_key=keyring().person_key(FRESH))
    assert (person.name, person.birth_date, person.sex, person.id_type) == ("蓝小妹", date(2015, 6, 1), "2", "01")
    assert (person.household_no, person.village_code, person.id_valid) == (1, VILLAGES[0], True)
    member = stay(person.pk)
    assert (member.relation, member.member_status, member.joined_on, member.change_reason) == (
        "04", "1", date(2020, 3, 1), "N1",
    )  # fmt: skip
    assert county.household(1).member_count == 4
    rows = {row.field: row for row in changed(done.event_id)}
    assert rows["id_number"].new_sealed.clear() == FRESH
    assert FRESH not in str([(row.old, row.new) for row in rows.values()])
    assert {row.case_no for row in rows.values()} == {18}
    assert committed(done.event_id)


def test_a_newcomer_is_refused_for_each_thing_that_cannot_be(county):
    viewer = county.viewer("village")
    good = {
        "name": "蓝小妹",
        "id_number": FRESH,
        "relation": "04",
        "change_reason": "N1",
        "joined_on": date(2020, 3, 1),
    }
    people = Person.objects.visible_to(BUILDER).count()
    wrong = [
        ({"id_number": FRESH[:17] + ("1" if FRESH[17] != "1" else "2")}, ValueNotAccepted),
        ({"id_number": county.person(9).id_number.clear()}, NumberRegistered),
        ({"name": ""}, ValueNotAccepted),
        ({"relation": "01"}, ValueNotAccepted),
        ({"relation": "77"}, ValueNotAccepted),
        ({"change_reason": "R1"}, ValueNotAccepted),
        ({"joined_on": date(2031, 1, 1)}, ValueNotAccepted),
    ]
    for change, refusal in wrong:
        with pytest.raises(refusal):
            add_member(viewer=viewer, household_no=1, newcomer=Newcomer(**{**good, **change}), reason=WHY)
    with pytest.raises(NotVisible):
        add_member(viewer=county.viewer("next_village"), household_no=1, newcomer=Newcomer(**good), reason=WHY)
    assert Person.objects.visible_to(BUILDER).count() == people


def test_a_number_says_what_is_wrong_with_it_in_the_readers_language():
    with clock.frozen(date(2020, 11, 16)), pytest.raises(ValueNotAccepted) as refused:
        number_values("459999197602290013")
    assert "校验位不对" in refused.value.sentences("zh")[0]
    assert "check character is wrong" in refused.value.sentences("en")[0]


def test_the_head_leaves_by_the_countys_permission_and_another_is_named(county):
    dead = [Leaving(HEAD, "2", "R1", date(2020, 5, 1))]
    for viewer, action in ((county.viewer("village"), "registry.approve"), (county.viewer("city"), "registry.write")):
        with pytest.raises(NotVisible):
            remove_members(viewer=viewer, household_no=1, leaving=dead, reason=WHY, action=action, new_head=WIFE)
    county_viewer = county.viewer("county")
    with pytest.raises(HeadMustBeNamed):
        remove_members(viewer=county_viewer, household_no=1, leaving=dead, reason=WHY, action="registry.approve")
    remove_members(
        viewer=county_viewer, household_no=1, leaving=dead, reason=WHY, action="registry.approve", new_head=WIFE
    )
    assert (stay(HEAD).member_status, stay(HEAD).left_on, stay(WIFE).relation) == ("2", date(2020, 5, 1), "01")
    assert (county.household(1).head_person_no, county.household(1).member_count) == (WIFE, 2)
    with pytest.raises(NotAMember):
        remove_members(viewer=county_viewer, household_no=1, leaving=dead, reason=WHY, action="registry.approve")


@pytest.fixture
def twice(county):
    """The son of household 1 was entered under the same number as the son of household 2."""
    first, second = county.person(SON), county.person(7)
    edit = Edit("id_number", first.id_number.clear(), person_no=second.pk)
    correct(viewer=county.viewer("village"), edits=[edit], reason=WHY)
    return county


def test_somebody_registered_twice_stays_in_one_household(twice):
    done = merge_person(viewer=twice.viewer("county"), keep=SON, drop=7, reason=WHY, action="registry.approve")

    assert (stay(7).member_status, stay(7).left_on, stay(SON).member_status) == ("9", clock.today(), "1")
    assert (twice.household(2).member_count, twice.household(1).member_count) == (2, 3)
    alias = PersonAlias.objects.get(old_no=7)
    assert (alias.new_no, alias.event_id) == (SON, done.event_id)
    assert ("new_no", "", str(SON)) in {(row.field, row.old, row.new) for row in changed(done.event_id)}
    assert committed(done.event_id)
    with pytest.raises(NotAMember):
        merge_person(viewer=twice.viewer("county"), keep=SON, drop=7, reason=WHY)
    assert "并入人员编号" in " ".join(queries.history_of(twice.viewer("county"), 2)[0].sentences)


def test_two_people_are_not_merged_nor_by_somebody_elsewhere(twice):
    with pytest.raises(NotOnePerson):
        merge_person(viewer=twice.viewer("county"), keep=SON, drop=11, reason=WHY)
    with pytest.raises(NotOnePerson):
        merge_person(viewer=twice.viewer("county"), keep=7, drop=7, reason=WHY)
    with pytest.raises(NotVisible):
        merge_person(viewer=twice.viewer("next_village"), keep=SON, drop=7, reason=WHY)


def test_a_household_nobody_is_left_in_is_cancelled_and_takes_nobody_in(county):
    leaving = [Leaving(number, "3", "R3", date(2020, 5, 1)) for number in (HEAD, WIFE, SON)]
    remove_members(viewer=county.viewer("village"), household_no=1, leaving=leaving, reason=WHY)
    assert county.household(1).standing == "cancelled"
    child = Newcomer("蓝小妹", FRESH, relation="04", change_reason="N1", joined_on=date(2020, 3, 1))
    with pytest.raises(HouseholdNotLive):
        add_member(viewer=county.viewer("village"), household_no=1, newcomer=child, reason=WHY)


def test_a_load_brings_the_kind_and_grade_of_a_disability(county):
    home, people = factory.family("H900", VILLAGES[0])
    facts = [
        {"national_person_no": "P9000", "year": 2020, "health": "04", "disability_type": "5", "disability_grade": "1"}
    ]
    from wanjia.registry.services import load_registry

    load_registry(viewer=BUILDER, batch=factory.batch([home], people, person_years=facts), year=2020)
    row = PersonYear.objects.visible_to(BUILDER).get(health="04")
    assert (row.disability_type, row.disability_grade) == ("5", "1")
