"""Making a backup of an installation that goes on working.

The order makes it whole (docs/adr/0021):

1. For a moment nothing is published into the lake; in it the lake is listed and the database's
   instant is opened. A dataset is published before a row refers to it, so what the instant refers
   to is in the list; a number is taken in the database before it is published under, so nothing in
   the list waits to be met by a number the restored database gives anew.
2. The database is saved as of that instant, then the access stores: a row of the log that covers
   readings was written after them.
3. Contents are copied last; they are there before their row, named by what they hold, and nothing
   removes them.
4. The manifest is written. Until then the folder says that it is unfinished.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from wanjia import __version__
from wanjia.backup import copying, places, postgres, sqlite, tables
from wanjia.backup.errors import (
    KeysBesideData,
    NotMigrated,
    OtherKeysThere,
    TargetBusy,
    TargetInsideHome,
    TargetInUse,
)
from wanjia.backup.manifest import NAME, File, Manifest, load
from wanjia.backup.progress import Meter
from wanjia.backup.tables import Table
from wanjia.kernel import clock
from wanjia.protection.keys import FIELD, PERSON, Keyring
from wanjia.scope import keys as own
from wanjia.scope.stores import lake

UNFINISHED = "backup.unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was saved. `linked` files were not copied because the base holds them."""

    seconds: float
    files: int
    bytes: int
    tables: int
    rows: int
    digest: str
    linked: int
    absent: int


def back_up(target: Path, *, meter: Meter, keys: Path | None = None, base: Path | None = None) -> Outcome:
    """Save the installation into the new folder `target`; copy its keys into `keys`, elsewhere.

    Files that the backup `base` holds already are linked to it. Raises the refusals of this slice;
    a refused backup leaves nothing behind.
    """
    began, started = clock.now(), time.monotonic()
    _require_migrated()
    ring = own.keyring()
    target = target.absolute()
    _require_apart(target.resolve(), keys.resolve() if keys else None)
    if keys is not None:
        _require_free_for(ring, keys)
    earlier = load(base) if base else None
    with copying.writing_to(target), _workspace(target):
        saved = _Saved(target, meter, base, earlier.files if earlier else {})
        version = saved.database()
        manifest = Manifest(
            program=__version__,
            began=began.isoformat(),
            ended=clock.now().isoformat(),
            database=places.vendor(),
            version=version,
            migrations=saved.migrations,
            keys=ring.fingerprints,
            tables=saved.tables,
            files=dict(sorted(saved.files.items())),
            absent=saved.absent,
        )
        if keys is not None:
            _copy_keys(ring.folder, keys)
        copying.sync_folders(target)
        copying.write(target / NAME, manifest.text())
    return Outcome(
        seconds=round(time.monotonic() - started, 1),
        files=len(manifest.files),
        bytes=manifest.bytes,
        tables=len(manifest.tables),
        rows=manifest.rows,
        digest=manifest.digest,
        linked=saved.linked,
        absent=len(manifest.absent),
    )


