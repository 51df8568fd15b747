from __future__ import annotations

from wanjia.resolution.models import Resolution


def resolutions_of(batch_id: int) -> list[Resolution]:
    """The resolutions of a batch its caller may see, newest first."""
    return list(Resolution.objects.filter(batch_id=batch_id).order_by("-id"))


def resolution_of(batch_id: int, snapshot_id: str) -> Resolution | None:
    """The resolution of a batch against that snapshot, if there is one."""
    return Resolution.objects.filter(batch_id=batch_id, snapshot=snapshot_id).first()
