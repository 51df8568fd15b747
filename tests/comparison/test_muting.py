"""What was answered does not come again while the answer lasts, and comes again on new evidence (domain.md §6.1)."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.comparison.conftest import VILLAGE, register
from tests.comparison.test_flow import do, down_to_town, photograph, row
from wanjia.audit.testing import unrecorded
from wanjia.casework import declared
from wanjia.casework.errors import UntilUnusable
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.services import Answer, Draw, act, draw_sample
from wanjia.comparison.choices import Decision
from wanjia.comparison.models import Screening
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison, screen
from wanjia.kernel import clock
from wanjia.reference.services import Notice, set_parameter
from wanjia.registry.models import PersonAlias
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db
EYE = system_viewer("comparison.screen")
SHARE = Draw(take="take", rest="pass", share_parameter="suspects.sample_share")


@pytest.fixture
def answered(world, office):
    """A car of before identification: the suspicion, answered with an outcome and closed by a whole way."""
    world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver()
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=1)
    number = Case.objects.for_writing().get().case_no

    def close(outcome, **answer):
        down_to_town(office)
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)
        photograph(office["verifier"], number)
        do(office["verifier"], number, "verify", outcome=outcome, note="入户查看。", **answer)
        if outcome < "05":
            do(office["operator"], number, "correct", correction={"change": "measure", "measure": "车辆已变卖"})
        do(office["town"], number, "review")
        do(office["county"], number, "decide")
        draw_sample(viewer=office["city"], case_filter=CaseFilter(step="county_closed"), expected_count=1, draw=SHARE)
        do(office["city"], number, "confirm")
        return number

    return close


@pytest.fixture
def next_run(world, office):
    """The next round over the same, or by then changed, records; what the screening makes of it."""

    def again(snapshot="20201201-01"):
        world.publish(snapshot)
        world.deliver(snapshot)
        run = run_comparison(viewer=office["province"])
        return run, screen(office["province"], run.pk, Filters())

    return again


@pytest.mark.parametrize("outcome", ["01", "02", "06", "07", "08"])
def test_an_answer_stands_until_the_record_changes(answered, next_run, world, outcome):
    number = answered(outcome)
    _, found = next_run()
    assert ([item.key for item, _ in found.muted], [no for _, no in found.muted]) == (["RA-02:1"], [number])
    assert found.fresh == ()
    world.cars[0]["source_row"] += 40  # the same record in another line of the file is the same record
    assert next_run("20201201-02")[1].fresh == ()
    world.cars[0]["plate"] = "桂M99999"
    assert [item.key for item in next_run("20201201-03")[1].fresh] == ["RA-02:1"]


def test_what_could_not_be_verified_comes_again_at_once(answered, next_run):
    number = answered("09")
    _, found = next_run()
    assert [item.key for item in found.fresh] == ["RA-02:1"]
    assert found.again == {"RA-02:1": number}


def test_an_exemption_lasts_until_its_last_day_and_no_longer(answered, next_run):
    answered("05", until=dt.date(2020, 12, 31))
    with clock.frozen(dt.date(2020, 12, 31)):
        assert next_run("20201231-01")[1].fresh == ()
    with clock.frozen(dt.date(2021, 1, 1)):
        assert [item.key for item in next_run("20210101-01")[1].fresh] == ["RA-02:1"]


def test_an_exemption_without_a_last_day_lasts_as_long_as_the_parameter_of_that_day_says(answered, next_run, office):
    notice = Notice(region="45", valid_from=dt.date(2020, 11, 1), source="桂扶办〔2020〕试行")
    set_parameter(office["province"], name="suspects.exempt_days", value="30", notice=notice)
    number = answered("05")
    assert row(number).outcome_until == dt.date(2020, 12, 16)
    with clock.frozen(dt.date(2020, 12, 17)):
        assert [item.key for item in next_run("20201217-01")[1].fresh] == ["RA-02:1"]


def test_an_exemption_that_is_over_before_it_begins_is_refused(answered, office):
    with pytest.raises(UntilUnusable):
        answered("05", until=dt.date(2020, 11, 15))
    number = Case.objects.for_writing().get().case_no
    assert row(number).step == "assigned"
    # a day beside an answer that knows none is of no account
    done = act(
        viewer=office["verifier"], case_no=number, action="verify", seen_version=row(number).version,
        answer=Answer(outcome="06", note="登记错误", until=dt.date(2020, 1, 1)),
    )  # fmt: skip
    assert done.outcome_until is None


def test_an_exemption_lasts_no_longer_than_it_may(answered, office):
    """A day in the year 9999 would keep the suspicion away for ever, whatever the record says."""
    with pytest.raises(UntilUnusable) as refusal:
        answered("05", until=dt.date(9999, 12, 31))
    assert refusal.value.values["last"] == "2030-11-24"
    number = Case.objects.for_writing().get().case_no
    assert row(number).step == "assigned"
    notice = Notice(region="45", valid_from=dt.date(2020, 11, 1), source="桂扶办〔2020〕试行")
    set_parameter(office["province"], name="suspects.exempt_days_at_most", value="365", notice=notice)
    answer = {"viewer": office["verifier"], "case_no": number, "action": "verify", "seen_version": row(number).version}
    with pytest.raises(UntilUnusable):
        act(**answer, answer=Answer(outcome="05", note="有证明", until=dt.date(2021, 11, 17)))
    done = act(**answer, answer=Answer(outcome="05", note="有证明", until=dt.date(2021, 11, 16)))
    assert done.outcome_until == dt.date(2021, 11, 16)


def test_evidence_that_came_while_the_case_was_open_is_a_question_of_its_own(answered, next_run, world, office):
    world.car(1, registered_on=dt.date(2012, 1, 1))
    run, found = next_run("20201117-01")
    assert len(found.repeated) == 1
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=2)
    answered("06")
    assert [item.key for item in next_run()[1].fresh] == ["RA-02:1"], "nobody was asked about the second car"


def test_new_evidence_opens_the_question_again_and_shows_the_answer_of_then(answered, next_run, world, office):
    number = answered("06")
    world.cars[0]["plate"] = "桂M99999"
    run, _ = next_run()
    issued = issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=1)
    assert (issued.opened, issued.muted) == (1, 0)
    case = Case.objects.visible_to(EYE).get(closed_at=None)
    assert (case.key, case.origin["earlier"]) == ("RA-02:1", number)
    for language, word in (("zh", "部门数据错误"), ("en", "department error")):
        told = declared.newest("suspect").callbacks.describe(case, office["town"], language)
        assert any(str(number) in line and word in line for line in told.warnings), told.warnings


def test_a_dropped_finding_leads_to_the_case_that_answered_it(answered, next_run, office):
    number = answered("06")
    run, _ = next_run()
    done = issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=1)
    assert (done.opened, done.muted) == (0, 1)
    screening = Screening.objects.visible_to(EYE).get(run=run)
    assert (screening.decision, screening.case_no) == (Decision.DROPPED, number)


def test_somebody_registered_twice_is_not_asked_again_under_his_other_number(answered, next_run, world):
    number = answered("06")
    world.people[0] |= {"in_household": False}
    world.person(village=VILLAGE)
    world.cars[0]["person_no"] = 2
    assert [item.key for item in next_run("20201201-01")[1].fresh] == ["RA-02:2"]
    with unrecorded():
        PersonAlias.objects.create(old_no=1, new_no=2, event_id="00000000-0000-4000-8000-000000000001")
    _, found = next_run("20201201-02")
    assert (found.fresh, [(item.key, no) for item, no in found.muted]) == ((), [("RA-02:2", number)])
