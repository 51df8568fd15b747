"""Runs, their findings, issuing them, and the sample at the end."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from wanjia.accounts import saved
from wanjia.audit.services import record_access
from wanjia.casework import queries as casework
from wanjia.casework.declared import newest
from wanjia.casework.filters import CaseFilter
from wanjia.casework.services import Draw, dates_for, draw_sample
from wanjia.comparison import describing, handling, presenting, queries, services
from wanjia.comparison.choices import Handling, RunStatus
from wanjia.comparison.forms import HeldForm, IssueForm, SampleForm
from wanjia.comparison.models import Run
from wanjia.comparison.progress.figures import READ as READS_PROGRESS
from wanjia.comparison.queries import Filters
from wanjia.jobs.queries import job_for
from wanjia.kernel import clock
from wanjia.kernel.codes import is_division_code
from wanjia.kernel.errors import Refusal
from wanjia.reference.queries import parameter
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest, access
from wanjia.ui.viewing import asked_for, chosen_area

RUNS_SHOWN = 50
LONGEST_NUMBER = 10  # more digits than any household number has
SAMPLE = "suspects.sample_share"
SAVED = "findings"  # the list to which saved filters belong
STATUS_TONES = {
    RunStatus.REQUESTED: "waiting",
    RunStatus.DONE: "done",
    RunStatus.HELD: "warn",
    RunStatus.DISCARDED: "muted",
}


@access("comparison.read")
@require_GET
def runs(request: ViewerRequest) -> HttpResponse:
    found = list(queries.runs(request.viewer)[:RUNS_SHOWN])
    gone = presenting.withdrawn_since(found)
    lines = [
        (item, RunStatus(item.status).label, STATUS_TONES[RunStatus(item.status)], gone[item.pk]) for item in found
    ]
    return render(request, "comparison/runs.html", {"runs": lines, "may_run": request.viewer.may("comparison.run")})


@access("comparison.run")
@require_POST
def request_run(request: ViewerRequest) -> HttpResponseBase:
    """Ask for a comparison of what is current; it runs in the background."""
    return redirect("comparison:comparing", services.ask_for_comparison(viewer=request.viewer).pk)


@access("comparison.run")
@never_cache
@require_GET
def comparing(request: ViewerRequest, job_id: int) -> HttpResponseBase:
    """How far a comparison is; once done, its findings."""
    job = job_for(request.viewer, job_id)
    if job.name != services.COMPARE:
        raise NotVisible(kind="job")
    if "run_id" not in job.result:
        return render(request, "comparison/comparing.html", {"job": job})
    address = reverse("comparison:run", args=[job.result["run_id"]])
    if request.headers.get("HX-Request"):  # the page is asking for news of itself: it is left
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


@access("comparison.read")
@require_GET
def run(request: ViewerRequest, run_id: int) -> HttpResponse:
    """Rules with their counts, the list, and the chosen finding explained."""
    return _run_page(request, run_id)


@access("comparison.read")
@require_GET
def newest_findings(request: ViewerRequest) -> HttpResponseBase:
    """The findings of the newest run, narrowed as the address says; where a saved filter leads."""
    newest = queries.current_run(request.viewer)
    if newest is None:
        return redirect("comparison:runs")
    return redirect(f"{reverse('comparison:run', args=[newest.pk])}?{_query(_filters(request), _handled(request))}")


@access("comparison.read")
@require_POST
def save_filter(request: ViewerRequest, run_id: int) -> HttpResponseBase:
    """Keep what the list is narrowed to under a name; refused, the list comes back with what was typed."""
    queries.run_for(request.viewer, run_id)
    filters, how = _filters(request), _handled(request)
    refused = saved.saved_from(request, SAVED, _kept(filters, how))
    address = f"{reverse('comparison:run', args=[run_id])}?{_query(filters, how)}"
    if refused is None:
        return redirect(address)
    request.page_address = address  # type: ignore[attr-defined]
    return _run_page(request, run_id, refused)


def _run_page(request: ViewerRequest, run_id: int, refused: Form | None = None) -> HttpResponse:
    shown = queries.run_for(request.viewer, run_id)
    if shown.status not in (RunStatus.DONE, RunStatus.HELD):
        return render(request, "comparison/waiting.html", _head(shown))
    head = _head(shown)
    filters, language = _filters(request), _language()
    how = _handled(request)
    page = handling.listed(request.viewer, shown, filters, how, request.GET.get("after", ""))
    context = {
        **head,
        "filters": filters,
        "rules": presenting.rule_lines(request.viewer, shown, filters, language),
        "parts": presenting.parts(request.viewer, shown, filters),
        "data": presenting.data_lines(shown, language, head["withdrawn"]),
        "may_see_progress": request.viewer.may(READS_PROGRESS),
        "may_see_batches": request.viewer.may("sources.read"),
        "rows": presenting.finding_rows(shown, page, language),
        "page": {"total": page.total, "next_cursor": page.next},
        "how": how,
        "ways": Handling.choices,
        "looked_at": handling.MOST,
        "query": _query(filters),
        "offer": page.offer,
        "saved": saved.bar(
            request.viewer, SAVED, _kept(filters, how), refused, here=reverse("comparison:run", args=[run_id])
        ),
        "held": HeldForm() if shown.status == RunStatus.HELD and request.viewer.may("comparison.run") else None,
    }
    return render(request, "comparison/run.html", context, status=400 if refused else 200)


def _head(shown: Run) -> dict[str, Any]:
    status = RunStatus(shown.status)
    gone = presenting.withdrawn_since([shown])[shown.pk]
    newer = queries.superseded_by(shown)
    return {"run": shown, "status": status.label, "tone": STATUS_TONES[status], "withdrawn": gone, "newer": newer}


@access("comparison.read")
@require_GET
def finding(request: ViewerRequest, run_id: int, finding_no: int) -> HttpResponse:
    """One finding explained: beside the list, or as a page of its own without scripts."""
    found = queries.finding_for(request.viewer, run_id, finding_no)
    shown = queries.run_for(request.viewer, run_id)
    told = describing.described(found, queries.rules_of(shown)[found.rule], request.viewer, _language())
    record_access(
        viewer=request.viewer,
        action="comparison.read",
        subject_kind="person",
        subject_ids=[found.person_no],
        fields=["name", *found.evidence],
        area=found.village_code,
    )
    context = {
        **_head(shown),
        "finding": found,
        "told": told,
        "handled": handling.of_finding(request.viewer, shown, found),
    }
    template = "comparison/_finding.html" if request.headers.get("HX-Request") else "comparison/finding.html"
    return render(request, template, context)


@access("comparison.run")
@require_POST
def decide_held(request: ViewerRequest, run_id: int) -> HttpResponseBase:
    """Confirm a run whose figures are surprising, or set it aside."""
    queries.run_for(request.viewer, run_id)
    form = HeldForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请选择处理方式并写明理由，没有任何内容被改动。"))
        return redirect("comparison:run", run_id)
    decide = services.release_run if form.cleaned_data["decision"] == "release" else services.discard_run
    decide(viewer=request.viewer, run_id=run_id, reason=form.cleaned_data["reason"])
    return redirect("comparison:run", run_id)


@access("comparison.issue")
@require_http_methods(["GET", "POST"])
def issue(request: ViewerRequest, run_id: int) -> HttpResponseBase:
    """First the split by city and what stays behind; then, confirmed, the cases are opened."""
    shown, filters = queries.run_for(request.viewer, run_id), _filters(request)
    form = IssueForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            return _issued(request, run_id, filters, form)
        except Refusal as refused:
            refusal = refused
    sorted_out = services.screen(request.viewer, run_id, filters)
    flow = newest(presenting.KIND).flow
    context = {
        **_head(shown),
        "filters": filters,
        "screened": sorted_out,
        "dates": dates_for(flow.step(flow.first)),
        "form": form,
        "refusal": refusal.sentences(_language()) if refusal else None,
        "back": f"{reverse('comparison:run', args=[run_id])}?{_query(filters)}",
    }
    return render(request, "comparison/issue.html", context, status=refusal.status if refusal else 200)


def _issued(request: ViewerRequest, run_id: int, filters: Filters, form: IssueForm) -> HttpResponseBase:
    data = form.cleaned_data
    done = services.issue_findings(
        viewer=request.viewer,
        run_id=run_id,
        filters=filters,
        expected_count=data["expected"],
        withdrawn={int(number) for number in data["withdrawn"].split(",") if number.isascii() and number.isdigit()},
        due_on=data["due_on"],
    )
    figures = {"n": f"{done.opened:,}", "cities": len(done.by_city)}
    messages.success(request, _("已下发 %(n)s 件到 %(cities)s 个市。") % figures)
    left = done.repeated + done.muted
    if left:
        messages.info(request, _("%(n)s 条与未办结或已答复的疑点重复，没有下发。") % {"n": f"{left:,}"})
    return redirect("casework:list")


@access("suspects.sample")
@require_http_methods(["GET", "POST"])
def sample(request: ViewerRequest) -> HttpResponseBase:
    """Draw a share of the decided cases for another look; the others close."""
    least = Decimal(str(parameter(SAMPLE, clock.today())))
    wanted = CaseFilter(kind=presenting.KIND, step="county_closed", area=_sampled_area(request))
    count = casework.count(request.viewer, wanted)
    form = SampleForm(request.POST or None, least=least)
    refusal = None
    if request.method == "POST" and form.is_valid():
        draw = Draw(take="take", rest="pass", share_parameter=SAMPLE, share=form.cleaned_data["percent"] / 100)
        try:
            drawn = draw_sample(
                viewer=request.viewer, case_filter=wanted, expected_count=form.cleaned_data["expected"], draw=draw
            )
        except Refusal as refused:
            refusal = refused
        else:
            figures = {"drawn": drawn.drawn, "closed": drawn.closed, "seed": drawn.seed}
            messages.success(
                request, _("抽取 %(drawn)s 件复核，%(closed)s 件销号。随机种子 %(seed)s 已存证。") % figures
            )
            if drawn.suspected:
                more = _("其中 %(n)s 件按现有数据复算仍会列为疑似，与“已整改”不符，一律列入抽查。")
                messages.warning(request, more % {"n": drawn.suspected})
            return redirect(f"{reverse('casework:list')}?step=sampled")
    told = refusal.sentences(_language()) if refusal else None
    context = {"count": count, "form": form, "least": least, "refusal": told, "area": wanted.area}
    return render(request, "comparison/sample.html", context, status=refusal.status if refusal else 200)


def _sampled_area(request: ViewerRequest) -> str:
    area = chosen_area(request)
    return "" if area == request.viewer.home_area else area


def _filters(request: ViewerRequest) -> Filters:
    """What the address narrows to; numbers and areas that make no sense are dropped."""
    area = request.GET.get("area", "") or chosen_area(request)
    number = request.GET.get("household_no", "")
    household = int(number) if number.isascii() and number.isdigit() and len(number) < LONGEST_NUMBER else None
    return Filters(rule=asked_for(request, "rule"), area=area if is_division_code(area) else "", household_no=household)


def _handled(request: ViewerRequest) -> str:
    """How the findings shown were handled; what makes no sense is dropped."""
    how = asked_for(request, "handled")
    return how if how in Handling.values else ""


def _query(filters: Filters, how: str = "") -> str:
    query = QueryDict(mutable=True)
    query.update(_kept(filters, how))
    return query.urlencode()


def _kept(filters: Filters, how: str = "") -> dict[str, str]:
    """What narrows the list, as the address says it and as it is saved."""
    return {name: str(value) for name, value in {**asdict(filters), "handled": how}.items() if value}


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
