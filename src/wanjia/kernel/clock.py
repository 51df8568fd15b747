"""The one clock. Nothing else in the platform asks for the time.

Instants are aware datetimes in UTC; days are days in China (UTC+8, no daylight saving since
1991). The source can be replaced: tests freeze it, the demo lets it run from a date in the
past at the speed of real time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "UTC+08:00")

Source = Callable[[], datetime]


def _system() -> datetime:
    return datetime.now(UTC)  # the only place that reads the machine's clock


_lock = threading.Lock()
_source: Source = _system


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _source()


def today() -> date:
    """The present day in China."""
    return day_of(now())


def day_of(instant: datetime) -> date:
    """The day in China on which `instant` falls."""
    return instant.astimezone(CHINA).date()


def start_of(day: date) -> datetime:
    """The first instant of `day` in China."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)


def use(source: Source | None) -> None:
    """Replace the clock's source for the whole process; None returns to the machine's clock."""
    global _source
    with _lock:
        _source = source or _system


def running_from(start: datetime) -> Source:
    """A source that shows `start` now and goes on at the speed of real time."""
    offset = start - _system()
    return lambda: _system() + offset


@contextmanager
def frozen(at: datetime | date) -> Iterator[Callable[[timedelta], None]]:
    """Stop the clock at `at` (a day means 09:00 in China); yields a function that moves it on."""
    moment = at if isinstance(at, datetime) else start_of(at) + timedelta(hours=9)
    previous = _source

    def advance(by: timedelta) -> None:
        nonlocal moment
        moment += by

    use(lambda: moment)
    try:
        yield advance
    finally:
        use(previous)
