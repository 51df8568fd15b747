"""The whole way of a suspect, step by step, as six people walk it (domain.md §6.1)."""

import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from tests.comparison.conftest import NEXT_VILLAGE, VILLAGE, register
from tests.factories.sources import number
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.services import NewAccount, NewGrant, open_accounts
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework import declared, presenting, queries
from wanjia.casework.choices import Bar
from wanjia.casework.errors import AnswerIncomplete, AssigneeBarred, NotYours, NumberInText
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.rules import problems_of
from wanjia.casework.services import Answer, Draw, act, act_in_bulk, draw_sample, foresee
from wanjia.comparison.errors import CorrectionNotPossible
from wanjia.comparison.flows import SUSPECT
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.files.services import store
from wanjia.files.uploads import sealed_from
from wanjia.kernel import clock
from wanjia.registry.models import Change, Household, Membership, Person
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer
from wanjia.sources.models import Batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cases")]
EYE = system_viewer("comparison.case")
SMALL_TABLES = "FROM .(divisions|reference)_"  # kept in memory, looked at again every few seconds
SHARE = Draw(take="take", rest="pass", share_parameter="suspects.sample_share")


@pytest.fixture(scope="module")
def cases(standing):
    """Two suspects in one village: a car of before identification (1) and one of after (2)."""
    world, office = standing.world, standing.office
    world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    world.car(world.person(village=VILLAGE), registered_on=dt.date(2018, 5, 1))
    register(world)
    world.publish()
    world.deliver()
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=2)
    return {case.topic: case.case_no for case in Case.objects.for_writing()}


def row(case_no):
    return Case.objects.for_writing().get(pk=case_no)


def do(viewer, case_no, action, **answer):
    return act(
        viewer=viewer, case_no=case_no, action=action, seen_version=row(case_no).version, answer=Answer(**answer)
    )


def down_to_town(office):
    every = CaseFilter(kind="suspect")
    for who, action in (("city", "pass_on"), ("county", "distribute")):
        act_in_bulk(
            viewer=office[who], action=action, case_filter=every, expected_count=queries.count(office[who], every)
        )


def photograph(viewer, case_no):
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 180, 150)).save(content, "JPEG")
    upload = sealed_from(content.getvalue(), "door.jpg", "evidence")
    return store(
        viewer=viewer,
        upload=upload,
        owner_kind="case",
        owner_id=case_no,
        area=row(case_no).area_code,
        purpose="evidence",
    )


def verified(office, case_no, outcome, **more):
    down_to_town(office)
    do(office["town"], case_no, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], case_no)
    return do(office["verifier"], case_no, "verify", outcome=outcome, note="入户查看车辆，已拍照。", **more)


def test_the_declared_flow_is_sound():
    assert problems_of(SUSPECT) == []
    assert declared.newest("suspect").flow == SUSPECT


def test_a_wrongly_identified_household_leaves_the_registry_by_six_hands(cases, office):
    number = cases["RA-02"]
    verified(office, number, "04")
    do(office["operator"], number, "correct", correction={"change": "T5"})
    do(office["town"], number, "review")
    assert Household.objects.visible_to(EYE).get(pk=1).is_live, "nothing changes before the county decides"
    do(office["county"], number, "decide")
    household = Household.objects.visible_to(EYE).get(pk=1)
    assert (household.standing, household.member_count) == ("removed", 0)
    assert Membership.objects.visible_to(EYE).get(household_no=1).member_status == "10"
    changes = Change.objects.visible_to(EYE).filter(household_no=1)
    assert {change.case_no for change in changes} == {number}
    every = CaseFilter(kind="suspect", step="county_closed")
    sample = draw_sample(viewer=office["city"], case_filter=every, expected_count=1, draw=SHARE)
    assert sample.drawn == 1
    do(office["city"], number, "confirm")
    case = row(number)
    assert (case.step, case.outcome) == ("closed", "04")
    events = list(CaseEvent.objects.of(case).order_by("id"))
    assert [event.to_step for event in events] == [
        "issued", "dispatched_county", "dispatched_town", "assigned", "verified", "corrected", "town_reviewed",
        "county_closed", "sampled", "closed",
    ]  # fmt: skip
    assert len({event.by_user for event in events}) == 6
    assert all(verify_event(event.event_id).true for event in events)


