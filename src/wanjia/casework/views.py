"""The work queue, lists and bulk acts, and the page of one case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from wanjia.accounts import queries as accounts
from wanjia.accounts import saved
from wanjia.audit.services import record_access
from wanjia.casework import declared, guards, presenting, queries, services
from wanjia.casework.choices import BAR_SENTENCES, SEAT_LENGTH, Bar, Need, Seat
from wanjia.casework.errors import CaseMovedOn, NotYours, UnreadableAnswer
from wanjia.casework.filters import AREAS, CaseFilter
from wanjia.casework.forms import SPREAD, STATES, ActForm, BulkForm, FilterForm
from wanjia.casework.models import Case
from wanjia.casework.rules import Action, Answer, Visit
from wanjia.casework.services import exporting
from wanjia.divisions.queries import name_of
from wanjia.divisions.resolver import Resolver
from wanjia.exports import queries as exports
from wanjia.exports.lists import as_query
from wanjia.files.errors import NoFile
from wanjia.files.services import store
from wanjia.files.uploads import received_all, takes_upload
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.errors import NotAllowed
from wanjia.scope.routes import SIGNED_IN, ViewerRequest, access
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Format, download
from wanjia.ui.viewing import chosen_area

SAVED = "cases"  # the list to which saved filters belong
LONGEST_REQUEST = 10  # digits of a request to export
LONGEST_CHECK = 200  # characters of one line of the tick-list

# The rows, not the route, are what a permission cuts here: each kind of case has its own.


@access(SIGNED_IN)
@require_GET
def case_list(request: ViewerRequest) -> HttpResponse:
    return _listed(request, CaseFilter.from_query(request.GET.dict()))


@access(SIGNED_IN)
@require_GET
def mine(request: ViewerRequest) -> HttpResponse:
    """What waits for me."""
    return _listed(request, replace(CaseFilter.from_query(request.GET.dict()), mine="1"))


@access(SIGNED_IN)
@require_POST
def save_filter(request: ViewerRequest) -> HttpResponseBase:
    """Keep what the list shows under a name; refused, the list comes back with what was typed."""
    case_filter = CaseFilter.from_query(request.GET.dict())
    refused = saved.saved_from(request, SAVED, _kept(request, case_filter))
    address = f"{reverse('casework:list')}{_address(case_filter)}"
    if refused is None:
        return redirect(address)
    request.page_address = address  # type: ignore[attr-defined]
    return _listed(request, case_filter, refused)


def _kept(request: ViewerRequest, case_filter: CaseFilter) -> dict[str, str]:
    """What of a filter is saved: the area looked at too, so that the list opens as it was seen."""
    mine = bool(case_filter.mine or case_filter.raised)
    return replace(case_filter, area="" if mine else chosen_area(request)).as_dict()


@dataclass(frozen=True, slots=True)
class StepTab:
    """One step with its open cases, as a tab above the list."""

    title: str
    count: int
    address: str
    current: bool


def _listed(request: ViewerRequest, case_filter: CaseFilter, refused: Form | None = None) -> HttpResponse:
    language = _language()
    kept = saved.bar(request.viewer, SAVED, _kept(request, case_filter), refused)
    case_filter = _in_chosen_area(request, case_filter)
    standing = queries.waiting_by_step(request.viewer, case_filter)
    page = queries.listing(request.viewer, case_filter, after=request.GET.get("after", ""), steps=standing)
    tabs = _tabs(case_filter, standing, language)
    kinds = [case_filter.kind] if case_filter.kind in declared.kinds() else declared.kinds()
    steps = {code: title for kind in kinds for code, title in queries.step_titles(kind, language).items()}
    topics = declared.topics_in_words(queries.topics(request.viewer), language)
    shared = _of_one_step(case_filter, standing)
    actions = queries.bulk_actions(request.viewer, shared) if page.total else []
    offered = (replace(case_filter, kind=kind, step=step) for kind, step in standing)
    context = {
        "filter": case_filter,
        "form": FilterForm(case_filter, steps=steps.items(), topics=topics),
        "rows": presenting.rows(page.rows, request.viewer, language),
        "page": {"total": page.total, "next_cursor": page.after},
        "tabs": tabs,
        "chips": _chips(case_filter, steps, dict(topics)),
        "bulk": [(item.title.text(language), _bulk_address(shared, item)) for item in actions],
        "bulk_by_step": not actions and any(queries.bulk_actions(request.viewer, item) for item in offered),
        "query": _address(case_filter).removeprefix("?"),
        "saved": kept,
        **_exporting(request.viewer, case_filter, page.total),
    }
    return render(request, "casework/list.html", context, status=400 if refused else 200)


def _exporting(viewer: Viewer, case_filter: CaseFilter, total: int) -> dict[str, str]:
    """Where the list is taken away as a file, or, when it is too long to be taken alone, asked for."""
    if not total or not exporting.may_export(viewer):
        return {}
    query = as_query(case_filter.as_dict())
    if total <= exports.most():
        return {"export_url": f"{reverse('casework:export')}?{query}"}
    return {"to_ask": f"{reverse('exports:ask', args=[exporting.CASES])}?{query}"}


@access(SIGNED_IN)
@require_GET
def export(request: ViewerRequest) -> HttpResponseBase:
    """The list as a file, as its address narrows it."""
    if not exporting.may_export(request.viewer):
        raise NotAllowed(
            action=next((flow.export_permission for flow in declared.flows() if flow.export_permission), "")
        )
    form, number = Format.asked(request.GET.get("format")), request.GET.get("request", "")
    count, pieces = exporting.export_cases(
        viewer=request.viewer,
        case_filter=CaseFilter.from_query(request.GET.dict()),
        form=form,
        request_id=int(number) if number.isascii() and number.isdigit() and len(number) < LONGEST_REQUEST else None,
    )
    return download(pieces, f"cases-{clock.today():%Y%m%d}-{count}", form)


def _in_chosen_area(request: ViewerRequest, case_filter: CaseFilter) -> CaseFilter:
    """Narrowed to the area looked at; his own whole area needs no narrowing."""
    if case_filter.mine or case_filter.raised:
        return replace(case_filter, area="")
    area = chosen_area(request)
    return replace(case_filter, area="" if area == request.viewer.home_area else area)


def _of_one_step(case_filter: CaseFilter, standing: Mapping[tuple[str, str], int]) -> CaseFilter:
    """The filter, naming the step its cases stand in where that is one and the same."""
    if case_filter.step or len(standing) != 1:
        return case_filter
    ((kind, step),) = standing
    return replace(case_filter, kind=kind, step=step)


def _tabs(case_filter: CaseFilter, standing: Mapping[tuple[str, str], int], language: str) -> list[StepTab]:
    """The steps with the filter's cases in them, and all of them together."""
    tabs = []
    for kind in declared.kinds():
        for step in queries.open_steps(kind):
            if n := standing.get((kind, step.code)):
                wanted = replace(case_filter, kind=kind, step=step.code)
                current = case_filter.step == step.code
                tabs.append(StepTab(step.title.text(language), n, _address(wanted), current))
    if len(tabs) > 1 or case_filter.step:
        every = StepTab(
            _("全部"), sum(standing.values()), _address(replace(case_filter, step="")), not case_filter.step
        )
        tabs.insert(0, every)
    return tabs


