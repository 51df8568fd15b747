"""Making the inputs of a run current: a snapshot of the registry, every current batch resolved against it."""

from __future__ import annotations

from django.db import transaction

from wanjia.comparison import inputs, kinship
from wanjia.comparison.choices import RunStatus
from wanjia.comparison.errors import NoBatches
from wanjia.comparison.models import Run
from wanjia.comparison.queries import RUN
from wanjia.comparison.services.run import REGION, run_comparison
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.models import Job
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.registry.services import publish_snapshot
from wanjia.resolution.services import resolve_batch
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources.models import Batch

COMPARE = "comparison.compare"


@transaction.atomic
def ask_for_comparison(*, viewer: Viewer, region: str = REGION) -> Job:
    """Put the main job into the queue; while one waits or runs, that one is returned.

    Raises NotAllowed, NoActiveRules, NoBatches: what is wrong already is told at once.
    """
    _current(viewer, region)
    return enqueue(COMPARE, {}, viewer=viewer, title="数据比对", key=COMPARE)


def refresh_inputs(*, viewer: Viewer, region: str = REGION, job: JobHandle | None = None) -> str:
    """Publish a snapshot of the registry as it is now and resolve the current batches against it.

    Returns the snapshot's id. What is in the lake afterwards is immutable, so a worker that dies
    in between leaves only datasets that nobody uses. Raises NotAllowed, NoActiveRules, NoBatches.
    """
    batches = _current(viewer, region)
    _tell(job, 0, len(batches), "正在生成建档立卡快照")
    snapshot = _snapshot(viewer, job)
    everybody = system_viewer("comparison.inputs")
    for number, batch in enumerate(batches, start=1):
        _tell(job, number, len(batches), "正在归户")
        resolve_batch(viewer=everybody, batch_id=batch.pk, snapshot_id=snapshot)
        kinship.keep_books(batch, snapshot, region)
    return snapshot


def compare_now(*, viewer: Viewer, region: str = REGION, job: JobHandle | None = None) -> Run:
    """The main job in one act: fresh inputs, then all rules over them. Raises what its parts raise.

    A job whose worker died takes up the run it had pinned, on the inputs pinned then.
    """
    pinned = None if job is None else Run.objects.filter(job_id=job.id, status=RunStatus.REQUESTED).first()
    if pinned is not None:
        return run_comparison(viewer=viewer, run_id=pinned.pk, job=job)
    snapshot = refresh_inputs(viewer=viewer, region=region, job=job)
    return run_comparison(viewer=viewer, region=region, snapshot=snapshot, job=job)


def _current(viewer: Viewer, region: str) -> list[Batch]:
    """The batches a comparison would stand on now."""
    if not viewer.may(RUN, region):
        raise NotAllowed(action=RUN)
    rules = inputs.active_rules(region, clock.today())
    batches = inputs.current_batches(region, sorted({item.rule.dataset for item in rules}))
    if not batches:
        raise NoBatches(region=region)
    return batches


def _snapshot(viewer: Viewer, job: JobHandle | None) -> str:
    """A snapshot of now, or the one this job published before its worker died."""
    if job is None:
        return publish_snapshot(viewer=viewer)
    if "snapshot" not in job.kept:
        job.keep(snapshot=publish_snapshot(viewer=viewer))
    return str(job.kept["snapshot"])


def _tell(job: JobHandle | None, done: int, total: int, note: str) -> None:
    if job is not None:
        job.check()
        job.progress(done, total, note)
