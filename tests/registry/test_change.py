"""Corrections, removal, exit, members leaving: rows, change rows and one entry, or nothing at all."""

import time
from datetime import date
from uuid import uuid4

import pytest

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, VILLAGES
from wanjia.audit import rules
from wanjia.audit.details import sources
from wanjia.audit.models import Opening, Outbox
from wanjia.kernel import clock
from wanjia.registry import queries
from wanjia.registry.errors import (
    CannotExit,
    EditedTwice,
    FieldNotEditable,
    HeadMustBeNamed,
    HouseholdNotLive,
    NotAMember,
    ReasonMissing,
    RecordChangedMeanwhile,
    ValueNotAccepted,
)
from wanjia.registry.models import Change, Household, Membership
from wanjia.registry.services import (
    Edit,
    Leaving,
    change_head,
    correct,
    exit_normally,
    remove_household,
    remove_members,
)
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.keys import keyring
from wanjia.tlog.merkle import root

WHY = "入户核实后更正"


def changes(household_no):
    return list(Change.objects.visible_to(BUILDER).filter(household_no=household_no).order_by("id"))


def membership(person_no):
    return Membership.objects.visible_to(BUILDER).get(person_no=person_no, latest=True)


def entries():
    return Outbox.objects.count()


def test_a_correction_changes_the_row_and_says_who_what_and_why(county):
    viewer = county.viewer("village")

    done = correct(
        viewer=viewer,
        edits=[
            Edit("main_cause", "01", household_no=1, expected_old="07"),
            Edit("name", "韦小明", person_no=1),
        ],
        reason=WHY,
        case_no=17,
    )

    assert (done.fields, done.households, done.again) == (2, 1, False)
    assert county.household(1).main_cause == "01"
    assert (county.person(1).name, county.person(1).name_match) == ("韦小明", "韦小明")
    first, second = changes(1)
    assert (first.field, first.old, first.new, first.reason, first.case_no) == ("main_cause", "07", "01", WHY, 17)
    assert (second.person_no, second.old, second.new, second.by_user) == (1, "蓝大一", "韦小明", viewer.user_id)
    assert first.at == clock.now()
    assert first.salt != second.salt


def test_one_entry_commits_to_the_change_rows_and_they_verify(county):
    before = entries()
    done = correct(
        viewer=county.viewer("county"),
        edits=[Edit("hamlet", f"弄{number}屯", household_no=number) for number in range(1, 33)],
        reason=WHY,
    )

    assert entries() == before + 1
    opening = Opening.objects.visible_to(BUILDER).get(event_id=done.event_id)
    source = next(each for each in sources() if each.label == "registry.Change")
    digests = [rules.detail_digest(salt, payload) for salt, payload in source.rows(done.event_id)]
    assert opening.payload["details"] == {"count": 32, "root": root(digests).hex()}
    assert opening.payload["content"]["households"] == 32
    assert opening.subject_kind == ""


def test_an_altered_change_row_no_longer_verifies(county):
    done = correct(viewer=county.viewer("village"), edits=[Edit("hamlet", "新屯", household_no=1)], reason=WHY)
    change = changes(1)[0]
    change.old = "从来如此"
    from wanjia.audit.testing import unrecorded

    with unrecorded():
        change.save(update_fields=["old"])

    opening = Opening.objects.visible_to(BUILDER).get(event_id=done.event_id)
    source = next(each for each in sources() if each.label == "registry.Change")
    digests = [rules.detail_digest(salt, payload) for salt, payload in source.rows(done.event_id)]
    assert root(digests).hex() != opening.payload["details"]["root"]


def test_a_new_identity_number_is_encrypted_in_the_row_and_in_the_history(county):
    fresh = factory.number(date(1976, 2, 29), 700 % 400, male=True)
    old = county.person(1).id_number.clear()

    correct(viewer=county.viewer("village"), edits=[Edit("id_number", fresh, person_no=1)], reason=WHY)

    person, change = county.person(1), changes(1)[0]
    assert person.id_number.clear() == fresh
    assert (person.person_key, person.id_valid) == (keyring().person_key(fresh), True)
    assert (change.old, change.new) == ("", "")
    assert (change.old_sealed.clear(), change.new_sealed.clear()) == (old, fresh)
    opening = Opening.objects.visible_to(BUILDER).get(event_id=change.event_id)
    assert fresh not in str(opening.payload)
    told = queries.history_of(county.viewer("village"), 1)[0].sentences[0]
    assert fresh not in told
    assert f"459999********{fresh[-4:]}" in told


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(county):
    viewer = county.viewer("village")
    correct(viewer=viewer, edits=[Edit("main_cause", "02", household_no=1)], reason=WHY)
    before = entries()

    with pytest.raises(RecordChangedMeanwhile) as refused:
        correct(
            viewer=viewer,
            edits=[
                Edit("hamlet", "新屯", household_no=1),
                Edit("main_cause", "01", household_no=1, expected_old="07"),
            ],
            reason=WHY,
        )

    assert refused.value.values == {"conflicts": 1}
    assert county.household(1).main_cause == "02"
    assert county.household(1).hamlet == "弄王屯"
    assert entries() == before


