"""Households with open cases: the list, one visit, the printed check sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import segno
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from wanjia.audit.services import Kind, common_area, record, record_access
from wanjia.casework import declared, queries
from wanjia.casework.choices import Need
from wanjia.casework.filters import CaseFilter
from wanjia.casework.forms import FilterForm, VisitForm
from wanjia.casework.households import bundles
from wanjia.casework.households.bundles import Bundle, Matter
from wanjia.casework.models import Case
from wanjia.casework.rules import Answer, Visit
from wanjia.casework.services import Judged, Proofs, Reply, answer_many
from wanjia.divisions.queries import full_name
from wanjia.files.services import store
from wanjia.files.uploads import SealedUpload, received_if_any, takes_upload
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access
from wanjia.ui.viewing import chosen_area

ON_PAPER = 100  # households of one printing; the next ones have a page of their own


@access(SIGNED_IN)
@require_GET
def households(request: ViewerRequest) -> HttpResponse:
    """Open cases by household, in the order of the doors."""
    case_filter, language = _filter(request), _language()
    found = bundles.page(request.viewer, case_filter, language, after=request.GET.get("after", ""))
    steps = {code: title for kind in declared.kinds() for code, title in queries.step_titles(kind, language).items()}
    topics = declared.topics_in_words(queries.topics(request.viewer), language)
    _seen(request, [matter.case for bundle in found.bundles for matter in bundle.matters], ["name"])
    context = {
        "filter": case_filter,
        "form": FilterForm(case_filter, steps=steps.items(), topics=topics),
        "bundles": found.bundles,
        "page": {"total": None, "next_cursor": found.after},
        "query": _query(case_filter),
    }
    return render(request, "casework/households.html", context)


# One visit


@dataclass(frozen=True, slots=True)
class Question:
    """One case on the visit's page: what may be answered, and what was typed."""

    matter: Matter
    outcomes: Sequence[tuple[str, str, bool]]  # code, title, whether it must be proven
    proven: bool
    chosen: str = ""
    note: str = ""
    refusal: str = ""


@access(SIGNED_IN)
@takes_upload("evidence")
@require_http_methods(["GET", "POST"])
def visit(request: ViewerRequest, household_no: int) -> HttpResponseBase:
    """All open cases of a household on one page; one visit answers as many of them as were looked at."""
    bundle = bundles.of_household(request.viewer, household_no, _language())
    if bundle is None:
        raise NotVisible(kind="case")
    form = VisitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _visited(request, bundle, form)
    return _visit_page(request, bundle, form)


