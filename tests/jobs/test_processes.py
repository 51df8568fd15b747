"""Workers that are killed, frozen and stopped: real processes, a real database, real signals."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings

ROOT = Path(__file__).parents[2]
LEASE = 2.0
PATIENCE = 60.0


class Installation:
    """A database of its own that several processes share, looked at from outside Django."""

    def __init__(self, home, url):
        self.home, self.url = home, url
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.test",
            "WANJIA_HOME": str(home),
            "WANJIA_DATABASE_URL": url,
            "PYTHONPATH": str(ROOT),
            "WANJIA_CLOCK_START": "",
        }
        self.workers = []

    def python(self, *args):
        subprocess.run(
            [sys.executable, *args], check=True, cwd=ROOT, env=self.env, timeout=120, stdout=subprocess.DEVNULL
        )

    def migrate(self):
        for app in ("accounts", "audit", "jobs"):
            self.python("-m", "django", "migrate", app, "--skip-checks", "-v0")

    def enqueue(self, name, steps):
        self.python("-c", (
            "import django; django.setup(); import tests.jobs.slow_tasks\n"
            "from wanjia.jobs.services import enqueue; from wanjia.scope.system import system_viewer\n"
            f"enqueue({name!r}, {{'steps': {steps}}}, viewer=system_viewer('jobs.schedule'))"
        ))  # fmt: skip

    def worker(self):
        number = len(self.workers)
        log = (self.home / f"worker-{number}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.worker_process", str(LEASE)],
            cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        log.close()
        self.workers.append(process)
        return process

    def log_of(self, process):
        return (self.home / f"worker-{self.workers.index(process)}.log").read_text()

    @contextlib.contextmanager
    def rows(self):
        if self.url:
            import psycopg

            with psycopg.connect(self.url) as connection:
                yield connection
        else:
            connection = sqlite3.connect(self.home / "wanjia.sqlite3", timeout=20)
            yield connection
            connection.close()

    def job(self):
        with self.rows() as connection:
            found = connection.execute(
                "SELECT state, token, attempts, done, result FROM jobs_job WHERE name LIKE 'tests.%'"
            ).fetchone()
        result = found[4] if isinstance(found[4], dict) else json.loads(found[4])
        return {"state": found[0], "token": found[1], "attempts": found[2], "done": found[3], "result": result}

    def effects(self):
        with self.rows() as connection:
            return connection.execute("SELECT count(*) FROM log_opening WHERE act = 'tests.effect'").fetchone()[0]

    def wait_for(self, condition):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            job = self.job()
            if condition(job):
                return job
            time.sleep(0.05)
        logs = "\n".join(self.log_of(process) for process in self.workers)
        pytest.fail(f"the job stayed {self.job()}\n{logs}")

    def freeze(self, process):
        """Stop the process where it stands, outside a transaction: one inside holds what the other must write."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            process.send_signal(signal.SIGSTOP)
            if not self.somebody_writes():
                return
            process.send_signal(signal.SIGCONT)
            time.sleep(0.02)
        pytest.fail("the worker was never seen outside a transaction")

    def somebody_writes(self):
        if self.url:
            with self.rows() as connection:
                return connection.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
                ).fetchone()[0]
        connection = sqlite3.connect(self.home / "wanjia.sqlite3", timeout=0.1, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()
        return False

    def close(self):
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(timeout=30)


def _named(url, name):
    """The address of database `name` on the server of `url`."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _on_server(url, statement):
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def empty_installation(tmp_path_factory, _keys):
    """An installation with tables and no rows; each test works on a copy of it."""
    home, url = tmp_path_factory.mktemp("template"), os.environ.get("WANJIA_DATABASE_URL", "")
    shutil.copytree(_keys, home / "keys")
    name = f"jobs_{uuid.uuid4().hex[:12]}"
    if url:
        _on_server(url, f'CREATE DATABASE "{name}"')
    template = Installation(home, _named(url, name) if url else "")
    template.migrate()
    yield template, name
    if url:
        _on_server(url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def installation(home, empty_installation):
    template, template_name = empty_installation
    url = os.environ.get("WANJIA_DATABASE_URL", "")
    assert bool(url) == django_settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    name = f"jobs_{uuid.uuid4().hex[:12]}"
    if url:
        _on_server(url, f'CREATE DATABASE "{name}" TEMPLATE "{template_name}"')
    else:
        source, copy = sqlite3.connect(template.home / "wanjia.sqlite3"), sqlite3.connect(home / "wanjia.sqlite3")
        source.backup(copy)
        source.close()
        copy.close()
    own = Installation(home, _named(url, name) if url else "")
    try:
        yield own
    finally:
        own.close()
        if url:
            _on_server(url, f'DROP DATABASE "{name}" WITH (FORCE)')


pytestmark = [pytest.mark.fault, pytest.mark.real_clock]


def test_a_killed_workers_job_is_completed_once_by_another(installation):
    installation.enqueue("tests.slow", 20)
    first = installation.worker()
    installation.wait_for(lambda job: job["done"] > 0)
    first.kill()
    first.wait()
    second = installation.worker()
    job = installation.wait_for(lambda job: job["state"] == "done")
    assert (job["token"], job["attempts"], job["result"]) == (2, 2, {"pid": second.pid})
    assert installation.effects() == 1


def test_a_frozen_worker_that_wakes_up_cannot_finish_what_another_took_over(installation):
    installation.enqueue("tests.slow", 30)
    frozen = installation.worker()
    installation.wait_for(lambda job: job["done"] > 0)
    installation.freeze(frozen)
    second = installation.worker()
    taken = installation.wait_for(lambda job: job["token"] == 2)
    frozen.send_signal(signal.SIGCONT)  # both now work on it, and the frozen one is ahead
    job = installation.wait_for(lambda job: job["state"] == "done")
    assert taken["state"] == "running"
    assert (job["token"], job["result"]) == (2, {"pid": second.pid})
    frozen.terminate()
    frozen.wait(timeout=30)
    assert "another worker took over" in installation.log_of(frozen)
    assert installation.effects() == 1


def test_a_worker_frozen_until_the_other_is_done_changes_nothing_when_it_wakes(installation):
    installation.enqueue("tests.slow", 10)
    frozen = installation.worker()
    installation.wait_for(lambda job: job["done"] > 0)
    installation.freeze(frozen)
    second = installation.worker()
    before = installation.wait_for(lambda job: job["state"] == "done")
    frozen.send_signal(signal.SIGCONT)
    frozen.terminate()
    frozen.wait(timeout=30)
    assert installation.job() == before
    assert before["result"] == {"pid": second.pid}
    assert "another worker took over" in installation.log_of(frozen)
    assert installation.effects() == 1


def test_a_worker_that_is_asked_to_stop_finishes_what_it_holds(installation):
    installation.enqueue("tests.slow", 15)
    worker = installation.worker()
    installation.wait_for(lambda job: job["done"] > 0)
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    assert (installation.job()["state"], installation.job()["attempts"]) == ("done", 1)
    assert installation.effects() == 1


def test_a_job_longer_than_the_grace_goes_back_to_the_queue_untried(installation):
    installation.enqueue("tests.attentive", 600)
    worker = installation.worker()
    installation.wait_for(lambda job: job["done"] > 0)
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    assert (installation.job()["state"], installation.job()["attempts"]) == ("queued", 0)
    assert installation.effects() == 0


def test_the_heart_keeps_a_long_job_with_its_worker(installation):
    installation.enqueue("tests.slow", int(LEASE * 10 * 2.5))
    first, second = installation.worker(), installation.worker()
    job = installation.wait_for(lambda job: job["state"] == "done")
    assert job["token"] == 1
    assert job["result"]["pid"] in {first.pid, second.pid}
    assert installation.effects() == 1
