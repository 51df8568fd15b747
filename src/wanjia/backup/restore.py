"""Restoring an installation into an empty home and an empty database.

Nothing is begun before every file of the backup has been read and found whole, the keys are at
hand, and home and database are empty. From then on the home says that it is unfinished, and no
command works on it:

1. *copying*: everything is put into `.restoring` and hashed again on the way; the database is
   loaded (PostgreSQL: in one transaction) and every table's digest compared. A restore that
   stopped here begins anew.
2. *finishing*: what lies in `.restoring` is moved to its place, tables of an older program are
   migrated, jobs that were running may be claimed, marks in the access stores that the log knows
   nothing of are taken back. Each step may be done twice; a restore that stopped here goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from wanjia import __version__
from wanjia.audit.models import Opening
from wanjia.backup import copying, places, postgres, sqlite, tables
from wanjia.backup.errors import (
    BackupDamaged,
    BackupNewer,
    DatabaseNotEmpty,
    DigestDiffers,
    HomeNotEmpty,
    KeysMissing,
    OtherDatabase,
    RestoreBusy,
)
from wanjia.backup.manifest import File, Manifest, contents_digest, load
from wanjia.backup.progress import Meter
from wanjia.backup.tables import Table
from wanjia.jobs.leases import free_all
from wanjia.protection.keys import FIELD, PERSON, Keyring
from wanjia.scope import keys as own
from wanjia.scope.system import system_viewer

STAGING = ".restoring"
COPYING, FINISHING = "copying", "finishing"
_NAMED = 20  # damaged files in one sentence; the count tells of the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was restored; `digest` was taken from what was loaded, and equals the backup's."""

    seconds: float
    files: int
    bytes: int
    tables: int
    rows: int
    digest: str
    migrated: int


def restore(backup: Path, *, meter: Meter, keys: Path | None = None) -> Outcome:
    """Make the backup the installation of this machine. Raises the refusals of this slice."""
    started = time.monotonic()
    backup = backup.resolve()
    manifest = load(backup)
    _require_known(manifest)
    home = places.home()
    phase = _phase(home, manifest)
    ring = _keys_for(manifest, keys or home / places.KEYS)
    if phase != FINISHING:
        if phase is None:
            _require_empty(home)
        verify(backup, manifest, meter)
    with copying.writing_to(home), _marked(home, manifest, phase or COPYING):
        if phase != FINISHING:
            _copy(backup, home, manifest, ring, meter)
            _load(home / STAGING, manifest, meter)
            read = _compare(home / STAGING, manifest, meter)
            _mark(home, manifest, FINISHING)
        else:
            read = manifest.tables  # compared before the interruption
        migrated = _finish(home, manifest)
    return Outcome(
        seconds=round(time.monotonic() - started, 1),
        files=len(manifest.files),
        bytes=manifest.bytes,
        tables=len(read),
        rows=sum(table.rows for table in read),
        digest=contents_digest(read, manifest.files),
        migrated=migrated,
    )


def verify(backup: Path, manifest: Manifest, meter: Meter) -> None:
    """Read every file of a backup. Raises BackupDamaged, naming those that are not as they were."""
    tell = meter.bytes("核对备份 verifying", manifest.bytes)
    wrong = [name for name, file in manifest.files.items() if not _is(backup / name, file, tell)]
    if wrong:
        raise BackupDamaged(files=", ".join(wrong[:_NAMED]), count=len(wrong))


def _is(path: Path, file: File, tell: copying.Tell) -> bool:
    try:
        return path.stat().st_size == file.bytes and copying.hashed(path, tell) == file
    except OSError:  # missing, or a disk that does not give it back
        return False


# -- before anything is begun --------------------------------------------------------------


def _require_known(manifest: Manifest) -> None:
    here = places.vendor()
    if manifest.database != here:
        raise OtherDatabase(made_on=manifest.database, here=here)
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    strange = sorted(set(manifest.migrations) - known)
    if strange:
        raise BackupNewer(made_by=manifest.program, program=__version__, migrations=", ".join(strange[:5]))
    if here == "postgresql":
        postgres.require_tool("pg_restore", int(manifest.version))


def _keys_for(manifest: Manifest, folder: Path) -> Keyring:
    """The keys, if they are those the backup was written with. A key added by a later rotation does no harm."""
    if not folder.is_dir():
        raise KeysMissing(keys=", ".join(sorted(manifest.keys)))
    ring = Keyring.open(folder)
    found = ring.fingerprints
    lacking = sorted(name for name, value in manifest.keys.items() if found.get(name) != value)
    if lacking:
        raise KeysMissing(keys=", ".join(lacking))
    return ring


def _require_empty(home: Path) -> None:
    if home.exists() and any(item.name != places.KEYS for item in home.iterdir()):
        raise HomeNotEmpty(home=home)
    if places.vendor() == "postgresql":
        with postgres.instant(postgres.parameters(places.database())) as instant:
            if instant.tables():
                raise DatabaseNotEmpty(database=places.database()["NAME"])


# -- the mark ------------------------------------------------------------------------------