@dataclass(frozen=True, slots=True)
class Chip:
    """One part of the filter in words, and the address of the list without it."""

    text: str
    address: str


def _chips(case_filter: CaseFilter, steps: Mapping[str, str], topics: Mapping[str, str]) -> list[Chip]:
    """What narrows the list, each to be taken away; the area looked at is chosen above the page."""
    words = {"step": steps, "topic": topics}
    named = {name: _chip_text(name, value, words) for name, value in case_filter.as_dict().items()}
    return [Chip(text, _address(_without(case_filter, name))) for name, text in named.items() if text]


def _chip_text(name: str, value: str, words: Mapping[str, Mapping[str, str]]) -> str:
    """One part of the filter in words; nothing for the area, chosen above the page, and the kind, which a step has."""
    if (name, value) == ("mine", "1"):
        return ""
    sentences = {
        "step": _("环节：%(what)s"),
        "topic": _("规则：%(what)s"),
        "state": str(dict(STATES).get(value, "")),
        "household": _("户编号：%(what)s"),
        "under": _("在%(place)s及以下办理"),
        "place": _("%(place)s内几个单位共有") if len(value) < SEAT_LENGTH[Seat.VILLAGE] else _("在%(place)s"),
        "beyond": _("%(place)s以外，涉及本地人员"),
        "desk": _("由%(place)s本级办理"),
        "department": _("部门：%(what)s"),
        "outcome": _("核查结果：%(what)s"),
        "decided_from": _("%(what)s 起决定"),
        "decided_to": _("%(what)s 止决定"),
        "mine": _("不由我办理"),
        "raised": _("报到本级"),
    }
    place = name_of(value) if name in AREAS else ""
    what = declared.department_in_words(value, _language()) if name == "department" else value
    return sentences.get(name, "") % {"what": words.get(name, {}).get(value, what), "place": place}


