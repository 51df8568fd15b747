"""What stands in which step is told by the counters, and is what a count of the rows gives, for everybody."""

import datetime as dt
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.casework.conftest import COUNTY, FAR_VILLAGE, NEXT_TOWN, OTHER_COUNTY, ROLES, TOWN, VILLAGE
from wanjia.audit.testing import unrecorded
from wanjia.casework import counters, health
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseCounter, CaseMove, CaseSubject
from wanjia.casework.queries import listing, matching, waiting_by_step
from wanjia.casework.queries.standing import told_by_counters
from wanjia.casework.services import Answer, CaseSpec, SubjectSpec, act, act_in_bulk, escalate_overdue, open_cases
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer
from wanjia.telemetry.checks import State

OTHER_VILLAGE = "451229100201"
EYE = system_viewer("casework.escalate")


@pytest.fixture
def readers(people, county, town, decider, looker, mender):
    """Offices of every level, with what else each of them may be."""
    made = {"county": county, "town": town, "decider": decider, "looker": looker, "mender": mender}
    everything = {"leaks.read", "leaks.report", "leaks.pass_on", "leaks.assign", "leaks.decide"}
    for name, area in {"city": "4512", "province": "45", "next_town": NEXT_TOWN, "neighbour": OTHER_COUNTY}.items():
        ROLES[f"leak_{name}"] = sorted(everything)
        made[name] = people.viewer(people.add(name, f"leak_{name}", area))
    return made


def spec_of(number, *areas, topic="R1"):
    subjects = tuple(SubjectSpec(area_code=area, household_no=number + at) for at, area in enumerate(areas))
    return CaseSpec(key=f"{topic}:{number}", topic=topic, subjects=subjects, department="roofs")


@pytest.fixture
def scene(deadlines, readers, looker):
    """Cases of one place and of several, on many desks, in hands, some late and raised, one closed, one moved away."""
    with clock.frozen(dt.date(2020, 11, 16)) as advance:
        specs = [
            *(spec_of(number, VILLAGE) for number in range(10, 16)),
            *(spec_of(number, FAR_VILLAGE, topic="R2") for number in range(20, 24)),
            spec_of(30, VILLAGE, FAR_VILLAGE),  # two townships
            spec_of(40, VILLAGE, OTHER_VILLAGE),  # two counties
            spec_of(50, OTHER_VILLAGE, topic="R2"),
            spec_of(60, VILLAGE, FAR_VILLAGE, OTHER_VILLAGE, topic="R2"),
        ]
        opened = open_cases(viewer=readers["province"], kind="leak", specs=specs).opened
        county, town = readers["county"], readers["town"]
        only = CaseFilter(kind="leak", step="reported", area=TOWN, mine="1")
        found = matching(county, only).count()
        act_in_bulk(viewer=county, action="pass_on", case_filter=only, expected_count=found)
        for key in ("R1:10", "R1:11"):
            answer = Answer(assignee=looker.user_id)
            act(viewer=town, case_no=opened[key], action="assign", seen_version=2, answer=answer)
        advance(dt.timedelta(days=2))
        act(viewer=readers["city"], case_no=opened["R1:40"], action="pass_on", seen_version=1)
        moved = opened["R1:12"]  # its people live elsewhere in the county: it is that township's, and seen from here
        with unrecorded():
            Case.objects.for_writing().filter(pk=moved).update(area_code=FAR_VILLAGE, holder_area=NEXT_TOWN)
            CaseSubject._base_manager.filter(case_id=moved).update(apart=True)
        counters.recount()
        advance(dt.timedelta(days=5))
        escalate_overdue()
        yield opened


FILTERS = [
    CaseFilter(**given)
    for given in (
        {}, {"state": "overdue"}, {"state": "yellow"}, {"topic": "R1"}, {"topic": "R2", "state": "overdue"},
        {"kind": "leak"}, {"kind": "nothing"}, {"area": TOWN}, {"area": NEXT_TOWN}, {"area": VILLAGE},
        {"area": "4512"}, {"under": TOWN}, {"under": COUNTY}, {"desk": COUNTY}, {"desk": "4512"}, {"desk": TOWN},
        {"mine": "1"}, {"mine": "0"}, {"mine": "0", "state": "overdue"}, {"mine": "1", "topic": "R1"},
        {"raised": "1"}, {"step": "at_town"}, {"department": "roofs"}, {"household": "30"}, {"mine": "1", "area": TOWN},
    )
]  # fmt: skip


