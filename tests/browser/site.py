"""A real installation to look at: the demo's line run once for a small county, then server and worker.

    with installed(home) as site:
        page.goto(site.url)

The processes are the `wanjia` command's own; nothing of the site runs inside the test.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from wanjia.demo.choices import Until
from wanjia.demo.staff import PASSWORD

ROOT = Path(__file__).parents[2]
PEOPLE, RECORDS, SEED = 600, 2_500, 11
START = "2020-11-16T09:00:00+08:00"
READY_WITHIN = 60  # seconds; the machine may be busy with other tests


@dataclass(frozen=True, slots=True)
class Site:
    """A running site: where it answers, where it keeps its data, and what the demo reported."""

    url: str
    home: Path
    built: dict[str, Any]
    password: str = PASSWORD


@contextlib.contextmanager
def installed(
    home: Path, *, people: int = PEOPLE, records: int = RECORDS, seed: int = SEED, until: Until = Until.WORKED
) -> Iterator[Site]:
    """Build a small county under `home` and serve it on a free port until the block ends."""
    with (
        built(home, people=people, records=records, seed=seed, until=until) as made,
        _running(home, _environment(home, made.database_url), made.told) as site,
    ):
        yield site


@dataclass(frozen=True, slots=True)
class Built:
    """An installation nobody works in: its home, its database ("" is SQLite's, in the home), what its demo told."""

    home: Path
    database_url: str
    told: dict[str, Any]


@contextlib.contextmanager
def built(home: Path, *, people: int, records: int, seed: int, until: Until = Until.WORKED) -> Iterator[Built]:
    """A small county under `home`, there until the block ends."""
    with _database() as database_url:
        environment = _environment(home, database_url)
        size = ["--people", str(people), "--records", str(records), "--seed", str(seed), "--until", until]
        command = ["demo", "--no-serve", "--json", "--home", str(home), *size]
        with _noted(home.parent / f"{home.name}.build.log") as log:
            told = _run(_wanjia(command), environment, log)
        yield Built(home, database_url, told)


@contextlib.contextmanager
def copied(like: Built, home: Path, *, then: str = "") -> Iterator[Site]:
    """Serve a copy of it under `home` on a free port until the block ends.

    `then` is a module that changes the copy first and tells JSON at last.
    """
    with _database(like.database_url) as database_url:
        shutil.copytree(like.home, home)
        environment, told = _environment(home, database_url), like.told
        if then:
            with _noted(home.parent / f"{home.name}.build.log") as log:
                told = told | _run([sys.executable, "-m", then], environment, log)
        with _running(home, environment, told) as site:
            yield site


@contextlib.contextmanager
def built_by(home: Path, module: str, *arguments: str) -> Iterator[Site]:
    """Let `module` build an installation under `home`, and serve it until the block ends; it tells JSON at last."""
    with _database() as database_url:
        environment = _environment(home, database_url)
        with _noted(home.parent / f"{home.name}.build.log") as log:
            built = _run([sys.executable, "-m", module, *arguments], environment, log)
        with _running(home, environment, built) as site:
            yield site


@contextlib.contextmanager
def served(home: Path) -> Iterator[Site]:
    """Serve a finished SQLite demo under `home` on a free port until the block ends."""
    built = json.loads((home / "demo.json").read_text(encoding="utf-8"))["result"]
    with _running(home, _environment(home, ""), built) as site:
        yield site


def _environment(home: Path, database_url: str) -> dict[str, str]:
    environment = {
        **os.environ,
        "WANJIA_HOME": str(home),
        "WANJIA_DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.dev",
    }
    environment.pop("WANJIA_CLOCK_START", None)  # the demo chooses its own clock while it builds
    return environment


@contextlib.contextmanager
def _running(home: Path, environment: dict[str, str], built: dict[str, Any]) -> Iterator[Site]:
    """Server and worker as two processes, their clock running from the demo's last day."""
    port = _free_port()
    environment = environment | {"WANJIA_CLOCK_START": START}
    with _noted(home.parent / f"{home.name}.site.log") as log:
        parts = (["serve", "--port", str(port)], ["worker"])
        processes = [subprocess.Popen(_wanjia(part), env=environment, stdout=log, stderr=log) for part in parts]
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, processes[0], Path(log.name))
            yield Site(url, home, built)
        finally:
            _stop(processes)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        if process.poll() is None:
            process.kill()
            process.wait()


def _wanjia(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "wanjia.cli", *arguments]


def _run(command: list[str], environment: dict[str, str], log: Any) -> dict[str, Any]:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, check=False, text=True
    )
    if done.returncode:
        tail = Path(log.name).read_text(encoding="utf-8", errors="replace")[-3_000:]
        raise AssertionError(f"{' '.join(command[1:])} failed with status {done.returncode}:\n{tail}")
    return json.loads(done.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def _noted(path: Path) -> Iterator[Any]:
    with path.open("ab") as log:
        yield log


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/sign-in/", timeout=10):  # noqa: S310 - loopback
                return
        except urllib.error.HTTPError as answer:
            tail = log.read_text(encoding="utf-8", errors="replace")[-3_000:]
            raise AssertionError(f"The sign-in page answers {answer.code}:\n{tail}") from None
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"The site did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3_000:]}")


@contextlib.contextmanager
def _database(like: str = "") -> Iterator[str]:
    """A PostgreSQL database of the site's own when the run is on PostgreSQL; "" for SQLite in its home.

    Empty, or a copy of the one at `like`, to which nobody is connected.
    """
    server = os.environ.get("WANJIA_DATABASE_URL", "")
    if not server:
        yield ""
        return
    import psycopg
    from psycopg import sql

    name = f"site_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        template = sql.Identifier(urlsplit(like).path[1:] or "template1")
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), template))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
