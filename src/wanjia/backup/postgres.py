"""PostgreSQL at one instant: `pg_dump` and our own reading share an exported snapshot."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.string import TextLoader

from wanjia.backup.copying import sync
from wanjia.backup.errors import RowsHidden, ToolFailed, ToolMissing
from wanjia.backup.tables import UNSAVED, Table

_BATCH = 5_000
_LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "options")


def parameters(described: Mapping[str, Any]) -> dict[str, str]:
    """What libpq needs to know, of Django's description of the database."""
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    found = {name: str(described[key]) for name, key in named.items() if described.get(key)}
    options = described.get("OPTIONS", {})
    return found | {name: str(options[name]) for name in _LIBPQ if options.get(name)}


class Instant:
    """The database as it is now; also what reads it."""

    def __init__(self, connected: Mapping[str, str]) -> None:
        self._parameters = dict(connected)
        self._connection = psycopg.connect(**self._parameters, autocommit=True)  # type: ignore[arg-type]
        for kind in ("json", "jsonb"):
            self._connection.adapters.register_loader(kind, TextLoader)
        self._connection.execute("SET TIME ZONE 'UTC'")
        self._connection.execute("SET row_security = off")  # hidden rows are an error, not an absence
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = self._connection.execute("SELECT pg_export_snapshot()").fetchone()
        self._snapshot = str(row[0]) if row else ""

    @property
    def version(self) -> int:
        return self._connection.info.server_version // 10_000

    def tables(self) -> list[str]:
        """Names of the tables there are."""
        found = self._connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        )
        return [str(name) for (name,) in found]

    def scalars(self, text: str) -> list[Any]:
        return [value for (value,) in self._connection.execute(text.encode())]

    def rows(self, table: Table) -> Iterator[Sequence[Any]]:
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        order = sql.SQL(", ").join(_ordered(name, table.columns[name]) for name in table.order)
        query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(columns, sql.Identifier(table.name), order)
        with self._connection.cursor(name="backup") as cursor:
            cursor.itersize = _BATCH
            try:
                cursor.execute(query)
            except psycopg.errors.InsufficientPrivilege:
                raise RowsHidden(table=table.name) from None
            yield from cursor

    def save(self, target: Path) -> None:
        """Dump this instant to a new file `target`. Raises ToolMissing, ToolFailed."""
        target.touch(mode=0o600, exist_ok=False)
        without = [f"--exclude-table-data={name}" for name in sorted(UNSAVED)]
        _run(
            [str(_tool("pg_dump", self.version)), "--format=custom", "--compress=1", f"--snapshot={self._snapshot}",
             "--no-owner", *without, f"--file={target}"],
            self._parameters,
        )  # fmt: skip
        target.chmod(0o600)
        sync(target)

    def close(self) -> None:
        self._connection.close()


def load(dump: Path, connected: Mapping[str, str], version: int) -> None:
    """Fill an empty database from a dump, in one transaction. Raises ToolMissing, ToolFailed."""
    _run(
        [str(_tool("pg_restore", version)), "--no-owner", "--single-transaction", "--exit-on-error", str(dump)],
        connected,
    )


def require_tool(name: str, version: int) -> None:
    """Raise ToolMissing where the program is missing or older than `version`."""
    _tool(name, version)


def _ordered(name: str, kind: str) -> sql.Composable:
    """Byte by byte, whatever language the database sorts by: as SQLite does."""
    collation = ' COLLATE "C"' if kind == "text" else ""
    return sql.SQL("{}" + collation).format(sql.Identifier(name))


def _tool(name: str, version: int) -> Path:
    places = [Path(found)] if (found := shutil.which(name)) else []
    places += sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: path.parts[-3].zfill(3))
    for path in places:
        if _version(path) >= version:
            return path
    raise ToolMissing(tool=name, version=version)


def _version(program: Path) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found above
    found = re.search(r"\b(\d+)", done.stdout)
    return int(found.group(1)) if found else 0


def _run(command: list[str], connected: Mapping[str, str]) -> None:
    """Run one of PostgreSQL's programs; the password travels in the environment, which others cannot read."""
    public = {name: value for name, value in connected.items() if name != "password"}
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if "password" in connected:
        environment["PGPASSWORD"] = connected["password"]
    target = [f"--dbname={make_conninfo(**public)}"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [command[0], *target, *command[1:]], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise _refusal(Path(command[0]).name, done.stderr)


def _refusal(tool: str, text: str) -> RowsHidden | ToolFailed:
    """What the program said, in its first line: the later ones may quote rows."""
    hidden = re.search(r'row-level security policy for table "(\w+)"', text)
    if hidden:
        return RowsHidden(table=hidden.group(1))
    lines = [line for line in text.splitlines() if "error" in line.lower()] or text.splitlines() or ["?"]
    return ToolFailed(tool=tool, said=lines[0][:300])


@contextlib.contextmanager
def instant(connected: Mapping[str, str]) -> Iterator[Instant]:
    """The database as it is now, closed afterwards."""
    opened = Instant(connected)
    try:
        yield opened
    finally:
        opened.close()
