"""Our own numbers of households and people, each given once."""

from __future__ import annotations

from django.db import transaction

from wanjia.registry.models import NumberSeries


@transaction.atomic
def reserve(kind: str, count: int) -> int:
    """The first of `count` numbers nobody else gets. A load that fails later leaves a gap, never a second use."""
    NumberSeries.objects.get_or_create(kind=kind, defaults={"next_no": 1})
    series = NumberSeries.objects.select_for_update().get(kind=kind)
    first = series.next_no
    series.next_no = first + count
    series.save(update_fields=["next_no"])
    return first
