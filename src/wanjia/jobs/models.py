from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import F, Func, Q
from django.db.models.sql.compiler import SQLCompiler

from wanjia.jobs.choices import OPEN_STATES, Lane, State
from wanjia.scope.models import NOTHING, range_q
from wanjia.scope.viewer import Viewer


class DatabaseClock(Func):
    """Seconds since 1970 by the database's own clock.

    Leases are measured with it and with nothing else: workers on several machines, and a demo
    whose clock runs in the past, would disagree about "now"; the database is one.
    """

    output_field = models.FloatField()

    def as_sql(self, compiler: SQLCompiler, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # noqa: ARG002
        if connection.vendor == "postgresql":
            return "EXTRACT(EPOCH FROM clock_timestamp())::double precision", []
        return "((julianday('now') - 2440587.5) * 86400.0)", []


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own jobs, and those submitted in areas where he holds `jobs.read`."""
        if viewer.is_system:
            return self
        elsewhere = NOTHING
        for area in viewer.ranges("jobs.read"):
            elsewhere |= range_q("area", area)
        return self.filter(elsewhere | Q(user_id=viewer.user_id) if viewer.user_id else elsewhere)

    def open(self) -> Self:
        return self.filter(state__in=OPEN_STATES)


class Job(models.Model):
    """One piece of background work.

    A worker holds it by `token`: each claim raises it, and whatever a worker writes about the job
    is conditional on the token it claimed. `lease_until` is by the database's clock; when it has
    passed, another worker may claim the job. Arguments and result are ids and codes.
    """

    name = models.CharField(max_length=80)
    lane = models.CharField(max_length=12, choices=Lane.choices)
    title = models.CharField(max_length=200, blank=True)
    args = models.JSONField(default=dict)
    key = models.CharField(max_length=200, blank=True)
    lock = models.CharField(max_length=200, blank=True)
    node = models.CharField(max_length=80, blank=True)

    user_id = models.BigIntegerField()
    system = models.CharField(max_length=80, blank=True)
    area = models.CharField(max_length=15, blank=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    run_at = models.DateTimeField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=4)
    cancel_requested = models.BooleanField(default=False)

    token = models.BigIntegerField(default=0)
    lease_until = models.FloatField(null=True)
    worker = models.CharField(max_length=120, blank=True)

    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    note = models.CharField(max_length=200, blank=True)

    result = models.JSONField(default=dict)
    error_code = models.CharField(max_length=80, blank=True)
    error_facts = models.JSONField(default=dict)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=~Q(key="") & Q(state__in=["queued", "running"]),
                name="job_one_open_per_key",
            ),
            models.UniqueConstraint(
                fields=["lock"], condition=~Q(lock="") & Q(state="running"), name="job_one_running_per_lock"
            ),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False) | ~Q(state="running") & Q(lease_until=None),
                name="job_has_a_lease_while_it_runs",
            ),
            models.CheckConstraint(
                condition=Q(attempts__lte=F("max_attempts")), name="job_is_not_tried_more_often_than_allowed"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lane", "run_at", "id"], condition=Q(state__in=["queued", "running"]), name="job_waiting"
            ),
            models.Index(fields=["user_id", "-id"], name="job_by_user"),
            models.Index(fields=["area", "-id"], name="job_by_area"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name} {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class WorkerBeat(models.Model):
    """A worker that was alive at `beat_at`, by the database's clock."""

    worker = models.CharField(max_length=120, primary_key=True)
    node = models.CharField(max_length=80)
    beat_at = models.FloatField()

    def __str__(self) -> str:
        return self.worker


class ScheduleSlot(models.Model):
    """The latest slot of a schedule that was put into the queue, on one node or for all."""

    name = models.CharField(max_length=80)
    node = models.CharField(max_length=80, blank=True)
    slot = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "node"], name="schedule_slot_one_per_node")]

    def __str__(self) -> str:
        return f"{self.name} {self.node}"
