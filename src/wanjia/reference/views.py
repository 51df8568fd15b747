"""Policy on screen: parameters, lines, code lists, phases; each value with its validity and source."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.reference import queries, services
from wanjia.reference.choices import LineKind
from wanjia.reference.forms import KIND_LABELS, ParameterForm, PovertyLineForm, regions_of
from wanjia.scope.errors import NotAllowed
from wanjia.scope.routes import ViewerRequest, access


@access("reference.read")
@require_safe
def parameters(request: ViewerRequest) -> HttpResponse:
    """Every parameter with the value in force for the whole region today."""
    rows = queries.parameters_today(clock.today(), _language())
    return render(request, "reference/parameters.html", {"rows": rows, "tab": "parameters"})


@access("reference.read")
@require_http_methods(["GET", "POST"])
def parameter(request: ViewerRequest, name: str) -> HttpResponseBase:
    """One parameter through time; whoever may write adds a value."""
    rows = queries.parameter_rows(name)
    if not rows:
        raise Http404
    form = ParameterForm(request.viewer, rows[0].value_type, request.POST or None)
    if request.method == "POST":
        _require_write(request)
        if form.is_valid() and _done(form, lambda: _set_parameter(request, name, form)):
            messages.success(request, _("新的数值已保存，从生效日期起适用。"))
            return redirect("reference:parameter", name)
    context = {"rows": rows, "title": _title(rows[0]), "form": form, "may_write": bool(regions_of(request.viewer))}
    return render(request, "reference/parameter.html", context, status=400 if form.errors else 200)


@access("reference.read")
@require_http_methods(["GET", "POST"])
def lines(request: ViewerRequest) -> HttpResponseBase:
    """The poverty lines; whoever may write adds one."""
    form = PovertyLineForm(request.viewer, request.POST or None)
    if request.method == "POST":
        _require_write(request)
        if form.is_valid() and _done(form, lambda: _set_line(request, form)):
            messages.success(request, _("新的标准已保存，从生效日期起适用。"))
            return redirect("reference:lines")
    rows = [(row, KIND_LABELS[LineKind(row.kind)]) for row in queries.line_rows()]
    context = {"rows": rows, "form": form, "tab": "lines", "may_write": bool(regions_of(request.viewer))}
    return render(request, "reference/lines.html", context, status=400 if form.errors else 200)


@access("reference.read")
@require_safe
def codes(request: ViewerRequest) -> HttpResponse:
    lists = [(row, _title(row)) for row in queries.list_titles()]
    return render(request, "reference/codes.html", {"lists": lists, "tab": "codes"})


@access("reference.read")
@require_safe
def code_list(request: ViewerRequest, name: str) -> HttpResponse:
    """One code list with the codes that files of other vintages use."""
    if name not in {row.name for row in queries.list_titles()}:
        raise Http404
    book = queries.code_list(name)
    english = _language() == "en"
    rows = [(item, item.label_en if english else item.label_zh) for item in book.items.values()]
    context = {"book": book, "title": book.title_en if english else book.title_zh, "rows": rows}
    return render(request, "reference/code_list.html", context)


@access("reference.read")
@require_safe
def phases(request: ViewerRequest) -> HttpResponse:
    """Every phase with its words and switches, and the rule behind each switch."""
    language = _language()
    shown = [
        {
            "phase": phase,
            "title": phase.title(language),
            "terms": [phase.term(key, language) for key in phase.terms],
            "switches": [(switch, switch.title(language)) for switch in phase.switches.values()],
        }
        for phase in queries.phases()
    ]
    return render(request, "reference/phases.html", {"phases": shown, "now": queries.profile().code, "tab": "phases"})


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"


def _title(row: object) -> str:
    return str(getattr(row, f"title_{_language()}"))


def _set_parameter(request: ViewerRequest, name: str, form: ParameterForm) -> None:
    services.set_parameter(request.viewer, name=name, value=form.cleaned_data["value"], notice=form.notice())


def _set_line(request: ViewerRequest, form: PovertyLineForm) -> None:
    said = form.cleaned_data
    services.set_poverty_line(
        request.viewer, year=said["year"], kind=LineKind(said["kind"]), amount=said["amount"], notice=form.notice()
    )


def _require_write(request: ViewerRequest) -> None:
    if not request.viewer.may("reference.write"):
        raise NotAllowed(action="reference.write")


def _done(form: Form, act: Callable[[], object]) -> bool:
    """Do it, or say in the form why not."""
    try:
        act()
    except Refusal as refusal:
        form.add_error(None, "".join(refusal.sentences(_language())))
        return False
    return True
