"""A task for the process tests: slow, deaf, and with an effect that can be counted."""

import os
import time

from wanjia.audit.choices import Kind
from wanjia.audit.services import record
from wanjia.jobs.registry import Lane, task
from wanjia.scope.system import system_viewer


@task("tests.slow", lane=Lane.HEAVY)
def slow(job, steps):
    """Works `steps` tenths of a second without ever looking up, then has its effect."""
    for number in range(steps):
        time.sleep(0.1)
        job.progress(number + 1, steps)
    with job.finishing({"pid": os.getpid()}):
        record(
            Kind.COMPARE_RUN,
            viewer=system_viewer("jobs.schedule"),
            area="45",
            act="tests.effect",
            content={"job": job.id},
        )


@task("tests.attentive", lane=Lane.HEAVY)
def attentive(job, steps):
    """As `slow`, but looks up between steps."""
    for number in range(steps):
        time.sleep(0.1)
        job.progress(number + 1, steps)
        job.check()
    with job.finishing({"pid": os.getpid()}):
        record(
            Kind.COMPARE_RUN,
            viewer=system_viewer("jobs.schedule"),
            area="45",
            act="tests.effect",
            content={"job": job.id},
        )
