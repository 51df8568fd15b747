"""Background work of the registry, and what must run on a schedule here."""

from __future__ import annotations

from collections.abc import Mapping

from wanjia.jobs.choices import Lane
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.registry import task
from wanjia.registry import services
from wanjia.registry.rights import erasing, forgetting
from wanjia.registry.services.sheets import importing


@task(services.SEALING, lane=Lane.HEAVY, lock=lambda _: services.SEALING)
def seal_year(job: JobHandle, year: int, confirmed: Mapping[str, int], act: str) -> None:
    """Seal a reporting year."""
    services.seal_in_background(job, year, confirmed, act)


@task(importing.READ_TASK, lane=Lane.HEAVY)
def read_sheets(job: JobHandle, import_id: int) -> None:
    """Read the sheets of an import and show what they would do."""
    importing.read_sheets(viewer=job.viewer, import_id=import_id, job=job)


@task(importing.APPLY_TASK, lane=Lane.HEAVY, lock=lambda args: "registry.apply_sheets")  # noqa: ARG005
def apply_sheets(job: JobHandle, import_id: int) -> None:
    """Do what was shown; one import at a time, for the next one's preview may be another after it."""
    importing.apply_sheets(viewer=job.viewer, import_id=import_id, job=job)


@task(erasing.FINISHING, lane=Lane.HEAVY, lock=lambda _: erasing.FINISHING)
def finish_erasures(job: JobHandle) -> None:
    """Let the lake forget people who were erased."""
    done = forgetting.finish_erasures()
    with job.finishing({"persons": done}):
        pass


SCHEDULES = [
    {"task": "registry.finish_erasures", "run": "wanjia.registry.rights.forgetting.finish_erasures", "daily": "03:10"},
    {"task": "registry.sweep", "run": "wanjia.registry.services.sweep_snapshots", "daily": "03:20"},
    {"task": "registry.sweep_sheets", "run": "wanjia.registry.services.sweep_sheets", "daily": "03:25"},
    {"task": "registry.tidy_names", "run": "wanjia.registry.services.tidy_names", "daily": "03:50"},
]
