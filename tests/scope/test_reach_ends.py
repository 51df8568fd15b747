"""A reach ends with its statement, its transaction, its connection; and ranges beyond four are covered."""

from __future__ import annotations

import pytest
from django.conf import settings as configured
from django.db import connection, transaction

from tests.factories import accounts as factory
from wanjia.accounts.services import load_roles
from wanjia.scope.areas import AreaRange
from wanjia.scope.reach import NOWHERE, SLOTS, WHOLE, covering, reach_of, serving, slots
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import ANONYMOUS, Grant, Viewer

POSTGRESQL = pytest.mark.skipif(
    "postgresql" not in configured.DATABASES["default"]["ENGINE"], reason="PostgreSQL's own lock"
)
OURS = "451228"


def _viewer(*areas: str) -> Viewer:
    return Viewer(7, "甲", tuple(Grant("r", frozenset({"accounts.read"}), AreaRange.of(area)) for area in areas))


def _names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT username FROM accounts_user")
        return {name for (name,) in cursor.fetchall()}


def test_nobody_reaches_nothing_and_a_system_viewer_everything():
    assert reach_of(ANONYMOUS) == NOWHERE
    assert slots(NOWHERE) == ("",) * 2 * SLOTS
    assert reach_of(system_viewer("accounts.own")) == WHOLE
    assert slots(WHOLE) == ("", "z", *("",) * 2 * (SLOTS - 1))


def test_more_than_four_areas_are_covered_by_joining_the_nearest():
    wanted = reach_of(_viewer("11", "44", "451228101", "451228103", "451229", "52"))
    assert len(wanted) == SLOTS + 2
    got = covering(wanted)
    assert len(got) == SLOTS
    assert all(any(wide.covers(item) for wide in got) for item in wanted)
    assert AreaRange("451228101", "451228104") in got or AreaRange("451228101", "45123") in got
    assert AreaRange("11", "12") in got


@POSTGRESQL
@pytest.mark.no_reach
@pytest.mark.django_db(transaction=True)
def test_no_reach_outlives_its_statement_its_transaction_or_its_connection():
    load_roles()
    factory.account("ours", area=OURS)
    with serving(_viewer(OURS)):
        assert _names() == {"ours"}
    assert _names() == set(), "autocommit"
    with transaction.atomic():
        with serving(_viewer(OURS)):
            assert _names() == {"ours"}
        assert _names() == set(), "inside the transaction"
    assert _names() == set(), "after commit"
    with serving(_viewer(OURS)):
        with transaction.atomic():
            assert _names() == {"ours"}
            with transaction.atomic(), serving(ANONYMOUS):
                assert _names() == set()
                transaction.set_rollback(True)
            assert _names() == {"ours"}, "after a rollback to a savepoint"
            transaction.set_rollback(True)
        assert _names() == {"ours"}, "after a rollback"
    raw = connection.connection.execute("SELECT count(*) FROM accounts_user").fetchone()
    assert raw == (0,), "not even psycopg itself, past Django's cursors"
    connection.close()
    assert _names() == set()
