"""How long a change request may wait at one desk, and whose it is to press once it waits for twice that.

The days are policy, in force at the county the request's record lies in. A request stays where it is: the level
above sees it and presses, as with cases (domain.md §6.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce, Left

from wanjia.kernel import clock
from wanjia.reference.queries import calendar, parameter
from wanjia.registry.choices import OPEN_REQUESTS, RequestState
from wanjia.registry.models import ChangeRequest
from wanjia.registry.requests.policy import APPROVE, COUNTY_LENGTH
from wanjia.registry.requests.queries import at_my_desk
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import NOTHING, range_q
from wanjia.scope.viewer import Viewer

DAYS = "registry.requests.days"
RAISED_AFTER = 2  # times the days
_DAY = timedelta(days=1)
# Whose it is to press, by the length of the seat: the county the townships, the city the counties.
_ABOVE = {COUNTY_LENGTH: RequestState.TOWNSHIP, 4: RequestState.COUNTY}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Change requests a viewer should know of: at his desk, of those overdue, and raised to him from a level below."""

    at_desk: int = 0
    overdue: int = 0
    raised: int = 0


def due_on(request: ChangeRequest) -> date | None:
    """The last day on which an open request is in time at its desk; None once it is over."""
    if request.state not in OPEN_REQUESTS:
        return None
    county = request.village_code[:COUNTY_LENGTH]
    return calendar(county).add(clock.day_of(request.reviewed_at or request.proposed_at), _days(county))


def days_late(request: ChangeRequest) -> int:
    """Working days since a request should have been decided at its desk; 0 while it is in time."""
    due = due_on(request)
    if due is None or due >= clock.today():
        return 0
    return calendar(request.village_code[:COUNTY_LENGTH]).between(due, clock.today())


def waiting_for(viewer: Viewer) -> Waiting:
    """For the home page. Nothing is asked for whoever decides nothing."""
    if not viewer.may(APPROVE):
        return Waiting()
    mine = at_my_desk(viewer).order_by()
    counted = _dated(mine).aggregate(all=Count("pk"), late=Count("pk", filter=_late(_counties(mine), 1)))
    return Waiting(counted["all"], counted["late"], raised_to(viewer).count())


def raised_to(viewer: Viewer) -> QuerySet[ChangeRequest]:
    """Requests left lying one level below the viewer's office for twice their days, the oldest first."""
    rows = ChangeRequest.objects.visible_to(viewer, APPROVE)
    below = NOTHING
    for grant in viewer.grants_for(APPROVE):
        state = _ABOVE.get(len(grant.area.lo))
        if state is not None:
            below |= range_q("village_code", grant.area) & Q(state=state)
    rows = rows.filter(below)
    return _dated(rows).filter(_late(_counties(rows), RAISED_AFTER)).order_by("pk")


def _dated(rows: QuerySet[ChangeRequest]) -> QuerySet[ChangeRequest]:
    return rows.annotate(entered_at=Coalesce("reviewed_at", "proposed_at"))


def _counties(rows: QuerySet[ChangeRequest]) -> list[str]:
    found = rows.order_by().annotate(county=Left("village_code", COUNTY_LENGTH))
    return sorted(found.values_list("county", flat=True).distinct())


def _late(counties: Iterable[str], times: int) -> Q:
    """Which requests came to their desk so long ago that they are late today."""
    by_day: dict[date, list[str]] = defaultdict(list)
    for county in counties:
        by_day[_last_late(county, _days(county) * times)].append(county)
    late = NOTHING
    for day, places in by_day.items():
        of = NOTHING
        for county in places:
            of |= range_q("village_code", AreaRange.of(county))
        late |= of & Q(entered_at__lt=clock.start_of(day + _DAY))
    return late


def _last_late(county: str, days: int) -> date:
    """The last day such that what came on it should have been decided before today."""
    worked, day = calendar(county), clock.today() - _DAY
    while worked.add(day, days) >= clock.today():
        day -= _DAY
    return day


def _days(county: str) -> int:
    return int(parameter(DAYS, clock.today(), county))