def slow(viewer, case_filter):
    rows = matching(viewer, CaseFilter(**{**case_filter.as_dict(), "step": ""}))
    return dict(Counter(rows.values_list("kind", "step")))


@pytest.mark.django_db
def test_whoever_looks_the_steps_are_those_a_count_of_his_rows_gives(scene, readers):
    told = 0
    for name, viewer in {**readers, "everybody": EYE}.items():
        for case_filter in FILTERS:
            assert dict(waiting_by_step(viewer, case_filter)) == slow(viewer, case_filter), (name, case_filter)
            told += told_by_counters(viewer, case_filter)
    assert told > 100, "most of them come from the counters"


@pytest.mark.django_db
def test_whoever_looks_page_after_page_holds_his_rows_in_the_order_of_their_deadlines(scene, readers):
    for name, viewer in {**readers, "everybody": EYE}.items():
        for case_filter in FILTERS:
            expected = list(matching(viewer, case_filter).order_by("due_on", "case_no"))
            for size in (2, 50):
                found, after = [], ""
                while True:
                    page = listing(viewer, case_filter, after=after, size=size)
                    assert page.total == len(expected), (name, case_filter)
                    found += page.rows
                    after = page.after
                    if not after:
                        break
                assert found == expected, (name, case_filter, size)


@pytest.mark.django_db
def test_folding_changes_no_figure_and_leaves_one_row_for_each_counter(scene, readers):
    before = {name: [waiting_by_step(viewer, item) for item in FILTERS] for name, viewer in readers.items()}
    moves = CaseMove.objects.overseen_by(EYE)
    made = sum(moves.values_list("n", flat=True))
    assert counters.added() > 0
    counters.fold()
    assert (counters.added(), counters.differing()) == (0, [])
    assert {name: [waiting_by_step(viewer, item) for item in FILTERS] for name, viewer in readers.items()} == before
    assert sum(moves.values_list("n", flat=True)) == made
    assert not CaseCounter.objects.overseen_by(EYE).filter(n=0).exists()
    act(viewer=readers["county"], case_no=scene["R2:20"], action="pass_on", seen_version=1)
    counters.fold()
    assert (counters.fold(), counters.differing()) == (0, [])


@pytest.mark.django_db
def test_whoever_reads_only_his_own_cases_or_a_village_is_not_told_by_counters(scene, readers):
    assert not told_by_counters(readers["looker"], CaseFilter())
    assert sum(waiting_by_step(readers["looker"], CaseFilter()).values()) == 2
    assert not told_by_counters(readers["mender"], CaseFilter())


@pytest.mark.django_db
def test_a_bulk_act_adds_one_row_for_each_counter_however_many_cases_it_moves(deadlines, readers):
    open_cases(viewer=readers["county"], kind="leak", specs=[spec_of(number, VILLAGE) for number in range(1, 200)])
    rows = CaseCounter.objects.overseen_by(EYE)
    assert [(row.topic, row.n) for row in rows.order_by("topic")] == [("", 199), ("R1", 199)]
    only = CaseFilter(kind="leak", step="reported")
    act_in_bulk(viewer=readers["county"], action="pass_on", case_filter=only, expected_count=199)
    assert sorted((row.topic, row.step, row.n) for row in rows) == [
        ("", "at_town", 199), ("", "reported", -199), ("", "reported", 199),
        ("R1", "at_town", 199), ("R1", "reported", -199), ("R1", "reported", 199),
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_list_of_everything_counts_no_row_of_the_cases(scene, readers):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        waiting_by_step(readers["county"], CaseFilter())
    counted = [query["sql"] for query in asked if "COUNT" in query["sql"] and "casework_case" in query["sql"]]
    assert all("apart" in sql for sql in counted)


@pytest.mark.django_db
def test_what_the_counters_lack_is_found_and_put_right(scene):
    with unrecorded():
        Case.objects.for_writing().filter(pk=scene["R1:13"]).update(step="decided")
    wrong = counters.differing()
    assert Counter(n for _, n in wrong) == {1: 2, -1: 2}
    [finding] = health.counters_are_right()
    assert finding.state is State.WARN
    assert "4" in finding.said.text("en")
    assert counters.recount() == 4
    assert counters.differing() == []
    [finding] = health.counters_are_right()
    assert finding.state is State.OK
