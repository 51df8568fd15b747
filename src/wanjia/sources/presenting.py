"""Deliveries as tables show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import get_language

from wanjia.scope.system import system_viewer
from wanjia.sources import queries
from wanjia.sources.choices import BatchStatus
from wanjia.sources.contracts import contracts
from wanjia.sources.models import Batch

TONES = {
    BatchStatus.RECEIVED: "active",
    BatchStatus.UNREADABLE: "refused",
    BatchStatus.MAPPING: "waiting",
    BatchStatus.PREVIEWED: "waiting",
    BatchStatus.HELD: "refused",
    BatchStatus.ACCEPTED: "done",
    BatchStatus.REJECTED: "muted",
    BatchStatus.WITHDRAWN: "muted",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery in a list; `replaced_by` is the one that took its place."""

    batch: Batch
    title: str
    tone: str
    replaced_by: int | None


def rows(batches: Iterable[Batch]) -> list[Row]:
    """Deliveries with their words and whether they are still current, in one statement more."""
    gone = replaced()
    return [Row(batch, title_of(batch), tone_of(batch), gone.get(batch.pk)) for batch in batches]


def replaced() -> dict[int, int]:
    """Accepted deliveries no longer current → the one that took their place, whoever brought it."""
    return queries.superseded(system_viewer("sources.earlier"))


def title_of(batch: Batch) -> str:
    """What the delivery holds, in the reader's language."""
    return dataset_title(batch.dataset)


def dataset_title(dataset: str) -> str:
    """A dataset in the reader's language; its code where no contract knows it."""
    contract = contracts().get(dataset)
    return contract.title.text(get_language() or "zh") if contract else dataset


def tone_of(batch: Batch) -> str:
    """The tone of its state."""
    return TONES[BatchStatus(batch.status)]
