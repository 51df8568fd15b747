"""Two people act on one case in the same moment: one wins, the other is told who did."""

import io
import threading
from contextvars import copy_context

import openpyxl
import pytest
from django.db import connection, connections, transaction

from wanjia.casework import counters
from wanjia.casework.answers import desk
from wanjia.casework.errors import CaseMovedOn, CountChanged
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import AnswerSheet, Case, CaseCounter, CaseEvent, CaseMove
from wanjia.casework.services import act, act_in_bulk
from wanjia.files.uploads import sealed_from
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db(transaction=True)
EYE = system_viewer("casework.escalate")


def at_once(*calls):
    """Run the calls in threads of their own, released together; returns results or exceptions."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index, call, context):
        try:
            gate.wait(10)
            results[index] = context.run(call)
        except Exception as refusal:  # noqa: BLE001 - the test judges what came
            results[index] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index, call, copy_context())) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_one_wins_and_the_other_hears_who_it_was(opened, county, people):
    (number,) = opened(7)
    second = people.viewer(people.add("second", "leak_county", "451228"))
    results = at_once(*[
        lambda viewer=viewer: act(viewer=viewer, case_no=number, action="pass_on", seen_version=1)
        for viewer in (county, second)
    ])  # fmt: skip
    winners = [result for result in results if isinstance(result, Case)]
    losers = [result for result in results if isinstance(result, CaseMovedOn)]
    assert (len(winners), len(losers)) == (1, 1), results
    by = CaseEvent.objects.of(winners[0]).get(action="pass_on").by_user
    assert losers[0].values["by"] == {county.user_id: "County", second.user_id: "Second"}[by]
    assert Case.objects.for_writing().get(pk=number).version == 2


def test_a_bulk_act_and_a_single_one_do_not_both_move_a_case(opened, county, people):
    numbers = opened(*range(1, 41))
    second = people.viewer(people.add("second", "leak_county", "451228"))
    waiting = CaseFilter(kind="leak", step="reported")
    bulk, single = at_once(
        lambda: act_in_bulk(viewer=second, action="pass_on", case_filter=waiting, expected_count=40),
        lambda: act(viewer=county, case_no=numbers[20], action="pass_on", seen_version=1),
    )
    moved = Case.objects.for_writing().filter(step="at_town").count()
    if isinstance(bulk, CountChanged):
        assert moved == 1
    else:
        assert isinstance(single, CaseMovedOn)
        assert bulk.done == moved == 40
    assert set(Case.objects.for_writing().values_list("version", flat=True)) <= {1, 2}
    assert CaseEvent.objects.of_many(numbers).filter(action="pass_on").count() == moved


def test_the_same_suspicion_opened_twice_at_once_is_one_case(deadlines, county):
    from tests.casework.conftest import spec
    from wanjia.casework.services import open_cases

    results = at_once(*[lambda: open_cases(viewer=county, kind="leak", specs=[spec(7), spec(8)])] * 2)
    assert Case.objects.for_writing().filter(closed_at=None).count() == 2, results
    assert sum(len(result.opened) for result in results) == 2, results


def test_of_two_sheets_one_person_sends_at_once_one_is_kept(looker):
    """A double click, or the same form from two windows: neither upload fails, and one sheet is there to be applied."""
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["核查件编号", "核查结果", "校验（请勿改动）"])
    book.active.append([1, "dry 不属实", "1.1.x"])
    book.save(out)
    results = at_once(*[
        lambda: desk.keep(looker, sealed_from(out.getvalue(), "答复.xlsx", "answers")) for _ in range(4)
    ])  # fmt: skip
    assert {type(result) for result in results} == {AnswerSheet}, results
    assert desk.current(looker).token in {result.token for result in results}
    assert AnswerSheet.objects.filter(user_id=looker.user_id).count() == 1


def test_acts_and_folding_at_once_lose_and_double_nothing(opened, county, people):
    """Everybody writes to the same counters: nobody waits for another's end, and the sums are those of a count."""
    second = people.viewer(people.add("second", "leak_county", "451228"))
    numbers = opened(*range(1, 31))
    act(viewer=county, case_no=numbers[0], action="pass_on", seen_version=1)
    rest = CaseFilter(kind="leak", step="reported", household="30")
    results = at_once(
        *[counters.fold] * 3,
        lambda: act_in_bulk(viewer=second, action="pass_on", case_filter=rest, expected_count=1),
        *[
            lambda number=number: act(viewer=county, case_no=number, action="pass_on", seen_version=1)
            for number in numbers[1:6]
        ],
        counters.recount,
    )
    assert not [result for result in results if isinstance(result, Exception)], results
    assert counters.differing() == []
    counters.fold()
    assert (counters.added(), counters.differing()) == (0, [])
    standing = CaseCounter.objects.overseen_by(EYE).filter(topic="").order_by("step").values_list("step", "n")
    assert list(standing) == [("at_town", 7), ("reported", 23)]
    assert sum(CaseMove.objects.overseen_by(EYE).values_list("n", flat=True)) == 37


def test_an_act_does_not_wait_for_another_that_has_not_ended(opened, county, people):
    """A bulk act that takes a minute holds up nobody whose cases come to the same desk."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer anyway")
    first, later = opened(1, 2)
    second = people.viewer(people.add("second", "leak_county", "451228"))
    began, over = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            act(viewer=county, case_no=first, action="pass_on", seen_version=1)
            began.set()
            return over.wait(20)

    def quick():
        began.wait(20)
        done = act(viewer=second, case_no=later, action="pass_on", seen_version=1)
        over.set()
        return done

    waited, done = at_once(slow, quick)
    assert waited is True, (waited, done)
    assert counters.differing() == []
