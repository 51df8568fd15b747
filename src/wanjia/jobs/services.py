from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import Kind, record
from wanjia.jobs import beats
from wanjia.jobs.choices import OPEN_STATES, State
from wanjia.jobs.errors import JobOver, UnfitArguments
from wanjia.jobs.models import Job, ScheduleSlot
from wanjia.jobs.queries import CANCEL, job_for, may_cancel
from wanjia.jobs.registry import Schedule, schedules, task_named
from wanjia.jobs.rules import fit_for_storage
from wanjia.kernel import clock
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

SCHEDULED = "schedule:"
SCHEDULED_KEPT = timedelta(days=2)
JOBS_KEPT = timedelta(days=365)


def enqueue(  # noqa: PLR0913 - all but the task and its arguments by name
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    viewer: Viewer,
    title: str = "",
    key: str = "",
    run_at: datetime | None = None,
    node: str = "",
) -> Job:
    """Put a job into the queue, in the caller's transaction; it runs once that has committed.

    `args` are ids and codes, kept in clear. While a job with the same `key` waits or runs, that
    one is returned and nothing is added. `title` is a Chinese message id. `node` binds the job to
    one machine. Raises UnknownTask, UnfitArguments.
    """
    task = task_named(name)
    given = dict(args or {})
    _require_fit(name, given)
    now = clock.now()
    job = Job(
        name=name,
        lane=task.lane,
        title=title,
        args=given,
        key=key or "",
        lock=task.lock_for(given),
        node=node,
        user_id=viewer.user_id,
        system=viewer.system,
        area=viewer.home_area,
        run_at=run_at or now,
        created_at=now,
        max_attempts=task.retries + 1,
    )
    if not key:
        job.save(force_insert=True)
        return job
    with transaction.atomic():
        # waits for a twin that is being inserted, then leaves this one out
        Job.objects.bulk_create([job], ignore_conflicts=True)
        return Job.objects.open().filter(key=key).get()


def _require_fit(name: str, args: dict[str, Any]) -> None:
    place = fit_for_storage(args)
    if place:
        raise UnfitArguments(name=name, where=place)
    try:
        refuse_identity_numbers(args, "args")
    except IdentityNumberInPayload as refused:
        raise UnfitArguments(name=name, where=refused.values["where"]) from None


def cancel(*, viewer: Viewer, job_id: int) -> Job:
    """Cancel a job: at once while it waits, at its next step while it runs.

    Whoever asked for it may, and elsewhere who holds `jobs.cancel`. Asked in time, a running job leaves no
    effect. Raises NotVisible, NotAllowed, JobOver.
    """
    with transaction.atomic():
        if not may_cancel(viewer, job_for(viewer, job_id)):
            raise NotAllowed(action=CANCEL)
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.state == State.QUEUED:
            job.state = State.CANCELLED
            job.finished_at = clock.now()
        elif job.state == State.RUNNING:
            if job.cancel_requested:
                return job
            job.cancel_requested = True
        else:
            raise JobOver(job=job.pk, state=job.state)
        job.save(update_fields=["state", "finished_at", "cancel_requested"])
        record(
            Kind.DECISION,
            viewer=viewer,
            area=job.area,
            act="jobs.cancel",
            content={"job": job.pk, "name": job.name, "asked_by": job.user_id},
        )
    return job


def enqueue_due(node: str) -> int:
    """Put every schedule that has become due into the queue, once for all workers; returns how many.

    The slot is raised and the job added in one commit: a worker that stops between leaves neither.
    While the job of an earlier slot still waits or runs, a later one adds nothing.
    """
    count = 0
    for schedule in schedules():
        slot = schedule.rhythm.slot(clock.now())
        owner = node if schedule.each_node else ""
        if ScheduleSlot.objects.filter(name=schedule.task, node=owner, slot__gte=slot).exists():
            continue
        with transaction.atomic():
            count += _enqueue_slot(schedule, owner, slot)
    return count


def _enqueue_slot(schedule: Schedule, owner: str, slot: int) -> bool:
    first = ScheduleSlot(name=schedule.task, node=owner, slot=slot - 1)
    ScheduleSlot.objects.bulk_create([first], ignore_conflicts=True)
    raised = ScheduleSlot.objects.filter(name=schedule.task, node=owner, slot__lt=slot).update(slot=slot)
    if raised:
        key = f"{SCHEDULED}{schedule.task}:{owner}"
        enqueue(schedule.task, schedule.args, viewer=system_viewer("jobs.schedule"), key=key, node=owner)
    return bool(raised)


def prune() -> int:
    """Delete jobs that ended long ago: scheduled ones after two days, others after a year; and workers long gone."""
    beats.forget_old()
    now = clock.now()
    old = Q(key__startswith=SCHEDULED, finished_at__lt=now - SCHEDULED_KEPT) | Q(finished_at__lt=now - JOBS_KEPT)
    deleted, _ = Job.objects.filter(old).exclude(state__in=OPEN_STATES).delete()
    return deleted