def _without(case_filter: CaseFilter, name: str) -> CaseFilter:
    return replace(case_filter, **{name: "open" if name == "state" else ""})


def _address(case_filter: CaseFilter) -> str:
    query = QueryDict(mutable=True)
    query.update(case_filter.as_dict())
    return f"?{query.urlencode()}"


def _bulk_address(case_filter: CaseFilter, action: Action) -> str:
    query = QueryDict(mutable=True)
    query.update({**case_filter.as_dict(), "action": action.code})
    return query.urlencode()


# Bulk


@access(SIGNED_IN)
@require_http_methods(["GET", "POST"])
def bulk(request: ViewerRequest) -> HttpResponseBase:
    """First what would happen, in numbers; then, confirmed, it happens."""
    case_filter, language = CaseFilter.from_query(request.GET.dict()), _language()
    offered = {item.code: item for item in queries.bulk_actions(request.viewer, case_filter)}
    action = offered.get(request.GET.get("action", ""))
    if action is None:
        raise NotYours(case_no="-", bar=Bar.NO_ROLE, because=BAR_SENTENCES[Bar.NO_ROLE])
    preview = services.foresee(request.viewer, case_filter, action.code)
    people = queries.assignees(request.viewer, case_filter, action.code).items()
    plan = None
    if Need.ASSIGNEE in action.needs and preview.moving:
        plan = services.plan_spread(request.viewer, case_filter, action.code)
    spread = plan is not None and plan.moving > 0
    now = {"expected": preview.count, "moving": preview.moving, "seen": preview.seen}
    now["plan"] = plan.digest if plan else ""
    make = partial(
        BulkForm, people=people, spread=spread, reason=Need.REASON in action.needs, whys=_kinds(action, language)
    )
    form = make(request.POST or None, initial={**now, "assignee": SPREAD if spread else ""})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            return _done_in_bulk(request, case_filter, action, form)
        except Refusal as refused:
            refusal = refused
            form = make({**request.POST.dict(), **now})  # what he confirms next is what he sees now
    context = {
        "filter": case_filter,
        "action": {"code": action.code, "title": action.title.text(language)},
        "consequence": action.consequence.text(language),
        "preview": preview,
        "stays": _stays(preview.skipped, preview.left),
        "plan": plan if spread else None,
        "plan_stays": _stays(plan.skipped, plan.left) if plan else [],
        "plan_refused": [(item.name, BAR_SENTENCES[item.bar].text(language), item.cases) for item in plan.refused]
        if plan
        else [],
        "dates": services.dates_for(declared.newest(_kind_of(case_filter)).flow.step(action.to)),
        "form": form,
        "refusal": refusal.sentences(language) if refusal else None,
        "back": _address(case_filter),
    }
    return render(request, "casework/bulk.html", context, status=refusal.status if refusal else 200)


def _kind_of(case_filter: CaseFilter) -> str:
    return case_filter.kind or declared.kinds()[0]


def _done_in_bulk(request: ViewerRequest, case_filter: CaseFilter, action: Action, form: BulkForm) -> HttpResponseBase:
    data = form.cleaned_data
    answer = Answer(
        assignee=data.get("assignee"),
        reason=data.get("reason", ""),
        why=data.get("why", ""),
        place=_place_of(request.viewer, data.get("place", "")),
        due_on=data["due_on"],
    )
    what: dict[str, Any] = {"viewer": request.viewer, "action": action.code, "case_filter": case_filter}
    what |= {"expected_count": data["expected"], "seen": data["seen"], "answer": answer}
    if answer.assignee == SPREAD:
        result = services.spread(**what, digest=data["plan"])
    else:
        # whom a named person cannot take is told afterwards: the preview did not know him
        moving = data["moving"] if answer.assignee is None else None
        result = services.act_in_bulk(**what, expected_moving=moving)
    done = ngettext("已办理 %(n)s 件。", "已办理 %(n)s 件。", result.done) % {"n": f"{result.done:,}"}
    messages.success(request, done)
    for reason, n in result.skipped.items():
        messages.warning(request, _("%(n)s 件未办理：%(reason)s。") % {"n": f"{n:,}", "reason": _skipped(reason)})
    return redirect("casework:mine")


