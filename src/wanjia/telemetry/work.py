"""What this thread is working on: one request or one job, so that a log line can name it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

Facts = Mapping[str, str | int]

UNNAMED = "-"  # where a request has not found its route yet, or there is no work at all


def new_reference() -> str:
    """Short enough to be read out over the telephone; names one request in the log."""
    return uuid.uuid4().hex[:12]


@dataclass(slots=True)
class Work:
    """A request or a job under way. `name` and `facts` are asked when a line is written, not before.

    `facts` are ids and codes: the route's numbers, the reader's account number, the job's try.
    """

    kind: Literal["request", "job"]
    reference: str
    name: Callable[[], str]
    facts: Callable[[], Facts]
    began: float = field(default_factory=time.perf_counter)
    queries: int = 0
    query_seconds: float = 0.0
    slow: int = 0

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self.began

    def described(self) -> dict[str, str | int]:
        """What every log line says of it."""
        said = (
            {"request": self.reference, "route": self.name()} if self.kind == "request" else {"job_name": self.name()}
        )
        return said | dict(self.facts())


_current: ContextVar[Work | None] = ContextVar("wanjia_work", default=None)


def current() -> Work | None:
    """What this thread is working on, if anything."""
    return _current.get()


@contextmanager
def working(work: Work) -> Iterator[Work]:
    """Whatever is logged and asked of the database inside belongs to `work`."""
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)
