"""The queue's figures for the operator."""

from __future__ import annotations

from django.db.models import Count, Min

from wanjia.jobs import beats
from wanjia.jobs.choices import Lane, State
from wanjia.jobs.models import DatabaseClock, Job
from wanjia.kernel import clock
from wanjia.telemetry.metrics import Measure, Series


def _waiting() -> Series:
    due = Job.objects.filter(state=State.QUEUED, run_at__lte=clock.now())
    found = dict(due.values_list("lane").annotate(Count("pk")))
    return [((lane.value,), found.get(lane.value, 0)) for lane in Lane]


def _oldest() -> Series:
    now = clock.now()
    due = Job.objects.filter(state=State.QUEUED, run_at__lte=now)
    found = dict(due.values_list("lane").annotate(Min("run_at")))
    return [((lane.value,), (now - found.get(lane.value, now)).total_seconds()) for lane in Lane]


def _running() -> Series:
    found = dict(Job.objects.filter(state=State.RUNNING).values_list("lane").annotate(Count("pk")))
    return [((lane.value,), found.get(lane.value, 0)) for lane in Lane]


def _dead() -> Series:
    return [((), Job.objects.filter(state=State.RUNNING, lease_until__lt=DatabaseClock()).count())]


def _states() -> Series:
    rows = Job.objects.values_list("name", "state").annotate(n=Count("pk")).order_by("name", "state")
    return [((name, state), n) for name, state, n in rows]


def _beats() -> Series:
    return [((node,), age) for node, age in beats.ages().items()]


MEASURES = [
    Measure("wanjia_jobs_waiting", "Jobs that are due and wait.", ("lane",), _waiting),
    Measure("wanjia_jobs_oldest_waiting_seconds", "How long the oldest due job waits.", ("lane",), _oldest),
    Measure("wanjia_jobs_running", "Jobs held by a worker.", ("lane",), _running),
    Measure("wanjia_jobs_dead_leases", "Running jobs whose worker stopped renewing its lease.", (), _dead),
    Measure("wanjia_jobs_kept", "Jobs in the table, by task and state.", ("job", "state"), _states, every=60),
    Measure("wanjia_worker_heartbeat_age_seconds", "Since a worker of the machine was heard of.", ("node",), _beats),
]
