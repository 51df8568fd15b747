"""Home, and the choice of the area one looks at."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from wanjia.office import queries
from wanjia.office.errors import AreaNotYours
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access
from wanjia.ui.viewing import SESSION_AREA, chosen_area, may_look_at

# The desk of an area itself, by the length of its code; people it sent out are counted with the township.
OWN_DESK = {2: _("省级本级"), 4: _("市本级"), 6: _("县本级"), 9: _("乡镇本级（含核查人）")}


@access(SIGNED_IN)
@require_GET
def home(request: ViewerRequest) -> HttpResponse:
    area = chosen_area(request)
    context = {
        "area": area,
        "narrowed": area != request.viewer.home_area,
        "own": OWN_DESK.get(len(area), ""),
        "audits": request.viewer.may("audit.sample"),
        "today": queries.today(request.viewer, area, get_language() or "zh-hans"),
    }
    return render(request, "office/home.html", context)


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
    """`target` without what belonged to the area left: its own `area`, and the place in the list.

    It begins with a slash: `redirect` would look for a route of any other name, and fail when there is none.
    """
    inside = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    if not (inside and target.startswith("/")):
        return "/"
    parts = urlsplit(target)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("area", "page", "after")]
    return urlunsplit(("", "", parts.path, urlencode(kept), ""))
