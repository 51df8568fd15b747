"""The lake: immutable datasets in folders, each visible only once it is whole and durable.

A writer fills a staging folder in the same file system. Publishing then runs in this order,
and a crash after any step leaves either nothing visible or the whole dataset:

1. every data file is synced to the disk;
2. the manifest (digests, rows, columns, facts) is written last, and synced with its folder;
3. the staging folder is renamed to the address, which fails if the address is taken;
4. the parent folder is synced, so that the rename itself survives a power cut.

A staging folder whose writer died is recognised by its free lock and removed by `recover()`.

What is published never changes, but for one thing: data of a person who must be forgotten. Then
the dataset is made anew beside the old one (`replacing`) under the same address.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.lake import manifest as manifests
from wanjia.lake.errors import AlreadyPublished, BadAddress, Damaged, NotPublished
from wanjia.lake.manifest import Manifest

_SEGMENT = re.compile(r"[a-z0-9][a-z0-9._=,@-]*")
_STAGING = ".staging"
_EDITION = "~"  # name~1, name~2: the dataset made anew; no address holds the sign


class Staging:
    """A folder being filled; `manifest` takes the facts the dataset states about itself."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder
        self.manifest: dict[str, Any] = {}

    def path(self, name: str) -> Path:
        """Where to write the file `name` of the dataset."""
        if not _SEGMENT.fullmatch(name) or name == manifests.NAME:
            raise BadAddress(address=f"{self.address}/{name}")
        return self.folder / name


