"""What waits for a department, and how its deliveries and its feedback stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wanjia.comparison.feedback import presenting, queries, records
from wanjia.comparison.feedback.queries import Figures
from wanjia.kernel import clock
from wanjia.scope.viewer import Viewer
from wanjia.sources import presenting as deliveries
from wanjia.sources import queries as sources
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch
from wanjia.sources.presenting import dataset_title

DELIVERIES_SHOWN, FEEDBACK_SHOWN = 12, 10
UNDECIDED = (BatchStatus.MAPPING, BatchStatus.PREVIEWED, BatchStatus.HELD)


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits for a department officer: `overdue` of the feedback, `soon` due of it, files to decide about."""

    feedback: int
    overdue: int
    files: int
    soon: int = 0


@dataclass(frozen=True, slots=True)
class Carried:
    """A current delivery that still holds rows its department agreed to be wrong."""

    batch: Batch
    title: str
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Desk:
    """All the desk shows."""

    waits: Waits
    files: Sequence[deliveries.Row]
    feedback: Sequence[presenting.Row]
    deliveries: Sequence[deliveries.Row]
    carried: Sequence[Carried]
    figures: Sequence[tuple[str, Figures]]
    total: Figures


def waits(viewer: Viewer) -> Waits:
    """The numbers of the home page. Two statements."""
    today = clock.today()
    due = list(queries.waiting(viewer).values_list("warn_on", "due_on"))
    files = Batch.objects.visible_to(viewer, sources.LOAD).filter(status__in=UNDECIDED).count()
    late = sum(due_on < today for _, due_on in due)
    return Waits(len(due), late, files, soon=sum(warn_on <= today <= due_on for warn_on, due_on in due))


def desk(viewer: Viewer, language: str) -> Desk:
    """The whole desk of a department officer."""
    undecided = Batch.objects.visible_to(viewer, sources.LOAD).filter(status__in=UNDECIDED).order_by("-id")
    counted = queries.figures(viewer)
    return Desk(
        waits=waits(viewer),
        files=deliveries.rows(undecided),
        feedback=presenting.rows(list(queries.waiting(viewer)[:FEEDBACK_SHOWN]), language),
        deliveries=deliveries.rows(sources.batches(viewer)[:DELIVERIES_SHOWN]),
        carried=carried(viewer),
        figures=lines(counted),
        total=queries.total(counted),
    )


def lines(counted: Iterable[Figures]) -> list[tuple[str, Figures]]:
    """Counts with the dataset in words."""
    return [(dataset_title(line.of), line) for line in counted]


def carried(viewer: Viewer) -> list[Carried]:
    """The current deliveries, as far as the viewer may open them, that still hold what was agreed to be wrong."""
    wrong = queries.agreed_wrong(viewer, sorted({line.of for line in queries.figures(viewer) if line.agreed}))
    datasets = sorted({item.dataset for item in wrong})
    found = []
    for batch in sources.current_batches(viewer, datasets):
        told = records.still_in(batch, [item for item in wrong if item.dataset == batch.dataset])
        if told:
            found.append(
                Carried(batch, dataset_title(batch.dataset), sorted({row for rows in told.values() for row in rows}))
            )
    return found
