"""Where the cases of a selection go: one case of two counties, and a township without an office."""

import datetime as dt

import pytest

from tests.comparison.conftest import NEXT_COUNTY, VILLAGE, register, viewer
from tests.comparison.test_flow import do, row
from wanjia.casework.choices import Bar
from wanjia.casework.errors import NotYours
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseSubject
from wanjia.casework.services import act_in_bulk, foresee
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db
EYE = system_viewer("comparison.screen")
BEFORE = dt.date(2013, 5, 1)


def test_one_number_in_two_counties_is_one_case_of_both(world, office):
    """RB-06: each side is a subject in its own county, and their common city decides."""
    world.person(village=VILLAGE, person_key=77)
    world.person(village=NEXT_COUNTY, person_key=77)
    world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver()
    run = run_comparison(viewer=office["province"])
    wanted = Filters(rule="RB-06")
    issue_findings(viewer=office["province"], run_id=run.pk, filters=wanted, expected_count=1)
    [case] = Case.objects.for_writing()
    assert (case.topic, case.area_code, case.holder_area) == ("RB-06", "4512", "4512")
    subjects = CaseSubject.objects.visible_to(EYE).filter(case=case).order_by("person_no")
    assert [(item.person_no, item.household_no, item.area_code) for item in subjects] == [
        (1, 1, VILLAGE),
        (2, 2, NEXT_COUNTY),
    ]
    for county, sees in ((VILLAGE[:6], True), (NEXT_COUNTY[:6], True), ("451202", False)):
        rows = Case.objects.visible_to(viewer(county, "suspects.read", "cases.read"))
        assert rows.filter(pk=case.pk).exists() is sees


def test_what_goes_to_a_township_without_an_office_stays_with_the_county(world, office):
    """Everything or nothing of what can be sent; the rest stays and says why."""
    world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    world.car(world.person(village="451228105200"), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver()
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=2)
    every = CaseFilter(kind="suspect")
    act_in_bulk(viewer=office["city"], action="pass_on", case_filter=every, expected_count=2)
    found = foresee(office["county"], every, "distribute")
    nowhere = Case.objects.for_writing().get(area_code="451228105200")
    assert ([item.area for item in found.destinations], found.moving) == (["451228100"], 1)
    assert found.left == {Bar.NO_OFFICE: (nowhere.pk,)}
    with pytest.raises(NotYours):
        do(office["county"], nowhere.pk, "distribute")
    done = act_in_bulk(
        viewer=office["county"], action="distribute", case_filter=every, expected_count=2, expected_moving=1
    )
    assert (done.by_desk, done.skipped) == ({"451228100": 1}, {Bar.NO_OFFICE: 1})
    assert row(nowhere.pk).step == "dispatched_county"
