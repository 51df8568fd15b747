"""Every statement is counted for the page or the job it belongs to; slow ones are logged.

Installed once on each connection, outermost. A statement that is not slow costs two readings of
the clock and two additions. The time is that of the execution: on SQLite until the first row is
there, since it works out the others while they are fetched.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from wanjia.telemetry import metrics, work

log = logging.getLogger("wanjia.slow")

LONGEST_TEXT = 2_000
MOST_LINES = 20  # of one request or job: a database in trouble must not fill the disk with its complaints

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_MARKS = re.compile(r"(%s|\?)(?:\s*,\s*(?:%s|\?)){3,}")
_ROWS = re.compile(r"(\((?:%s|\?)[^()]*\))(?:\s*,\s*\((?:%s|\?)[^()]*\)){2,}")
_SPACE = re.compile(r"\s+")

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]


def install(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Watch a connection; Django's `connection_created` calls this each time one is opened."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, watch)  # first: `execute_wrapper` takes off the last one again


def watch(execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Django's execute wrapper."""
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        took = time.perf_counter() - began
        under_way = work.current()
        if under_way is not None:
            under_way.queries += 1
            under_way.query_seconds += took
        if took * 1000 >= settings.WANJIA_SLOW_QUERY_MS:
            _tell(sql, took, under_way)


def _tell(sql: Any, took: float, under_way: work.Work | None) -> None:
    name = under_way.name() if under_way else work.UNNAMED
    metrics.SLOW_STATEMENTS.labels(name).inc()
    if under_way is not None:
        under_way.slow += 1
        if under_way.slow > MOST_LINES:
            return
    text = shape_of(sql) if isinstance(sql, str) else f"<{type(sql).__name__}>"  # a composed one holds its values
    log.warning("slow statement", extra={"event": "slow_query", "ms": round(took * 1000, 1), "sql": text})


def shape_of(sql: str) -> str:
    """A statement's text with placeholders only: quoted values gone, long lists of marks folded."""
    text = _LITERAL.sub("'…'", _SPACE.sub(" ", sql).strip())
    text = _MARKS.sub(r"\1, …", _ROWS.sub(r"\1, …", text))
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
