"""Site and worker as the operator runs them: what a probe, Prometheus and the log see of both."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from tests.browser.site import _database
from wanjia.telemetry import sharing

PATIENCE = 90.0


class Installation:
    """The processes of one installation, with production's settings but for TLS."""

    def __init__(self, home: Path, url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.home, self.log = home, home.parent / "log"
        self.env = {
            **os.environ,
            "WANJIA_HOME": str(home),
            "WANJIA_DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.production",
            "WANJIA_SECRET_KEY": secrets.token_urlsafe(50),
            "WANJIA_ALLOWED_HOSTS": "wanjia.example.cn",
            "WANJIA_SLOW_QUERY_MS": "0",
            "LANG": "en",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def wanjia(self, *command: str) -> None:
        subprocess.run([sys.executable, "-m", "wanjia.cli", *command], env=self.env, check=True, capture_output=True)

    def broken(self) -> tuple[int, set[str]]:
        """What the doctor finds broken, and the command's exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "wanjia.cli", "doctor", "--json"], env=self.env, capture_output=True, check=False
        )
        answers = json.loads(done.stdout.splitlines()[-1])["answers"]
        return done.returncode, {answer["check"] for answer in answers if answer["state"] == "fail"}

    def start(self, *command: str) -> None:
        with self.log.open("ab") as log:
            self.processes[command[0]] = subprocess.Popen(
                [sys.executable, "-m", "wanjia.cli", *command], env=self.env, stdout=log, stderr=log
            )

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(30)

    def ask(self, path: str, **headers: str) -> tuple[int, str, Message]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(), answer.headers

    def figures(self) -> dict[str, float]:
        status, text, _ = self.ask("/metrics")
        assert status == 200, text
        lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def wait_for(self, seen, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if seen():
                    return
            time.sleep(0.2)
        pytest.fail(f"never seen: {what}\n{self.log.read_text()[-3000:]}")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with _database() as url:
        it = Installation(tmp_path / "installed", url)
        try:
            it.wanjia("setup")
            yield it
        finally:
            for process in it.processes.values():
                process.kill()
                process.wait()


@pytest.mark.slow
def test_site_and_worker_are_watched_as_one(installation):
    it = installation
    it.start("serve", "--port", str(it.port))
    it.wait_for(lambda: it.ask("/healthz")[0] == 200, "a live site")
    it.wait_for(lambda: it.ask("/readyz")[0] == 200, "a ready site")
    assert it.ask("/readyz", Host="evil.example.com")[0] == 400
    assert it.ask("/metrics", **{"X-Forwarded-For": "10.1.2.3"})[0] == 403

    proxied = {"Host": "wanjia.example.cn", "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.1.2.3"}
    answers = [it.ask("/sign-in/?q=459999197602290012", **proxied) for _ in range(12)]
    assert {status for status, _, _ in answers} == {200}
    for _, _, headers in answers:
        cookie = str(headers["Set-Cookie"])
        assert cookie.startswith("__Host-csrftoken=")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} < set(cookie.split("; "))
    counted = 'wanjia_requests_total{method="GET",route="accounts:sign_in",status="200"}'
    # several processes serve on PostgreSQL; whichever is asked adds up what all have counted
    assert {it.figures()[counted] for _ in range(6)} == {12.0}

    it.start("worker")
    it.wait_for(
        lambda: it.figures().get('wanjia_jobs_total{job="jobs.prune",outcome="done"}', 0) >= 1,
        "a job the worker counted",
    )
    it.wait_for(
        lambda: any("heartbeat_age" in name and age < 60 for name, age in it.figures().items()),
        "the worker's heartbeat",
    )
    assert it.broken() == (0, set())
    it.stop("worker")
    it.wait_for(lambda: not any("heartbeat_age" in name for name in it.figures()), "that the worker ended")

    # What a process counted is cleared once it has ended and the next one starts.
    folder = sharing.folder_in_memory(it.home) or it.home / "run" / "metrics"
    first = {file.name for file in folder.glob("*.db")}
    it.stop("serve")
    it.start("serve", "--port", str(it.port))
    it.wait_for(lambda: it.ask("/readyz")[0] == 200, "a ready site, again")
    assert first
    assert not first & {file.name for file in folder.glob("*.db")}
    assert folder.stat().st_mode & 0o077 == 0

    (it.home / "keys" / "person.key").chmod(0o644)
    it.wait_for(lambda: it.ask("/readyz")[:2] == (503, '{"ready": false, "reasons": ["keys"]}'), "keys as the reason")
    it.stop("serve")
    assert it.broken() == (1, {"jobs.worker", "keys.files", "keys.database"})

    lines = [json.loads(line) for line in it.log.read_text().splitlines()]  # each and every one
    events = {line["event"] for line in lines}
    assert {"request", "job", "slow_query", "not_ready", "log"} <= events
    requests = [line for line in lines if line["event"] == "request" and line["route"] == "accounts:sign_in"]
    assert {line["request"] for line in requests} == {headers["X-Request-ID"] for _, _, headers in answers}
    jobs = [line for line in lines if line["event"] == "job" and line["job_name"] == "jobs.prune"]
    assert jobs[0]["outcome"] == "done"
    assert jobs[0]["attempt"] == 1
    assert any(line.get("job_name") == "jobs.prune" for line in lines if line["event"] == "slow_query")
    assert "459999" not in it.log.read_text()
