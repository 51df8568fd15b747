import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from wanjia.audit import acts
from wanjia.audit.choices import Kind
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.services import record
from wanjia.jobs import leases, queries, registry, services, worker
from wanjia.jobs.choices import Lane, State
from wanjia.jobs.errors import InternalError, JobOver, LostLease, UnfitArguments, UnknownTask, WorkerLost
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.models import Job, ScheduleSlot
from wanjia.jobs.services import cancel, enqueue, enqueue_due, prune
from wanjia.jobs.worker import NO_SPACE, SPACE_WAIT, perform, run_pending
from wanjia.kernel import clock
from wanjia.kernel.disk import DiskFull
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db

QUOTED = "459999199001010012"  # a row's content, as an exception's text would quote it
SYSTEM = system_viewer("jobs.schedule")


def effect(job, number=1):
    with job.finishing({"number": number}):
        record(Kind.COMPARE_RUN, viewer=SYSTEM, area="45", act="tests.effect", content={"number": number})


def recorded():
    return list(Opening.objects.visible_to(SYSTEM).order_by("pk").values_list("act", flat=True))


def claimed(lane=Lane.INTERACTIVE, **more):
    return leases.claim([lane], worker="w", **more)


def expire(job_id):
    Job.objects.filter(pk=job_id).update(lease_until=1.0)


def test_a_job_runs_once_and_keeps_its_result(declare, officer):
    declare("t.effect")(effect)
    job = enqueue("t.effect", {"number": 7}, viewer=officer)
    assert run_pending() == 1
    assert run_pending() == 0
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts) == (State.DONE, {"number": 7}, 1)
    assert Outbox.objects.count() == 1


def test_a_task_without_an_effect_is_done_when_it_returns(declare, officer):
    declare("t.idle")(lambda job: None)
    job = enqueue("t.idle", viewer=officer)
    run_pending()
    assert queries.job_for(officer, job.pk).state == State.DONE


def test_a_job_queued_in_a_transaction_that_fails_never_was(declare, officer):
    declare("t.effect")(effect)
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the transaction is what fails
        enqueue("t.effect", viewer=officer)
        1 / 0  # noqa: B018
    assert run_pending() == 0


def test_an_error_is_tried_again_with_growing_waits_and_then_told(declare, officer, caplog):
    def broken(job):
        raise ValueError(f"cannot read {QUOTED}")

    declare("t.broken", retries=2)(broken)
    job = enqueue("t.broken", viewer=officer)
    with clock.frozen(clock.now()) as advance:
        for wait in (5, 10, 0):
            assert run_pending() == 1
            assert run_pending() == 0
            advance(timedelta(seconds=wait))
        assert run_pending() == 0
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error_code) == (State.FAILED, 3, "jobs.internal_error")
    refusal = queries.refusal_of(job)
    assert isinstance(refusal, InternalError)
    assert refusal.values["reference"] in caplog.text
    assert "ValueError" in caplog.text
    assert QUOTED not in caplog.text + str(job.error_facts)
    assert "Traceback" not in str(job.error_facts)


def test_a_refusal_ends_the_job_at_once_and_is_told_in_both_languages(declare, officer):
    def refuses(job):
        raise NotVisible(kind="batch")

    declare("t.refuses")(refuses)
    job = enqueue("t.refuses", viewer=officer)
    run_pending()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error_code, job.error_facts) == (
        State.FAILED,
        1,
        "scope.not_visible",
        {"kind": "batch"},
    )
    assert queries.refusal_of(job).sentences("en")[0].startswith("There is no such record")


def test_a_fault_inside_finishing_leaves_no_effect(declare, officer):
    def half(job):
        with job.finishing():
            record(Kind.COMPARE_RUN, viewer=SYSTEM, area="45", act="tests.effect")
            raise ValueError

    declare("t.half", retries=0)(half)
    job = enqueue("t.half", viewer=officer)
    run_pending()
    job.refresh_from_db()
    assert (job.state, Outbox.objects.count()) == (State.FAILED, 0)


def test_a_fault_after_finishing_does_not_undo_or_repeat(declare, officer):
    def late(job):
        effect(job)
        raise ValueError

    declare("t.late")(late)
    job = enqueue("t.late", viewer=officer)
    run_pending()
    job.refresh_from_db()
    assert (job.state, Outbox.objects.count()) == (State.DONE, 1)