class Lake:
    """A folder of datasets addressed like `sources/gongan.vehicles/batch=12`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"Lake({str(self.root)!r})"

    # -- reading ---------------------------------------------------------------------------

    def exists(self, address: str) -> bool:
        """Whether the dataset or the serving index at `address` is published."""
        target = self._target(address)
        return target.is_file() or (target / manifests.NAME).is_file()

    def read_manifest(self, address: str) -> Manifest:
        """What the dataset says about itself. Raises NotPublished."""
        try:
            text = (self._target(address) / manifests.NAME).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise NotPublished(address=address) from None
        return Manifest.from_json(text)

    def path(self, address: str, name: str = "") -> Path:
        """The file `name` of a published dataset, or the single file at `address`. Raises NotPublished."""
        if not name:
            target = self._target(address)
            if not target.is_file():
                raise NotPublished(address=address)
            return target
        if name not in self.read_manifest(address).files:
            raise NotPublished(address=f"{address}/{name}")
        return self._target(address) / name

    def list(self, prefix: str = "") -> list[str]:
        """Addresses of the published datasets under `prefix`, sorted by their parts, numbers by value."""
        start = self._target(prefix) if prefix else self.root
        found = {
            str(marker.parent.relative_to(self.root)).partition(_EDITION)[0]
            for marker in start.rglob(manifests.NAME)
            if _STAGING not in marker.relative_to(self.root).parts
        }
        return sorted(found, key=_natural)

    def verify(self, address: str) -> None:
        """Read every file again and compare with the manifest. Raises Damaged, naming the files."""
        promised = self.read_manifest(address).files
        folder = self._target(address)
        wrong = []
        for name, entry in promised.items():
            path = folder / name
            if not path.is_file() or manifests.digest_of(path) != entry.sha256:
                wrong.append(name)
        if wrong:
            raise Damaged(address=address, files=", ".join(sorted(wrong)))

    # -- writing ---------------------------------------------------------------------------

    @contextmanager
    def publishing(self, address: str) -> Iterator[Staging]:
        """Fill a staging folder; on leaving without an error it becomes the dataset `address`.

        Raises AlreadyPublished at once if the address is taken, or at the end if another writer
        was faster; in both cases the published dataset is untouched.
        """
        target = self._target(address)
        if target.exists():
            raise AlreadyPublished(address=address)
        with self._staged() as folder:
            staging = Staging(address, folder)
            yield staging
            reached("lake.staged")
            self._write_manifest(staging)
            _make_folder(target.parent, self.root)
            with self._staging_lock():
                _rename_folder(folder, target, address)
            reached("lake.renamed")
            _sync(target.parent)
            reached("lake.published")

    @contextmanager
    def replacing(self, address: str) -> Iterator[Staging]:
        """Make a published dataset anew; on leaving without an error `address` means the new one, and the old is gone.

        The old one counts until that very moment. A writer that dies leaves the old or the new one; a new
        one that was not reached is thrown away by whoever replaces next. It keeps the time at which it was
        first made, by which the newest of several is told. Raises NotPublished.
        """
        if not self.exists(address):
            raise NotPublished(address=address)
        target = self._target(address)
        for unreached in self._editions(target)[1:]:
            self._take_away(unreached)
        made_at = self.read_manifest(address).made_at
        plain, _, number = target.name.partition(_EDITION)
        fresh = target.with_name(f"{plain}{_EDITION}{int(number or 0) + 1}")
        with self._staged() as folder:
            staging = Staging(address, folder)
            yield staging
            reached("lake.staged")
            self._write_manifest(staging, made_at)
            with self._staging_lock():
                _rename_folder(folder, fresh, address)
            reached("lake.renamed")
            _sync(fresh.parent)
            self._take_away(target)
            reached("lake.published")

    @contextmanager
    def publishing_file(self, address: str) -> Iterator[Path]:
        """As `publishing`, for an index that is one self-describing file, such as `serving/….sqlite`."""
        target = self._target(address)
        if target.exists():
            raise AlreadyPublished(address=address)
        with self._staged() as folder:
            path = folder / target.name
            yield path
            reached("lake.staged")
            _sync(path)
            reached("lake.synced")
            _make_folder(target.parent, self.root)
            try:
                with self._staging_lock():
                    os.link(path, target)  # unlike rename, refuses an existing name
            except FileExistsError:
                raise AlreadyPublished(address=address) from None
            reached("lake.renamed")
            _sync(target.parent)
            reached("lake.published")

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is published while this is open; writers wait at their last step. For a moment only.

        A backup opens the database's instant inside it: what the lake holds then is what the
        database's instant may refer to, and nothing is in it that a later number of the restored
        database would meet as already published.
        """
        _make_folder(self.root / _STAGING, self.root)
        with self._staging_lock():
            yield

    def strays(self) -> tuple[str, ...]:
        """What writers that died left behind, by name; `recover` removes it."""
        staging = self.root / _STAGING
        if not staging.is_dir():
            return ()
        with self._staging_lock():
            return tuple(path.name for path in sorted(staging.iterdir()) if path.is_dir() and _lock_is_free(path))

    def recover(self) -> tuple[str, ...]:
        """Remove what writers that died left behind; returns the names of the removed folders.

        Safe beside living writers: theirs are locked. Published datasets are never touched.
        """
        removed = []
        staging = self.root / _STAGING
        if not staging.is_dir():
            return ()
        with self._staging_lock():
            for folder in sorted(staging.iterdir()):
                if folder.is_dir() and _lock_is_free(folder):
                    shutil.rmtree(folder)
                    removed.append(folder.name)
        return tuple(removed)

    def discard(self, address: str) -> None:
        """Remove a dataset nothing refers to: it is gone at once, whole. Raises NotPublished."""
        if not self.exists(address):
            raise NotPublished(address=address)
        for target in self._editions(self._target(address)):
            self._take_away(target)

    def age(self, address: str) -> float:
        """Seconds since the dataset was published, by the file system's own clock. Raises NotPublished."""
        if not self.exists(address):
            raise NotPublished(address=address)
        with self._staged() as folder:
            return folder.stat().st_mtime - self._target(address).stat().st_mtime

    # -- inside ----------------------------------------------------------------------------

    def _target(self, address: str) -> Path:
        segments = address.split("/")
        if not all(_SEGMENT.fullmatch(segment) for segment in segments):
            raise BadAddress(address=address)
        target = self.root.joinpath(*segments)
        if target.exists():
            return target
        return next(iter(self._editions(target)), target)

    def _editions(self, target: Path) -> tuple[Path, ...]:
        """The dataset as it lies there, the oldest first: that one counts."""
        plain = target.with_name(target.name.partition(_EDITION)[0])
        numbered = {
            int(path.name.partition(_EDITION)[2]): path for path in plain.parent.glob(f"{plain.name}{_EDITION}*")
        }
        return (*([plain] if plain.exists() else []), *(numbered[number] for number in sorted(numbered)))

    def _take_away(self, target: Path) -> None:
        with self._staged() as folder:
            target.rename(folder / target.name)
            _sync(target.parent)

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        """A locked staging folder that is gone afterwards, published or not."""
        _make_folder(self.root / _STAGING, self.root)
        folder = self.root / _STAGING / uuid.uuid4().hex
        with self._staging_lock():  # or recover() could meet the folder before it is locked
            folder.mkdir(mode=0o700)
            handle = os.open(folder, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            os.close(handle)
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _staging_lock(self) -> Iterator[None]:
        handle = os.open(self.root / _STAGING / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write_manifest(self, staging: Staging, made_at: datetime | None = None) -> None:
        names = sorted(item.name for item in staging.folder.iterdir())
        for name in names:
            _sync(staging.folder / name)
        reached("lake.synced")
        files = {name: manifests.describe(staging.folder / name) for name in names}
        document = Manifest(staging.address, made_at or clock.now(), files, dict(staging.manifest))
        path = staging.folder / manifests.NAME
        path.write_text(document.to_json(), encoding="utf-8")
        _sync(path)
        _sync(staging.folder)
        reached("lake.manifest")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_folder(folder: Path, root: Path) -> None:
    """Create `folder` with its parents; each new entry is made durable from the root down."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for item in reversed(missing):
        item.mkdir(mode=0o700, exist_ok=True)
        if item != root:
            _sync(item.parent)


def _rename_folder(folder: Path, target: Path, address: str) -> None:
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise AlreadyPublished(address=address) from None
        raise


def _lock_is_free(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _natural(address: str) -> list[tuple[int, int | str]]:
    """Sort key in which batch=9 comes before batch=12."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", address)]
