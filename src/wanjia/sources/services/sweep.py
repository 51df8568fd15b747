"""Removing what a process that died left: a file put away for which no batch was written."""

from __future__ import annotations

from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources.models import Batch

ABANDONED_AFTER = 24 * 3600  # seconds; between the file and its batch lie a few


def sweep() -> int:
    """Remove raw files no batch refers to, a day after they were put away; returns how many.

    They hold identity numbers, encrypted, and no retention class would ever end them.
    """
    store, batches = lake(), Batch.objects.visible_to(system_viewer("sources.sweep"))
    old = [address for address in store.list("raw") if store.age(address) > ABANDONED_AFTER]
    known = set(batches.values_list("raw", flat=True)) if old else set()
    abandoned = [address for address in old if address not in known]
    for address in abandoned:
        store.discard(address)
    return len(abandoned)
