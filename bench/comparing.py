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

from bench.departments import DAY, DEPARTMENTS, address_of
from bench.harness import Figures, cpu, median_cpu, peak_mb, spent
from bench.region import SNAPSHOT
from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Step
from wanjia.lake import Lake

if TYPE_CHECKING:
    from wanjia.comparison.models import Run
    from wanjia.ruleset.binding import BoundRule


def rules(store: Lake) -> Figures:
    """The passes against the scans of what they read, and the whole run through its limited child."""
    from wanjia.comparison import findings
    from wanjia.ruleset.rule import Shape

    bound = rules_in_force()
    run = run_of(store, bound)
    before = cpu()
    computed = findings.compute(run, bound, store)
    whole = cpu() - before
    peak = peak_mb()  # before this process does the engine's work itself
    present = [item for item in bound if item.rule.shape is Shape.PRESENT and item.rule.dataset in DEPARTMENTS]
    joined = [item for item in bound if item not in present]
    return {
        "rules": len(bound),
        "present_rules": len(present),
        "column_scan_cpu_s": median_cpu(lambda: column_scan(run, store, present, ("batch_",))),
        "rules_cpu_s": median_cpu(lambda: all_rules(run, store, present)),
        "joined_scan_cpu_s": median_cpu(lambda: column_scan(run, store, joined)),
        "joined_cpu_s": median_cpu(lambda: all_rules(run, store, joined)),
        "run_cpu_s": whole,
        "peak_rss_mb": peak,
        "findings": computed.findings,
        "findings_by_rule": {count.rule: count.findings for count in computed.counts},
        "digest": computed.digest,
    }


def rules_in_force() -> list[BoundRule]:
    """Every rule over the datasets of the region and over its registry."""
    from wanjia.ruleset.binding import bind
    from wanjia.ruleset.packs import load_rules
    from wanjia.ruleset.vocabulary import REGISTRY

    here = {*DEPARTMENTS, REGISTRY}
    found = [rule for rule in load_rules(region="45") if rule.in_force(DAY) and rule.dataset in here]
    return [bind(rule, region="45", on=DAY) for rule in found]


def run_of(store: Lake, bound: Sequence[BoundRule]) -> Run:
    """A run that is not kept in any database, over the invented region."""
    from wanjia.comparison.documents import document_of
    from wanjia.comparison.models import Run

    batches = [
        {
            "dataset": dataset,
            "batch": number,
            "area": "45",
            "address": address_of(dataset, SNAPSHOT),
            "content": store.read_manifest(address_of(dataset, SNAPSHOT)).content,
        }
        for number, dataset in enumerate(sorted(DEPARTMENTS), start=1)
    ]
    documents = [document_of(item) for item in bound]
    return Run(pk=1, region="45", as_of=DAY, snapshot=SNAPSHOT, batches=batches, rules=documents)


def passes(run: Run, store: Lake, bound: Sequence[BoundRule]) -> list[Pipeline]:
    """The rules as a run joins them: one pass for each dataset."""
    from wanjia.comparison.inputs import files_of
    from wanjia.ruleset.steps import one_pass

    datasets = sorted({item.rule.dataset for item in bound})
    groups = [[item for item in bound if item.rule.dataset == dataset] for dataset in datasets]
    return [one_pass(group, files_of(run, group, store)) for group in groups]


def column_scan(run: Run, store: Lake, bound: Sequence[BoundRule], of: tuple[str, ...] = ("",)) -> None:
    """Aggregate exactly the columns the rules read; of the sources whose names begin so."""
    for whole in passes(run, store, bound):
        for source in whole.sources:
            if source.name.startswith(of):
                columns = ", ".join(f"max({name}) as {name}" for name in source.columns)
                sql = f"select {columns} from {{{source.name}}}"  # noqa: S608 - our names
                step = Step("scanned", "What is the largest value of each column?", sql, (source.name,))
                assert DuckDB().table(Pipeline([source], [step])).num_rows == 1


def all_rules(run: Run, store: Lake, bound: Sequence[BoundRule]) -> None:
    """The passes of the rules, findings written."""
    from wanjia.ruleset.steps import FOUND

    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        found = [
            DuckDB().write(whole, Path(folder) / f"found-{number}.parquet", FOUND)
            for number, whole in enumerate(passes(run, store, bound))
        ]
        assert sum(found) > 0


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
