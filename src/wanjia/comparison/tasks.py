from __future__ import annotations

from wanjia.comparison import services
from wanjia.comparison.feedback import raising
from wanjia.jobs.choices import Lane
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.registry import task


@task("comparison.run", lane=Lane.HEAVY, lock=lambda args: f"comparison.run:{args['run_id']}")
def run(job: JobHandle, run_id: int) -> None:
    """Make a run that was asked for."""
    services.run_comparison(viewer=job.viewer, run_id=run_id, job=job)


@task(services.COMPARE, lane=Lane.HEAVY, lock=lambda _: services.COMPARE)
def compare(job: JobHandle) -> None:
    """Make the inputs current and run all rules over them."""
    services.compare_now(viewer=job.viewer, job=job)


@task("comparison.raise", lane=Lane.INTERACTIVE, lock=lambda _: "comparison.raise")
def raise_unanswered(job: JobHandle) -> None:
    """Remind departments of feedback that is soon due, and raise what they left unanswered."""
    with job.finishing():
        raising.raise_unanswered()


# Together with the cases' deadlines (casework.tasks).
SCHEDULES = [{"task": "comparison.raise", "daily": "06:35"}]
