"""Households: the list, one household, looking a protected value up, correcting, exporting."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import segno
from django.forms import Form
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from wanjia.accounts import saved
from wanjia.accounts.errors import SearchForgotten
from wanjia.accounts.queries import names_of
from wanjia.accounts.typed import keep, recall
from wanjia.audit.services import record_access
from wanjia.divisions.queries import full_name, near_name
from wanjia.exports import queries as exports
from wanjia.exports.lists import as_query
from wanjia.kernel import clock
from wanjia.kernel.errors import Language
from wanjia.reference.errors import NoValue
from wanjia.reference.queries import poverty_line
from wanjia.registry import comparing, queries, services
from wanjia.registry.charts import income_chart
from wanjia.registry.choices import SHOWN_IN_LISTS, SHOWN_ON_THE_PAGE, AsOf
from wanjia.registry.forms import HouseholdFilter, RevealForm, SearchForm
from wanjia.registry.models import Household
from wanjia.registry.photos.services import photos_of
from wanjia.registry.queries import Filters
from wanjia.registry.requests import queries as requests
from wanjia.registry.services.overlay import may_correct_sealed
from wanjia.registry.stories import story_of
from wanjia.registry.strips import status_strip
from wanjia.scope.routes import ViewerRequest, access
from wanjia.scope.viewer import Viewer
from wanjia.ui.panels import panels_for
from wanjia.ui.sheets import Format, download
from wanjia.ui.viewing import chosen_area

LONGEST_NUMBER = 15
READ, PROPOSE, WRITE, REVEAL = "registry.read", "registry.propose", "registry.write", "registry.reveal"
EXPORT = "registry.export"


@access(READ)
@require_GET
def households(request: ViewerRequest) -> HttpResponse:
    return _listed(request)


@access(READ)
@require_POST
def save_filter(request: ViewerRequest) -> HttpResponseBase:
    """Keep what the list shows under a name, but for what was typed; refused, the list comes back."""
    conditions = _conditions(request, _asked(request)[1])
    refused = saved.saved_from(request, services.HOUSEHOLDS, conditions)
    address = f"{reverse('registry:households')}?{saved.as_query(conditions)}"
    if refused is None:
        return redirect(address)
    request.page_address = address  # type: ignore[attr-defined]
    return _listed(request, refused)


def _conditions(request: ViewerRequest, filters: Filters) -> dict[str, str]:
    """What of a filter is saved: the area looked at too, so that the list opens as it was seen."""
    codes = {"status": filters.status, "category": filters.category, "standing": filters.standing or "all"}
    return {**codes, "area": chosen_area(request)}


def _listed(request: ViewerRequest, refused: Form | None = None) -> HttpResponse:
    form, filters = _asked(request)
    page = queries.household_page(request.viewer, filters, request.GET.get("after", ""))
    record_access(
        viewer=request.viewer,
        action=READ,
        subject_kind="household",
        subject_ids=[row.household_no for row in page.rows],
        fields=SHOWN_IN_LISTS,
    )
    matched = queries.matched_members(request.viewer, [row.household_no for row in page.rows], filters.text)
    context = {
        "form": form,
        "page": page,
        "searched": bool(filters.text),
        "rows": [(row, matched.get(row.household_no)) for row in page.rows],
        "search_form": SearchForm(),
        "may_export": request.viewer.may(EXPORT),
        "to_ask": _to_ask(filters, page) if request.viewer.may(EXPORT) else "",
        "saved": saved.bar(request.viewer, services.HOUSEHOLDS, _conditions(request, filters), refused),
    }
    return render(request, "registry/households.html", context, status=400 if refused else 200)


def _to_ask(filters: Filters, page: queries.Page) -> str:
    """Where to ask for the list, when it is too long to be taken alone; "" when it is not."""
    if page.total <= exports.most() or filters.text:
        return ""
    query = as_query({**filters.as_codes(), "standing": filters.standing or "all"})
    return f"{reverse('exports:ask', args=[services.HOUSEHOLDS])}?{query}"


@access(READ)
@sensitive_post_parameters("text")
@require_POST
def search(request: ViewerRequest) -> HttpResponse:
    """To the list for one search; posted, because a name or a number in an address stays in logs."""
    form = SearchForm(request.POST)
    if not form.is_valid():
        return redirect("registry:households")
    token = keep(request, form.cleaned_data["text"])
    return redirect(f"{reverse('registry:households')}?standing=all&typed={token}")


@access(READ)
@sensitive_post_parameters("text")
@require_POST
def suggest(request: ViewerRequest) -> JsonResponse:
    """A few people, households and villages for a search field, names masked."""
    found = queries.suggest(request.viewer, request.POST.get("text", "")[:60])
    households = [
        {
            "household_no": row.household_no,
            "head": row.head_masked,
            "place": near_name(row.village_code),
            "address": reverse("registry:household", args=[row.household_no]),
        }
        for row in found.households
    ]
    people = [
        {
            "household_no": person.household_no,
            "name": person.masked,
            "place": near_name(person.village_code),
            "address": reverse("registry:household", args=[person.household_no]),
        }
        for person in found.people
    ]
    villages = [
        {"name": name, "address": f"{reverse('registry:households')}?{as_query({'area': code, 'standing': 'all'})}"}
        for code, name in found.villages
    ]
    return JsonResponse({"households": households, "people": people, "villages": villages})


@access(EXPORT)
@require_GET
def export(request: ViewerRequest) -> StreamingHttpResponse:
    _, filters = _asked(request)
    form = Format.asked(request.GET.get("format"))
    count, pieces = services.export_households(
        viewer=request.viewer,
        filters=filters,
        account=request.viewer.name,
        form=form,
        request_id=_request_number(request),
    )
    return download(pieces, f"households-{clock.today():%Y%m%d}-{count}", form)


@access(READ)
@never_cache
@require_GET
def household(request: ViewerRequest, household_no: int) -> HttpResponseBase:
    found = queries.household_for(request.viewer, household_no)
    if found.pk != household_no:
        return redirect("registry:household", found.pk)  # it was merged into another one
    return _page(request, found)


@access(REVEAL)
@never_cache
@require_POST
def reveal(request: ViewerRequest, household_no: int) -> HttpResponse:
    """Show one protected value once, on the household's page, after recording who asked and why."""
    found = queries.household_for(request.viewer, household_no)
    form = RevealForm(request.POST)
    if not form.is_valid():
        return _page(request, found, reveal_errors=form.errors.get("reason") or form.errors.get("what"), status=400)
    field, person_no = form.wanted()
    value = services.reveal(
        viewer=request.viewer,
        field=field,
        reason=form.cleaned_data["reason"],
        person_no=person_no,
        household_no=None if person_no else household_no,
    )
    return _page(request, found, revealed={"field": field, "person_no": person_no, "value": value or _("未登记")})