def test_the_villages_secretary_goes_to_the_door_like_any_verifier(cases, office):
    """domain.md §16.3: whoever leads the village verifies what he is given there, and nowhere else."""
    number, other = cases["RA-02"], cases["RA-02B"]
    down_to_town(office)
    accounts = [
        NewAccount(name, name, area, grants=[NewGrant("village_secretary", area)])
        for name, area in (("secretary", VILLAGE), ("neighbour", NEXT_VILLAGE))
    ]
    ours, theirs = open_accounts(viewer=system_viewer("accounts.administer"), accounts=accounts)
    secretary = viewer_for(ours)
    with pytest.raises(AssigneeBarred):
        do(office["town"], number, "assign", assignee=theirs.pk)
    do(office["town"], number, "assign", assignee=ours.pk)
    assert list(queries.work_queue(secretary)) == [row(number)]
    assert {case.case_no for case in Case.objects.visible_to(secretary)} == {number, other}, "he reads his village's"
    do(office["town"], other, "assign", assignee=office["verifier"].user_id)
    with pytest.raises(NotYours):
        do(secretary, other, "verify", outcome="08", note="车辆已过户。")
    photograph(secretary, number)
    do(secretary, number, "verify", outcome="04", note="入户查看车辆，已拍照。")
    with pytest.raises(NotYours):
        do(secretary, number, "correct", correction={"change": "T5"})
    do(office["operator"], number, "correct", correction={"change": "T5"})
    assert not Case.objects.visible_to(viewer_for(theirs)).exists()


def test_the_page_of_a_case_asks_little_at_every_step(cases, office):
    """Up to seven statements more are the session's, the viewer's, the case's own and the frame's."""
    number, told = cases["RA-02"], {}
    everybody = {name: office[name] for name in office.users}

    def read_by_all():
        for who, viewer in everybody.items():
            case = Case.objects.visible_to(viewer).filter(pk=number).first()
            if case is None:
                continue
            with CaptureQueriesContext(connection) as asked:
                page = presenting.case_page(case, viewer, "zh")
            chooses = any(offer.candidates for offer in page.can)
            said = [query for query in asked.captured_queries if not re.search(SMALL_TABLES, query["sql"])]
            told[case.step, who, "chooses" if chooses else "acts" if page.can else "reads"] = len(said)

    down_to_town(office)
    read_by_all()
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], number)
    read_by_all()
    do(office["verifier"], number, "verify", outcome="04", note="入户查看车辆，已拍照。")
    read_by_all()
    do(office["operator"], number, "correct", correction={"change": "T5"})
    read_by_all()
    do(office["town"], number, "review")
    read_by_all()
    do(office["county"], number, "decide")
    read_by_all()

    assert len({step for step, _, _ in told}) == 6
    most = {"reads": 12, "acts": 15, "chooses": 17}
    assert {key[2] for key in told} == most.keys()
    assert {key: n for key, n in told.items() if n > most[key[2]]} == {}


def test_a_later_car_leads_to_a_normal_exit(cases, office):
    number = cases["RA-02B"]
    verified(office, number, "03")
    with pytest.raises(CorrectionNotPossible):
        do(office["operator"], number, "correct", correction={"change": "T5"})
    with pytest.raises(CorrectionNotPossible):
        do(office["operator"], number, "correct", correction={"change": "T3", "exit_year": "2031"})
    do(office["operator"], number, "correct", correction={"change": "T3", "exit_year": "2020"})
    do(office["town"], number, "review")
    do(office["county"], number, "decide")
    household = Household.objects.visible_to(EYE).get(pk=2)
    assert (household.poverty_status, household.exit_year, household.is_live) == ("1", 2020, True)