def test_a_job_finishes_once(declare, officer):
    def twice(job):
        effect(job)
        effect(job)

    declare("t.twice")(twice)
    enqueue("t.twice", viewer=officer)
    run_pending()
    assert Outbox.objects.count() == 1


# Leases ---------------------------------------------------------------------------------------


def test_an_abandoned_job_is_taken_over_and_the_old_holder_is_fenced_off(declare, officer):
    declare("t.effect")(effect)
    job = enqueue("t.effect", viewer=officer)
    frozen = claimed()
    assert claimed() is None
    expire(job.pk)
    other = claimed()
    assert (frozen.token, other.token) == (1, 2)

    with pytest.raises(LostLease):
        effect(JobHandle(frozen))
    assert Outbox.objects.count() == 0
    effect(JobHandle(other))
    with pytest.raises(LostLease):
        effect(JobHandle(frozen))
    job.refresh_from_db()
    assert (job.state, Outbox.objects.count()) == (State.DONE, 1)


@pytest.mark.parametrize(
    "write", [leases.cancelled, leases.give_back, lambda held: leases.retry(held, InternalError(reference="x"))]
)
def test_the_old_holder_cannot_write_anything_about_the_job(declare, officer, write):
    declare("t.effect")(effect)
    job = enqueue("t.effect", viewer=officer)
    frozen = claimed()
    expire(job.pk)
    claimed()
    write(frozen)
    assert leases.renew(frozen) is False
    job.refresh_from_db()
    assert (job.state, job.token, job.attempts) == (State.RUNNING, 2, 2)


def test_a_heartbeat_keeps_the_job(declare, officer):
    declare("t.effect")(effect)
    job = enqueue("t.effect", viewer=officer)
    held = claimed(lease=0.0)
    handle = JobHandle(held)
    handle.progress(5, 10, "第一步")
    handle.beat()
    assert claimed() is None
    job.refresh_from_db()
    assert (job.done, job.total, job.note) == (5, 10, "第一步")


def test_a_job_whose_workers_all_vanish_fails_with_a_cure(declare, officer):
    declare("t.effect", retries=1)(effect)
    job = enqueue("t.effect", viewer=officer)
    for _ in range(2):
        assert claimed()
        expire(job.pk)
    assert claimed() is None
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert isinstance(queries.refusal_of(job), WorkerLost)


def test_lanes_do_not_wait_for_each_other(declare, officer):
    declare("t.heavy", lane=Lane.HEAVY)(effect)
    declare("t.quick")(effect)
    enqueue("t.heavy", viewer=officer)
    quick = enqueue("t.quick", viewer=officer)
    assert claimed(Lane.INTERACTIVE).job_id == quick.pk
    assert claimed(Lane.INTERACTIVE) is None


def test_two_jobs_with_one_lock_never_run_together(declare, officer):
    declare("t.locked", lock=lambda args: f"dataset:{args['dataset']}")(lambda job, dataset: None)
    first, second, other = (enqueue("t.locked", {"dataset": code}, viewer=officer) for code in ("a", "a", "b"))
    held = claimed()
    assert held.job_id == first.pk
    assert claimed().job_id == other.pk
    assert claimed() is None
    perform(JobHandle(held))
    assert claimed().job_id == second.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=first.pk).update(state=State.RUNNING, lease_until=1.0)


def test_a_job_bound_to_a_node_waits_for_it(declare, officer):
    declare("t.effect")(effect)
    enqueue("t.effect", viewer=officer, node="elsewhere")
    assert claimed(node="here") is None
    assert claimed(node="elsewhere")


def test_a_job_waits_for_its_time(declare, officer):
    declare("t.effect")(effect)
    enqueue("t.effect", viewer=officer, run_at=clock.now() + timedelta(hours=1))
    assert claimed() is None
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert claimed()


# Asking for work ------------------------------------------------------------------------------


def test_the_same_key_is_one_job_while_it_is_open(declare, officer):
    declare("t.effect")(effect)
    first = enqueue("t.effect", viewer=officer, key="run")
    assert enqueue("t.effect", viewer=officer, key="run") == first
    run_pending()
    assert enqueue("t.effect", viewer=officer, key="run") != first
    assert Outbox.objects.count() == 1


