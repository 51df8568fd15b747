"""A county's suspects on PostgreSQL: sent down, answered from Excel, closed; and the pages beside them.

    python -m bench.cases [--households 100000] [--dispatched 500000] [--json]

Half of the county's households have a suspect. The province issues them all, city and county send
them on, every township gives its cases to an officer whose filled form answers them, and townships,
county and city close them, each office in one act (`bench.flowing`). `dispatch_cpu_s` is issuing and
sending on, `answer_cpu_s` reading, previewing and applying the forms, `close_cpu_s` review, decision,
draw and confirmation; all CPU is this side's and the database server's. Then as many suspicions as
`--dispatched` says are opened and sent on in one act each by city (`many_pass_on_cpu_s`) and county
(`many_distribute_cpu_s`);
`list_p99_ms` and `home_p99_ms` are the county's list and home through the real server with all of it
in the tables; on a busy machine their medians say more.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bench.harness import Bench, Budget, Figures, environment, in_child, main
from bench.pages import WARM_UP, Browser, serving

LIST, HOME = "/cases/", "/"
ANSWER_MS = 200


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--dispatched", type=int, default=500_000, help="further cases opened and sent on; 0 for none")
    parser.add_argument("--requests", type=int, default=100, help="of each page")


def measure(asked: argparse.Namespace) -> Figures:
    """The whole way on a PostgreSQL of its own, then the pages."""
    from tests.with_postgres import running

    with running() as url, tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
        home = Path(folder, "home")
        with environment(WANJIA_DATABASE_URL=url, WANJIA_HOME=str(home), DJANGO_SETTINGS_MODULE="bench.settings"):
            figures = in_child(
                "bench.flowing", "--households", str(asked.households), "--dispatched", str(asked.dispatched)
            )
            with serving(home) as port:
                county = Browser(port, "county")
                for name, path in (("list", LIST), ("home", HOME)):
                    figures |= _times(county, name, path, asked.requests)
    return figures


def _times(reader: Browser, name: str, path: str, requests: int) -> Figures:
    times = []
    for turn in range(WARM_UP + requests):
        began = time.perf_counter()
        reader.ask(path)
        if turn >= WARM_UP:
            times.append(1000 * (time.perf_counter() - began))
    p99 = statistics.quantiles(times, n=100, method="inclusive")[98]
    return {f"{name}_p50_ms": round(statistics.median(times), 1), f"{name}_p99_ms": round(p99, 1)}


BENCH = Bench(
    name="cases",
    question="What does it cost to send a county's suspects down, answer them from Excel and close them?",
    measure=measure,
    options=options,
    budgets=[
        Budget("many_pass_on_cpu_s", 60),
        Budget("many_distribute_cpu_s", 60),
        Budget("list_p99_ms", ANSWER_MS),
        Budget("home_p99_ms", ANSWER_MS),
    ],
    moderate=("--households", "10000", "--dispatched", "20000"),
)

if __name__ == "__main__":
    main(BENCH)
