""" "Not ours" and "they moved": up one level with the reason and the place, decided there, never twice from one place."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from tests.comparison.conftest import NEXT_COUNTY, NEXT_TOWN, NEXT_VILLAGE, VILLAGE, name_places, register
from tests.comparison.test_flow import do, down_to_town, photograph, row
from tests.factories.accounts import client_for
from wanjia.accounts.services import NewAccount, NewGrant, open_accounts
from wanjia.casework import counters, queries
from wanjia.casework.choices import Bar
from wanjia.casework.errors import AnswerIncomplete, AssigneeBarred, NotYours, PlaceUnusable, WhyNotOffered
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent, CaseSubject
from wanjia.casework.services import Answer, act_in_bulk
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.registry.models import Household
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("number")]
EYE = system_viewer("comparison.case")
GONE = {"why": "moved", "place": NEXT_TOWN, "reason": "2019 年随子女搬走"}


@pytest.fixture(scope="module")
def number(standing):
    """A case in the township's hands."""
    world, office = standing.world, standing.office
    name_places()
    for _ in range(2):
        world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver()
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=2)
    down_to_town(office)
    return Case.objects.for_writing().order_by("pk").values_list("pk", flat=True)[0]


def counted_as_seen(office):
    """Every office's list is as long as its rows, though the case lies elsewhere than one of its subjects."""
    assert counters.differing() == []
    for name in ("province", "city", "county", "town", "next_town"):
        for wanted in (CaseFilter(), CaseFilter(mine="1"), CaseFilter(mine="0"), CaseFilter(state="all")):
            page, rows = queries.listing(office[name], wanted), queries.matching(office[name], wanted)
            assert (page.total, {case.pk for case in page.rows}) == (rows.count(), {case.pk for case in rows}), name
    for subject in CaseSubject.objects.visible_to(EYE).select_related("case"):
        assert subject.apart == (subject.area_code != subject.case.area_code)


def test_a_return_says_why_and_where_they_live_now(number, office):
    with pytest.raises(AnswerIncomplete):
        do(office["town"], number, "not_town", reason="不在这里")
    with pytest.raises(WhyNotOffered):
        do(office["town"], number, "not_town", reason="不在这里", why="lazy")
    with pytest.raises(AnswerIncomplete):
        do(office["town"], number, "not_town", reason="搬走了", why="moved")
    for place in (VILLAGE, NEXT_VILLAGE, "451299", "河池"):
        with pytest.raises(PlaceUnusable):
            do(office["town"], number, "not_town", reason="搬走了", why="moved", place=place)
    do(office["town"], number, "not_town", **GONE)
    case = row(number)
    assert (case.step, case.holder_area, case.area_code) == ("returned_county", "451228", VILLAGE)
    line = queries.history(case, "zh")[-1]
    assert (line.why, line.place) == ("已搬迁到外地", "河池市都安县451228101" + NEXT_TOWN)
    assert queries.history(case, "en")[-1].why == "They moved to another place"


def test_the_county_sends_it_to_where_they_live_now_and_the_old_township_still_sees_it(number, office):
    do(office["town"], number, "not_town", **GONE)
    for place in (VILLAGE, NEXT_COUNTY, "4512", "451228", ""):
        with pytest.raises((PlaceUnusable, AnswerIncomplete)):
            do(office["county"], number, "redirect", place=place)
    do(office["county"], number, "redirect", place=NEXT_TOWN)
    case = row(number)
    assert (case.step, case.holder_area, case.area_code) == ("dispatched_town", NEXT_TOWN[:9], NEXT_TOWN)
    assert {item.area_code for item in CaseSubject.objects.visible_to(EYE).filter(case=case)} == {VILLAGE, NEXT_TOWN}
    assert queries.case_for(office["town"], number), "whoever sent it up sees what became of it"
    counted_as_seen(office)
    with pytest.raises(NotYours):
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    do(office["next_town"], number, "assign", assignee=office["next_verifier"].user_id)
    photograph(office["next_verifier"], number)
    do(office["next_verifier"], number, "verify", outcome="06", note="登记错误")
    do(office["next_town"], number, "review")
    do(office["county"], number, "decide")
    assert row(number).step == "county_closed"


def test_a_place_that_must_keep_a_case_cannot_return_it_again(number, office):
    do(office["town"], number, "not_town", why="never", reason="村里无此户")
    do(office["county"], number, "insist", reason="户口仍在该村，请电话核实")
    with pytest.raises(NotYours) as refusal:
        do(office["town"], number, "not_town", why="other", reason="还是不在")
    assert refusal.value.values["bar"] == Bar.RETURNED
    result = act_in_bulk(
        viewer=office["town"], action="not_town", case_filter=CaseFilter(kind="suspect", step="dispatched_town"),
        expected_count=2, answer=Answer(why="other", reason="还是不在"),
    )  # fmt: skip
    assert (result.done, result.skipped) == (1, {Bar.RETURNED: 1})
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)


def test_a_place_it_was_sent_to_may_say_once_that_they_are_not_there(number, office):
    do(office["town"], number, "not_town", **GONE)
    do(office["county"], number, "redirect", place=NEXT_TOWN)
    do(office["next_town"], number, "not_town", why="never", reason="没有搬来")
    do(office["county"], number, "redirect", place=VILLAGE)
    counted_as_seen(office)
    with pytest.raises(NotYours) as refusal:
        do(office["town"], number, "not_town", **GONE)
    assert refusal.value.values["bar"] == Bar.RETURNED, "no way round leads back to where it was returned from"


