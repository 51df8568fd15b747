"""Removing what a process that died left: a snapshot that was published and never recorded, files of no sealed year."""

from __future__ import annotations

from wanjia.audit.models import Opening
from wanjia.registry.services.sealing import sweep_sealed
from wanjia.registry.services.snapshot import PREFIX, address_of
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer

ABANDONED_AFTER = 24 * 3600  # seconds


def sweep_snapshots() -> int:
    """Remove what nothing refers to; returns how many.

    Snapshots of which the log knows nothing and no batch was resolved against, and files of
    sealings that never came to their end.
    """
    store = lake()
    # what else lies there is no snapshot: the rows of a load are what its entry in the log commits to
    snapshots = [address for address in store.list(PREFIX) if address.startswith(address_of(""))]
    old = [address for address in snapshots if store.age(address) > ABANDONED_AFTER]
    used = {address.rpartition(",")[2] for address in store.list("resolved")} if old else set()
    recorded = Opening.objects.visible_to(system_viewer("registry.sweep")).filter(act="registry.publish_snapshot")
    abandoned = [
        address
        for address in old
        if (name := address.removeprefix(f"{PREFIX}/")) not in used
        and not recorded.filter(payload__content__snapshot=name.removeprefix("snapshot=")).exists()
    ]
    for address in abandoned:
        store.discard(address)
    return len(abandoned) + sweep_sealed(ABANDONED_AFTER)
