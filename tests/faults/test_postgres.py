"""PostgreSQL dies under the running site and worker: one backend, or the whole server.

Each is killed while a transaction that has written stands before its commit. What that transaction did
is there or it is not, and site and worker find the server again by themselves.
"""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tests.faults.conftest import BEGINS
from tests.faults.places import PATIENCE, drop, new_place, on_server, server
from tests.faults.visitor import Visitor, free_port, kill_all, serve

pytestmark = [
    pytest.mark.fault, pytest.mark.slow, pytest.mark.long,
    pytest.mark.skipif(not server(), reason="needs PostgreSQL"),
]  # fmt: skip
STANDS = {"decide": "casework.applied", "read": "sources.reading", "compare": "comparison.finishing"}
NAMES = {"decide": "a verdict", "read": "the reading of a batch", "compare": "a comparison"}


@pytest.fixture
def on_cluster(cluster, stage, tmp_path):
    """A copy of a stage, on the server that may be killed."""
    made = []

    def at(name):
        made.append(new_place(tmp_path / f"own-{len(made)}", like=stage(name), on=cluster.url()))
        # A copied sequence writes ahead only after a checkpoint: killed before, the copy would give numbers twice.
        on_server(cluster.url(), "CHECKPOINT")
        return made[-1]

    yield at
    for place in made:
        drop(place)


def wait_for(condition, at, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}\n{at.log('serve.log')[-2000:]}\n{at.log('worker.log')[-2000:]}"
        time.sleep(0.05)


def comparable(facts):
    """Without what the visits of this test itself left: signing in, and having read."""
    acts = {act: n for act, n in facts["same"]["acts"].items() if act.partition(".")[0] not in {"accounts", "audit"}}
    return facts["same"] | {"acts": acts}


def killed(victim, own, at):
    """Kill it while somebody stands in his transaction; the number of processes that were killed."""
    standing = own.standing(at.database)
    if victim == "backend":
        os.kill(standing, signal.SIGKILL)
        return f"backend {standing}"
    own.kill()
    time.sleep(1)
    own.start()
    return "the postmaster"


@pytest.mark.parametrize("victim", ["backend", "postmaster"])
@pytest.mark.parametrize("work", NAMES)
def test_the_server_dies_before_a_commit(work, victim, cluster, on_cluster, undisturbed, tell):
    _, expected = undisturbed(work)
    at = on_cluster(BEGINS[work])
    stand = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings", "FAULT_STAND": f"{STANDS[work]}:1"}
    port = free_port()
    site = serve(at, port, **(stand if work == "decide" else {}))
    county = Visitor(f"http://127.0.0.1:{port}", "county")
    worker = at.start("wanjia.cli", "worker", log="worker.log", **(stand if work != "decide" else {}))
    wait_for(lambda: at.told("alive"), at, "no worker")

    answers = []
    if work == "decide":
        waiting = at.told("waiting_for_the_county")
        address = f"/cases/{waiting['decide']}/act/"
        fields = {"action": "decide", "version": str(waiting["version"]), "note": "同意。"}
        deciding = threading.Thread(target=lambda: answers.append(county.post(address, **fields)))
        deciding.start()
    wait_for((at.home / "standing").exists, at, "nobody stands")
    who = killed(victim, cluster, at)
    began = time.monotonic()
    (at.home / "standing").rename(at.home / "stood")

    if work == "decide":
        deciding.join()
        assert answers[0][0] == 503, answers[0]
        assert "kernel.database_away" in answers[0][1]
    wait_for(lambda: county.get("/")[0] == 200, at, "the site does not come back")
    seconds = time.monotonic() - began
    if work == "decide":
        assert county.post(address, **fields)[0] == 200
    else:
        wait_for(lambda: not at.told("open_jobs"), at, "the job does not go on")
        seconds = time.monotonic() - began
    worker.terminate()
    assert worker.wait(60) == 0
    kill_all(site)

    after = at.told("recover", "nothing")
    assert after["problems"] == []
    assert comparable(after) == comparable(expected)
    rows = sum(count for counts in after["same"].values() if isinstance(counts, dict) for count in counts.values())
    tell(
        f"postgresql  killed under {NAMES[work]}: {victim}", at=STANDS[work], landed=who, times=1,
        restarted_by_hand="postmaster" if victim == "postmaster" else "nothing", recovered_s=round(seconds, 1),
        rows_equal=rows,
    )  # fmt: skip
