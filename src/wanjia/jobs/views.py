from __future__ import annotations

from django.core.paginator import Paginator
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from wanjia.jobs import queries, services
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access

PAGE_SIZE = 50


@access(SIGNED_IN)
@require_safe
def job_list(request: ViewerRequest) -> HttpResponseBase:
    """The reader's own jobs; with `jobs.read` and `?all=1` everybody's in his area."""
    may_see_all = request.viewer.may("jobs.read")
    everybody = may_see_all and request.GET.get("all") == "1"
    found = queries.jobs(request.viewer) if everybody else queries.own_jobs(request.viewer)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "jobs/list.html", {"page": page, "may_see_all": may_see_all, "everybody": everybody})


@access(SIGNED_IN)
@require_safe
def job_page(request: ViewerRequest, job_id: int) -> HttpResponseBase:
    job = queries.job_for(request.viewer, job_id)
    stoppable = job.is_open and not job.cancel_requested
    context = {"job": job, "may_cancel": stoppable and queries.may_cancel(request.viewer, job)}
    return render(request, "jobs/job.html", context)


@access(SIGNED_IN)
@require_safe
def progress(request: ViewerRequest, job_id: int) -> HttpResponseBase:
    """The fragment that pages ask for while a job runs."""
    return render(request, "jobs/progress.html", {"job": queries.job_for(request.viewer, job_id)})


@access(SIGNED_IN)
@require_POST
def cancel(request: ViewerRequest, job_id: int) -> HttpResponseBase:
    job = services.cancel(viewer=request.viewer, job_id=job_id)
    return redirect("jobs:job", job.pk)
