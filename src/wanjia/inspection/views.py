"""The auditor's desk: his samples, a new draw, one sample with its cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wanjia.accounts.queries import names_of
from wanjia.casework import presenting as cases
from wanjia.casework import queries as casework
from wanjia.casework.declared import topics_in_words
from wanjia.inspection import presenting, queries, services
from wanjia.inspection.errors import PopulationChanged
from wanjia.inspection.forms import AnswerReadingForm, DrawForm, PopulationForm
from wanjia.inspection.models import BulkReading
from wanjia.kernel.errors import Refusal
from wanjia.scope.routes import ViewerRequest, access
from wanjia.ui.sheets import Format, download, saved
from wanjia.ui.viewing import chosen_area

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert as pages show it."""

    alert: BulkReading
    reader: str
    answered_by: str


@access("audit.read")
@require_safe
def bulk_readings(request: ViewerRequest) -> HttpResponse:
    """Who read of unusually many people in a short time, and what came of it; unanswered ones first."""
    page = Paginator(queries.bulk_readings(request.viewer), PAGE_SIZE).get_page(request.GET.get("page"))
    limits = {"subjects": services.most_subjects(), "minutes": services.minutes()}
    return render(request, "inspection/bulk_readings.html", {"page": page, "lines": _alerts(page), **limits})


@access("audit.read")
@require_http_methods(["GET", "HEAD", "POST"])
def bulk_reading(request: ViewerRequest, reading_id: int) -> HttpResponse:
    """One alert, and a form for whoever may say what came of looking into it."""
    alert = queries.bulk_reading_for(request.viewer, reading_id)
    form, refusal = AnswerReadingForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            services.answer_reading(viewer=request.viewer, reading_id=alert.pk, answer=form.cleaned_data["answer"])
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("核实情况已登记。"))
            return redirect("inspection:bulk_readings")
    answers = alert.answered_by is None and alert.reader != request.viewer.user_id
    context = {
        "line": _alerts([alert])[0],
        "form": form if answers and request.viewer.may_throughout(queries.ANSWER, alert.area) else None,
        "refusal": None if refusal is None else refusal.sentences(_language()),
    }
    status = refusal.status if refusal else 400 if request.method == "POST" else 200
    return render(request, "inspection/bulk_reading.html", context, status=status)


def _alerts(found: Iterable[BulkReading]) -> list[AlertLine]:
    rows = list(found)
    names = names_of({row.reader for row in rows} | {row.answered_by or 0 for row in rows})
    return [
        AlertLine(row, names.get(row.reader, f"#{row.reader}"), names.get(row.answered_by or 0, "")) for row in rows
    ]


@access(queries.DRAW)
@require_safe
def desk(request: ViewerRequest) -> HttpResponse:
    """How to start, and the samples drawn so far."""
    page = Paginator(queries.samples(request.viewer), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(sample, presenting.conditions(sample, _language())) for sample in page]
    return render(request, "inspection/desk.html", {"page": page, "rows": rows, "most": queries.most()})


@access(queries.DRAW)
@require_http_methods(["GET", "POST"])
def draw(request: ViewerRequest) -> HttpResponseBase:
    """The population as its conditions make it, then the seed. The conditions stay in the address."""
    area = queries.area_for(request.viewer, request.GET.get("area", ""), chosen_area(request))
    said = request.GET or {"state": "all"}
    topics = topics_in_words(casework.topics(request.viewer), _language())
    conditions = PopulationForm(said, topics=topics, outcomes=presenting.outcomes(_language()))
    context = {"area": area, "conditions": conditions}
    if not conditions.is_valid():
        return render(request, "inspection/draw.html", context, status=400)
    case_filter = conditions.case_filter()
    population = queries.population(request.viewer, area, case_filter)
    now = {"expected": population.count, "digest": population.digest}
    most = min(population.count, queries.most())
    form = DrawForm(request.POST or None, most=most, initial=now)
    refusal, status = None, 400 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            drawn = services.draw(
                viewer=request.viewer,
                area=area,
                case_filter=case_filter,
                seen=(typed["expected"], typed["digest"]),
                seed=typed["seed"],
                size=typed["size"],
            )
        except Refusal as refused:
            refusal, status = refused.sentences(_language()), refused.status
            if isinstance(refused, PopulationChanged):  # what he confirms next is what he sees now
                form = DrawForm({**request.POST.dict(), **now}, most=most)
        else:
            figures = {"n": f"{drawn.size:,}", "seed": drawn.seed}
            messages.success(request, _("已用种子“%(seed)s”抽取 %(n)s 件；总体和种子已存证。") % figures)
            return redirect("inspection:sample", drawn.pk)
    more = {"population": population, "form": form, "most": most, "refusal": refusal}
    return render(request, "inspection/draw.html", context | more, status=status)


@access(queries.DRAW)
@require_safe
def sample(request: ViewerRequest, sample_id: int) -> HttpResponse:
    """One sample: from what and with which seed it was drawn, and its cases in the order of the draw."""
    found = queries.sample_for(request.viewer, sample_id)
    visible = queries.cases_of(request.viewer, found)
    page = Paginator([visible[number] for number in found.numbers if number in visible], PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "sample": found,
        "conditions": presenting.conditions(found, _language()),
        "page": page,
        "rows": cases.rows(list(page), request.viewer, _language()),
        "may_open_evidence": request.viewer.may("files.read"),
        "gone": len(found.numbers) - len(visible),
    }
    return render(request, "inspection/sample.html", context)


@access(queries.DRAW)
@require_safe
def population(request: ViewerRequest, sample_id: int) -> HttpResponseBase:
    """The population with the lot of every number, so that the draw can be made again by sorting."""
    found = queries.sample_for(request.viewer, sample_id)
    form = Format.asked(request.GET.get("format"))
    pieces = services.population_list(
        viewer=request.viewer, sample=found, account=_account(request), language=_language(), form=form
    )
    return download(pieces, f"population-{found.pk}", form)


@access(queries.DRAW)
@require_safe
def papers(request: ViewerRequest, sample_id: int) -> HttpResponseBase:
    """The sample as a zip that can be verified alone; with the evidence itself where it is asked for."""
    found = queries.sample_for(request.viewer, sample_id)
    pieces = services.bundle(
        viewer=request.viewer,
        sample=found,
        account=_account(request),
        language=get_language() or "zh-hans",
        with_evidence=request.GET.get("evidence") == "1" and request.viewer.may("files.read"),
    )
    return saved(pieces, f"sample-{found.pk}.zip", "application/zip")


def _account(request: ViewerRequest) -> str:
    return request.user.get_username()


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
