"""The worker process: threads for the two lanes, a heart for all of them, and the schedule.

Worker().run(stop)      # until the event is set, then drains
run_pending()           # everything that is due, in this thread: tests, demo, command line
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Literal, Self
from uuid import uuid4

from django.db import DatabaseError, InterfaceError, close_old_connections, connection, connections
from django.utils.translation import gettext_noop

from wanjia.audit.access import node_name
from wanjia.jobs import beats, leases, services
from wanjia.jobs.choices import Lane
from wanjia.jobs.errors import Cancelled, Draining, InternalError, LostLease
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.leases import LEASE_SECONDS, Claim
from wanjia.jobs.registry import schedules, task_named
from wanjia.kernel.disk import disk_full
from wanjia.kernel.errors import Refusal
from wanjia.kernel.outages import database_away
from wanjia.kernel.points import reached
from wanjia.scope.reach import serving
from wanjia.telemetry import metrics
from wanjia.telemetry.work import Work, working

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
AGAIN_SECONDS = 2.0  # after the database did not answer
SCHEDULE_SECONDS = 5.0
BEATS_PER_LEASE = 6
SPACE_WAIT = timedelta(seconds=15)
NO_SPACE = gettext_noop("磁盘空间不足，腾出空间后自动继续")

Outcome = Literal["done", "cancelled", "lost", "returned", "refused", "retried", "failed"]


def perform(handle: JobHandle, stop: threading.Event | None = None) -> None:
    """Run one claimed job to whatever end it comes to, and write that end down.

    With `stop`, an end that the database does not take (it is away, its disk is full) is written as
    soon as it does, or left to the lease when `stop` is set. Without, the database's error is raised.
    """
    claim = handle.claim
    facts = {"job": claim.job_id, "attempt": claim.attempt}
    with working(Work("job", str(claim.job_id), lambda: claim.name, lambda: facts)) as work:
        outcome = _perform(handle, stop)
        metrics.JOBS.labels(claim.name, outcome).inc()
        metrics.JOB_TIME.labels(claim.name).observe(work.seconds)
        said = {"event": "job", "outcome": outcome, "ms": round(work.seconds * 1000, 1), "queries": work.queries}
        log.info("job %s", outcome, extra=said)


def _perform(handle: JobHandle, stop: threading.Event | None) -> Outcome:
    claim = handle.claim
    reached("jobs.claimed")
    try:
        with serving(handle.served):
            task_named(claim.name).run(handle, **claim.args)
        if not handle.finished:
            with handle.finishing():
                pass  # a task without an effect of its own is done now
    except Cancelled:
        _write_down(partial(leases.cancelled, claim), stop)
        return "cancelled"
    except LostLease:
        log.warning("job %s (%s): another worker took over; nothing of this try was kept", claim.job_id, claim.name)
        return "lost"
    except Draining:
        _write_down(partial(leases.give_back, claim), stop)
        return "returned"
    except Exception as error:  # noqa: BLE001 - a fault in a task must not end the worker
        return _stopped_by(claim, error, stop)
    return "done"


def _stopped_by(claim: Claim, error: Exception, stop: threading.Event | None) -> Outcome:
    """A full disk is waited for, a refusal ends the job, a fault of the program is tried again."""
    if disk_full(error):
        log.warning("job %s (%s): the disk is full; it waits for space", claim.job_id, claim.name)
        _write_down(partial(leases.give_back, claim, wait=SPACE_WAIT, note=NO_SPACE), stop)
        return "returned"
    if isinstance(error, Refusal):
        _write_down(partial(leases.fail, claim, error), stop)
        return "refused"
    _write_down(partial(leases.retry, claim, _told(claim, error)), stop)
    return "retried" if claim.attempt < claim.max_attempts else "failed"


def _told(claim: Claim, error: Exception) -> Refusal:
    """What the job is told of a fault: a reference; the log has it too, with the places and without the values."""
    away = database_away(error)  # counted as a try all the same: it may be the job that brings it down
    if away:
        log.warning("job %s (%s), try %s: the database went away", claim.job_id, claim.name, claim.attempt)
        return away
    reference = uuid4().hex[:8]
    log.error(
        "job %s (%s), try %s, reference %s: %s\n%s",
        claim.job_id, claim.name, claim.attempt, reference, type(error).__qualname__, _where(error.__traceback__),
    )  # fmt: skip
    return InternalError(reference=reference)


def _write_down(end: Callable[[], object], stop: threading.Event | None) -> None:
    """Write a job's end. Each is conditional on the job's token, so a late one harms nobody who took over."""
    if stop is None:
        end()
        return
    while not _surviving_the_database(end) and not stop.is_set():
        stop.wait(AGAIN_SECONDS)


def _where(trace: TracebackType | None) -> str:
    # frames only: an exception's text often quotes the row it failed on
    return "".join(traceback.format_tb(trace))


class Heart:
    """Renews the leases of every job this process runs, from a thread of its own.

    A process that is frozen or gone stops renewing; that is the whole point.
    """

    def __init__(self, lease: float = LEASE_SECONDS, stop: threading.Event | None = None) -> None:
        self._lease = lease
        self._worker_stops = stop
        self._handles: dict[int, JobHandle] = {}
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs-heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def perform(self, claim: Claim) -> None:
        """Run a claimed job while this heart beats for it."""
        handle = JobHandle(claim, lease=self._lease, has_heart=True)
        with self._guard:
            self._handles[claim.job_id] = handle
        try:
            perform(handle, self._worker_stops)
        finally:
            with self._guard:
                self._handles.pop(claim.job_id, None)

    def running(self) -> list[JobHandle]:
        """The jobs it beats for."""
        with self._guard:
            return list(self._handles.values())

    def _run(self) -> None:
        beat_every = self._lease / BEATS_PER_LEASE
        pause = min(1.0, beat_every)
        due = 0.0
        try:
            while not self._stop.wait(pause):
                renew = time.monotonic() >= due
                for handle in self.running():
                    _surviving_the_database(partial(handle.beat, renew=renew))
                if renew:
                    due = time.monotonic() + beat_every
        finally:
            connections.close_all()


def _surviving_the_database(step: Callable[[], object]) -> bool:
    """Run a step of the worker's own; when the database is away, say so and go on later.

    A fault of another kind does not end the thread either: nobody would work in its lane any more.
    """
    try:
        close_old_connections()
        step()
    except (DatabaseError, InterfaceError) as error:
        why = "its disk is full" if disk_full(error) else type(error).__name__
        log.warning("the database did not answer (%s); trying again", why)
        return False
    except Exception as error:  # noqa: BLE001 - as above
        log.error("a step of the worker failed: %s\n%s", type(error).__qualname__, _where(error.__traceback__))  # noqa: TRY400 - an exception's text may quote a row
        return False
    return True


class Worker:
    """Runs jobs until told to stop.

    `lanes` gives the number of threads for each lane. On SQLite one thread a lane is right: there
    is one writer anyway.
    """

    def __init__(
        self, lanes: Mapping[Lane, int] | None = None, *, lease: float = LEASE_SECONDS, grace: float = 25.0
    ) -> None:
        self.lanes = dict(lanes or {Lane.INTERACTIVE: 1, Lane.HEAVY: 1})
        self.node = node_name()
        self.name = f"{self.node}:{os.getpid()}"
        self._lease = lease
        self._grace = grace

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then finish what is running, within the grace period.

        A job that has not come to its end by then is asked to stop at its next `check` and goes
        back to the queue untried. One that never checks is left to its lease.
        """
        schedules()  # a task declared wrongly stops the worker here, not its threads later
        log.info("worker %s: %s", self.name, self.lanes)
        with Heart(self._lease, stop) as heart:
            threads = [
                threading.Thread(
                    target=self._serve, args=(lane, heart, stop), name=f"jobs-{lane}-{number}", daemon=True
                )
                for lane, count in self.lanes.items()
                for number in range(count)
            ]
            for thread in threads:
                thread.start()
            beat_due = 0.0
            while not stop.is_set():
                if time.monotonic() >= beat_due:
                    _surviving_the_database(lambda: beats.beat(worker=self.name, node=self.node))
                    beat_due = time.monotonic() + beats.BEAT_SECONDS
                _surviving_the_database(lambda: services.enqueue_due(self.node))
                stop.wait(SCHEDULE_SECONDS)
            self._drain(threads, heart)
        _surviving_the_database(lambda: beats.stopped(worker=self.name))
        connections.close_all()
        log.info("worker %s: stopped", self.name)

    def _serve(self, lane: Lane, heart: Heart, stop: threading.Event) -> None:
        def take_one() -> None:
            claim = leases.claim([lane], worker=self.name, node=self.node, lease=self._lease)
            if claim is None:
                stop.wait(POLL_SECONDS)
            else:
                heart.perform(claim)

        try:
            while not stop.is_set():
                if not _surviving_the_database(take_one):
                    stop.wait(AGAIN_SECONDS)
        finally:
            connections.close_all()

    def _drain(self, threads: list[threading.Thread], heart: Heart) -> None:
        deadline = time.monotonic() + self._grace
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for handle in heart.running():
            handle.stop(Draining)
        for thread in threads:
            thread.join(self._grace)


def run_pending(lanes: Iterable[Lane] = tuple(Lane), *, limit: int = 1_000) -> int:
    """Run what is due, one job after another, in this thread; returns how many were run.

    With a heart of its own, unless the caller's transaction is open, which the heart's own
    connection could not see.
    """
    wanted, node = list(lanes), node_name()
    worker = f"{node}:{os.getpid()}:inline"
    if connection.in_atomic_block or _in_memory():
        return _run_while(
            lambda: leases.claim(wanted, worker=worker, node=node), lambda it: perform(JobHandle(it)), limit
        )
    with Heart() as heart:
        return _run_while(lambda: leases.claim(wanted, worker=worker, node=node), heart.perform, limit)


def _run_while(claim: Callable[[], Claim | None], run: Callable[[Claim], None], limit: int) -> int:
    count = 0
    while count < limit and (held := claim()) is not None:
        run(held)
        count += 1
    return count


def _in_memory() -> bool:
    return connection.vendor == "sqlite" and connection.is_in_memory_db()  # type: ignore[attr-defined]
