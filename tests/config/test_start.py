"""What the real server does with a route nobody has thought about: it does not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVE = ("-m", "wanjia.cli", "serve")
OTHER_SERVER = ("-c", "from wanjia.config.wsgi import application")


def started(home: Path, settings: str, *command: str) -> tuple[int, str]:
    """The exit code and the last words of a process that is to end by itself."""
    environment = {**os.environ, "WANJIA_HOME": str(home), "DJANGO_SETTINGS_MODULE": settings, "LANG": "en_US.UTF-8"}
    environment.pop("WANJIA_DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, " ".join(done.stderr.split())


@pytest.mark.parametrize("command", [SERVE, OTHER_SERVER], ids=["serve", "another server"])
def test_the_site_does_not_start_with_a_route_that_declares_nothing(tmp_path, command):
    status, said = started(tmp_path, "tests.config.settings_undeclared", *command)
    assert status != 0
    assert "scope.E001" in said or "RoutesUnsound" in said
    assert not any(tmp_path.glob("*.sqlite3")), "nothing was opened"


def test_with_every_route_declared_it_gets_as_far_as_the_installation(tmp_path):
    status, said = started(tmp_path, "wanjia.config.settings.dev", *SERVE)
    assert (status, "scope.not_set_up" in said) == (2, True), said
    assert started(tmp_path, "wanjia.config.settings.dev", *OTHER_SERVER)[0] == 0
