"""Killed from outside, at moments nobody chose: the server while a file arrives, the worker on its way."""

from __future__ import annotations

import http.client
import random
import time

import pytest

from tests.faults.places import database_kind
from tests.faults.visitor import Visitor, free_port, kill_all, serve

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.long]


def test_the_server_is_killed_while_a_file_arrives_and_the_file_comes_again(place, tell):
    at = place("founded")
    port = free_port()
    running = serve(at, port)
    visitor = Visitor(f"http://127.0.0.1:{port}", "province")
    file = next((at.home / "inbox").iterdir())
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


@pytest.mark.parametrize("share", [30, 60, 90])
def test_a_worker_killed_on_its_way_leaves_one_comparison_with_the_same_digest(share, place, undisturbed, tell):
    passed, expected = undisturbed("compare")
    point = passed[len(passed) * share // 100]
    number = passed[: len(passed) * share // 100 + 1].count(point)
    at = place("asked")
    worker = at.start("tests.faults.child", "compare", FAULT_STOP=f"{point}:{number}")
    deadline = time.monotonic() + 120
    while not (at.home / "standing").exists():
        assert worker.poll() is None, at.log()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(random.random() / 5)
    worker.kill()
    worker.wait()

    after = at.told("recover", "compare")
    assert after["problems"] == []
    assert after["same"] == expected["same"]
    tell(
        f"{database_kind()}  worker killed at {share} %",
        killed=1,
        comparisons=1,
        digest=after["same"]["runs"][0][1][:8],
    )
