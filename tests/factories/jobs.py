"""Background work for tests."""

from __future__ import annotations

from itertools import count

from tests.factories.walking import Example, Place
from wanjia.jobs.models import Job
from wanjia.kernel import clock

_numbers = count(1)


def examples(place: Place) -> list[Example]:
    """Somebody's waiting job at the place."""
    title = f"后台任务{next(_numbers)}号"
    job = Job.objects.create(
        name="jobs.example", lane="heavy", title=title, user_id=987_654, area=place.area,
        run_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip
    which = {"job_id": job.pk}
    return [
        Example("jobs:job", which, (title,), action="jobs.read"),
        Example("jobs:progress", which, (title,), action="jobs.read"),
        Example("jobs:cancel", which, (title,), action="jobs.read", method="post"),
    ]
