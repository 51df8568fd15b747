"""The test double's opposite: in every test, a write that nobody recorded fails.

`recording_enforced()` watches each outermost transaction a service opens. If it wrote a watched
table (`wanjia.audit.watched`) and no outbox row, it is rolled back and `UnrecordedWrite` is
raised; so is a write outside any transaction. It looks at the SQL, so `bulk_create`, `update`,
`INSERT … SELECT` and raw statements count alike; a savepoint that was rolled back does not count.
The transactions a test case wraps around the test are not a service's and are seen through.

Tests that need rows nobody did anything for write them under `unrecorded()`.

As a pytest plugin (`pytest_plugins = ["wanjia.audit.testing"]`) this is on for every test.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from wanjia.audit import access
from wanjia.audit.watched import watched_tables

OUTBOX = "log_outbox"

_WRITES = re.compile(
    r"""\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|MERGE\s+INTO|UPDATE(?:\s+OR\s+\w+)?(?:\s+ONLY)?
        |DELETE\s+FROM(?:\s+ONLY)?|TRUNCATE(?:\s+TABLE)?|COPY)\s+(?:"?\w+"?\.)?"?(\w+)"?""",
    re.IGNORECASE | re.VERBOSE,
)


class UnrecordedWrite(AssertionError):
    """A transaction changed a watched table and recorded no act."""


def tables_written(sql: str) -> set[str]:
    """The tables a statement writes, as far as its text says."""
    return {name.lower() for name in _WRITES.findall(sql)}


@dataclass(slots=True)
class _Frame:
    """What one atomic block has written so far; `of_test` for a test case's own wrapping."""

    of_test: bool
    tables: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Watch:
    tables: frozenset[str]
    violations: list[str] = field(default_factory=list)


_watch: _Watch | None = None
_pause = threading.local()
_enter = transaction.Atomic.__enter__
_exit = transaction.Atomic.__exit__


def _frames(connection: BaseDatabaseWrapper) -> list[_Frame]:
    frames: list[_Frame] = connection.__dict__.setdefault("_audit_frames", [])
    return frames


def _paused() -> bool:
    return bool(getattr(_pause, "depth", 0))


def _complain(tables: set[str]) -> UnrecordedWrite:
    names = ", ".join(sorted(tables))
    message = f"{names} written in a transaction without audit.services.record(...)"
    if _watch is not None:
        _watch.violations.append(message)
    return UnrecordedWrite(message)


def _look(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if _watch is None or _paused():
        return execute(sql, params, many, context)
    text = sql if isinstance(sql, str) else sql.as_string(None)
    written = tables_written(text)
    touched = written & (_watch.tables | {OUTBOX})
    if touched:
        frames = _frames(context["connection"])
        if frames and not frames[-1].of_test:
            frames[-1].tables |= touched
        elif touched - {OUTBOX}:
            raise _complain(touched - {OUTBOX})
    return execute(sql, params, many, context)


def _watched_enter(self: Any) -> None:
    _enter(self)
    if _watch is not None:
        _frames(connections[self.using or "default"]).append(_Frame(of_test=bool(self._from_testcase)))


def _watched_exit(self: Any, exc_type: Any, exc_value: Any, traceback: Any) -> None:
    if _watch is None:
        _exit(self, exc_type, exc_value, traceback)
        return
    connection = connections[self.using or "default"]
    frames = _frames(connection)
    frame = frames.pop() if frames else _Frame(of_test=True)
    kept = exc_type is None and not connection.needs_rollback
    problem: UnrecordedWrite | None = None
    if kept and frame.tables and not frame.of_test:
        if frames and not frames[-1].of_test:
            frames[-1].tables |= frame.tables  # the enclosing block answers for it
        elif OUTBOX not in frame.tables:
            problem = _complain(frame.tables)
    if problem is None:
        _exit(self, exc_type, exc_value, traceback)
    else:
        _exit(self, UnrecordedWrite, problem, problem.__traceback__)  # rolls back
        raise problem


def _attach(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _look not in connection.execute_wrappers:
        connection.execute_wrappers.append(_look)


@contextmanager
def recording_enforced() -> Iterator[list[str]]:
    """Fail every transaction that writes a watched table and records nothing.

    Yields the list of violations so far, also of those that happened in other threads, where the
    exception ended in a server's answer.
    """
    global _watch  # noqa: PLW0603 - the one switch of the whole process
    transaction.Atomic.__enter__ = _watched_enter  # type: ignore[method-assign]
    transaction.Atomic.__exit__ = _watched_exit  # type: ignore[method-assign]
    connection_created.connect(lambda connection, **_: _attach(connection), dispatch_uid="audit.testing", weak=False)
    for connection in connections.all(initialized_only=True):
        _attach(connection)
    before, _watch = _watch, _Watch(watched_tables())
    try:
        yield _watch.violations
    finally:
        _watch = before
        if before is None:
            transaction.Atomic.__enter__ = _enter  # type: ignore[method-assign]
            transaction.Atomic.__exit__ = _exit  # type: ignore[method-assign]
            connection_created.disconnect(dispatch_uid="audit.testing")
            for connection in connections.all(initialized_only=True):
                _frames(connection).clear()
                if _look in connection.execute_wrappers:
                    connection.execute_wrappers.remove(_look)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Let the block write watched tables without recording: for rows a test merely finds there."""
    _pause.depth = getattr(_pause, "depth", 0) + 1
    try:
        yield
    finally:
        _pause.depth -= 1


def _database_of(request: pytest.FixtureRequest) -> str | None:
    """Which of pytest-django's fixtures the test stands on, if any."""
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and (marker.kwargs.get("transaction") or (marker.args and marker.args[0]))
    if commits or {"transactional_db", "live_server"} & set(request.fixturenames):
        return "transactional_db"
    return "db" if marker is not None or "db" in request.fixturenames else None


@pytest.fixture(autouse=True)
def _recorded_writes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Enforce recording for one test, inside whatever database fixture it stands on."""
    database = _database_of(request)
    if database is None:
        yield
        return
    request.getfixturevalue(database)  # first, so that its flush comes after the watch has ended
    if database == "transactional_db":
        _make_flushable(connections["default"])
    with recording_enforced() as violations:
        yield
        found = list(violations)
    for store in access.forget_stores():
        store.close()
    if found and request.node.get_closest_marker("writes_unrecorded") is None:
        pytest.fail("; ".join(found))


def _make_flushable(connection: BaseDatabaseWrapper) -> None:
    """Let SQLite be flushed between tests that really commit.

    Flushing is `DELETE FROM` there, which the opening's trigger refuses as it must; the test of
    the trigger puts it back. (PostgreSQL truncates, which fires no row trigger.)
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS log_opening_no_delete")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of the tests of this very guard."""
    config.addinivalue_line("markers", "writes_unrecorded: provokes the audit guard on purpose")
