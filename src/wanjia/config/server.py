"""Starting the site: one process with threads on SQLite, several on PostgreSQL.

Several writer processes on one SQLite file only poll its lock; one process with threads keeps
waiting short. WSGI, because asynchronous serving cost 2 to 2.7 times the CPU for this work.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Tags, run_checks
from granian.constants import Interfaces
from granian.server import Server

from wanjia.config.errors import RoutesUnsound
from wanjia.kernel import clock


def start_clock() -> None:
    """Let the clock run from the instant WANJIA_CLOCK_START names (ISO 8601), if it names one."""
    from datetime import datetime

    start = settings.ENVIRONMENT_CLOCK_START
    if start:
        clock.use(clock.running_from(datetime.fromisoformat(start)))


def require_sound_routes() -> None:
    """Refuse to serve a route that does not say who may call it. Raises RoutesUnsound.

    Django runs its checks for its own development server only; whoever serves the application asks here.
    """
    serious = [found for found in run_checks(tags=[Tags.urls]) if found.is_serious()]
    if serious:
        raise RoutesUnsound(problems=" ".join(f"{found.id}: {found.msg}" for found in serious))


def serve(host: str, port: int, *, threads: int = 8) -> None:
    """Serve until interrupted."""
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    Server(
        target="wanjia.config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1 if on_sqlite else 2,
        blocking_threads=threads,
        log_access=False,
        log_dictconfig=_logging(),
    ).serve()


def _logging() -> dict[str, Any]:
    """The server's own lines go where all others go."""
    own = {"handlers": [], "level": "INFO", "propagate": True}
    return settings.LOGGING | {"loggers": {**settings.LOGGING["loggers"], "_granian": own, "granian.access": dict(own)}}
