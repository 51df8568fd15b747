"""Backing off, progress in words, slots of a schedule. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from wanjia.kernel.clock import CHINA

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
LONGEST_TEXT = 200  # characters: room for a code or an address in the lake, not for prose


def backoff(attempt: int) -> timedelta:
    """How long to wait after failed attempt number `attempt` (from 1): 5 s, doubling, at most 10 min."""
    doublings = min(attempt - 1, 10)  # beyond these it is the longest anyway
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `rate` is units a second; both it and `left` are None until they mean something."""

    done: int
    total: int
    note: str
    seconds: float

    @property
    def percent(self) -> int | None:
        """0…100, or None while the total is unknown."""
        return min(100, self.done * 100 // self.total) if self.total > 0 else None

    @property
    def rate(self) -> float | None:
        return self.done / self.seconds if self.done > 0 and self.seconds >= 1 else None

    @property
    def left(self) -> timedelta | None:
        """The time left at the present rate."""
        if not self.rate or self.total <= 0:
            return None
        return timedelta(seconds=round(max(0, self.total - self.done) / self.rate))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every so many seconds, or once a day at a time of day in China; exactly one of the two."""

    every: timedelta | None = None
    daily: time | None = None

    def __post_init__(self) -> None:
        if (self.every is None) == (self.daily is None):
            raise ValueError("a schedule is either `every` some seconds or `daily` at a time")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ValueError("a schedule cannot be due more than once a second")

    def slot(self, now: datetime) -> int:
        """The number of the latest moment at which it was due; grows by one with each."""
        if self.every is not None:
            return int(now.timestamp() // self.every.total_seconds())
        assert self.daily is not None  # noqa: S101 - one of the two, see above
        local = now.astimezone(CHINA)
        return local.toordinal() - (local.time() < self.daily)


def fit_for_storage(value: object, where: str = "args") -> str | None:
    """The place of the first thing in `value` that is no id, code, flag or short list of them."""
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, str):
        return where if len(value) > LONGEST_TEXT else None
    if isinstance(value, (list, tuple)):
        found = (fit_for_storage(item, f"{where}[{number}]") for number, item in enumerate(value))
    elif isinstance(value, dict):
        found = (fit_for_storage(item, f"{where}.{key}") for key, item in value.items())
    else:
        return where
    return next((place for place in found if place), None)
