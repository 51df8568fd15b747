"""The measured half of `bench.registry`, in a process and an installation of its own.

WANJIA_HOME=… python -m bench.registering PEOPLE [postgresql-data-folder]
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bench import searching
from bench.harness import Figures, cpu, own_peak_kb, spent

if TYPE_CHECKING:
    from wanjia.registry.services import RegistryBatch

COUNTY = "451228"
CORRECTED = 20_000
TICKS = os.sysconf("SC_CLK_TCK")


def invented(people: int) -> tuple[RegistryBatch, int]:
    """The demo's county with about `people` people, as a sender hands it over, and how many they are."""
    from wanjia.demo import county, staff, world

    random = Random(1)  # noqa: S311 - an invented county comes out the same from the same seed
    place = county.place_of(COUNTY)
    villages = [code for township in place.townships for code, _ in township.villages]
    built = world.build(random=random, county_code=place.code, county_name=place.name, villages=villages, people=people)
    offices = {"county": (place.code, place.name), "city": place.city}
    posts = tuple(staff.posts(random, **offices, places=place.townships, stage=villages[0]))
    ids = {post.username: number for number, post in enumerate(posts, start=1)}
    return county.registry_batch(built, posts, ids), sum(1 for _ in built.residents)


def measured(people: int, watched: Callable[[], float]) -> Figures:
    """First load, correction and snapshot, each once, as CPU seconds and rows; searches, in ms."""
    from wanjia.config.install import prepare
    from wanjia.registry import services
    from wanjia.registry.models import Household
    from wanjia.registry.services import Edit
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    prepare()
    builder = system_viewer("demo.build")
    batch, count = invented(people)
    load = spent(lambda: services.load_registry(viewer=builder, batch=batch, year=2020), watched)
    snapshot = spent(lambda: services.publish_snapshot(viewer=builder), watched)
    found = searching.measured(COUNTY)
    numbers = list(Household.objects.visible_to(builder).order_by("pk").values_list("pk", flat=True)[:CORRECTED])
    edits = [Edit(field="main_cause", new="08", household_no=number) for number in numbers]
    before = watched()
    with serving(builder):  # as the request or the worker around it would
        changed = services.correct(viewer=builder, edits=edits, reason="核对台账后统一更正致贫原因。")
    correction = watched() - before
    return {
        "people": count,
        "load_cpu_s": load,
        "snapshot_cpu_s": snapshot,
        "corrected": changed.fields,
        "correction_cpu_s": correction,
        "peak_rss_mb": own_peak_kb() // 1024,
        **found,
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
