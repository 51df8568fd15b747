"""Named points at which a fault test ends the process.

Each durable step passes its point, `reached("slice.what_has_just_happened")`, and nothing listens:
a point costs one call. A process that is told WANJIA_CRASH_AT=name:k kills itself, as a power cut
would, the k-th time it stands there, so "what if we stop exactly here" is tried for every point
there is. Production refuses to start when that variable is set.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

_listener: Callable[[str], None] | None = None


def use(listener: Callable[[str], None] | None) -> None:
    """Let `listener` hear of every point passed in this process; None stops that."""
    global _listener  # noqa: PLW0603 - a process has one listener, and almost always none
    _listener = listener


def reached(point: str) -> None:
    """The process stands at `point`; it may not go on from here."""
    if _listener is not None:
        _listener(point)


def crash_at(where: str, mark: Path) -> None:
    """Kill this process at `where` ("name:k", k from 1), leaving the name and the number in the file `mark`."""
    wanted, _, number = where.partition(":")
    passing, guard, seen = int(number or 1), threading.Lock(), 0

    def listen(point: str) -> None:
        nonlocal seen
        if point != wanted:
            return
        with guard:
            seen += 1
            if seen == passing:
                mark.write_text(f"{point}:{seen}", encoding="ascii")
                os.kill(os.getpid(), signal.SIGKILL)

    use(listen)
