from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.faults.clusters import Cluster, running
from tests.faults.places import ROOT, Place, copied, drop, new_place, server

# A work begins in a stage; each stage is the one before it and what is done then.
STAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "founded": ("", ()),
    "delivered": ("founded", ("deliver",)),
    "asked": ("founded", ("receive", "ask")),
    "compared": ("asked", ("compare",)),
    "decidable": ("compared", ("issue", "field_work", "read_people")),
    "sealable": ("founded", ("ask_to_seal",)),
    "brought": ("founded", ("bring_sheet",)),
    "erasable": ("founded", ("leave", "ask_to_seal", "worker", "ask_to_erase")),
    "amendable": ("sealable", ("worker",)),
}
BEGINS = {
    "receive": "founded", "read": "delivered", "compare": "asked", "issue": "compared", "decide": "decidable",
    "evidence": "decidable", "fold": "decidable", "access": "decidable", "seal": "sealable", "amend": "amendable",
    "take in": "brought", "erase": "erasable",
}  # fmt: skip


@pytest.hookimpl(tryfirst=True)  # the root conftest asks for the marks
def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/faults/" in item.path.as_posix():
            item.add_marker(pytest.mark.real_clock)


@pytest.fixture(scope="session")
def stage(tmp_path_factory) -> Iterator[Callable[[str], Place]]:
    """An installation in a stage of the line, made when first asked for; nobody changes it."""
    made: dict[str, Place] = {}
    root = tmp_path_factory.mktemp("stages")

    def at(name: str) -> Place:

        if name not in made:
            earlier, acts = STAGES[name]
            place = new_place(root / name, like=at(earlier) if earlier else None)
            made[name] = place
            if not earlier:
                _found(place)
            for act in acts:
                place.told(act)
        return made[name]

    yield at
    for place in made.values():
        drop(place)


@pytest.fixture(scope="session")
def cluster(stage) -> Iterator[Cluster]:
    """A PostgreSQL server of the fault tests' own, with every stage, which may be killed."""
    for name in STAGES:
        stage(name)
    folder = Path(tempfile.mkdtemp(prefix="wanjia-cluster-"))
    with running(Cluster.copied_from(server(), folder)) as made:
        yield made
    shutil.rmtree(folder)


def _found(place: Place) -> None:
    size = ["--people", "600", "--records", "1200", "--seed", "11", "--until", "founded"]
    command = [sys.executable, "-m", "wanjia.cli", "demo", "--no-serve", "--json", "--home", str(place.home), *size]
    environment = {name: value for name, value in place.environment.items() if name != "WANJIA_CLOCK_START"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="session")
def undisturbed(stage, tmp_path_factory) -> Callable[[str], tuple[list[str], Any]]:
    """The points a work passes in order, and what is true after it, when nothing goes wrong."""
    root = tmp_path_factory.mktemp("undisturbed")

    @cache
    def of(work: str) -> tuple[list[str], Any]:
        trace = root / f"{work}.trace"
        with copied(root / work, stage(BEGINS[work])) as place:
            place.told(work, FAULT_TRACE=str(trace))
            return trace.read_text("ascii").splitlines(), place.told("recover", work)

    return of


@pytest.fixture
def place(stage, tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """A copy of a stage to break."""
    made: list[Place] = []

    def at(name: str) -> Place:
        made.append(new_place(tmp_path / f"broken-{len(made)}", like=stage(name)))
        return made[-1]

    yield at
    for broken in made:
        drop(broken)


def told(text: str) -> Any:
    return json.loads(text.splitlines()[-1])
