"""The measured half of `bench.compare`, in a process of its own so that its memory is its own.

python -m bench.comparing LAKE            the rules over the region in LAKE
python -m bench.comparing LAKE FILE …     resolving these typed batches against its snapshot
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.harness import Figures, cpu, median_cpu, peak_mb, spent
from bench.region import DAY, MATCHED, MATCHED_ADDRESS, SNAPSHOT
from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.lake import Lake

if TYPE_CHECKING:
    from wanjia.comparison.models import Run
    from wanjia.ruleset.binding import BoundRule


def rules(store: Lake) -> Figures:
    """The pass of all rules against the column scan, and the whole run through its limited child."""
    from wanjia.comparison import findings
    from wanjia.ruleset.binding import bind
    from wanjia.ruleset.packs import load_rules

    here = [rule for rule in load_rules(region="45") if rule.in_force(DAY) and rule.dataset == "gongan.vehicles"]
    bound = [bind(rule, region="45", on=DAY) for rule in here]
    run = run_of(store, bound)
    before = cpu()
    computed = findings.compute(run, bound, store)
    whole = cpu() - before
    peak = peak_mb()  # before this process does the engine's work itself
    return {
        "rules": len(bound),
        "column_scan_cpu_s": median_cpu(lambda: column_scan(store, bound)),
        "rules_cpu_s": median_cpu(lambda: all_rules(store, bound)),
        "run_cpu_s": whole,
        "peak_rss_mb": peak,
        "findings": computed.findings,
        "digest": computed.digest,
    }


def run_of(store: Lake, bound: Sequence[BoundRule]) -> Run:
    """A run that is not kept in any database, over the invented region."""
    from wanjia.comparison.documents import document_of
    from wanjia.comparison.models import Run

    batch = {"dataset": "gongan.vehicles", "batch": 1, "area": "45", "address": MATCHED_ADDRESS}
    content = store.read_manifest(MATCHED_ADDRESS).content
    documents = [document_of(item) for item in bound]
    return Run(
        pk=1, region="45", as_of=DAY, snapshot=SNAPSHOT, batches=[{**batch, "content": content}], rules=documents
    )


def column_scan(store: Lake, bound: Sequence[BoundRule]) -> None:
    """Aggregate exactly the record columns the rules read."""
    path = store.path(MATCHED_ADDRESS, "matched.parquet")
    used = {"person_no", "source_row"} | {name for item in bound for name in item.columns if name in MATCHED}
    source = Source("records", (path,), {name: kind for name, kind in MATCHED.items() if name in used})
    columns = ", ".join(f"max({name}) as {name}" for name in source.columns)
    sql = f"select {columns} from {{records}}"  # noqa: S608 - our names
    step = Step("scanned", "What is the largest value of each column?", sql, ("records",))
    assert DuckDB().table(Pipeline([source], [step])).num_rows == 1


def all_rules(store: Lake, bound: Sequence[BoundRule]) -> None:
    """The pass of all rules, findings written."""
    from wanjia.ruleset.steps import FOUND, Inputs, one_pass

    inputs = Inputs(
        batches={1: (store.path(MATCHED_ADDRESS, "matched.parquet"),)},
        persons=store.path(f"registry/snapshot={SNAPSHOT}", "persons.parquet"),
        households=store.path(f"registry/snapshot={SNAPSHOT}", "households.parquet"),
    )
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        assert DuckDB().write(one_pass(bound, inputs), Path(folder) / "found.parquet", FOUND) > 0


def resolving(store: Lake, deliveries: Sequence[Path]) -> Figures:
    """Each batch resolved and published once, after one to warm up."""
    from wanjia.resolution.services.resolve import write_resolved

    persons = store.path(f"registry/snapshot={SNAPSHOT}", "persons.parquet")
    found = {"resolve_cpu_s": 0.0, "rows_matched": 0, "rows_unmatched": 0}

    def resolve(number: int, path: Path) -> None:
        with store.publishing(f"resolved/bench/batch={number}") as staging:
            counts = write_resolved(staging, [path], persons)
        if number:
            found["rows_matched"] += counts["matched"]
            found["rows_unmatched"] += counts["unmatched"]

    resolve(0, deliveries[0])
    for number, path in enumerate(deliveries, start=1):
        found["resolve_cpu_s"] += spent(lambda number=number, path=path: resolve(number, path))  # type: ignore[misc]
    return {**found, "resolve_peak_rss_mb": peak_mb()}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.test")
    import django

    django.setup()
    lake, *files = map(Path, sys.argv[1:])
    print(json.dumps(resolving(Lake(lake), files) if files else rules(Lake(lake))))
