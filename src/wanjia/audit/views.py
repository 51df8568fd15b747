from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from wanjia.audit import names, queries
from wanjia.audit.exports import trail_file
from wanjia.audit.forms import LogFilter, SubjectFilter
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access
from wanjia.ui.sheets import Format, download

PAGE_SIZE = 50
NARROWING = ("subject_kind", "subject_id", "kind", "since", "until", "actor")
MOST_DETAILS = 50_000  # about a second of hashing; a page is not the place for more


@access("audit.read")
@require_safe
def log(request: ViewerRequest) -> HttpResponseBase:
    """Who did what, by subject, person, kind and day."""
    form = LogFilter(request.GET)
    lookup = _wanted(form)
    rows = queries.found(request.viewer, lookup, oldest_first=_oldest_first(form))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "trail": queries.told(page.object_list), "person": _person(lookup)}
    if request.viewer.may("audit.export") and not form.errors:
        context["export_url"] = f"{reverse('audit:log_export')}?{request.GET.urlencode()}"
    return render(request, "audit/log.html", context)


@access("audit.export")
@require_safe
def log_export(request: ViewerRequest) -> HttpResponseBase:
    """The same list as a file."""
    form = LogFilter(request.GET)
    wanted, kind = _wanted(form), Format.asked(request.GET.get("format"))
    pieces = trail_file(
        viewer=request.viewer,
        lookup=wanted,
        oldest_first=_oldest_first(form),
        account=request.user.get_username(),
        form=kind,
    )
    return download(pieces, "log", kind)


def _wanted(form: LogFilter) -> dict[str, object]:
    """What was asked for; without the access record's own entries unless they, or one person's acts, are wanted."""
    lookup = form.lookup(*NARROWING)
    return lookup if form.lookup("system") or "actor" in lookup else {**lookup, "by_people": True}


def _oldest_first(form: LogFilter) -> bool:
    return bool(form.lookup("order"))


def _person(lookup: Mapping[str, Any]) -> str:
    """Whose acts the list is narrowed to, by name, or nothing."""
    actor = lookup.get("actor")
    return "" if not actor else names.of([actor]).get(actor, "") or f"#{actor}"


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
    lookup = form.lookup("subject_kind", "subject_id", "actor", "since", "until")
    rows = queries.readings(request.viewer, lookup)
    context = {"form": form, "rows": rows, "limit": queries.TRAIL_LENGTH, "person": _person(lookup)}
    return render(request, "audit/readings.html", context)
