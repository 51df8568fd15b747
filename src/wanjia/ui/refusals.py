"""A refusal as a page, as a fragment of one, or as JSON: whichever the asker can use."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language

from wanjia.kernel.errors import Refusal


def reference_of(request: HttpRequest) -> str:
    """What names this request in the log; "" where nobody gave it one."""
    return getattr(request, "reference", "")


def wants_json(request: HttpRequest) -> bool:
    """Whether the asker prefers JSON to a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page (and not for a whole one in its place)."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-Boosted") != "true"


def refusal_response(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """What happened and what to do, in the reader's language, with the refusal's status."""
    language = get_language() or "zh-hans"
    if wants_json(request):
        return JsonResponse(refusal.as_dict(language) | {"reference": reference_of(request)}, status=refusal.status)
    happened, cure = refusal.sentences(language)
    context = {"what": happened, "cure": cure, "code": refusal.code, "status": refusal.status}
    context["reference"] = reference_of(request)
    context["refused"] = True  # a page that refuses counts nothing
    if is_fragment(request):
        response = render(request, "ui/_refusal.html", context, status=refusal.status)
        # The part the reader was about to get stays as it was; the refusal shows above the page.
        response["HX-Retarget"] = "#messages"
        response["HX-Reswap"] = "innerHTML"
        return response
    return render(request, "ui/refused.html", context, status=refusal.status)
