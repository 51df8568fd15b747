"""The national sheets: 100,000 members taken in from GB18030, 100,000 households handed out.

    python -m bench.sheets [--members 100000] [--households 100000] [--defects 2000] [--json]

The generator is that of the tests; the planted defects must be refused, all of them and nothing else,
and once they are put right and sent again everybody is registered. Reading and writing are measured apart.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.harness import Bench, Budget, Figures, environment, in_child, main


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--defects", type=int, default=2_000)


def measure(asked: argparse.Namespace) -> Figures:
    """Figures of an import and of an export, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as home:
        with environment(WANJIA_HOME=str(Path(home, "import")), WANJIA_DATABASE_URL=""):
            taken = in_child("bench.importing", "import", str(asked.members // 4), str(asked.defects))
        with environment(WANJIA_HOME=str(Path(home, "export")), WANJIA_DATABASE_URL=""):
            in_child("bench.importing", "fill", str(asked.households), "0")
            given = in_child("bench.importing", "export", str(asked.households), "0")
    return taken | given


BENCH = Bench(
    name="sheets",
    question="What do a county's national sheets cost to take in and to hand out?",
    measure=measure,
    options=options,
    budgets=[Budget("import_peak_rss_mb", 1_000), Budget("missed_defects", 0)],
    moderate=("--members", "20000", "--households", "10000", "--defects", "400"),
)

if __name__ == "__main__":
    main(BENCH)
