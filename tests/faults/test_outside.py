"""Killed from outside, at moments nobody chose: the server while a file arrives, the worker on its way."""

from __future__ import annotations

import http.client
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import BEGINS
from tests.faults.places import database_kind
from tests.faults.visitor import Visitor, free_port, kill_all, serve

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.long]


def test_the_server_is_killed_while_a_file_arrives_and_the_file_comes_again(place, tell):
    at = place("founded")
    port = free_port()
    running = serve(at, port)
    visitor = Visitor(f"http://127.0.0.1:{port}", "province")
    file = next((at.home / "inbox").glob("*机动车*"))
    (headers, head), content, tail = visitor.multipart(file, "file", {})
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.cookies)
    sending = http.client.HTTPConnection("127.0.0.1", port)
    sending.putrequest("POST", "/sources/upload/")
    for name, value in (headers | {"Cookie": cookies, "Content-Length": str(len(head + content + tail))}).items():
        sending.putheader(name, value)
    sending.endheaders()
    sending.send(head + content[: len(content) // 2])
    time.sleep(1)
    processes = kill_all(running)
    sending.close()

    serve(at, port)
    assert visitor.upload("/sources/upload/", file)[0] == 200
    kill_all(at.processes[-1])
    after = at.told("recover", "nothing")
    assert after["problems"] == []
    assert after["same"]["jobs"] == {"sources.intake done": 1}
    assert after["same"]["datasets"] == {"raw": 1, "sources": 1}
    tell(f"{database_kind()}  server killed while a file arrives", killed=processes, uploaded_again=1, batches=1)


WORKS = {"compare": "comparison", "read": "intake"}


def rows(facts):
    """How many rows were compared with those of the undisturbed installation."""
    return sum(n for counted in facts["same"].values() if isinstance(counted, dict) for n in counted.values())


@pytest.mark.parametrize("share", [30, 60, 90])
@pytest.mark.parametrize("work", WORKS)
def test_a_worker_killed_on_its_way_has_its_job_done_once_by_the_next(work, share, place, undisturbed, tell):
    passed, expected = undisturbed(work)
    point = passed[len(passed) * share // 100]
    number = passed[: len(passed) * share // 100 + 1].count(point)
    at = place(BEGINS[work])
    worker = at.start("tests.faults.child", work, FAULT_STOP=f"{point}:{number}")
    deadline = time.monotonic() + 120
    while not (at.home / "standing").exists():
        assert worker.poll() is None, at.log()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(random.random() / 20)
    assert worker.poll() is None
    worker.kill()
    worker.wait()

    began = time.monotonic()
    after = at.told("recover", work)
    assert after["problems"] == []
    assert after["same"] == expected["same"]
    tell(
        f"{database_kind()}  worker killed in {WORKS[work]} at {share} %", after=f"{point}:{number}", times=1,
        recovered_s=round(time.monotonic() - began, 1), jobs_done_once=1, rows_equal=rows(after),
    )  # fmt: skip


@pytest.mark.parametrize("work", WORKS)
def test_a_frozen_worker_wakes_when_its_lease_is_gone_and_changes_nothing(work, place, undisturbed, tell):
    _, expected = undisturbed(work)
    at = place(BEGINS[work])
    frozen = at.start("tests.faults.child", "frozen_worker", log="frozen.log")
    deadline = time.monotonic() + 120
    while state_of(frozen) != "T":
        assert frozen.poll() is None, at.log("frozen.log")[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)

    began = time.monotonic()
    at.told(work)  # another worker waits until the lease is over, and does it
    taken_over = round(time.monotonic() - began, 1)
    frozen.send_signal(signal.SIGCONT)
    while "another worker took over" not in at.log("frozen.log"):
        assert frozen.poll() is None, at.log("frozen.log")[-2000:]
        assert time.monotonic() < deadline + 120
        time.sleep(0.05)
    frozen.kill()
    frozen.wait()

    after = at.told("recover", "nothing")
    assert after["problems"] == []
    assert after["same"] == expected["same"]
    tell(
        f"{database_kind()}  worker frozen in {WORKS[work]}", fenced_off=1, taken_over_s=taken_over, jobs_done_once=1,
        rows_equal=rows(after),
    )  # fmt: skip


def state_of(process):
    return Path(f"/proc/{process.pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
