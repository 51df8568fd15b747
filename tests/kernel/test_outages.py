"""A database that is away is recognised however it is told; other errors stay what they are."""

import sqlite3

import psycopg
import pytest

from wanjia.kernel.disk import DiskFull
from wanjia.kernel.outages import DatabaseAway, outage


def test_a_server_that_does_not_answer_is_away_also_behind_another_error(tmp_path):
    with pytest.raises(psycopg.OperationalError) as found:
        psycopg.connect(f"host={tmp_path} dbname=nobody")

    wrapped = RuntimeError("as frameworks wrap it")
    wrapped.__cause__ = found.value
    assert isinstance(outage(wrapped), DatabaseAway)


@pytest.mark.parametrize("error", [psycopg.errors.AdminShutdown, psycopg.errors.CannotConnectNow])
def test_what_postgresql_says_when_it_ends_a_connection_is_an_outage(error):
    assert isinstance(outage(error("terminating connection")), DatabaseAway)


def test_a_sqlite_file_that_stays_locked_is_away(tmp_path):
    first, second = (sqlite3.connect(tmp_path / "one.sqlite3", timeout=0) for _ in range(2))
    first.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as found:
        second.execute("BEGIN IMMEDIATE")
    first.close()
    second.close()

    assert isinstance(outage(found.value), DatabaseAway)


def test_a_full_disk_is_told_as_such_and_errors_of_the_program_are_none():
    assert isinstance(outage(psycopg.errors.DiskFull("no space left")), DiskFull)
    for error in (psycopg.errors.UniqueViolation(), psycopg.errors.DeadlockDetected(), ValueError(), None):
        assert outage(error) is None
