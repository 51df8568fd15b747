"""How every bench measures, remembers and prints.

A bench is a module with `BENCH = Bench(...)`; `python -m bench.NAME` measures it alone, `python -m
bench` lists and runs them. What to trust is CPU seconds (of this process and the children it has
waited for) and ratios taken in one run, warmed up, median of three; wall times only on a quiet
machine, which is why each result carries the load average. Memory is the peak of the process that
does the work, so work whose memory counts runs in a process of its own (`in_child`): the peak a
parent reads of its children begins at what the parent itself held when it started them.

Results are one JSON object per run and line in `bench/results/NAME.json`: no host, no folder.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from importlib.metadata import version
from operator import ge, le
from pathlib import Path
from typing import Any

from wanjia.kernel import clock

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]
LIBRARIES = ("django", "duckdb", "pyarrow", "numpy", "cryptography", "granian", "psycopg")

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of design.md §8 on one figure; `at_least` where more is better."""

    figure: str
    limit: float
    at_least: bool = False

    def kept_by(self, figures: Mapping[str, Any]) -> bool | None:
        """Whether the figures keep it; None if they do not hold the figure."""
        value = figures.get(self.figure)
        return None if value is None else (ge if self.at_least else le)(value, self.limit)


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench: what it asks, how it is asked, and what its figures must keep."""

    name: str
    question: str
    measure: Callable[[argparse.Namespace], Figures]
    budgets: Sequence[Budget] = ()
    options: Callable[[argparse.ArgumentParser], None] = lambda _: None
    table: Callable[[Figures], str] | None = None  # for figures that are lists
    printed: Callable[[Figures], Sequence[Figures]] = lambda figures: [
        figures
    ]  # what `--json` prints, an object a line
    moderate: Sequence[str] = field(default=())  # the options `python -m bench` runs it with


def main(bench: Bench, arguments: Sequence[str] | None = None) -> Figures:
    """Measure, remember, print; `--json` prints one object on the last line, or one for each database."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{bench.name}", description=bench.question)
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True, help="add to bench/results")
    bench.options(parser)
    options = parser.parse_args(arguments)
    before, began = cpu(), time.perf_counter()
    load = os.getloadavg()[0]
    figures = bench.measure(options)
    asked = {name: value for name, value in vars(options).items() if name not in ("json", "keep", "cache")}
    result = {
        "date": f"{clock.now().astimezone(UTC):%Y-%m-%dT%H:%MZ}",
        "commit": commit(),
        "options": asked,
        "machine": machine(load),
        "versions": versions(),
        "cpu_s": round(cpu() - before, 1),
        "wall_s": round(time.perf_counter() - began, 1),
        "figures": figures,
        "missed": [budget.figure for budget in bench.budgets if budget.kept_by(figures) is False],
    }
    if options.keep:
        remember(bench.name, result)
    print(f"{bench.name}: {bench.question}")
    print((bench.table or lines)(figures))
    for budget in bench.budgets:
        print(_verdict(budget, figures))
    if options.json:
        for each in bench.printed(figures):
            print(json.dumps(each, ensure_ascii=False))
    return figures


def lines(figures: Figures) -> str:
    """The figures, one a line."""
    width = max(map(len, figures), default=0)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in figures.items())


def remember(name: str, result: Mapping[str, Any]) -> None:
    """Add a result to the bench's file: a JSON list with one run a line, oldest first."""
    path = RESULTS / f"{name}.json"
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    runs = ",\n".join(json.dumps(run, ensure_ascii=False) for run in [*earlier, result])
    RESULTS.mkdir(exist_ok=True)
    path.write_text(f"[\n{runs}\n]\n", encoding="utf-8")


def _verdict(budget: Budget, figures: Figures) -> str:
    kept = {True: "kept", False: "MISSED", None: "not measured"}[budget.kept_by(figures)]
    sign = "≥" if budget.at_least else "≤"
    return f"  budget {budget.figure} {sign} {budget.limit:g}: {kept} ({figures.get(budget.figure, '–')})"


# -- measuring -------------------------------------------------------------------------------------


def cpu() -> float:
    """CPU seconds of this process and the children it has waited for."""
    usage = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(item.ru_utime + item.ru_stime for item in usage)


def spent(work: Callable[[], object], watched: Callable[[], float] = cpu) -> float:
    """CPU seconds of `work`, garbage of earlier work taken out first."""
    gc.collect()
    before = watched()
    work()
    return watched() - before


def median_cpu(work: Callable[[], object]) -> float:
    """CPU seconds of `work`, warmed up, median of three."""
    work()
    return statistics.median(spent(work) for _ in range(3))


def peak_mb() -> int:
    """The most memory this process, or any one child it waited for, held."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own_peak_kb(), children) // 1024


def own_peak_kb() -> int:
    """The most memory this process held since it was started: `ru_maxrss` would tell its parent's too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_child(module: str, *arguments: str) -> Figures:
    """The JSON object that `python -m module arguments` prints last, in a process of its own."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and modules
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True
    )
    answer: Figures = json.loads(done.stdout.splitlines()[-1])
    return answer


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """The environment with these values, for children and for settings read inside."""
    earlier = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in earlier.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# -- where it was measured -------------------------------------------------------------------------


def machine(load: float) -> Figures:
    """Cores, memory and load: the class of machine, not which one."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cores": os.cpu_count(), "memory_gb": round(pages / 2**30), "load": round(load, 2), "cpu": _processor()}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def versions() -> dict[str, str]:
    """What the figures depend on."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return found | {name: version(name) for name in LIBRARIES} | {"postgresql": _postgresql()}


def _postgresql() -> str:
    binary = shutil.which("postgres") or max(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), default="")
    return _asked(binary, "--version").rpartition("(")[0].split()[-1] if binary else ""


def commit() -> str:
    """The commit measured, with a plus if the tree differs from it."""
    changed = _asked("git", "-C", str(ROOT), "status", "--porcelain", "--", "src", "bench/*.py")
    return _asked("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") + ("+" if changed else "")


def _asked(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    return done.stdout.strip()
