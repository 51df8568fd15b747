"""Installations for fault tests: real ones, copied at each stage of the line, with real processes in them."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).parents[2]
START = "2020-11-16T09:00:00+08:00"
PATIENCE = 180  # seconds; the machine may be busy
MARK = "crashed"  # the file a process that kills itself leaves, naming the point


def server() -> str:
    """The PostgreSQL server this run is on; "" on SQLite."""
    return os.environ.get("WANJIA_DATABASE_URL", "")


def database_kind() -> str:
    return "postgresql" if server() else "sqlite"


@dataclass(frozen=True)
class Ended:
    """How a child ended (below zero by a signal), and what it said."""

    status: int
    out: str
    errors: str


class Nursery:
    """The process that forks the children; see `tests.faults.nursery`."""

    def __init__(self, home: Path) -> None:
        self.place = Place(home)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"], cwd=ROOT, env=self.place.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        atexit.register(self.close)

    def run(self, arguments: tuple[str, ...], environment: dict[str, str]) -> Ended:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"arguments": arguments, "environment": environment}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the nursery itself has ended"
        return Ended(**json.loads(answer))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        shutil.rmtree(self.place.home, ignore_errors=True)


@cache
def _nursery() -> Nursery:
    return Nursery(Path(tempfile.mkdtemp(prefix="wanjia-nursery-")))


@dataclass
class Place:
    """One installation: a home, and on PostgreSQL a database of its own."""

    home: Path
    url: str = ""
    logs: Path | None = None  # where its processes write; beside the home, unless that may be full
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("WANJIA_", "FAULT_"))}
        return {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.dev",
            "WANJIA_HOME": str(self.home),
            "WANJIA_DATABASE_URL": self.url,
            "WANJIA_CLOCK_START": START,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }

    @property
    def database(self) -> str:
        """The database's name on its server."""
        return urlsplit(self.url).path[1:]

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Run a child of `tests.faults.child` to its end, whatever that is."""
        return _nursery().run(arguments, self.environment | environment)

    def told(self, *arguments: str, **environment: str) -> Any:
        """What a child says on its last line."""
        done = self.run(*arguments, **environment)
        assert done.status == 0, f"{arguments}: status {done.status}\n{done.errors[-4000:]}"
        return json.loads(done.out.splitlines()[-1])

    def start(self, *command: str, log: str = "process.log", **environment: str) -> subprocess.Popen[bytes]:
        """Start `python -m …` and leave it running."""
        with self._log(log).open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=self.environment | environment,
                stdout=stream, stderr=stream,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def log(self, name: str = "process.log") -> str:
        return self._log(name).read_text("utf-8", "replace")

    def _log(self, name: str) -> Path:
        return (self.logs or self.home.parent) / f"{self.home.name}.{name}"

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=30)


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def on_server(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def new_place(home: Path, *, like: Place | None = None, on: str | None = None, options: str = "") -> Place:
    """An installation at `home`: empty, or in the very state of another one nobody works in.

    `on` is the PostgreSQL server, if not that of this run; `options` are those of CREATE DATABASE.
    """
    url = server() if on is None else on
    if url:
        name = f"fault_{uuid.uuid4().hex[:12]}"
        template = f' TEMPLATE "{like.database}"' if like is not None else ""
        on_server(url, f'CREATE DATABASE "{name}"{template} {options}')
        url = _named(url, name)
    if like is not None:
        shutil.copytree(like.home, home)
    return Place(home, url)


def drop(place: Place) -> None:
    place.close()
    if place.url:
        on_server(_named(place.url, "postgres"), f'DROP DATABASE IF EXISTS "{place.database}" WITH (FORCE)')
    shutil.rmtree(place.home, ignore_errors=True)


@contextlib.contextmanager
def copied(home: Path, like: Place) -> Iterator[Place]:
    """A copy to break, for as long as the block lasts."""
    place = new_place(home, like=like)
    try:
        yield place
    finally:
        drop(place)
