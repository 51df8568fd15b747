"""Who looked at whose data: an append-only file of its own beside the database.

A SQLite file, `<home>/access/<node>.sqlite3`, on SQLite and on PostgreSQL installations alike:

- A row must be kept before the answer is sent, and must stay when the request's transaction is
  rolled back. A second connection to a SQLite main database would wait for the very write lock
  the request holds; on PostgreSQL it would double the connections of every thread.
- Reads outnumber changes a hundred to one and are kept for other periods. Their own file does not
  swell the database, its backups and its write-ahead log, and whoever gets a dump of the database
  does not learn who looked at whom.
- One code path, tested once. Every machine that serves pages writes a file of its own and commits
  it itself (the schedule `audit.commit_access` runs on each node), so nothing is shared over a
  network file system, which SQLite's locks do not survive.

Every process of a node appends through SQLite's write lock, so row numbers are the order of
commits and a leaf is simply a range of them: no row can slip in behind a leaf. Triggers refuse
changing or deleting rows. What each minute's leaf covers is recorded in the main log.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from wanjia.audit.details import DetailSource, register_source
from wanjia.audit.rules import JSON, SALT_SIZE, common_area, detail_digest, stamp
from wanjia.kernel import clock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS access (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor_id INTEGER NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    area TEXT NOT NULL,
    payload TEXT NOT NULL,
    salt BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS access_by_subject ON access (subject_kind, subject_id);
CREATE INDEX IF NOT EXISTS access_by_actor ON access (actor_id, id);
CREATE TABLE IF NOT EXISTS leaf (
    last_id INTEGER PRIMARY KEY,
    first_id INTEGER NOT NULL,
    minute TEXT NOT NULL,
    event_id TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS committed (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS watched (last_id INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS access_no_update BEFORE UPDATE ON access
    BEGIN SELECT RAISE(ABORT, 'access rows are append-only'); END;
CREATE TRIGGER IF NOT EXISTS access_no_delete BEFORE DELETE ON access
    BEGIN SELECT RAISE(ABORT, 'access rows are append-only'); END;
CREATE TRIGGER IF NOT EXISTS leaf_no_update BEFORE UPDATE ON leaf
    BEGIN SELECT RAISE(ABORT, 'leaves are append-only'); END;
CREATE TRIGGER IF NOT EXISTS leaf_no_delete BEFORE DELETE ON leaf
    BEGIN SELECT RAISE(ABORT, 'leaves are append-only'); END;
"""

_MINUTE = len("2020-11-16T01:00")


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One reading of one subject's personal data; `fields` are names, comma-separated and sorted."""

    actor_id: int
    actor_system: str
    action: str
    subject_kind: str
    subject_id: int
    fields: str
    reason: str
    area: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """The rows one entry of the log covers: a minute, or what a stopped worker left of it."""

    event_id: UUID
    minute: str
    rows: tuple[tuple[bytes, Mapping[str, JSON]], ...]

    @property
    def area(self) -> str:
        return common_area(str(payload["area"]) for _, payload in self.rows)

    def digests(self) -> list[bytes]:
        return [detail_digest(salt, payload) for salt, payload in self.rows]


@dataclass(frozen=True, slots=True)
class Look:
    """One access row, as far as watching who reads how much needs it."""

    row: int
    at: datetime
    actor_id: int
    subject: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Read:
    """What one person read between two rows: how many subjects, from when until when, and where they are."""

    subjects: int
    since: datetime
    until: datetime
    area: str


