"""What stands behind an error when it is not the program: a full disk, a database that is away.

The few places that answer for others (the site's middleware, the worker, the command) ask `outage`
about the error they were about to call a fault.
"""

from __future__ import annotations

import sqlite3

from wanjia.kernel.disk import disk_full
from wanjia.kernel.errors import Refusal, Sentence, behind

# SQLSTATE: connection exceptions; ended by an administrator, by a crash, still starting; too many connections.
_CLASSES = ("08",)
_STATES = {"57P01", "57P02", "57P03", "53300"}


class DatabaseAway(Refusal):
    """The database does not answer: its server is restarted or cannot be reached, or a SQLite file stays locked."""

    code = "kernel.database_away"
    status = 503
    what = Sentence(
        "数据库暂时没有响应，这一步没有完成；已有内容完好。",
        "The database does not answer at the moment. This step was not completed; what was there is intact.",
    )
    cure = Sentence(
        "请稍候重试，先看看这一步是否已经保存；如一直如此，请系统管理员检查数据库服务。网站和后台任务会自动恢复。",
        "Try again in a moment, and look first whether this step was saved. If it lasts, ask the system administrator"
        " to check the database server; site and worker recover by themselves.",
    )


def database_away(error: BaseException | None) -> DatabaseAway | None:
    """The refusal, if a connection that broke, never came about or waited in vain stands behind `error`."""
    for one in behind(error):
        if isinstance(one, DatabaseAway):
            return one
        if type(one).__module__.partition(".")[0] == "psycopg" and _broke(one):
            return DatabaseAway()
        if isinstance(one, sqlite3.Error) and getattr(one, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return DatabaseAway()
    return None


def _broke(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None)
    if state is None:  # nothing PostgreSQL said: the client noticed it
        return type(error).__name__ in {"OperationalError", "ConnectionTimeout", "InterfaceError"}
    return state in _STATES or state.startswith(_CLASSES)


def outage(error: BaseException | None) -> Refusal | None:
    """The refusal that tells of an outage, if one stands behind `error`."""
    return disk_full(error) or database_away(error)
