"""One small county, built and saved once; tests restore it, damage it and look into it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backup.installation import Place, place


@dataclass(frozen=True)
class Saved:
    """A backup with what its command said; the keys lie elsewhere."""

    folder: Path
    keys: Path
    said: dict


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    """A worked demo with a sealed year, in which somebody has signed in and looked at a household."""
    with place(tmp_path_factory.mktemp("county") / "home") as where:
        where.wanjia("demo", "--home", where.home, "--people", 400, "--records", 800, "--no-serve")
        seal_oldest(where)
        where.told("tests.backup.look", "commit")
        yield where


def seal_oldest(where: Place) -> None:
    """Its oldest reporting year, with every warning confirmed."""
    year = min(one["year"] for one in where.wanjia("year", "list")["years"])
    found = where.wanjia("year", "check", year)["found"]
    where.wanjia("year", "seal", year, *(f"--confirm={one['code']}={one['count']}" for one in found))


@pytest.fixture(scope="session")
def saved(county: Place, tmp_path_factory) -> Saved:
    root = tmp_path_factory.mktemp("saved")
    said = county.wanjia("backup", root / "first", "--keys", root / "keys")
    return Saved(root / "first", root / "keys", said)


@pytest.fixture
def empty(tmp_path):
    """A machine with nothing on it."""
    with place(tmp_path / "machine") as where:
        yield where


@pytest.fixture
def copy(saved: Saved, tmp_path) -> Path:
    """The backup, for a test that damages it."""
    return shutil.copytree(saved.folder, tmp_path / "copy")
