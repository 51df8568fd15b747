import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import transaction

from tests.audit.conftest import officer
from wanjia.audit import queries, services
from wanjia.audit.access import access_store
from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.services import commit_access, record_access
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer

EVERYTHING = system_viewer("audit.verify")


def look(viewer, *households, **more):
    record_access(
        viewer=viewer, action="registry.reveal", subject_kind="household", subject_ids=households, fields=["phone", "name"], **more
    )  # fmt: skip


@pytest.fixture
def time():
    with clock.frozen(clock.now()) as advance:
        yield advance


@pytest.mark.django_db(transaction=True)
def test_a_reading_stays_when_the_request_fails(clerk):
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the transaction is what fails
        look(clerk, 17, reason="回访")
        1 / 0  # noqa: B018
    (row,) = access_store().readings([("451228", "451229")])
    assert (row["actor_id"], row["subject_id"], row["fields"], row["reason"]) == (17, 17, "name,phone", "回访")
    assert row["area"] == "451228"


@pytest.mark.django_db
def test_one_entry_a_minute_covers_that_minutes_rows(clerk, time):
    look(clerk, 1, 2, 3)
    look(officer(18, "451228104", "registry.read"), 4)
    time(timedelta(minutes=1))
    look(clerk, 5)
    assert commit_access() == 1
    opening = Opening.objects.visible_to(EVERYTHING).get()
    assert opening.payload["details"]["count"] == 4
    assert opening.payload["content"]["minute"] == "2020-11-16T01:00"
    assert opening.area == "451228"
    assert queries.verify_event(opening.event_id).details.intact
    assert commit_access() == 0
    time(timedelta(minutes=1))
    assert commit_access() == 1
    assert commit_access() == 0
    assert Outbox.objects.count() == 2


@pytest.mark.django_db
def test_several_minutes_become_several_entries(clerk, time):
    for number in range(4):
        look(clerk, number + 1)
        time(timedelta(seconds=40))
    time(timedelta(minutes=1))
    assert commit_access() == 3  # rows at 0 and 40 seconds, at 80, at 120
    counts = [row.payload["details"]["count"] for row in Opening.objects.visible_to(EVERYTHING).order_by("id")]
    assert counts == [2, 1, 1]


@pytest.mark.django_db
def test_stopping_between_any_two_steps_commits_each_row_once(clerk, time, monkeypatch):
    look(clerk, 1, 2)
    time(timedelta(minutes=1))
    store = access_store()

    monkeypatch.setattr(services, "record", lambda *args, **more: 1 / 0)  # planned, not recorded
    with pytest.raises(ZeroDivisionError):
        commit_access()
    monkeypatch.undo()
    (planned,) = store.leaves_to_commit()

    monkeypatch.setattr(store, "mark_committed", lambda event: 1 / 0)  # recorded, not marked
    with pytest.raises(ZeroDivisionError):
        commit_access()
    monkeypatch.undo()
    look(clerk, 3)
    time(timedelta(minutes=1))

    assert commit_access() == 2
    assert Outbox.objects.count() == 2
    counts = {row.event_id: row.payload["details"]["count"] for row in Opening.objects.visible_to(EVERYTHING)}
    assert counts.pop(planned.event_id) == 2
    assert list(counts.values()) == [1]


@pytest.mark.django_db
def test_the_store_is_append_only_and_private(clerk, time):
    look(clerk, 1)
    time(timedelta(minutes=1))
    commit_access()
    path = access_store().path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = sqlite3.connect(path)
    for statement in (
        "UPDATE access SET actor_id = 0",
        "DELETE FROM access",
        "UPDATE leaf SET first_id = 9",
        "DELETE FROM leaf",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(statement)
    other.close()


@pytest.mark.django_db
def test_an_altered_row_is_noticed(clerk, time):
    look(clerk, 1, 2)
    time(timedelta(minutes=1))
    commit_access()
    other = sqlite3.connect(access_store().path, isolation_level=None)
    other.execute("DROP TRIGGER access_no_update")
    other.execute("UPDATE access SET payload = replace(payload, '\"subject_id\": 2', '\"subject_id\": 7')")
    other.close()
    event = Opening.objects.visible_to(EVERYTHING).get().event_id
    assert queries.verify_event(event).problems == ("details_differ",)


def test_readings_are_cut_to_areas_and_found_by_subject_or_person(clerk, neighbour):
    look(clerk, 1, 2)
    look(neighbour, 1)
    store = access_store()
    assert len(list(store.readings([("45", "46")]))) == 3
    assert len(list(store.readings([("451228", "451229")], subject_kind="household", subject_id=1))) == 1
    assert len(list(store.readings([("451202", "451203")], actor_id=91))) == 1
    assert list(store.readings([])) == []


def test_a_reason_may_not_quote_the_number_it_is_about(clerk):
    with pytest.raises(IdentityNumberInPayload):
        look(clerk, 1, reason="核对459999199001010012")


def test_processes_append_side_by_side_and_lose_nothing(clerk, home):
    script = f"""
import sys
sys.path[:0] = ["."]
import os; os.environ["DJANGO_SETTINGS_MODULE"] = "wanjia.config.settings.test"
import django; django.setup()
from django.conf import settings; settings.WANJIA_HOME = {str(home)!r}
from tests.audit.conftest import officer
from wanjia.audit.services import record_access
for n in range(50):
    record_access(viewer=officer(int(sys.argv[1]), "451228"), action="a", subject_kind="household", subject_ids=[n + 1], fields=["name"])
"""
    running = [subprocess.Popen([sys.executable, "-c", script, str(number)]) for number in (1, 2, 3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    rows = list(access_store().readings([("", None)], limit=1000))
    assert len(rows) == 150
    assert {row["actor_id"] for row in rows} == {1, 2, 3}
