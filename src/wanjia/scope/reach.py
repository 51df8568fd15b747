"""How far a statement may see: the second lock, below the querysets.

A statement's reach is a set of area ranges. Querysets made by `visible_to` carry their viewer's;
everything else (raw SQL, foreign keys, base managers) falls back to the reach of whoever is being
served, and nobody being served sees nothing. PostgreSQL enforces it (`scope.postgresql`); on
SQLite it is carried and not used.

The reach covers all of a viewer's grants, whatever the action and relation, in at most four
ranges: it may be coarser than the first lock and is never narrower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias, TypeVar

from django.db import models

from wanjia.scope.areas import EVERYWHERE, AreaRange, merged
from wanjia.scope.viewer import Viewer

SLOTS = 4
ABOVE_ALL_DIGITS = "z"  # a letter sorts after every digit in every collation; a colon does not

Reach: TypeAlias = tuple[AreaRange, ...]
NOWHERE: Reach = ()
WHOLE: Reach = (EVERYWHERE,)

_ATTRIBUTE = "wanjia_reach"  # Django's Query copies its attributes when it is cloned
_served: ContextVar[Reach] = ContextVar("wanjia_reach", default=NOWHERE)

M = TypeVar("M", bound=models.Model)


def reach_of(viewer: Viewer) -> Reach:
    """Everywhere a viewer holds any grant; a system viewer reaches everything."""
    return WHOLE if viewer.is_system else merged(grant.area for grant in viewer.grants)


def stamped(rows: models.QuerySet[M], viewer: Viewer) -> models.QuerySet[M]:
    """The same rows, whose statements reach as far as `viewer` does."""
    setattr(rows.query, _ATTRIBUTE, reach_of(viewer))
    return rows


def stamp_of(query: object) -> Reach | None:
    """The reach a query carries; an aggregate carries that of the query it wraps."""
    found: Reach | None = getattr(query, _ATTRIBUTE, None)
    inner = getattr(query, "inner_query", None)
    return stamp_of(inner) if found is None and inner is not None else found


def served() -> Reach:
    """The reach of whoever is being served."""
    return _served.get()


@contextmanager
def serving(viewer: Viewer) -> Iterator[None]:
    """Statements inside that carry no reach of their own have `viewer`'s."""
    token = _served.set(reach_of(viewer))
    try:
        yield
    finally:
        _served.reset(token)


def covering(reach: Reach, most: int = SLOTS) -> Reach:
    """At most `most` ranges that cover `reach`: neighbours with the longest common beginning become one."""
    ranges = list(merged(reach))
    while len(ranges) > most:
        at = max(range(len(ranges) - 1), key=lambda i: (_common(ranges[i].lo, ranges[i + 1].lo), -i))
        ranges[at : at + 2] = [AreaRange(ranges[at].lo, ranges[at + 1].hi)]
    return tuple(ranges)


def slots(reach: Reach) -> tuple[str, ...]:
    """Lo and hi of each slot; an empty slot is ('', ''), between which nothing lies."""
    filled = [bound for item in covering(reach) for bound in (item.lo, item.hi or ABOVE_ALL_DIGITS)]
    return (*filled, *[""] * (2 * SLOTS - len(filled)))


def _common(one: str, other: str) -> int:
    same = 0
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            break
        same += 1
    return same
