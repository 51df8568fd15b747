"""Whether a delivery is what it seems: half of it, twice it, or last year's is held and asks."""

from __future__ import annotations

from typing import Any

from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.scope.system import system_viewer
from wanjia.sources import queries, rules
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch


def holds_of(batch: Batch, figures: dict[str, Any]) -> list[rules.Hold]:
    """Why a delivery that has just been read is held; empty when nothing speaks against it."""
    everything = queries.accepted_batches(system_viewer("sources.earlier"), batch.dataset)
    alike = everything.filter(area=batch.area, delivery_mode=batch.delivery_mode)
    if batch.period_from is not None:  # another month is measured against the latest one
        alike = alike.exclude(period_from__gt=batch.period_from)
    before = alike.order_by("-id").first()
    return rules.guarded(
        rules.Seen(batch.pk, batch.as_of, figures), None if before is None else _seen(before),
        _same(batch, figures), clock.today(), _bounds(batch),
    )  # fmt: skip


def _seen(batch: Batch) -> rules.Seen:
    return rules.Seen(batch.pk, batch.as_of, {"rows": batch.accepted + batch.rejected, **batch.figures})


def _same(batch: Batch, figures: dict[str, Any]) -> tuple[int, Any] | None:
    """An earlier delivery with the same content, whoever brought it; only its number and day are told."""
    if not figures.get("rows"):
        return None
    everything = Batch.objects.visible_to(system_viewer("sources.earlier")).filter(
        dataset=batch.dataset, status=BatchStatus.ACCEPTED, figures__content=figures["content"]
    )
    same = everything.order_by("-id").first()
    return None if same is None else (same.pk, clock.day_of(same.received_at))


def _bounds(batch: Batch) -> rules.Bounds:
    def value(name: str) -> Any:
        return parameter(f"intake.{name}", region=batch.area)

    return rules.Bounds(
        considered=int(value("rows_considered")),
        rows_at_least=float(value("rows_at_least")),
        rows_at_most=int(value("rows_at_most_percent")) / 100,
        repeated_keys=float(value("repeated_keys")),
        valid_ids_drop=float(value("valid_ids_drop")),
        valid_ids_least=float(value("valid_ids_least")),
        stale_days=int(value("stale_days")),
        recede_days=int(value("recede_days")),
    )
