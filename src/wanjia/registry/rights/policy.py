"""Who may be erased, and from which day: who left the registry, once the retention period is over.

《个人信息保护法》第四十七条: what is held is erased when its purpose is fulfilled or the period it is
kept for has passed. The period is a parameter, with place and dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from wanjia.casework.queries import open_about
from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.registry.choices import OPEN_REQUESTS, ErasureState
from wanjia.registry.errors import ErasureInTheWay, PersonErased, RetentionNotOver, StillRegistered
from wanjia.registry.models import ChangeRequestItem, Erasure, Household, Membership, Person
from wanjia.registry.queries import current_person_no, merged_into
from wanjia.scope.system import system_viewer

ERASE = "registry.erase"
RETENTION = "registry.retention_years"
FORGETTING = system_viewer("registry.erase")


@dataclass(frozen=True, slots=True)
class Kept:
    """How long somebody who left is kept: since which day, for how many years, until which day."""

    left_on: date
    years: int

    @property
    def until(self) -> date:
        """The first day on which he may be erased."""
        return years_after(self.left_on, self.years)

    @property
    def is_over(self) -> bool:
        return self.until <= clock.today()


def retention_years(region: str) -> int:
    """How many years people of an area are kept after they left."""
    return int(parameter(RETENTION, clock.today(), region))


def years_after(day: date, years: int) -> date:
    """The same day some years later; of 29 February the day after it."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def left_before(region: str) -> date:
    """Whoever left on this day or earlier may be erased."""
    return years_after(clock.today(), -retention_years(region))


def kept(person: Person) -> Kept | None:
    """How long the person is kept; None while he is registered.

    Where the day he left is not known it is that on which his household left, or was registered: by
    then he was gone.
    """
    stay = Membership.objects.visible_to(FORGETTING).filter(person_no=person.pk, latest=True).first()
    home = Household.objects.visible_to(FORGETTING).get(pk=person.household_no)
    if home.is_live and (stay is None or stay.in_household):
        return None
    day = (stay and stay.left_on) or home.removed_on or home.entered_on
    return Kept(day, retention_years(person.village_code))


def numbers_of(person_no: int) -> list[int]:
    """Every number that means this person: his own, and those of registrations merged into it."""
    return sorted({person_no, *merged_into([person_no])})


def require_erasable(person: Person) -> Kept:
    """How long he was kept. Raises StillRegistered, RetentionNotOver, ErasureInTheWay."""
    found = kept(person)
    if found is None:
        raise StillRegistered(person_no=person.pk)
    if not found.is_over:
        raise RetentionNotOver(person_no=person.pk, left_on=found.left_on, years=found.years, day=found.until)
    numbers = numbers_of(person.pk)
    items = ChangeRequestItem.objects.visible_to(FORGETTING).filter(person_no__in=numbers)
    requests = items.filter(request__state__in=OPEN_REQUESTS).values("request").distinct().count()
    if (cases := open_about(numbers)) or requests:
        raise ErasureInTheWay(person_no=person.pk, cases=cases, requests=requests)
    return found


def require_not_erased(person: Person) -> None:
    """Raises PersonErased, which says since when, where nothing is left of somebody but his number."""
    if person.name:
        return
    done = Erasure.objects.visible_to(FORGETTING).filter(state=ErasureState.ERASED)
    found = done.filter(person_no=current_person_no(person.pk)).first()
    if found is not None and found.decided_at is not None:
        raise PersonErased(person_no=person.pk, day=clock.day_of(found.decided_at))
