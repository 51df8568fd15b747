"""Every command that works on an installation refuses one whose keys are not in order, with the cure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from wanjia.protection.keys import FIELD, PERSON, Keyring

pytestmark = pytest.mark.one_database

COMMANDS = {
    "serve": ["serve", "--port", "0"],
    "worker": ["worker"],
    "intake": ["intake", __file__],
    "compare": ["compare"],
}


def run(home: Path, *command: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "WANJIA_HOME": str(home), "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.dev"}
    environment.pop("WANJIA_DATABASE_URL", None)  # keys are bound to whichever database; here to a file of its own
    return subprocess.run(
        [sys.executable, "-m", "wanjia.cli", *command],
        env=environment | {"LANG": "en", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.fixture(scope="module")
def set_up(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("installation")
    done = run(home, "setup")
    assert done.returncode == 0, done.stderr
    return home


def foreign(keys: Path) -> None:
    Keyring.create(keys / "other")
    shutil.copy2(keys / "other" / PERSON, keys / PERSON)


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "lost": (lambda keys: (keys / PERSON).unlink(), "protection.key_file_missing"),
    "damaged": (lambda keys: (keys / FIELD).write_text("nonsense"), "protection.key_file_malformed"),
    "exposed": (lambda keys: (keys / PERSON).chmod(0o644), "protection.key_file_exposed"),
    "swapped": (lambda keys: shutil.copy2(keys / PERSON, keys / FIELD), "protection.wrong_key"),
    "foreign": (foreign, "protection.wrong_key"),
}


@pytest.mark.parametrize(("harm", "command"), list(zip(HARMS, [*COMMANDS, "worker"], strict=True)))
def test_keys_out_of_order_stop_every_command(set_up, tmp_path, harm, command):
    home = tmp_path / "copy"
    shutil.copytree(set_up, home)
    spoil, code = HARMS[harm]
    spoil(home / "keys")
    before = contents(home)
    done = run(home, *COMMANDS[command])
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, code)
    assert contents(home) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_without_an_installation_says_so(tmp_path, command):
    done = run(tmp_path / "nowhere", *COMMANDS[command])
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "scope.not_set_up")
    assert not (tmp_path / "nowhere").exists()


def contents(home: Path) -> dict[str, str]:
    """Every file but SQLite's own shared memory, by name and digest."""
    files = (file for file in home.rglob("*") if file.is_file() and not file.name.endswith(("-shm", "-wal")))
    return {str(file.relative_to(home)): sha256(file.read_bytes()).hexdigest() for file in files}