UP = {
    "dispatched_town": ("town", "not_town"), "returned_county": ("county", "not_county"),
    "dispatched_county": ("county", "not_county"), "returned_city": ("city", "not_city"),
    "issued": ("city", "not_city"),
}  # fmt: skip
DOWN = {
    "returned_county": ("county", "insist"), "returned_city": ("city", "insist"),
    "returned_province": ("manager", "insist"), "issued": ("city", "pass_on"),
    "dispatched_county": ("county", "distribute"),
}  # fmt: skip


def _up(office, number):
    """Whether whoever holds it can still send it up."""
    who, action = UP.get(row(number).step, ("", ""))
    try:
        return bool(who) and bool(do(office[who], number, action, why="other", reason="不是我们的"))
    except NotYours:
        return False


def test_no_case_travels_for_ever(number, office):
    """Whatever the levels do, each place returns it once; then it lies where somebody must answer it."""
    office.users["manager"] = _manager()
    moves = 0
    while moves < 50 and (_up(office, number) or row(number).step in DOWN):
        if moves % 2 or not _up(office, number):
            who, action = DOWN.get(row(number).step, ("", ""))
            if who:
                do(office[who], number, action, reason="请办理")
        moves += 1
    assert row(number).step == "dispatched_town"
    ups = CaseEvent.objects.of_many([number]).filter(action__startswith="not_").values_list("action", flat=True)
    assert sorted(ups) == ["not_city", "not_county", "not_town"]


def _manager():
    [user] = open_accounts(
        viewer=system_viewer("accounts.administer"),
        accounts=[NewAccount("manager", "Manager", "45", grants=[NewGrant("province_manager", "45")])],
    )
    return user


def test_between_two_counties_the_city_handles_it_with_somebody_at_home_there(number, office):
    do(office["town"], number, "not_town", why="moved", place=NEXT_COUNTY, reason="搬到大化")
    with pytest.raises(PlaceUnusable):
        do(office["county"], number, "redirect", place=NEXT_COUNTY)
    do(office["county"], number, "not_county", why="moved", place=NEXT_COUNTY, reason="搬到大化")
    do(office["city"], number, "redirect", place=NEXT_COUNTY)
    case = row(number)
    assert (case.step, case.holder_area, case.area_code) == ("dispatched_county", "4512", "4512")
    [there] = open_accounts(
        viewer=system_viewer("accounts.administer"),
        accounts=[NewAccount("there", "There", NEXT_COUNTY, grants=[NewGrant("information_officer", NEXT_COUNTY[:9])])],
    )
    do(office["city"], number, "distribute")
    listed = {
        item.name for item in queries.candidates(row(number), case.flow.action("dispatched_town", "assign"), "zh")
    }
    assert listed == {"There", "Verifier"}
    do(office["city"], number, "assign", assignee=there.pk)
    assert row(number).holder_user_id == there.pk


def test_who_says_he_is_a_relative_is_asked_about_that_household_no_more(number, office):
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], number, "give_back", why="relative", reason="户主是我姨妈")
    case = row(number)
    assert case.step == "dispatched_town"
    [listed] = queries.candidates(case, case.flow.action(case.step, "assign"), "zh")
    assert listed.bar is Bar.RELATIVE
    with pytest.raises(AssigneeBarred):
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    other = row(number + 1)
    assert other.household_no != case.household_no
    do(office["town"], other.pk, "assign", assignee=office["verifier"].user_id)


def test_one_person_gives_a_case_back_once(number, office):
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], number, "give_back", why="absent", reason="开会")
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    with pytest.raises(NotYours) as refusal:
        do(office["verifier"], number, "give_back", why="absent", reason="还在开会")
    assert refusal.value.values["bar"] == Bar.RETURNED
    assert Holding.objects.filter(relation="own_cases", valid_to=None).count() == 1


def test_the_registry_does_not_move_with_the_case(number, office):
    do(office["town"], number, "not_town", **GONE)
    do(office["county"], number, "redirect", place=NEXT_TOWN)
    assert Household.objects.visible_to(EYE).get(pk=1).village_code == VILLAGE
    event = CaseEvent.objects.of(row(number)).get(action="redirect")
    assert (event.data["place"], event.data["from_area"], event.area_code) == (NEXT_TOWN, VILLAGE, NEXT_TOWN)


def test_the_page_asks_for_the_kind_of_reason_and_the_place_by_name(number, office):
    browser = client_for(office.users["town"])
    page = browser.get(reverse("casework:case", args=[number])).content.decode()
    assert "现住地<small>（搬迁或区划调整的须填）</small>" in page
    for text in ("已搬迁到外地", "须填现住地", "查无此户"):
        assert text in page, text
    answer = {"action": "not_town", "version": row(number).version, "why": "moved", "place": "大化县", "reason": "搬走"}
    browser.post(reverse("casework:act", args=[number]), answer | {"place": "无此地"})
    assert row(number).step == "dispatched_town"
    browser.post(reverse("casework:act", args=[number]), answer)
    assert row(number).step == "returned_county"
    page = client_for(office.users["county"]).get(reverse("casework:case", args=[number])).content.decode()
    assert "现住：河池市大化县" in page
    assert 'value="451229"' in page, "the place stands in the form already"


def test_many_are_returned_at_once_with_one_reason(number, office):
    browser = client_for(office.users["town"])
    address = f"{reverse('casework:bulk')}?kind=suspect&step=dispatched_town&action=not_town"
    form = browser.get(address).context["form"]
    sent = {"expected": form["expected"].value(), "moving": form["moving"].value(), "reason": "整村并入"}
    assert browser.post(address, sent).status_code == 422
    answer = browser.post(address, {**sent, "why": "boundary", "place": NEXT_TOWN}, follow=True)
    assert "已办理 2 件" in answer.content.decode()
    assert {event.data["why"] for event in CaseEvent.objects.of_many([number]).filter(action="not_town")} == {
        "boundary"
    }
