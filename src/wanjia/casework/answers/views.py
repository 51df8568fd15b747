"""The page “answer in Excel”: fetch the form, send it back, look at what would happen, apply it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from wanjia.casework.answers import desk, form
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import AnswerSheet
from wanjia.files.purposes import purpose_named
from wanjia.files.uploads import received, takes_upload
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access
from wanjia.ui.sheets import Format, download

SHOWN = 200  # rows told on the page; the file has all of them

# The rows, not the routes, are what a permission cuts here, as on the list of cases.


@access(SIGNED_IN)
@require_GET
def answers(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(request: ViewerRequest, refusal: Refusal | None = None) -> HttpResponse:
    language = _language()
    case_filter = CaseFilter.from_query(request.GET.dict())
    kept = desk.current(request.viewer)
    query = QueryDict(mutable=True)
    query.update(case_filter.as_dict())
    context = {
        "filter": case_filter,
        "query": query.urlencode(),
        "waiting": form.waiting(request.viewer, case_filter),
        "most": form.MOST_ROWS,
        "limit_mb": purpose_named("answers").max_bytes // 2**20,
        "sheet": kept,
        "refusal": refusal.sentences(language) if refusal else None,
    }
    if kept is not None and kept.applied_at is None:
        context |= _previewed(request, kept, language)
    elif kept is not None:
        told = 3 if language == "en" else 2
        # sheets kept by earlier versions do not say whose case a row was
        context["refused"] = [(row[0], " ".join(map(str, row[4:])), row[told]) for row in kept.refused[:SHOWN]]
        context["refused_n"] = len(kept.refused)
    return render(request, "casework/answers.html", context, status=refusal.status if refusal else 200)


def _previewed(request: ViewerRequest, kept: AnswerSheet, language: str) -> dict[str, object]:
    found = desk.preview(request.viewer, kept)
    proofless = [line for line in found.refused if line.lacks_proof]
    households: dict[int, list[desk.Line]] = {}
    for line in proofless:
        if line.case is not None and line.case.household_no is not None:
            households.setdefault(line.case.household_no, []).append(line)
    refused = [line for line in found.refused if not line.lacks_proof]
    return {
        "good_n": len(found.good),
        "hidden_rows": [line.filled.row for line in found.good if line.filled.hidden][:SHOWN],
        "hidden_n": sum(line.filled.hidden for line in found.good),
        "outcomes": found.outcomes,
        "proofless_n": len(proofless),
        "households": [
            (number, lines[0].filled.cells.get("person", ""), len(lines))
            for number, lines in list(households.items())[:SHOWN]
        ],
        "refused": [
            (line.filled.row, line.who, "".join(line.refusal.sentences(language)))
            for line in refused[:SHOWN]
            if line.refusal
        ],
        "refused_n": len(refused),
    }


@access(SIGNED_IN)
@require_GET
def answers_form(request: ViewerRequest) -> HttpResponseBase:
    """The form for what the filter holds."""
    case_filter = CaseFilter.from_query(request.GET.dict())
    try:
        count, pieces = form.form_for(request.viewer, case_filter, _language())
    except Refusal as refusal:
        return _page(request, refusal)
    return download(pieces, f"answers-{clock.today():%Y%m%d}-{count}", Format.XLSX)


@access(SIGNED_IN)
@takes_upload("answers")
@require_POST
def answers_upload(request: ViewerRequest) -> HttpResponseBase:
    """Keep what came back and show what applying it would do."""
    try:
        desk.keep(request.viewer, received(request, "sheet"))
    except Refusal as refusal:
        return _page(request, refusal)
    return redirect("casework:answers")


@access(SIGNED_IN)
@require_GET
def answers_rejects(request: ViewerRequest) -> HttpResponseBase:
    """The rows that are not taken, as a form to be put right."""
    kept = desk.current(request.viewer)
    if kept is None:
        raise NotVisible(kind="answers")
    refused = desk.refused_rows(request.viewer, kept)
    count, pieces = form.rejects_for(request.viewer, refused, _language())
    return download(pieces, f"answers-rejected-{clock.today():%Y%m%d}-{count}", Format.XLSX)


@access(SIGNED_IN)
@require_POST
def answers_apply(request: ViewerRequest) -> HttpResponseBase:
    """Apply the sheet that was shown; the good rows go on."""
    try:
        token = UUID(request.POST.get("token", ""))
    except ValueError:
        return redirect("casework:answers")
    done = desk.apply(request.viewer, token)
    if done is None:
        messages.warning(request, _("这份表已被后来上传的表代替，没有办理。"))
    else:
        told = ngettext("已办理 %(n)s 件。", "已办理 %(n)s 件。", done.applied) % {"n": f"{done.applied:,}"}
        messages.success(request, told)
    return redirect("casework:answers")


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
