"""A case of two households, as double registration opens it: the office both places share sees it to its end."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest
from django.urls import reverse

from tests.comparison.conftest import NEXT_COUNTY, NEXT_TOWN, VILLAGE, register
from tests.comparison.test_flow import do, photograph, row
from tests.comparison.test_pages import browse as _browse
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.services import NewAccount, NewGrant, open_accounts
from wanjia.audit.testing import unrecorded
from wanjia.casework import queries
from wanjia.casework.choices import Bar
from wanjia.casework.errors import AssigneeBarred, NotYours
from wanjia.casework.models import Case
from wanjia.comparison.errors import CorrectionNotPossible
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.registry.models import Household, Person
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db
EYE = system_viewer("comparison.case")
browse = _browse


@pytest.fixture
def pair(world, office):
    """One number in two households, the first of them in the village; issued as a case."""

    def issued(other_village):
        world.person(village=VILLAGE, person_key=77)
        world.person(village=other_village, person_key=77)
        world.car(world.person(village=VILLAGE), registered_on=dt.date(2018, 5, 1))
        register(world)
        with unrecorded():
            Person.objects.visible_to(EYE).filter(pk__in=(1, 2)).update(person_key=77)
        world.publish()
        world.deliver()
        run = run_comparison(viewer=office["province"])
        issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(rule="RB-06"), expected_count=1)
        return Case.objects.for_writing().get().case_no

    return issued


@pytest.fixture
def colleagues(office):
    """Several people at the desk both places share: nobody may do two steps of one case."""

    def at(role, area):
        names = [f"{role.replace('_', '-')}-{n}" for n in range(4)]
        accounts = [NewAccount(name, name.title(), area, grants=[NewGrant(role, area)]) for name in names]
        return [
            viewer_for(user) for user in open_accounts(viewer=system_viewer("accounts.administer"), accounts=accounts)
        ]

    return at


def verified(office, case_no, desk, outcome):
    """Down to the door: the shared desk assigns a verifier of one of the two places, who goes there."""
    do(desk, case_no, "assign", assignee=office["next_verifier"].user_id)
    photograph(office["next_verifier"], case_no)
    return do(office["next_verifier"], case_no, "verify", outcome=outcome, note="本人住下屯，另一户是婚前户。")


def test_two_townships_share_their_county_which_sees_it_to_its_end(pair, office, colleagues):
    number = pair(NEXT_TOWN)
    office_of = colleagues("county_office", "451228")
    do(office["city"], number, "pass_on")
    do(office_of[0], number, "distribute")
    with pytest.raises(NotYours):
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    verified(office, number, office_of[0], "04")
    with pytest.raises(CorrectionNotPossible):
        do(office_of[1], number, "correct", correction={"change": "T5", "household": "3"})
    do(office_of[1], number, "correct", correction={"change": "T5", "household": "2"})
    with pytest.raises(NotYours) as refusal:
        do(office_of[1], number, "review")
    assert refusal.value.values["bar"] == Bar.TOOK_PART
    do(office_of[2], number, "review")
    do(office_of[3], number, "decide")
    standing = dict(Household.objects.visible_to(EYE).values_list("pk", "standing"))
    assert (standing[1], standing[2]) == ("live", "removed"), "the one that was named, not the first"
    do(office["city"], number, "take")
    do(office["city"], number, "confirm")
    assert row(number).step == "closed"


def test_two_counties_share_their_city(pair, office, colleagues):
    number = pair(NEXT_COUNTY)
    office_of = colleagues("city_office", "4512")
    for who, action in ((0, "pass_on"), (0, "distribute")):
        do(office_of[who], number, action)
    do(office_of[0], number, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], number)
    do(office["verifier"], number, "verify", outcome="04", note="本人在外县另有一户。")
    do(office_of[1], number, "correct", correction={"change": "T5", "household": "2"})
    do(office_of[2], number, "review")
    with pytest.raises(NotYours):
        do(office["county"], number, "decide")
    do(office_of[3], number, "decide")
    assert Household.objects.visible_to(EYE).get(pk=2).standing == "removed"


def test_nobody_of_either_household_acts_nor_who_entered_or_looks_after_it(pair, office):
    number = pair(NEXT_TOWN)
    do(office["city"], number, "pass_on")
    do(office["county"], number, "distribute")
    with unrecorded():
        Household.objects.visible_to(EYE).filter(pk=2).update(entered_by=office["next_verifier"].user_id)
    case = row(number)
    bars = {item.name: item.bar for item in queries.candidates(case, case.flow.action(case.step, "assign"), "zh")}
    assert bars == {"Verifier": None, "Next Verifier": Bar.ENTERED_DATA}
    with pytest.raises(AssigneeBarred):
        do(office["county"], number, "assign", assignee=office["next_verifier"].user_id)
    Holding.objects.create(
        user_id=office["county"].user_id, relation="own_households", subject_kind="household", subject_id=2,
        valid_from=dt.date(2020, 1, 1),
    )  # fmt: skip
    do(office["county"], number, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], number, "verify", outcome="07", note="两人共用一个号码。")
    with pytest.raises(NotYours) as refusal:
        do(office["county"], number, "review")
    assert refusal.value.values["bar"] == Bar.PAIRED


def test_a_wider_office_does_nothing_at_the_desks_of_one_place(office, world):
    world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver()
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=1)
    number = Case.objects.for_writing().get().case_no
    with pytest.raises(NotYours):
        do(office["province"], number, "pass_on")
    do(office["city"], number, "pass_on")
    with pytest.raises(NotYours):
        do(office["city"], number, "distribute")
    do(office["county"], number, "distribute")
    with pytest.raises(NotYours):
        do(office["county"], number, "assign", assignee=office["verifier"].user_id)
    assert not queries.bulk_actions(office["county"], queries_filter("dispatched_town"))
    assert [item.code for item in queries.bulk_actions(office["town"], queries_filter("dispatched_town"))]


def queries_filter(step):
    from wanjia.casework.filters import CaseFilter

    return CaseFilter(kind="suspect", step=step)


@pytest.mark.usefixtures("gazetteer")
def test_both_households_stand_on_paper_and_on_the_case_with_their_own_addresses(pair, office, browse):
    number = pair(NEXT_TOWN)
    do(office["city"], number, "pass_on")
    do(office["county"], number, "distribute")

    sheet = browse("county").get(reverse("casework:check_sheets")).content.decode()
    assert "451228100451228100200上屯" in sheet, "its own village, though the case lies with the county"
    assert "另一户 2：都安县451228101451228101200上屯" in sheet

    form = b"".join(browse("county").get(reverse("casework:answers_form")).streaming_content)
    villages = [str(cell.value) for row in openpyxl.load_workbook(io.BytesIO(form)).active for cell in row]
    assert not any(value.startswith("都安县") for value in villages)

    page = browse("county").get(row(number).get_absolute_url())
    told = page.context["page"].told
    facts = {fact.label: (fact.ours, fact.theirs) for fact in told.facts}
    assert told.theirs_title == "建档立卡（另一户）"
    assert facts["住址"] == ("都安县451228100451228100200上屯", "都安县451228101451228101200上屯")
    assert facts["户编号"] == ("1", "2")
    assert "对方所在村" not in facts
    assert "（河池市都安县451228101451228101200）" in told.explanation
    assert [address for _, address in told.links] == ["/registry/households/1/", "/registry/households/2/"]
    town = browse("town").get(row(number).get_absolute_url())
    assert [address for _, address in town.context["page"].told.links] == ["/registry/households/1/"], (
        "the other is not its own"
    )


@pytest.mark.usefixtures("gazetteer")
def test_a_household_keeps_its_address_on_paper_where_its_case_was_moved(pair, office, browse):
    number = pair(VILLAGE)
    do(office["city"], number, "pass_on")
    do(office["county"], number, "not_county", why="moved", place="451229", reason="搬到大化")
    do(office["city"], number, "redirect", place="451229")
    sheet = browse("city").get(reverse("casework:check_sheets")).content.decode()
    assert "451228100451228100200上屯" in sheet


def test_the_county_that_holds_a_case_of_two_towns_returns_it_to_nobody(pair, office, browse):
    number = pair(NEXT_TOWN)
    do(office["city"], number, "pass_on")
    do(office["county"], number, "distribute")
    page = browse("county").get(row(number).get_absolute_url())
    offered = {item.code: item.title for item in page.context["page"].can}
    assert offered["not_town"] == "不在所列地方，由本级处置"
    assert "退回县级" not in page.content.decode()
