"""Resolution in the background: one at a time per batch, safe to repeat."""

from wanjia.jobs.handle import JobHandle
from wanjia.jobs.registry import Lane, task
from wanjia.resolution import services


@task("resolution.resolve", lane=Lane.HEAVY, lock=lambda args: f"resolve:{args['batch_id']}")
def resolve(job: JobHandle, batch_id: int, snapshot_id: str) -> None:
    """Resolve an accepted batch against a snapshot."""
    resolution = services.resolve_batch(viewer=job.viewer, batch_id=batch_id, snapshot_id=snapshot_id)
    with job.finishing({"resolution": resolution.pk}):
        pass
