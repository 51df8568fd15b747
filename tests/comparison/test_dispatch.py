"""Screening and issue: a selection of findings becomes cases on the cities' desks, each suspicion once."""

import copy
import datetime as dt

import pytest

from tests.comparison.conftest import NEXT_COUNTY, VILLAGE, register, viewer
from wanjia.audit.models import Opening
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework.models import Case, CaseSubject
from wanjia.comparison.choices import Decision
from wanjia.comparison.errors import FindingsChanged, NothingToIssue
from wanjia.comparison.models import Screening
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison, screen
from wanjia.kernel import clock
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built")]
EYE = system_viewer("comparison.screen")
BEFORE, AFTER = dt.date(2013, 5, 1), dt.date(2018, 5, 1)


@pytest.fixture
def province(office):
    return office["province"]


@pytest.fixture(scope="module")
def built(standing):
    world = standing.world
    world.car(world.person(), registered_on=BEFORE)
    world.car(world.person(village=VILLAGE), registered_on=AFTER)
    rich = world.person(village=NEXT_COUNTY)
    world.car(rich, registered_on=BEFORE)
    world.car(rich, registered_on=dt.date(2014, 1, 1))
    world.car(world.person(village=VILLAGE), registered_on=BEFORE)
    register(world)
    world.publish()
    world.deliver(area="4512")
    return run_comparison(viewer=standing.office["province"])


@pytest.fixture
def run(built):
    """Five findings: four people, one of them with two cars of before identification."""
    return copy.deepcopy(built)


def again(world, province, snapshot):
    """The next round over a new delivery."""
    world.publish(snapshot)
    world.deliver(snapshot, area="4512")
    return run_comparison(viewer=province)


def close(case_no, outcome, until=None):
    """A case that was answered long ago."""
    with unrecorded():
        Case.objects.for_writing().filter(pk=case_no).update(
            step="closed", closed_at=clock.now(), outcome=outcome, outcome_until=until, due_on=None, warn_on=None
        )


def test_each_suspicion_becomes_one_case_on_its_citys_desk(run, province):
    issued = issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5)
    assert (issued.opened, issued.by_city, issued.repeated, issued.muted) == (4, {"4512": 4}, 0, 0)
    cases = list(Case.objects.visible_to(EYE).order_by("key"))
    assert [case.key for case in cases] == ["RA-02:1", "RA-02:3", "RA-02:4", "RA-02B:2"]
    assert {(case.step, case.holder_area, case.department) for case in cases} == {("issued", "4512", "gongan")}
    assert cases[1].area_code == NEXT_COUNTY
    assert len(cases[1].origin["findings"]) == 2, "both cars of one person are one question"
    assert CaseSubject.objects.visible_to(EYE).get(case=cases[0]).person_no == 1


def test_every_finding_is_screened_once_and_says_with_which_case(run, province):
    issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5)
    rows = list(Screening.objects.visible_to(EYE).order_by("finding_no"))
    assert [row.finding_no for row in rows] == [1, 2, 3, 4, 5]
    assert {row.decision for row in rows} == {Decision.ISSUED}
    assert all(row.case_no for row in rows)


def test_a_rule_is_issued_alone_and_the_rest_stays(run, province):
    issued = issue_findings(viewer=province, run_id=run.pk, filters=Filters(rule="RA-02B"), expected_count=1)
    assert issued.opened == 1
    assert screen(province, run.pk, Filters()).decided == 1
    assert issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5).opened == 3


def test_the_act_is_on_record_with_its_rows(run, province):
    issue_findings(viewer=province, run_id=run.pk, filters=Filters(rule="RA-02"), expected_count=4)
    entries = {entry.act: entry for entry in Opening.objects.visible_to(EYE).filter(kind="dispatch")}
    assert entries["suspect.open"].payload["details"]["count"] == 3
    assert entries["comparison.screen"].payload["details"]["count"] == 4
    assert entries["suspect.open"].payload["content"]["filter"] == {"rule": "RA-02"}
    assert all(verify_event(entry.event_id).true for entry in entries.values())


def test_a_selection_that_changed_issues_nothing(run, province):
    with pytest.raises(FindingsChanged) as refusal:
        issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=4)
    assert refusal.value.values == {"expected": 4, "found": 5}
    assert not Case.objects.visible_to(EYE).exists()


def test_the_second_press_of_the_button_finds_everything_decided(run, province):
    issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5)
    with pytest.raises(NothingToIssue):
        issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5)


def test_only_the_province_issues(run, office):
    with pytest.raises(NotAllowed):
        issue_findings(viewer=office["city"], run_id=run.pk, filters=Filters(), expected_count=5)


def test_whoever_issues_for_one_city_reaches_no_other(run):
    elsewhere = viewer("4509", "comparison.read", "comparison.issue")
    with pytest.raises(NothingToIssue):
        issue_findings(viewer=elsewhere, run_id=run.pk, filters=Filters(), expected_count=0)


def test_the_next_round_opens_no_second_case_while_one_is_open(run, world, province):
    issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5)
    later = again(world, province, "20201201-01")
    issued = issue_findings(viewer=province, run_id=later.pk, filters=Filters(), expected_count=5)
    assert (issued.opened, issued.repeated) == (0, 4)
    row = Screening.objects.visible_to(EYE).filter(run=later, person_no=1).get()
    assert (row.decision, row.case_no) == (Decision.REPEATED, Case.objects.visible_to(EYE).get(key="RA-02:1").case_no)


@pytest.mark.parametrize(
    ("outcome", "until", "comes_back"),
    [
        ("06", None, False),  # a department's error stays answered until the record changes
        ("04", None, False),
        ("09", None, True),  # "could not verify" settles nothing
        ("05", dt.date(2021, 12, 31), False),  # an exemption holds until its last day
        ("05", dt.date(2020, 11, 15), True),
    ],
)
def test_how_long_an_answer_lasts(run, world, province, outcome, until, comes_back):
    issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5)
    close(Case.objects.visible_to(EYE).get(key="RA-02:1").case_no, outcome, until)
    later = again(world, province, "20201201-01")
    sorted_out = screen(province, later.pk, Filters())
    assert [item.key for item in sorted_out.fresh] == (["RA-02:1"] if comes_back else [])
    assert len(sorted_out.muted) == (0 if comes_back else 1)


def test_a_changed_record_reopens_the_question(run, world, province):
    issue_findings(viewer=province, run_id=run.pk, filters=Filters(), expected_count=5)
    close(Case.objects.visible_to(EYE).get(key="RA-02:1").case_no, "06")
    world.cars[0]["plate"] = "桂M99999"
    later = again(world, province, "20201201-01")
    assert [item.key for item in screen(province, later.pk, Filters()).fresh] == ["RA-02:1"]
