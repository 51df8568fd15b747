"""The rule run again before a decided case closes (domain.md §6.1, step 11), over real records and registry."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.casework.conftest import words
from tests.comparison.conftest import VILLAGE, register
from tests.comparison.test_flow import do, photograph, row, verified
from tests.factories.sources import delivery, number
from tests.factories.sources import row as car
from tests.ruleset.test_rule_files import RULE, dumped
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework import queries
from wanjia.casework.choices import Bar, Seat
from wanjia.casework.errors import ActionNotOffered, NotYours
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.rules import Action, Flow, Step, problems_of
from wanjia.casework.services import Draw, act_in_bulk, bulk, draw_sample
from wanjia.comparison import again, inputs
from wanjia.comparison.queries import Filters, each_finding
from wanjia.comparison.services import compare_now, issue_findings
from wanjia.kernel import clock
from wanjia.registry.models import Membership, Person
from wanjia.ruleset.packs import load_rules, pack_folders
from wanjia.scope.keys import keyring
from wanjia.scope.system import system_viewer
from wanjia.sources import services as sources

pytestmark = pytest.mark.django_db
EYE = system_viewer("comparison.case")
SHARE = Draw(take="take", rest="pass", share_parameter="suspects.sample_share")
DECIDED = CaseFilter(kind="suspect", step="county_closed")


@pytest.fixture
def people(world):
    """Three heads of households in one village: 韦一 and 韦二 had a car before identification, 韦三 has none."""
    for name in ("韦一", "韦二", "韦三"):
        world.person(village=VILLAGE, name=name)
    register(world)
    with unrecorded():
        for person_no in (1, 2, 3):
            Person.objects.visible_to(EYE).filter(pk=person_no).update(
                person_key=keyring().person_key(number(person_no))
            )


def deliver(tmp_path, rows, name="vehicles.csv"):
    path = tmp_path / name
    path.write_bytes(delivery(rows).encode("gb18030"))
    viewer = system_viewer("cli.intake")
    return sources.accept(viewer=viewer, batch_id=sources.receive(viewer=viewer, path=path).pk)


def old_car(serial, owner, **more):
    return car(serial, 所有人=owner, 初次登记日期="2013-05-01", **more)


@pytest.fixture
def cases(people, office, tmp_path):
    """The first comparison, issued: a case against 韦一 and one against 韦二."""
    deliver(tmp_path, [old_car(1, "韦一"), old_car(2, "韦二")])
    run = compare_now(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=2)
    return {case.origin["person_no"]: case.case_no for case in Case.objects.for_writing()}


def decided(office, case_no, outcome, correction=None):
    verified(office, case_no, outcome)
    if correction:
        do(office["operator"], case_no, "correct", correction=correction)
    do(office["town"], case_no, "review")
    return do(office["county"], case_no, "decide")


def kept(case_no, action):
    return CaseEvent.objects.of(row(case_no)).get(action=action).data["reexamined"]


def test_a_removed_household_is_not_suspected_again(cases, office):
    decided(office, cases[1], "04", {"change": "T5"})
    do(office["city"], cases[1], "take")
    assert kept(cases[1], "take")["again"] is False


def test_nobody_picks_what_closes_without_another_look(cases, office):
    """Else the least share of the sample would bind only those who draw one."""
    decided(office, cases[1], "04", {"change": "T5"})
    for who in ("city", "province"):
        with pytest.raises(NotYours) as refusal:
            do(office[who], cases[1], "pass")
        assert refusal.value.values["bar"] == Bar.ONLY_DRAWN
        with pytest.raises(ActionNotOffered):
            act_in_bulk(viewer=office[who], action="pass", case_filter=DECIDED, expected_count=1)
    assert [item.code for item in queries.bulk_actions(office["city"], DECIDED)] == ["take"]
    bars = {item.action.code: item.bar for item in queries.offers(office["city"], row(cases[1]))}
    assert bars == {"take": None, "pass": Bar.ONLY_DRAWN}
    assert row(cases[1]).step == "county_closed"


def test_a_correction_that_left_everything_as_it_was_is_told_to_whoever_samples_it(cases, office):
    decided(office, cases[1], "01", {"change": "measure", "measure": "已要求过户。"})
    do(office["city"], cases[1], "take")
    assert kept(cases[1], "take") == {
        "again": True, "records": 1, "new": 0, "rule": "RA-02", "rule_version": kept(cases[1], "take")["rule_version"],
        "zh": "按现有登记和部门记录复算，仍列为疑似（1 条记录，其中 0 条有变化）",
        "en": "run again over today's data, the rule still fires (records: 1, changed since: 0)",
    }  # fmt: skip
    do(office["city"], cases[1], "confirm")
    assert row(cases[1]).step == "closed", "whoever looked may say that it is right all the same"
    assert all(verify_event(event.event_id).true for event in CaseEvent.objects.of(row(cases[1])))


def test_an_exemption_or_a_departments_error_is_suspected_again_and_may_close(cases, office):
    decided(office, cases[1], "06")
    [found] = again.reexamine([row(cases[1])]).values()
    assert (found.again, found.contradicts) == (True, False)


def test_the_draw_takes_what_would_be_suspected_again_beside_its_share(cases, office):
    decided(office, cases[1], "01", {"change": "measure", "measure": "已要求过户。"})
    decided_two(office, cases[2])
    sample = draw_sample(viewer=office["city"], case_filter=DECIDED, expected_count=2, draw=SHARE)
    assert row(cases[1]).step == "sampled"
    assert sample.suspected == 1
    assert sample.drawn + sample.closed == 2
    assert kept(cases[1], "take")["again"] is True


def test_the_draw_asks_the_rules_once_for_all(cases, office, monkeypatch):
    """However many pieces the cases are moved in: what is slow is to read through the records."""
    decided(office, cases[1], "01", {"change": "measure", "measure": "已要求过户。"})
    decided_two(office, cases[2])
    started = []
    write = again.sandbox.write
    monkeypatch.setattr(again.sandbox, "write", lambda outputs: started.append(len(outputs)) or write(outputs))
    monkeypatch.setattr(bulk, "in_chunks", lambda numbers: [[number] for number in numbers])
    draw_sample(viewer=office["city"], case_filter=DECIDED, expected_count=2, draw=SHARE)
    assert started == [1]
    assert {kept(number, last_action(number))["again"] for number in cases.values()} == {True, False}


def last_action(case_no):
    return CaseEvent.objects.of(row(case_no)).order_by("-id")[0].action


def decided_two(office, case_no):
    """The second case is already in its township."""
    do(office["town"], case_no, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], case_no)
    do(office["verifier"], case_no, "verify", outcome="04", note="识别前已有轿车。")
    do(office["operator"], case_no, "correct", correction={"change": "T5"})
    do(office["town"], case_no, "review")
    do(office["county"], case_no, "decide")


def test_it_stands_on_the_records_of_today(cases, office, tmp_path):
    """韦二 sold the car: the next register no longer has it. 韦一's has another status now."""
    deliver(tmp_path, [old_car(1, "韦一", 品牌型号="五菱之光LZW6376"), car(9)], "next.csv")
    found = again.reexamine(list(Case.objects.for_writing()))
    assert {number: answer.again for number, answer in found.items()} == {cases[1]: True, cases[2]: False}
    assert found[cases[1]].facts["new"] == 1, "the record changed since the case was opened"


