"""The page of the reporting years: what became of each, and sealing the next."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from wanjia.accounts.queries import names_of, roles_with
from wanjia.jobs.queries import job_for
from wanjia.kernel.errors import Language, Refusal
from wanjia.registry import queries, services
from wanjia.registry.choices import YearState
from wanjia.registry.errors import YearUnknown
from wanjia.registry.forms import SealForm
from wanjia.registry.models import ReportingYear
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest, access

READ, SEAL = "registry.read", "registry.seal"
TONES = {YearState.EARLIER: "waiting", YearState.OPEN: "active", YearState.SEALED: "done"}


@access(READ)
@require_GET
def years(request: ViewerRequest) -> HttpResponse:
    """Every reporting year with its state; whoever may seal finds the oldest unsealed one linked."""
    found = queries.reporting_years()
    names = names_of(year.sealed_by for year in found if year.sealed_by)
    unsealed = [year.year for year in found if not year.is_sealed]
    lines = [
        {
            "year": year,
            "tone": TONES[YearState(year.state)],
            "by": names.get(year.sealed_by or 0, ""),
            "may_seal": request.viewer.may(SEAL) and year.year == min(unsealed, default=None),
        }
        for year in found
    ]
    sealers = [] if request.viewer.may(SEAL) else [role.title(_language()) for role in roles_with(SEAL)]
    return render(request, "registry/years.html", {"years": lines, "sealers": _("、").join(sealers)})


@access(SEAL)
@never_cache
@require_http_methods(["GET", "POST"])
def seal(request: ViewerRequest, year: int) -> HttpResponseBase:
    """What stands against sealing a year; confirmed, it is sealed in the background."""
    found = services.checks_of(request.viewer, year)
    warnings = {one.code: one.count for one in found if not one.stops}
    form = SealForm(request.POST or None, initial={"confirmed": SealForm.written(warnings)})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            job = services.ask_to_seal(viewer=request.viewer, year=year, confirmed=form.cleaned_data["confirmed"])
        except Refusal as refused:
            refusal = refused
            form = SealForm(initial={"confirmed": SealForm.written(warnings)})
        else:
            return redirect("registry:sealing", job.pk)
    row = ReportingYear.objects.filter(year=year).first()
    if row is None:
        raise YearUnknown(year=year)
    context = {
        "year": row,
        "lines": [{"found": one, "words": one.what.text(_language())} for one in found],
        "stops": any(one.stops for one in found),
        "form": form,
        "refusal": refusal.sentences(_language()) if refusal else None,
    }
    status = refusal.status if refusal else 400 if form.errors else 200
    return render(request, "registry/seal.html", context, status=status)


@access(SEAL)
@never_cache
@require_GET
def sealing(request: ViewerRequest, job_id: int) -> HttpResponseBase:
    """How far a sealing is."""
    job = job_for(request.viewer, job_id)
    if job.name != services.SEALING:
        raise NotVisible(kind="job")
    return render(request, "registry/sealing.html", {"job": job})


def _language() -> Language:
    return "en" if (get_language() or "").startswith("en") else "zh"
