"""Copying files so that what arrives is what was read, and stays: hashed on the way, private, synced."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wanjia.backup.errors import DiskRefused
from wanjia.backup.manifest import File

Tell = Callable[[int], None]
_PIECE = 1 << 20


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Work that fills `folder`. What the disk says becomes DiskRefused."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as fault:
        raise DiskRefused(folder=folder, said=getattr(fault, "strerror", None) or str(fault)) from fault


def hashed(path: Path, tell: Tell = lambda _: None) -> File:
    """Size and digest of a file as it is."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            tell(len(piece))
    return File(size, digest.hexdigest())


def copy(source: Path, target: Path, tell: Tell = lambda _: None) -> File:
    """Copy a file, readable by its owner only; returns what was written, which is on the disk."""
    digest, size = hashlib.sha256(), 0
    make_folder(target.parent)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as stream, os.fdopen(handle, "wb") as out:
        while piece := stream.read(_PIECE):
            out.write(piece)
            digest.update(piece)
            size += len(piece)
            tell(len(piece))
        out.flush()
        os.fsync(out.fileno())
    return File(size, digest.hexdigest())


def link(earlier: Path, target: Path) -> bool:
    """Let `target` be the same file as `earlier`, where the file system can; whether it could."""
    make_folder(target.parent)
    try:
        os.link(earlier, target)
    except OSError:
        return False
    return True


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents, private."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write(path: Path, text: str) -> None:
    """Write a small file: whole and durable, or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file, or the entries of a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folders(root: Path) -> None:
    """Make every entry below `root` durable, the deepest first."""
    for folder, _, _ in os.walk(root, topdown=False):
        sync(Path(folder))


def files_below(root: Path) -> Iterator[Path]:
    """Every file below `root` that is not hidden nor in a hidden folder, in a fixed order.

    Hidden are the places where writers prepare: the lake's staging folder, contents half-written.
    """
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
