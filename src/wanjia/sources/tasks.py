"""Background entry points."""

from __future__ import annotations

from wanjia.jobs.handle import JobHandle
from wanjia.jobs.registry import Lane, task
from wanjia.sources import services

SCHEDULES = [{"task": "sources.sweep", "run": "wanjia.sources.services.sweep", "daily": "03:10"}]


@task("sources.intake", lane=Lane.HEAVY, lock=lambda args: f"sources.{args['dataset']}")
def intake(job: JobHandle, batch_id: int, dataset: str) -> None:  # noqa: ARG001 - the dataset names the lock
    """Read a delivery; one at a time for each dataset, so that batches are previewed in the order they came."""
    services.inspect(viewer=job.viewer, batch_id=batch_id, job=job)
