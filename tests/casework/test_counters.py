"""The counters equal a slow count after any sequence of acts."""

import datetime as dt
from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.casework.conftest import FAR_VILLAGE, VILLAGE
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseCounter, CaseEvent, CaseMove
from wanjia.casework.queries import figures_by_area, home_lines, listing, matching, waiting_by_step
from wanjia.casework.services import Answer, Draw, act, act_in_bulk, draw_sample, escalate_overdue
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.system import system_viewer

EYE = system_viewer("casework.escalate")

ACTIONS = ["pass_on", "assign", "not_ours", "look", "mend", "decide", "again", "take", "close"]


def slow_desks():
    rows = Case.objects.for_writing().filter(closed_at=None)
    tally = Counter()
    for case in rows:
        for topic in (case.topic, ""):
            place = case.area_code[:9]
            version, dates = case.flow_version, (case.warn_on, case.due_on)
            tally[case.holder_area, place, case.kind, version, topic, case.step, case.raised_to, *dates] += 1
    return tally


def kept_desks():
    names = ("holder_area", "place", "kind", "flow_version", "topic", "step", "raised_to", "warn_on", "due_on")
    return added_up(CaseCounter.objects.overseen_by(EYE).values_list(*names, "n"))


def added_up(rows):
    tally = Counter()
    for *name, n in rows:
        tally[tuple(name)] += n
    return {name: n for name, n in tally.items() if n}


def slow_moves():
    tally = Counter()
    for event in CaseEvent._base_manager.exclude(action__in=["warn", "raise"]).select_related(None):
        case = Case.objects.for_writing().get(pk=event.case_id)
        day = clock.day_of(event.at)
        tally[case.area_code[:9], case.kind, case.topic, day, event.action, event.to_step, event.outcome] += 1
    return tally


def kept_moves():
    rows = CaseMove.objects.overseen_by(EYE)
    names = ("area_code", "kind", "topic", "on", "action", "to_step", "outcome", "n")
    return added_up(rows.values_list(*names))


