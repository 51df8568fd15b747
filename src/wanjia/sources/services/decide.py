"""What a person decides about a delivery that has been read."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import Kind, record
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.kernel.points import reached
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries, rules
from wanjia.sources.choices import BatchStatus
from wanjia.sources.errors import BatchHeld, BatchMovedOn, NothingToAccept, ReasonNeeded
from wanjia.sources.models import Batch

_UNDECIDED = (BatchStatus.RECEIVED, BatchStatus.MAPPING, BatchStatus.PREVIEWED, BatchStatus.HELD)


@transaction.atomic
def accept(*, viewer: Viewer, batch_id: int) -> Batch:
    """Let a delivery's good rows count from now on; its rejected rows go back to the sender.

    Raises NotVisible, BatchMovedOn (somebody decided before), BatchHeld, NothingToAccept.
    """
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    if batch.status == BatchStatus.HELD:
        why = [Sentence(*(rules.sentence_of(hold, language) for language in ("zh", "en"))) for hold in batch.holds]
        raise BatchHeld(batch=batch.pk, why=Sentence("；".join(w.zh for w in why), "; ".join(w.en for w in why)))
    if batch.status == BatchStatus.PREVIEWED and not batch.accepted:
        raise NothingToAccept(batch=batch.pk)
    batch = _decided(viewer, batch, (BatchStatus.PREVIEWED,), BatchStatus.ACCEPTED, "")
    counts = {name: getattr(batch, name) for name in ("lines", "accepted", "warned", "rejected", "non_data")}
    _record(viewer, batch, "sources.accept", {"file_hash": batch.file_hash, **counts})
    reached("sources.accepting")
    transaction.on_commit(partial(reached, "sources.accepted"))
    return batch


@transaction.atomic
def let_go_on(*, viewer: Viewer, batch_id: int, reason: str) -> Batch:
    """Let a held delivery be accepted like any other, for a reason that stays on record.

    Raises NotVisible, BatchMovedOn, ReasonNeeded.
    """
    refuse_identity_numbers(reason, "reason")
    if not reason.strip():
        raise ReasonNeeded
    batch = queries.batch_for(viewer, batch_id, action=queries.RELEASE)
    rows = Batch.objects.visible_to(viewer, queries.RELEASE).filter(pk=batch.pk, status=BatchStatus.HELD)
    told = reason.strip()[:500]
    moved = rows.update(
        status=BatchStatus.PREVIEWED, let_go_by=viewer.user_id, let_go_at=clock.now(), let_go_reason=told
    )
    batch.refresh_from_db()
    if not moved:
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
    guards = ", ".join(hold["guard"] for hold in batch.holds)
    _record(viewer, batch, "sources.let_go_on", {"reason": told, "guards": guards})
    return batch


@transaction.atomic
def reject_batch(*, viewer: Viewer, batch_id: int, reason: str) -> Batch:
    """Send a delivery back before it counts; the same file may then be delivered again.

    Raises NotVisible, BatchMovedOn.
    """
    refuse_identity_numbers(reason, "reason")
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    batch = _decided(viewer, batch, _UNDECIDED, BatchStatus.REJECTED, reason)
    _record(viewer, batch, "sources.reject_batch", {"reason": reason})
    return batch


@transaction.atomic
def withdraw(*, viewer: Viewer, batch_id: int, reason: str) -> Batch:
    """Let an accepted delivery count no longer, for a reason that stays on record.

    What it had replaced is current again at once; nothing of it is removed, and comparisons that
    used it still say so. It asks for the rights that its acceptance asked for: who may load, and
    for one that had been held somebody who may let it go on. Raises NotVisible, BatchMovedOn, ReasonNeeded.
    """
    refuse_identity_numbers(reason, "reason")
    told = reason.strip()[:500]
    if not told:
        raise ReasonNeeded
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    if batch.let_go_at is not None:
        batch = queries.batch_for(viewer, batch_id, action=queries.RELEASE)
    restored = queries.restored_by(system_viewer("sources.earlier"), batch)
    standing = Batch.objects.visible_to(viewer, queries.LOAD).filter(pk=batch.pk, status=BatchStatus.ACCEPTED)
    moved = standing.update(
        status=BatchStatus.WITHDRAWN, withdrawn_by=viewer.user_id, withdrawn_at=clock.now(), withdrawn_reason=told
    )
    batch.refresh_from_db()
    if not moved:
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
    content = {"reason": told, "file_hash": batch.file_hash, "restored": ", ".join(map(str, restored))}
    _record(viewer, batch, "sources.withdraw", {**content})
    return batch


def _decided(viewer: Viewer, batch: Batch, before: tuple[BatchStatus, ...], after: BatchStatus, note: str) -> Batch:
    """Move the batch if it still stands where the decision was made."""
    rows = Batch.objects.visible_to(viewer, queries.LOAD).filter(pk=batch.pk, status__in=before)
    moved = rows.update(
        status=after, decided_by=viewer.user_id, decided_at=clock.now(), decision_note=note.strip()[:500]
    )
    batch.refresh_from_db()
    if not moved:
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
    return batch


def _record(viewer: Viewer, batch: Batch, act: str, content: dict[str, str | int]) -> None:
    record(
        Kind.DELIVERY,
        viewer=viewer,
        area=batch.area,
        act=act,
        subject=("batch", batch.pk),
        content={"dataset": batch.dataset, **content},
    )
