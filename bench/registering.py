"""The measured half of `bench.registry`, in a process and an installation of its own.

WANJIA_HOME=… python -m bench.registering PEOPLE [postgresql-data-folder]
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from bench import paging, searching
from bench.harness import Figures, cpu, own_peak_kb, spent

if TYPE_CHECKING:
    from wanjia.registry.services import RegistryBatch

COUNTY = "451228"
PER_COUNTY = 60_000  # people; Guangxi's registered are 6.34 million in 111 counties
CORRECTED = 20_000
PAGES = 300
NUMBERED = ("national_household_no", "national_person_no")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the loads of all counties took."""

    people: int
    cpu_s: float
    first: float  # CPU seconds a million people, of the first county
    last: float


def counties(people: int) -> list[str]:
    """As many counties of the region as so many people live in, the bench's own first."""
    from wanjia.divisions.queries import children

    every = [county.code for city in children(COUNTY[:2]) for county in children(city.code)]
    wanted = max(1, min(len(every), round(people / PER_COUNTY)))
    return [COUNTY, *(code for code in every if code != COUNTY)][:wanted]


def invented(county_code: str, people: int, seed: int) -> tuple[RegistryBatch, int]:
    """A county of the demo's kind with about `people` people, as a sender hands it over, and how many they are."""
    from wanjia.demo import county, staff, world

    random = Random(seed)  # noqa: S311 - an invented county comes out the same from the same seed
    place = county.place_of(county_code)
    villages = [code for township in place.townships for code, _ in township.villages]
    built = world.build(random=random, county_code=place.code, county_name=place.name, villages=villages, people=people)
    offices = {"county": (place.code, place.name), "city": place.city}
    posts = tuple(staff.posts(random, **offices, places=place.townships, stage=villages[0]))
    ids = {post.username: number for number, post in enumerate(posts, start=1)}
    batch = county.registry_batch(built, posts, ids)
    return _numbered(batch, county_code), sum(1 for _ in built.residents)


def _numbered(batch: RegistryBatch, county_code: str) -> RegistryBatch:
    """With the county before its own numbers, which begin at 1 in each."""
    tables = {}
    for name in ("households", "persons", "household_years", "person_years"):
        table = getattr(batch, name)
        for column in set(NUMBERED) & set(table.column_names):
            marked = pc.binary_join_element_wise(county_code, table[column], "-")
            table = table.set_column(table.column_names.index(column), column, marked)
        tables[name] = table
    return replace(batch, **tables)


def load(people: int, watched: Callable[[], float]) -> Loaded:
    """The region, a county after the other."""
    from wanjia.registry import services
    from wanjia.scope.system import system_viewer

    builder, codes = system_viewer("demo.build"), counties(people)
    costs = list[tuple[int, float]]()
    for seed, code in enumerate(codes, start=1):
        batch, count = invented(code, people // len(codes), seed)

        def taken_in(batch: RegistryBatch = batch) -> None:
            result = services.load_registry(viewer=builder, batch=batch, year=2020)
            if result.rejected:
                raise RuntimeError(f"{len(result.rejected)} rows were refused")

        costs.append((count, spent(taken_in, watched)))
        print(f"{code} {count} people, {costs[-1][1] / count * 1e6:.1f} CPU-s a million", file=sys.stderr)
    each = [cost / count * 1e6 for count, cost in costs]
    return Loaded(sum(count for count, _ in costs), sum(cost for _, cost in costs), each[0], each[-1])


def measured(people: int, watched: Callable[[], float]) -> Figures:
    """First load, correction and snapshot, each once, as CPU seconds and rows; searches and pages, in ms."""
    from wanjia.config.install import prepare
    from wanjia.registry import services
    from wanjia.registry.models import Household
    from wanjia.registry.services import Edit
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    prepare()
    builder = system_viewer("demo.build")
    loaded = load(people, watched)
    snapshot = spent(lambda: services.publish_snapshot(viewer=builder), watched)
    peak = own_peak_kb() // 1024
    found = searching.measured(COUNTY)
    pages = paging.measured(COUNTY, PAGES)
    numbers = list(Household.objects.visible_to(builder).order_by("pk").values_list("pk", flat=True)[:CORRECTED])
    edits = [Edit(field="main_cause", new="08", household_no=number) for number in numbers]
    before = watched()
    with serving(builder):  # as the request or the worker around it would
        changed = services.correct(viewer=builder, edits=edits, reason="核对台账后统一更正致贫原因。")
    correction = watched() - before
    millions = loaded.people / 1_000_000
    return {
        "people": loaded.people,
        "load_cpu_s_per_million": round(loaded.cpu_s / millions, 1),
        "load_of_first_county": round(loaded.first, 1),
        "load_of_last_county": round(loaded.last, 1),
        "snapshot_cpu_s_per_million": round(snapshot / millions, 1),
        **found,
        **pages,
        "corrected_rows_per_cpu_s": round(changed.fields / correction),
        "peak_mb": peak,
    }


def with_server(data: Path) -> float:
    """CPU seconds of this process and of a PostgreSQL server with all its processes, gone ones included."""
    postmaster = int((data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        own, waited_for = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        if int(stat.parent.name) == postmaster:
            total += own + waited_for
        elif int(fields[1]) == postmaster:
            total += own
    return cpu() + total / TICKS


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")
    import django

    django.setup()
    server = [Path(folder) for folder in sys.argv[2:]]
    print(json.dumps(measured(int(sys.argv[1]), (lambda: with_server(server[0])) if server else cpu)))
