"""What the auditor's desk does by the clock."""

from wanjia.audit.access import node_name
from wanjia.inspection import services
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.registry import Lane, task


@task("inspection.watch_readings", lane=Lane.INTERACTIVE, lock=lambda _: f"inspection.watch_readings:{node_name()}")
def watch_readings(job: JobHandle) -> None:
    """Look at who read how much since the last time; a second run finds nothing to do."""
    with job.finishing():
        services.watch_readings()


# Each machine keeps its readings in a file of its own; an alert is to be there within a minute.
SCHEDULES = [{"task": "inspection.watch_readings", "every": 30, "each_node": True}]
