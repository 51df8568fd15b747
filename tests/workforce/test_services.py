"""Pairing: the rules of §11.2, the holding beside it, the end, and what a contact then sees."""

from datetime import date

import pytest

from tests.factories.registry import BUILDER, VILLAGES
from wanjia.audit import rules
from wanjia.audit.details import sources
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.registry import queries as registry
from wanjia.registry.errors import ReasonMissing
from wanjia.registry.services import remove_household
from wanjia.scope.errors import NotAllowed
from wanjia.scope.models import Holding
from wanjia.tlog.merkle import root
from wanjia.workforce import queries
from wanjia.workforce.choices import Objection
from wanjia.workforce.errors import EndsBeforeItBegan, NotPaired, PairingRefused
from wanjia.workforce.models import Pairing
from wanjia.workforce.services import NewPairing, load_pairings, pair, unpair


def pairings():
    return Pairing.objects.visible_to(BUILDER)


def test_a_pairing_gives_sight_of_the_household_and_its_end_takes_it(county):
    contact, user = county.viewer("contact"), county.users["contact"].pk
    assert registry.may_read(contact, 4) is False

    pair(viewer=county.viewer("county"), user_id=user, household_no=4)

    assert registry.may_read(contact, 4) is True
    assert queries.households_of(contact, user) == [1, 2, 4]
    assert [each.user_id for each in queries.contacts_of(4)] == [user]

    unpair(viewer=county.viewer("county"), user_id=user, household_no=4, reason="工作调动")

    assert registry.may_read(contact, 4) is False
    assert queries.contacts_of(4) == []
    ended = pairings().get(household_no=4)
    assert (ended.valid_to, ended.end_reason, ended.ended_by) == (
        clock.today(), "工作调动", county.users["county"].pk,
    )  # fmt: skip
    assert [each.reason for each in queries.history_of(county.viewer("county"), 4)] == ["工作调动"]


def test_a_load_is_one_entry_over_its_rows(county):
    opening = Opening.objects.visible_to(BUILDER).get(act="workforce.pair")
    source = next(each for each in sources() if each.label == "workforce.Pairing")
    digests = [rules.detail_digest(salt, payload) for salt, payload in source.rows(opening.event_id)]

    assert opening.payload["content"] == {"contacts": 2, "households": 3}
    assert opening.payload["details"] == {"count": 3, "root": root(digests).hex()}
    assert Holding.objects.filter(subject_kind="household").count() == pairings().count() == 3


def test_each_rule_is_told_and_the_others_are_paired(county):
    county_office, contact = county.viewer("county"), county.users["contact"]
    poor, kin = county.users["next_contact"], county.users["verifier"]
    with unrecorded():
        poor.id_key = county.person(29).person_key  # head of household 8
        poor.save(update_fields=["id_key"])
        kin.id_key = county.person(20).person_key  # the mother of household 5, who died
        kin.save(update_fields=["id_key"])
        locked = county.users["department"]
        locked.is_active, locked.locked_on = False, clock.today()
        locked.save(update_fields=["is_active", "locked_on"])
    remove_household(viewer=county_office, household_no=6, reason="识别时名下有车")
    asked = [
        NewPairing(contact.pk, 1),
        NewPairing(contact.pk, 6),
        NewPairing(99_999, 7),
        NewPairing(locked.pk, 7),
        NewPairing(poor.pk, 7),
        NewPairing(kin.pk, 5),
        NewPairing(contact.pk, 7, date(2031, 1, 1)),
        NewPairing(contact.pk, 7),
        NewPairing(contact.pk, 7),
        NewPairing(kin.pk, 7),
    ]

    result = load_pairings(viewer=county_office, pairings=asked)

    assert [(each.place, each.objection) for each in result.refused] == [
        (0, Objection.ALREADY_PAIRED),
        (1, Objection.HOUSEHOLD_UNKNOWN),
        (2, Objection.ACCOUNT_UNKNOWN),
        (3, Objection.ACCOUNT_UNKNOWN),
        (4, Objection.CONTACT_IS_POOR),
        (5, Objection.CONTACT_IS_RELATIVE),
        (6, Objection.BACKWARDS),
        (8, Objection.ALREADY_PAIRED),
    ]
    assert result.paired == 2
    assert {each.user_id for each in queries.contacts_of(7)} == {contact.pk, kin.pk}


def test_too_many_households_are_a_warning(county):
    user = county.users["contact"].pk
    few = load_pairings(viewer=BUILDER, pairings=[NewPairing(user, number) for number in (4, 5, 6)])
    many = load_pairings(viewer=BUILDER, pairings=[NewPairing(user, 7)])
    assert (few.overloaded, many.overloaded) == ({}, {user: 6})
    assert many.paired == 1


@pytest.mark.parametrize("who", ["contact", "next_county", "next_township", "auditor", "sysadmin"])
def test_only_who_keeps_the_teams_there_pairs_and_unpairs(county, who):
    viewer, before = county.viewer(who), Outbox.objects.count()
    with pytest.raises(NotAllowed):
        pair(viewer=viewer, user_id=county.users["contact"].pk, household_no=4)
    with pytest.raises(NotPaired):
        unpair(viewer=viewer, user_id=county.users["contact"].pk, household_no=1, reason="工作调动")
    assert pairings().filter(valid_to=None).count() == 3
    assert Outbox.objects.count() == before


def test_refusals_change_nothing(county):
    office, user = county.viewer("county"), county.users["contact"].pk
    with pytest.raises(PairingRefused, match="already_paired"):
        pair(viewer=office, user_id=user, household_no=1)
    with pytest.raises(EndsBeforeItBegan):
        unpair(viewer=office, user_id=user, household_no=1, reason="工作调动", valid_to=date(2019, 12, 31))
    with pytest.raises(ReasonMissing):
        unpair(viewer=office, user_id=user, household_no=1, reason=" ")
    assert queries.households_of(office, user) == [1, 2]


def test_a_contact_sees_pairings_of_his_own_households_only(county):
    contact = county.viewer("contact")
    assert [each.user_id for each in queries.visible_contacts(contact, 1)] == [county.users["contact"].pk]
    assert queries.visible_contacts(contact, 3) == []
    assert queries.households_of(contact, county.users["next_contact"].pk) == []
    assert {row.village_code for row in Pairing.objects.visible_to(contact)} == {VILLAGES[0]}


def test_my_households_page(enter):
    page = enter("contact").get("/workforce/mine/")
    assert [row.household_no for row in page.context["rows"]] == [1, 2]
    assert "蓝大一" in page.content.decode()

    assert "您现在没有结对的帮扶户" in enter("county").get("/workforce/mine/").content.decode()


def test_my_households_cost_few_queries(enter, django_assert_max_num_queries):
    client = enter("contact")
    client.get("/workforce/mine/")
    with django_assert_max_num_queries(10):
        client.get("/workforce/mine/")
