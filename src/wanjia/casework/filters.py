"""A saved filter over cases: what the address of a list says, and what a bulk act repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q

from wanjia.casework import declared
from wanjia.casework.choices import SEAT_LENGTH, Seat
from wanjia.casework.models import EVERY_TOPIC, CaseEvent
from wanjia.kernel import clock
from wanjia.kernel.codes import is_division_code
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import range_q

LONGEST_NUMBER = 12  # as the form's field; Python refuses to read thousands of digits
EARLIEST, LATEST = date(1949, 10, 1), date(2999, 12, 31)
STATES = ("open", "overdue", "yellow", "closed", "all")
AREAS = ("area", "place", "beyond", "desk", "under")
OPEN_STATES = ("open", "overdue", "yellow")  # states that hold no closed case


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases: every part narrows, an empty part does not.

    Values come from addresses, so what makes no sense is dropped rather than refused.

    `area` is everything under a division, `place` what lies in a division as a whole and in no single
    part of it, `beyond` what lies outside a division and is the reader's through one of its people,
    `desk` exactly one holder's desk, `under` every desk in a division, `mine` "1" the viewer's own
    turn and "0" everybody else's, `raised` what was raised to his level, `decided_from` and
    `decided_to` the days (in China, both included) between which a case was decided at least once.
    """

    kind: str = ""
    step: str = ""
    topic: str = ""
    area: str = ""
    place: str = ""
    beyond: str = ""
    desk: str = ""
    under: str = ""
    department: str = ""
    outcome: str = ""
    state: str = "open"
    household: str = ""
    mine: str = ""
    raised: str = ""
    decided_from: str = ""
    decided_to: str = ""

    @classmethod
    def from_query(cls, values: Mapping[str, str]) -> CaseFilter:
        """The filter an address names."""
        asked = {item.name: values.get(item.name, "").strip() for item in fields(cls)}
        given = {name: value for name, value in asked.items() if value and "\0" not in value}  # no column holds a NUL
        if given.get("state") not in STATES:
            given.pop("state", None)
        for name in AREAS:
            if not is_division_code(given.get(name, "")):
                given.pop(name, None)
        if not _is_number(given.get("household", "")):
            given.pop("household", None)
        for name in ("decided_from", "decided_to"):
            if _day(given.get(name, "")) is None:
                given.pop(name, None)
        return cls(**given)

    def as_dict(self) -> dict[str, str]:
        """The parts that narrow, for an address or the audit entry."""
        return {name: value for name, value in asdict(self).items() if value and (name, value) != ("state", "open")}

    def condition(self) -> Q:
        """The rows that match; `mine` and `raised` need a viewer and are added by the query."""
        wanted = Q()
        for name in ("kind", "step", "topic", "department", "outcome"):
            if value := getattr(self, name):
                wanted &= Q(**{name: value})
        if self.area:
            wanted &= range_q("area_code", AreaRange.of(self.area))
        if self.place:
            wanted &= Q(area_code=self.place)
        if self.beyond:
            wanted &= ~range_q("area_code", AreaRange.of(self.beyond))
        if self.desk:
            wanted &= Q(holder_area=self.desk)
        if self.under:
            wanted &= range_q("holder_area", AreaRange.of(self.under))
        if self.household:
            wanted &= Q(subjects__household_no=int(self.household))
        if self.asks_when_decided:
            wanted &= self._decided_q()
        return wanted & _state_q(self.state)

    def counter_condition(self) -> Q:
        """The counters whose cases match; `mine` and `raised` are added by the query. See `counters_tell`."""
        wanted = Q(topic=self.topic or EVERY_TOPIC)
        for name in ("kind", "step"):
            if value := getattr(self, name):
                wanted &= Q(**{name: value})
        if self.area:
            wanted &= range_q("place", AreaRange.of(self.area))
        if self.desk:
            wanted &= Q(holder_area=self.desk)
        if self.under:
            wanted &= range_q("holder_area", AreaRange.of(self.under))
        return wanted & _dates_q(self.state)

    @property
    def counters_tell(self) -> bool:
        """Whether the counters know how many cases match: they hold the open ones, by township."""
        named = self.department or self.outcome or self.household or self.asks_when_decided
        return self.state in OPEN_STATES and not named and self._wide and not self._by_own_area

    @property
    def moves_tell(self) -> bool:
        """Whether the counters of moves know how many closed cases match: by township, topic and outcome."""
        named = self.step or self.department or self.household or self.mine or self.raised or self.desk or self.under
        open_too = self.state == "all" and self.outcome
        if named or open_too or self.asks_when_decided or self._by_own_area:
            return False
        return self.state in ("closed", "all") and self._wide

    @property
    def _wide(self) -> bool:
        return len(self.area) <= SEAT_LENGTH[Seat.TOWNSHIP]

    @property
    def _by_own_area(self) -> bool:
        """Whether it asks where a case itself lies, which the counters know no closer than by township."""
        return bool(self.place or self.beyond)

    @property
    def asks_when_decided(self) -> bool:
        """Whether it needs the history of cases, which reaches farther than their readers."""
        return bool(self.decided_from or self.decided_to)

    def _decided_q(self) -> Q:
        events = CaseEvent.objects.of_acts(declared.deciding()).filter(case=OuterRef("pk"))
        first, last = _day(self.decided_from), _day(self.decided_to)
        if first is not None:
            events = events.filter(at__gte=clock.start_of(first))
        if last is not None:
            events = events.filter(at__lt=clock.start_of(last + timedelta(days=1)))
        return Q(Exists(events))


def _state_q(state: str) -> Q:
    match state:
        case "all":
            return Q()
        case "closed":
            return Q(closed_at__isnull=False)
        case _:
            return Q(closed_at=None) & _dates_q(state)


def _dates_q(state: str) -> Q:
    """What an open state says of the dates."""
    today = clock.today()
    match state:
        case "overdue":
            return Q(due_on__lt=today)
        case "yellow":
            return Q(warn_on__lte=today, due_on__gte=today)
        case _:
            return Q()


def _day(text: str) -> date | None:
    """A day of our own time, written 2020-11-16; the ends of the calendar are no instants in UTC."""
    try:
        day = date.fromisoformat(text) if len(text) == len("2020-11-16") else None
    except ValueError:
        return None
    return day if day is not None and EARLIEST <= day <= LATEST else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
