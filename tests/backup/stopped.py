"""Backups and restores that are stopped anywhere, and an installation that is not: part of `make fault`.

Its name keeps it out of the default gate: each test takes minutes.
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.backup.installation import METER, ROOT, place
from wanjia.backup import manifest as manifests
from wanjia.backup.restore import verify

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.real_clock]


def test_an_interrupted_restore_says_so_and_is_done_again(saved, empty, tmp_path):
    empty.home.mkdir()
    (empty.home / "restore.unfinished").write_text(json.dumps({"digest": saved.said["digest"], "phase": "copying"}))
    shutil.copytree(saved.folder / "lake", empty.home / ".restoring" / "lake")

    assert empty.refused("worker") == "scope.restore_unfinished"
    assert empty.refused("setup") == "scope.restore_unfinished"
    said = empty.wanjia("restore", saved.folder, "--keys", saved.keys)
    assert said["digest"] == saved.said["digest"]
    assert empty.refused("restore", saved.folder, "--keys", saved.keys) == "backup.home_not_empty"


def test_a_restore_killed_anywhere_is_finished_by_the_next_one(saved, empty):
    chance, killed = random.Random(5), 0
    for _ in range(6):
        process = empty.start("wanjia.cli", "restore", saved.folder, "--keys", saved.keys, "--json")
        time.sleep(1.5 + chance.random() * 4)
        process.kill()
        killed += process.wait(timeout=60) == -signal.SIGKILL
        if empty.home.exists() and (empty.home / "restore.unfinished").exists():
            assert empty.refused("compare") == "scope.restore_unfinished"
    if not empty.home.exists() or (empty.home / "restore.unfinished").exists():
        assert empty.wanjia("restore", saved.folder, "--keys", saved.keys)["digest"] == saved.said["digest"]
    assert killed
    assert empty.told("tests.backup.look")["household"] == 200


def test_a_backup_killed_anywhere_is_none_and_the_folder_is_used_again(county, tmp_path):
    target, chance = tmp_path / "target", random.Random(6)
    for _ in range(5):
        process = county.start("wanjia.cli", "backup", target)
        time.sleep(1.5 + chance.random() * 2)
        process.kill()
        process.wait(timeout=60)
        if (target / manifests.NAME).exists():
            shutil.rmtree(target)
    said = county.wanjia("backup", target)
    verify(target, manifests.load(target), METER)
    assert manifests.load(target).digest == said["digest"]
    assert not (target / "backup.unfinished").exists()


def test_a_backup_beside_writers_holds_all_that_its_database_refers_to(saved, tmp_path):
    """Files are handed in and households read without a pause, by two processes, while backups are made."""
    with place(tmp_path / "busy") as busy, place(tmp_path / "restored") as restored:
        busy.wanjia("restore", saved.folder, "--keys", saved.keys)
        writers = [busy.start("tests.backup.write") for _ in range(2)]
        try:
            wait_for((busy.home / "writing").exists)
            said = [busy.wanjia("backup", tmp_path / f"backup-{number}") for number in range(3)]
        finally:
            for writer in writers:
                writer.kill()
                writer.wait(timeout=60)
        rows = [one["rows"] for one in said]
        assert rows == sorted(rows)
        assert rows[0] < rows[-1]
        assert [one["absent"] for one in said] == [0, 0, 0]
        done = restored.wanjia("restore", tmp_path / "backup-2", "--keys", saved.keys)
        assert done["digest"] == said[-1]["digest"]
        counted = restored.told("tests.backup.write", "check")
        assert counted["opened"] == counted["files"] > 0
        assert counted["untrue"] == []


def test_a_disk_that_is_full_is_told_and_nothing_stays(county, tmp_path):
    """The limit on a file's size stands for the disk: the system call fails in the same way."""
    command = [sys.executable, "-m", "wanjia.cli", "backup", str(tmp_path / "target")]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 200; exec "$@"', "bash", *command],
        env=county.environment(), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] in ("backup.disk_refused", "backup.tool_failed")
    assert not (tmp_path / "target").exists()
    assert county.wanjia("backup", tmp_path / "target")["absent"] == 0


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
