import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, transaction

from tests.casework.conftest import COUNTY, FAR_VILLAGE, NEXT_VILLAGE, TOWN, VILLAGE, spec, without
from wanjia.audit.models import Opening
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework.choices import Alarm, Bar
from wanjia.casework.errors import (
    ActionNotOffered,
    AnswerIncomplete,
    AssigneeBarred,
    CaseMovedOn,
    CountChanged,
    DeadlineUnusable,
    NotInBulk,
    NotYours,
    NumberInText,
    OutcomeNotOffered,
    SampleTooSmall,
)
from wanjia.casework.events import cases_closed
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent, CaseSubject, HistoryIsWritten
from wanjia.casework.queries import candidates, case_for, history, next_in_queue, work_queue
from wanjia.casework.services import Answer, Draw, act, act_in_bulk, draw_sample, escalate_overdue, open_cases
from wanjia.casework.services.sampling import chosen
from wanjia.kernel import clock
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer

EYE = system_viewer("audit.verify")


def row(case_no):
    return Case.objects.for_writing().get(pk=case_no)


def do(viewer, case_no, action, **answer):
    return act(
        viewer=viewer, case_no=case_no, action=action, seen_version=row(case_no).version, answer=Answer(**answer)
    )


def rewrite_actor(event, user_id):
    """What somebody with the database password could do."""
    with unrecorded(), connection.cursor() as cursor:
        cursor.execute("UPDATE casework_caseevent SET by_user = %s WHERE id = %s", [user_id, event.pk])


def at_looker(case_no, county, town, looker):
    do(county, case_no, "pass_on")
    do(town, case_no, "assign", assignee=looker.user_id)


def test_opening_puts_a_case_on_the_countys_desk_with_a_deadline_in_working_days(opened):
    (number,) = opened(7)
    case = row(number)
    assert (case.step, case.holder_area, case.holder_user_id) == ("reported", COUNTY, None)
    assert case.due_on == dt.date(2020, 11, 17)
    assert CaseSubject.objects.visible_to(EYE).get(case=case).household_no == 7


def test_a_suspicion_with_an_open_case_is_not_opened_again(opened, county):
    (number,) = opened(7)
    again = open_cases(viewer=county, kind="leak", specs=[spec(7), spec(8)])
    assert again.already_open == {"R1:7": number}
    assert set(again.opened) == {"R1:8"}


def test_nobody_opens_cases_outside_his_area(deadlines, county):
    with pytest.raises(NotAllowed):
        open_cases(viewer=county, kind="leak", specs=[spec(7), spec(8, "451229100201")])
    assert not Case.objects.for_writing().exists()


def test_opening_many_is_one_audit_entry_over_all_rows(opened):
    numbers = opened(*range(1, 31))
    entry = Opening.objects.visible_to(EYE).get(act="leak.open")
    assert entry.payload["details"]["count"] == len(numbers) == 30
    assert verify_event(entry.event_id).true


def test_altered_history_is_found_by_the_audit(opened):
    (number,) = opened(7)
    event = CaseEvent.objects.of(row(number)).get()
    rewrite_actor(event, 999)
    assert "details_differ" in verify_event(event.event_id).problems


def test_history_cannot_be_changed_through_the_models(opened):
    (number,) = opened(7)
    event = CaseEvent.objects.of(row(number)).get()
    with pytest.raises(HistoryIsWritten):
        event.save()
    with pytest.raises(HistoryIsWritten):
        event.delete()
    with pytest.raises(HistoryIsWritten):
        CaseEvent.objects.of(row(number)).update(note="x")
    with pytest.raises(HistoryIsWritten):
        CaseEvent.objects.of(row(number)).delete()


def test_a_case_travels_to_its_end_through_four_people(opened, county, town, looker, decider, roofs):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    case = row(number)
    assert (case.step, case.holder_area, case.holder_user_id) == ("with_looker", TOWN, looker.user_id)
    assert case.due_on == dt.date(2020, 11, 25)
    do(looker, number, "look", outcome="dry", note="屋面完好")
    do(decider, number, "decide")
    do(county, number, "close")
    case = row(number)
    assert (case.step, case.outcome, case.due_on) == ("closed", "dry", None)
    assert case.closed_at == clock.now()
    assert roofs.applied == [(number, "dry")]
    told = [(line.event.action, line.event.to_step) for line in history(case, "zh")]
    assert told == [
        ("open", "reported"), ("pass_on", "at_town"), ("assign", "with_looker"), ("look", "looked"),
        ("decide", "decided"), ("close", "closed"),
    ]  # fmt: skip
    assert history(case, "zh")[2].by == "Town"


