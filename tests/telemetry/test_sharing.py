"""Where several processes count: in memory, in a folder of their own, and gone with the last of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wanjia.telemetry import sharing

COUNT = """
import sys
from pathlib import Path
from wanjia.telemetry import sharing
sharing.share(Path(sys.argv[1]))
from prometheus_client import Counter
Counter("probe", "probe").inc()
import os
print(os.environ[sharing.FOLDER_VARIABLE], len(os.listdir(os.environ[sharing.FOLDER_VARIABLE])))
"""


def counted(home: Path) -> tuple[Path, int]:
    done = subprocess.run([sys.executable, "-c", COUNT, home], capture_output=True, text=True, check=True)
    folder, files = done.stdout.split()
    return Path(folder), int(files)


@pytest.mark.skipif(not sharing.IN_MEMORY.is_dir(), reason="this machine has no memory file system")
def test_counters_lie_in_memory_and_are_gone_with_the_last_process(tmp_path):
    folder, files = counted(tmp_path)
    assert (folder.parent, files) == (sharing.IN_MEMORY, 1)
    assert not folder.exists()
    assert counted(tmp_path)[0] == folder, "the same installation counts in the same place"
    other = tmp_path / "other"
    other.mkdir()
    assert counted(other)[0] != folder


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "IN_MEMORY", tmp_path / "memory")
    sharing.IN_MEMORY.mkdir()
    folder = sharing.folder_in_memory(tmp_path)
    folder.mkdir(mode=0o700)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (folder / f"counter_{ended.pid}.db").touch()
    (folder / f"counter_{os.getpid()}.db").touch()
    assert sharing._made_ready(folder)
    assert [file.name for file in folder.iterdir()] == [f"counter_{os.getpid()}.db"]


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    assert not sharing._made_ready(link)
