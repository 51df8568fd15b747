"""Small disks of their own for a part of an installation: filled to the last byte, and emptied again."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

BALLAST = "ballast"


def can_mount() -> bool:
    """Whether this process may mount: root, in a container that lets it."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False).returncode == 0


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Move what lies in `folder` onto a file system with `megabytes` to spare; unmounted at the end."""
    folder.mkdir(exist_ok=True)
    owner = folder.stat()
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    size = sum(file.stat().st_size for file in aside.rglob("*") if file.is_file())
    options = (
        f"size={size // 1024 + megabytes * 1024}k,mode={owner.st_mode & 0o777:o},uid={owner.st_uid},gid={owner.st_gid}"
    )
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        shutil.rmtree(aside)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> int:
    """Use up every byte that is left; returns how many."""
    written = 0
    with (folder / BALLAST).open("wb", buffering=0) as ballast:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(_Full):
                while True:
                    written += _write(ballast.fileno(), size)
        os.fsync(ballast.fileno())
    return written


class _Full(Exception):
    pass


def _write(number: int, size: int) -> int:
    try:
        return os.write(number, b"\0" * size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _Full from None


def free(folder: Path) -> None:
    (folder / BALLAST).unlink()