def _visit_page(
    request: ViewerRequest,
    bundle: Bundle,
    form: VisitForm,
    refusals: Mapping[int, Refusal] | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    language = _language()
    _seen(request, [matter.case for matter in bundle.matters], ["name", "evidence"])
    asked = [matter for matter in bundle.mine if matter.action is not None and Need.OUTCOME in matter.action.needs]
    proofs = Proofs([matter.case for matter in asked])
    told = {number: "".join(one.sentences(language)) for number, one in (refusals or {}).items()}
    questions = [_question(matter, proofs, request.POST, told, language) for matter in asked]
    numbers = {question.matter.case.case_no for question in questions}
    context = {
        "bundle": bundle,
        "form": form,
        "questions": questions,
        "others": [matter for matter in bundle.matters if matter.case.case_no not in numbers],
        "refusal": refusal.sentences(language) if refusal else None,
    }
    status = refusal.status if refusal else 422 if refusals else 200
    return render(request, "casework/visit.html", context, status=status)


def _question(matter: Matter, proofs: Proofs, typed: QueryDict, told: Mapping[int, str], language: str) -> Question:
    action, number = matter.action, matter.case.case_no
    assert action is not None  # noqa: S101 - asked before
    outcomes = [
        (item.code, item.title.text(language), item.code in action.evidence_for)
        for item in matter.case.flow.outcomes
        if item.code in action.outcomes
    ]
    return Question(
        matter=matter,
        outcomes=outcomes,
        proven=proofs.has(matter.case),
        chosen=typed.get(f"outcome-{number}", ""),
        note=typed.get(f"note-{number}", ""),
        refusal=told.get(number, ""),
    )


def _visited(request: ViewerRequest, bundle: Bundle, form: VisitForm) -> HttpResponseBase:
    data = form.cleaned_data
    replies = _replies(request.POST, bundle, data)
    try:
        photo = received_if_any(request, "evidence")
        answered = {reply.case_no for reply in replies}
        if photo is not None:
            _file(request, [m.case for m in bundle.mine if not answered or m.case.case_no in answered], photo)
    except Refusal as refusal:
        return _visit_page(request, bundle, form, refusal=refusal)
    if not replies:
        if photo is not None:
            messages.success(request, _("材料已保存到这一户的各件。"))
            return redirect("casework:visit", bundle.household_no)
        form.add_error(None, _("请至少选择一件的核查结果，或上传照片。"))
        return _visit_page(request, bundle, form)
    judged = answer_many(viewer=request.viewer, replies=replies, content={"household": bundle.household_no})
    return _after_visit(request, bundle, form, judged)


def _after_visit(request: ViewerRequest, bundle: Bundle, form: VisitForm, judged: Sequence[Judged]) -> HttpResponseBase:
    done = sum(item.refusal is None for item in judged)
    if done:
        messages.success(request, ngettext("已办理 %(n)s 件。", "已办理 %(n)s 件。", done) % {"n": done})
    refused = {item.reply.case_no: item.refusal for item in judged if item.refusal is not None}
    if not refused:
        return redirect("casework:mine")
    again = bundles.of_household(request.viewer, bundle.household_no, _language())
    if again is None or not again.mine:  # nothing left here to put right
        for refusal in refused.values():
            messages.warning(request, refusal.sentences(_language())[0])
        return redirect("casework:mine")
    return _visit_page(request, again, form, refusals=refused)


def _replies(typed: QueryDict, bundle: Bundle, data: Mapping[str, Any]) -> list[Reply]:
    """The cases somebody chose an outcome for; what one visit found is said in each of them."""
    found = []
    for row, matter in enumerate(bundle.mine, start=1):
        number = matter.case.case_no
        outcome = typed.get(f"outcome-{number}", "")[:10]
        version = typed.get(f"version-{number}", "")
        if not outcome or not (version.isascii() and version.isdigit() and len(version) < 10):  # noqa: PLR2004 - a column's integer
            continue
        note = "\n".join(part for part in (data["note"], typed.get(f"note-{number}", "").strip()[:2_000]) if part)
        answer = Answer(outcome=outcome, note=note, until=data["until"], visit=Visit(data["visited_on"], data["met"]))
        found.append(Reply(row, number, int(version), answer))
    return found


def _file(request: ViewerRequest, cases: Sequence[Case], photo: SealedUpload) -> None:
    """One photo as proof of several cases; its content is kept once. All of them or none."""
    with transaction.atomic():
        for case in cases:
            store(
                viewer=request.viewer, upload=photo, owner_kind="case", owner_id=case.case_no, area=case.area_code,
                purpose="evidence",
            )  # fmt: skip


# On paper


@dataclass(frozen=True, slots=True)
class Sheet:
    """A household's block on paper, with the code that opens its page."""

    bundle: Bundle
    code: SafeString
    address: str


@access(SIGNED_IN)
@require_GET
def check_sheets(request: ViewerRequest) -> HttpResponse:
    """One block for each household, by village, for the printer."""
    case_filter, language = _filter(request), _language()
    found = bundles.page(
        request.viewer, case_filter, language, after=request.GET.get("after", ""), size=ON_PAPER, named=True
    )
    cases = [matter.case for bundle in found.bundles for matter in bundle.matters]
    if cases:
        with transaction.atomic():
            record(
                Kind.EXPORT,
                viewer=request.viewer,
                area=common_area(case.area_code for case in cases) or request.viewer.home_area,
                act="casework.check_sheets",
                content={"filter": case_filter.as_dict(), "households": len(found.bundles), "cases": len(cases)},
            )
        _seen(request, cases, ["name"])
    ordered = sorted(found.bundles, key=lambda bundle: bundle.village)
    villages = [
        (full_name(area, below="45"), [_sheet(request, bundle) for bundle in group])
        for area, group in groupby(ordered, key=lambda bundle: bundle.village)
    ]
    context = {
        "filter": case_filter,
        "villages": villages,
        "households": len(found.bundles),
        "cases": len(cases),
        "page": {"total": None, "next_cursor": found.after},
        "query": _query(case_filter),
        "today": clock.today(),
    }
    return render(request, "casework/check_sheets.html", context)


def _sheet(request: ViewerRequest, bundle: Bundle) -> Sheet:
    address = request.build_absolute_uri(reverse("casework:visit", args=[bundle.household_no]))
    drawing = segno.make(address, error="m", micro=False).svg_inline(scale=3, border=2, omitsize=True)
    return Sheet(bundle, mark_safe(drawing), address)  # noqa: S308 - drawn by us from an address of ours


def _filter(request: ViewerRequest) -> CaseFilter:
    """The filter of the list, narrowed to the area looked at as there."""
    case_filter = CaseFilter.from_query(request.GET.dict())
    if case_filter.mine or case_filter.raised:
        return replace(case_filter, area="")
    area = chosen_area(request)
    return replace(case_filter, area="" if area == request.viewer.home_area else area)


def _query(case_filter: CaseFilter) -> str:
    query = QueryDict(mutable=True)
    query.update(case_filter.as_dict())
    return query.urlencode()


def _seen(request: ViewerRequest, cases: Sequence[Case], fields: Sequence[str]) -> None:
    for action, group in groupby(sorted(cases, key=lambda case: case.kind), key=lambda case: case.flow.read_permission):
        own = list(group)
        record_access(
            viewer=request.viewer,
            action=action,
            subject_kind="case",
            subject_ids=[case.case_no for case in own],
            fields=fields,
            area=common_area(case.area_code for case in own),
        )


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
