"""`python -m bench` lists the benches; `python -m bench all` (or names) runs them at moderate sizes."""

from __future__ import annotations

import sys
from importlib import import_module

from bench.harness import Bench, main

NAMES = ("keys", "compare", "registry", "sheets", "cases", "pages")


def benches() -> list[Bench]:
    """Every bench, cheap ones first."""
    return [import_module(f"bench.{name}").BENCH for name in NAMES]


def run(wanted: list[str]) -> None:
    """List the benches, or run those named, each in this process one after the other."""
    known = {bench.name: bench for bench in benches()}
    if not wanted:
        for bench in known.values():
            print(f"{bench.name:<10} {bench.question}  [{' '.join(bench.moderate)}]")
        print("python -m bench all | NAME …    python -m bench.NAME --help")
        return
    unknown = set(wanted) - known.keys() - {"all"}
    if unknown:
        sys.exit(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for name in known if "all" in wanted else wanted:
        main(known[name], known[name].moderate)


if __name__ == "__main__":
    run(sys.argv[1:])
