"""The outbox, the readings' store, and the order of time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

from wanjia.audit.access import access_store
from wanjia.audit.measures import outbox_age, outbox_size
from wanjia.audit.models import Opening
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.scope.system import system_viewer
from wanjia.telemetry.checks import Check, Finding, fail, ok, warn

MOST_IN_OUTBOX = 1_000_000
MOST_UNCOMMITTED = 10_000
TOLERATED = timedelta(seconds=5)  # machines' clocks differ a little


def outbox_is_taken() -> Iterator[Finding]:
    size, age = outbox_size(), outbox_age()
    if size > MOST_IN_OUTBOX:
        yield warn(
            f"有 {size} 条记录等待入链，最早的已等 {age:.0f} 秒。",
            f"{size} entries wait for the log, the oldest for {age:.0f} seconds.",
            cure=("请确认入链程序在运行。", "See that the log's sequencer runs."),
        )
    else:
        yield ok(f"{size} 条记录等待入链。", f"{size} entries wait for the log.")


def readings_can_be_kept() -> Iterator[Finding]:
    """Without this store no page with personal data is shown."""
    store = access_store()
    if not store.path.exists():  # a check creates nothing
        yield ok("还没有查阅记录。", "Nobody has read anything yet.")
        return
    try:
        store.require_writable()
        waiting = store.uncommitted()
    except (sqlite3.Error, OSError) as error:
        yield fail(
            f"查阅记录 {store.path} 不可写（{type(error).__name__}）：含个人信息的页面打不开。",
            f"The store of readings {store.path} cannot be written ({type(error).__name__}): no personal page opens.",
            cure=(
                f"请检查 {store.path.parent} 的属主、权限和磁盘空间；文件损坏时从备份恢复，不要删除。",
                f"Look at owner, mode and disk of {store.path.parent}; restore a damaged file, do not delete it.",
            ),
        )
        return
    if waiting > MOST_UNCOMMITTED:
        yield warn(
            f"有 {waiting} 条查阅记录尚未入链。",
            f"{waiting} readings are not in the log yet.",
            cure=(
                "后台程序每分钟处理一次；请确认本机的 wanjia worker 在运行。",
                "A worker on this very machine does it every minute: see that one runs.",
            ),
        )
    else:
        yield ok(f"查阅记录可写，{waiting} 条待入链。", f"Readings can be kept; {waiting} are not in the log yet.")


def time_goes_forward() -> Iterator[Finding]:
    rows = Opening.objects.visible_to(system_viewer("audit.health"))
    last = rows.order_by("-id").values_list("at", flat=True).first()
    now = clock.now()
    shown = f"{now:%Y-%m-%d %H:%M:%S}"
    if last is not None and last > now + TOLERATED:
        recorded = f"{last:%Y-%m-%d %H:%M:%S}"
        yield fail(
            f"最后一条存证记录的时间是 {recorded}（UTC），晚于现在 {shown}：时钟被调回，或数据来自另一台机器。",
            f"The last act was recorded at {recorded} UTC, and now is {shown}: "
            "the clock was set back, or the data come from another machine.",
            cure=(
                "请先停止网站和后台程序，校准时钟（chronyc tracking 或 timedatectl），确认后再启动。",
                "Stop site and worker, set the clock right (chronyc tracking, timedatectl), then start again.",
            ),
        )
    else:
        yield ok(
            f"时钟没有倒退；现在是 {shown}（UTC）。",
            f"Time goes forward; now is {shown} UTC.",
        )


CHECKS = [
    Check("audit.outbox", Sentence("待入链记录", "Outbox"), outbox_is_taken),
    Check("audit.access", Sentence("查阅记录", "Store of readings"), readings_can_be_kept, needs_database=False),
    Check("audit.clock", Sentence("时钟", "Clock"), time_goes_forward),
]
