"""The last resort: what a visitor sees when the program itself failed."""

from __future__ import annotations

import logging
import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.kernel.outages import outage
from wanjia.ui.refusals import reference_of, refusal_response, wants_json

log = logging.getLogger("wanjia.ui")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: a page without a trace of the fault but its time.

    A refusal can also arise before a view is called, when an upload is read by a middleware;
    Django then calls this handler, and the refusal is shown for what it is.
    """
    fault = sys.exc_info()[1]
    refusal = fault if isinstance(fault, Refusal) else outage(fault)
    if refusal is not None:
        return _refused(request, refusal)
    if wants_json(request):
        return JsonResponse(
            {"code": "internal", "at": clock.now().isoformat(), "reference": reference_of(request)}, status=500
        )
    context = {"happened_at": clock.now(), "reference": reference_of(request)}
    try:
        return render(request, "500.html", context, status=500)
    except Exception:
        # Whatever broke the page may break the frame round it, so this page asks for nothing.
        log.exception("The error page itself failed")
        return HttpResponse(render_to_string("ui/broken.html", context), status=500)


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    try:
        return refusal_response(request, refusal)
    except Exception:  # noqa: BLE001 - without the database the frame round the refusal cannot be drawn
        happened, cure = refusal.sentences("zh")
        context = {"what": happened, "cure": cure, "english": refusal.sentences("en"), "code": refusal.code}
        page = render_to_string("ui/refused_alone.html", context | {"reference": reference_of(request)})
        return HttpResponse(page, status=refusal.status)