def test_it_stands_on_the_number_of_today(cases, office):
    """The number was somebody else's and has been corrected: the car is not this person's any more."""
    with unrecorded():
        Person.objects.visible_to(EYE).filter(pk=1).update(person_key=keyring().person_key(number(77)))
    assert again.reexamine([row(cases[1])])[cases[1]].again is False


def test_a_whole_run_would_find_the_same(cases, office, tmp_path, world):
    """Siblings under one number, changed records, a corrected number: always what a run of today finds."""
    with unrecorded():
        Person.objects.visible_to(EYE).filter(pk=3).update(person_key=keyring().person_key(number(1)))
    deliver(tmp_path, [old_car(1, "韦一"), old_car(4, "韦三", 身份证明号码=number(1))], "next.csv")
    answers = again.reexamine(list(Case.objects.for_writing()))
    run = compare_now(viewer=office["province"])
    whole = {(item.rule, item.person_no) for item in each_finding(office["province"], run.pk)}
    for case in Case.objects.for_writing():
        asked = (case.origin["rule"], case.origin["person_no"])
        assert answers[case.case_no].again is (asked in whole)


def test_without_its_records_it_says_so_and_stands_in_nobodys_way(cases, office, home):
    decided(office, cases[1], "01", {"change": "measure", "measure": "已要求过户。"})
    shutil.rmtree(home / "lake/sources")
    assert again.reexamine([row(cases[1])])[cases[1]] == again.NO_RECORDS
    do(office["city"], cases[1], "take")
    do(office["city"], cases[1], "confirm")
    assert row(cases[1]).step == "closed"


