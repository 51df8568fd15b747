"""Working-day arithmetic for deadlines (domain.md §6.1). The days off come from outside: they are data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Weekdays are worked except `holidays`; weekend days in `makeup` are worked (调休).

    A day that is in both is a holiday only if it is not made up: the make-up order is the
    later and more particular notice.
    """

    holidays: frozenset[date] = frozenset()
    makeup: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`."""
        return day in self.makeup or (day.weekday() < SATURDAY and day not in self.holidays)

    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day`, which itself does not count; `day` itself for 0.

        Raises ValueError for a negative n.
        """
        if n < 0:
            raise ValueError("working days are counted forward")
        while n:
            day += _DAY
            n -= self.is_working_day(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; negative when `end` lies before."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_working_day(start + _DAY * i) for i in range(1, (end - start).days + 1))

    def warn_day(self, start: date, due: date, share: float = 0.8) -> date:
        """The working day in whose course `share` of the time from `start` to `due` is used up.

        Seven days at 0.8: the sixth. Never after `due`.
        """
        if not 0 < share <= 1:
            raise ValueError("the share of time lies above 0 and up to 1")
        exact = Fraction(str(share)) * max(self.between(start, due), 0)  # 5 × 0.8 is 4, not a little more
        return min(self.add(start, ceil(exact)), max(start, due))
