"""Whoever reads of many people in a short time is noticed within a minute, once, and somebody else looks into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import accounts as factory
from wanjia.audit.access import Look, access_store
from wanjia.audit.models import Opening
from wanjia.audit.services import record_access
from wanjia.inspection import queries, services
from wanjia.inspection.bursts import bursts
from wanjia.inspection.errors import AlreadyAnswered, YourOwnReading
from wanjia.inspection.models import BulkReading
from wanjia.inspection.services import watching
from wanjia.jobs.registry import schedules
from wanjia.kernel import clock
from wanjia.reference.services import load_reference
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.system import system_viewer

WINDOW = timedelta(minutes=5)
EYE = system_viewer("audit.verify")
TOWNSHIP = "451228104"


@pytest.fixture
def policy(db):
    load_reference()


@pytest.fixture
def time(policy):
    with clock.frozen(clock.now()) as advance:
        yield advance


@pytest.fixture
def reader(policy):
    return factory.viewer(factory.account("reader", "county_office", "451228"))


@pytest.fixture
def keeper(db):
    return factory.viewer(factory.account("keeper", "audit_admin", "451228"))


def look(viewer, numbers, *, area="451228100"):
    record_access(
        viewer=viewer, action="registry.read", subject_kind="household", subject_ids=list(numbers), fields=["name"], area=area
    )  # fmt: skip


def alerts():
    return list(BulkReading.objects.visible_to(EYE).order_by("id"))


# The rule


@st.composite
def some_looks(draw):
    at, made = datetime(2020, 11, 16, 1, tzinfo=UTC), []
    for row in range(draw(st.integers(0, 40))):
        at += timedelta(seconds=draw(st.sampled_from([0, 1, 30, 61, 150, 299, 300, 301])))
        made.append(Look(row + 1, at, draw(st.integers(1, 2)), ("household", draw(st.integers(1, 6)))))
    return made


@given(some_looks(), st.integers(1, 5))
def test_bursts_are_the_rows_of_every_window_with_too_many(looks, most):
    """Against every window counted by itself."""
    crowded = set()
    for end in looks:
        inside = [
            one for one in looks if one.actor_id == end.actor_id and end.at - WINDOW < one.at and one.row <= end.row
        ]
        if len({one.subject for one in inside}) >= most:
            crowded |= {one.row for one in inside}
    found = list(bursts(looks, window=WINDOW, most=most))
    covered = {
        look.row
        for burst in found
        for look in looks
        if look.actor_id == burst.reader and burst.first <= look.row <= burst.last
    }
    assert covered == crowded
    for burst in found:
        others = [other for other in found if other is not burst and other.reader == burst.reader]
        assert all(other.last < burst.first or burst.last < other.first for other in others)


# The alert


def test_it_is_looked_for_often_enough_on_each_machine():
    (schedule,) = [one for one in schedules() if one.task == "inspection.watch_readings"]
    assert schedule.each_node
    assert schedule.rhythm.every <= timedelta(seconds=45)  # and a quarter of a minute for the worker to take it


@pytest.mark.django_db
def test_three_hundred_in_five_minutes_are_noticed_once(reader, time):
    look(reader, range(1, 300))
    assert services.watch_readings() == 0
    time(timedelta(minutes=4, seconds=59))
    look(reader, [299, 300])
    assert services.watch_readings() == 1
    (found,) = alerts()
    assert (found.reader, found.subjects, found.area) == (reader.user_id, 300, "451228100")
    assert found.until - found.since == timedelta(minutes=4, seconds=59)
    assert services.watch_readings() == 0
    entry = Opening.objects.visible_to(EYE).get(act="inspection.bulk_reading")
    assert entry.payload["content"]["subjects"] == 300
    assert len(alerts()) == 1


@pytest.mark.django_db
def test_the_same_person_seen_often_is_one_and_time_forgets(reader, time):
    for _ in range(4):
        look(reader, range(1, 200))
    time(timedelta(minutes=5))
    look(reader, range(200, 400))
    assert services.watch_readings() == 0
    assert alerts() == []


@pytest.mark.django_db
def test_whoever_goes_on_is_one_alert_until_somebody_answers(reader, keeper, time):
    look(reader, range(1, 301))
    assert services.watch_readings() == 1
    time(timedelta(minutes=2))
    look(reader, range(301, 351))
    assert services.watch_readings() == 0
    (found,) = alerts()
    assert found.subjects == 350
    services.answer_reading(viewer=keeper, reading_id=found.pk, answer="核对年度名册，经办股长同意")
    time(timedelta(minutes=1))
    look(reader, range(351, 400))
    assert services.watch_readings() == 1
    first, second = alerts()
    assert (first.subjects, second.subjects, second.answered_by) == (350, 49, None)


@pytest.mark.django_db
def test_a_worker_that_stood_still_finds_what_happened_meanwhile(reader, time):
    look(reader, range(1, 301))
    time(timedelta(hours=3))
    look(reader, [1])
    assert services.watch_readings() == 1
    time(timedelta(hours=3))
    look(reader, range(1000, 1300))
    assert services.watch_readings() == 1
    assert [found.subjects for found in alerts()] == [300, 300]


@pytest.mark.django_db
def test_killed_before_it_noted_how_far_it_came_it_raises_nothing_twice(reader, time, monkeypatch):
    look(reader, range(1, 301))
    monkeypatch.setattr(type(access_store()), "mark_watched", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        services.watch_readings()
    monkeypatch.undo()
    assert len(alerts()) == 1
    assert services.watch_readings() == 0
    assert len(alerts()) == 1


@pytest.mark.django_db
def test_the_system_itself_raises_none(reader):
    look(system_viewer("registry.snapshot"), range(1, 400))
    assert services.watch_readings() == 0


@pytest.mark.django_db
def test_how_many_are_too_many_is_a_parameter(reader, monkeypatch):
    assert (watching.most_subjects(), watching.minutes()) == (300, 5)
    said = {watching.SUBJECTS: 20, watching.MINUTES: 1}
    monkeypatch.setattr(watching, "parameter", lambda name, _day: said[name])
    look(reader, range(1, 21))
    assert services.watch_readings() == 1


# Who looks into it


@pytest.fixture
def alert(reader, time):
    look(reader, range(1, 301))
    assert services.watch_readings() == 1
    (found,) = alerts()
    return found


@pytest.mark.django_db
def test_nobody_answers_for_himself_or_twice(alert, keeper):
    with pytest.raises(NotAllowed):
        services.answer_reading(
            viewer=factory.viewer(factory.account("auditor", "auditor", "451228")), reading_id=alert.pk, answer="看过"
        )
    own = factory.viewer(factory.account("both", "audit_admin", "451228"))
    look(own, range(1, 301))
    services.watch_readings()
    mine = alerts()[-1]
    with pytest.raises(YourOwnReading):
        services.answer_reading(viewer=own, reading_id=mine.pk, answer="是我")
    services.answer_reading(viewer=keeper, reading_id=alert.pk, answer="已问明")
    with pytest.raises(AlreadyAnswered):
        services.answer_reading(viewer=own, reading_id=alert.pk, answer="再问")
    assert alerts()[0].answer == "已问明"


@pytest.mark.django_db
def test_another_county_neither_sees_nor_answers(alert):
    stranger = factory.account("stranger", "audit_admin", "451229")
    viewer = factory.viewer(stranger)
    assert queries.open_bulk_readings(viewer) == 0
    with pytest.raises(NotVisible):
        services.answer_reading(viewer=viewer, reading_id=alert.pk, answer="看过")
    client = factory.client_for(stranger)
    assert "reader" not in client.get(reverse("inspection:bulk_readings")).content.decode()
    answer = client.post(reverse("inspection:bulk_reading", args=[alert.pk]), {"answer": "看过"})
    assert answer.status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_tells_who_read_how_much_and_takes_an_answer(alert, language):
    keeper = factory.account("keeper-2", "audit_admin", "451228")
    client = factory.client_for(keeper)
    client.cookies["django_language"] = language
    home = client.get(reverse("office:home")).content.decode()
    assert reverse("inspection:bulk_readings") in home
    page = client.get(reverse("inspection:bulk_readings")).content.decode()
    assert "300" in page
    address = reverse("inspection:bulk_reading", args=[alert.pk])
    assert address in page
    assert 'name="answer"' in client.get(address).content.decode()
    empty = client.post(address, {"answer": ""})
    assert empty.status_code == 400
    number = client.post(address, {"answer": "查了 459999198503040012"})
    assert number.status_code == 422
    assert alerts()[0].answered_by is None
    said = client.post(address, {"answer": "年度核对"}, follow=True)
    assert "年度核对" in said.content.decode()
    assert alerts()[0].answered_by == keeper.pk
    assert 'name="answer"' not in client.get(address).content.decode()
    auditor = factory.client_for(factory.account("auditor-2", "auditor", "451228"))
    assert "年度核对" in auditor.get(address).content.decode()
