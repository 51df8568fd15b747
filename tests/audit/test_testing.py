"""The guard itself: what it must catch, and what it must let pass."""

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from wanjia.audit import watched
from wanjia.audit.choices import Kind
from wanjia.audit.services import record
from wanjia.audit.testing import UnrecordedWrite, recording_enforced, tables_written, unrecorded
from wanjia.kernel import clock

# Sessions stand in for an owner's table: the audit knows no table of the slices above it.
TABLE = "django_session"


@pytest.fixture
def _session_is_watched(monkeypatch):
    monkeypatch.setattr(watched, "_labels", {"sessions.Session"})
    with recording_enforced():
        yield


both_databases_fixtures = pytest.mark.parametrize(
    "kind", [pytest.param(0, marks=pytest.mark.django_db), pytest.param(1, marks=pytest.mark.django_db(transaction=True))], ids=["db", "transactional"]
)  # fmt: skip


def write(key="k"):
    Session.objects.bulk_create([Session(session_key=key, session_data="", expire_date=clock.now())])


def recorded(viewer):
    record(Kind.GRANT, viewer=viewer, area="451228", act="x.y")


@both_databases_fixtures
@pytest.mark.usefixtures("_session_is_watched")
def test_a_transaction_without_a_record_fails_and_leaves_nothing(kind):
    with pytest.raises(UnrecordedWrite, match=TABLE), transaction.atomic():
        write()
    assert not Session.objects.exists()


@both_databases_fixtures
@pytest.mark.usefixtures("_session_is_watched")
def test_a_transaction_with_a_record_passes(kind, clerk):
    with transaction.atomic():
        with transaction.atomic():
            write()
        recorded(clerk)
    assert Session.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("_session_is_watched")
def test_a_record_in_another_transaction_does_not_count(clerk):
    with transaction.atomic():
        recorded(clerk)
    with pytest.raises(UnrecordedWrite), transaction.atomic():
        write()


@pytest.mark.django_db
@pytest.mark.usefixtures("_session_is_watched")
def test_a_record_that_was_rolled_back_does_not_count(clerk):
    with pytest.raises(UnrecordedWrite), transaction.atomic():  # noqa: PT012 - the transaction is what fails
        with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the transaction is what fails
            recorded(clerk)
            1 / 0  # noqa: B018
        write()


@pytest.mark.django_db
@pytest.mark.usefixtures("_session_is_watched")
def test_a_write_that_was_rolled_back_needs_no_record():
    with transaction.atomic(), pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the transaction is what fails
        write()
        1 / 0  # noqa: B018
    assert not Session.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("_session_is_watched")
@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO {TABLE} (session_key, session_data, expire_date) SELECT 'a', 'b', '2020-01-01'",
        f"UPDATE \"{TABLE}\" SET session_data = 'x'",
        f"DELETE FROM {TABLE}",
        f"WITH gone AS (SELECT 1) DELETE FROM {TABLE}",
    ],
)
def test_raw_statements_count_inside_and_outside_transactions(statement):
    with connection.cursor() as cursor:
        with pytest.raises(UnrecordedWrite), transaction.atomic():
            cursor.execute(statement)
        with pytest.raises(UnrecordedWrite):
            cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.usefixtures("_session_is_watched")
def test_a_test_may_set_its_scene():
    with unrecorded():
        write()
    with pytest.raises(UnrecordedWrite):
        write("other")


@pytest.mark.django_db
@pytest.mark.usefixtures("_session_is_watched")
def test_reading_is_free():
    with transaction.atomic():
        list(Session.objects.select_for_update())
        Session.objects.exists()


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ('INSERT OR REPLACE INTO "a" VALUES (1)', {"a"}),
        ('insert into public."a" select * from b', {"a"}),
        ("UPDATE ONLY a SET x = 1 FROM b", {"a"}),
        ("UPDATE OR IGNORE a SET x = 1", {"a"}),
        ("MERGE INTO a USING b ON true", {"a"}),
        ("COPY a (x) FROM STDIN", {"a"}),
        ("WITH n AS (INSERT INTO a VALUES (1) RETURNING x) UPDATE b SET y = 1", {"a", "b"}),
        ("SELECT * FROM a FOR UPDATE", set()),
        ("SELECT deleted FROM updates", set()),
    ],
)
def test_the_tables_a_statement_writes(sql, tables):
    assert tables_written(sql) >= tables
    assert not tables_written(sql) & {"from", "set"} - tables
    if not tables:
        assert not tables_written(sql)