def _phase(home: Path, manifest: Manifest) -> str | None:
    """How far an earlier restore of this backup came. Raises HomeNotEmpty for one of another backup."""
    try:
        said = json.loads((home / own.RESTORING).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return COPYING
    if said["digest"] != manifest.digest and said["phase"] == FINISHING:
        raise HomeNotEmpty(home=home)
    return str(said["phase"])


def _mark(home: Path, manifest: Manifest, phase: str) -> None:
    copying.write(home / own.RESTORING, json.dumps({"digest": manifest.digest, "phase": phase}) + "\n")


@contextmanager
def _marked(home: Path, manifest: Manifest, phase: str) -> Iterator[None]:
    """The home says that it is unfinished while this is open, and still does if we are killed or fail."""
    copying.make_folder(home)
    home.chmod(0o700)
    handle = os.open(home, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RestoreBusy(home=home) from None
        _mark(home, manifest, phase)
        yield
        (home / own.RESTORING).unlink()
        copying.sync(home)
    finally:
        os.close(handle)


# -- copying -------------------------------------------------------------------------------


def _copy(backup: Path, home: Path, manifest: Manifest, ring: Keyring, meter: Meter) -> None:
    staging = home / STAGING
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir(mode=0o700)
    tell = meter.bytes("复制 copying", manifest.bytes)
    changed = [
        name for name, file in manifest.files.items() if copying.copy(backup / name, staging / name, tell) != file
    ]
    if changed:  # since it was verified
        raise BackupDamaged(files=", ".join(changed[:_NAMED]), count=len(changed))
    copying.make_folder(staging / places.KEYS)
    for name in (PERSON, FIELD):
        copying.write(staging / places.KEYS / name, (ring.folder / name).read_text("utf-8"))
    copying.sync_folders(staging)


def _load(staging: Path, manifest: Manifest, meter: Meter) -> None:
    """Fill PostgreSQL from the dump, unless an interrupted restore of this backup has done so."""
    if manifest.database != "postgresql":
        return
    connected = postgres.parameters(places.database())
    with postgres.instant(connected) as instant:
        there = instant.tables()
        if there and not _equal(instant, manifest, there):
            raise DatabaseNotEmpty(database=places.database()["NAME"])
    if not there:
        tell = meter.bytes("装入数据库 loading", manifest.files[places.DATABASE["postgresql"]].bytes)
        postgres.load(staging / places.DATABASE["postgresql"], connected, int(manifest.version))
        tell(manifest.files[places.DATABASE["postgresql"]].bytes)


def _equal(instant: postgres.Instant, manifest: Manifest, there: list[str]) -> bool:
    own_tables = _of_database(manifest)
    if not {table.name for table in own_tables} <= set(there):
        return False
    return all(tables.read(table, instant) == table for table in own_tables)


def _of_database(manifest: Manifest) -> list[Table]:
    return [table for table in manifest.tables if not table.name.startswith(f"{places.ACCESS}/")]


def _compare(staging: Path, manifest: Manifest, meter: Meter) -> list[Table]:
    """Read every restored table again. Raises DigestDiffers."""
    tell = meter.rows("核对数据行 comparing rows")
    found: list[Table] = []
    if manifest.database == "postgresql":
        with postgres.instant(postgres.parameters(places.database())) as instant:
            found += [tables.read(table, instant, tell) for table in _of_database(manifest)]
    else:
        with closing(sqlite.Reader(staging / places.DATABASE["sqlite"])) as reader:
            found += [tables.read(table, reader, tell) for table in _of_database(manifest)]
    for store in places.access_files(staging):
        with closing(sqlite.Reader(store)) as reader:
            for table in reader.tables():
                found.append(replace(tables.read(table, reader, tell), name=places.access_table(store, table)))
    wanted = {table.name: table for table in manifest.tables}
    differs = sorted(table.name for table in found if wanted.pop(table.name, None) != table) + sorted(wanted)
    if differs:
        raise DigestDiffers(tables=", ".join(differs[:_NAMED]))
    return found


# -- finishing -----------------------------------------------------------------------------


def _finish(home: Path, manifest: Manifest) -> int:
    _move(home)
    connection.close()
    migrated = _migrate(manifest)
    free_all()
    for store in places.access_files(home):
        _take_back_marks(store)
    own.bind_keys()
    return migrated


def _move(home: Path) -> None:
    """Put everything into its place, by renaming; what is there already was moved before."""
    staging = home / STAGING
    if not staging.exists():
        return
    dump = staging / places.DATABASE["postgresql"]
    dump.unlink(missing_ok=True)
    for item in sorted(staging.iterdir()):
        name = Path(str(places.database()["NAME"])).name if item.name == places.DATABASE["sqlite"] else item.name
        if name == places.KEYS and (home / name).exists():
            shutil.rmtree(item)  # they were brought here before, and are the right ones
            continue
        item.rename(home / name)
    copying.sync(home)
    staging.rmdir()
    copying.sync(home)


def _migrate(manifest: Manifest) -> int:
    loader = MigrationLoader(connection)
    waiting = len(loader.disk_migrations.keys() - loader.applied_migrations.keys())
    if waiting:
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    return len(loader.disk_migrations) - len(set(manifest.migrations))


def _take_back_marks(store: Path) -> None:
    """Let leaves be recorded again whose entry came after the database's instant.

    The access store was saved a moment later than the database, so it may hold a leaf as recorded
    that this database's log knows nothing of.
    """
    with closing(sqlite3.connect(store, isolation_level=None)) as opened:
        marked = {event for (event,) in opened.execute("SELECT event_id FROM committed")}
        rows = Opening.objects.visible_to(system_viewer("backup.restore")).filter(act="audit.commit_access")
        known = {str(event) for event in rows.values_list("event_id", flat=True).iterator()}
        opened.executemany("DELETE FROM committed WHERE event_id = ?", ((event,) for event in sorted(marked - known)))