# Rules of other shapes than the shipped ones of vehicles

FIXTURES = {
    "given": {"vehicle_status": "正常", "poverty_status": "0"},
    "cases": [
        {"name": "两辆", "records": [{}, {}], "fires": True, "why": "两辆"},
        {"name": "一辆", "fires": False, "why": "一辆"},
        {"name": "没有", "records": [], "fires": False, "why": "没有"},
    ],
}
FLEET = {
    "shape": "aggregate", "per": "household", "dataset": "gongan.vehicles", "measures": None, "parameters": None,
    "record": "vehicle_status = '正常'", "totals": {"cars": {"zh": "辆数", "en": "cars", "how": "count"}},
    "when": "cars >= 2 and poverty_status in ('0', '1')", "evidence": ["cars"],
    "explain": {"zh": "全户 {cars} 辆", "en": "{cars} cars"}, "fixtures": FIXTURES,
}  # fmt: skip


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """A rule beside the shipped ones: two cars in one household, whoever of it owns them."""
    folder = tmp_path / "pack"
    folder.mkdir()
    document = {key: value for key, value in {**RULE, **FLEET, "id": "RA-92"}.items() if value is not None}
    (folder / "RA-92.yaml").write_text(dumped(document), encoding="utf-8")
    shutil.copytree(pack_folders()[0] / "datasets", folder / "datasets")
    both = load_rules([folder])
    monkeypatch.setattr(inputs, "load_rules", lambda region: both)


def test_what_a_household_adds_up_to_is_added_up_over_everybody_in_it(fleet, world, office, tmp_path):
    home = world.household()
    for name in ("韦一", "韦二"):
        world.person(home, name=name)
    register(world)
    with unrecorded():
        for person_no in (1, 2):
            Person.objects.visible_to(EYE).filter(pk=person_no).update(
                person_key=keyring().person_key(number(person_no))
            )
    deliver(tmp_path, [old_car(1, "韦一"), old_car(2, "韦二")])
    run = compare_now(viewer=office["province"])
    [finding] = each_finding(office["province"], run.pk, Filters())
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=1)
    [case] = Case.objects.for_writing()
    [answer] = again.reexamine([case]).values()
    assert (finding.person_no, answer.again, answer.facts["new"]) == (1, True, 0)
    with unrecorded():
        members = Membership.objects.visible_to(EYE)
        members.filter(person_no=1).update(relation="03")
        members.filter(person_no=2).update(relation="01")
    [answer] = again.reexamine([case]).values()
    assert answer.again is True, "the household is the same, whoever is its head by now"
    deliver(tmp_path, [old_car(1, "韦一"), car(9)], "next.csv")
    [answer] = again.reexamine([case]).values()
    assert answer.again is False


def test_people_held_against_others_by_more_than_their_number_need_a_whole_comparison(cases, monkeypatch):
    [bound] = [item for item in inputs.active_rules("45", clock.today()) if item.rule.id == "RB-06"]
    by_house = replace(bound, rule=replace(bound.rule, id="RA-02", other=replace(bound.rule.other, keys=("hukou_no",))))
    monkeypatch.setattr(inputs, "active_rules", lambda region, on: [by_house])
    assert again.reexamine([row(cases[1])]) == {cases[1]: again.NOT_ALONE}


def test_a_rule_out_of_force_is_not_run_again(cases):
    case = row(cases[1])
    case.origin["rule"] = "RA-99"
    assert again.reexamine([case]) == {case.case_no: again.NOT_IN_FORCE}


def test_a_case_that_no_rule_raised_is_not_asked_about(cases):
    case = row(cases[1])
    case.origin = {}
    assert again.reexamine([case]) == {}


def test_a_flow_cannot_close_unlooked_what_it_does_not_reexamine():
    close = Action(
        code="close", title=words("办结"), consequence=words("办结"), permission="x", to="closed", unlooked=True
    )
    steps = (
        Step(code="open", title=words("办理"), seat=Seat.CITY, days_parameter="x", actions=(close,)),
        Step(code="closed", title=words("办结"), seat=Seat.CITY),
    )
    flow = Flow(
        kind="x", version=1, title=words("x"), read_permission="x", open_permission="x", first="open", steps=steps
    )
    assert problems_of(flow) == ["open/close closes a case unlooked without re-examining it"]
