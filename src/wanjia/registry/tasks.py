"""Background work of the registry, and what must run on a schedule here."""

from __future__ import annotations

from collections.abc import Mapping

from wanjia.jobs.choices import Lane
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.registry import task
from wanjia.registry import services


@task(services.SEALING, lane=Lane.HEAVY, lock=lambda _: services.SEALING)
def seal_year(job: JobHandle, year: int, confirmed: Mapping[str, int], act: str) -> None:
    """Seal a reporting year."""
    services.seal_in_background(job, year, confirmed, act)


SCHEDULES = [
    {"task": "registry.sweep", "run": "wanjia.registry.services.sweep_snapshots", "daily": "03:20"},
    {"task": "registry.tidy_names", "run": "wanjia.registry.services.tidy_names", "daily": "03:50"},
]