def test_a_corrected_value_is_written_with_the_case_that_asked_for_it(cases, office):
    number = cases["RA-02"]
    verified(office, number, "02")
    with pytest.raises(CorrectionNotPossible):
        do(office["operator"], number, "correct", correction={"change": "identified", "identified_year": "1999"})
    do(office["operator"], number, "correct", correction={"change": "identified", "identified_year": "2014"})
    do(office["town"], number, "review")
    do(office["county"], number, "decide")
    assert Household.objects.visible_to(EYE).get(pk=1).identified_year == 2014
    assert Change.objects.visible_to(EYE).get(household_no=1, field="identified_year").case_no == number
    assert row(number).outcome == "01", "under correction becomes corrected when the county decides"


def test_an_answer_holds_what_was_asked_for_and_no_number_anywhere(cases, office):
    case_no = cases["RA-02"]
    down_to_town(office)
    do(office["town"], case_no, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], case_no)
    with pytest.raises(NumberInText):
        do(office["verifier"], case_no, "verify", outcome="04", note="属实", checked=(f"核对 {number(7)}",))
    do(office["verifier"], case_no, "verify", outcome="04", note="属实", checked=("车辆外观",))
    with pytest.raises(NumberInText):
        do(office["operator"], case_no, "correct", correction={"change": "T5", number(7): "x"})
    with pytest.raises(CorrectionNotPossible):
        do(office["operator"], case_no, "correct", correction={"change": "T5", "aside": "x" * 100_000})
    do(office["operator"], case_no, "correct", correction={"change": "T5"})


def test_what_is_not_true_needs_no_correction_and_no_photo(cases, office):
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], number, "verify", outcome="07", note="同名同号登记有误，车主另有其人。")
    assert row(number).step == "verified_no_change"
    do(office["town"], number, "review")
    shown = presenting.case_page(row(number), office["county"], "zh")
    assert "建档立卡不作改动" in next(item.consequence for item in shown.can if item.code == "decide")
    do(office["county"], number, "decide")
    assert Household.objects.visible_to(EYE).get(pk=1).is_live
    assert SUSPECT.outcome("07").feedback


def test_reviewed_and_decided_together_except_what_changes_the_registry(cases, office, world):
    wrongly, later = cases["RA-02"], cases["RA-02B"]
    verified(office, wrongly, "04")
    do(office["operator"], wrongly, "correct", correction={"change": "T5"})
    do(office["town"], later, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], later, "verify", outcome="06", note="车已转卖，当年即过户。")
    for step in ("verified_no_change", "corrected"):
        waiting = CaseFilter(step=step)
        assert act_in_bulk(viewer=office["town"], action="review", case_filter=waiting, expected_count=1).done == 1

    reviewed = CaseFilter(step="town_reviewed")
    shown = foresee(office["county"], reviewed, "decide")
    done = act_in_bulk(
        viewer=office["county"], action="decide", case_filter=reviewed, expected_count=2, expected_moving=shown.moving
    )

    assert (done.done, dict(done.skipped), shown.left) == (1, {Bar.PROPOSES: 1}, {Bar.PROPOSES: (wrongly,)})
    assert [row(number).step for number in (wrongly, later)] == ["town_reviewed", "county_closed"]
    assert not Change.objects.visible_to(EYE).filter(case_no__in=[wrongly, later]).exists()


def test_the_page_says_whose_turn_it_is_and_whose_record_says_what(cases, office):
    number = cases["RA-02"]
    verified(office, number, "04")
    shown = presenting.case_page(row(number), office["county"], "zh")
    assert {item.code: item.bar for item in shown.cannot}["correct"] == f"该由{VILLAGE}的村级操作员办理"
    facts = {fact.label: (fact.ours, fact.theirs, fact.differs) for fact in shown.told.facts}
    assert facts["识别年度"] == ("2015", "", False)
    assert facts["号牌号码"][1].startswith("桂M")


def test_a_true_finding_must_be_proven(cases, office):
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    with pytest.raises(AnswerIncomplete):
        do(office["verifier"], number, "verify", outcome="04", note="属实")
    stored = photograph(office["verifier"], number)
    do(office["verifier"], number, "verify", outcome="04", note="属实")
    event = CaseEvent.objects.of(row(number)).get(action="verify")
    assert event.data["evidence"] == [stored.content_key]


