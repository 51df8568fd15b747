"""Django's compilers, which tell the connection how far the statement at hand may see."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import compiler

from wanjia.scope.reach import WHOLE, served, stamp_of


class _Reaching:
    connection: Any
    query: Any

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        # a condition on other rows (EXISTS …) that was made for a wider viewer widens the statement
        inner = stamp_of(self.query)
        if inner is not None and self.connection.asked:
            self.connection.asked[-1].extend(inner)
        return super().as_sql(*args, **kwargs)  # type: ignore[misc]

    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        own = stamp_of(self.query)
        with self.connection.asking(served() if own is None else own):
            return super().execute_sql(*args, **kwargs)  # type: ignore[misc]


class SQLCompiler(_Reaching, compiler.SQLCompiler):
    """SELECT."""


class SQLAggregateCompiler(_Reaching, compiler.SQLAggregateCompiler):
    """SELECT count(*) FROM (…)."""


class SQLUpdateCompiler(_Reaching, compiler.SQLUpdateCompiler):
    """UPDATE."""


class SQLDeleteCompiler(_Reaching, compiler.SQLDeleteCompiler):
    """DELETE."""


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    """INSERT of given values reveals nothing; RETURNING and ON CONFLICT need to see the row itself."""

    connection: Any

    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        with self.connection.asking(WHOLE):
            return super().execute_sql(*args, **kwargs)
