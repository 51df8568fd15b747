"""What casework does by the clock."""

from wanjia.casework import counters, services
from wanjia.casework.answers import desk
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.registry import Lane, task


@task("casework.escalate", lane=Lane.INTERACTIVE, lock=lambda _: "casework.escalate")
def escalate(job: JobHandle) -> None:
    """Mark steps that turned yellow or red and raise the red ones; a second run finds nothing to do."""
    with job.finishing():
        services.escalate_overdue()


@task("casework.forget_answers", lane=Lane.INTERACTIVE)
def forget_answers(job: JobHandle) -> None:
    """Forget uploaded sheets of answers nobody looked after for a month."""
    with job.finishing():
        desk.forget_old()


@task("casework.fold_counters", lane=Lane.INTERACTIVE, lock=lambda _: "casework.fold_counters")
def fold_counters(job: JobHandle) -> None:
    """Put what acts added to the counters into the rows it belongs to; a second run finds nothing to do."""
    with job.finishing():
        counters.fold()


# After midnight the day's deadlines have passed; people find it marked when they come in.
SCHEDULES = [
    {"task": "casework.escalate", "daily": "06:30"},
    {"task": "casework.fold_counters", "every": 120},
    {"task": "casework.forget_answers", "daily": "03:40"},
]
