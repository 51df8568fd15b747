"""Opening many cases at once leaves the very rows that opening them one by one through the models leaves."""

import datetime as dt
from collections import Counter

import pytest
from django.db import connection, transaction

from tests.casework.conftest import FAR_VILLAGE, VILLAGE
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.queries import verify_event
from wanjia.audit.rules import SALT_SIZE
from wanjia.audit.services import Kind
from wanjia.casework import declared
from wanjia.casework.models import Case, CaseCounter, CaseEvent, CaseMove, CaseSubject
from wanjia.casework.rules import common_area
from wanjia.casework.services import CaseSpec, SubjectSpec, dates_for, open_cases
from wanjia.casework.services.moves import OPENED, Act, enter
from wanjia.kernel import clock
from wanjia.scope import bulk
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db
EYE = system_viewer("casework.escalate")
OTHER_VILLAGE = "451229100201"


def specs():
    """Households, people and keys, of one place, two townships, two counties; a note in Chinese with quotes."""
    found = [
        CaseSpec(
            key=f"R{number % 3}:{number}", topic=f"R{number % 3}", department="roofs" if number % 2 else "",
            origin={"run": number, "说明": '引"号,\n换行', "list": [1, None, 2.5]} if number % 4 else {},
            subjects=(SubjectSpec(area_code=VILLAGE, household_no=number, person_no=10 * number or None),),
        )
        for number in range(1, 60)
    ]  # fmt: skip
    far = SubjectSpec(area_code=FAR_VILLAGE, key=-(2**40))
    near = SubjectSpec(area_code=VILLAGE, household_no=77)
    other = SubjectSpec(area_code=OTHER_VILLAGE, person_no=88)
    pairs = [(far,), (far, near), (near, other), (near, far, other)]
    return found + [CaseSpec(key=f"P:{at}", topic="P", subjects=pair) for at, pair in enumerate(pairs)]


def opened_by_models(viewer):
    """The same, one by one."""
    flow = declared.newest("leak").flow
    step = flow.step(flow.first)
    act, dates = Act(viewer, flow, OPENED, Kind.DISPATCH), dates_for(step)
    wanted = specs()
    for spec in wanted:
        case = Case(
            kind="leak", flow_version=flow.version, topic=spec.topic, key=spec.key, department=spec.department,
            household_no=next((item.household_no for item in spec.subjects if item.household_no is not None), None),
            area_code=common_area(item.area_code for item in spec.subjects), opened_at=act.at, origin=dict(spec.origin),
        )  # fmt: skip
        enter(case, step, dates, act.at)
        case.save()
        for item in spec.subjects:
            CaseSubject(
                case=case, subject_kind=item.kind, household_no=item.household_no, person_no=item.person_no,
                key=item.key, area_code=item.area_code, apart=item.area_code != case.area_code,
            ).save()  # fmt: skip
        act.write([("", None, case)])
    act.record(content={"n": len(wanted)})


def everything():
    """Every row that was written, without what chance or a sequence chose."""
    cases = list(Case.objects.for_writing().order_by("pk").values())
    names = {case.pop("case_no"): at for at, case in enumerate(cases)}
    subjects = list(CaseSubject._base_manager.order_by("pk").values())
    events = list(CaseEvent._base_manager.order_by("pk").values())
    for row in (*subjects, *events):
        row["case_id"] = names[row["case_id"]]
        row.pop("id")
    for row in events:
        assert len(bytes(row.pop("salt"))) == SALT_SIZE
    assert len({row.pop("event_id") for row in events}) == 1
    figures = []
    for model in (CaseCounter, CaseMove):
        keys = [field.name for field in model._meta.fields if field.name not in ("id", "n", "folded")]
        added = Counter()
        for *key, n in model.objects.overseen_by(EYE).values_list(*keys, "n"):
            added[tuple(key)] += n
        figures.append(added)
    opening = Opening.objects.visible_to(EYE).latest("id")
    assert Outbox.objects.filter(event_id=opening.event_id).count() == 1
    said = {key: value for key, value in opening.payload.items() if key not in ("event_id", "at", "details")}
    return cases, subjects, events, figures, said, opening.payload["details"]["count"]


def test_the_same_rows_as_one_by_one_through_the_models(deadlines, people):
    wide = people.viewer(people.add("wide", "leak_county", "45"))
    with clock.frozen(dt.datetime(2020, 11, 16, 9, 30, 0, 123456, tzinfo=clock.CHINA)):
        with transaction.atomic():
            opened_by_models(wide)
            expected = everything()
            transaction.set_rollback(True)
        done = open_cases(viewer=wide, kind="leak", specs=specs())
    found = everything()
    for one, other in zip(found, expected, strict=True):
        assert one == other
    keys = dict(Case.objects.for_writing().values_list("key", "case_no"))
    assert done.opened == keys
    assert list(done.opened.values()) == sorted(done.opened.values()), "numbered in the order they were given"
    assert verify_event(Opening.objects.visible_to(EYE).latest("id").event_id).true


def test_numbers_are_given_once(deadlines, county):
    with transaction.atomic():
        first = bulk.numbers(Case, 25)
        assert first == list(range(first[0], first[0] + 25))
    one = SubjectSpec(area_code=VILLAGE, household_no=1)
    spec = [CaseSpec(key="R1:1", topic="R1", subjects=(one,))]
    [number] = open_cases(viewer=county, kind="leak", specs=spec).opened.values()
    if connection.vendor == "postgresql":
        assert number > first[-1]
    [later] = bulk.numbers(Case, 1)
    assert later > number
