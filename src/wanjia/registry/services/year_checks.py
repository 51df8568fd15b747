"""What is looked at before a year is sealed: errors stand in the way, warnings are confirmed with their counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.registry.choices import IN_HOUSEHOLD, OPEN_REQUESTS, Standing, YearState
from wanjia.registry.income import PARTS
from wanjia.registry.models import ChangeRequest, Household, HouseholdYear, Membership, ReportingYear
from wanjia.scope.models import ScopedModel
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

EXAMPLES = 5
Row = TypeVar("Row", bound=ScopedModel)
INCOMES = ("wage_income", "business_income", "property_income", "transfer_income")


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: how many households, and a few of them. `stops` says that it is an error."""

    code: str
    stops: bool
    count: int
    what: Sentence
    households: tuple[int, ...] = ()


def check_year(year: ReportingYear) -> list[Found]:
    """Everything wrong with an unsealed year, errors first; an empty list is a sound year."""
    found = list(_standing(year.year)) if year.state == YearState.OPEN else list(_history(year.year))
    return sorted([*_sums(year.year), *found], key=lambda one: not one.stops)


def _standing(year: int) -> Iterator[Found]:
    """Of the open year: its households as they stand."""
    live = Household.objects.visible_to(_everything()).filter(standing=Standing.LIVE)
    present = Membership._base_manager.filter(
        household_no=OuterRef("household_no"), latest=True, member_status__in=sorted(IN_HOUSEHOLD)
    )
    counted = present.order_by().values("household_no").annotate(n=Count("pk")).values("n")
    members = Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))
    yield from _some(
        "no_members", live.filter(~Exists(present)), Sentence("没有在户成员的户", "Households without a member")
    )
    headless = live.filter(Exists(present)).filter(~Exists(present.filter(person_no=OuterRef("head_person_no"))))
    yield from _some("no_head", headless, Sentence("户主不在户的户", "Households whose head is not a member"))
    disagree = live.annotate(n=members).exclude(n=F("member_count"))
    yield from _some(
        "members_disagree",
        disagree,
        Sentence("家庭人口数与成员数不符的户", "Households whose size is not their members'"),
    )
    facts = HouseholdYear._base_manager.filter(household_no=OuterRef("household_no"), year=year)
    poor = Sentence("没有年度记录的户", "Households without a record of the year")
    yield from _some("no_record", live.filter(~Exists(facts)), poor, stops=False)
    unknown = {f"{name}__isnull": True for name in INCOMES}
    no_income = Sentence("有年度记录而未采集收入的户", "Households with a record but no income collected")
    yield from _some("no_income", live.filter(Exists(facts.filter(**unknown))), no_income, stops=False)
    heads = facts.filter(member_count=None).exclude(**unknown)
    yield from _some(
        "no_denominator",
        live.filter(Exists(heads)),
        Sentence("有收入而无采集时人口数的户", "Households with an income and no number of members at collection"),
        stops=False,
    )
    yield from _some(
        "no_cause",
        live.filter(main_cause=""),
        Sentence("没有主要致贫原因的户", "Households without a main cause"),
        stops=False,
    )
    waiting = ChangeRequest._base_manager.filter(household_no=OuterRef("household_no"), state__in=OPEN_REQUESTS)
    asked = Sentence("有未办结变更申请的户", "Households with a change request that is not decided")
    yield from _some("open_requests", live.filter(Exists(waiting)), asked, stops=False)
    if clock.today().year <= year:
        yield Found("not_over", stops=False, count=1, what=Sentence("年度尚未结束", "The year is not over"))


def _history(year: int) -> Iterator[Found]:
    rows = HouseholdYear.objects.visible_to(_everything()).filter(year=year)
    yield from _some(
        "no_status",
        rows.filter(poverty_status=""),
        Sentence("没有年末脱贫标志的户", "Households without a status"),
        stops=False,
    )


def _sums(year: int) -> Iterator[Found]:
    """Wholes that are not the sums of their parts (domain.md §4.4); the services let none in."""
    wrong = Q(pk__in=())
    for whole, parts in PARTS.items():
        known = Q(pk__in=())
        for part in parts:
            known |= Q(**{f"{part}__isnull": False})
        total = sum((Coalesce(F(part), Value(0)) for part in parts[1:]), Coalesce(F(parts[0]), Value(0)))
        wrong |= known & (Q(**{f"{whole}__isnull": True}) | ~Q(**{whole: total}))
    rows = HouseholdYear.objects.visible_to(_everything()).filter(wrong, year=year)
    yield from _some(
        "sums_disagree", rows, Sentence("收入合计不等于各分项之和的户", "Households whose incomes do not add up")
    )


def _some(code: str, rows: QuerySet[Row], what: Sentence, *, stops: bool = True) -> Iterator[Found]:
    if count := rows.count():
        numbers = tuple(rows.order_by("household_no").values_list("household_no", flat=True)[:EXAMPLES])
        yield Found(code, stops, count, what, numbers)


def _everything() -> Viewer:
    return system_viewer("registry.seal")