@pytest.mark.parametrize(
    ("edit", "refusal"),
    [
        (Edit("poverty_status", "1", household_no=1), FieldNotEditable),
        (Edit("person_key", "1", person_no=1), FieldNotEditable),
        (Edit("relation", "01", person_no=2), FieldNotEditable),
        (Edit("main_cause", "77", household_no=1), ValueNotAccepted),
        (Edit("other_causes", "01,02,03", household_no=1), ValueNotAccepted),
        (Edit("birth_date", "2020-02-30", person_no=1), ValueNotAccepted),
        (Edit("birth_date", "2031-01-01", person_no=1), ValueNotAccepted),
        (Edit("name", "", person_no=1), ValueNotAccepted),
        (Edit("name", "韦\n明", person_no=1), ValueNotAccepted),
        (Edit("identified_year", "1999", household_no=1), ValueNotAccepted),
        (Edit("hamlet", "屯" * 61, household_no=1), ValueNotAccepted),
        (Edit("hamlet", "新屯", household_no=404), NotVisible),
        (Edit("hamlet", "新屯", person_no=1), NotVisible),
    ],
)
def test_a_bad_edit_is_refused_whole(county, edit, refusal):
    before = entries()

    with pytest.raises(refusal):
        correct(viewer=county.viewer("village"), edits=[Edit("relocated", "是", household_no=2), edit], reason=WHY)

    assert county.household(2).relocated is False
    assert entries() == before


def test_the_same_field_twice_and_a_missing_reason_are_refused(county):
    viewer = county.viewer("village")
    twice = [Edit("hamlet", "甲屯", household_no=1), Edit("hamlet", "乙屯", household_no=1)]
    with pytest.raises(EditedTwice):
        correct(viewer=viewer, edits=twice, reason=WHY)
    with pytest.raises(ReasonMissing):
        correct(viewer=viewer, edits=twice[:1], reason="  更正 ")


@pytest.mark.parametrize("who", ["next_village", "township", "auditor", "contact", "province", "department"])
def test_only_who_may_write_there_corrects(county, who):
    viewer = county.viewer(who)
    edits = [Edit("hamlet", "新屯", household_no=4)]  # of the first village, nobody's own
    with pytest.raises(NotVisible):
        correct(viewer=viewer, edits=edits, reason=WHY)
    assert county.household(4).hamlet == "弄王屯"


def test_a_repeated_submission_changes_nothing_twice(county):
    viewer, event = county.viewer("village"), uuid4()
    edits = [Edit("hamlet", "新屯", household_no=1, expected_old="弄王屯")]

    first = correct(viewer=viewer, edits=edits, reason=WHY, event_id=event)
    again = correct(viewer=viewer, edits=edits, reason=WHY, event_id=event)

    assert (first.again, again.again) == (False, True)
    assert len(changes(1)) == 1


def test_what_changes_nothing_is_not_recorded(county):
    before = entries()
    done = correct(viewer=county.viewer("village"), edits=[Edit("hamlet", "弄王屯", household_no=1)], reason=WHY)
    assert (done.fields, done.event_id) == (0, None)
    assert entries() == before


def test_a_wrongly_identified_household_is_removed_with_its_members(county):
    done = remove_household(viewer=county.viewer("county"), household_no=1, reason="识别时名下有车,错评清退", case_no=5)

    household = county.household(1)
    assert (household.standing, household.poverty_status, household.member_count) == ("removed", "", 0)
    assert household.removed_on == clock.today()
    assert [membership(number).member_status for number in (1, 2, 3, 4)] == ["10", "10", "10", "2"]
    assert membership(1).left_on == clock.today()
    assert membership(4).left_on == date(2019, 2, 3)  # who had left before keeps his own day
    assert {change.event_id for change in changes(1)} == {done.event_id}
    assert ("poverty_status", "1", "") in [(change.field, change.old, change.new) for change in changes(1)]
    with pytest.raises(HouseholdNotLive):
        remove_household(viewer=county.viewer("county"), household_no=1, reason="再次清退该户")
    with pytest.raises(HouseholdNotLive):
        correct(viewer=county.viewer("village"), edits=[Edit("hamlet", "新屯", household_no=1)], reason=WHY)


@pytest.mark.parametrize("who", ["village", "township", "next_county", "province", "auditor"])
def test_only_the_county_removes_and_recognises_exits(county, who):
    with pytest.raises((NotVisible, NotAllowed)):
        remove_household(viewer=county.viewer(who), household_no=1, reason="识别时名下有车")
    with pytest.raises((NotVisible, NotAllowed)):
        exit_normally(viewer=county.viewer(who), household_no=2, exit_year=2020, reason="正常脱贫处理")
    assert county.household(2).poverty_status == "0"
    assert county.household(1).standing == "live"


