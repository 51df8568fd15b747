"""Figures of the registry, and one village on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from wanjia.divisions.queries import full_name, name_of
from wanjia.kernel import clock
from wanjia.reference.queries import code_list
from wanjia.registry import comparing, overlaid
from wanjia.registry.areas import queries
from wanjia.registry.areas.dimensions import AGES, DIMENSIONS, Dimension
from wanjia.registry.areas.queries import READ, Figure
from wanjia.registry.choices import AsOf
from wanjia.registry.fields import fields_of
from wanjia.registry.models import Household, PersonYear, VillageYear
from wanjia.registry.requests.forms import language
from wanjia.registry.services.overlay import may_correct_village
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest, access
from wanjia.ui.panels import panels_for
from wanjia.ui.viewing import chosen_area

VILLAGE_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the page: a value or an area, its figures, its share, and where its households or parts are listed."""

    word: str
    code: str
    households: int | None
    persons: int
    share: float
    list_url: str
    narrow_url: str


@access(READ)
@never_cache
@require_GET
def statistics(request: ViewerRequest) -> HttpResponse:
    """Households and people by value, and the chosen value by area; every figure leads on."""
    area = chosen_area(request)
    dimension = DIMENSIONS.get(request.GET.get("by", ""), DIMENSIONS["status"])
    years = queries.fact_years(request.viewer, area) if dimension.model is PersonYear else []
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and int(asked) in years else (years[0] if years else None)
    figures = queries.by_value(request.viewer, area, dimension, year)
    value = request.GET.get("value", "")
    chosen = value if value in {figure.value for figure in figures} else ""
    parts = queries.by_area(request.viewer, area, dimension, chosen, year)
    kept = {"by": dimension.code} | ({"year": str(year)} if year else {})
    context = {
        "dimension": dimension,
        "title": dimension.title.text(language()),
        "dimensions": [(one.code, one.title.text(language())) for one in DIMENSIONS.values()],
        "years": years,
        "year": year,
        "values": _lines(figures, dimension, area, kept),
        "parts": _parts(parts, dimension, chosen, kept),
        "chosen": _word(dimension, chosen) if chosen else "",
        "counts_homes": dimension.model is Household,
        "total_households": sum(figure.households or 0 for figure in figures),
        "total_persons": sum(figure.persons for figure in figures),
        "adds_up": not dimension.several,
        "incidence": queries.incidence(request.viewer, area),
        "area": area,
        "place": full_name(area) if area else "",
        "today": clock.today(),
    }
    return render(request, "registry/statistics.html", context)


@access(READ)
@never_cache
@require_GET
def village(request: ViewerRequest, village_code: str) -> HttpResponse:
    """What a secretary takes along: people, trend, hamlets, and what other slices know of the village."""
    if len(village_code) != VILLAGE_LENGTH or not request.viewer.may_throughout(READ, village_code):
        raise NotVisible(kind="village")
    as_of = AsOf.PUBLISHED if request.GET.get("as_of") == AsOf.PUBLISHED else AsOf.KNOWN
    records = overlaid.village_years(request.viewer, village_code, as_of)
    years = [each.facts for each in records]
    statuses = queries.by_value(request.viewer, village_code, DIMENSIONS["status"])
    causes = queries.by_value(request.viewer, village_code, DIMENSIONS["cause"])
    if not years and not statuses:
        raise NotVisible(kind="village")
    facts = tuple(field.id for field in fields_of(VillageYear))
    registered = queries.registered_in(request.viewer, village_code)
    context = {
        "code": village_code,
        "name": name_of(village_code),
        "place": full_name(village_code),
        "statuses": _lines(statuses, DIMENSIONS["status"], village_code, {}),
        "causes": _lines(causes, DIMENSIONS["cause"], village_code, {}),
        "total_households": sum(figure.households or 0 for figure in statuses),
        "total_persons": sum(figure.persons for figure in statuses),
        "years": years,
        "as_of": as_of,
        "ways": AsOf.choices if any(each.sealed for each in records) else (),
        "corrected": [each.year for each in records if each.corrected],
        "correctable": [each.year for each in records if each.sealed]
        if may_correct_village(request.viewer, village_code)
        else [],
        "facts": comparing.side_by_side(years, facts, language()),
        "hamlets": [
            (hamlet, registered.get(hamlet.name, 0))
            for hamlet in overlaid.hamlets_of(request.viewer, village_code, as_of)
        ],
        "incidence": queries.incidence(request.viewer, village_code),
        "panels": panels_for(request, "village", village_code),
        "today": clock.today(),
    }
    return render(request, "registry/village.html", context)


def _lines(figures: Sequence[Figure], dimension: Dimension, area: str, kept: dict[str, str]) -> list[Line]:
    whole = sum(figure.persons for figure in figures) or 1
    found = []
    for figure in figures:
        listed = ""
        if dimension.filter and figure.value:
            query = {dimension.filter: figure.value} | ({"area": area} if area else {})
            listed = f"{reverse('registry:households')}?{urlencode(query)}"
        narrowed = urlencode(kept | {"value": figure.value} | ({"area": area} if area else {}))
        word = _word(dimension, figure.value)
        found.append(
            Line(word, figure.value, figure.households, figure.persons, figure.persons / whole, listed, f"?{narrowed}")
        )
    return found


def _parts(parts: Sequence[Figure], dimension: Dimension, value: str, kept: dict[str, str]) -> list[Line]:
    whole = sum(figure.persons for figure in parts) or 1
    found = []
    for part in parts:
        query = {"area": part.value} | ({dimension.filter: value} if dimension.filter and value else {})
        listed = f"{reverse('registry:households')}?{urlencode(query)}" if dimension.model is Household else ""
        deeper = f"?{urlencode(kept | {'area': part.value} | ({'value': value} if value else {}))}"
        if len(part.value) == VILLAGE_LENGTH:
            deeper = reverse("registry:village", args=[part.value])
        found.append(
            Line(name_of(part.value), part.value, part.households, part.persons, part.persons / whole, listed, deeper)
        )
    return found


def _word(dimension: Dimension, value: str) -> str:
    if not value:
        return _("未填")
    if dimension.code_list:
        return code_list(dimension.code_list).label(value, language())
    if dimension.column == "birth_date":
        first = int(value)
        later = [age for age in AGES if age > first]
        if not later:
            return _("{age} 岁及以上").format(age=first)
        return _("{first} 至 {last} 岁").format(first=first, last=later[0] - 1)
    return value
