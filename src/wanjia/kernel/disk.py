"""A full disk is an answer, not a fault: what could not be written was refused, and the rest goes on.

Whoever writes need not think of it; see `wanjia.kernel.outages`.
"""

from __future__ import annotations

import errno
import sqlite3

from wanjia.kernel.errors import Refusal, Sentence, behind

NO_SPACE = "No space left on device"  # what libraries that keep no error number write
_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_POSTGRESQL = "53100"  # SQLSTATE disk_full


class DiskFull(Refusal):
    """The disk is full, or the quota is used up."""

    code = "kernel.disk_full"
    status = 507
    what = Sentence(
        "服务器磁盘空间不足，这一步没有保存任何内容；已有内容完好，可以照常查看。",
        "The server's disk is full. Nothing of this step was saved; what was there is intact and can be read.",
    )
    cure = Sentence(
        "请系统管理员腾出空间，然后重试；不需要重新启动，后台任务会自动继续。",
        "Ask the system administrator to free space, then try again; nothing is restarted, background work goes on.",
    )


def disk_full(error: BaseException | None) -> DiskFull | None:
    """The refusal, if a full disk stands behind `error`."""
    for one in behind(error):
        if _says_so(one):
            return one if isinstance(one, DiskFull) else DiskFull()
    return None


def _says_so(error: BaseException) -> bool:
    if isinstance(error, DiskFull):
        return True
    if isinstance(error, OSError):
        return error.errno in _NUMBERS
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error, "sqlstate", None) == _POSTGRESQL
