"""Holding a job: claim, renew, complete, give back. Every write is conditional on the token.

The argument for "exactly once":

1. A job is claimed in one transaction that raises its token: under a row lock that others skip
   (PostgreSQL), or under the database's write lock (SQLite, IMMEDIATE). Two workers never hold
   one token.
2. The job's effect and its state `done` are one commit (`complete` inside `finishing`), which
   first locks the row and compares the token. A worker that was frozen past its lease, while
   another took over, finds a higher token and rolls back.
3. A worker that dies before that commit leaves no effect; its lease runs out and the job is
   claimed again. One that dies after it leaves state `done`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value

from wanjia.jobs.choices import Lane, State
from wanjia.jobs.errors import Cancelled, LostLease, WorkerLost
from wanjia.jobs.models import DatabaseClock, Job
from wanjia.jobs.rules import backoff
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal

LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A job held by this worker: what to do, for whom, and the token that proves the hold."""

    job_id: int
    name: str
    args: dict[str, Any]
    token: int
    attempt: int
    max_attempts: int
    user_id: int
    system: str
    kept: dict[str, Any] = field(default_factory=dict)  # what an earlier try has reached


def _due(lanes: list[Lane], node: str) -> QuerySet[Job]:
    expired = Q(state=State.RUNNING, lease_until__lt=DatabaseClock())
    waiting = Q(state=State.QUEUED, run_at__lte=clock.now())
    locked = Job.objects.filter(state=State.RUNNING, lock=OuterRef("lock")).exclude(lock="").exclude(pk=OuterRef("pk"))
    return (
        Job.objects.filter(waiting | expired, lane__in=lanes, node__in=["", node])
        .filter(~Exists(locked))
        .order_by("run_at", "pk")
    )


def claim(lanes: list[Lane], *, worker: str, node: str = "", lease: float = LEASE_SECONDS) -> Claim | None:
    """Take the longest-waiting job that is due in `lanes`; None when there is none.

    Looks without a lock first: an idle worker must not take SQLite's write lock every second.
    """
    while _due(lanes, node).exists():
        try:
            with transaction.atomic():
                job = _due(lanes, node).select_for_update(skip_locked=True).first()
                if job is None:
                    return None  # somebody else was quicker
                if _over(job):
                    continue
                return _take(job, worker, lease)
        except IntegrityError:
            return None  # another worker took a job with the same lock in this very moment
    return None


def _over(job: Job) -> bool:
    """End an abandoned job that is not to be tried again; whether it was one."""
    if job.state != State.RUNNING:
        return False
    held = _held(job.pk, job.token)
    if job.cancel_requested:
        held.update(**_ended(State.CANCELLED))
    elif job.attempts >= job.max_attempts:
        lost = WorkerLost(job=job.pk, attempts=job.attempts)
        held.update(**_ended(State.FAILED), error_code=lost.code, error_facts=lost.as_dict()["facts"])
    else:
        return False
    return True


def _take(job: Job, worker: str, lease: float) -> Claim:
    Job.objects.filter(pk=job.pk).update(
        state=State.RUNNING,
        token=F("token") + 1,
        attempts=F("attempts") + 1,
        lease_until=DatabaseClock() + Value(lease),
        worker=worker,
        started_at=clock.now(),
        done=0,
        total=0,
        note="",
    )
    return Claim(
        job.pk, job.name, job.args, job.token + 1, job.attempts + 1, job.max_attempts, job.user_id, job.system,
        job.result,
    )  # fmt: skip


def _held(job_id: int, token: int) -> QuerySet[Job]:
    return Job.objects.filter(pk=job_id, token=token, state=State.RUNNING)


def _ended(state: State) -> dict[str, Any]:
    return {"state": state, "lease_until": None, "finished_at": clock.now()}


def renew(held: Claim, *, lease: float = LEASE_SECONDS, **progress: Any) -> bool:
    """Prolong the lease and write the progress; False when the job is no longer ours."""
    return bool(_held(held.job_id, held.token).update(lease_until=DatabaseClock() + Value(lease), **progress))


def keep(held: Claim, facts: dict[str, Any]) -> None:
    """Leave `facts` for a later try, should this one be interrupted. Raises LostLease."""
    if not _held(held.job_id, held.token).update(result=facts):
        raise LostLease


def cancel_requested(held: Claim) -> bool | None:
    """Whether somebody asked to cancel; None when the job is no longer ours."""
    return _held(held.job_id, held.token).values_list("cancel_requested", flat=True).first()


def require(held: Claim) -> None:
    """Lock the job's row for the rest of the transaction. Raises LostLease or Cancelled."""
    job = _held(held.job_id, held.token).select_for_update().first()
    if job is None:
        raise LostLease
    if job.cancel_requested:
        raise Cancelled


def complete(held: Claim, result: dict[str, Any]) -> None:
    """Mark the job done, in the transaction that holds its effect. Raises LostLease."""
    if not _held(held.job_id, held.token).update(**_ended(State.DONE), result=result):
        raise LostLease


def cancelled(held: Claim) -> None:
    """Mark the job cancelled."""
    _held(held.job_id, held.token).update(**_ended(State.CANCELLED))


def give_back(held: Claim, *, wait: timedelta = timedelta(0), note: str = "") -> None:
    """Return the job to the queue as if it had not been tried, to be taken again after a `wait`."""
    _held(held.job_id, held.token).update(
        state=State.QUEUED, lease_until=None, attempts=F("attempts") - 1, run_at=clock.now() + wait, note=note
    )


def fail(held: Claim, refusal: Refusal) -> None:
    """End the job with a refusal."""
    facts = refusal.as_dict()["facts"]
    _held(held.job_id, held.token).update(**_ended(State.FAILED), error_code=refusal.code, error_facts=facts)


def retry(held: Claim, refusal: Refusal) -> bool:
    """Queue the job for another try after a wait; False (and failed) when it has had its tries."""
    if held.attempt >= held.max_attempts:
        fail(held, refusal)
        return False
    again_at = clock.now() + backoff(held.attempt)
    _held(held.job_id, held.token).update(state=State.QUEUED, lease_until=None, run_at=again_at)
    return True


def free_all() -> int:
    """Return every running job to the queue; for a database whose workers are no more: a restored one."""
    running = Job.objects.filter(state=State.RUNNING)
    return running.update(state=State.QUEUED, lease_until=None, attempts=F("attempts") - 1)
