"""The registry in bulk: first load, correction, snapshot, search, on SQLite and PostgreSQL.

    python -m bench.registry [--people 100000] [--database sqlite] [--json]

A county of the demo's people goes through the real services: all fields, checked, encrypted,
keyed, indexed, with the load's audit entry and its rows in the lake. CPU seconds are of this
process and, on PostgreSQL, of the server's processes too.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.harness import Bench, Budget, Figures, environment, in_child, main

DATABASES = ("sqlite", "postgresql")


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--database", choices=("both", *DATABASES), default="both")


def measure(asked: argparse.Namespace) -> Figures:
    """The figures of each database, its name before each."""
    figures: Figures = {}
    for database in DATABASES if asked.database == "both" else (asked.database,):
        with _installation(database) as server:
            found = in_child("bench.registering", str(asked.people), *server)
        millions = found["people"] / 1_000_000
        figures |= {
            "people": found["people"],
            f"{database}_load_cpu_s_per_million": round(found["load_cpu_s"] / millions, 1),
            f"{database}_snapshot_cpu_s_per_million": round(found["snapshot_cpu_s"] / millions, 1),
            f"{database}_corrected_rows_per_cpu_s": round(found["corrected"] / found["correction_cpu_s"]),
            f"{database}_peak_rss_mb": found["peak_rss_mb"],
            **{f"{database}_{name}": found[name] for name in found if name.startswith(("search_", "suggest_"))},
        }
    return figures


@contextmanager
def _installation(database: str) -> Iterator[list[str]]:
    """An empty home, with a private PostgreSQL where that is asked for; yields the server's data folder."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="wanjia-bench-"))
        stack.enter_context(environment(WANJIA_HOME=str(Path(home, "home")), WANJIA_DATABASE_URL=""))
        if database == "sqlite":
            yield []
            return
        from tests.with_postgres import running

        url = stack.enter_context(running())
        stack.enter_context(environment(WANJIA_DATABASE_URL=url))
        yield [str(Path(parse_qs(urlsplit(url).query)["host"][0], "data"))]


BENCH = Bench(
    name="registry",
    question="What does a million people cost to load, to correct and to snapshot, and to search?",
    measure=measure,
    options=options,
    budgets=[
        Budget("sqlite_load_cpu_s_per_million", 25),
        Budget("postgresql_load_cpu_s_per_million", 35),
        Budget("sqlite_snapshot_cpu_s_per_million", 3),
        Budget("postgresql_snapshot_cpu_s_per_million", 3),
        Budget("sqlite_corrected_rows_per_cpu_s", 20_000, at_least=True),
        Budget("postgresql_corrected_rows_per_cpu_s", 20_000, at_least=True),
        Budget("sqlite_search_p99_ms", 50),
        Budget("sqlite_suggest_p99_ms", 50),
        Budget("postgresql_search_p99_ms", 50),
        Budget("postgresql_suggest_p99_ms", 50),
    ],
    moderate=("--people", "60000"),
)

if __name__ == "__main__":
    main(BENCH)
