"""What people do with deliveries."""

from __future__ import annotations

from pathlib import Path

from django.db.models import Q

from wanjia.intake.raw import Upload
from wanjia.scope.viewer import Viewer
from wanjia.sources.choices import BatchStatus
from wanjia.sources.errors import AlreadyDelivered, FileUnreadable
from wanjia.sources.models import Batch
from wanjia.sources.queries import LOAD
from wanjia.sources.services.decide import accept, let_go_on, reject_batch, withdraw
from wanjia.sources.services.deliver import AS_NAMED, Terms, deliver, map_and_read, read_again
from wanjia.sources.services.inspect import inspect
from wanjia.sources.services.mapping import end_mapping, map_columns, require_mappable
from wanjia.sources.services.sheet import reject_sheet
from wanjia.sources.services.sweep import sweep

__all__ = [
    "AS_NAMED",
    "Terms",
    "accept",
    "deliver",
    "end_mapping",
    "inspect",
    "let_go_on",
    "map_and_read",
    "map_columns",
    "read_again",
    "receive",
    "reject_batch",
    "reject_sheet",
    "require_mappable",
    "sweep",
    "withdraw",
]


def receive(  # noqa: PLR0913 - what a delivery is, all by name
    *,
    viewer: Viewer,
    path: Path | None = None,
    upload: Upload | None = None,
    dataset: str | None = None,
    area: str | None = None,
    terms: Terms | None = None,
) -> Batch:
    """Deliver a file and read it at once; the batch is then ready to be accepted.

    Raises what `deliver` raises, and FileUnreadable when the file is found broken further down:
    the batch then stays on record as unreadable, with the reason. A file whose header is unknown
    is not read yet: it waits for `map_columns`. A file whose reading was interrupted is read now;
    one that came before and waits for an answer is answered with as it is.
    """
    try:
        batch = deliver(viewer=viewer, path=path, upload=upload, dataset=dataset, area=area, terms=terms)
    except AlreadyDelivered as earlier:
        batch = _interrupted(viewer, earlier)
    if batch.status == BatchStatus.MAPPING:
        return batch
    batch = inspect(viewer=viewer, batch_id=batch.pk)
    if batch.status == BatchStatus.UNREADABLE:
        raise FileUnreadable(batch=batch.pk, reason=batch.refusal["code"], **_sentences(batch))
    return batch


def _interrupted(viewer: Viewer, earlier: AlreadyDelivered) -> Batch:
    """The delivery nobody is reading, or that waits for an answer, if it came before; else raises what was refused."""
    asking = Q(status__in=(BatchStatus.MAPPING, BatchStatus.HELD))
    waiting = Batch.objects.visible_to(viewer, LOAD).filter(asking | Q(status=BatchStatus.RECEIVED, job_id=None))
    batch = waiting.filter(pk=int(str(earlier.values["batch"]))).first()
    if batch is None:
        raise earlier
    return batch


def _sentences(batch: Batch) -> dict[str, str]:
    return {
        f"{part}_{language}": batch.refusal[part][language] for part in ("what", "cure") for language in ("zh", "en")
    }
