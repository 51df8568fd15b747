"""Where contents lie, encrypted, under the keyed digest of what they hold.

    <home>/files/ab/ab12…                 one content, kept once
    <home>/spool/<random>                 an upload that is still arriving, encrypted too

A content appears by rename after fsync, so it is there whole or not at all. The digest is bound
into the encryption: a file put under another's name does not open.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from wanjia.files.errors import ContentMissing
from wanjia.kernel.points import reached
from wanjia.scope.keys import keyring

READ_SIZE = 256 * 1024
ABANDONED_AFTER = 24 * 3600  # seconds
KEY_LENGTH = 64  # hex digits of a keyed SHA-256


def spool_path() -> Path:
    """A fresh place for an arriving upload."""
    folder = Path(settings.WANJIA_HOME) / "spool"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / uuid4().hex


def content_path(content_key: str) -> Path:
    """Where the content of this key lies. The key is 64 hex digits, so no path can be smuggled in."""
    if len(content_key) != KEY_LENGTH or not set(content_key) <= set("0123456789abcdef"):
        raise ValueError("not a content key")
    return Path(settings.WANJIA_HOME) / "files" / content_key[:2] / content_key


def keep(content_key: str, content: Iterable[bytes]) -> None:
    """Encrypt and keep a content. One that is there already stays untouched."""
    target = content_path(content_key)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _still_there(target):
        return
    fresh = target.with_name(f".{content_key}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            for part in keyring().cipher.seal_stream(content, _context(content_key)):
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        reached("files.sealed")
        fresh.replace(target)
        reached("files.kept")
    finally:
        fresh.unlink(missing_ok=True)
    _sync(target.parent)


def read(content_key: str) -> Iterator[bytes]:
    """The clear content, chunk by chunk, each checked. Raises ContentMissing, Unreadable."""
    path = content_path(content_key)
    try:
        source = path.open("rb")
    except FileNotFoundError:
        raise ContentMissing(file=content_key[:12]) from None
    with source:
        yield from keyring().cipher.open_stream(iter(lambda: source.read(READ_SIZE), b""), _context(content_key))


def sweep() -> int:
    """Remove what processes that died left half-written; returns how many files that were.

    A day after the last byte nobody is writing any more.
    """
    home, before = Path(settings.WANJIA_HOME), _a_day_ago()
    old = [file for file in (*home.glob("spool/*"), *home.glob("files/*/.*")) if _written_before(file, before)]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def sweep_contents(known: Callable[[Collection[str]], Collection[str]]) -> int:
    """Remove contents whose key `known` does not return, a day after they were last handed in; how many.

    The transaction that should have pointed to them failed, or its process died.
    """
    before = _a_day_ago()
    count = 0
    for folder in sorted((Path(settings.WANJIA_HOME) / "files").glob("[0-9a-f][0-9a-f]")):
        old = {file.name for file in folder.iterdir() if len(file.name) == KEY_LENGTH and _written_before(file, before)}
        for name in old - set(known(old)):
            with _swept_alone(folder):
                if _written_before(folder / name, before):  # nobody has handed the same content in meanwhile
                    (folder / name).unlink(missing_ok=True)
                    count += 1
    return count


def _still_there(target: Path) -> bool:
    """Whether the content is kept already; from now on for another day, row or no row."""
    with _swept_alone(target.parent):
        if not target.exists():
            return False
        os.utime(target)
        return True


@contextmanager
def _swept_alone(folder: Path) -> Iterator[None]:
    """One at a time decides whether a content of this folder stays."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _a_day_ago() -> float:
    """By the file system's own clock; the installation's may run elsewhere."""
    marker = spool_path()
    marker.touch(mode=0o600)
    try:
        return marker.stat().st_mtime - ABANDONED_AFTER
    finally:
        marker.unlink()


def _written_before(file: Path, instant: float) -> bool:
    try:
        return file.stat().st_mtime < instant
    except FileNotFoundError:  # its request has ended
        return False


def _context(content_key: str) -> str:
    return f"file {content_key}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
