"""The department's desk, the list of feedback, one feedback and its answer."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from wanjia.audit.services import record_access
from wanjia.comparison.choices import DepartmentAnswer
from wanjia.comparison.errors import FeedbackUnreadable
from wanjia.comparison.feedback import desk, presenting, queries, services
from wanjia.comparison.feedback.forms import AnswerForm, FeedbackFilter
from wanjia.comparison.models import Feedback
from wanjia.kernel.errors import Refusal
from wanjia.scope.routes import ViewerRequest, access
from wanjia.sources.presenting import dataset_title
from wanjia.ui.viewing import chosen_area

PAGE_SIZE = 30


@access("sources.feedback")
@never_cache
@require_GET
def department_desk(request: ViewerRequest) -> HttpResponse:
    """A department's own deliveries and what it is told of them, what waits for it first."""
    return render(request, "comparison/desk.html", {"desk": desk.desk(request.viewer, _language())})


@access("sources.read")
@require_GET
def feedback_list(request: ViewerRequest) -> HttpResponse:
    """The feedback of one's department, or of the area looked at, with the counts per dataset."""
    area = chosen_area(request)
    area = "" if area == request.viewer.home_area else area
    lines = queries.figures(request.viewer, area)
    datasets = [(line.of, dataset_title(line.of)) for line in lines]
    form = FeedbackFilter(request.GET, datasets=datasets)
    chosen = form.cleaned_data if form.is_valid() else {}
    found = queries.listed(request.viewer, chosen.get("state", ""), chosen.get("dataset", ""), area)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": presenting.rows(list(page), _language()),
        "figures": desk.lines(lines),
        "total": queries.total(lines),
        "may_answer": request.viewer.may(queries.ANSWER),
    }
    return render(request, "comparison/feedback_list.html", context)


@access("sources.read")
@never_cache
@require_GET
def feedback(request: ViewerRequest, feedback_id: int) -> HttpResponse:
    return _shown(request, queries.feedback_for(request.viewer, feedback_id))


@access("sources.feedback")
@require_http_methods(["GET", "POST"])
def feedback_answer(request: ViewerRequest, feedback_id: int) -> HttpResponseBase:
    """Agree or dispute; refused, the page comes back with what was typed."""
    found = Feedback.objects.get_visible(request.viewer, action=queries.ANSWER, pk=feedback_id)
    if request.method == "GET":
        return redirect(found)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _shown(request, found, FeedbackUnreadable(number=feedback_id))
    data, number = form.cleaned_data, found.pk
    try:
        if data["answer"] == DepartmentAnswer.AGREE:
            services.agree(viewer=request.viewer, feedback_id=number, seen_version=data["version"], note=data["reason"])
            messages.success(
                request, _("已认可第 %(n)s 条反馈。请更正数据；以后的批次仍含这一记录时会提示。") % {"n": number}
            )
        else:
            services.dispute(
                viewer=request.viewer, feedback_id=number, seen_version=data["version"], reason=data["reason"]
            )
            messages.success(request, _("第 %(n)s 条反馈的异议已送县级处理。") % {"n": number})
    except Refusal as refusal:
        return _shown(request, queries.feedback_for(request.viewer, number), refusal)
    following = queries.waiting(request.viewer).first()
    return redirect(following) if following is not None else redirect("comparison:department_desk")


def _shown(request: ViewerRequest, found: Feedback, refusal: Refusal | None = None) -> HttpResponse:
    record_access(
        viewer=request.viewer,
        action=queries.READ,
        subject_kind="feedback",
        subject_ids=[found.pk],
        fields=["name", "record"],
        area=found.area_code,
    )
    request.page_address = found.get_absolute_url()  # type: ignore[attr-defined]
    context = {
        "feedback": found,
        "page": presenting.page(found, request.viewer, _language()),
        "refusal": refusal.sentences(_language()) if refusal else None,
        "typed": request.POST.get("reason", ""),
        "answering": request.POST.get("answer", ""),
    }
    return render(request, "comparison/feedback.html", context, status=refusal.status if refusal else 200)


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
