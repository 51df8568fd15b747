"""An installation of its own, used through its commands: a home and, on PostgreSQL, a database."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Place:
    home: Path
    url: str

    def environment(self, **more: str) -> dict[str, str]:
        return os.environ | {
            "WANJIA_HOME": str(self.home),
            "WANJIA_DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.dev",
            "WANJIA_CLOCK_START": "",
            "LANG": "en",
            "COLUMNS": "2000",
        } | more  # fmt: skip

    def run(self, *command: object, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            env=self.environment(**more), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def start(self, *command: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, command)],
            env=self.environment(), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def told(self, *command: object) -> dict[str, object]:
        """The JSON a command ends with."""
        done = self.run(*command)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    def wanjia(self, *command: object) -> dict[str, object]:
        return self.told("wanjia.cli", *command, "--json")

    def refused(self, *command: object) -> str:
        """The code of the refusal a command ends with."""
        done = self.run("wanjia.cli", *command)
        assert done.returncode == 2, done.stdout + done.stderr[-4000:]
        return done.stderr.splitlines()[-1]


@contextlib.contextmanager
def place(home: Path) -> Iterator[Place]:
    """A home that is not there yet, and an empty database."""
    server = os.environ.get("WANJIA_DATABASE_URL", "")
    if not server:
        yield Place(home, "")
        return
    name = f"place_{uuid.uuid4().hex[:12]}"
    on_server(server, f'CREATE DATABASE "{name}"')
    try:
        yield Place(home, urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
    finally:
        on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def on_server(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


def database_is_empty(where: Place) -> bool:
    """Whether nothing was made in the place's database."""
    if not where.url:
        return not (where.home / "wanjia.sqlite3").exists()
    import psycopg

    with psycopg.connect(where.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    return found == (0,)


class Unheard:
    """A meter nobody looks at."""

    def bytes(self, title, total):
        return lambda amount: None

    def rows(self, title):
        return lambda amount: None


METER = Unheard()
