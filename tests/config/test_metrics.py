"""Figures: who may ask, what they tell, and that they tell nothing about people."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import accounts as factory
from tests.factories import casework, jobs, sources
from tests.factories.walking import MINE
from wanjia.accounts.services import load_roles
from wanjia.audit.access import AccessRow, access_store
from wanjia.casework.models import CaseCounter
from wanjia.divisions.services import load_divisions
from wanjia.jobs import beats
from wanjia.jobs.choices import State
from wanjia.jobs.models import Job, WorkerBeat
from wanjia.jobs.worker import run_pending
from wanjia.kernel import clock
from wanjia.reference.services import load_reference
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.telemetry import metrics

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "operate.md"
HERE = {"host": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _anew():
    metrics.READINGS.forget()
    yield
    metrics.READINGS.forget()


def scrape() -> dict[str, dict[tuple[str, ...], float]]:
    """Sample name → label values, in the order of the labels' names → value."""
    metrics.READINGS.forget()
    answer = Client().get("/metrics", headers=HERE)
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", HERE, 200),
        ("::1", {"host": "[::1]:8000"}, 200),
        ("127.0.0.1", {"host": "localhost:8000"}, 200),
        ("10.1.2.3", HERE, 403),
        ("", HERE, 403),
        ("127.0.0.1", {"host": "wanjia.example.cn"}, 403),
        ("127.0.0.1", HERE | {"x-forwarded-for": "10.1.2.3"}, 403),
        ("127.0.0.1", HERE | {"x-forwarded-proto": "https"}, 403),
        ("127.0.0.1", HERE | {"x-real-ip": "10.1.2.3"}, 403),
        ("127.0.0.1", HERE | {"via": "1.1 proxy"}, 403),
        ("10.1.2.3", HERE | {"authorization": "Bearer "}, 403),
    ],
)
def test_without_a_token_only_this_machine_may_ask(db, address, headers, status):
    assert Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("address", "given", "status"),
    [
        ("10.1.2.3", "Bearer s3cret-token", 200),
        ("10.1.2.3", "Bearer s3cret-tokeN", 403),
        ("10.1.2.3", "s3cret-token", 403),
        ("127.0.0.1", "", 403),
    ],
)
def test_with_a_token_whoever_holds_it_may_ask_and_nobody_else(db, settings, address, given, status):
    settings.WANJIA_METRICS_TOKEN = "s3cret-token"
    headers = HERE | {"x-forwarded-for": "10.1.2.3", "authorization": given}
    assert Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code == status


def test_the_token_may_stand_in_a_file(monkeypatch, tmp_path):
    from wanjia.config import env

    file = tmp_path / "token"
    file.write_text("from-a-file\n")
    monkeypatch.setenv("WANJIA_METRICS_TOKEN_FILE", str(file))
    assert env.read().metrics_token == "from-a-file"


def test_requests_are_counted_by_route_and_never_by_address(db):
    before = scrape()
    client = Client()
    client.get("/sign-in/")
    client.get("/nowhere/459999197602290012/")
    client.generic("BREW", "/sign-in/")
    after = scrape()

    def more(name: str, *labels: str) -> float:
        return after[name].get(labels, 0) - before.get(name, {}).get(labels, 0)

    assert more("wanjia_requests_total", "GET", "accounts:sign_in", "200") == 1
    assert more("wanjia_requests_total", "GET", "-", "404") == 1
    assert more("wanjia_requests_total", "OTHER", "accounts:sign_in", "405") == 1
    assert more("wanjia_request_seconds_count", "GET", "accounts:sign_in") == 1
    assert more("wanjia_request_queries_count", "accounts:sign_in") == 2


def test_sign_ins_are_counted_by_how_they_went(db):
    factory.account("officer")
    before = scrape().get("wanjia_sign_ins_total", {})
    client = Client()
    for _ in range(5):
        client.post("/sign-in/", {"username": "officer", "password": "wrong-horse-9"})
    factory.account("other")
    client.post("/sign-in/", {"username": "other", "password": factory.PASSWORD})
    after = scrape()["wanjia_sign_ins_total"]
    assert {key: after[key] - before.get(key, 0) for key in after} == {("wrong",): 5, ("locked",): 1, ("right",): 1}


def test_jobs_are_counted_by_how_a_try_ended(db):
    from wanjia.jobs.services import enqueue

    name = "audit.commit_access"
    before = scrape().get("wanjia_jobs_total", {}).get((name, "done"), 0)
    enqueue(name, viewer=system_viewer("jobs.schedule"))
    waiting = scrape()
    assert waiting["wanjia_jobs_waiting"] == {("interactive",): 1, ("heavy",): 0}
    run_pending()
    after = scrape()
    assert after["wanjia_jobs_total"][name, "done"] == before + 1
    assert after["wanjia_job_seconds_count"][(name,)] >= 1
    assert after["wanjia_jobs_waiting"] == {("interactive",): 0, ("heavy",): 0}
    assert after["wanjia_jobs_kept"] == {(name, "done"): 1}


