"""A full disk is recognised however it is told; other errors stay what they are."""

import sqlite3
from pathlib import Path

import pytest

from wanjia.kernel.disk import DiskFull, disk_full


def test_a_write_that_found_no_room_is_a_full_disk():
    with pytest.raises(OSError, match="No space left") as found, Path("/dev/full").open("wb", buffering=0) as stream:
        stream.write(b"x")

    assert isinstance(disk_full(found.value), DiskFull)


def test_sqlite_without_room_is_a_full_disk_also_behind_another_error(tmp_path):
    connection = sqlite3.connect(tmp_path / "small.sqlite3")
    connection.execute("CREATE TABLE kept (content BLOB)")
    connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError, match="full") as found:
        connection.execute("INSERT INTO kept VALUES (zeroblob(100000))")
    connection.close()

    wrapped = RuntimeError("as frameworks wrap it")
    wrapped.__cause__ = found.value
    assert disk_full(wrapped) is not None


def test_other_errors_are_not():
    assert disk_full(FileNotFoundError(2, "no such file")) is None
    assert disk_full(sqlite3.OperationalError("database is locked")) is None
    assert disk_full(None) is None
