"""One server and one worker on an installation that keeps its database in a file.

Two of a kind on one SQLite file would be correct and bad: each waits for the other's write lock in
pauses that grow, and a second set of scheduled work finds nothing to do. So the second is refused
and told of the first. The lock is the kernel's and goes with the process that holds it, however it
ends: a file left behind locks nothing. On PostgreSQL any number may run, on any number of machines.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from wanjia.config.errors import AlreadyRunning


@contextmanager
def only_one(command: str) -> Iterator[None]:
    """Be the only process of this `command` (serve, worker) on a SQLite installation. Raises AlreadyRunning."""
    if connection.vendor != "sqlite":
        yield
        return
    path = Path(settings.WANJIA_HOME) / f"{command}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(command=command, process=_holder(handle), home=settings.WANJIA_HOME) from None
        os.ftruncate(handle, 0)
        with suppress(OSError):  # whom a second one is told of; on a full disk it starts all the same
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    return os.pread(handle, 20, 0).decode("ascii", "replace") or "?"
