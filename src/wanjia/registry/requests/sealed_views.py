"""A household, and a village, in a sealed year: what was published, what is known now, and correcting that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from wanjia.audit.services import record_access
from wanjia.divisions.queries import full_name, name_of
from wanjia.kernel.errors import Refusal
from wanjia.registry.choices import SHOWN_ON_THE_PAGE
from wanjia.registry.errors import NothingProposed, YearUnknown
from wanjia.registry.overlaid import (
    SealedHousehold,
    corrections_of,
    corrections_of_village,
    sealed_household,
    sealed_village,
)
from wanjia.registry.requests import queries, services
from wanjia.registry.requests.forms import (
    YEAR_PART_TITLES,
    YEAR_PARTS,
    CorrectionForm,
    asked_of_village,
    asked_of_year,
    language,
)
from wanjia.registry.requests.policy import APPROVE
from wanjia.registry.services import correct_sealed_village
from wanjia.registry.services.overlay import may_correct_sealed, may_correct_village
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest, access


@access(APPROVE)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def correct_year(request: ViewerRequest, household_no: int, year: int) -> HttpResponseBase:
    """One part of a household in a sealed year, both ways; the county corrects what is known."""
    with _year_known("household"):
        found = sealed_household(request.viewer, household_no, year)
    if not may_correct_sealed(request.viewer, found.village_code, household_no):
        raise NotVisible(kind="household")
    part = _part(request)
    form = CorrectionForm(asked_of_year(part, found), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and not _in_conflict(form, found):
        try:
            done = services.submit_sealed(
                viewer=request.viewer,
                household_no=household_no,
                year=year,
                edits=form.edits(),
                reason=form.cleaned_data["reason"],
            )
        except Refusal as refusal:
            form.add_error(None, " ".join(refusal.sentences(language())))
        else:
            if done.changed.fields:
                messages.success(request, _("已更正 {count} 项，公布数不变。").format(count=done.changed.fields))
            if done.waiting:
                said = _("{count} 项须由县级另一人批准，已提交变更申请；批准前现时数不变。")
                messages.info(request, said.format(count=done.waiting))
            return redirect(f"{request.path}?part={part}")
    return _shown(request, found, part, form)


def _shown(request: ViewerRequest, found: SealedHousehold, part: str, form: CorrectionForm) -> HttpResponse:
    record_access(
        viewer=request.viewer,
        action="registry.read",
        subject_kind="household",
        subject_ids=[found.household_no],
        fields=SHOWN_ON_THE_PAGE,
        area=found.village_code,
    )
    waiting = queries.of_household(request.viewer, found.household_no).filter(year=found.year.year)
    context = {
        "found": found,
        "year": found.year,
        "place": full_name(found.village_code),
        "part": part,
        "parts": [(name, YEAR_PART_TITLES[name]) for name in YEAR_PARTS],
        "form": form,
        "household_lines": [] if part == "people" else form.lines(found.household_no),
        "sections": [
            (one.known, lines)
            for one in found.people
            if part == "people" and (lines := form.lines(one.known.person_no))
        ],
        "told": corrections_of(request.viewer, found.household_no, found.year.year, language()),
        "waiting": list(waiting),
    }
    return render(request, "registry/correct_year.html", context, status=400 if form.errors else 200)


@contextmanager
def _year_known(kind: str) -> Iterator[None]:
    """An address with a year there never was leads nowhere, as one with a number nobody has."""
    try:
        yield
    except YearUnknown as unknown:
        raise NotVisible(kind=kind) from unknown


def _part(request: ViewerRequest) -> str:
    asked = request.GET.get("part", "")
    return asked if asked in YEAR_PARTS else next(iter(YEAR_PARTS))


def _in_conflict(form: CorrectionForm, found: SealedHousehold) -> bool:
    """Whether somebody else corrected a value meanwhile; the form says so, and what was typed stays in it."""
    compared = queries.compared_in_year(found.household_no, found.year.year, form.edits())
    lines = [line for line in compared if line.in_conflict]
    form.show_conflicts(lines)
    return bool(lines)


@access(APPROVE)
@never_cache
@require_http_methods(["GET", "POST"])
def correct_village_year(request: ViewerRequest, village_code: str, year: int) -> HttpResponseBase:
    """A village and its hamlets in a sealed year, both ways; the county corrects what is known."""
    with _year_known("village"):
        found = sealed_village(request.viewer, village_code, year)
    if not may_correct_village(request.viewer, village_code):
        raise NotVisible(kind="village")
    form = CorrectionForm(asked_of_village(found, village_code), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            done = correct_sealed_village(
                viewer=request.viewer,
                year=year,
                village_code=village_code,
                edits=form.place_edits(),
                reason=form.cleaned_data["reason"],
            )
        except Refusal as refusal:
            form.add_error(None, " ".join(refusal.sentences(language())))
        else:
            if done.fields:
                messages.success(request, _("已更正 {count} 项，公布数不变。").format(count=done.fields))
                return redirect(request.path)
            form.add_error(None, " ".join(NothingProposed().sentences(language())))
    context = {
        "found": found,
        "year": found.year,
        "code": village_code,
        "name": name_of(village_code),
        "place": full_name(village_code),
        "form": form,
        "village_lines": form.lines(village_code),
        "hamlets": [(known, form.lines(known.hamlet_code)) for _was, known in found.hamlets],
        "told": corrections_of_village(request.viewer, village_code, year, language()),
    }
    return render(request, "registry/correct_village_year.html", context, status=400 if form.errors else 200)