def _kinds(action: Action, language: str) -> list[tuple[str, str]]:
    return [(why.code, why.title.text(language)) for why in action.whys]


def _place_of(viewer: Viewer, typed: str) -> str:
    """The code of the place somebody typed, of two of one name the one in his area. Raises PlaceNotResolved."""
    return Resolver().named(typed, within=viewer.home_area) if typed.strip() else ""


@dataclass(frozen=True, slots=True)
class Stays:
    """Cases a bulk act would leave where they are, and why; some of them by number."""

    why: str
    n: int
    cases: Sequence[int]


def _stays(skipped: Mapping[str, int], left: Mapping[str, Sequence[int]]) -> list[Stays]:
    return [Stays(_skipped(reason), n, left.get(reason, ())) for reason, n in sorted(skipped.items())]


def _skipped(reason: str) -> str:
    return _("不在这一环节") if reason == services.NOT_IN_STEP else BAR_SENTENCES[Bar(reason)].text(_language())


# One case


@access(SIGNED_IN)
@require_GET
def case_page(request: ViewerRequest, case_no: int) -> HttpResponse:
    case = queries.case_for(request.viewer, case_no)
    return _shown(request, case)


def _shown(
    request: ViewerRequest, case: Case, refusal: Refusal | None = None, entered: Mapping[str, Any] | None = None
) -> HttpResponse:
    record_access(
        viewer=request.viewer,
        action=case.flow.read_permission,
        subject_kind="case",
        subject_ids=[case.case_no],
        fields=["name", "evidence"],
        area=case.area_code,
    )
    page = presenting.case_page(case, request.viewer, _language(), entered)
    request.page_address = case.get_absolute_url()  # type: ignore[attr-defined]
    told = refusal.sentences(_language()) if refusal else None
    status = refusal.status if refusal else 200
    return render(request, "casework/case.html", {"page": page, "case": case, "refusal": told}, status=status)


@access(SIGNED_IN)
@takes_upload("evidence")
@require_http_methods(["GET", "POST"])
def act(request: ViewerRequest, case_no: int) -> HttpResponseBase:
    """Give an answer with its proof; refused, the page comes back with everything typed still there.

    The proof is kept with the case even where the answer is refused, and need not be sent again. Whoever comes
    back to this address from a history or by another switch is shown the case.
    """
    case = queries.case_for(request.viewer, case_no)
    if request.method == "GET":
        return redirect(case)
    form = ActForm(request.POST)
    if not form.is_valid():
        return _shown(request, case, UnreadableAnswer(case_no=case_no), request.POST)
    data = form.cleaned_data
    try:
        if data["version"] == case.version:  # what comes too late belongs to no case
            _keep_evidence(request, case)
        done = services.act(
            viewer=request.viewer,
            case_no=case_no,
            action=data["action"],
            seen_version=data["version"],
            answer=_answer(request, case, data),
        )
    except CaseMovedOn as refusal:
        return _moved_on(request, case_no, refusal)
    except Refusal as refusal:
        return _shown(request, case, refusal, request.POST)
    following = queries.next_in_queue(request.viewer, done)
    messages.success(
        request, " ".join([*_done(case, done, data["action"]), *_next(following)]), extra_tags=f"case-{case_no}"
    )
    return redirect("casework:case", following) if following else redirect("casework:mine")


def _done(before: Case, done: Case, code: str) -> Iterator[str]:
    """What was done to a case and where it stands now."""
    language, action = _language(), before.flow.action(before.step, code)
    facts = {"no": done.case_no, "title": action.title.text(language) if action else code}
    if action is not None and Need.ASSIGNEE in action.needs and done.assignee_id:
        name = accounts.names_of([done.assignee_id]).get(done.assignee_id, "")
        yield _("核查件 %(no)s 已指派给%(name)s。") % {**facts, "name": name}
    else:
        yield _("核查件 %(no)s 已办理：%(title)s，现为“%(step)s”。") % {**facts, "step": done.at.title.text(language)}


def _next(following: int | None) -> Iterator[str]:
    """What the page now shows, which is not the case just done."""
    if following:
        yield _("现在显示的是下一件：核查件 %(no)s。") % {"no": following}
    else:
        yield _("没有别的核查件等您办理了。")


