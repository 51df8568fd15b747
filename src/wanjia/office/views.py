"""Home, and the choice of the area one looks at."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from wanjia.office import queries
from wanjia.office.errors import AreaNotYours
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access
from wanjia.ui.viewing import SESSION_AREA, chosen_area, may_look_at


@access(SIGNED_IN)
@require_GET
def home(request: ViewerRequest) -> HttpResponse:
    area = chosen_area(request)
    return render(
        request,
        "office/home.html",
        {"area": area, "today": queries.today(request.viewer, area, get_language() or "zh-hans")},
    )


@access(SIGNED_IN)
@require_POST
def area(request: ViewerRequest) -> HttpResponse:
    """Look at another area from now on, and stay on the page one was on."""
    code = request.POST.get("code", "")
    if not may_look_at(request.viewer, code):
        raise AreaNotYours
    request.session[SESSION_AREA] = code
    return redirect(_same_page(request, request.POST.get("next", "/")))


def _same_page(request: ViewerRequest, target: str) -> str:
    """`target` without what belonged to the area left: its own `area`, and the place in the list."""
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(target)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("area", "page", "after")]
    return urlunsplit(("", "", parts.path, urlencode(kept), ""))
