"""Deliveries by dataset: how far they came, and what became of their lines."""

from __future__ import annotations

from django.db.models import Count, Sum

from wanjia.scope.system import system_viewer
from wanjia.sources.models import Batch
from wanjia.telemetry.metrics import Measure, Series

FATES = ("accepted", "warned", "rejected", "non_data")


def _batches() -> Series:
    rows = Batch.objects.visible_to(system_viewer("sources.measures")).order_by()
    return [(tuple(key), n) for *key, n in rows.values_list("dataset", "status").annotate(Count("pk"))]


def _lines() -> Series:
    rows = Batch.objects.visible_to(system_viewer("sources.measures")).order_by()
    sums = rows.values_list("dataset").annotate(*(Sum(fate) for fate in FATES))
    return [((dataset, fate), n) for dataset, *found in sums for fate, n in zip(FATES, found, strict=True)]


MEASURES = [
    Measure("wanjia_batches", "Deliveries by dataset and status.", ("dataset", "status"), _batches, every=60),
    Measure("wanjia_batch_lines", "Lines of deliveries by what became of them.", ("dataset", "fate"), _lines, every=60),
]
