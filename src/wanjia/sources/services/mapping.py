"""What the columns of an unknown header are: proposed by the platform, said by a person, kept for next time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import Kind, record
from wanjia.intake.errors import ColumnTwice
from wanjia.intake.layout import Saved, fingerprint_of
from wanjia.intake.samples import masked, visible
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries
from wanjia.sources.choices import BatchStatus
from wanjia.sources.contracts import Contract, contract_for
from wanjia.sources.errors import BatchMovedOn, MappingElsewhere, MappingIncomplete
from wanjia.sources.intake.proposal import Proposal
from wanjia.sources.models import Batch, ColumnMapping

MAPPABLE = (BatchStatus.MAPPING, BatchStatus.PREVIEWED, BatchStatus.HELD)


def plain_proposal(found: Proposal) -> dict[str, Any]:
    """A proposal as the batch keeps it: values masked by what they may be."""
    columns = [
        {
            "header": visible(column.header),
            "field": column.field.name if column.field else "",
            "likeness": str(column.likeness),
            "samples": [masked(text, column.field.personal if column.field else "unknown") for text in column.samples],
        }
        for column in found.columns
    ]
    return {"layout": fingerprint_of(found.span), "columns": columns}


def in_force(dataset: str, area: str) -> list[ColumnMapping]:
    """The mappings that serve a file of the dataset for the area today."""
    today = clock.today()
    found = ColumnMapping.objects.visible_to(system_viewer("sources.mappings")).filter(
        Q(valid_to=None) | Q(valid_to__gte=today), dataset=dataset, valid_from__lte=today, ended_at=None
    )
    return [mapping for mapping in found.order_by("id") if area.startswith(mapping.area)]


def saved_for(contracts: Sequence[Contract], area: str | None) -> Saved:
    """The mappings in force, as the reading of a header wants them."""
    found: dict[str, dict[str, Sequence[str]]] = {}
    for contract in contracts:
        serving = in_force(contract.dataset, area or contract.coverage)
        found[contract.dataset] = {mapping.layout: mapping.columns for mapping in serving}
    return found


def require_mappable(batch: Batch) -> None:
    """Refuse a batch whose columns are decided, or not known yet. Raises BatchMovedOn."""
    if batch.status not in MAPPABLE or "layout" not in (batch.proposal or batch.preview):
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())


@transaction.atomic
def map_columns(*, viewer: Viewer, batch_id: int, columns: Sequence[str]) -> Batch:
    """Say what each column of a file is (a field's name; empty: not kept), for it and for those like it.

    The batch is then to be read (again). Raises NotVisible, BatchMovedOn, MappingElsewhere,
    MappingIncomplete, ColumnTwice.
    """
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    require_mappable(batch)
    told = batch.proposal or batch.preview
    header = [column["header"] for column in told["columns"]]
    _require_sound(contract_for(batch.dataset), header, columns)
    refuse_identity_numbers(header, "header")
    mapping = _kept(viewer, batch, told["layout"], header, list(columns))
    standing = Batch.objects.visible_to(viewer, queries.LOAD).filter(pk=batch.pk, status=batch.status)
    unread: dict[str, Any] = dict.fromkeys(("lines", "accepted", "warned", "rejected", "non_data"), 0)
    unread |= {"proposal": {}, "preview": {}, "figures": {}, "holds": [], "job_id": None}
    if not standing.update(status=BatchStatus.RECEIVED, mapping=mapping, **unread):
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
    batch.refresh_from_db()
    record(
        Kind.DELIVERY,
        viewer=viewer,
        area=batch.area,
        act="sources.map_columns",
        subject=("batch", batch.pk),
        content={
            "dataset": batch.dataset,
            "mapping": mapping.pk,
            "columns": len(header),
            "header": header,
            "fields": list(columns),
        },
    )
    return batch


@transaction.atomic
def end_mapping(*, viewer: Viewer, mapping_id: int) -> ColumnMapping:
    """Stop using a mapping from now on. Raises NotVisible; ended already, it stays as it is."""
    mapping = ColumnMapping.objects.get_visible(viewer, action=queries.LOAD, pk=mapping_id)
    if mapping.ended_at is None:
        _end(viewer, mapping)
        record(
            Kind.DELIVERY,
            viewer=viewer,
            area=mapping.area,
            act="sources.end_mapping",
            subject=("mapping", mapping.pk),
            content={"dataset": mapping.dataset, "mapping": mapping.pk},
        )
    return mapping


def _require_sound(contract: Contract, header: Sequence[str], columns: Sequence[str]) -> None:
    if len(columns) != len(header):
        raise MappingElsewhere(column=f"{len(columns)} / {len(header)}")
    named = [name for name in columns if name]
    for name in named:
        if name not in contract.by_name:
            raise MappingElsewhere(column=visible(name))
        if named.count(name) > 1:
            raise ColumnTwice(column=contract.by_name[name].title.zh)
    missing = [item.title.zh for item in contract.expected if item.name not in named]
    if missing:
        raise MappingIncomplete(missing="、".join(missing))


def _kept(viewer: Viewer, batch: Batch, layout: str, header: list[str], columns: list[str]) -> ColumnMapping:
    """The mapping in force that says the same, or a new one in the place of what said otherwise."""
    mine = ColumnMapping.objects.visible_to(viewer, queries.LOAD).filter(
        dataset=batch.dataset, area=batch.area, layout=layout, ended_at=None
    )
    for earlier in mine:
        if earlier.columns == columns and earlier.valid_to is None:
            return earlier
        _end(viewer, earlier)
    return ColumnMapping.objects.create(
        department=batch.department,
        dataset=batch.dataset,
        area=batch.area,
        layout=layout,
        header=header,
        columns=columns,
        valid_from=clock.today(),
        made_by=viewer.user_id,
        made_at=clock.now(),
    )


def _end(viewer: Viewer, mapping: ColumnMapping) -> None:
    mapping.valid_to, mapping.ended_by, mapping.ended_at = clock.today(), viewer.user_id, clock.now()
    mapping.save(update_fields=["valid_to", "ended_by", "ended_at"])
