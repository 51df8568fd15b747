"""A process is killed at every point there is; started again, nothing is lost, half there, or there twice."""

from __future__ import annotations

import ast
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import wanjia
from tests.faults.conftest import BEGINS
from tests.faults.places import MARK, database_kind

SOURCE = Path(wanjia.__file__).parent


def _lake(times: int, *, files: int = 0) -> dict[str, int]:
    """So many datasets are published, `files` of them single files, which have no manifest."""
    steps = dict.fromkeys(("lake.staged", "lake.synced", "lake.manifest", "lake.renamed", "lake.published"), times)
    return steps | {"lake.manifest": times - files}


def _acts(times: int) -> dict[str, int]:
    return {"audit.in_the_outbox": times, "audit.recorded": times}


# How often each work passes each point. Every passing is a test, and a work that passes others fails.
PASSINGS: dict[str, dict[str, int]] = {
    "receive": _lake(2) | _acts(3) | {
        "sources.delivering": 1, "sources.delivered": 1, "sources.rows_staged": 1, "sources.reading": 1,
        "sources.read": 1, "sources.accepting": 1, "sources.accepted": 1,
    },
    "read": _lake(1) | _acts(1) | {
        "jobs.claimed": 1, "sources.rows_staged": 1, "sources.reading": 1, "jobs.finishing": 1, "sources.read": 1,
        "jobs.finished": 1,
    },
    "compare": _lake(4, files=1) | _acts(4) | {
        "jobs.claimed": 1, "registry.snapshot_published": 1, "registry.snapshot_recorded": 1,
        "resolution.resolving": 1, "resolution.resolved": 1, "comparison.pinning": 1, "comparison.pinned": 1,
        "comparison.findings_staged": 1, "comparison.findings_published": 1, "comparison.index_published": 1,
        "comparison.finishing": 1, "jobs.finishing": 1, "comparison.finished": 1, "jobs.finished": 1,
    },
    "issue": _acts(2) | {"comparison.cases_opened": 1, "comparison.issuing": 1, "comparison.issued": 1},
    "decide": _acts(2) | {
        "registry.updated": 1, "registry.changed": 1, "casework.applied": 1, "casework.acting": 1, "casework.acted": 1,
    },
    "evidence": _acts(1) | {
        "files.spooled": 1, "files.sealed": 1, "files.kept": 1, "files.storing": 1, "files.stored": 1,
    },
    "fold": {"casework.folding": 2},
    "seal": _lake(2, files=1) | _acts(1) | {
        "jobs.claimed": 1, "registry.year_published": 1, "registry.year_indexed": 1, "registry.year_moved_on": 1,
        "registry.year_recorded": 1, "registry.year_sealed": 1, "jobs.finishing": 1, "jobs.finished": 1,
    },
    "amend": _acts(1) | {"registry.corrected_beside": 1, "registry.amended": 1},
    "take in": _lake(1) | _acts(3) | {
        "registry.sheets_read": 1, "registry.updated": 1, "registry.changed": 1, "registry.sheets_applied": 1,
    },
    "erase": _lake(4, files=1) | _acts(3) | {
        "registry.erasing": 1, "registry.erased": 1, "registry.load_forgotten": 1, "registry.snapshot_forgotten": 1,
        "registry.year_rewriting": 1, "registry.year_rewritten": 1, "registry.year_forgotten": 1,
        "registry.sheet_forgotten": 2, "registry.forgetting": 1, "registry.forgotten": 1,
    },
    "access": _acts(2) | {"audit.leaves_planned": 1, "audit.leaf_recorded": 2, "audit.leaf_marked": 2},
}  # fmt: skip

FAULTS = [
    (work, point, number)
    for work, points in PASSINGS.items()
    for point, times in points.items()
    for number in range(1, times + 1)
]


def points_in_the_source() -> Iterator[str]:
    """Every `reached("…")`, also as `partial(reached, "…")`."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            names = [part.id for part in (node.func, *node.args[:1]) if isinstance(part, ast.Name)]
            if "reached" in names:
                point = node.args[-1]
                assert isinstance(point, ast.Constant), f"{file.name}:{node.lineno}: a point's name is written out"
                yield str(point.value)


def test_no_point_of_the_source_is_left_out_and_none_is_passed_under_two_meanings():
    found = Counter(points_in_the_source())

    assert set(found) == {point for points in PASSINGS.values() for point in points}
    twice = {point for point, count in found.items() if count > 1}
    assert {point.partition(".")[0] for point in twice} <= {"lake"}  # a folder and a single file take the same steps


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.parametrize("work", BEGINS)
def test_undisturbed_each_work_passes_the_points_it_is_tried_at(work, undisturbed, tell):
    passed, after = undisturbed(work)

    assert dict(Counter(passed)) == PASSINGS[work]
    assert after["problems"] == []
    tell(f"{database_kind()}  {work} undisturbed", points=len(PASSINGS[work]), passings=len(passed))


@pytest.mark.fault
@pytest.mark.long
@pytest.mark.parametrize(("work", "point", "number"), FAULTS, ids=[f"{w}-{p}-{n}" for w, p, n in FAULTS])
def test_killed_there_it_ends_as_if_nothing_had_happened(work, point, number, place, undisturbed, tell):
    _, expected = undisturbed(work)
    broken = place(BEGINS[work])

    killed = broken.run(work, WANJIA_CRASH_AT=f"{point}:{number}")
    assert killed.status == -signal.SIGKILL, killed.errors[-3000:]
    assert (broken.home / MARK).read_text("ascii") == f"{point}:{number}"

    after = broken.told("recover", work)
    assert after["problems"] == []
    assert after["same"] == expected["same"]
    lines, accepted, rejected, other = after["figures"]["lines"]
    tell(
        f"{database_kind()}  {work} at {point}:{number}", killed=1, restarted=1,
        lines=f"{lines:,} = {accepted:,} + {rejected:,} + {other:,}",
        acts=after["figures"]["acts"], cases=after["figures"]["cases"],
    )  # fmt: skip