def test_a_household_exits_in_a_year(county):
    done = exit_normally(
        viewer=county.viewer("county"), household_no=2, exit_year=2020, reason="购车在识别之后,正常脱贫"
    )

    household = county.household(2)
    assert (household.poverty_status, household.exit_year, household.standing) == ("1", 2020, "live")
    assert [(change.field, change.old, change.new) for change in changes(2)] == [
        ("poverty_status", "0", "1"),
        ("exit_year", "", "2020"),
    ]
    assert done.fields == 2
    assert membership(5).member_status == "1"


@pytest.mark.parametrize(("household_no", "year"), [(1, 2020), (5, 2020), (2, 2021), (2, 2014)])
def test_who_is_out_of_poverty_or_in_an_impossible_year_does_not_exit(county, household_no, year):
    with pytest.raises(CannotExit):
        exit_normally(viewer=county.viewer("county"), household_no=household_no, exit_year=year, reason="正常脱贫处理")


def leave(person_no, status="3", reason="R2", on=date(2020, 10, 1)):
    return Leaving(person_no, status, reason, on)


def test_a_member_leaves_and_the_head_count_follows(county):
    remove_members(viewer=county.viewer("village"), household_no=1, leaving=[leave(2)], reason="婚出迁往外县")

    stay = membership(2)
    assert (stay.member_status, stay.change_reason, stay.left_on) == ("3", "R2", date(2020, 10, 1))
    assert county.household(1).member_count == 2
    assert county.household(1).head_person_no == 1


def test_a_leaving_head_needs_a_successor(county):
    viewer = county.viewer("village")
    gone = [leave(1, "2", "R1")]
    for successor in (None, 4, 5):  # nobody; a dead member; somebody else's head
        with pytest.raises(HeadMustBeNamed):
            remove_members(viewer=viewer, household_no=1, leaving=gone, reason="户主去世", new_head=successor)

    remove_members(
        viewer=viewer, household_no=1, leaving=gone, reason="户主去世", new_head=2, former_relations={3: "03"}
    )

    assert county.household(1).head_person_no == 2
    assert membership(2).relation == "01"
    assert membership(1).member_status == "2"


def test_when_nobody_is_left_the_household_is_cancelled(county):
    remove_members(
        viewer=county.viewer("village"), household_no=1, leaving=[leave(1), leave(2), leave(3)], reason="整户迁出本县"
    )

    household = county.household(1)
    assert (household.standing, household.poverty_status, household.member_count) == ("cancelled", "", 0)


def test_nobody_leaves_a_household_he_is_not_in(county):
    for person in (4, 5, 9999):
        with pytest.raises(NotAMember):
            remove_members(viewer=county.viewer("village"), household_no=1, leaving=[leave(person)], reason="迁出户籍")
    for wrong in (leave(2, "1"), leave(2, "3", "XX"), leave(2, on=date(2015, 1, 1)), leave(2, on=date(2021, 1, 1))):
        with pytest.raises(ValueNotAccepted):
            remove_members(viewer=county.viewer("village"), household_no=1, leaving=[wrong], reason="迁出户籍")
    assert membership(2).member_status == "1"


def test_the_head_changes_and_there_is_always_one(county):
    viewer = county.viewer("village")
    with pytest.raises(HeadMustBeNamed):  # the former head would still be head
        change_head(viewer=viewer, household_no=1, new_head=2, relations={}, reason="户主变更登记")

    change_head(viewer=viewer, household_no=1, new_head=2, relations={1: "02"}, reason="户主变更登记")

    assert (membership(1).relation, membership(2).relation) == ("02", "01")
    assert county.household(1).head_person_no == 2


def test_the_budget_of_a_bulk_correction(county):
    """20,000 changed rows a CPU-second (design.md §8), here on what a county of this size gives, with slack for load."""
    homes, people = [], []
    for place in range(3_000):
        home, _ = factory.family(f"H{1000 + place}", VILLAGES[place % 4])
        homes.append(home)
        people.append(factory.person_row(f"H{1000 + place}", 0))
    factory.load_registry(viewer=BUILDER, batch=factory.batch(homes, people), year=2020)
    numbers = list(Household.objects.visible_to(BUILDER).values_list("household_no", flat=True))
    edits = [
        Edit(field, value, household_no=number)
        for number in numbers
        for field, value in (("main_cause", "01"), ("hamlet", "新屯"), ("relocated", "true"))
    ]

    before = time.process_time()
    done = correct(viewer=county.viewer("county"), edits=edits, reason=WHY)
    spent = time.process_time() - before

    assert done.fields == 3 * len(numbers) == 9_096
    assert done.fields / spent > 10_000, f"{done.fields / spent:,.0f} rows per CPU-second"
