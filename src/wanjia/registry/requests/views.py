"""Changing a household part by part, and deciding about what others proposed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from wanjia.accounts.queries import names_of, roles_with
from wanjia.audit.services import record_access
from wanjia.divisions.queries import full_name
from wanjia.kernel.errors import Refusal
from wanjia.protection.masking import mask_name
from wanjia.registry import queries as registry
from wanjia.registry.choices import OPEN_REQUESTS, SHOWN_IN_LISTS, SHOWN_ON_THE_PAGE, ItemState, RequestState
from wanjia.registry.models import ChangeRequest
from wanjia.registry.requests import deadlines, queries, services
from wanjia.registry.requests.forms import PART_TITLES, PARTS, CorrectionForm, DecisionForm, asked_now, language
from wanjia.registry.requests.policy import APPROVE, COUNTY, DIRECT, PROPOSE, TOWNSHIP, WRITE, desk_of, levels_for
from wanjia.registry.requests.queries import Line
from wanjia.scope.areas import level_of
from wanjia.scope.routes import ViewerRequest, access
from wanjia.scope.viewer import Viewer

READ = "registry.read"
SHOWN = 50
OF_A_YEAR = ("people", "income", "living")  # parts whose facts are of the open year
TONES = {
    RequestState.TOWNSHIP: "waiting",
    RequestState.COUNTY: "waiting",
    RequestState.APPLIED: "done",
    RequestState.DECLINED: "warn",
    RequestState.WITHDRAWN: "muted",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list."""

    request: ChangeRequest
    head: str
    masked: str
    place: str
    by: str
    state: str
    tone: str
    due_on: date | None
    days_late: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of a request in words."""

    number: int
    who: str
    title: str
    base: str
    current: str
    wanted: str
    in_conflict: bool
    outcome: str  # what became of it, once it is over
    choice: Any  # the form's field, where it must be decided


@access(PROPOSE)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def correct(request: ViewerRequest, household_no: int) -> HttpResponseBase:
    """Change one part of a household: what may stand at once does, the rest waits for the township or the county."""
    found = registry.household_for(request.viewer, household_no, PROPOSE)
    asked = request.GET.get("part", "")
    part = asked if asked in PARTS else PARTS[0]
    members = [member for member in registry.members_of(request.viewer, found) if member.membership.in_household]
    form = CorrectionForm(asked_now(part, found, members), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and not _in_conflict(request, form, found):
        try:
            done = services.submit(
                viewer=request.viewer,
                household_no=household_no,
                edits=form.edits(),
                reason=form.cleaned_data["reason"],
            )
        except Refusal as refusal:
            form.add_error(None, " ".join(refusal.sentences(language())))
        else:
            if done.changed.fields:
                messages.success(request, _("已更正 {count} 项，变更已留痕。").format(count=done.changed.fields))
            if done.waiting:
                messages.info(request, _("{count} 项须经审核，已提交变更申请。").format(count=done.waiting))
            return redirect("registry:household", found.pk)
    sections = [(member, fields) for member in members if (fields := form.member_fields(member.person.pk))]
    context = {
        "household": found,
        "form": form,
        "sections": sections,
        "place": full_name(found.village_code),
        "part": part,
        "of_year": part in OF_A_YEAR,
        "parts": [(name, PART_TITLES[name]) for name in PARTS],
        "head_name": next((member.person.name for member in members if member.is_head), ""),
        "looked_at": _looked_at(request.viewer, form, found.village_code),
    }
    return render(request, "registry/correct.html", context, status=400 if form.errors else 200)


def _looked_at(viewer: Viewer, form: CorrectionForm, village_code: str) -> list[tuple[str, list[str]]]:
    """Which fields of the form stand at once and which wait for whom, in words; without fields where all are alike."""
    proposes_only = not viewer.may(WRITE, village_code)
    titles: dict[int, list[str]] = {}
    for field in dict.fromkeys(asked.field for asked in form.asked):
        levels = levels_for(field.id, village_code, proposes_only=proposes_only)
        titles.setdefault(levels, []).append(field.title.text(language()))
    if len(titles) == 1:
        said = {
            DIRECT: _("本页内容保存后立即生效。"),
            TOWNSHIP: _("本页内容须经乡镇审核后生效。"),
            COUNTY: _("本页内容须经乡镇审核、县级批准后生效。"),
        }
        return [(said[levels], []) for levels in titles]
    said = {DIRECT: _("保存后立即生效"), TOWNSHIP: _("须乡镇审核"), COUNTY: _("须乡镇审核、县级批准")}
    return [(said[levels], titles[levels]) for levels in sorted(titles)]


def _in_conflict(request: ViewerRequest, form: CorrectionForm, found: Any) -> bool:
    """Whether somebody else changed a value meanwhile; the form says so, and what was typed stays in it."""
    lines = [line for line in queries.compared(request.viewer, found, form.edits()) if line.in_conflict]
    form.show_conflicts(lines)
    return bool(lines)


@access(READ)
@never_cache
@require_GET
def requests(request: ViewerRequest) -> HttpResponse:
    """What waits for me to decide, and what I proposed."""
    mine = queries.at_my_desk(request.viewer) if request.viewer.may(APPROVE) else None
    waiting = [] if mine is None else list(mine[:SHOWN])
    raised = deadlines.raised_to(request.viewer) if request.viewer.may(APPROVE) else None
    left = [] if raised is None else list(raised[:SHOWN])
    own = list(queries.proposed_by_me(request.viewer)[:SHOWN])
    heads = registry.head_names(request.viewer, {row.household_no for row in (*waiting, *left, *own)})
    record_access(
        viewer=request.viewer, action=READ, subject_kind="household", subject_ids=sorted(heads), fields=SHOWN_IN_LISTS
    )
    context = {
        "waiting": _rows(waiting, heads),
        "total": len(waiting) if len(waiting) < SHOWN or mine is None else mine.count(),
        "raised": _rows(left, heads),
        "raised_total": len(left) if len(left) < SHOWN or raised is None else raised.count(),
        "own": _rows(own, heads),
        "decides": mine is not None,
    }
    return render(request, "registry/requests.html", context)


@access(READ)
@never_cache
@require_http_methods(["GET", "POST"])
def request_page(request: ViewerRequest, request_id: int) -> HttpResponseBase:
    """One request: what was seen, what stands, what is wanted; and what may be done about it."""
    found = queries.request_for(request.viewer, request_id)
    lines = queries.lines_of(found)
    form = DecisionForm(lines, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        done = _decided(request, found, form)
        if done is not None:
            return done
    record_access(
        viewer=request.viewer,
        action=READ,
        subject_kind="household",
        subject_ids=[found.household_no],
        fields=SHOWN_ON_THE_PAGE,
    )
    heads = registry.head_names(request.viewer, [found.household_no])
    (row,) = _rows([found], heads)
    is_open = found.state in OPEN_REQUESTS
    at_desk = is_open and services.at_desk(request.viewer, found)
    context = {
        "row": row,
        "lines": [_shown(line, form) for line in lines],
        "form": form,
        "names": names_of({found.reviewed_by or 0, found.decided_by or 0}),
        "is_open": is_open,
        "year": registry.open_year()
        if is_open and not found.year and any(each.field.of_year for each in lines)
        else None,
        "may_decide": at_desk and services.may_decide(request.viewer, found),
        "desk": services.desk_now(found) if is_open else None,
        "deciders": _deciders(found) if is_open else "",
        "may_withdraw": is_open and found.proposed_by == request.viewer.user_id,
        "passes_on": found.state == RequestState.TOWNSHIP and found.levels == COUNTY,
        "conflicts": sum(line.in_conflict for line in lines) if is_open else 0,
    }
    return render(request, "registry/request.html", context, status=400 if form.errors else 200)


def _deciders(found: ChangeRequest) -> str:
    """Whose turn it is: the office and the posts there that decide."""
    seat = desk_of(RequestState(found.state), found.village_code)
    posts = _("、").join(role.title(language()) for role in roles_with(APPROVE, level_of(seat)))
    return _("{place} {posts}").format(place=full_name(seat, below="45"), posts=posts)


def _decided(request: ViewerRequest, found: ChangeRequest, form: DecisionForm) -> HttpResponseBase | None:
    """What the form asked for, done; None where it was refused, and the form says why."""
    try:
        if "withdraw" in request.POST:
            services.withdraw(viewer=request.viewer, request_id=found.pk)
            messages.success(request, _("已撤回。"))
            return redirect("registry:request", found.pk)
        if not form.is_valid():
            return None
        data = form.cleaned_data
        if data["decision"] == "decline":
            services.decline(viewer=request.viewer, request_id=found.pk, note=data["note"])
        else:
            services.approve(viewer=request.viewer, request_id=found.pk, take=form.taken(), note=data["note"])
    except Refusal as refusal:
        form.add_error(None, " ".join(refusal.sentences(language())))
        return None
    messages.success(request, _("意见已登记。"))
    return redirect("registry:requests")


def _rows(found: Iterable[ChangeRequest], heads: dict[int, str]) -> list[Row]:
    rows = list(found)
    names = names_of({row.proposed_by for row in rows})
    return [
        Row(
            request=row,
            head=heads.get(row.household_no, ""),
            masked=mask_name(heads.get(row.household_no, "")),
            place=full_name(row.village_code, below="45"),
            by=names.get(row.proposed_by, ""),
            state=str(RequestState(row.state).label),
            tone=TONES[RequestState(row.state)],
            due_on=deadlines.due_on(row),
            days_late=deadlines.days_late(row),
        )
        for row in rows
    ]


def _shown(line: Line, form: DecisionForm) -> Shown:
    assert line.item is not None  # noqa: S101 - of a stored request
    spoken = language()
    state = ItemState(line.item.state)
    key = f"take-{line.item.pk}"
    return Shown(
        number=line.item.pk,
        who=line.who,
        title=line.field.title.text(spoken),
        base=line.words("base", spoken),
        current=line.words("current", spoken),
        wanted=line.words("wanted", spoken),
        in_conflict=line.in_conflict,
        outcome="" if state is ItemState.WAITING else str(state.label),
        choice=form[key] if key in form.fields else None,
    )
