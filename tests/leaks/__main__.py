"""Run a county through its work and look for every personal number wherever it could have gone.

    python -m tests.leaks                              # SQLite and PostgreSQL, 2,000 people
    python -m tests.leaks --database sqlite --people 300 --records 900 --pages 15 -v

Each run is followed by a control: the same work under a cipher that hides nothing, in which the same
search must find them. Exit status 1 when something leaked, or when the control found nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.leaks.installation import installation
from tests.leaks.places import HELD, Report, searched
from tests.leaks.work import Work


def scanned(folder: Path, *, people: int, records: int, pages: int, clear: bool = False) -> Report:
    """A demo installation at work in `folder`, looked through while it runs."""
    with installation(folder, people=people, records=records, seed=7, clear=clear) as running:
        work = Work(running, pages).everything()
        return searched(work)


@contextmanager
def _server(database: str) -> Iterator[None]:
    """A PostgreSQL of its own for each run: what the control leaves in its files must not be found later."""
    from tests import with_postgres

    before = os.environ.pop("WANJIA_DATABASE_URL", None)
    with with_postgres.running() if database == "postgresql" else nullcontext("") as url:
        if url:
            os.environ["WANJIA_DATABASE_URL"] = url
        try:
            yield
        finally:
            os.environ.pop("WANJIA_DATABASE_URL", None)
            if before is not None:
                os.environ["WANJIA_DATABASE_URL"] = before


def _run(database: str, options: argparse.Namespace) -> bool:
    reports = {}
    for clear in (False, True):
        with _server(database), tempfile.TemporaryDirectory(prefix="wanjia-leaks-") as folder:
            size = {"people": options.people, "records": options.records, "pages": options.pages}
            reports[clear] = scanned(Path(folder) / "run", **size, clear=clear)
        if options.verbose or (not clear and reports[clear].hits):
            sys.stdout.write("".join(f"  {line}\n" for line in reports[clear].lines()))
    real, control = reports[False], reports[True]
    blind = [place for place in HELD if not control.search.counts[place]]
    sys.stdout.write(
        f"leak scan: {database:<10} places {len(real.places)}, {real.bytes / 1e6:,.0f} MB searched"
        f" (+ {real.search.decoded / 1e6:,.0f} MB decoded) for {len(real.search._compiled.needles):,} numbers,"
        f" hits {real.hits:,}; control hits {control.hits:,}\n"
    )
    if blind:
        sys.stdout.write(f"  the control is blind in: {', '.join(blind)}\n")
    sys.stdout.flush()
    return not real.hits and not blind


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--records", type=int, default=6_000)
    parser.add_argument("--pages", type=int, default=40, help="how many pages each role reads")
    parser.add_argument("-v", "--verbose", action="store_true", help="list places and hits, the control's too")
    options = parser.parse_args()
    wanted = ["sqlite", "postgresql"] if options.database == "both" else [options.database]
    sound = [_run(database, options) for database in wanted]  # every one, whatever the first says
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