moves = st.lists(
    st.tuples(
        st.sampled_from([*ACTIONS, "bulk", "sample", "day", "escalate"]),
        st.integers(0, 5),
        st.sampled_from(["dry", "away"]),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=moves)
def test_counters_equal_a_slow_count_after_any_sequence(sequence, opened, county, town, looker, decider, mender):
    with transaction.atomic(), clock.frozen(dt.date(2020, 11, 16)) as advance:
        numbers = [*opened(1, 2, 3), *opened(4, 5, area=FAR_VILLAGE), *opened(6, area=VILLAGE, topic="R2")]
        everybody = [county, town, looker, decider, mender]
        for what, index, outcome in sequence:
            step(what, numbers[index], outcome, everybody, advance)
        assert kept_desks() == slow_desks()
        assert kept_moves() == slow_moves()
        for viewer in everybody:
            for state in ("open", "closed", "all"):
                for more in ({}, {"topic": "R1"}, {"area": FAR_VILLAGE[:9]}, {"outcome": "dry"}):
                    wanted = CaseFilter(state=state, **more)
                    assert listing(viewer, wanted).total == matching(viewer, wanted).count()
        transaction.set_rollback(True)


def step(what, number, outcome, everybody, advance):
    looker = everybody[2]
    if what == "day":
        advance(dt.timedelta(days=1))
        return
    if what == "escalate":
        escalate_overdue()
        return
    for viewer in everybody:
        try:
            perform(what, number, outcome, viewer, looker)
        except Refusal:
            continue
        return


def perform(what, number, outcome, viewer, looker):
    if what == "bulk":
        found = Case.objects.visible_to(viewer).filter(closed_at=None).count()
        act_in_bulk(viewer=viewer, action="pass_on", case_filter=CaseFilter(kind="leak"), expected_count=found)
    elif what == "sample":
        wanted = CaseFilter(kind="leak", step="decided")
        found = Case.objects.visible_to(viewer).filter(closed_at=None, step="decided").count()
        draw = Draw(take="take", rest="close", share_parameter="leaks.sample_share", seed="s")
        draw_sample(viewer=viewer, case_filter=wanted, expected_count=found, draw=draw)
    else:
        answer = Answer(
            assignee=looker.user_id,
            outcome=outcome if what == "look" else "",
            note="x",
            reason="x",
            correction={"a": 1},
        )
        version = Case.objects.for_writing().get(pk=number).version
        act(viewer=viewer, case_no=number, action=what, seen_version=version, answer=answer)


def test_the_home_page_knows_what_waits_what_is_late_below_and_what_moved(opened, county, town, looker, decider):
    with clock.frozen(dt.date(2020, 11, 16)) as advance:
        first, _second, _third = opened(1, 2, 3)
        act(viewer=county, case_no=first, action="pass_on", seen_version=1)
        lines = home_lines(county)
        assert (lines.waiting, lines.waiting_overdue, lines.overdue_below, lines.moved_since_yesterday) == (2, 0, 0, 4)
        assert home_lines(town).waiting == 1
        advance(dt.timedelta(days=7))
        escalate_overdue()
        lines = home_lines(county)
        assert (lines.waiting, lines.waiting_overdue, lines.overdue_below, lines.raised) == (2, 2, 1, 1)
        assert lines.moved_since_yesterday == 0
        assert [(figure.area, figure.open, figure.overdue) for figure in figures_by_area(county, 9)] == [
            ("451228", 2, 2), ("451228100", 1, 1),
        ]  # fmt: skip


def test_every_figure_of_the_home_page_is_as_long_as_the_list_it_leads_to(opened, county):
    with clock.frozen(dt.date(2020, 11, 16)) as advance:
        first, second, _third = opened(1, 2, 3)
        for number in (first, second):
            act(viewer=county, case_no=number, action="pass_on", seen_version=1)
        advance(dt.timedelta(days=7))
        lines = home_lines(county)
        assert lines.overdue_below == listing(county, CaseFilter(state="overdue", mine="0")).total == 2
        assert lines.waiting == listing(county, CaseFilter(mine="1")).total == 1
        parts = [figure for figure in figures_by_area(county, 9) if figure.area != "451228"]
        assert [(figure.open, figure.overdue) for figure in parts] == [(2, 2)]
        for figure in parts:
            assert figure.open == listing(county, CaseFilter(under=figure.area)).total
            assert figure.overdue == listing(county, CaseFilter(under=figure.area, state="overdue")).total


@pytest.mark.parametrize("state", ["open", "overdue", "yellow", "closed", "all"])
def test_the_steps_above_a_list_add_up_to_it(opened, county, town, state):
    with clock.frozen(dt.date(2020, 11, 16)) as advance:
        first, *_ = opened(1, 2, 3)
        act(viewer=county, case_no=first, action="pass_on", seen_version=1)
        advance(dt.timedelta(days=7))
        opened(4)
        for viewer in (county, town):
            for more in ({}, {"mine": "1"}, {"mine": "0"}, {"step": "sent"}, {"kind": "leak"}):
                wanted = CaseFilter(state=state, **more)
                whole = listing(viewer, wanted)
                assert listing(viewer, wanted, steps=waiting_by_step(viewer, wanted)) == whole
                assert len(whole.rows) == whole.total


def test_somebody_who_sees_only_his_own_cases_gets_no_figures_of_others(opened, looker):
    opened(1, 2)
    lines = home_lines(looker)
    assert (lines.waiting, lines.overdue_below, lines.moved_since_yesterday) == (0, 0, 0)


def test_the_home_lines_take_a_handful_of_queries(opened, county, django_assert_max_num_queries):
    opened(*range(1, 60))
    with django_assert_max_num_queries(6):
        home_lines(county)


@pytest.mark.django_db
def test_no_cases_no_lines(deadlines, county):
    assert home_lines(county).waiting == 0
