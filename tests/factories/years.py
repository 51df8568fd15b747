"""Reporting years for tests: sealed through the real service, and looked into."""

from __future__ import annotations

from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import models

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, COUNTY, VILLAGE, YEAR, InventedCounty, batch, family
from tests.factories.walking import MINE, PLACES, Example, Place
from wanjia.registry.models import Household, ReportingYear
from wanjia.registry.services import (
    Edit,
    SealedYear,
    checks_of,
    correct,
    load_registry,
    load_villages,
    remove_household,
    seal_year,
)
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer

WHY = "年报核对后更正"
EVERYBODY = ("province", "city", "county", "next_county", "township", "next_township", "village", "next_village",
             "contact", "next_contact", "auditor", "department", "sysadmin")  # fmt: skip


def warnings_of(year: int) -> dict[str, int]:
    """The warnings before a sealing, as whoever seals confirms them."""
    return {one.code: one.count for one in checks_of(BUILDER, year) if not one.stops}


def seal(year: int, **more: Any) -> SealedYear:
    """Seal a year with every warning confirmed."""
    return seal_year(viewer=BUILDER, year=year, confirmed=warnings_of(year), **more)


def closed_county() -> InventedCounty:
    """The county after 2018, 2019 and 2020 were sealed, with facts of 2020 of some households and one removed."""
    county = factory.build()
    viewer = county.viewer("county")
    facts = [("wage_income", "23456"), ("dibao_grant", "100"), ("year_member_count", "3"), ("fuel", "04")]
    for number in (1, 2, 9):
        correct(viewer=viewer, edits=[Edit(name, value, household_no=number) for name, value in facts], reason=WHY)
    correct(viewer=viewer, edits=[Edit("education", "02", person_no=1)], reason=WHY)
    remove_household(viewer=viewer, household_no=5, reason="识别时名下有车")
    for year in (2018, 2019, 2020):
        seal(year)
    return county


def rows(model: type[models.Model], **where: Any) -> models.QuerySet[Any]:
    """Rows of a table, whoever may see them."""
    return model.objects.visible_to(BUILDER).filter(**where)  # type: ignore[attr-defined]


def states() -> dict[int, str]:
    """What each reporting year is."""
    return dict(ReportingYear.objects.order_by("year").values_list("year", "state"))


def read(year: int, name: str) -> pa.Table:
    """One of the files of a sealed year."""
    address = ReportingYear.objects.get(year=year).address
    return pq.read_table(lake().path(address, f"{name}.parquet"))


def values(row: models.Model) -> dict[str, Any]:
    """Everything a row says but its own number."""
    return {field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.name != "id"}


def examples(place: Place) -> list[Example]:
    """A household of each village in a year sealed for all of them; whoever decides for its county may correct it."""
    if place is MINE:
        _homes.clear()
        _homes.update(_sealed_homes())
    if place.name not in _homes:
        return []
    which, head = _homes[place.name]
    decides = partial(_decides, place.area[:6])
    number, village, spring = which["household_no"], {"village_code": place.area}, f"{head[1:]}泉"
    in_the_year = village | {"year": WALKED}
    return [  # what a year holds of them is also read on their own pages, by more people
        Example("registry:household", {"household_no": number}, (head,), held=("household", number)),
        Example("registry:village", village, (spring,)),
        *(
            Example(route, kwargs, (secret,), method=method, seen_by=decides)
            for method in ("get", "post")
            for route, kwargs, secret in (
                ("registry:correct_year", which, head),
                ("registry:correct_village_year", in_the_year, spring),
            )
        ),
    ]


def _sealed_homes() -> dict[str, tuple[dict[str, int], str]]:
    """By place the address of its household's page and the name on it."""
    places = [place for place in PLACES if len(place.area) == VILLAGE and place.area.startswith(COUNTY[:2])]
    found = {}
    for number, place in enumerate(places):
        name = f"H{900 + number}"
        home, people = family(name, place.area)
        people[0]["name"] = head = "蓝" + "甲乙丙丁戊己庚辛"[number] * 2
        told = [{"national_household_no": name, "year": WALKED, "wage_income": 1_000_000, "fuel": "04"}]
        load_registry(viewer=BUILDER, batch=batch([home], people, household_years=told), year=YEAR)
        household = Household.objects.get_visible(BUILDER, national_household_no=name)
        found[place.name] = ({"household_no": household.pk, "year": WALKED}, head)
    springs = {place.area: f"{found[place.name][1][1:]}泉" for place in places}
    villages = [{"village_code": code, "collective_income_source": spring} for code, spring in springs.items()]
    load_villages(viewer=BUILDER, year=WALKED, villages=villages)
    seal(WALKED)
    return found


def _decides(county: str, viewer: Viewer) -> bool:
    return viewer.may_throughout("registry.approve", county)


WALKED = 2018
_homes: dict[str, tuple[dict[str, int], str]] = {}
