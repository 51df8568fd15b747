"""The figures of the outbox and of the readings not yet in the log."""

from __future__ import annotations

import json
from datetime import datetime

from django.db.models import Max, Min

from wanjia.audit.access import access_store
from wanjia.audit.models import Outbox
from wanjia.kernel import clock
from wanjia.telemetry.metrics import Measure, Series


def outbox_size() -> int:
    """Entries waiting to be ordered; from the ends of the table, so that a long one costs no more to ask."""
    ends = Outbox.objects.aggregate(first=Min("id"), last=Max("id"))
    return 0 if ends["first"] is None else ends["last"] - ends["first"] + 1


def outbox_age() -> float:
    """How many seconds the oldest of them waits."""
    oldest = Outbox.objects.order_by("id").values_list("entry", flat=True).first()
    if oldest is None:
        return 0.0
    at = datetime.fromisoformat(json.loads(bytes(oldest))["at"])
    return max(0.0, (clock.now() - at).total_seconds())


def _uncommitted() -> Series:
    return [((), access_store().uncommitted())]


MEASURES = [
    Measure("wanjia_audit_outbox_entries", "Entries waiting for the log, at most.", (), lambda: [((), outbox_size())]),
    Measure("wanjia_audit_outbox_age_seconds", "Since the oldest was recorded.", (), lambda: [((), outbox_age())]),
    Measure(
        "wanjia_access_rows_uncommitted",
        "Readings of personal data no leaf of the log covers yet, on this machine.",
        (),
        _uncommitted,
    ),
]
