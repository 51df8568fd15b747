"""A process that is killed between lake and database leaves no batch that is half there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.sources import delivery

pytestmark = pytest.mark.one_database

# Before these nothing is visible, whichever step the process stops at; tests/lake tries them all.
POINTS = ("lake.manifest", "lake.renamed", "lake.published")
ROOT = Path(__file__).parents[2]


def run(*arguments):
    command = [sys.executable, "-m", "tests.sources.installation", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def told(*arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """An installation with keys, tables and code lists; founding one takes seconds."""
    home = tmp_path_factory.mktemp("founded") / "installation"
    assert told(home, "tell")["batches"] == []
    return home


@pytest.fixture
def place(tmp_path, founded):
    file = tmp_path / "vehicles.csv"
    file.write_bytes(delivery().encode("gb18030"))
    return shutil.copytree(founded, tmp_path / "installation"), file


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_the_file_is_put_away_there_is_no_batch_and_the_file_may_come_again(place, point):
    home, file = place
    assert run(home, "receive", file, point, 1).returncode == -9

    assert told(home, "tell")["batches"] == []

    assert told(home, "receive", file)["batches"] == [{"id": 1, "status": "previewed", "accepted": 3, "lines": 7}]


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_the_rows_are_published_the_batch_does_not_count_and_is_read_once(place, point):
    home, file = place
    assert run(home, "receive", file, point, 2).returncode == -9

    after = told(home, "tell")
    assert [batch["status"] for batch in after["batches"]] == ["received"]
    assert not after["current"]

    again = told(home, "read")
    assert again["batches"] == [{"id": 1, "status": "previewed", "accepted": 3, "lines": 7}]
    assert again["typed"] == ["sources/gongan.vehicles/batch=1"]
