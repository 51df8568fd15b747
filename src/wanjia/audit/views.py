from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from wanjia.audit import queries
from wanjia.audit.forms import LogFilter, SubjectFilter
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access

PAGE_SIZE = 50
MOST_DETAILS = 50_000  # about a second of hashing; a page is not the place for more


@access("audit.read")
@require_safe
def log(request: ViewerRequest) -> HttpResponseBase:
    """Who did what, by subject, person, kind and day."""
    form = LogFilter(request.GET)
    lookup = form.lookup("subject_kind", "subject_id", "kind", "since", "until", "actor")
    page = Paginator(queries.found(request.viewer, lookup), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "audit/log.html", {"form": form, "page": page, "trail": queries.told(page.object_list)})


@access(SIGNED_IN)
@require_safe
def event(request: ViewerRequest, event_id: UUID) -> HttpResponseBase:
    """One act, and whether its record is still true. For whoever may read the history it belongs to."""
    opening = queries.opening_for(request.viewer, event_id)
    verdict = queries.verify_event(event_id, most_details=MOST_DETAILS)
    language = 1 if (get_language() or "zh").startswith("en") else 0
    context = {
        "line": queries.told([opening])[0],
        "verdict": verdict,
        "problems": [queries.PROBLEMS[problem][language] for problem in verdict.problems],
        "entry": queries.entry_of(event_id),
        "may_read_log": request.viewer.may("audit.read"),
    }
    return render(request, "audit/event.html", context)


@access("audit.read")
@require_safe
def reading_list(request: ViewerRequest) -> HttpResponseBase:
    """Who looked at whose data, newest first."""
    form = SubjectFilter(request.GET)
    rows = queries.readings(request.viewer, form.lookup("subject_kind", "subject_id", "actor"))
    return render(request, "audit/readings.html", {"form": form, "rows": rows, "limit": queries.TRAIL_LENGTH})
