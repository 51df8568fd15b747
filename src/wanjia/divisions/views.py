"""The picker's next level, for htmx and for programs."""

from __future__ import annotations

import re

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from wanjia.divisions.picker import Picker, picker
from wanjia.divisions.queries import path_of
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access

FIELD_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
LONGEST_LABEL = 40


@access(SIGNED_IN)
@require_safe
def children(request: ViewerRequest) -> HttpResponse:
    """The places below `?<name>=CODE` that the viewer may enter, as the picker field or as JSON."""
    name = request.GET.get("name", "area")
    if not FIELD_NAME.fullmatch(name):
        raise Http404
    at = picker(
        request.viewer,
        request.GET.get(name, ""),
        name=name,
        label=request.GET.get("label", "")[:LONGEST_LABEL],
        required=request.GET.get("required") == "1",
    )
    wants_json = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    response = JsonResponse(_described(at)) if wants_json else render(request, "divisions/_picker.html", {"picker": at})
    patch_vary_headers(response, ["Accept", "Cookie"])
    return response


def _described(at: Picker) -> dict[str, object]:
    return {
        "code": at.code,
        "path": [{"code": code, "name": name} for code, name in path_of(at.code)] if at.code else [],
        "children": [{"code": place.code, "name": place.name, "level": place.level} for place in at.below],
    }
