"""Resolving a batch: once per batch and snapshot, into the lake, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from wanjia.audit.services import Kind, record
from wanjia.engine.duck import DuckDB
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.lake import AlreadyPublished, Columns, Type
from wanjia.lake.parquet import SORTED_ROW_GROUP
from wanjia.lake.parquet import write as write_parquet
from wanjia.lake.store import Staging
from wanjia.registry.queries import registered_keys
from wanjia.registry.services.snapshot import address_of as snapshot_address
from wanjia.resolution import steps
from wanjia.resolution.errors import BatchNotAccepted, SnapshotMissing
from wanjia.resolution.models import Resolution
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch
from wanjia.sources.queries import typed_paths

ENGINE = DuckDB(memory_limit="1GB")


def address_of(dataset: str, batch_id: int, snapshot_id: str) -> str:
    """Where in the lake the resolution of a batch against a snapshot is."""
    return f"resolved/{dataset}/batch={batch_id},snapshot={snapshot_id}"


def resolve_batch(*, viewer: Viewer, batch_id: int, snapshot_id: str) -> Resolution:
    """Find whose records an accepted batch holds; called again it returns the same resolution.

    The lake is published first and the row written after it. A crash between the two leaves a
    published dataset without a row; the next call finds it, and writes the row from what it says
    about itself. Raises NotVisible, BatchNotAccepted, SnapshotMissing.
    """
    batch = Batch.objects.get_visible(viewer, pk=batch_id)
    if batch.status != BatchStatus.ACCEPTED:
        raise BatchNotAccepted(batch=batch_id)
    known = Resolution.objects.filter(batch_id=batch_id, snapshot=snapshot_id).first()
    if known is not None:
        return known
    if not lake().exists(snapshot_address(snapshot_id)):
        raise SnapshotMissing(snapshot=snapshot_id)
    address = address_of(batch.dataset, batch_id, snapshot_id)
    if not lake().exists(address):
        _publish(address, batch, snapshot_id)
    return _remember(viewer, batch, snapshot_id, address)


def match_extract(batch: Batch, persons: Path, target: Path) -> Path:
    """Write to `target` the batch's records of the people in `persons` alone, as `matched.parquet` has them.

    Right only where `persons` holds everybody who shares a number with one of them.
    """
    records = typed_paths(batch)
    typed = _columns(records[0])
    ENGINE.write(steps.matched(records, persons, typed), target, steps.matched_columns(typed))
    return target


def strangers_extract(
    batch: Batch, persons: Path, matched: Sequence[Path], keys: Sequence[Sequence[str]], target: Path
) -> Path:
    """Write to `target` the batch's records of nobody registered that meet one of `matched` under all of some `keys`.

    As `unmatched.parquet` has them; who is registered is asked of the registry as it is now.
    """
    records = typed_paths(batch)
    typed = _columns(records[0])
    found = ENGINE.table(steps.beside(records, persons, typed, matched, keys))
    numbers = found["person_key"].to_pylist()
    known = registered_keys(key for key in numbers if key is not None)
    write_parquet(target, found.filter(pa.array([key not in known for key in numbers], pa.bool_())), typed)
    return target


def _publish(address: str, batch: Batch, snapshot_id: str) -> None:
    persons = lake().path(snapshot_address(snapshot_id), "persons.parquet")
    try:
        with lake().publishing(address) as staging:
            staging.manifest.update(write_resolved(staging, typed_paths(batch), persons))
    except AlreadyPublished:
        return  # another worker was faster, with the same inputs and so the same rows


def write_resolved(staging: Staging, records: Sequence[Path], persons: Path) -> dict[str, int]:
    """Write the matched and the unmatched rows of typed `records`; returns how many there are of each kind."""
    typed = _columns(records[0])
    found = staging.path("matched.parquet")
    columns = steps.matched_columns(typed)
    ENGINE.write(steps.matched(records, persons, typed), found, columns, row_group=SORTED_ROW_GROUP)
    strangers = steps.unmatched(records, persons, typed)
    nobodys = ENGINE.write(strangers, staging.path("unmatched.parquet"), typed)
    return {"unmatched": nobodys, **_counted(found)}


def _counted(found: Path) -> dict[str, int]:
    row = ENGINE.table(steps.counts(found)).to_pylist()[0]
    return {
        "matched": int(row["records"]),
        "matches": int(row["matches"] or 0),
        "name_differs": int(row["name_differs"]),
        "ambiguous": int(row["ambiguous"]),
    }


def _columns(path: Path) -> Columns:
    by_arrow = {kind.arrow: kind for kind in Type}
    return {field.name: by_arrow[field.type] for field in pq.read_schema(path)}


@transaction.atomic
def _remember(viewer: Viewer, batch: Batch, snapshot_id: str, address: str) -> Resolution:
    facts = lake().read_manifest(address).facts
    names = ("matched", "unmatched", "matches", "name_differs", "ambiguous")
    resolution, new = Resolution.objects.get_or_create(
        batch_id=batch.pk,
        snapshot=snapshot_id,
        defaults={
            "dataset": batch.dataset,
            "address": address,
            "resolved_by": viewer.user_id,
            "resolved_at": clock.now(),
            **{name: facts[name] for name in names},
        },
    )
    if new:
        record(
            Kind.DELIVERY,
            viewer=viewer,
            area=batch.area,
            act="resolution.resolve",
            subject=("batch", batch.pk),
            content={"snapshot": snapshot_id, **{name: facts[name] for name in names}},
        )
        reached("resolution.resolving")
        transaction.on_commit(partial(reached, "resolution.resolved"))
    return resolution
