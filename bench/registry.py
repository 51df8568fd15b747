"""The registry in bulk: first load, correction, snapshot, search, a household's page; on SQLite and PostgreSQL.

    python -m bench.registry [--people 100000] [--database sqlite] [--json]

Counties of the demo's people go through the real services, one after the other: all fields, checked,
encrypted, keyed, indexed, with each load's audit entry and its rows in the lake. CPU seconds are of
this process and, on PostgreSQL, of the server's processes too. 6,340,000 people are the province.
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
        figures |= {f"{database}_{name}": value for name, value in found.items()}
    return figures


def by_database(figures: Figures) -> list[Figures]:
    """The same, an object for each database."""
    return [
        {"db": database, **{name.removeprefix(f"{database}_"): figures[name] for name in mine}}
        for database in DATABASES
        if (mine := [name for name in figures if name.startswith(f"{database}_")])
    ]


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
    printed=by_database,
    budgets=[
        Budget("sqlite_load_cpu_s_per_million", 25),
        Budget("postgresql_load_cpu_s_per_million", 35),
        Budget("sqlite_snapshot_cpu_s_per_million", 3),
        Budget("postgresql_snapshot_cpu_s_per_million", 3),
        Budget("sqlite_corrected_rows_per_cpu_s", 20_000, at_least=True),
        Budget("postgresql_corrected_rows_per_cpu_s", 20_000, at_least=True),
        *(
            Budget(f"{database}_{name}", limit)
            for database in DATABASES
            for name, limit in (
                ("search_p99_ms", 50),
                ("suggest_p99_ms", 50),
                ("household_page_p99_ms", 60),
                ("household_page_queries", 20),
            )
        ),
    ],
    moderate=("--people", "60000"),
)

if __name__ == "__main__":
    main(BENCH)
