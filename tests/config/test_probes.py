"""Alive and ready: what a load balancer hears, with the real thing broken behind it."""

from __future__ import annotations

import os
import shutil
import stat

import pytest
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from wanjia.config import readiness
from wanjia.protection.keys import FIELD, PERSON, Keyring
from wanjia.scope import keys
from wanjia.scope.stores import lake


def test_alive_needs_no_database():
    answer = Client().get("/healthz")  # this test has no database: asking one would fail it
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.fixture
def ready(db, home, monkeypatch):
    """An installation in order."""
    keys._opened.cache_clear()
    keys.bind_keys()
    monkeypatch.setattr(readiness, "_held", (0.0, ()))
    return home


def reasons() -> list[str]:
    readiness.look_again()
    answer = Client().get("/readyz")
    told = answer.json()
    assert answer.status_code == (503 if told["reasons"] else 200)
    assert told == {"ready": not told["reasons"], "reasons": told["reasons"]}  # and not a word more
    return told["reasons"]


def test_an_installation_in_order_is_ready(ready):
    assert reasons() == []


def test_a_missing_migration_is_a_reason(ready):
    from django.db import connection

    MigrationRecorder(connection).record_unapplied("jobs", "0002_worker_beat")
    assert readiness.missing_migrations() == ["jobs.0002_worker_beat"]
    assert reasons() == ["migrations"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda keys: (keys / PERSON).unlink(),
        lambda keys: (keys / FIELD).write_text("nonsense"),
        lambda keys: (keys / PERSON).chmod(0o644),
        lambda keys: (Keyring.create(keys / "other"), shutil.copy2(keys / "other" / PERSON, keys / PERSON)),
        shutil.rmtree,
    ],
    ids=["lost", "damaged", "exposed", "foreign", "all lost"],
)
def test_keys_out_of_order_are_a_reason_though_the_process_has_read_them(ready, harm):
    assert keys.keyring()
    harm(ready / "keys")
    assert reasons() == ["keys"]


def test_a_database_that_never_saw_the_keys_is_a_reason(db, home):
    assert reasons() == ["keys"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_answer_is_a_reason(home, tmp_path, monkeypatch):
    keys.bind_keys()
    connection = connections["default"]
    connection.close()
    nowhere = tmp_path / "nowhere" / "x"
    broken = {"HOST": str(tmp_path)} if connection.vendor == "postgresql" else {"NAME": nowhere}
    before = dict(connection.settings_dict)
    connection.settings_dict.update(broken)
    try:
        assert reasons() == ["database"]
    finally:
        connection.settings_dict.update(before)
        connection.close()
    assert reasons() == []


def test_a_lake_that_cannot_be_written_is_a_reason(ready, monkeypatch):
    root = lake().root
    root.write_text("a file where the folder belongs")  # root itself may write where modes forbid it
    assert reasons() == ["lake"]
    root.unlink()
    root.mkdir()
    assert reasons() == []
    if os.geteuid():
        root.chmod(stat.S_IRUSR | stat.S_IXUSR)
        assert reasons() == ["lake"]


def test_a_full_disk_is_a_reason(ready, settings):
    settings.WANJIA_DISK_FLOOR = shutil.disk_usage(ready).total + 1
    assert reasons() == ["disk"]


def test_one_answer_serves_everybody_for_a_moment(ready, django_assert_num_queries):
    reasons()
    with django_assert_num_queries(0):
        Client().get("/readyz")
    (ready / "keys" / PERSON).unlink()
    assert Client().get("/readyz").json()["ready"]
    assert reasons() == ["keys"]


def test_the_log_names_the_reasons_once(ready, caplog):
    (ready / "keys" / PERSON).unlink()
    reasons()
    reasons()
    assert [record.getMessage() for record in caplog.records if record.name == readiness.log.name] == [
        "not ready: keys"
    ]
