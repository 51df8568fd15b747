"""The environment, read in one place. A fresh clone with an empty environment runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Environment:
    """What the installation is told from outside.

    `home` holds everything that is not code: database, lake, files, keys, spool.
    `database_url` is empty for SQLite under `home`, or `postgresql://user:password@host:port/name`
    (a socket folder as `?host=/folder`). `disk_floor` is in bytes; `metrics_token` may be given as a file.
    """

    home: Path
    database_url: str
    secret_key: str
    allowed_hosts: tuple[str, ...]
    https: bool
    clock_start: str
    slow_query_ms: float
    disk_floor: int
    metrics_token: str
    crash_at: str


def read() -> Environment:
    """The environment of this process."""
    get = os.environ.get
    return Environment(
        home=Path(get("WANJIA_HOME", "var")).absolute(),
        database_url=get("WANJIA_DATABASE_URL", ""),
        secret_key=get("WANJIA_SECRET_KEY", ""),
        allowed_hosts=tuple(host for host in get("WANJIA_ALLOWED_HOSTS", "").split(",") if host),
        https=get("WANJIA_HTTPS", "1") != "0",
        clock_start=get("WANJIA_CLOCK_START", ""),
        slow_query_ms=float(get("WANJIA_SLOW_QUERY_MS", "200")),
        disk_floor=int(get("WANJIA_DISK_FLOOR_MB", "1024")) * 1024 * 1024,
        metrics_token=_secret("WANJIA_METRICS_TOKEN"),
        crash_at=get("WANJIA_CRASH_AT", ""),
    )


def _secret(name: str) -> str:
    """The variable itself, or the content of the file that `<name>_FILE` names."""
    file = os.environ.get(f"{name}_FILE", "")
    return Path(file).read_text(encoding="utf-8").strip() if file else os.environ.get(name, "")


def become_owner() -> None:
    """Let this process log in as the owner of the tables, where the environment names one: for setting up only."""
    owner = os.environ.get("WANJIA_DATABASE_OWNER_URL", "")
    if owner:
        os.environ["WANJIA_DATABASE_URL"] = owner


@contextmanager
def owning() -> Iterator[None]:
    """As `become_owner`, for settings read inside the block; processes started after it log in as they should."""
    site = os.environ.get("WANJIA_DATABASE_URL", "")
    become_owner()
    try:
        yield
    finally:
        if site:
            os.environ["WANJIA_DATABASE_URL"] = site
        else:
            os.environ.pop("WANJIA_DATABASE_URL", None)


# IMMEDIATE takes the write lock when a transaction begins, so two writers wait for each other
# instead of failing half-way; FULL because business rows and the audit's outbox share commits.
SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA mmap_size=134217728;"
        "PRAGMA cache_size=-65536;PRAGMA temp_store=MEMORY;PRAGMA foreign_keys=ON;"
        "PRAGMA secure_delete=ON;"  # what is erased is overwritten, not only unlinked
    ),
}

# Compiling a statement costs PostgreSQL a quarter of a second; row-level security makes every page's look worth it.
POSTGRESQL_SETTINGS = "-c jit=off"


def database(environment: Environment) -> dict[str, Any]:
    """Django's description of the database the environment names."""
    if not environment.database_url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": environment.home / "wanjia.sqlite3",
            # Kept open by each thread: the last to close removes the write-ahead log, and on a full
            # disk nobody could make it again, not even to read.
            "CONN_MAX_AGE": None,
            "OPTIONS": dict(SQLITE_OPTIONS),
        }
    parts = urlsplit(environment.database_url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError(f"WANJIA_DATABASE_URL: only postgresql:// is understood, not {parts.scheme}://")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    options["options"] = f"{POSTGRESQL_SETTINGS} {options.get('options', '')}".strip()
    return {
        "ENGINE": "wanjia.scope.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or options.pop("port", "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,  # a connection that broke while nobody used it fails nobody's request
        "OPTIONS": options,
    }
