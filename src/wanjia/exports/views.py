"""Requests to take a long list away: asking, deciding, fetching."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from wanjia.accounts.queries import names_of
from wanjia.exports import queries, services
from wanjia.exports.choices import State
from wanjia.exports.forms import AskForm, DecideForm
from wanjia.exports.lists import listed
from wanjia.exports.models import ExportRequest
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access

SHOWN = 50
TONES = {State.ASKED: "waiting", State.APPROVED: "done", State.DECLINED: "warn", State.FETCHED: "muted"}


@dataclass(frozen=True, slots=True)
class Line:
    """A request as pages show it."""

    request: ExportRequest
    title: str
    by: str
    decided_by: str
    state: str
    tone: str
    fetch: str  # the address of the list, while it can be fetched


@access(SIGNED_IN)
@never_cache
@require_GET
def requests(request: ViewerRequest) -> HttpResponse:
    """What waits for me to decide, and what I asked for."""
    context = {
        "waiting": _lines(request, queries.waiting(request.viewer)[:SHOWN]),
        "own": _lines(request, queries.own_requests(request.viewer)[:SHOWN]),
        "most": queries.most(),
    }
    return render(request, "exports/requests.html", context)


@access(SIGNED_IN)
@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: ViewerRequest, code: str) -> HttpResponseBase:
    """How long the list is, what it is narrowed to, and why somebody wants it."""
    exportable = listed(code)
    if not request.viewer.may(exportable.permission):
        raise NotVisible(kind="list")
    values = request.GET.dict()
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            done = services.ask(
                viewer=request.viewer, code=code, values=values, expected=data["expected"], reason=data["reason"]
            )
        except Refusal as refusal:
            form.add_error(None, " ".join(refusal.sentences(_language())))
        else:
            messages.success(request, _("申请已提交，批准后请在“导出申请”中下载。"))
            return redirect("exports:request", done.pk)
    asked = exportable.read(request.viewer, values)
    if not form.is_bound:
        form = AskForm(initial={"expected": asked.rows})
    context = {
        "title": exportable.title.text(_language()), "asked": asked, "form": form, "most": queries.most(),
        "needed": asked.always or asked.rows > queries.most(), "days": queries.days_to_fetch(),
    }  # fmt: skip
    return render(request, "exports/ask.html", context, status=400 if form.errors else 200)


@access(SIGNED_IN)
@never_cache
@require_http_methods(["GET", "POST"])
def request_page(request: ViewerRequest, request_id: int) -> HttpResponseBase:
    """One request: its filter in words and its count, never its rows; what was decided, or a form to decide."""
    found = queries.request_for(request.viewer, request_id)
    own = found.asked_by == request.viewer.user_id
    form = DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            services.decide(
                viewer=request.viewer, request_id=request_id, approve=data["decision"] == "approve", note=data["note"]
            )
        except Refusal as refusal:
            form.add_error(None, " ".join(refusal.sentences(_language())))
        else:
            messages.success(request, _("意见已登记。"))
            return redirect("exports:request", request_id)
    exportable = listed(found.listing)
    asked = exportable.read(request.viewer, QueryDict(found.query).dict())
    (line,) = _lines(request, [found])
    context = {
        "line": line,
        "conditions": asked.conditions,
        "form": form if found.state == State.ASKED and not own else None,
        "own": own,
    }
    return render(request, "exports/request.html", context, status=400 if form.errors else 200)


def _lines(request: ViewerRequest, found: Iterable[ExportRequest]) -> list[Line]:
    rows = list(found)
    names = names_of({row.asked_by for row in rows} | {row.decided_by or 0 for row in rows})
    return [_line(request, row, names) for row in rows]


def _line(request: ViewerRequest, row: ExportRequest, names: dict[int, str]) -> Line:
    exportable, state = listed(row.listing), State(row.state)
    late = state is State.APPROVED and row.expires_at is not None and row.expires_at <= clock.now()
    mine = state is State.APPROVED and not late and row.asked_by == request.viewer.user_id
    return Line(
        request=row,
        title=exportable.title.text(_language()),
        by=names.get(row.asked_by, ""),
        decided_by=names.get(row.decided_by or 0, ""),
        state=_("已过期") if late else str(state.label),
        tone="muted" if late else TONES[state],
        fetch=f"{reverse(exportable.url_name)}?{row.query}&request={row.pk}" if mine else "",
    )


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
