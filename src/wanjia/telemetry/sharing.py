"""One folder of counters for all processes of a machine; named before the counters are made.

prometheus_client decides when it is imported whether its counters live in memory or in files, so
`share` comes before everything else in `wanjia serve` and `wanjia worker`.

The files are mapped into memory and grow sparsely: on a full disk the first touch of a new page
ends the process with SIGBUS. So they lie in memory (/dev/shm) where the machine has it, and beside
the installation only where it has not. They hold figures, never a person.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import sys
from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder below it is ours alone, which is checked
PREFIX = "wanjia-metrics"


def share(home: Path) -> None:
    """Let this process and its children count into one folder; clear what dead ones left.

    What a process counted is forgotten when the next one starts after its end: monitoring sees
    counters that begin again, as after any restart. A folder that cannot be written costs the
    sharing, not the start.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported before the counters' folder was named")
    for folder in (folder_in_memory(home), home / "run" / "metrics"):
        if folder is not None and _made_ready(folder):
            os.environ[FOLDER_VARIABLE] = str(folder)
            atexit.register(_leave, folder, os.getpid())
            return


def folder_in_memory(home: Path) -> Path | None:
    """The folder in memory that belongs to this installation and this user; None where there is no such memory."""
    if not IN_MEMORY.is_dir():
        return None
    name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    return IN_MEMORY / f"{PREFIX}-{os.getuid()}-{name}"


def _made_ready(folder: Path) -> bool:
    """Whether the folder is there, ours, and free of what dead processes left."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False  # somebody else was here first: nothing of his is read or written
        _clear(folder)
    except OSError:
        return False
    return True


def _clear(folder: Path, *, also: int = 0) -> None:
    for file in folder.glob("*.db"):
        process = file.stem.rpartition("_")[2]
        if process == str(also) or not _alive(process):
            file.unlink(missing_ok=True)


def _leave(folder: Path, process: int) -> None:
    """Take this process's counters away, and the folder with the last of them."""
    if os.getpid() != process:
        return  # a forked child ends; its parent goes on counting
    try:
        _clear(folder, also=process)
        folder.rmdir()
    except OSError:
        return


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (ValueError, PermissionError):
        return True  # not ours to judge
    return True
