"""What a run stands on, pinned when it is asked for: snapshot, current batches, rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wanjia.comparison.documents import document_of
from wanjia.comparison.errors import InputsChanged, NoActiveRules, NoBatches, NotResolved, RulesChanged
from wanjia.comparison.models import Run
from wanjia.lake import Lake
from wanjia.ruleset.binding import BoundRule, bind
from wanjia.ruleset.packs import load_rules
from wanjia.ruleset.rule import Rows
from wanjia.ruleset.steps import Inputs
from wanjia.ruleset.vocabulary import REGISTRY
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources import queries as sources
from wanjia.sources.models import Batch


@dataclass(frozen=True, slots=True)
class Pinned:
    """The inputs of a run, in the form its row keeps."""

    region: str
    as_of: dt.date
    snapshot: str
    snapshot_content: str
    batches: list[dict[str, Any]]
    rules: list[dict[str, Any]]


def pin(*, region: str, as_of: dt.date, snapshot: str = "") -> Pinned:
    """Choose what is current in `region` on a day.

    The snapshot is the newest one that every current batch is resolved against, unless one is
    named. Raises NoActiveRules, NoBatches, NotResolved.
    """
    active = active_rules(region, as_of)
    datasets = sorted({item.rule.dataset for item in active})
    batches = current_batches(region, datasets)
    if not batches:
        raise NoBatches(region=region)
    used = {batch.dataset for batch in batches} | {REGISTRY}
    chosen = snapshot or _common_snapshot(batches)
    return Pinned(
        region=region,
        as_of=as_of,
        snapshot=chosen,
        snapshot_content=lake().read_manifest(snapshot_address(chosen)).content,
        batches=[_pinned_batch(batch, chosen) for batch in batches],
        rules=[document_of(item) for item in active if item.rule.dataset in used],
    )


def active_rules(region: str, on: dt.date) -> list[BoundRule]:
    """The rules in force, bound to region and day, ordered by id. Raises NoActiveRules."""
    bound = [bind(rule, region=region, on=on) for rule in load_rules(region=region) if rule.in_force(on)]
    if not bound:
        raise NoActiveRules(on=on, region=region)
    return bound


def current_batches(region: str, datasets: Sequence[str]) -> list[Batch]:
    """Accepted batches that are not superseded, oldest first; `sources` says which replace which."""
    return sources.current_batches(system_viewer("comparison.inputs"), datasets, region)


def resolved_address(dataset: str, batch: int, snapshot: str) -> str:
    """Where the lake keeps a batch matched with a snapshot."""
    return f"resolved/{dataset}/batch={batch},snapshot={snapshot}"


def snapshot_address(snapshot: str) -> str:
    return f"registry/snapshot={snapshot}"


def seeks_strangers(bound: Sequence[BoundRule]) -> bool:
    """Whether a rule among these reads the records of nobody registered."""
    return any(item.rule.other is not None and item.rule.other.rows is Rows.UNMATCHED for item in bound)


def files_of(run: Run, bound: Sequence[BoundRule], store: Lake) -> Inputs:
    """The files of a run that the rules of one dataset read."""
    snapshot = snapshot_address(run.snapshot)
    batches = [batch for batch in run.batches if batch["dataset"] == bound[0].rule.dataset]
    unmatched = batches if seeks_strangers(bound) else []
    return Inputs(
        batches={batch["batch"]: (store.path(batch["address"], "matched.parquet"),) for batch in batches},
        persons=store.path(snapshot, "persons.parquet"),
        households=store.path(snapshot, "households.parquet"),
        areas={batch["batch"]: batch["area"] for batch in batches},
        unmatched={batch["batch"]: (store.path(batch["address"], "unmatched.parquet"),) for batch in unmatched},
    )


def bound_rules(run: Run) -> list[BoundRule]:
    """The rules of a run, as the program has them now. Raises RulesChanged if they differ."""
    wanted = {document["id"]: document for document in run.rules}
    bound = [item for item in active_rules(run.region, run.as_of) if item.rule.id in wanted]
    changed = wanted.keys() - {item.rule.id for item in bound}
    changed |= {item.rule.id for item in bound if document_of(item) != wanted[item.rule.id]}
    if changed:
        raise RulesChanged(run=run.pk, rules=", ".join(sorted(changed)))
    return bound


def require_unchanged(run: Run) -> None:
    """Refuse to compute from files that are not those the run was pinned to.

    Raises InputsChanged, and Damaged if a file differs from its manifest.
    """
    store = lake()
    pinned = {snapshot_address(run.snapshot): run.snapshot_content}
    pinned |= {batch["address"]: batch["content"] for batch in run.batches}
    for address, content in pinned.items():
        if store.read_manifest(address).content != content:
            raise InputsChanged(address=address)
        store.verify(address)


def _common_snapshot(batches: Sequence[Batch]) -> str:
    store = lake()
    resolved = [_snapshots_of(store, batch) for batch in batches]
    for batch, snapshots in zip(batches, resolved, strict=True):
        if not snapshots:
            raise NotResolved(dataset=batch.dataset, batch=batch.pk)
    common = set.intersection(*resolved)
    if not common:
        raise NotResolved(dataset=batches[0].dataset, batch=batches[0].pk)
    return max(common, key=lambda name: (store.read_manifest(snapshot_address(name)).made_at, name))


def _snapshots_of(store: Lake, batch: Batch) -> set[str]:
    """The snapshots a batch is resolved against, of those that exist."""
    prefix = f"resolved/{batch.dataset}/batch={batch.pk},snapshot="
    addresses = store.list(f"resolved/{batch.dataset}")
    names = {address.removeprefix(prefix) for address in addresses if address.startswith(prefix)}
    return {name for name in names if store.exists(snapshot_address(name))}


def _pinned_batch(batch: Batch, snapshot: str) -> dict[str, Any]:
    store, address = lake(), resolved_address(batch.dataset, batch.pk, snapshot)
    if not store.exists(address):
        raise NotResolved(dataset=batch.dataset, batch=batch.pk)
    content = store.read_manifest(address).content
    return {"dataset": batch.dataset, "batch": batch.pk, "area": batch.area, "address": address, "content": content}
