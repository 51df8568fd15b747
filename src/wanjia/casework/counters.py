"""The counters of lists and home page, written in the transaction that moves the cases.

An act never changes a row of the counters: it adds rows saying by how much, so two acts never wait
for each other, however many cases they move and in whatever order. Whoever reads adds up; `fold`
puts what was added into the row it belongs to, now and then, and changes no sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

from wanjia.casework.choices import Seat
from wanjia.casework.models import EVERY_TOPIC, Case, CaseCounter, CaseMove
from wanjia.casework.rules import seat_area
from wanjia.kernel.points import reached
from wanjia.scope import bulk
from wanjia.scope.reach import serving
from wanjia.scope.system import system_viewer

AT_ONCE = 5_000  # rows folded in one transaction


class Desk(NamedTuple):
    """What one open case adds to: where it lies and where it is about, in which step, with which dates."""

    holder_area: str
    place: str
    kind: str
    flow_version: int
    topic: str
    step: str
    raised_to: str
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
    return Desk(
        case.holder_area, seat_area(case.area_code, Seat.TOWNSHIP), case.kind, case.flow_version, case.topic,
        case.step, case.raised_to, case.warn_on, case.due_on,
    )  # fmt: skip


def move_of(case: Case, action: str, on: date) -> Move:
    """The movement counter an act on `case`, as it stands afterwards, belongs to."""
    area = seat_area(case.area_code, Seat.TOWNSHIP)
    return Move(area, case.kind, case.topic, on, action, case.step, case.outcome)


class Tally:
    """By how much one act changes the counters; written once, when the act is recorded."""

    def __init__(self) -> None:
        self._desks: Counter[Desk] = Counter()
        self._moves: Counter[Move] = Counter()

    def shift(self, *, before: Iterable[Desk | None], after: Iterable[Desk | None], moves: Iterable[Move] = ()) -> None:
        """Cases leave the desks `before`, reach those `after`, and made these moves."""
        self._desks.subtract(desk for desk in before if desk is not None)
        self._desks.update(desk for desk in after if desk is not None)
        self._moves.update(moves)

    def write(self) -> None:
        """Add what was tallied, in the running transaction, and begin anew."""
        desks = Counter(self._desks)
        for desk, n in self._desks.items():
            desks[desk._replace(topic=EVERY_TOPIC)] += n  # noqa: SLF001 - public, as of every named tuple
        with _counting():
            _add(CaseCounter, Desk, [(*desk, n) for desk, n in desks.items() if n])
            _add(CaseMove, Move, [(*move, n) for move, n in self._moves.items()])
        self._desks.clear()
        self._moves.clear()


def fold() -> int:
    """Put the rows acts added into those they belong to; returns how many. The sums stay the same.

    May run twice at once, beside any act, and stop anywhere.
    """
    done = 0
    for model, key in ((CaseCounter, Desk), (CaseMove, Move)):
        while folded := _fold_some(model, key):
            done += folded
    with transaction.atomic(), _counting():
        _rows(CaseCounter).filter(folded=True, n=0).delete()
    return done


def added() -> int:
    """How many rows wait to be folded."""
    return sum(_rows(model).filter(folded=False).count() for model in (CaseCounter, CaseMove))


def differing() -> list[tuple[Desk, int]]:
    """The counters that are not what a count of the cases gives, and by how much they fall short; none should."""
    with _counting() as cursor:
        cursor.execute(_DIFFERENCES)
        return [(Desk(*row[:-1]), int(row[-1])) for row in cursor.fetchall()]


def recount() -> int:
    """Add to the counters what they lack of a count of the cases; returns how many were wrong.

    One statement, so it may run while people work.
    """
    with transaction.atomic(), _counting() as cursor:
        cursor.execute(_CORRECT)
        return int(cursor.rowcount)


@contextmanager
def _counting() -> Iterator[CursorWrapper]:
    with serving(system_viewer("casework.counters")), connection.cursor() as cursor:
        yield cursor


def _add(model: type[models.Model], key: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        columns = dict(zip((*_columns(key), "n"), zip(*rows, strict=True), strict=True))
        bulk.insert(model, {**columns, "folded": [False] * len(rows)})


def _fold_some(model: type[CaseCounter | CaseMove], key: Any) -> int:
    """The rows that were added first; in the order of their keys, so that two who fold never wait in a circle."""
    with transaction.atomic(), _counting() as cursor:
        added = _rows(model).filter(folded=False)
        rows = added.order_by("pk").select_for_update(skip_locked=True).values_list("pk", *_columns(key), "n")
        some = list(rows[:AT_ONCE])
        if not some:
            return 0
        sums: Counter[tuple[Any, ...]] = Counter()
        for _, *name, n in some:
            sums[tuple(name)] += n
        cursor.executemany(
            _upsert(model._meta.db_table, _columns(key)), [(*name, n) for name, n in sorted(sums.items())]
        )
        reached("casework.folding")
        added.filter(pk__in=[row[0] for row in some]).delete()
    return len(some)


def _rows(model: type[CaseCounter | CaseMove]) -> models.QuerySet[Any]:
    return model.objects.overseen_by(system_viewer("casework.counters"))


def _columns(key: type) -> tuple[str, ...]:
    return tuple(key.__annotations__)


def _upsert(table: str, columns: tuple[str, ...]) -> str:
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
    return (
        f'INSERT INTO "{table}" ({names}, "n", "folded") VALUES ({marks}, %s, TRUE) '  # noqa: S608 - names are this module's own
        f'ON CONFLICT ({names}) WHERE "folded" DO UPDATE SET "n" = "{table}"."n" + excluded."n"'
    )


_DESKS, _CASES = CaseCounter._meta.db_table, Case._meta.db_table
_KEY = ", ".join(f'"{name}"' for name in _columns(Desk))
_OPEN = """
SELECT "holder_area", SUBSTR("area_code", 1, 9) AS "place", "kind", "flow_version", {topic} AS "topic", "step",
       "raised_to", "warn_on", "due_on", COUNT(*) AS "n"
FROM "{cases}"
WHERE "closed_at" IS NULL AND "warn_on" IS NOT NULL AND "due_on" IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
# What a count of the open cases gives, less what the counters say, where that is not nothing.
_DIFFERENCES = f"""
SELECT {_KEY}, SUM("n") AS "n"
FROM (
    {_OPEN.format(topic='"topic"', cases=_CASES)}
    UNION ALL {_OPEN.format(topic=f"CAST('{EVERY_TOPIC}' AS VARCHAR(20))", cases=_CASES)}
    UNION ALL SELECT {_KEY}, -SUM("n") FROM "{_DESKS}" GROUP BY {_KEY}
) each_one
GROUP BY {_KEY}
HAVING SUM("n") <> 0
"""  # noqa: S608 - names are this module's own
_CORRECT = f'INSERT INTO "{_DESKS}" ({_KEY}, "n", "folded") SELECT {_KEY}, "n", FALSE FROM ({_DIFFERENCES}) wrong'  # noqa: S608 - as above