class AccessStore:
    """The access rows this node has written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.node = path.stem
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection; opened again in a forked child, which must not share it."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is None or held[0] != os.getpid():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            connection = sqlite3.connect(self.path, timeout=20, isolation_level=None)
            # FULL: the row must survive a power cut, because the answer was sent on its strength
            connection.executescript("PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;" + _SCHEMA)
            held = self._local.held = (os.getpid(), connection)
        return held[1]

    def close(self) -> None:
        """Close this thread's connection."""
        held = getattr(self._local, "held", None)
        if held is not None:
            held[1].close()
            del self._local.held

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:  # a full disk may have rolled it back already
                connection.execute("ROLLBACK")

    def append(self, rows: Iterable[AccessRow]) -> None:
        """Keep `rows`; durable when this returns."""
        with self._writing() as connection:
            at = stamp(clock.now())  # under the lock, so that times follow the order of rows
            connection.executemany(
                "INSERT INTO access (at, actor_id, subject_kind, subject_id, area, payload, salt)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        at,
                        row.actor_id,
                        row.subject_kind,
                        row.subject_id,
                        row.area,
                        json.dumps({"at": at} | asdict(row), ensure_ascii=False),
                        os.urandom(SALT_SIZE),
                    )
                    for row in rows
                ),
            )

    def plan_leaves(self) -> None:
        """Decide which rows the coming leaves cover: one leaf for each finished minute."""
        current = stamp(clock.now())[:_MINUTE]
        with self._writing() as connection:
            covered = connection.execute("SELECT coalesce(max(last_id), 0) FROM leaf").fetchone()[0]
            waiting = connection.execute("SELECT id, at FROM access WHERE id > ? ORDER BY id", (covered,)).fetchall()
            for minute, rows in groupby(waiting, key=lambda row: str(row[1])[:_MINUTE]):
                numbers = [row[0] for row in rows]
                if minute == current:
                    break
                connection.execute(
                    "INSERT INTO leaf (last_id, first_id, minute, event_id) VALUES (?, ?, ?, ?)",
                    (numbers[-1], numbers[0], minute, str(uuid4())),
                )

    def leaves_to_commit(self) -> list[Leaf]:
        """Leaves that are planned and not yet marked as recorded, oldest first."""
        found = self._connection().execute(
            "SELECT event_id, minute FROM leaf WHERE event_id NOT IN (SELECT event_id FROM committed) ORDER BY last_id"
        )
        return [Leaf(UUID(event), minute, tuple(self.rows_of(UUID(event)))) for event, minute in found.fetchall()]

    def mark_committed(self, event_id: UUID) -> None:
        """Note that the leaf's entry is in the main log."""
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO committed (event_id) VALUES (?)", (str(event_id),))

    def require_writable(self) -> None:
        """Take the write lock and give it back. Raises sqlite3.Error or OSError where rows cannot be kept."""
        with self._writing():
            pass

    def uncommitted(self) -> int:
        """How many rows no leaf in the main log covers yet; 0 where nothing was ever read."""
        if not self.path.exists():
            return 0
        found = self._connection().execute(
            "SELECT count(*) FROM access WHERE id >"
            " (SELECT coalesce(max(last_id), 0) FROM leaf JOIN committed USING (event_id))"
        )
        return int(found.fetchone()[0])

    def rows_of(self, event_id: UUID) -> list[tuple[bytes, Mapping[str, JSON]]]:
        """(salt, payload) of the rows a leaf covers, in order; none for a leaf of another node."""
        found = self._connection().execute(
            "SELECT access.salt, access.payload FROM leaf"
            " JOIN access ON access.id BETWEEN leaf.first_id AND leaf.last_id"
            " WHERE leaf.event_id = ? ORDER BY access.id",
            (str(event_id),),
        )
        return [(bytes(salt), json.loads(payload)) for salt, payload in found.fetchall()]

    def unwatched(self, before: timedelta) -> list[Look]:
        """People's rows nobody has watched yet and those of the time `before` them, in order.

        None where no row is new.
        """
        if not self.path.exists():
            return []
        connection = self._connection()
        (watched,) = connection.execute("SELECT coalesce(max(last_id), 0) FROM watched").fetchone()
        first = connection.execute("SELECT at FROM access WHERE id > ? ORDER BY id LIMIT 1", (watched,)).fetchone()
        if first is None:
            return []
        since = stamp(datetime.fromisoformat(first[0]) - before)
        # times follow the numbers of the rows, so a walk back from the first new one ends soon
        (outside,) = connection.execute(
            "SELECT coalesce((SELECT id FROM access WHERE id <= ? AND at < ? ORDER BY id DESC LIMIT 1), 0)",
            (watched, since),
        ).fetchone()
        found = connection.execute(
            "SELECT id, at, actor_id, subject_kind, subject_id FROM access WHERE id > ? AND actor_id > 0 ORDER BY id",
            (outside,),
        )
        return [Look(row, datetime.fromisoformat(at), actor, (kind, no)) for row, at, actor, kind, no in found]

    def mark_watched(self, last: int) -> None:
        """Note that every row up to number `last` has been watched."""
        with self._writing() as connection:
            connection.execute("DELETE FROM watched")
            connection.execute("INSERT INTO watched (last_id) VALUES (?)", (last,))

    def read_by(self, actor_id: int, first: int, last: int) -> Read:
        """What one person read from row `first` to row `last`, both of which are his."""
        rows = self._connection().execute(
            "SELECT at, subject_kind, subject_id, area FROM access WHERE actor_id = ? AND id BETWEEN ? AND ?"
            " ORDER BY id",
            (actor_id, first, last),
        )
        found = rows.fetchall()
        return Read(
            len({row[1:3] for row in found}),
            datetime.fromisoformat(found[0][0]),
            datetime.fromisoformat(found[-1][0]),
            common_area(row[3] for row in found),
        )

    def readings(
        self,
        ranges: Iterable[tuple[str, str | None]],
        *,
        limit: int = 200,
        since: datetime | None = None,
        before: datetime | None = None,
        **equal: str | int,
    ) -> Iterator[dict[str, Any]]:
        """Rows whose area lies in one of the half-open `ranges` and whose columns equal `equal`, newest first.

        `since` and `before` cut them by time.
        """
        columns = {"actor_id", "subject_kind", "subject_id"}
        if not equal.keys() <= columns:
            raise TypeError(f"rows are found by {sorted(columns)}")
        cuts, values = [], list[Any]()
        for low, high in ranges:
            cuts.append("(area >= ?)" if high is None else "(area >= ? AND area < ?)")
            values.extend([low] if high is None else [low, high])
        if not cuts:
            return
        values.extend(equal.values())
        times = [(sign, at) for sign, at in ((">=", since), ("<", before)) if at is not None]
        values.extend(stamp(at) for _, at in times)
        where = " AND ".join(
            [f"({' OR '.join(cuts)})", *(f"{name} = ?" for name in equal), *(f"at {sign} ?" for sign, _ in times)]
        )
        found = self._connection().execute(
            f"SELECT payload FROM access WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608 - fixed column names
            (*values, limit),
        )
        yield from (json.loads(payload) for (payload,) in found)


_stores: dict[Path, AccessStore] = {}
_stores_lock = threading.Lock()


def node_name() -> str:
    """The name of this machine, as a file may be called."""
    return "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in socket.gethostname()) or "node"


def access_store() -> AccessStore:
    """This installation's store on this machine."""
    path = Path(settings.WANJIA_HOME) / "access" / f"{node_name()}.sqlite3"
    with _stores_lock:
        return _stores.setdefault(path, AccessStore(path))


def forget_stores() -> list[AccessStore]:
    """Drop the stores of this process and return them; the next use opens the file again."""
    with _stores_lock:
        dropped = list(_stores.values())
        _stores.clear()
    return dropped


register_source(DetailSource("access", lambda event_id: access_store().rows_of(event_id)))
