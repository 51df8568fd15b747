"""Bringing the national sheets, looking the preview over, taking them in; handing them out."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from wanjia.accounts.queries import names_of
from wanjia.exports import queries as exports
from wanjia.exports.lists import as_query
from wanjia.files.errors import WrongType
from wanjia.files.sniffing import UNKNOWN
from wanjia.files.uploads import SealedUpload, received, received_all, takes_upload
from wanjia.intake.errors import BinaryFile, StrayByte, UnsupportedFormat
from wanjia.jobs.choices import State
from wanjia.jobs.models import Job
from wanjia.jobs.queries import job_for
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.registry import queries
from wanjia.registry.choices import ImportMode, ImportStatus, SheetKind
from wanjia.registry.errors import SheetBroughtBefore
from wanjia.registry.imports import presenting
from wanjia.registry.imports.forms import BringForm, TakeForm
from wanjia.registry.models import SheetImport
from wanjia.registry.services.sheets import exporting, importing, keeping
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest, access
from wanjia.ui.refusals import wants_json
from wanjia.ui.sheets import Encoding, Format, download
from wanjia.ui.viewing import chosen_area

WRITE, EXPORT, REVEAL = "registry.write", "registry.export", "registry.reveal"
PAGE_SIZE = 30
LONGEST_NUMBER = 15


@access(WRITE)
@takes_upload("registry_sheet")
@never_cache
@require_http_methods(["GET", "POST"])
def imports(request: ViewerRequest) -> HttpResponseBase:
    """The form that takes one sheet or both, and under it what was brought before."""
    if request.method != "POST":
        return _list(request, BringForm(viewer=request.viewer))
    form = BringForm(request.POST, viewer=request.viewer)
    try:
        files = _files(request)
        if not form.is_valid():
            return _list(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        row = importing.bring(
            viewer=request.viewer,
            brought=files,
            area=form.cleaned_data["area"],
            mode=ImportMode(form.cleaned_data["mode"]),
            terms=form.terms,
            background=True,
        )
    except Refusal as refusal:
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR or wants_json(request):
            raise
        return _list(request, form, refusal, status=refusal.status)
    return redirect(row)


def _files(request: ViewerRequest) -> list[SealedUpload]:
    """The files of the form. Raises the refusal of the first that is none."""
    files, wrong = received_all(request, "file")
    if isinstance(wrong, WrongType):
        found = wrong.values["found"]
        if wrong.stray_line is not None:
            raise StrayByte(line=wrong.stray_line) from wrong
        raise (BinaryFile if found == UNKNOWN else UnsupportedFormat(format=found)) from wrong
    if wrong is not None:
        raise wrong
    return files or [received(request, "file")]


def _list(
    request: ViewerRequest, form: BringForm, refusal: Refusal | None = None, *, status: int = 200
) -> HttpResponse:
    page = Paginator(queries.imports(request.viewer), PAGE_SIZE).get_page(request.GET.get("page"))
    people = names_of([row.brought_by for row in page])
    earlier = refusal.values["number"] if isinstance(refusal, SheetBroughtBefore) else None
    context = {
        "form": form,
        "page": page,
        "rows": [(row, presenting.tone_of(row), people.get(row.brought_by, "")) for row in page],
        "refusal": refusal.sentences(_language()) if refusal else None,
        "earlier": earlier if isinstance(earlier, int) and queries.may_see_import(request.viewer, earlier) else None,
    }
    return render(request, "registry/imports.html", context, status=status)


@access(WRITE)
@never_cache
@require_GET
def one(request: ViewerRequest, import_id: int) -> HttpResponse:
    return _page(request, queries.import_for(request.viewer, import_id))


@access(WRITE)
@takes_upload("registry_sheet")
@never_cache
@require_POST
def add(request: ViewerRequest, import_id: int) -> HttpResponseBase:
    """Take the other sheet."""
    row = queries.import_for(request.viewer, import_id)
    try:
        importing.add(viewer=request.viewer, import_id=import_id, brought=_files(request), background=True)
    except Refusal as refusal:
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR or wants_json(request):
            raise
        return _page(request, row, refusal)
    return redirect(row)


@access(WRITE)
@require_POST
def apply(request: ViewerRequest, import_id: int) -> HttpResponseBase:
    row = importing.apply_later(viewer=request.viewer, import_id=import_id)
    messages.success(request, _("已开始导入，完成后会在这里显示。"))
    return redirect(row)


@access(WRITE)
@require_POST
def cancel(request: ViewerRequest, import_id: int) -> HttpResponseBase:
    row = importing.cancel(viewer=request.viewer, import_id=import_id)
    messages.success(request, _("已取消。同一份文件可以重新上传。"))
    return redirect(row)


@access(WRITE)
@require_POST
def read_again(request: ViewerRequest, import_id: int) -> HttpResponseBase:
    return redirect(importing.read_later(viewer=request.viewer, import_id=import_id))


@access(WRITE)
@never_cache
@require_GET
def rejects(request: ViewerRequest, import_id: int) -> HttpResponseBase:
    """The refused rows, for the sender; every fetch is recorded."""
    wanted = request.GET.get("sheet", "")
    kind = SheetKind(wanted) if wanted in SheetKind else SheetKind.MEMBERS
    form = Format.asked(request.GET.get("format"))
    pieces = importing.reject_sheet(viewer=request.viewer, import_id=import_id, kind=kind, form=form)
    return download(pieces, f"rejects-{import_id}-{kind}", form)


@access(EXPORT)
@require_GET
def sheets(request: ViewerRequest) -> HttpResponseBase:
    """What is to be taken; leads to the file, or to the request that it needs."""
    may_reveal = request.viewer.may(REVEAL)
    form = TakeForm(request.GET or None, may_reveal=may_reveal)
    area = chosen_area(request)
    if form.is_bound and form.is_valid():
        wanted = form.wanted(area)
        query = as_query(wanted.as_values())
        if wanted.whole or exporting.count(request.viewer, wanted) > exports.most():
            return redirect(f"{reverse('exports:ask', args=[exporting.SHEET])}?{query}")
        return redirect(f"{reverse('registry:export_sheet')}?{query}&format={form.cleaned_data['format']}")
    return render(
        request, "registry/sheets.html", {"form": form, "area": area, "most": exports.most()},
        status=400 if form.errors else 200,
    )  # fmt: skip


@access(EXPORT)
@require_GET
def export_sheet(request: ViewerRequest) -> HttpResponseBase:
    asked = request.GET.get("format")
    encoding = Encoding.GB18030 if asked == Encoding.GB18030 else Encoding.UTF8
    form = Format.asked(asked)
    wanted = exporting.wanted_of(request.GET.dict(), clock.today().year)
    number = request.GET.get("request", "")
    known = number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER
    count, pieces = exporting.export_sheet(
        viewer=request.viewer,
        wanted=wanted,
        account=request.viewer.name,
        form=form,
        encoding=encoding,
        request_id=int(number) if known else None,
    )
    return download(pieces, f"{wanted.kind}-{wanted.year}-{count}", form)


def _page(request: ViewerRequest, row: SheetImport, refusal: Refusal | None = None) -> HttpResponse:
    language = _language()
    files = list(queries.files_of(request.viewer, row))
    people = names_of([number for number in (row.brought_by, row.decided_by) if number])
    job = _job(request, row)
    context = {
        "row": row,
        "tone": presenting.tone_of(row),
        "files": files,
        "sheets": presenting.told(row, files, language),
        "changes": presenting.changes(row, language),
        "new": presenting.new(row),
        "job": job,
        "under_way": job is not None and job.is_open,
        "read_well": job is not None and job.state == State.DONE,
        "other": next((kind for kind in SheetKind if kind not in {file.sheet for file in files}), None),
        "kept_until": keeping.kept_until(row),
        "removed_on": max((file.removed_on for file in files if file.removed_on), default=None),
        "unreadable": [row.refusal[part][language] for part in ("what", "cure")] if row.refusal else None,
        "applicable": row.status == ImportStatus.PREVIEWED and any(file.accepted for file in files),
        "may_decide": importing.may_decide(request.viewer, row),
        "brought_by": people.get(row.brought_by, ""),
        "decided_by": people.get(row.decided_by or 0, ""),
        "refusal": refusal.sentences(language) if refusal else None,
    }
    return render(request, "registry/import.html", context, status=refusal.status if refusal else 200)


def _job(request: ViewerRequest, row: SheetImport) -> Job | None:
    if row.job_id is None or row.status not in (ImportStatus.RECEIVED, ImportStatus.PREVIEWED):
        return None
    try:
        return job_for(request.viewer, row.job_id)
    except NotVisible:
        return None


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
