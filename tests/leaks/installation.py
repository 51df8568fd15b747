"""A demo installation in processes of its own, each with its log, and all temporary files caught.

with installation(folder, people=2_000, records=6_000, seed=7) as running:
    running.url, running.home, running.truth …
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import site
from tests.leaks.needles import Needles

ROOT = Path(__file__).parents[2]
CAUGHT_EVERY = 0.004  # seconds


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation and what was put into it."""

    url: str
    folder: Path
    environment: dict[str, str]
    truth: dict[str, Any]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def database_url(self) -> str:
        return self.environment["WANJIA_DATABASE_URL"]

    @property
    def needles(self) -> Needles:
        return Needles.of(self.truth["numbers"], self.truth["phones"], self.truth["accounts"])

    def command(self, *arguments: str, fault: str = "") -> None:
        """Run a `wanjia` command, whatever comes of it; what it says goes into a log."""
        with (self.folder / "commands.log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", "wanjia.cli", *arguments],
                env=self.environment | {"WANJIA_FAULT": fault}, cwd=ROOT, stdout=log, stderr=log, check=False,
                timeout=300,
            )  # fmt: skip


@contextlib.contextmanager
def installation(
    folder: Path, *, people: int, records: int, seed: int, clear: bool = False, serve: bool = True
) -> Iterator[Installation]:
    """Build the demo and serve it; with `clear`, under a cipher that hides nothing.

    On PostgreSQL when WANJIA_DATABASE_URL names a server; the database is dropped at the end.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    with site._database() as database_url, catching(temporary, folder / "home", folder / "caught"):
        environment = site._environment(folder / "home", database_url) | {
            "DJANGO_SETTINGS_MODULE": "tests.leaks.settings_clear" if clear else "tests.leaks.settings",
            "TMPDIR": str(temporary),
            "PYTHONPATH": str(ROOT),
            "PYTHONFAULTHANDLER": "1",
        }
        size = ["--people", str(people), "--records", str(records), "--seed", str(seed)]
        with (folder / "build.log").open("ab") as log:
            site._run(
                site._wanjia(["demo", "--no-serve", "--json", "--home", str(folder / "home"), *size]), environment, log
            )
        truth = _told(environment, people, records, seed)
        with _processes(folder, environment) if serve else contextlib.nullcontext("") as url:
            yield Installation(url, folder, environment, truth)


def _told(environment: dict[str, str], people: int, records: int, seed: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.leaks.truth", str(people), str(records), str(seed)],
        env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def _processes(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    port = site._free_port()
    environment = environment | {"WANJIA_CLOCK_START": site.START}
    processes = []
    try:
        for name, part in (("server", ["serve", "--port", str(port)]), ("worker", ["worker"])):
            with (folder / f"{name}.log").open("ab") as log:
                command = [sys.executable, "-m", "wanjia.cli", *part]
                processes.append(subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log))
        site._wait_until_ready(f"http://127.0.0.1:{port}", processes[0], folder / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        site._stop(processes)


@contextlib.contextmanager
def catching(temporary: Path, home: Path, caught: Path) -> Iterator[None]:
    """Keep every temporary file under a second name: what is written and removed can still be read.

    The second name is the same file, so bytes that come later are caught as well. A file that lives
    for less than a few milliseconds may escape; uploads and jobs do not.
    """
    caught.mkdir()
    stop = threading.Event()
    known: set[tuple[str, int]] = set()

    def look() -> None:
        while not stop.wait(CAUGHT_EVERY):
            for folder in (temporary, home / "spool", home / "lake/.staging", home):
                _keep_all(folder, caught, known, deep=folder != home)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep_all(folder: Path, caught: Path, known: set[tuple[str, int]], *, deep: bool) -> None:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        with contextlib.suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                if deep:
                    _keep_all(Path(entry.path), caught, known, deep=True)
                continue
            if not deep and not entry.name.startswith("wanjia.sqlite3-"):
                continue
            mark = (entry.path, entry.inode())
            if mark not in known:
                os.link(entry.path, caught / f"{len(known):06d}-{entry.name}")
                known.add(mark)
