"""Many cases in one act: dispatched by place, and spread over the people who can take them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.casework.conftest import FAR_VILLAGE, NEXT_VILLAGE, OTHER_COUNTY, TOWN, VILLAGE
from tests.casework.test_pages import do, row
from wanjia.audit.models import Opening
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework.choices import Bar
from wanjia.casework.errors import CasesChanged, CountChanged, PlanChanged
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.queries import figures_by_area
from wanjia.casework.rules import Answer
from wanjia.casework.services import act_in_bulk, foresee, plan_spread, spread
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db
EYE = system_viewer("casework.evidence")
AT_TOWN = CaseFilter(kind="leak", step="at_town")
OWN = {"leaks.read": "own_cases", "leaks.look": "own_cases"}


@pytest.fixture
def at_town(opened, county):
    """Cases that wait in the township: by household and village."""

    def there(*households, area=VILLAGE, topic="R1"):
        numbers = opened(*households, area=area, topic=topic)
        for number in numbers:
            do(county, number, "pass_on")
        return numbers

    return there


@pytest.fixture
def crew(people):
    """Two people of the township, one of the village, one contact who looks after single households."""
    own = [
        people.add(name, "leak_looker", area, narrowed=OWN)
        for name, area in (("anne", TOWN), ("ben", TOWN), ("vera", VILLAGE))
    ]
    contact = people.add("cora", "leak_looker", TOWN, narrowed=OWN)
    with unrecorded():
        contact.grants.model._base_manager.filter(user=contact).update(relation="own_households")
    return {user.username: people.viewer(user) for user in [*own, contact]}


def holders():
    return {case.household_no: case.holder_user_id for case in Case.objects.for_writing()}


def test_the_village_comes_first_then_who_has_least(at_town, crew, town):
    at_town(1, 2)
    at_town(3, 4, 5, area=NEXT_VILLAGE)
    plan = plan_spread(town, AT_TOWN, "assign")
    assert {share.name: (len(share.cases), share.in_village, share.after) for share in plan.shares} == {
        "Vera": (2, 2, 2), "Anne": (2, 0, 2), "Ben": (1, 0, 1),
    }  # fmt: skip
    assert {row(number).step for share in plan.shares for number in share.cases} == {"at_town"}, "only shown so far"
    done = spread(viewer=town, action="assign", case_filter=AT_TOWN, expected_count=5, digest=plan.digest)
    assert (done.done, done.skipped) == (5, {})
    assert holders()[1] == holders()[2] == crew["vera"].user_id
    assert sorted(holders()[n] for n in (3, 4, 5)) == sorted([crew["anne"].user_id] * 2 + [crew["ben"].user_id])


def test_a_household_goes_to_its_contact_whole_and_a_contact_gets_no_other(at_town, crew, town, roofs):
    at_town(1, topic="R1")
    at_town(1, topic="R2")
    at_town(2)
    roofs.contacts = {(crew["cora"].user_id, 1)}
    plan = plan_spread(town, AT_TOWN, "assign")
    assert {share.name: (len(share.cases), share.as_contact) for share in plan.shares} == {
        "Cora": (2, 2), "Vera": (1, 0),
    }  # fmt: skip


def test_who_must_not_take_a_case_is_named_with_the_reason_and_the_rest_stays(at_town, crew, town, roofs):
    at_town(1, 2)
    roofs.bars = {(crew["vera"].user_id, 1): Bar.RELATIVE}
    roofs.bars |= {(crew[name].user_id, 2): Bar.ENTERED_DATA for name in ("anne", "ben", "vera")}
    plan = plan_spread(town, AT_TOWN, "assign")
    assert {(item.name, item.bar, item.cases) for item in plan.refused} == {
        ("Anne", Bar.ENTERED_DATA, 1),
        ("Ben", Bar.ENTERED_DATA, 1),
        ("Vera", Bar.ENTERED_DATA, 1),
        ("Vera", Bar.RELATIVE, 1),
    }
    assert plan.skipped == {Bar.NOBODY: 1}
    done = spread(viewer=town, action="assign", case_filter=AT_TOWN, expected_count=2, digest=plan.digest)
    assert (done.done, done.skipped) == (1, {Bar.NOBODY: 1})
    assert {case.household_no: case.step for case in Case.objects.for_writing()} == {1: "with_looker", 2: "at_town"}


def test_a_plan_that_no_longer_holds_gives_nothing_to_anybody(at_town, crew, town, roofs):
    at_town(1, 2)
    plan = plan_spread(town, AT_TOWN, "assign")
    roofs.bars = {(crew["vera"].user_id, 1): Bar.RELATIVE}
    with pytest.raises(PlanChanged):
        spread(viewer=town, action="assign", case_filter=AT_TOWN, expected_count=2, digest=plan.digest)
    with pytest.raises(CountChanged):
        spread(viewer=town, action="assign", case_filter=AT_TOWN, expected_count=3, digest=plan.digest)
    assert set(holders().values()) == {None}


def test_the_whole_spread_is_one_act_on_record(at_town, crew, town):
    numbers = [*at_town(1), *at_town(2, 3, area=NEXT_VILLAGE)]
    plan = plan_spread(town, AT_TOWN, "assign")
    spread(viewer=town, action="assign", case_filter=AT_TOWN, expected_count=3, digest=plan.digest)
    events = CaseEvent.objects.of_many(numbers).filter(action="assign")
    assert len({event.event_id for event in events}) == 1
    assert {event.data["assignee"] for event in events} == set(holders().values())
    entry = Opening.objects.visible_to(EYE).get(act="leak.assign")
    assert (entry.payload["content"]["people"], entry.payload["details"]["count"]) == (3, 3)
    assert verify_event(entry.event_id).true
    assert Holding.objects.filter(relation="own_cases", valid_to=None).count() == 3


def test_the_page_shows_who_gets_how_many_and_does_just_that(at_town, crew, town, browse, roofs):
    at_town(1, 2)
    at_town(3, area=NEXT_VILLAGE)
    roofs.bars = {(crew["anne"].user_id, 3): Bar.OWN_HOUSEHOLD}
    browser = browse(town)
    address = f"{reverse('casework:bulk')}?kind=leak&step=at_town&action=assign"
    page = browser.get(address)
    text = page.content.decode()
    for word in ("分给各人的方案", "Vera", "Ben", "Anne：1 件，是该户家庭成员"):
        assert word in text, word
    form = page.context["form"]
    sent = {name: form[name].value() for name in ("expected", "moving", "plan", "assignee")}
    assert "已办理 3 件" in browser.post(address, sent, follow=True).content.decode()
    assert set(holders().values()) == {crew["vera"].user_id, crew["ben"].user_id}


# Dispatch by place


def test_dispatch_shows_where_everything_goes_and_what_lies_there(opened, county, town, at_town):
    at_town(8, 9)
    opened(1, 2)
    opened(3, area=NEXT_VILLAGE)
    opened(4, area=FAR_VILLAGE)
    found = foresee(county, CaseFilter(kind="leak"), "pass_on")
    told = {item.area: (item.cases, dict(item.villages), item.open, item.overdue) for item in found.destinations}
    assert told == {
        TOWN: (3, {VILLAGE: 2, NEXT_VILLAGE: 1}, 2, 0),
        FAR_VILLAGE[:9]: (1, {FAR_VILLAGE: 1}, 0, 0),
    }
    assert (found.count, found.moving, found.stay, found.skipped) == (6, 4, 2, {"not_in_step": 2})
    assert found.left["not_in_step"] == tuple(
        Case.objects.for_writing().filter(step="at_town").values_list("pk", flat=True)
    )


def test_what_lies_in_a_unit_is_what_the_home_page_says_of_it(opened, county, town, crew, at_town):
    _first, second = at_town(8, 9)
    do(town, second, "assign", assignee=crew["vera"].user_id)
    opened(1)
    (found,) = foresee(county, CaseFilter(kind="leak"), "pass_on").destinations
    home = {figure.area: figure for figure in figures_by_area(county, 9)}
    assert found.open == home[TOWN].open == 2, "with what its verifier holds"


def test_what_was_shown_as_going_goes_or_nothing_does(opened, county):
    opened(1, 2)
    every = CaseFilter(kind="leak", step="reported")
    with pytest.raises(CountChanged):
        act_in_bulk(viewer=county, action="pass_on", case_filter=every, expected_count=2, expected_moving=1)
    assert {case.step for case in Case.objects.for_writing()} == {"reported"}
    assert (
        act_in_bulk(viewer=county, action="pass_on", case_filter=every, expected_count=2, expected_moving=2).done == 2
    )


def test_as_many_others_or_the_same_acted_upon_meanwhile_are_not_what_was_confirmed(
    at_town, opened, crew, county, town, browse
):
    """One goes and another comes: the count is the same, and nobody looked at the one that came."""
    first, _ = at_town(1, 2)
    seen, plan = foresee(town, AT_TOWN, "assign").seen, plan_spread(town, AT_TOWN, "assign")
    do(town, first, "not_ours", reason="不是我们的")
    at_town(3)
    named = {"viewer": town, "action": "assign", "case_filter": AT_TOWN, "expected_count": 2, "seen": seen}
    with pytest.raises(CasesChanged):
        act_in_bulk(**named, answer=Answer(assignee=crew["anne"].user_id))
    with pytest.raises(CasesChanged):
        spread(**named, digest=plan.digest)
    # the very same case, sent back and come again, is not as he saw it either
    seen = foresee(town, AT_TOWN, "assign").seen
    do(county, first, "pass_on")
    third = Case.objects.for_writing().get(household_no=3)
    do(town, third.pk, "not_ours", reason="不是我们的")
    assert foresee(town, AT_TOWN, "assign").count == 2
    browser, address = browse(town), f"{reverse('casework:bulk')}?kind=leak&step=at_town&action=assign"
    stale = {"expected": "2", "moving": "2", "seen": seen, "assignee": str(crew["anne"].user_id)}
    refused = browser.post(address, stale)
    assert refused.status_code == 409
    assert set(holders().values()) == {None}
    # the page that comes back shows how they stand now, and confirming it does just that
    form = refused.context["form"]
    sent = {name: form[name].value() for name in ("expected", "moving", "seen", "plan", "assignee")}
    assert browser.post(address, sent).status_code == 302
    assert {case.household_no for case in Case.objects.for_writing() if case.step == "with_looker"} == {1, 2}


def test_another_countys_cases_are_no_part_of_it(opened, county, people, deadlines):
    opened(1)
    other = people.viewer(people.add("far", "leak_county", OTHER_COUNTY))
    assert foresee(other, CaseFilter(kind="leak"), "pass_on").count == 0
