"""Small tables kept in memory by each process, and read again when somebody has changed them.

Web threads, workers and commands each hold the divisions and the reference data. Who changes
such a table also changes its token in the database; the others look at the token at most every
few seconds, so a page costs no query for its labels and a new value is everywhere soon.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

LOOK_AGAIN_AFTER = 2.0  # seconds

_all: weakref.WeakSet[Remembered[Any]] = weakref.WeakSet()


class Remembered(Generic[T]):
    """One value, loaded when first wanted and again when its token has changed.

    `token` is cheap and differs whenever the value may differ; `load` is dear.
    """

    def __init__(self, load: Callable[[], T], token: Callable[[], str]) -> None:
        self._load = load
        self._token = token
        self._lock = threading.Lock()
        self._held: tuple[str, T] | None = None
        self._look_at = 0.0
        _all.add(self)

    def get(self) -> T:
        """The value, at most a few seconds behind the database."""
        held = self._held
        if held is not None and time.monotonic() < self._look_at:
            return held[1]
        with self._lock:
            # The token is read before the value: a change in between makes us load once more,
            # never keep the older value under the newer token.
            token = self._token()
            if self._held is None or self._held[0] != token:
                self._held = (token, self._load())
            self._look_at = time.monotonic() + LOOK_AGAIN_AFTER
            return self._held[1]

    def look_again(self) -> None:
        """Compare tokens at the next `get`: called by whoever has just changed the tables."""
        self._look_at = 0.0


def look_again_everywhere() -> None:
    """The same for every remembered value of this process (tests roll back under its feet)."""
    for remembered in list(_all):
        remembered.look_again()