def test_every_act_on_a_case_verifies_against_the_audit(opened, county, town, looker):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    do(looker, number, "look", outcome="dry", note="无异常")
    events = list(CaseEvent.objects.of(row(number)))
    assert len(events) == 4
    assert all(verify_event(event.event_id).true for event in events)


def test_the_seat_acts_not_whoever_stands_above_it(opened, county, people):
    (number,) = opened(7)
    city = people.viewer(people.add("city", "leak_county", "4512"))
    with pytest.raises(NotYours) as refusal:
        do(city, number, "pass_on")
    assert refusal.value.values["bar"] == Bar.OTHER_SEAT
    assert "其他单位" in refusal.value.sentences("zh")[0]
    assert row(number).step == "reported"


def test_somebody_elses_assignment_is_his(opened, county, town, looker, people):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    other = people.viewer(people.add("other", "leak_looker", TOWN))
    with pytest.raises(NotVisible):
        do(other, number, "look", outcome="dry", note="x")


def test_a_case_nobody_may_see_does_not_exist(opened, people):
    (number,) = opened(7)
    stranger = people.viewer(people.add("stranger", "leak_town", "451228101"))
    with pytest.raises(NotVisible):
        case_for(stranger, number)
    with pytest.raises(NotVisible):
        act(viewer=stranger, case_no=number, action="assign", seen_version=1)


def test_an_older_page_cannot_move_a_case(opened, county, town):
    (number,) = opened(7)
    do(county, number, "pass_on")
    with pytest.raises(CaseMovedOn) as refusal:
        act(viewer=county, case_no=number, action="pass_on", seen_version=1)
    facts = refusal.value.values
    assert (facts["by"], facts["at"]) == ("County", "2020-11-16 09:00")
    assert len(CaseEvent.objects.of(row(number))) == 2


def test_a_step_offers_only_its_own_actions(opened, county):
    (number,) = opened(7)
    with pytest.raises(ActionNotOffered):
        do(county, number, "close")


@pytest.mark.parametrize(
    ("answer", "missing"),
    [({}, "an outcome, a note"), ({"outcome": "dry"}, "a note"), ({"outcome": "dry", "note": "  "}, "a note"),
     ({"outcome": "wet", "note": "有水"}, "evidence")],
)  # fmt: skip
def test_an_incomplete_answer_says_what_is_missing_and_changes_nothing(opened, county, town, looker, answer, missing):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    before = row(number).version
    with pytest.raises(AnswerIncomplete) as refusal:
        do(looker, number, "look", **answer)
    assert refusal.value.values["missing"].en == missing
    assert row(number).version == before


def test_an_identity_number_in_a_note_is_refused(opened, county, town, looker):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    with pytest.raises(NumberInText):
        do(looker, number, "look", outcome="dry", note="户主身份证 11010519491231002X")
    assert row(number).step == "with_looker"


def test_an_outcome_from_elsewhere_is_refused(opened, county, town, looker):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    with pytest.raises(OutcomeNotOffered):
        do(looker, number, "look", outcome="99", note="x")


def test_who_may_not_judge_cannot_be_assigned_and_the_list_says_why(opened, county, town, looker, roofs, people):
    (number,) = opened(7)
    do(county, number, "pass_on")
    cousin = people.add("cousin", "leak_looker", TOWN)
    roofs.bars[cousin.pk, 7] = Bar.RELATIVE
    listed = candidates(row(number), row(number).flow.action("at_town", "assign"), "zh")
    assert [(item.name, item.bar) for item in listed] == [("Looker", None), ("Cousin", Bar.RELATIVE)]
    with pytest.raises(AssigneeBarred):
        do(town, number, "assign", assignee=cousin.pk)
    with pytest.raises(AssigneeBarred):
        do(town, number, "assign", assignee=town.user_id)
    assert row(number).step == "at_town"


def test_whoever_looked_does_not_decide(opened, county, town, looker, people):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    do(looker, number, "look", outcome="dry", note="x")
    decider = people.add("both", "leak_decider", COUNTY)
    # the same person under both hats
    rewrite_actor(CaseEvent.objects.of(row(number)).get(action="look"), decider.pk)
    with pytest.raises(NotYours) as refusal:
        do(people.viewer(decider), number, "decide")
    assert refusal.value.values["bar"] == Bar.TOOK_PART


