from __future__ import annotations

from django.db.models import QuerySet

from wanjia.jobs.choices import State
from wanjia.jobs.models import Job
from wanjia.jobs.rules import Progress
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal, all_refusals
from wanjia.scope.errors import NotVisible
from wanjia.scope.viewer import Viewer

CANCEL = "jobs.cancel"


def job_for(viewer: Viewer, job_id: int) -> Job:
    """One job, if it is the viewer's own or lies where he holds `jobs.read`. Raises NotVisible."""
    job = Job.objects.visible_to(viewer).filter(pk=job_id).first()
    if job is None:
        raise NotVisible(kind="job")
    return job


def may_cancel(viewer: Viewer, job: Job) -> bool:
    """Whether the viewer asked for the job himself, or operates the system where it was asked for."""
    own = bool(viewer.user_id) and job.user_id == viewer.user_id
    return own or viewer.may_throughout(CANCEL, job.area)


def own_jobs(viewer: Viewer) -> QuerySet[Job]:
    """What the viewer submitted, newest first."""
    return Job.objects.visible_to(viewer).filter(user_id=viewer.user_id).exclude(user_id=0).order_by("-id")


def jobs(viewer: Viewer) -> QuerySet[Job]:
    """Every job the viewer may see, newest first."""
    return Job.objects.visible_to(viewer).order_by("-id")


def progress_of(job: Job) -> Progress:
    """How far the job is; of one that has ended, how far it came."""
    until = job.finished_at or clock.now()
    seconds = (until - job.started_at).total_seconds() if job.started_at and job.state != State.QUEUED else 0.0
    return Progress(job.done, job.total, job.note, seconds)


def refusal_of(job: Job) -> Refusal | None:
    """Why the job failed, as the refusal that ended it; None if it did not fail.

    A refusal retired since then, or one whose facts changed, is answered as an internal error
    under its old code: the page still says something true.
    """
    if job.state != State.FAILED:
        return None
    from wanjia.jobs.errors import InternalError

    for kind in all_refusals():
        if kind.code == job.error_code:
            try:
                refusal = kind(**job.error_facts)
                refusal.sentences("zh")
            except (TypeError, KeyError, ValueError):
                break
            return refusal
    return InternalError(reference=job.error_code)
