"""Deliveries in the office: hand in, look, decide."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wanjia.accounts.queries import names_of
from wanjia.files.errors import WrongType
from wanjia.files.sniffing import UNKNOWN
from wanjia.files.uploads import SealedUpload, received, takes_upload
from wanjia.intake.errors import BinaryFile, StrayByte, UnsupportedFormat
from wanjia.jobs.models import Job
from wanjia.jobs.queries import job_for
from wanjia.kernel.errors import Refusal
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest, access
from wanjia.scope.system import system_viewer
from wanjia.sources import presenting, queries, rules, services
from wanjia.sources.choices import OVER, BatchStatus
from wanjia.sources.contracts import contracts
from wanjia.sources.errors import AlreadyDelivered
from wanjia.sources.forms import BatchFilter, ColumnsForm, ReasonForm, ReleaseForm, UploadForm, WithdrawForm
from wanjia.sources.models import Batch
from wanjia.ui.panels import panels_for
from wanjia.ui.refusals import wants_json
from wanjia.ui.sheets import Format, download

PAGE_SIZE = 30


@access("sources.read")
@require_safe
def batch_list(request: ViewerRequest) -> HttpResponse:
    form = BatchFilter(request.GET)
    found = queries.batches(request.viewer)
    if form.is_valid() and form.cleaned_data["status"]:
        found = found.filter(status=form.cleaned_data["status"])
    if form.is_valid() and form.cleaned_data["current"]:
        found = found.filter(status=BatchStatus.ACCEPTED).exclude(pk__in=presenting.replaced())
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    may_load = request.viewer.may(queries.LOAD)
    context = {"form": form, "page": page, "rows": presenting.rows(page), "may_load": may_load}
    return render(request, "sources/list.html", context)


@access("sources.load")
@takes_upload("department_file")
@never_cache
@require_http_methods(["GET", "POST"])
def upload(request: ViewerRequest) -> HttpResponseBase:
    """Take a file and show its page at once; a job reads it."""
    if request.method != "POST":
        return _upload_page(request, UploadForm(viewer=request.viewer))
    form = UploadForm(request.POST, viewer=request.viewer)
    try:
        file = _file(request)
        if not form.is_valid():
            return _upload_page(request, form, status=422)
        dataset, area = form.chosen
        batch = services.deliver(
            viewer=request.viewer, upload=file, dataset=dataset, area=area, terms=form.terms, background=True
        )
    except Refusal as refusal:
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR or wants_json(request):
            raise
        return _upload_page(request, form, refusal, status=refusal.status)
    return redirect(batch)


def _upload_page(
    request: ViewerRequest, form: UploadForm, refusal: Refusal | None = None, *, status: int = 200
) -> HttpResponse:
    """The form as it was sent, under what was refused about the file; the earlier batch of one that came before."""
    earlier = refusal.values["batch"] if isinstance(refusal, AlreadyDelivered) else None
    context = {
        "form": form,
        "contracts": queries.deliverable(request.viewer),
        "refusal": refusal.sentences(get_language() or "zh") if refusal else None,
        "earlier": earlier if isinstance(earlier, int) and queries.may_see(request.viewer, earlier) else None,
    }
    return render(request, "sources/upload.html", context, status=status)


def _file(request: ViewerRequest) -> SealedUpload:
    """The file, unless it begins like neither a workbook nor a text; then the refusal that tells what to make of it."""
    try:
        return received(request, "file")
    except WrongType as wrong:
        found = wrong.values["found"]
        if wrong.stray_line is not None:
            raise StrayByte(line=wrong.stray_line) from wrong
        raise (BinaryFile if found == UNKNOWN else UnsupportedFormat(format=found)) from wrong


@access("sources.read")
@never_cache
@require_safe
def batch_page(request: ViewerRequest, batch_id: int) -> HttpResponse:
    return _page(request, queries.batch_for(request.viewer, batch_id))


@access("sources.load")
@require_POST
def accept(request: ViewerRequest, batch_id: int) -> HttpResponseBase:
    batch = services.accept(viewer=request.viewer, batch_id=batch_id)
    said = ngettext("已采纳 %(n)s 行。", "已采纳 %(n)s 行。", batch.accepted) % {"n": f"{batch.accepted:,}"}
    messages.success(request, said)
    return redirect(batch)


@access("sources.release")
@require_POST
def let_go_on(request: ViewerRequest, batch_id: int) -> HttpResponseBase:
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        batch = queries.batch_for(request.viewer, batch_id, action=queries.RELEASE)
        return _page(request, batch, form, status=422)
    reason = form.cleaned_data["reason"]
    batch = services.let_go_on(viewer=request.viewer, batch_id=batch_id, reason=reason)
    messages.success(request, _("已放行，可以采纳。"))
    return redirect(batch)


@access("sources.load")
@require_POST
def reject(request: ViewerRequest, batch_id: int) -> HttpResponseBase:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, queries.batch_for(request.viewer, batch_id, action=queries.LOAD), form, status=422)
    batch = services.reject_batch(viewer=request.viewer, batch_id=batch_id, reason=form.cleaned_data["reason"])
    messages.success(request, _("已退回。同一份文件更正后可以重新上传。"))
    return redirect(batch)


@access("sources.load")
@require_POST
def withdraw(request: ViewerRequest, batch_id: int) -> HttpResponseBase:
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        batch = queries.batch_for(request.viewer, batch_id, action=queries.LOAD)
        return _page(request, batch, form, status=422)
    services.withdraw(viewer=request.viewer, batch_id=batch_id, reason=form.cleaned_data["reason"])
    messages.success(request, _("已撤回。用过这批数据的比对已注明，请重新比对。"))
    return redirect("sources:batch", batch_id)


@access("sources.load")
@require_POST
def read_again(request: ViewerRequest, batch_id: int) -> HttpResponseBase:
    return redirect(services.read_again(viewer=request.viewer, batch_id=batch_id))


@access("sources.load")
@never_cache
@require_http_methods(["GET", "POST"])
def columns(request: ViewerRequest, batch_id: int) -> HttpResponseBase:
    """What each column of a file is: as proposed, as corrected by a person, as kept for files like it."""
    batch = queries.batch_for(request.viewer, batch_id, action=queries.LOAD)
    services.require_mappable(batch)
    contract = contracts()[batch.dataset]
    told = batch.proposal or batch.preview
    form = ColumnsForm(request.POST or None, contract=contract, columns=told.get("columns", []))
    if request.method == "POST" and form.is_valid():
        services.map_and_read(viewer=request.viewer, batch_id=batch_id, columns=form.chosen)
        messages.success(request, _("已保存列的对应，正在读取文件。以后同样表头的文件会直接使用。"))
        return redirect(batch)
    context = {"batch": batch, "title": presenting.title_of(batch), "form": form, "expected": contract.expected}
    return render(request, "sources/columns.html", context, status=422 if form.errors else 200)


@access("sources.read")
@require_safe
def mappings(request: ViewerRequest) -> HttpResponse:
    page = Paginator(queries.mappings(request.viewer), PAGE_SIZE).get_page(request.GET.get("page"))
    people = names_of([mapping.made_by for mapping in page])
    language = get_language() or "zh"
    rows = [
        {
            "mapping": mapping,
            "title": contracts()[mapping.dataset].title.text(language),
            "made_by": people.get(mapping.made_by, ""),
            "pairs": queries.pairs_of(mapping, language),
        }
        for mapping in page
    ]
    may_load = request.viewer.may(queries.LOAD)
    return render(request, "sources/mappings.html", {"page": page, "rows": rows, "may_load": may_load})


@access("sources.load")
@require_POST
def end_mapping(request: ViewerRequest, mapping_id: int) -> HttpResponseBase:
    services.end_mapping(viewer=request.viewer, mapping_id=mapping_id)
    messages.success(request, _("已停用。以后同样表头的文件会重新询问。"))
    return redirect("sources:mappings")


@access("sources.load")
@never_cache
@require_safe
def reject_sheet(request: ViewerRequest, batch_id: int) -> HttpResponseBase:
    """The rows with problems, for the sender; every fetch is recorded."""
    form = Format.asked(request.GET.get("format"))
    pieces = services.reject_sheet(viewer=request.viewer, batch_id=batch_id, form=form)
    return download(pieces, f"rejects-{batch_id}", form)


def _page(
    request: ViewerRequest,
    batch: Batch,
    filled: ReasonForm | ReleaseForm | WithdrawForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    language = get_language() or "zh"
    happened, cure = batch.refusal_sentences(language)
    acted = (batch.received_by, batch.decided_by, batch.let_go_by, batch.withdrawn_by)
    people = names_of([number for number in acted if number])
    may_load, may_release = (_reaches(request, batch, action) for action in (queries.LOAD, queries.RELEASE))
    may_withdraw = batch.status == BatchStatus.ACCEPTED and may_load and (may_release or not batch.let_go_at)
    everybody = system_viewer("sources.earlier")
    undecided = batch.status in (BatchStatus.PREVIEWED, BatchStatus.HELD)
    replaces, outdone = queries.replaced_by_accepting(everybody, batch) if undecided and may_load else ([], None)
    context = {
        "batch": batch,
        "title": presenting.title_of(batch),
        "tone": presenting.tone_of(batch),
        "preview": queries.preview_of(batch, language),
        "job": _job(request, batch),
        "happened": happened,
        "cure": cure,
        "received_by": people.get(batch.received_by, ""),
        "decided_by": people.get(batch.decided_by or 0, ""),
        "may_load": may_load,
        "may_release": may_release,
        "restored": queries.restored_by(everybody, batch) if may_withdraw else [],
        "replaces": replaces,
        "outdone": outdone,
        "withdraw_form": _filled(WithdrawForm, filled) if may_withdraw else None,
        "withdrawn_by": people.get(batch.withdrawn_by or 0, ""),
        "holds": [rules.sentence_of(hold, language) for hold in batch.holds],
        "let_go_by": people.get(batch.let_go_by or 0, ""),
        "replaced_by": queries.superseded(everybody, [batch.dataset]).get(batch.pk),
        "overlapped": queries.overlapped(request.viewer, batch) if batch.status not in OVER else [],
        "reason_form": _filled(ReasonForm, filled),
        "release_form": _filled(ReleaseForm, filled),
        "panels": panels_for(request, "batch", batch),
        "before": panels_for(request, "acceptance", batch),
    }
    return render(request, "sources/batch.html", context, status=status)


def _filled(kind: type[Form], filled: Form | None) -> Form:
    """The form as it was just sent, if it is that one, else a fresh one."""
    return filled if isinstance(filled, kind) else kind()


def _reaches(request: ViewerRequest, batch: Batch, action: str) -> bool:
    return Batch.objects.visible_to(request.viewer, action).filter(pk=batch.pk).exists()


def _job(request: ViewerRequest, batch: Batch) -> Job | None:
    """The reading under way, for whoever may see that job."""
    if batch.job_id is None or batch.status != BatchStatus.RECEIVED:
        return None
    try:
        return job_for(request.viewer, batch.job_id)
    except NotVisible:
        return None