def test_assignment_gives_sight_and_closing_takes_it(opened, county, town, looker, decider):
    (number,) = opened(7)
    do(county, number, "pass_on")
    assert not work_queue(looker)
    do(town, number, "assign", assignee=looker.user_id)
    assert [case.case_no for case in work_queue(looker)] == [number]
    do(looker, number, "look", outcome="away", note="三次上门无人")
    do(decider, number, "decide")
    do(county, number, "close")
    assert Holding.objects.get(subject_id=number, subject_kind="case").valid_to == clock.today()
    with pytest.raises(NotVisible):
        case_for(looker, number)


def test_reassignment_moves_the_holding(opened, county, town, looker, decider, people):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    do(looker, number, "look", outcome="dry", note="x")
    do(decider, number, "again", reason="照片不清")
    case = row(number)
    assert (case.step, case.holder_user_id, case.outcome) == ("with_looker", looker.user_id, "")
    assert history(case, "zh")[-1].event.note == "照片不清"
    assert Holding.objects.filter(subject_id=number, valid_to=None).count() == 1


def test_what_the_verdict_changes_falls_with_it(opened, county, town, looker, decider, roofs):
    (number,) = opened(7)
    at_looker(number, county, town, looker)
    do(looker, number, "look", outcome="dry", note="x")

    def fail(**_):
        raise NotVisible(kind="household")

    roofs.apply = fail
    with pytest.raises(NotVisible):
        do(decider, number, "decide")
    assert row(number).step == "looked"


def test_a_chosen_deadline_must_be_a_working_day_ahead(opened, county):
    (number,) = opened(7)
    # nor so far ahead that no alarm ever goes off: a Thursday in over a year, the last Friday of the calendar
    far = (dt.date(2021, 11, 18), dt.date(9999, 12, 31))
    for day in (dt.date(2020, 11, 16), dt.date(2020, 11, 13), dt.date(2020, 11, 21), *far):
        with pytest.raises(DeadlineUnusable):
            do(county, number, "pass_on", due_on=day)
    do(county, number, "pass_on", due_on=dt.date(2020, 11, 27))
    assert row(number).due_on == dt.date(2020, 11, 27)


# Bulk


def test_a_filter_moves_together_and_says_where_to(opened, county):
    opened(1, 2, 3)
    opened(4, area=FAR_VILLAGE)
    result = act_in_bulk(
        viewer=county, action="pass_on", case_filter=CaseFilter(kind="leak", step="reported"), expected_count=4
    )
    assert (result.done, dict(result.skipped)) == (4, {})
    assert result.by_desk == {TOWN: 3, "451228101": 1}
    entry = Opening.objects.visible_to(EYE).get(act="leak.pass_on")
    assert entry.payload["details"]["count"] == 4
    assert verify_event(entry.event_id).true
    assert {case.version for case in Case.objects.for_writing()} == {2}


def test_a_filter_that_grew_since_it_was_confirmed_moves_nothing(opened, county):
    opened(1, 2, 3)
    with pytest.raises(CountChanged) as refusal:
        act_in_bulk(viewer=county, action="pass_on", case_filter=CaseFilter(kind="leak"), expected_count=2)
    assert refusal.value.values == {"expected": 2, "found": 3}
    assert {case.step for case in Case.objects.for_writing()} == {"reported"}


def test_a_bulk_act_skips_what_it_may_not_touch_and_counts_why(opened, county, town, looker, roofs):
    first, second, third = opened(1, 2, 3)
    do(county, first, "pass_on")
    do(county, second, "pass_on")
    roofs.bars[looker.user_id, 2] = Bar.ENTERED_DATA
    result = act_in_bulk(
        viewer=town, action="assign", case_filter=CaseFilter(kind="leak"), expected_count=3,
        answer=Answer(assignee=looker.user_id),
    )  # fmt: skip
    assert (result.done, result.skipped) == (1, {"entered_data": 1, "not_in_step": 1})
    assert [row(number).step for number in (first, second, third)] == ["with_looker", "at_town", "reported"]
    assert Holding.objects.get(valid_to=None).user_id == looker.user_id


