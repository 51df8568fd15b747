"""Whether this process can do its work: what a load balancer asks every few seconds.

The answer names codes and nothing of the machine, because anybody may ask; `wanjia doctor` says
more. One answer serves everybody for a moment, so asking often costs the database nothing.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from wanjia.kernel.errors import Refusal
from wanjia.scope import keys
from wanjia.scope.stores import lake

log = logging.getLogger(__name__)

HELD_FOR = 2.0  # seconds

_guard = threading.Lock()
_held: tuple[float, tuple[str, ...]] = (0.0, ())


def reasons() -> tuple[str, ...]:
    """Why not, as codes: database, migrations, keys, lake, disk; none when everything is there."""
    global _held  # noqa: PLW0603 - one answer for all threads
    with _guard:
        if time.monotonic() >= _held[0]:
            found = _found()
            if found and found != _held[1]:
                log.error("not ready: %s", ", ".join(found), extra={"event": "not_ready"})
            _held = (time.monotonic() + HELD_FOR, found)
        return _held[1]


def look_again() -> None:
    """Find out anew at the next question."""
    global _held  # noqa: PLW0603 - as above
    _held = (0.0, _held[1])


def _found() -> tuple[str, ...]:
    found = []
    try:
        if missing_migrations():
            found.append("migrations")
        keys.require_keys_on_disk()
    except DatabaseError:
        found.append("database")
    except (Refusal, OSError):
        found.append("keys")
    if not lake_is_writable():
        found.append("lake")
    if room_left() < settings.WANJIA_DISK_FLOOR:
        found.append("disk")
    return tuple(found)


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations or ())


def missing_migrations() -> list[str]:
    """Migrations of this program the database has not had."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(".".join(name) for name in _known_migrations() - applied.keys())


def lake_is_writable() -> bool:
    """Whether a file can be made where the lake is, or will be."""
    folder = lake().root
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError:
        return False
    return True


def room_left() -> int:
    """Bytes free on the fullest of the installation's disks; 0 where there is no installation."""
    home = Path(settings.WANJIA_HOME)
    places = [path for path in (home, lake().root, home / "files") if path.exists()]
    return min((shutil.disk_usage(path).free for path in places), default=0)
