"""From typed department rows to findings: resolution and all rules, at a share of the province.

    python -m bench.compare [--scale 0.01] [--json]

Rules, passes, numbering, digest and resolution are the real ones (`bench.comparing`), over an
invented region of eight datasets (`bench.region`, `bench.departments`). `rules_over_scan` is the ratio
of the passes of all present rules to aggregating the columns of records they read; `joined_over_scan`
that of the absent, aggregate and relation rules, and of those over the registry itself, to aggregating
all columns they read, of records, strangers and registry; `run_cpu_s` the whole run through its limited
child, with the digest. The same is measured at a tenth of the scale, and `growth` is CPU per row here
over CPU per row there.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from bench.harness import Bench, Budget, Figures, in_child, main
from bench.region import ROWS, Sizes, write_deliveries, write_region
from wanjia.lake import Lake

DATASET = "gongan.vehicles"
PROVINCE_RESOLVE_CPU_S = 80  # design.md §8, for all rows of the province


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=float, default=0.01, help="share of the province (1 is all of Guangxi)")
    parser.add_argument("--seed", type=int, default=1)


def measure(asked: argparse.Namespace) -> Figures:
    """The figures at the scale, and how they grew from a tenth of it; the same seed, the same digest."""
    full, tenth = at(asked.scale, asked.seed), at(asked.scale / 10, asked.seed)
    figures = {
        **full,
        "rules_over_scan": full["rules_cpu_s"] / full["column_scan_cpu_s"],
        "joined_over_scan": full["joined_cpu_s"] / full["joined_scan_cpu_s"],
        "resolve_us_per_row": 1e6 * full["resolve_cpu_s"] / full["rows"],
        "budget_us_per_row": 1e6 * PROVINCE_RESOLVE_CPU_S / ROWS,
        "growth": {
            name: round(full[f"{name}_cpu_s"] / full[per] / (tenth[f"{name}_cpu_s"] / tenth[per]), 2)
            for name, per in (("rules", "records"), ("joined", "records"), ("run", "records"), ("resolve", "rows"))
        },
    }
    figures["growth_worst"] = max(figures["growth"].values())
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}


def at(scale: float, seed: int) -> Figures:
    """The figures at one scale."""
    sizes = Sizes.at(scale)
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as name:
        lake = Path(name, "lake")
        records = sum(write_region(Lake(lake), seed, sizes).values())
        deliveries = list(write_deliveries(Path(name), seed, sizes, typed_columns()))
        found = in_child("bench.comparing", str(lake)) | in_child("bench.comparing", str(lake), *map(str, deliveries))
    return {"people": sizes.people, "records": records, "rows": sizes.rows} | found


def typed_columns() -> dict[str, object]:
    """The typed columns of the dataset, by its contract."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.test")
    import django

    django.setup()
    from wanjia.sources.contracts import contract_for

    return dict(contract_for(DATASET).columns)


BENCH = Bench(
    name="compare",
    question="What do resolution and all rules cost, and do they grow with the rows alone?",
    measure=measure,
    options=options,
    budgets=[
        Budget("rules_over_scan", 3),
        Budget("joined_over_scan", 10),
        Budget("peak_rss_mb", 500),
        Budget("resolve_us_per_row", 0.804),
        Budget("resolve_peak_rss_mb", 2_000),
        Budget("growth_worst", 1.15),
    ],
    moderate=("--scale", "0.1"),
)

if __name__ == "__main__":
    main(BENCH)
