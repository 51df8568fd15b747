"""The document a person is given when he asks what is held about him."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from wanjia.accounts.queries import names_of
from wanjia.audit.services import record_access
from wanjia.divisions.queries import full_name
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.protection.masking import mask_name
from wanjia.registry.choices import SHOWN_ON_THE_PAGE, ErasureState
from wanjia.registry.models import Erasure
from wanjia.registry.queries import person_for
from wanjia.registry.requests.forms import language
from wanjia.registry.requests.policy import PROPOSE
from wanjia.registry.rights import erasing, queries
from wanjia.registry.rights.forms import AskForm, DecideForm
from wanjia.registry.rights.policy import ERASE, kept, require_not_erased, retention_years
from wanjia.registry.rights.queries import REVEAL
from wanjia.scope.routes import ViewerRequest, access
from wanjia.ui.panels import panels_for
from wanjia.ui.viewing import chosen_area

SHOWN = 50
TONES = {
    ErasureState.ASKED: "waiting",
    ErasureState.ERASED: "done",
    ErasureState.DECLINED: "warn",
    ErasureState.WITHDRAWN: "muted",
}


@dataclass(frozen=True, slots=True)
class Row:
    """An erasure in a list or on its page."""

    erasure: Erasure
    masked: str  # nothing once it is done
    place: str
    by: str
    decided_by: str
    state: str
    tone: str


@access(REVEAL)
@never_cache
@require_GET
def person(request: ViewerRequest, person_no: int) -> HttpResponse:
    """Everything held about one person, to be printed and handed to him; reading it is recorded."""
    held = queries.held_about(request.viewer, person_no, language())
    household = held.household
    record_access(
        viewer=request.viewer,
        action="registry.read",
        subject_kind="person",
        subject_ids=[person_no],
        fields=SHOWN_ON_THE_PAGE,
        area=held.person.village_code,
    )
    context = {
        "held": held,
        "place": full_name(held.person.village_code),
        "household": household,
        "may_correct": household.is_live and request.viewer.may(PROPOSE, household.village_code),
        "may_erase": request.viewer.may(ERASE, held.person.village_code),
        "kept": kept(held.person),
        "asked": erasing.standing_of(held.person.pk),
        "panels": panels_for(request, "person", held.person),
        "today": clock.today(),
    }
    return render(request, "registry/person.html", context)


@access(ERASE)
@never_cache
@require_GET
def erasures(request: ViewerRequest) -> HttpResponse:
    """Whose retention is over, what waits to be decided, and what was done."""
    area = chosen_area(request)
    page = queries.due_page(request.viewer, area, request.GET.get("after", ""))
    waiting = list(queries.erasures(request.viewer, waiting=True)[:SHOWN])
    over = list(queries.erasures(request.viewer, waiting=False)[:SHOWN])
    _seen(request, [*(row.person_no for row in page.rows), *(row.person_no for row in waiting)])
    context = {
        "page": page,
        "rows": [(row, mask_name(row.name), full_name(row.village_code, below="45")) for row in page.rows],
        "waiting": _rows(request, waiting),
        "over": _rows(request, over),
        "years": retention_years(area),
    }
    return render(request, "registry/erasures.html", context)


@access(ERASE)
@never_cache
@require_http_methods(["GET", "POST"])
def erase(request: ViewerRequest, person_no: int) -> HttpResponseBase:
    """Ask for the erasure of one person; nothing is erased by it."""
    found = person_for(request.viewer, person_no, ERASE)
    require_not_erased(found)
    form = AskForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            row = erasing.ask(viewer=request.viewer, person_no=person_no, reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            form.add_error(None, " ".join(refusal.sentences(language())))
            status = refusal.status
        else:
            messages.success(request, _("已提交删除申请，待另一人批准。"))
            return redirect("registry:erasure", row.pk)
    _seen(request, [found.pk])
    context = {"person": found, "place": full_name(found.village_code), "form": form, "kept": kept(found)}
    return render(request, "registry/erase.html", context, status=400 if form.errors and status == 200 else status)  # noqa: PLR2004 - HTTP's own


@access(ERASE)
@never_cache
@require_http_methods(["GET", "POST"])
def erasure(request: ViewerRequest, erasure_id: int) -> HttpResponseBase:
    """One erasure, and what may be done about it."""
    found = queries.erasure_for(request.viewer, erasure_id)
    form = DecideForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        try:
            if (done := _decided(request, found, form)) is not None:
                return done
        except Refusal as refusal:
            form.add_error(None, " ".join(refusal.sentences(language())))
            status = refusal.status
            found = queries.erasure_for(request.viewer, erasure_id)
        else:
            status = 400
    is_open = found.state == ErasureState.ASKED
    if is_open:
        _seen(request, [found.person_no])
    (row,) = _rows(request, [found])
    context = {
        "row": row,
        "form": form,
        "is_open": is_open,
        "may_decide": is_open and erasing.may_decide(request.viewer, found),
        "may_withdraw": is_open and found.asked_by == request.viewer.user_id,
    }
    return render(request, "registry/erasure.html", context, status=status)


def _decided(request: ViewerRequest, found: Erasure, form: DecideForm) -> HttpResponseBase | None:
    """What the form asked for, done; None where it is not filled as it must be."""
    if "withdraw" in request.POST:
        erasing.withdraw(viewer=request.viewer, erasure_id=found.pk)
        messages.success(request, _("已撤回。"))
        return redirect(found)
    if not form.is_valid():
        return None
    note = form.cleaned_data["note"]
    if form.cleaned_data["decision"] == "approve":
        erasing.approve(viewer=request.viewer, erasure_id=found.pk, note=note)
        messages.success(request, _("已删除。历史文件由后台随即处理。"))
    else:
        erasing.decline(viewer=request.viewer, erasure_id=found.pk, note=note)
        messages.success(request, _("意见已登记。"))
    return redirect(found)


def _rows(request: ViewerRequest, found: Sequence[Erasure]) -> list[Row]:
    named = queries.names_for(request.viewer, found)
    accounts = names_of({number for row in found for number in (row.asked_by, row.decided_by or 0)})
    return [
        Row(
            erasure=row,
            masked=mask_name(named.get(row.person_no, "")),
            place=full_name(row.village_code, below="45"),
            by=accounts.get(row.asked_by, ""),
            decided_by=accounts.get(row.decided_by or 0, ""),
            state=str(ErasureState(row.state).label),
            tone=TONES[ErasureState(row.state)],
        )
        for row in found
    ]


def _seen(request: ViewerRequest, people: Sequence[int]) -> None:
    record_access(viewer=request.viewer, action=ERASE, subject_kind="person", subject_ids=people, fields=["name"])
