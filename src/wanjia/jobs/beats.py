"""Workers say that they are there, whether they have something to do or not."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Max

from wanjia.jobs.models import DatabaseClock, WorkerBeat

BEAT_SECONDS = 15.0
LATE_AFTER = 60.0  # a worker this long silent is frozen, cut off or gone
BEATS_KEPT = timedelta(days=1)


def beat(*, worker: str, node: str) -> None:
    """Note that this worker is alive now, by the database's clock."""
    changed = WorkerBeat.objects.filter(worker=worker).update(beat_at=DatabaseClock())
    if not changed:
        WorkerBeat.objects.bulk_create(
            [WorkerBeat(worker=worker, node=node, beat_at=DatabaseClock())], ignore_conflicts=True
        )


def stopped(*, worker: str) -> None:
    """Note that this worker has ended of its own will: nobody need look for it."""
    WorkerBeat.objects.filter(worker=worker).delete()


def ages() -> dict[str, float]:
    """Seconds since any worker of each machine was last heard of."""
    rows = WorkerBeat.objects.values("node").annotate(age=DatabaseClock() - Max("beat_at"))
    return {row["node"]: max(0.0, row["age"]) for row in rows}


def forget_old() -> None:
    """Forget workers that were not heard of for a day."""
    WorkerBeat.objects.filter(beat_at__lt=DatabaseClock() - BEATS_KEPT.total_seconds()).delete()