def _request_number(request: ViewerRequest) -> int | None:
    """The approved request an address names, if it names one."""
    text = request.GET.get("request", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None


def _asked(request: ViewerRequest) -> tuple[HouseholdFilter, Filters]:
    """The filters an address names, with what its reader typed. A forgotten search finds nothing, and says so."""
    form = HouseholdFilter(request.GET)
    token = request.GET.get("typed", "")
    text = recall(request, token) if token else ""
    if text is None:
        raise SearchForgotten
    return form, form.filters(chosen_area(request), text)


@access(READ)
@never_cache
@require_GET
def card(request: ViewerRequest, household_no: int) -> HttpResponse:
    """The card the family keeps (明白卡): who it is, why it is helped, its last income, who answers for it."""
    found = queries.household_for(request.viewer, household_no)
    years = [each.facts for each in queries.years_of(request.viewer, found.pk)]
    members = [member for member in queries.members_of(request.viewer, found) if member.membership.in_household]
    _recorded(request, found)
    address = request.build_absolute_uri(reverse("registry:household", args=[found.pk]))
    last = next((year for year in reversed(years) if year.net_income is not None), None)
    context = {
        "household": found,
        "head": next((member.person for member in members if member.is_head), None),
        "members": members,
        "place": full_name(found.village_code),
        "year": last,
        "line": None if last is None else _line(found, last.year),
        "address": address,
        "code": mark_safe(segno.make(address, error="m", micro=False).svg_inline(scale=3, border=2, omitsize=True)),  # noqa: S308 - drawn by the library
        "panels": panels_for(request, "card", found),
        "today": clock.today(),
    }
    return render(request, "registry/card.html", context)


def _recorded(request: ViewerRequest, found: Household) -> None:
    record_access(
        viewer=request.viewer,
        action=READ,
        subject_kind="household",
        subject_ids=[found.pk],
        fields=SHOWN_ON_THE_PAGE,
        area=found.village_code,
    )


def _line(found: Household, year: int) -> int | None:
    """The line of a year in fen a head; none where nobody has set one."""
    try:
        return int(poverty_line(year, region=found.village_code) * 100)
    except NoValue:
        return None


def _may_correct(viewer: Viewer, record: queries.YearRecord) -> bool:
    return may_correct_sealed(viewer, record.facts.village_code, record.facts.household_no)


def _page(request: ViewerRequest, found: Household, *, status: int = 200, **more: Any) -> HttpResponse:
    viewer = request.viewer
    as_of = AsOf.PUBLISHED if request.GET.get("as_of") == AsOf.PUBLISHED else AsOf.KNOWN
    records = queries.years_of(viewer, found.pk, as_of)
    years = [each.facts for each in records]
    members = queries.members_of(viewer, found)
    facts = queries.person_years_of(viewer, [member.person.pk for member in members])
    members = [replace(member, year=facts.get(member.person.pk)) for member in members]
    _recorded(request, found)
    language: Language = "en" if (get_language() or "").startswith("en") else "zh"
    history = queries.history_of(viewer, found.pk, language)
    photos = list(photos_of(found))
    takers = names_of({photo.stored_by for photo in photos})
    context = {
        "household": found,
        "head": next((member.person for member in members if member.is_head), None),
        "place": full_name(found.village_code),
        "other_causes": found.other_causes.split(",") if found.other_causes else [],
        "strip": status_strip(found, years, clock.today().year),
        "members": members,
        "years": years,
        "corrected": [each.year for each in records if each.corrected],
        "correctable": [each.year for each in records if each.sealed and _may_correct(viewer, each)],
        "as_of": as_of,
        "ways": AsOf.choices if any(each.sealed for each in records) else (),
        "chart": income_chart(years, partial(_line, found)),
        "income": [*comparing.side_by_side(years, comparing.INCOME, language), *comparing.computed(years, language)],
        "living": comparing.side_by_side(years, comparing.LIVING, language),
        "people": [
            (member, told)
            for member in members
            if member.membership.in_household and (told := comparing.of_person(member.year, language))
        ],
        "move": comparing.of_relocation(queries.relocation_of(viewer, found.pk) if found.relocated else None, language),
        "story": story_of(found, members, history, language),
        "waiting": list(requests.of_household(viewer, found.pk)[:10]),
        "entered_by": names_of([found.entered_by]).get(found.entered_by, ""),
        "panels": panels_for(request, "household", found),
        "photos": [(photo, takers.get(photo.stored_by, "")) for photo in photos],
        "may_photograph": viewer.may(WRITE, found.village_code),
        "may_see_village": viewer.may_throughout(READ, found.village_code),
        "may_reveal": viewer.may(REVEAL, found.village_code),
        "may_correct": found.is_live and viewer.may(PROPOSE, found.village_code),
    }
    return render(request, "registry/household.html", context | more, status=status)