def _answer(request: ViewerRequest, case: Case, data: Mapping[str, Any]) -> Answer:
    action = case.flow.action(case.step, data["action"])
    asks_visit = action is not None and Need.OUTCOME in action.needs
    asks_place = action is not None and (Need.PLACE in action.needs or any(why.asks_place for why in action.whys))
    correction = {
        name.removeprefix("correction."): value.strip()
        for name, value in request.POST.items()
        if name.startswith("correction.") and isinstance(value, str) and value.strip()
    }
    change = correction.get("change", "")
    # each correction has its own fields; only those of the chosen one count
    chosen = {
        name.removeprefix(f"{change}."): value for name, value in correction.items() if name.startswith(f"{change}.")
    }
    return Answer(
        assignee=data["assignee"],
        outcome=data["outcome"],
        note=data["note"],
        reason=data["reason"],
        why=data["why"],
        place=_place_of(request.viewer, data["place"]) if asks_place else "",
        until=data["until"],
        visit=Visit(data["visited_on"], data["met"].strip()) if asks_visit else None,
        correction={"change": change, **chosen} if change else None,
        checked=tuple(text for text in request.POST.getlist("checked") if len(text) <= LONGEST_CHECK)[:20],
    )


def _moved_on(request: ViewerRequest, case_no: int, refusal: CaseMovedOn) -> HttpResponse:
    """Somebody was faster: who, when, where the case stands now; what was typed is shown again to be kept."""
    case = Case.objects.visible_to(request.viewer).filter(pk=case_no).first()
    what, cure = refusal.sentences(_language())
    context = {
        "case_no": case_no,
        "case": case,
        "step": case.at.title.text(_language()) if case else "",
        "what": what,
        "cure": cure,
        "history": queries.history(case, _language())[-3:] if case else [],
        "typed": request.POST.get("note") or request.POST.get("reason") or "",
    }
    return render(request, "casework/moved_on.html", context, status=refusal.status)


@access(SIGNED_IN)
@takes_upload("evidence")
@require_http_methods(["GET", "POST"])
def evidence(request: ViewerRequest, case_no: int) -> HttpResponseBase:
    """File photos or documents with the case; an answer begun beside them stays in the form."""
    case = queries.case_for(request.viewer, case_no)
    if request.method == "GET":
        return redirect(case)
    _require_asked_for_proof(request, case)
    try:
        kept = _keep_evidence(request, case)
        if not kept:
            raise NoFile
    except Refusal as refusal:
        return _shown(request, case, refusal, request.POST)
    told = ngettext("材料已保存（%(n)s 个文件）。", "材料已保存（%(n)s 个文件）。", kept) % {"n": kept}
    messages.success(request, told)
    if request.POST.get("action"):  # an answer was begun in the same form
        return _shown(request, case, entered=request.POST)
    return redirect(f"{case.get_absolute_url()}#evidence")


def _require_asked_for_proof(request: ViewerRequest, case: Case) -> None:
    if not presenting.may_upload(queries.offers(request.viewer, case)):
        raise NotYours(case_no=case.case_no, bar=Bar.OTHER_PERSON, because=BAR_SENTENCES[Bar.OTHER_PERSON])


def _keep_evidence(request: ViewerRequest, case: Case) -> int:
    """Keep the files sent with this request; how many.

    Raises NotYours where nobody asks this person for proof, and, once the good ones are kept, what is wrong with
    the first file that was refused.
    """
    uploads, refusal = received_all(request, "evidence")
    if not uploads and refusal is None:
        return 0
    _require_asked_for_proof(request, case)
    area = _side(request.viewer, case)
    kept = 0
    for upload in uploads:
        try:
            store(
                viewer=request.viewer,
                upload=upload,
                owner_kind="case",
                owner_id=case.case_no,
                area=area,
                purpose="evidence",
            )
            kept += 1
        except Refusal as refused:
            refusal = refusal or refused
    if refusal is not None:
        raise refusal
    return kept


def _side(viewer: Viewer, case: Case) -> str:
    """The place evidence belongs to: of a case of two places, the one of whoever brings it."""
    if viewer.may("files.read", case.area_code):
        return case.area_code
    places = guards.places_of([case])[case.case_no]
    return next((area for area in sorted(places) if viewer.may("files.read", area)), case.area_code)


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