class _Saved:
    """What has been saved so far."""

    def __init__(self, target: Path, meter: Meter, base: Path | None, known: dict[str, File]) -> None:
        self.target, self.meter = target, meter
        self.base, self.known = base, known
        self.files: dict[str, File] = {}
        self.tables: list[Table] = []
        self.migrations: list[str] = []
        self.absent: list[str] = []
        self.linked = 0

    def database(self) -> str:
        """Save everything; returns the version of the database's programs."""
        self.migrations = sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
        home = places.home()
        return self._postgres(home) if places.vendor() == "postgresql" else self._sqlite(home)

    def _sqlite(self, home: Path) -> str:
        with lake().still():
            listed = places.lake_files(home)
            instant = sqlite.Instant(Path(str(places.database()["NAME"])))
        try:
            self._copy_database(instant, places.DATABASE["sqlite"])
        finally:
            instant.close()
        reader = sqlite.Reader(self.target / places.DATABASE["sqlite"])
        try:
            self._read(tables.known_tables(), reader)
            wanted = reader.scalars(_CONTENTS)
        finally:
            reader.close()
        self._rest(home, listed, wanted)
        return sqlite.VERSION

    def _postgres(self, home: Path) -> str:
        connected = postgres.parameters(places.database())
        with lake().still():
            listed = places.lake_files(home)
            instant = postgres.Instant(connected)
        try:
            name = places.DATABASE["postgresql"]
            postgres.require_tool("pg_dump", instant.version)
            self._read(tables.known_tables(), instant)
            instant.save(self.target / name)
            self.files[name] = copying.hashed(self.target / name, self.meter.bytes("数据库 database", None))
            wanted, version = instant.scalars(_CONTENTS), str(instant.version)
        finally:
            instant.close()
        self._rest(home, listed, wanted)
        return version

    def _copy_database(self, instant: sqlite.Instant, name: str) -> None:
        instant.save(self.target / name, self.meter.bytes("数据库 database", None))
        self.files[name] = copying.hashed(self.target / name)

    def _read(self, known: list[Table], reader: tables.Reader) -> None:
        tell = self.meter.rows("核对数据行 reading rows")
        self.tables += [tables.read(table, reader, tell) for table in known]

    def _rest(self, home: Path, listed: Sequence[str], wanted: Sequence[str]) -> None:
        for store in places.access_files(home):
            self._access(store)
        found = [*listed, *places.contents(home)]
        sizes = [(home / name).stat().st_size for name in found]
        tell = self.meter.bytes("数据湖与附件 lake and files", sum(sizes))
        for name in found:
            self.files[name] = self._file(home / name, name, tell)
        held = {name.rpartition("/")[2] for name in self.files if name.startswith("files/")}
        self.absent = sorted({f"files/{key[:2]}/{key}" for key in wanted if key not in held})

    def _access(self, store: Path) -> None:
        name = f"{places.ACCESS}/{store.name}"
        copying.make_folder(self.target / places.ACCESS)
        instant = sqlite.Instant(store)
        try:
            self._copy_database(instant, name)
        finally:
            instant.close()
        reader = sqlite.Reader(self.target / name)
        try:
            for table in reader.tables():
                read = tables.read(table, reader)
                self.tables.append(replace(read, name=places.access_table(store, table)))
        finally:
            reader.close()

    def _file(self, source: Path, name: str, tell: copying.Tell) -> File:
        """Link what the base holds, byte for byte; copy the rest."""
        known = self.known.get(name)
        if self.base is not None and known is not None and name.startswith(places.IMMUTABLE):
            earlier = self.base / name
            same = source.stat().st_size == known.bytes and copying.hashed(source, tell) == known
            if same and earlier.is_file() and copying.hashed(earlier) == known:
                if copying.link(earlier, self.target / name):
                    self.linked += 1
                    return known
                tell = _quiet
            elif same:
                tell = _quiet
        return copying.copy(source, self.target / name, tell)


_CONTENTS = "SELECT DISTINCT content_key FROM files_storedfile"


def _quiet(_: int) -> None:
    """Told already."""


def _require_migrated() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise NotMigrated(migrations=", ".join(f"{step.app_label}.{step.name}" for step, _ in plan[:5]))


def _require_apart(target: Path, keys: Path | None) -> None:
    """See that backup, home and keys are three places, none inside another."""
    home = places.home()
    if _nested(target, home):
        raise TargetInsideHome(folder=target, home=home)
    if keys is not None and (_nested(keys, target) or _nested(keys, home)):
        raise KeysBesideData(folder=keys, target=target)


def _nested(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def _require_free_for(ring: Keyring, folder: Path) -> None:
    if any((folder / name).exists() for name in (PERSON, FIELD)) and not _superseded(ring, folder):
        raise OtherKeysThere(folder=folder)


def _superseded(ring: Keyring, folder: Path) -> bool:
    """Whether the copy in `folder` is of these keys, perhaps before a rotation."""
    held = Keyring.open(folder).fingerprints
    return held.items() <= ring.fingerprints.items()


def _copy_keys(source: Path, folder: Path) -> None:
    copying.make_folder(folder)
    for name in (PERSON, FIELD):
        copying.write(folder / name, (source / name).read_text("utf-8"))


@contextmanager
def _workspace(target: Path) -> Iterator[None]:
    """A private folder marked as unfinished while we write into it; gone again if we fail.

    What a killed backup left is recognised by the mark and cleared.
    """
    if target.is_dir() and any(target.iterdir()) and (not (target / UNFINISHED).exists() or (target / NAME).exists()):
        raise TargetInUse(folder=target)
    copying.make_folder(target)
    target.chmod(0o700)
    handle = os.open(target / UNFINISHED, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TargetBusy(folder=target) from None
        _clear(target)
        try:
            yield
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        (target / UNFINISHED).unlink()
        copying.sync(target)
    finally:
        os.close(handle)


def _clear(target: Path) -> None:
    for item in target.iterdir():
        if item.name == UNFINISHED:
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()
