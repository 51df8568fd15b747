"""Data of an earlier program is opened by this one: `make upgrade`, not part of the default gate.

The earlier program is the commit before the newest one that changed a table's migrations (or
WANJIA_UPGRADE_FROM). Its code is checked out beside this one and builds a small county.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.backup.installation import ROOT, Place, on_server, place

pytestmark = [pytest.mark.slow, pytest.mark.real_clock]

# What comes with the program, or follows from the rest, may be told anew by a newer one; the migrations grow.
THE_PROGRAMS_OWN = (
    "reference_", "accounts_role", "divisions_", "django_migrations", "django_content_type", "auth_",
    "casework_casecounter",  # counted anew where more is counted
)  # fmt: skip


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def earlier_commit() -> str:
    named = os.environ.get("WANJIA_UPGRADE_FROM", "")
    if named:
        return git("rev-parse", "--verify", f"{named}^{{commit}}")
    newest = git("log", "-1", "--format=%H", "--", "src/wanjia/*/migrations/*.py")
    return (newest and git("rev-parse", "--verify", f"{newest}^")) or git("rev-parse", "--verify", "HEAD^")


@dataclass(frozen=True)
class Earlier:
    """An installation as the earlier program left it; tests work on copies."""

    where: Place
    code: Path

    def wanjia(self, *command: object):
        done = self.where.run("wanjia.cli", *command, PYTHONPATH=str(self.code))
        assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    commit = earlier_commit()
    if not commit:
        pytest.skip("the history does not reach back to an earlier program (a shallow clone: git fetch --unshallow)")
    folder = tmp_path_factory.mktemp("earlier")
    assert (
        subprocess.run(
            ["git", "worktree", "add", "--detach", folder / "code", commit], cwd=ROOT, check=False
        ).returncode
        == 0
    )
    try:
        for built in (*ROOT.glob("src/wanjia/**/*.mo"), *ROOT.glob("src/wanjia/ui/static/ui/**/*")):
            target = folder / "code" / built.relative_to(ROOT)
            if built.is_file() and not target.exists():  # what setup builds is not in the history
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(built, target)
        with place(folder / "home") as where:
            old = Earlier(where, folder / "code" / "src")
            old.wanjia("demo", "--home", where.home, "--people", 400, "--records", 800, "--no-serve")
            yield old
    finally:
        git("worktree", "remove", "--force", str(folder / "code"))


@pytest.fixture
def copy(earlier, tmp_path):
    """The earlier installation, for this test alone."""
    where = Place(tmp_path / "upgraded", "")
    shutil.copytree(earlier.where.home, where.home)
    if not earlier.where.url:
        yield where
        return
    with place(tmp_path / "upgraded") as fresh:
        name, template = (urlsplit(url).path.lstrip("/") for url in (fresh.url, earlier.where.url))
        server = os.environ["WANJIA_DATABASE_URL"]
        on_server(server, f'DROP DATABASE "{name}"')
        on_server(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield fresh


def untouched(before: dict, after: dict) -> list[str]:
    """Tables whose rows are not as they were, those apart that come with the program."""
    return [
        name for name, held in before["tables"].items()
        if not name.startswith(THE_PROGRAMS_OWN) and after["tables"][name] != held
    ]  # fmt: skip


def test_this_program_opens_what_the_earlier_one_made(copy, tmp_path):
    before = copy.told("tests.upgrade.held", tmp_path / "spec.json")
    assert before["tables"]["registry_household"][0] > 0

    done = copy.run("wanjia.cli", "setup")
    assert done.returncode == 0, done.stderr

    after = copy.told("tests.upgrade.held", tmp_path / "spec.json")
    assert untouched(before, after) == []
    looked = copy.told("tests.backup.look", "compare")
    assert (looked["signed_in"], looked["household"], looked["is_a_picture"]) == (302, 200, True)
    assert len(looked["again"]) == 64
    saved = copy.wanjia("backup", tmp_path / "backup")
    assert saved["absent"] == 0


def test_an_upgrade_killed_anywhere_ends_where_an_undisturbed_one_does(earlier, copy, tmp_path):
    before = copy.told("tests.upgrade.held", tmp_path / "spec.json")
    chance = random.Random(13)
    for _ in range(8):
        process = copy.start("wanjia.cli", "setup")
        time.sleep(0.8 + chance.random() * 4)
        process.kill()
        process.wait(timeout=60)
    assert copy.run("wanjia.cli", "setup").returncode == 0
    after = copy.told("tests.upgrade.held", tmp_path / "spec.json")
    assert untouched(before, after) == []

    with place(tmp_path / "fresh") as fresh:
        assert fresh.run("wanjia.cli", "setup").returncode == 0
        wanted = fresh.told("tests.upgrade.held", tmp_path / "fresh.json")["columns"]
    assert after["columns"] == wanted


def test_a_backup_of_the_earlier_program_is_migrated_when_it_is_restored(earlier, tmp_path):
    if not (earlier.code / "wanjia" / "backup").is_dir():
        pytest.skip("the earlier program made no backups")
    earlier.wanjia("backup", tmp_path / "backup", "--keys", tmp_path / "keys")
    with place(tmp_path / "restored") as restored:
        said = restored.wanjia("restore", tmp_path / "backup", "--keys", tmp_path / "keys")
        assert said["migrated"] > 0
        assert restored.told("tests.backup.look")["household"] == 200
