from __future__ import annotations

from collections.abc import Iterable

from wanjia.resolution.models import Resolution


def resolutions_of(batch_id: int) -> list[Resolution]:
    """The resolutions of a batch its caller may see, newest first."""
    return list(Resolution.objects.filter(batch_id=batch_id).order_by("-id"))


def resolution_of(batch_id: int, snapshot_id: str) -> Resolution | None:
    """The resolution of a batch against that snapshot, if there is one."""
    return Resolution.objects.filter(batch_id=batch_id, snapshot=snapshot_id).first()


def resolutions_against(batch_ids: Iterable[int], snapshot_id: str) -> list[Resolution]:
    """The resolutions of these batches against one snapshot, in the order of the datasets."""
    rows = Resolution.objects.filter(batch_id__in=list(batch_ids), snapshot=snapshot_id)
    return list(rows.order_by("dataset", "batch_id"))


def resolutions_before(datasets: Iterable[str], batch_ids: Iterable[int]) -> dict[str, Resolution]:
    """By dataset, the newest resolution of a batch delivered before these: what is usual for it."""
    given = list(batch_ids)
    rows = Resolution.objects.filter(dataset__in=list(datasets), batch_id__lt=max(given, default=0))
    return {row.dataset: row for row in rows.exclude(batch_id__in=given).order_by("batch_id", "id")}