def test_the_oldest_waiting_job_and_dead_leases_show(db):
    long_ago = clock.now() - timedelta(seconds=90)
    rows = {"name": "x", "user_id": 0, "created_at": long_ago, "run_at": long_ago}
    Job.objects.create(**rows, lane="heavy")
    Job.objects.create(**rows, lane="heavy", state=State.RUNNING, lease_until=1.0)
    found = scrape()
    assert found["wanjia_jobs_oldest_waiting_seconds"] == {("interactive",): 0, ("heavy",): 90}
    assert found["wanjia_jobs_dead_leases"] == {(): 1}
    assert found["wanjia_jobs_running"] == {("interactive",): 0, ("heavy",): 1}


def test_a_workers_heartbeat_ages_by_the_databases_clock(db):
    beats.beat(worker="a:1", node="a")
    beats.beat(worker="a:1", node="a")
    beats.beat(worker="b:1", node="b")
    WorkerBeat.objects.filter(node="b").update(beat_at=1.0)
    ages = scrape()["wanjia_worker_heartbeat_age_seconds"]
    assert ages["a",] < 60
    assert ages["b",] > 1e9
    beats.stopped(worker="a:1")
    beats.forget_old()
    assert "wanjia_worker_heartbeat_age_seconds" not in scrape()


def test_the_outbox_and_readings_not_in_the_log_show(db):
    empty = scrape()
    assert empty["wanjia_audit_outbox_entries"] == {(): 0}
    assert empty["wanjia_access_rows_uncommitted"] == {(): 0}
    load_roles()
    factory.account("officer", "county_office", "451228")
    access_store().append([AccessRow(3, "", "registry.read", "household", 7, "name", "", "451228")])
    with clock.frozen(clock.now() + timedelta(seconds=120)):
        found = scrape()
        assert found["wanjia_audit_outbox_entries"][()] >= 1
        assert found["wanjia_audit_outbox_age_seconds"][()] == 120
        assert found["wanjia_access_rows_uncommitted"] == {(): 1}
        from wanjia.audit.services import commit_access

        commit_access()
        assert scrape()["wanjia_access_rows_uncommitted"] == {(): 0}


@pytest.fixture
def busy(db):
    load_reference()
    load_divisions()
    load_roles()
    for slice_ in (casework, sources, jobs):
        slice_.examples(MINE)


def test_cases_and_deliveries_show_and_no_label_is_narrower_than_a_city(busy):
    with lake().publishing("sources/d.x/batch=1") as staging:
        staging.path("rows").write_bytes(b"1234")
    found = scrape()
    cases = found["wanjia_cases_open"]
    counters = CaseCounter.objects.overseen_by(system_viewer("casework.measures"))
    assert sum(cases.values()) == sum(row.n for row in counters.filter(topic="")) > 0
    assert {city for _, city, *_ in cases} == {MINE.area[:4]}
    assert sum(found["wanjia_batches"].values()) >= 1
    assert {fate for _, fate in found["wanjia_batch_lines"]} == {"accepted", "warned", "rejected", "non_data"}
    assert found["wanjia_lake_bytes"]["sources",] >= 4
    assert found["wanjia_disk_free_bytes"]["home",] > 0
    assert "wanjia_measure_failed" not in found
    long_numbers = [
        key for series in found.values() for labels in series for key in labels if re.search(r"\d{5,}", key)
    ]
    assert long_numbers == []


def test_an_overdue_case_shows_as_one(busy):
    rows = CaseCounter.objects.overseen_by(system_viewer("casework.measures"))
    due = max(row.due_on for row in rows)
    with clock.frozen(due + timedelta(days=1)):
        assert {alarm for alarm, *_ in scrape()["wanjia_cases_open"]} == {"overdue"}


def test_a_measure_that_fails_is_named_and_the_others_stay(db, monkeypatch, caplog):
    def fails():
        raise RuntimeError("no")

    broken = metrics.Measure("wanjia_broken", "Fails.", (), fails)
    known = metrics.measures()
    monkeypatch.setattr(metrics, "measures", lambda: (broken, *known))
    found = scrape()
    assert found["wanjia_measure_failed"] == {("wanjia_broken",): 1}
    assert "wanjia_jobs_waiting" in found
    assert "wanjia_broken could not be read" in caplog.text


def test_one_reading_serves_whoever_scrapes_within_seconds(db, django_assert_num_queries):
    scrape()
    with django_assert_num_queries(0):
        Client().get("/metrics", headers=HERE)


def test_every_figure_is_in_the_guide_and_the_guide_names_no_other():
    written = set(re.findall(r"`(wanjia_[a-z_]+)`", PAGE.read_text(encoding="utf-8")))
    counted = {f"{metric._name}_total" if metric._type == "counter" else metric._name for metric in metrics.INSTRUMENTS}
    read = {measure.name for measure in (*metrics.measures(), metrics.FAILED)}
    assert written == counted | read
