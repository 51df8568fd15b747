"""Open cases by kind, step, city and alarm, from the counters of the home page."""

from __future__ import annotations

from collections import Counter

from django.db.models import Sum

from wanjia.casework.models import EVERY_TOPIC, CaseCounter
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer
from wanjia.telemetry.metrics import Measure, Series, city_of


def _open() -> Series:
    today = clock.today()
    rows = (
        CaseCounter.objects.overseen_by(system_viewer("casework.measures"))
        .filter(topic=EVERY_TOPIC)
        .values_list("kind", "step", "holder_area", "warn_on", "due_on")
        .annotate(all=Sum("n"))
        .filter(all__gt=0)
    )
    found: Counter[tuple[str, ...]] = Counter()
    for kind, step, area, warn_on, due_on, n in rows.iterator():
        alarm = "overdue" if due_on < today else "warned" if warn_on <= today else "in_time"
        found[kind, step, city_of(area), alarm] += n
    return list(found.items())


MEASURES = [
    Measure("wanjia_cases_open", "Open cases by step.", ("kind", "step", "city", "alarm"), _open, every=60),
]