def test_a_photo_of_the_last_visit_does_not_prove_this_one(cases, office):
    number = cases["RA-02"]
    with clock.frozen(dt.date(2020, 11, 16)) as advance:
        verified(office, number, "04")
        advance(dt.timedelta(hours=2))
        do(office["operator"], number, "dispute", reason="照片看不清车牌")
        advance(dt.timedelta(hours=1))
        with pytest.raises(AnswerIncomplete):
            do(office["verifier"], number, "verify", outcome="04", note="属实")


def test_the_second_suspect_of_a_removed_household_finds_it_done(cases, office, world):
    number = cases["RA-02"]
    verified(office, number, "04")
    do(office["operator"], number, "correct", correction={"change": "T5"})
    do(office["town"], number, "review")
    with unrecorded():
        Household.objects.visible_to(EYE).filter(pk=1).update(
            standing="removed", poverty_status="", member_count=0, removed_on=dt.date(2020, 11, 1)
        )
    do(office["county"], number, "decide")
    assert CaseEvent.objects.of(row(number)).get(action="decide").data["already"] == "T5"


def test_a_reopened_case_is_verified_again(cases, office):
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], number, "verify", outcome="08", note="车辆已过户，有过户单。")
    do(office["town"], number, "review")
    do(office["county"], number, "decide")
    do(office["city"], number, "take")
    do(office["city"], number, "reopen", reason="过户单日期晚于比对日期")
    case = row(number)
    assert (case.step, case.holder_area, case.outcome) == ("reopened", "451228", "")
    do(office["county"], number, "distribute")
    assert row(number).step == "dispatched_town"


# Who must not act


def test_the_verifier_does_not_review_nor_the_reviewer_decide(cases, office):
    number = cases["RA-02"]
    verified(office, number, "06")
    with unrecorded():
        for name, role, area in (("verifier", "township_reviewer", "451228100"), ("town", "county_office", "451228")):
            from wanjia.accounts.models import GrantRow

            GrantRow.objects.create(
                user=office.users[name], role_id=role, area_code=area, relation="all",
                valid_from=dt.date(2020, 1, 1), granted_by=0,
            )  # fmt: skip
    with pytest.raises(NotYours) as refusal:
        do(office["verifier"], number, "review")
    assert refusal.value.values["bar"] == Bar.TOOK_PART
    do(office["town"], number, "review")
    with pytest.raises(NotYours) as refusal:
        do(office["town"], number, "decide")
    assert refusal.value.values["bar"] == Bar.TOOK_PART
    do(office["second_county"], number, "decide")


def test_who_entered_the_household_is_listed_as_ineligible_with_the_reason(cases, office):
    number = cases["RA-02"]
    down_to_town(office)
    with unrecorded():
        Household.objects.visible_to(EYE).filter(pk=1).update(entered_by=office["verifier"].user_id)
    case = row(number)
    listed = queries.candidates(case, case.flow.action("dispatched_town", "assign"), "zh")
    assert [(item.name, item.bar) for item in listed] == [("Verifier", Bar.ENTERED_DATA)]
    with pytest.raises(AssigneeBarred):
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)


def test_a_member_of_the_household_neither_verifies_nor_approves(cases, office):
    number = cases["RA-02"]
    with unrecorded():
        from wanjia.registry.models import Person

        Person.objects.visible_to(EYE).filter(pk=1).update(person_key=4711)
        for name in ("verifier", "town"):
            type(office.users[name])._base_manager.filter(pk=office.users[name].pk).update(id_key=None)
        type(office.users["verifier"])._base_manager.filter(pk=office.users["verifier"].pk).update(id_key=4711)
    down_to_town(office)
    with pytest.raises(AssigneeBarred) as refusal:
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    assert refusal.value.values["bar"] == Bar.OWN_HOUSEHOLD


def _is_person(office, name, person_no, key=4711):
    """Let an account's holder be somebody who is registered himself."""
    with unrecorded():
        Person.objects.visible_to(EYE).filter(pk=person_no).update(person_key=key)
        office.users[name]._meta.model._base_manager.filter(pk=office.users[name].pk).update(id_key=key)


