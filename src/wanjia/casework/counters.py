"""The counters of the home page, moved in the transaction that moves the cases.

Keys are touched in sorted order, so two transactions never wait for each other in a circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db import connection

from wanjia.casework.choices import Seat
from wanjia.casework.models import Case
from wanjia.casework.rules import seat_area
from wanjia.scope.reach import serving
from wanjia.scope.system import system_viewer


class Desk(NamedTuple):
    """What one open case adds to: where it lies, in which step, with which dates."""

    holder_area: str
    kind: str
    step: str
    warn_on: date
    due_on: date


class Move(NamedTuple):
    """What one act on one case adds to."""

    area_code: str
    kind: str
    topic: str
    on: date
    action: str
    to_step: str
    outcome: str


def desk_of(case: Case) -> Desk | None:
    """The counter an open case stands under; None once it is closed."""
    if case.closed_at is not None or case.warn_on is None or case.due_on is None:
        return None
    return Desk(case.holder_area, case.kind, case.step, case.warn_on, case.due_on)


def move_of(case: Case, action: str, on: date) -> Move:
    """The movement counter an act on `case`, as it stands afterwards, belongs to."""
    area = seat_area(case.area_code, Seat.TOWNSHIP)
    return Move(area, case.kind, case.topic, on, action, case.step, case.outcome)


def shift(*, before: Iterable[Desk | None], after: Iterable[Desk | None], moves: Iterable[Move]) -> None:
    """Take cases off the desks `before`, put them on those `after`, and count the moves."""
    change: Counter[Desk] = Counter(desk for desk in after if desk is not None)
    change.subtract(desk for desk in before if desk is not None)
    with serving(system_viewer("casework.counters")), connection.cursor() as cursor:
        for desk, n in sorted(change.items()):
            # A check constraint judges the row an upsert proposes, so what sinks is an update.
            if n > 0:
                cursor.execute(_ADD_DESK, [*desk, n])
            elif n < 0:
                cursor.execute(_TAKE_DESK, [-n, *desk])
                if cursor.rowcount != 1:
                    raise CounterMissing(str(desk))
        cursor.executemany(_ADD_MOVE, [(*move, n) for move, n in sorted(Counter(moves).items())])


class CounterMissing(RuntimeError):
    """A case left a desk that had no counter; a fault of the program, never of a user."""


def _columns(key: type) -> tuple[str, ...]:
    return tuple(key.__annotations__)


def _upsert(table: str, columns: tuple[str, ...]) -> str:
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
    return (
        f'INSERT INTO "{table}" ({names}, "n") VALUES ({marks}, %s) '  # noqa: S608 - names are this module's own
        f'ON CONFLICT ({names}) DO UPDATE SET "n" = "{table}"."n" + excluded."n"'
    )


_DESKS, _MOVES = "casework_casecounter", "casework_casemove"
_ADD_DESK = _upsert(_DESKS, _columns(Desk))
_ADD_MOVE = _upsert(_MOVES, _columns(Move))
_TAKE_DESK = f'UPDATE "{_DESKS}" SET "n" = "n" - %s WHERE ' + " AND ".join(f'"{name}" = %s' for name in _columns(Desk))  # noqa: S608
