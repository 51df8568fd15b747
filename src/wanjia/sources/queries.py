"""Reading deliveries. Rows of a batch are in the lake, and count only once the batch is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import F, QuerySet

from wanjia.intake.choices import NonData, Severity, UnreadSheet
from wanjia.intake.rules import PROBLEMS
from wanjia.scope.areas import AreaRange
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Relation, Viewer
from wanjia.sources import rules
from wanjia.sources.choices import BatchStatus
from wanjia.sources.contracts import Contract, contract_for, contracts
from wanjia.sources.models import Batch, ColumnMapping

LOAD, RELEASE = "sources.load", "sources.release"
WHOLE_ROW_ZH, WHOLE_ROW_EN = "整行", "the row"


def batches(viewer: Viewer) -> QuerySet[Batch]:
    """The deliveries the viewer may see, newest first."""
    return Batch.objects.visible_to(viewer).order_by("-id")


def batch_for(viewer: Viewer, batch_id: int, *, action: str | None = None) -> Batch:
    """One delivery, with its permission. Raises NotVisible."""
    return Batch.objects.get_visible(viewer, action=action, pk=batch_id)


def may_see(viewer: Viewer, batch_id: int) -> bool:
    """Whether the viewer may open the delivery, and so read its history."""
    return batches(viewer).filter(pk=batch_id).exists()


def accepted_batches(viewer: Viewer, dataset: str | None = None) -> QuerySet[Batch]:
    """Accepted deliveries, newest first."""
    found = batches(viewer).filter(status=BatchStatus.ACCEPTED)
    return found if dataset is None else found.filter(dataset=dataset)


def superseded(viewer: Viewer, datasets: Iterable[str] | None = None) -> dict[int, int]:
    """Of the accepted deliveries those no longer current → the one that took their place."""
    found = accepted_batches(viewer)
    return rules.superseded(_delivered(found if datasets is None else found.filter(dataset__in=list(datasets))))


def restored_by(viewer: Viewer, batch: Batch) -> list[int]:
    """The deliveries that would be current again if this accepted one were withdrawn."""
    accepted = _delivered(accepted_batches(viewer, batch.dataset))
    left = rules.superseded([each for each in accepted if each.number != batch.pk])
    return sorted(rules.superseded(accepted).keys() - left.keys() - {batch.pk})


def replaced_by_accepting(viewer: Viewer, batch: Batch) -> tuple[list[int], int | None]:
    """The current deliveries that would stop being so if this one were accepted, and a later one that outdoes it."""
    accepted = _delivered(accepted_batches(viewer, batch.dataset))
    after = rules.superseded([*accepted, delivered(batch)])
    return sorted(after.keys() - rules.superseded(accepted).keys() - {batch.pk}), after.get(batch.pk)


def withdrawn(viewer: Viewer, numbers: Iterable[int]) -> set[int]:
    """Which of these deliveries counted once and were withdrawn."""
    found = batches(viewer).filter(pk__in=set(numbers), status=BatchStatus.WITHDRAWN)
    return set(found.values_list("pk", flat=True))


def current_batches(viewer: Viewer, datasets: Iterable[str], region: str = "") -> list[Batch]:
    """The deliveries in force, oldest first: accepted, not superseded, and reaching into the region."""
    wanted = list(datasets)
    gone = superseded(viewer, wanted)
    accepted = accepted_batches(viewer).filter(dataset__in=wanted).order_by("id")
    return [
        batch
        for batch in accepted
        if batch.pk not in gone and (batch.area.startswith(region) or region.startswith(batch.area))
    ]


def current_batch(viewer: Viewer, dataset: str) -> Batch | None:
    """The newest delivery in force of a dataset that is always delivered whole."""
    return next(reversed(current_batches(viewer, [dataset])), None)


def overlapped(viewer: Viewer, batch: Batch) -> list[int]:
    """Current deliveries for a wider area beside which this one stands: their rows for its area count on."""
    gone = superseded(viewer, [batch.dataset])
    others = [each for each in _delivered(accepted_batches(viewer, batch.dataset)) if each.number not in gone]
    return rules.overlapping(delivered(batch), others)


def delivered(batch: Batch) -> rules.Delivered:
    """What of a batch decides which others it replaces."""
    period = (batch.period_from, batch.period_to)
    return rules.Delivered(batch.pk, batch.dataset, batch.area, batch.delivery_mode, period)


def _delivered(found: QuerySet[Batch]) -> list[rules.Delivered]:
    rows = found.order_by().values_list("pk", "dataset", "area", "delivery_mode", "period_from", "period_to")
    return [rules.Delivered(*row[:4], (row[4], row[5])) for row in rows]


def mappings(viewer: Viewer) -> QuerySet[ColumnMapping]:
    """What was said of headers, in force first, newest first."""
    return ColumnMapping.objects.visible_to(viewer).order_by(F("ended_at").desc(nulls_first=True), "-id")


def pairs_of(mapping: ColumnMapping, language: str) -> list[tuple[str, str]]:
    """The columns of a mapping beside what they are; what is not kept is left out."""
    contract = contract_for(mapping.dataset)
    pairs = zip(mapping.header, mapping.columns, strict=True)
    return [(header, _title(contract, name, language)) for header, name in pairs if name]


def typed_paths(batch: Batch) -> tuple[Path, ...]:
    """The Parquet files with the batch's rows, in order. Raises NotPublished."""
    names = [name for name in lake().read_manifest(batch.typed).files if name.startswith("part-")]
    in_order = sorted(names, key=lambda name: int(name.removeprefix("part-").removesuffix(".parquet")))
    return tuple(lake().path(batch.typed, name) for name in in_order)


