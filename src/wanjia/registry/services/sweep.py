"""Removing what a process that died left: a snapshot that was published and never recorded, files of no sealed year."""

from __future__ import annotations

from wanjia.audit.models import Opening
from wanjia.registry.models import SheetFile, SheetImport
from wanjia.registry.services.sealing import sweep_sealed
from wanjia.registry.services.snapshot import PREFIX, address_of
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer

ABANDONED_AFTER = 24 * 3600  # seconds


def sweep_sheets() -> int:
    """Remove sheets that were put away and belong to no import, a day later; returns how many.

    They hold identity numbers, encrypted, and nothing else would ever end them.
    """
    store, everybody = lake(), system_viewer("registry.sweep")
    old = [address for address in store.list("sheets") if store.age(address) > ABANDONED_AFTER]
    known = set(SheetFile.objects.visible_to(everybody).values_list("raw", flat=True)) if old else set()
    known |= {each.kept for each in SheetImport.objects.visible_to(everybody).only("pk")} if old else set()
    abandoned = [address for address in old if address not in known]
    for address in abandoned:
        store.discard(address)
    return len(abandoned)


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
