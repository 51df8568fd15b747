"""SQLite at one instant, copied while others write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wanjia.backup.copying import Tell, sync
from wanjia.backup.tables import UNSAVED, Table

_PAGES = 1024  # per step; between steps progress is told
_BLOBS = {"BLOB": "bytes"}
VERSION = sqlite3.sqlite_version


class Reader:
    """A file nobody writes to, read row by row."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)

    def rows(self, table: Table) -> Iterator[Sequence[Any]]:
        columns, order = (", ".join(f'"{name}"' for name in names) for names in (table.columns, table.order))
        yield from self._connection.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')  # noqa: S608 - names of tables

    def tables(self) -> list[Table]:
        """The tables as the file itself describes them; for a store no model stands for."""
        names = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        return [self._described(name) for (name,) in names]

    def _described(self, name: str) -> Table:
        found = self._connection.execute(f'PRAGMA table_info("{name}")').fetchall()
        columns = {
            column: _BLOBS.get(kind.upper(), "text") for _, column, kind, *_ in sorted(found, key=lambda row: row[1])
        }
        order = tuple(row[1] for row in found if row[5]) or tuple(columns)
        return Table(name, columns, order)

    def scalars(self, sql: str) -> list[Any]:
        return [value for (value,) in self._connection.execute(sql)]

    def close(self) -> None:
        self._connection.close()


class Instant:
    """A database file as it is now, whatever is written to it afterwards.

    An open read transaction holds the instant: in WAL mode writers go on beside it, and the copy
    needs not begin again when they do.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=20, isolation_level=None)
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the instant is now

    def save(self, target: Path, tell: Tell = lambda _: None) -> None:
        """Copy it to a new file `target`, without sessions, whole and durable."""
        target.touch(mode=0o600, exist_ok=False)
        copy = sqlite3.connect(target, isolation_level=None)
        size = self._connection.execute("PRAGMA page_size").fetchone()[0]
        done = 0

        def told(_: int, left: int, total: int) -> None:
            nonlocal done
            tell((total - left - done) * size)
            done = total - left

        try:
            self._connection.backup(copy, pages=_PAGES, progress=told)
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute("PRAGMA secure_delete=ON")
            present = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for name in sorted(UNSAVED & present):
                copy.execute(f'DELETE FROM "{name}"')  # noqa: S608 - ours
        finally:
            copy.close()
        sync(target)

    def close(self) -> None:
        self._connection.close()
