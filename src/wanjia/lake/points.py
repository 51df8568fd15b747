"""Named points at which a fault test ends the process.

Each durable step passes its point; in production nothing listens. A test's child process calls
`use(...)` with a function that kills it at the k-th passing, so "what if we stop exactly here"
is tried for every point there is.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = (
    "lake.staged",  # files written, nothing synced
    "lake.synced",  # files durable, no manifest
    "lake.manifest",  # manifest durable in the staging folder, nothing visible
    "lake.renamed",  # visible; the folder's entry may not be durable yet
    "lake.published",  # visible and durable
)

_listeners: list[Callable[[str], None]] = []


def use(listener: Callable[[str], None] | None) -> None:
    """Listen to every point passed in this process; None stops listening."""
    _listeners[:] = [] if listener is None else [listener]


def reached(point: str) -> None:
    """The process stands at `point`; it may not go on from here."""
    for listener in _listeners:
        listener(point)