@pytest.mark.parametrize("args", [{"who": "459999199001010012"}, {"share": 0.5}, {"text": "x" * 201}])
def test_arguments_about_people_are_refused_and_not_repeated(declare, officer, args):
    declare("t.effect")(effect)
    with pytest.raises(UnfitArguments) as refused:
        enqueue("t.effect", args, viewer=officer)
    assert "459999" not in str(refused.value.values)
    assert not Job.objects.exists()


def test_an_unknown_task_is_refused(officer):
    with pytest.raises(UnknownTask):
        enqueue("t.nobody", viewer=officer)


def test_jobs_are_seen_by_their_owner_and_by_overseers_of_the_area(declare, officer, overseer, stranger):
    declare("t.effect")(effect)
    job = enqueue("t.effect", viewer=officer)
    scheduled = enqueue("t.effect", viewer=SYSTEM)
    assert queries.job_for(officer, job.pk) == queries.job_for(overseer, job.pk) == job
    with pytest.raises(NotVisible):
        queries.job_for(stranger, job.pk)
    with pytest.raises(NotVisible):
        queries.job_for(officer, scheduled.pk)
    with pytest.raises(NotVisible):
        cancel(viewer=stranger, job_id=job.pk)
    assert list(queries.own_jobs(officer)) == [job]
    assert not queries.own_jobs(SYSTEM).exists()


def test_a_job_of_a_locked_account_is_not_run(declare, officer):
    declare("t.asks")(lambda job: job.viewer)
    job = enqueue("t.asks", viewer=officer)  # there is no account 17
    run_pending()
    job.refresh_from_db()
    assert job.error_code == "jobs.viewer_gone"


# Cancelling -----------------------------------------------------------------------------------


def test_a_waiting_job_is_cancelled_at_once(declare, officer):
    declare("t.effect")(effect)
    job = enqueue("t.effect", viewer=officer)
    assert cancel(viewer=officer, job_id=job.pk).state == State.CANCELLED
    assert run_pending() == 0
    with pytest.raises(JobOver):
        cancel(viewer=officer, job_id=job.pk)


def test_who_only_reads_anothers_job_does_not_cancel_it_and_who_operates_the_system_does_on_record(
    declare, officer, overseer, reader
):
    declare("t.effect")(effect)
    job = enqueue("t.effect", viewer=officer)
    assert queries.job_for(reader, job.pk) == job
    with pytest.raises(NotAllowed):
        cancel(viewer=reader, job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, recorded()) == (State.QUEUED, [])
    assert cancel(viewer=overseer, job_id=job.pk).state == State.CANCELLED
    entry = Opening.objects.visible_to(SYSTEM).get()
    assert (entry.actor_id, entry.area) == (overseer.user_id, "451228")
    assert entry.payload["content"] == {"job": job.pk, "name": "t.effect", "asked_by": officer.user_id}
    assert acts.sentence("jobs.cancel", "zh", entry.payload["content"]) == f"取消了后台任务 {job.pk}（t.effect）"
    own = enqueue("t.effect", viewer=officer)
    cancel(viewer=officer, job_id=own.pk)
    assert recorded() == ["jobs.cancel"] * 2


def test_a_running_job_stops_at_its_next_step_and_leaves_no_effect(declare, officer):
    steps = []

    def long(job):
        for number in range(5):
            steps.append(number)
            if number == 2:
                cancel(viewer=officer, job_id=job.id)
            job.check()
        effect(job)

    declare("t.long")(long)
    job = enqueue("t.long", viewer=officer)
    run_pending()
    job.refresh_from_db()
    assert (job.state, steps, recorded()) == (State.CANCELLED, [0, 1, 2], ["jobs.cancel"])


def test_a_job_that_never_looks_is_still_cancelled_before_its_effect(declare, officer):
    def deaf(job):
        cancel(viewer=officer, job_id=job.id)
        effect(job)

    declare("t.deaf")(deaf)
    job = enqueue("t.deaf", viewer=officer)
    run_pending()
    job.refresh_from_db()
    assert (job.state, recorded()) == (State.CANCELLED, ["jobs.cancel"])


# Schedules ------------------------------------------------------------------------------------


@pytest.fixture
def every_minute(declare, monkeypatch):
    declare("t.tick")(lambda job: None)
    entries = [{"task": "t.tick", "every": 60}, {"task": "t.tick", "every": 60, "each_node": True}]
    found = tuple(registry._schedule(entry) for entry in entries)
    monkeypatch.setattr(services, "schedules", lambda: found)


