"""All rules over resolved records: CPU against aggregating the same columns of the same files.

    python -m bench.compare [--scale 0.01] [--json]

At scale 1 the region has Guangxi's 6.34 million registered people and 30.7 million matched
records, as many as nineteen departments together (`design.md` §8). The files are invented but
written as registry and resolution write them; rules, passes, numbering and digest are the real
ones. The ratio is taken in this process, warmed up, median of three; `run_cpu_s` is the whole run
through its limited child process, with the digest.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.lake import Columns, Lake, Type, parquet

if TYPE_CHECKING:
    from wanjia.comparison.models import Run
    from wanjia.ruleset.binding import BoundRule

PEOPLE, RECORDS, PER_HOUSEHOLD = 6_340_000, 30_700_000, 4
DAY = dt.date(2020, 11, 16)
EPOCH = dt.date(1970, 1, 1)
MATCHED: Columns = {
    "person_no": Type.INTEGER,
    "source_row": Type.INTEGER,
    "name_agrees": Type.BOOLEAN,
    "plate": Type.TEXT,
    "vehicle_kind": Type.TEXT,
    "vehicle_use": Type.TEXT,
    "model": Type.TEXT,
    "registered_on": Type.DATE,
    "vehicle_status": Type.TEXT,
}
PERSONS: Columns = {
    "person_no": Type.INTEGER,
    "household_no": Type.INTEGER,
    "in_household": Type.BOOLEAN,
    "village_code": Type.TEXT,
}
HOUSEHOLDS: Columns = {
    "household_no": Type.INTEGER,
    "village_code": Type.TEXT,
    "identified_year": Type.INTEGER,
    "poverty_status": Type.TEXT,
}
KINDS = (("普通二轮摩托车", 86), ("小型轿车", 6), ("微型普通客车", 4), ("轻型普通货车", 2), ("残疾人专用机动轮椅车", 2))
STATUSES = (("正常", 88), ("报废", 6), ("注销", 4), ("转出", 2))
MODELS = (("五菱宏光LZW6441", 1), ("宗申ZS125", 2), ("豪爵HJ150", 2))


def main() -> None:
    """Measure, and print one JSON object or a few lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.01, help="share of the province (1 is all of Guangxi)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        figures = measure(Lake(Path(folder)), options.scale, options.seed)
    print(json.dumps(figures) if options.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))


