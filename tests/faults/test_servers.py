"""Two of a kind on one installation: refused on SQLite, welcome on PostgreSQL; nothing written is lost either way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from tests.faults.places import PATIENCE, ROOT, database_kind, server
from tests.faults.visitor import Visitor, free_port, kill_all, serve

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.long]
PHOTOS = 12


def refused(place, *command):
    """What a second one says, and its status."""
    done = subprocess.run(
        [sys.executable, "-m", "wanjia.cli", *command], cwd=ROOT, env=place.environment | {"LANG": "en_US.UTF-8"},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.returncode, " ".join(done.stderr.split())


@pytest.mark.skipif(bool(server()), reason="on PostgreSQL any number may run")
def test_a_second_server_and_a_second_worker_are_refused_while_people_write(place, tell):
    at = place("decidable")
    port = free_port()
    first, worker = serve(at, port), at.start("wanjia.cli", "worker", log="worker.log")
    writers = [
        threading.Thread(
            target=lambda: at.start("tests.faults.child", "photos", FAULT_PHOTOS=str(PHOTOS)).wait(PATIENCE)
        )
        for _ in range(2)
    ]
    for writer in writers:
        writer.start()
    time.sleep(2)  # the worker is up, the writers write

    status, said = refused(at, "serve", "--port", str(free_port()))
    assert status == 2, said
    assert f"process {first.pid}" in said
    status, said = refused(at, "worker")
    assert status == 2, said
    assert f"process {worker.pid}" in said

    assert Visitor(f"http://127.0.0.1:{port}", "county").get("/")[0] == 200
    for writer in writers:
        writer.join()
    kill_all(first)
    worker.kill()
    worker.wait()
    serve(at, port).terminate()  # what was killed locks nothing
    at.processes[-1].wait(timeout=30)

    after = at.told("recover", "nothing")
    assert after["problems"] == []
    assert after["same"]["files"] == 1 + 2 * PHOTOS
    tell(f"{database_kind()}  two servers, two workers", refused=2, photos_written=2 * PHOTOS, lost=0)


@pytest.mark.skipif(not server(), reason="on SQLite the second is refused")
def test_two_servers_and_two_workers_share_a_postgresql_installation(place, tell):
    at = place("asked")
    ports = [free_port(), free_port()]
    servers = [serve(at, port) for port in ports]
    workers = [at.start("wanjia.cli", "worker", log=f"worker-{number}.log") for number in range(2)]
    for port in ports:
        assert Visitor(f"http://127.0.0.1:{port}", "county").get("/")[0] == 200
    deadline = time.monotonic() + PATIENCE
    while "comparison.compare done" not in at.told("tell")["same"]["jobs"] and time.monotonic() < deadline:
        time.sleep(0.5)
    for process in (*servers, *workers):
        process.terminate()
        process.wait(timeout=60)

    after = at.told("recover", "nothing")
    assert after["problems"] == []
    assert len(after["same"]["runs"]) == 1
    assert after["same"]["acts"]["comparison.run"] == 1
    tell(f"{database_kind()}  two servers, two workers", answering=2, comparisons=1, lost=0)


def test_what_belongs_to_fault_tests_is_refused_in_production(tmp_path):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.production", "WANJIA_HOME": str(tmp_path),
        "WANJIA_SECRET_KEY": "x" * 50, "WANJIA_ALLOWED_HOSTS": "wanjia.example.cn", "WANJIA_CRASH_AT": "lake.staged:1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"], env=environment, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "WANJIA_CRASH_AT ends processes on purpose" in done.stderr