def may_deliver(viewer: Viewer, contract: Contract, area: str) -> bool:
    """Whether the viewer may hand in this dataset for this area: everybody's, or his own department's."""
    wanted = AreaRange.of(area)
    return viewer.is_system or any(
        grant.area.covers(wanted)
        and (
            grant.relation is Relation.ALL
            or (grant.relation is Relation.OWN_DEPARTMENT and grant.department == contract.department)
        )
        for grant in viewer.grants_for(LOAD)
    )


def deliverable(viewer: Viewer) -> tuple[Contract, ...]:
    """The datasets the viewer may hand in for some area of his."""
    own = [grant.area.lo for grant in viewer.grants_for(LOAD)]
    return tuple(
        contract
        for contract in contracts().values()
        if any(may_deliver(viewer, contract, code) for code in (own or [contract.coverage]) if code)
        or may_deliver(viewer, contract, contract.coverage)
    )


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column of the file beside the field it was understood as (its title is empty when it is ignored).

    `unit` is that of its amounts, empty for a column of none; `unit_said` whether the file states it.
    """

    header: str
    title: str
    kept: bool
    samples: Sequence[str]
    unit: str = ""
    unit_said: bool = True


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """All rows with one problem in one column."""

    severity: Severity
    title: str
    sentence: str
    count: int
    examples: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the page says about a delivery before anybody accepts it."""

    batch: Batch
    contract: Contract
    encoding: str
    delimiter: str
    header_line: int
    columns: tuple[MappedColumn, ...]
    missing: tuple[str, ...]
    rejects: tuple[ProblemGroup, ...]
    warnings: tuple[ProblemGroup, ...]
    non_data: tuple[tuple[str, int], ...]
    sheets: Sequence[Mapping[str, Any]]
    unread: tuple[Mapping[str, str], ...]
    hidden_columns: Sequence[str]
    correctable: bool


def preview_of(batch: Batch, language: str) -> Preview | None:
    """The preview of a delivery that has been read; None before."""
    said = batch.preview
    if not said:
        return None
    contract = contract_for(batch.dataset)
    groups = sorted(_groups(contract, said, language), key=lambda group: -group.count)
    return Preview(
        batch=batch,
        contract=contract,
        encoding=said["encoding"],
        delimiter={"\t": "Tab"}.get(said["delimiter"], said["delimiter"]),
        header_line=said["header_line"],
        columns=tuple(_columns(contract, said, language)),
        missing=tuple(_title(contract, name, language) for name in said["missing"]),
        rejects=tuple(group for group in groups if group.severity is Severity.REJECT),
        warnings=tuple(group for group in groups if group.severity is Severity.WARN),
        non_data=tuple((str(NonData(reason).label), count) for reason, count in said["non_data"].items()),
        sheets=said.get("sheets", ()),
        unread=tuple(
            {"name": sheet["name"], "why": str(UnreadSheet(sheet["why"]).label)} for sheet in said.get("unread", ())
        ),
        hidden_columns=said.get("hidden_columns", ()),
        correctable="layout" in said and batch.status in (BatchStatus.PREVIEWED, BatchStatus.HELD),
    )


def _columns(contract: Contract, said: dict[str, Any], language: str) -> Iterator[MappedColumn]:
    for column in said["columns"]:
        field = contract.by_name.get(column["field"])
        title = _title(contract, column["field"], language) if column["field"] else ""
        unit, said_so = column.get("unit", ""), column.get("unit_said", True)
        yield MappedColumn(column["header"], title, bool(field and field.keep), column["samples"], unit, said_so)


def _groups(contract: Contract, said: dict[str, Any], language: str) -> Iterator[ProblemGroup]:
    for group in said["problems"]:
        problem = PROBLEMS[group["problem"]]
        yield ProblemGroup(
            severity=problem.severity,
            title=_title(contract, group["field"], language),
            sentence=problem.sentence.text(language),
            count=group["count"],
            examples=group["examples"],
        )


def _title(contract: Contract, name: str, language: str) -> str:
    if not name:
        return WHOLE_ROW_EN if language.startswith("en") else WHOLE_ROW_ZH
    field = contract.by_name.get(name)
    return field.title.text(language) if field else name
