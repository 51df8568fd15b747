"""Alerts nobody has looked into."""

from __future__ import annotations

from wanjia.inspection.models import BulkReading
from wanjia.scope.system import system_viewer
from wanjia.telemetry.metrics import Measure, Series


def _open() -> Series:
    rows = BulkReading.objects.visible_to(system_viewer("inspection.measures"))
    return [((), rows.filter(answered_by=None).count())]


MEASURES = [
    Measure("wanjia_bulk_readings_open", "Alerts of bulk reading nobody has looked into.", (), _open, every=60),
]
