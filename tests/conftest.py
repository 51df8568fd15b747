"""What every test stands on: a home of its own, keys, a still clock, and no network."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from wanjia.kernel import clock
from wanjia.protection.keys import Keyring

# Every write of a watched table is recorded, or its test fails.
pytest_plugins = ["wanjia.audit.testing"]

NOW = dt.datetime(2020, 11, 16, 9, 0, tzinfo=clock.CHINA)


@pytest.fixture(autouse=True)
def _still_clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """09:00 on Monday 16 November 2020, unless the test is marked `real_clock`."""
    if request.node.get_closest_marker("real_clock"):
        yield
        return
    with clock.frozen(NOW):
        yield


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the platform may need the network; a test that tries is wrong."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if host not in ("127.0.0.1", "::1", "localhost"):
                pytest.fail(f"a connection to {host} was attempted")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def _keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set of real keys for the whole run; each home has a copy."""
    folder = tmp_path_factory.mktemp("installation") / "keys"
    Keyring.create(folder)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings, _keys: Path) -> Path:
    """An installation's folder of its own for each test, with keys of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    settings.WANJIA_HOME = folder
    shutil.copytree(_keys, folder / "keys")
    return folder