def measure(store: Lake, scale: float, seed: int) -> dict[str, object]:
    """The figures at `scale`; the same seed gives the same digest anywhere."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.test")
    import django

    django.setup()
    people, records = max(1_000, int(PEOPLE * scale)), max(4_000, int(RECORDS * scale))
    write_region(store, np.random.default_rng(seed), people, records)

    from wanjia.comparison import findings
    from wanjia.ruleset.binding import bind
    from wanjia.ruleset.packs import load_rules

    bound = [bind(rule, region="45", on=DAY) for rule in load_rules(region="45") if rule.in_force(DAY)]
    run = run_of(store, bound)
    scan = median_cpu(lambda: column_scan(store, bound))
    rules = median_cpu(lambda: all_rules(store, bound))
    before = cpu()
    computed = findings.compute(run, bound, store)
    return {
        "people": people,
        "records": records,
        "rules": len(bound),
        "column_scan_cpu_s": round(scan, 3),
        "rules_cpu_s": round(rules, 3),
        "rules_over_scan": round(rules / scan, 2),
        "run_cpu_s": round(cpu() - before, 3),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,  # the child that computes
        "findings": computed.findings,
        "digest": computed.digest,
    }


# -- the invented region ---------------------------------------------------------------------------


def write_region(store: Lake, random: np.random.Generator, people: int, records: int) -> None:
    """A snapshot and one matched batch, in the order and with the columns the real ones have."""
    households = people // PER_HOUSEHOLD + 1
    villages = np.array(
        [f"45{n // 1000 % 14 + 1:02}{n // 100 % 10 + 21:02}{n % 100 + 100:03}2{n % 10:02}" for n in range(15_000)]
    )
    village_of = np.sort(random.integers(0, len(villages), households))
    with store.publishing("registry/snapshot=bench") as staging:
        household = np.arange(people) // PER_HOUSEHOLD
        persons = {
            "person_no": pa.array(np.arange(1, people + 1), pa.int32()),
            "household_no": pa.array(household + 1, pa.int32()),
            "in_household": pa.array(random.random(people) > 0.03),  # noqa: PLR2004 - three in a hundred have left
            "village_code": pa.array(villages[village_of[household]]),
        }
        parquet.write(staging.path("persons.parquet"), pa.table(persons), PERSONS)
        houses = {
            "household_no": pa.array(np.arange(1, households + 1), pa.int32()),
            "village_code": pa.array(villages[village_of]),
            "identified_year": pa.array(random.integers(2014, 2020, households), pa.int32()),
            "poverty_status": pa.array(random.choice(["0", "1", "1", "1", "2", "3", "4"], households)),
        }
        parquet.write(staging.path("households.parquet"), pa.table(houses), HOUSEHOLDS)
    with store.publishing("resolved/gongan.vehicles/batch=1,snapshot=bench") as staging:
        owners = np.sort(random.integers(1, people + 1, records))
        pieces = (_vehicles(random, owners, start) for start in range(0, records, 1_000_000))
        rows = (batch for piece in pieces for batch in piece.to_batches())
        parquet.write(staging.path("matched.parquet"), rows, MATCHED, row_group=parquet.SORTED_ROW_GROUP)


def _vehicles(random: np.random.Generator, owners: np.ndarray, start: int) -> pa.Table:
    own = owners[start : start + 1_000_000]
    n = len(own)
    since = (dt.date(2006, 1, 1) - EPOCH).days
    serial = np.arange(start, start + n)
    return pa.table(
        {
            "person_no": pa.array(own, pa.int32()),
            "source_row": pa.array(serial + 3, pa.int32()),
            "name_agrees": pa.array(random.random(n) > 0.02),  # noqa: PLR2004 - two names in a hundred differ
            "plate": pa.array(np.char.add("桂M", serial.astype(str))),
            "vehicle_kind": _drawn(random, n, KINDS),
            "vehicle_use": _drawn(random, n, (("非营运", 97), ("货运", 3))),
            "model": _drawn(random, n, MODELS),
            "registered_on": pa.array(random.integers(since, (DAY - EPOCH).days, n).astype("datetime64[D]")),
            "vehicle_status": _drawn(random, n, STATUSES),
        }
    )


def _drawn(random: np.random.Generator, n: int, weighted: Sequence[tuple[str, int]]) -> pa.Array:
    texts, weights = zip(*weighted, strict=True)
    shares = np.array(weights) / sum(weights)
    return pa.DictionaryArray.from_arrays(random.choice(len(texts), n, p=shares), pa.array(texts)).cast(pa.string())


# -- what is measured ------------------------------------------------------------------------------


def run_of(store: Lake, bound: Sequence[BoundRule]) -> Run:
    """A run that is not kept in any database, over the invented region."""
    from wanjia.comparison.documents import document_of
    from wanjia.comparison.models import Run

    address = "resolved/gongan.vehicles/batch=1,snapshot=bench"
    batch = {"dataset": "gongan.vehicles", "batch": 1, "area": "45", "address": address}
    content = store.read_manifest(address).content
    rules = [document_of(item) for item in bound]
    return Run(pk=1, region="45", as_of=DAY, snapshot="bench", batches=[{**batch, "content": content}], rules=rules)


def column_scan(store: Lake, bound: Sequence[BoundRule]) -> None:
    """Aggregate exactly the record columns the rules read."""
    path = store.path("resolved/gongan.vehicles/batch=1,snapshot=bench", "matched.parquet")
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
        batches={1: (store.path("resolved/gongan.vehicles/batch=1,snapshot=bench", "matched.parquet"),)},
        persons=store.path("registry/snapshot=bench", "persons.parquet"),
        households=store.path("registry/snapshot=bench", "households.parquet"),
    )
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        assert DuckDB().write(one_pass(bound, inputs), Path(folder) / "found.parquet", FOUND) > 0


def cpu() -> float:
    """CPU seconds of this process and the children it has waited for."""
    usage = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(item.ru_utime + item.ru_stime for item in usage)


def median_cpu(work: Callable[[], None]) -> float:
    """CPU seconds of `work`, warmed up, median of three."""
    work()
    seconds = []
    for _ in range(3):
        before = cpu()
        work()
        seconds.append(cpu() - before)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
