"""The connection: before each statement, its role and reach are put in force unless they are already.

Inside a transaction the settings are local to it. What is in force is remembered and forgotten
whenever PostgreSQL may have changed it: at the end of a transaction, at a rollback to a
savepoint, on a new connection. So a pooled connection carries nobody's reach to the next user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db.backends.postgresql import base, operations
from django.db.backends.postgresql.psycopg_any import register_tzloader
from psycopg.pq import Format, TransactionStatus

from wanjia.scope.postgresql import ownership
from wanjia.scope.postgresql.compiler import SQLCompiler  # noqa: F401 - found by name through the operations
from wanjia.scope.reach import SLOTS, WHOLE, Reach, served, slots

NAMES = tuple(f"wanjia.{bound}_{number}" for number in range(1, SLOTS + 1) for bound in ("lo", "hi"))
_PUT = "SELECT " + ", ".join("set_config(%s, %s, %s)" for _ in range(len(NAMES) + 1))
# Reads nothing. SET TRANSACTION must be a transaction's first statement, and the rest may change what is in force.
_CONTROL = re.compile(
    r"\s*(SET|RESET|DISCARD|BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE)\b", re.IGNORECASE
)

InForce = tuple[str, ...]


def _is_control(query: Any) -> bool:
    return isinstance(query, str | bytes) and bool(
        _CONTROL.match(query if isinstance(query, str) else query.decode("utf-8", "replace"))
    )


class _Guarded:
    """A cursor of psycopg that asks its connection's keeper before it speaks."""

    connection: Any

    def _keeper(self) -> DatabaseWrapper | None:
        return getattr(self.connection, "wanjia_keeper", None)

    def _before(self, query: Any) -> None:
        keeper = self._keeper()
        if keeper is not None and not _is_control(query):
            keeper.put_in_force(keeper.wanted())

    def _after(self, query: Any) -> None:
        keeper = self._keeper()
        if keeper is not None and _is_control(query):
            keeper.forget()

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self._before(query)
        try:
            return super().execute(query, *args, **kwargs)  # type: ignore[misc]
        finally:
            self._after(query)

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self._before(query)
        return super().executemany(query, *args, **kwargs)  # type: ignore[misc]

    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        self._before(statement)
        return super().copy(statement, *args, **kwargs)  # type: ignore[misc]


class Cursor(_Guarded, base.Cursor):
    """Django's cursor, guarded."""


class ServerSideCursor(_Guarded, base.ServerSideCursor):
    """Rows are judged when they are fetched, so each fetch has the reach of the statement."""

    _own: InForce | None = None

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        keeper = self._keeper()
        self._own = None if keeper is None else keeper.wanted()
        return super().execute(query, *args, **kwargs)

    def _again(self) -> None:
        keeper = self._keeper()
        if keeper is not None and self._own is not None:
            keeper.put_in_force(self._own)

    def fetchone(self) -> Any:
        self._again()
        return super().fetchone()  # type: ignore[misc]

    def fetchmany(self, size: int = 0) -> Any:
        self._again()
        return super().fetchmany(size)  # type: ignore[misc]

    def fetchall(self) -> Any:
        self._again()
        return super().fetchall()  # type: ignore[misc]


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, with the compilers of this package."""

    compiler_module = "wanjia.scope.postgresql.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module."""

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: list[list[Any]] = []
        self._in_force: InForce | None = None

    @contextmanager
    def asking(self, reach: Reach) -> Iterator[None]:
        """The statement compiled and run inside reaches `reach`, and what its parts ask for."""
        self.asked.append(list(reach))
        try:
            yield
        finally:
            self.asked.pop()

    def wanted(self) -> InForce:
        """Role and slots of the statement at hand."""
        if ownership.is_owner():
            return (ownership.role(), *slots(WHOLE))
        return (ownership.role(), *slots(tuple(self.asked[-1]) if self.asked else served()))

    def put_in_force(self, wanted: InForce) -> None:
        """Tell PostgreSQL, unless it knows; one round trip."""
        if wanted == self._in_force or self.connection is None:
            return
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return  # the statement is refused anyway
        local = not self.connection.autocommit
        settings = zip(("role", *NAMES), wanted, strict=True)
        values = [part for name, value in settings for part in (name, value, local)]
        self._in_force = None
        psycopg.ClientCursor(self.connection).execute(_PUT, values)
        self._in_force = wanted

    def forget(self) -> None:
        """PostgreSQL may have changed what is in force."""
        self._in_force = None

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.forget()
        connection = super().get_new_connection(conn_params)
        connection.wanjia_keeper = None  # not while Django sets it up
        return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self.connection.wanjia_keeper = self

    def create_cursor(self, name: str | None = None) -> Any:
        if not name:
            return super().create_cursor()
        cursor = cast("Any", ServerSideCursor)(
            self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
        )
        loader = self.connection.adapters.get_loader(base.TIMESTAMPTZ_OID, Format.TEXT)
        if self.timezone != loader.timezone:
            register_tzloader(self.timezone, cursor)
        return cursor

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self.forget()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self.forget()

    def _set_autocommit(self, autocommit: bool) -> None:
        try:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
        finally:
            self.forget()

    def _close(self) -> Any:
        self.forget()
        return super()._close()  # type: ignore[misc]
