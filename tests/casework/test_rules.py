from dataclasses import replace

import pytest

from tests.casework.conftest import FLOW, action, words
from wanjia.casework import declared
from wanjia.casework.choices import Need, Seat
from wanjia.casework.declared import Offered
from wanjia.casework.rules import Aside, FlowInvalid, Step, common_area, level_up, problems_of, seat_area


def with_step(code, **changes):
    return replace(FLOW, steps=tuple(replace(s, **changes) if s.code == code else s for s in FLOW.steps))


def with_action(step, **changes):
    first, *rest = FLOW.step(step).actions
    return with_step(step, actions=(replace(first, **changes), *rest))


def test_a_sound_flow_has_no_problems():
    assert problems_of(FLOW) == []


@pytest.mark.parametrize(
    ("flow", "problem"),
    [
        (replace(FLOW, first="nowhere"), "the first step nowhere does not exist"),
        (with_action("reported", to="nowhere"), "reported/pass_on leads to the step nowhere, which does not exist"),
        (
            with_action("with_looker", routes={"wet": "lost"}),
            "with_looker/look leads to the step lost, which does not exist",
        ),
        (with_action("with_looker", outcomes=("odd",)), "with_looker/look names the outcome odd, which does not exist"),
        (
            with_action("looked", apart_from=frozenset({"sing"})),
            "looked/decide must be apart from sing, which does not exist",
        ),
        (with_action("reported", permission=""), "reported/pass_on needs no permission"),
        (with_action("with_looker", bulk=True), "with_looker/look cannot be done in bulk: it leads to several steps"),
        (with_step("at_town", days_parameter=""), "step at_town has no deadline"),
        (with_action("reported", to="closed"), "step at_town cannot be reached"),
        (replace(FLOW, steps=(*FLOW.steps, FLOW.steps[0])), "step reported is declared twice"),
    ],
)
def test_a_flow_that_contradicts_itself_is_named_with_its_fault(flow, problem):
    assert problem in problems_of(flow)


def test_a_flow_nobody_can_leave_is_refused():
    circle = with_step("reported", actions=(action("stay", "reported", "leaks.pass_on"),))
    assert "from step reported no end can be reached" in problems_of(circle)


def test_a_return_must_ask_for_a_reason():
    flow = with_step("at_town", actions=(action("back", "reported", "leaks.assign", goes_back=True),))
    assert "at_town/back returns a case without asking for a reason" in problems_of(flow)


def test_registering_a_broken_flow_stops_the_site(roofs):
    with pytest.raises(FlowInvalid, match="does not exist"):
        declared.register(Offered(replace(with_action("reported", to="nowhere"), version=9), roofs))


def test_the_same_version_cannot_be_declared_twice_differently(roofs):
    with pytest.raises(FlowInvalid, match="declared twice"):
        declared.register(Offered(with_action("reported", needs=frozenset({Need.REASON})), roofs))


def test_a_shared_case_waits_where_its_areas_meet():
    area = common_area(["451228100201", "451229101202"])
    assert area == "4512"
    assert seat_area(area, Seat.COUNTY) == "4512"
    assert seat_area("451228100201", Seat.COUNTY) == "451228"
    assert common_area(["451228100201", "441228"]) == ""
    assert common_area(["451228100201"]) == "451228100201"


def test_one_level_up_ends_at_the_province():
    assert [level_up(code) for code in ("451228100201", "451228100", "451228", "4512", "45")] == [
        "451228100", "451228", "4512", "45", "45",
    ]  # fmt: skip


def with_asides(*asides):
    return replace(FLOW, asides=asides)


@pytest.mark.parametrize(
    ("aside", "problem"),
    [
        (Aside(code="look", title=words("看")), "aside look has the name of something else"),
        (Aside(code="said", title=words("说"), to="nowhere", within=frozenset({"decided"})), "names the step nowhere"),
        (Aside(code="said", title=words("说"), to="looked"), "leads somewhere without saying from where"),
        (
            Aside(code="said", title=words("说"), to="looked", within=frozenset({"decided", "closed"})),
            "takes up closed cases and open ones",
        ),
    ],
)
def test_an_aside_that_contradicts_the_flow_is_found(aside, problem):
    assert any(problem in found for found in problems_of(with_asides(aside)))


def test_an_aside_may_lead_to_a_step_nothing_else_reaches():
    heard = Step(
        code="heard", title=words("再议"), seat=Seat.COUNTY, days_parameter="leaks.days.decide",
        actions=(action("settle", "closed", "leaks.decide"),),
    )  # fmt: skip
    flow = replace(FLOW, steps=(*FLOW.steps, heard))
    assert "step heard cannot be reached" in problems_of(flow)
    late = Aside(code="said_late", title=words("说"), to="heard", within=frozenset({"closed"}))
    assert problems_of(replace(flow, asides=(late,))) == []
    assert replace(flow, asides=(late,)).leaving == {"said_late"}