def _stayed(person_no, household_no, status="11"):
    with unrecorded():
        Membership.objects.create(
            person_no=person_no,
            household_no=household_no,
            village_code=VILLAGE,
            relation="03",
            member_status=status,
            latest=False,
        )


def _bar_of_the_verifier(office, number):
    case = row(number)
    [listed] = queries.candidates(case, case.flow.action("dispatched_town", "assign"), "zh")
    return listed.bar


def test_a_daughter_who_married_out_does_not_verify_her_parents(cases, office):
    number = cases["RA-02"]  # about household 1
    down_to_town(office)
    _is_person(office, "verifier", 2)
    assert _bar_of_the_verifier(office, number) is None
    _stayed(2, 1)
    assert _bar_of_the_verifier(office, number) is Bar.RELATIVE


def test_nor_does_who_once_shared_a_home_with_one_of_them(cases, office):
    number = cases["RA-02"]
    down_to_town(office)
    _is_person(office, "verifier", 2)
    _stayed(1, 2)  # the head of household 1 lived in the verifier's, his brother's perhaps
    assert _bar_of_the_verifier(office, number) is Bar.RELATIVE
    with pytest.raises(AssigneeBarred):
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)


def test_whoever_was_registered_twice_is_the_same_relative(cases, office, world):
    number = cases["RA-02"]
    down_to_town(office)
    _is_person(office, "verifier", 2)
    with unrecorded():
        Person.objects.create(
            person_no=9, national_person_no="P9", id_valid=True, household_no=2, village_code=VILLAGE, name="覃1",
            name_match="覃1", person_key=88,
        )  # fmt: skip
        Person.objects.visible_to(EYE).filter(pk=1).update(person_key=88)
    _stayed(9, 2)
    assert _bar_of_the_verifier(office, number) is Bar.RELATIVE


def test_the_contact_may_verify_but_not_approve_his_household(cases, office):
    number = cases["RA-02"]
    for name in ("verifier", "town"):
        Holding.objects.create(
            user_id=office[name].user_id, relation="own_households", subject_kind="household", subject_id=1,
            valid_from=dt.date(2020, 1, 1),
        )  # fmt: skip
    down_to_town(office)
    case = row(number)
    listed = queries.candidates(case, case.flow.action("dispatched_town", "assign"), "zh")
    assert [(item.name, item.bar, bool(item.remark)) for item in listed] == [("Verifier", None, True)]
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], number, "verify", outcome="06", note="车管部门登记错误")
    with pytest.raises(NotYours) as refusal:
        do(office["town"], number, "review")
    assert refusal.value.values["bar"] == Bar.PAIRED


def test_the_next_township_sees_nothing_of_it(cases, office):
    down_to_town(office)
    assert not Case.objects.visible_to(office["next_town"])
    assert not queries.work_queue(office["next_verifier"])
    assert queries.count(office["next_town"], CaseFilter(kind="suspect")) == 0


# What the page says


def test_the_case_says_its_question_both_records_and_what_to_check(cases, office):
    case = row(cases["RA-02"])
    callbacks = declared.newest("suspect").callbacks
    told = callbacks.describe(case, office["town"], "zh")
    assert told.question == "覃1 疑似“名下车辆（识别当年及以前登记）”，请核实。"
    assert "2013-05-01" in told.explanation
    facts = {fact.label: fact for fact in told.facts}
    dated = next(fact for fact in told.facts if fact.theirs == "2013-05-01")
    assert dated.differs
    assert facts["姓名"].ours == "覃1"
    assert len(told.checks) == 4
    assert told.warnings == ()


def test_lists_show_masked_names(cases, office):
    case = row(cases["RA-02"])
    line = declared.newest("suspect").callbacks.headlines([case], office["town"], "zh")[case.case_no]
    assert "覃1" not in line
    assert line.endswith("名下车辆（识别当年及以前登记）")


def test_batches_stay_what_they_were(cases):
    assert Batch.objects.visible_to(EYE).count() == 1
