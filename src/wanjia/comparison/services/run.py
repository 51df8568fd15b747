"""Asking for a run, making it, and deciding about one that looks implausible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import transaction

from wanjia.audit import services as audit
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.comparison import findings, index, inputs
from wanjia.comparison.choices import RunStatus
from wanjia.comparison.errors import RunNotReady
from wanjia.comparison.findings import Computed
from wanjia.comparison.models import Run
from wanjia.comparison.queries import RUN, rules_of
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.scope.errors import NotAllowed
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer

REGION = "45"  # the installation's province; its rules and parameters are looked up for it


@transaction.atomic
def request_run(*, viewer: Viewer, region: str = REGION, snapshot: str = "") -> Run:
    """Pin what a run will stand on and put it into the queue.

    Raises NotAllowed, NoActiveRules, NoBatches, NotResolved.
    """
    run = _pin(viewer, region, snapshot)
    job = enqueue("comparison.run", {"run_id": run.pk}, viewer=viewer, title="数据比对", key=f"comparison.run:{run.pk}")
    run.job_id = job.pk
    run.save(update_fields=["job_id"])
    return run


def run_comparison(
    *, viewer: Viewer, run_id: int | None = None, job: JobHandle | None = None, region: str = REGION, snapshot: str = ""
) -> Run:
    """Compare: all rules in force over the current batches, findings into the lake, one audit entry.

    Without `run_id` the inputs are pinned first. Called again for a run that is finished, it
    returns that run. A rule that flags an implausible share of the people leaves the run held
    until somebody releases or discards it.
    """
    if run_id is None:
        with transaction.atomic():
            run_id = _pin(viewer, region, snapshot, job).pk
    run = Run.objects.get(pk=run_id)
    _require(viewer, run.region)
    if run.status == RunStatus.REQUESTED:
        computed = _compute(run, job)
        with _finishing(job, run.pk):
            return _finish(viewer, run.pk, computed)
    with _finishing(job, run.pk):  # the job has nothing left to do, and says so
        return run


@transaction.atomic
def release_run(*, viewer: Viewer, run_id: int, reason: str) -> Run:
    """Confirm that a held run's findings are right, surprising as they are. Raises RunNotReady."""
    return _decide(viewer, run_id, RunStatus.DONE, "comparison.release", reason)


@transaction.atomic
def discard_run(*, viewer: Viewer, run_id: int, reason: str) -> Run:
    """Set a held run aside; its findings are never issued. Raises RunNotReady."""
    return _decide(viewer, run_id, RunStatus.DISCARDED, "comparison.discard", reason)


def _pin(viewer: Viewer, region: str, snapshot: str, job: JobHandle | None = None) -> Run:
    _require(viewer, region)
    pinned = inputs.pin(region=region, as_of=clock.today(), snapshot=snapshot)
    run = Run.objects.create(
        region=pinned.region,
        as_of=pinned.as_of,
        snapshot=pinned.snapshot,
        snapshot_content=pinned.snapshot_content,
        batches=pinned.batches,
        rules=pinned.rules,
        job_id=None if job is None else job.id,
        requested_by=viewer.user_id,
        requested_at=clock.now(),
    )
    _record(viewer, run, "comparison.request", {})
    reached("comparison.pinning")
    transaction.on_commit(partial(reached, "comparison.pinned"))
    return run


def _compute(run: Run, job: JobHandle | None) -> Computed:
    """Findings and their index in the lake; doing it twice gives the same files once."""
    inputs.require_unchanged(run)
    bound, store = inputs.bound_rules(run), lake()
    _tell(job, 1, "正在比对")
    computed = findings.compute(run, bound, store, job.check if job else None)
    reached("comparison.findings_published")
    _tell(job, 2, "正在建立清单")
    index.build(run.pk, store)
    reached("comparison.index_published")
    _tell(job, 3, "完成")
    return computed


def _finish(viewer: Viewer, run_id: int, computed: Computed) -> Run:
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.status != RunStatus.REQUESTED:
        return run  # another worker was faster; its findings are these
    facts = computed.facts()
    run.digest, run.finding_count = computed.digest, computed.findings
    run.counts, run.compared = facts["counts"], computed.compared
    run.held_for = _implausible(run, computed)
    run.status = RunStatus.HELD if run.held_for else RunStatus.DONE
    run.finished_at = clock.now()
    run.save()
    said = {"digest": run.digest, "findings": run.finding_count, "counts": run.counts, "held_for": run.held_for}
    _record(viewer, run, "comparison.run", said)
    reached("comparison.finishing")
    transaction.on_commit(partial(reached, "comparison.finished"))
    return run


def _implausible(run: Run, computed: Computed) -> list[dict[str, Any]]:
    """The rules that flag more people than their file calls plausible."""
    rules = rules_of(run)
    return [
        {"rule": count.rule, "permille": count.permille, "allowed": rules[count.rule].permille}
        for count in computed.counts
        if count.people >= rules[count.rule].people and count.permille > rules[count.rule].permille
    ]


def _decide(viewer: Viewer, run_id: int, status: RunStatus, act: str, reason: str) -> Run:
    refuse_identity_numbers(reason, "reason")
    run = Run.objects.select_for_update().get(pk=run_id)
    _require(viewer, run.region)
    if run.status != RunStatus.HELD:
        raise RunNotReady(run=run.pk, status=run.status)
    run.status, run.decided_by, run.decision_note = status, viewer.user_id, reason[:500]
    run.save(update_fields=["status", "decided_by", "decision_note"])
    _record(viewer, run, act, {"held_for": run.held_for, "reason": run.decision_note})
    return run


def _require(viewer: Viewer, region: str) -> None:
    if not viewer.may(RUN, region):
        raise NotAllowed(action=RUN)


def _record(viewer: Viewer, run: Run, act: str, said: dict[str, Any]) -> None:
    rules = {document["id"]: document["version"] for document in run.rules}
    batches = [{"batch": batch["batch"], "content": batch["content"]} for batch in run.batches]
    content: dict[str, Any] = {
        "snapshot": run.snapshot,
        "snapshot_content": run.snapshot_content,
        "batches": batches,
        "rules": rules,
    }
    audit.record(
        audit.Kind.COMPARE_RUN,
        viewer=viewer,
        area=run.region,
        act=act,
        subject=("run", run.pk),
        content={**content, **said},
    )


def _tell(job: JobHandle | None, done: int, note: str) -> None:
    if job is not None:
        job.check()
        job.progress(done, 3, note)


@contextmanager
def _finishing(job: JobHandle | None, run_id: int) -> Iterator[None]:
    """The transaction of the run's effect: the job's own, which a worker that lost it cannot enter."""
    with job.finishing({"run_id": run_id}) if job is not None else transaction.atomic():
        yield