@pytest.mark.usefixtures("every_minute")
def test_what_is_due_is_queued_once_for_all_workers_and_once_for_each_node():
    with clock.frozen(clock.now()) as advance:
        assert (enqueue_due("one"), enqueue_due("one"), enqueue_due("two")) == (2, 0, 1)
        assert sorted(Job.objects.values_list("node", flat=True)) == ["", "one", "two"]
        advance(timedelta(minutes=1))
        enqueue_due("one")
        assert Job.objects.count() == 3  # the earlier ones still wait: nothing piles up
        assert run_pending() >= 1
        advance(timedelta(minutes=1))
        enqueue_due("one")
    assert Job.objects.count() == 4
    assert ScheduleSlot.objects.count() == 3


def test_every_schedule_in_the_platform_names_a_task_that_exists():
    found = {entry.task for entry in registry.schedules()}
    assert {"audit.commit_access", "jobs.prune"} <= found
    assert all(registry.task_named(name) for name in found)


@pytest.mark.parametrize("entry", [{"task": "t.x", "evry": 60}, {"task": "t.x"}])
def test_a_wrong_schedule_is_refused_at_start(entry):
    with pytest.raises(ValueError, match="schedule"):
        registry._schedule(entry)


def test_ended_jobs_are_dropped_after_a_while(declare, officer):
    declare("t.effect")(effect)
    with clock.frozen(clock.now()) as advance:
        enqueue("t.effect", viewer=SYSTEM, key="schedule:t.effect:")
        mine = enqueue("t.effect", viewer=officer)
        run_pending()
        waiting = enqueue("t.effect", viewer=officer, run_at=clock.now() + timedelta(days=900))
        advance(timedelta(days=3))
        assert prune() == 1
        assert set(Job.objects.all()) == {mine, waiting}
        advance(timedelta(days=400))
        assert prune() == 1
        assert set(Job.objects.all()) == {waiting}


def test_a_job_that_finds_the_disk_full_waits_for_space_and_loses_no_try(declare, officer):
    room = []

    @declare("tests.writes")
    def writes(job):
        if not room:
            with Path("/dev/full").open("wb", buffering=0) as stream:
                stream.write(b"x")

    job = enqueue("tests.writes", viewer=officer)
    run_pending()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.note) == ("queued", 0, NO_SPACE)

    room.append("some")
    with clock.frozen(clock.now() + SPACE_WAIT):
        run_pending()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 1)


@pytest.mark.django_db(transaction=True)
def test_an_end_the_full_database_does_not_take_is_written_when_it_does(declare, officer, monkeypatch):
    monkeypatch.setattr("wanjia.jobs.worker.AGAIN_SECONDS", 0.01)
    refused = []

    def full_twice(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and len(refused) < 2:
            refused.append(sql)
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    @declare("tests.writes")
    def writes(job):
        raise DiskFull

    job = enqueue("tests.writes", viewer=officer)
    with connection.execute_wrapper(full_twice):
        held = claimed_after(refused)
        refused.clear()
        perform(JobHandle(held, has_heart=True), threading.Event())
    job.refresh_from_db()
    assert (len(refused), job.state, job.attempts, job.note) == (2, "queued", 0, NO_SPACE)


def claimed_after(refused):
    """A claim is refused too, as long as there is no room."""
    while True:
        with suppress(OperationalError):
            held = claimed()
            assert len(refused) == 2
            return held


@pytest.mark.django_db(transaction=True)
def test_a_worker_told_to_stop_leaves_an_end_it_cannot_write_to_the_lease(declare, officer):
    def never(execute, sql, params, many, context):
        if sql.startswith("UPDATE"):
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    @declare("tests.writes")
    def writes(job):
        raise DiskFull

    job = enqueue("tests.writes", viewer=officer)
    held, stop = claimed(), threading.Event()
    stop.set()
    with connection.execute_wrapper(never):
        perform(JobHandle(held, has_heart=True), stop)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("running", 1)


def test_a_fault_in_the_workers_own_step_does_not_end_its_thread_and_is_told_without_its_text(caplog):
    def step():
        raise LookupError(QUOTED)

    assert not worker._surviving_the_database(step)
    assert "LookupError" in caplog.text
    assert QUOTED not in caplog.text