def test_what_needs_an_answer_for_each_case_is_not_done_in_bulk(opened, county, town, looker):
    (number,) = opened(1)
    at_looker(number, county, town, looker)
    with pytest.raises(NotInBulk):
        act_in_bulk(viewer=looker, action="look", case_filter=CaseFilter(kind="leak"), expected_count=1)


def test_a_bulk_act_asks_the_database_the_same_number_of_times_for_many(opened, county, django_assert_max_num_queries):
    opened(*range(1, 301))
    with django_assert_max_num_queries(20):
        act_in_bulk(viewer=county, action="pass_on", case_filter=CaseFilter(kind="leak"), expected_count=300)


# Sampling


def decided(numbers, county, town, looker, decider):
    for number in numbers:
        at_looker(number, county, town, looker)
        do(looker, number, "look", outcome="dry", note="x")
        do(decider, number, "decide")


def test_a_drawn_share_is_looked_at_again_and_the_rest_closes(opened, county, town, looker, decider):
    numbers = opened(*range(1, 25))
    decided(numbers, county, town, looker, decider)
    draw = Draw(take="take", rest="close", share_parameter="leaks.sample_share")
    sample = draw_sample(
        viewer=county, case_filter=CaseFilter(kind="leak", step="decided"), expected_count=24, draw=draw
    )
    assert (sample.drawn, sample.closed) == (2, 22)
    drawn = {case.case_no for case in Case.objects.for_writing().filter(step="sampled")}
    assert drawn == chosen(numbers, Decimal("0.05"), sample.seed)
    entries = Opening.objects.visible_to(EYE).filter(act__in=["leak.take", "leak.close"])
    assert {entry.payload["content"]["seed"] for entry in entries} == {sample.seed}


def test_a_sample_below_the_rule_is_refused(opened, county):
    opened(1)
    draw = Draw(take="take", rest="close", share_parameter="leaks.sample_share", share=Decimal("0.01"))
    with pytest.raises(SampleTooSmall):
        draw_sample(viewer=county, case_filter=CaseFilter(kind="leak"), expected_count=1, draw=draw)


# Time


def test_a_step_turns_yellow_then_red_and_is_raised_one_level(opened, county, town, looker):
    with clock.frozen(dt.date(2020, 11, 16)) as advance:
        (number,) = opened(7)
        at_looker(number, county, town, looker)
        assert escalate_overdue().raised == 0
        advance(dt.timedelta(days=8))
        assert (escalate_overdue().warned, row(number).alarm) == (1, Alarm.YELLOW)
        assert escalate_overdue().warned == 0
        advance(dt.timedelta(days=2))
        assert escalate_overdue().raised == 1
        case = row(number)
        assert (case.alarm, case.raised_to, case.step, case.version) == (Alarm.RED, COUNTY, "with_looker", 3)
        assert escalate_overdue().raised == 0
        assert [line.event.action for line in history(case, "zh")][-2:] == ["warn", "raise"]
        # the holder's page is still good: the clock does not move a case
        act(viewer=looker, case_no=number, action="look", seen_version=3, answer=Answer(outcome="dry", note="x"))
        assert row(number).raised_to == ""


# Announcements


@pytest.mark.django_db(transaction=True)
def test_closing_is_announced_after_the_commit(opened, county, town, looker, decider):
    heard = []

    def listen(sender, closed, **_):
        heard.extend(closed)

    cases_closed.connect(listen)
    try:
        (number,) = opened(7)
        decided([number], county, town, looker, decider)
        with transaction.atomic():
            do(county, number, "close")
            assert heard == []
    finally:
        cases_closed.disconnect(listen)
    assert [(item.case_no, item.outcome, item.household_no) for item in heard] == [(number, "dry", 7)]


def test_the_next_case_is_the_next_that_waits(opened, county):
    first, second = opened(1, 2)
    assert next_in_queue(county, row(first)) == second
    assert next_in_queue(county, row(second)) == first


def test_without_the_permission_the_queue_is_empty(opened, county):
    opened(1)
    assert len(work_queue(county)) == 1
    assert not work_queue(without(county, "leaks.pass_on"))


def test_the_neighbouring_village_is_not_mine(opened, mender, county, town, looker):
    opened(1, area=NEXT_VILLAGE)
    assert not Case.objects.visible_to(mender)
    opened(2, area=VILLAGE)
    assert [case.household_no for case in Case.objects.visible_to(mender)] == [2]
