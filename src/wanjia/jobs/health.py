"""Is somebody working, and does anybody wait?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from wanjia.jobs import beats
from wanjia.jobs.choices import Lane, State
from wanjia.jobs.models import DatabaseClock, Job
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.telemetry.checks import Check, Finding, fail, ok, warn

PATIENCE = {Lane.INTERACTIVE: timedelta(minutes=1), Lane.HEAVY: timedelta(hours=6)}

_START = (
    "请启动后台程序 wanjia worker，并由服务管理器保持其运行；日志中有它停止的原因。",
    "Start `wanjia worker` and let the service manager keep it running; its log says why it stopped.",
)


def worker_is_alive() -> Iterator[Finding]:
    """By its heartbeat, which it gives whether it has work or not."""
    ages = beats.ages()
    late = {node: age for node, age in ages.items() if age > beats.LATE_AFTER}
    for node, age in sorted(late.items()):
        yield warn(
            f"{node} 上的后台程序已 {age:.0f} 秒没有心跳。",
            f"The worker on {node} was last heard of {age:.0f} seconds ago.",
            cure=_START,
        )
    alive = sorted(ages.keys() - late.keys())
    if alive:
        yield ok(f"后台程序在运行：{'、'.join(alive)}。", f"Workers run on {', '.join(alive)}.")
    else:
        yield fail("没有后台程序在运行。", "No worker is running.", cure=_START)


def nobody_waits_long() -> Iterator[Finding]:
    now = clock.now()
    for lane, patience in PATIENCE.items():
        due = Job.objects.filter(state=State.QUEUED, lane=lane, run_at__lte=now).order_by("run_at")
        oldest = due.values_list("run_at", flat=True).first()
        waits = now - oldest if oldest else timedelta()
        if waits > patience:
            yield warn(
                f"{lane.label}队列有 {due.count()} 个任务等待，最久的已等 {waits.total_seconds():.0f} 秒。",
                f"{due.count()} jobs wait in the lane {lane.value}, the oldest for {waits.total_seconds():.0f} s.",
                cure=(
                    "请确认后台程序在运行，并查看正在执行的任务。",
                    "See that a worker runs, and what it is busy with (后台任务).",
                ),
            )
        else:
            yield ok(f"{lane.label}队列没有久等的任务。", f"Nothing waits long in the lane {lane.value}.")


def no_lease_is_dead() -> Iterator[Finding]:
    dead = Job.objects.filter(state=State.RUNNING, lease_until__lt=DatabaseClock())
    found = list(dead.order_by("pk").values_list("pk", flat=True)[:5])
    if found:
        yield warn(
            f"任务 {', '.join(map(str, found))} 的执行者已失联，尚无人接手。",
            f"The workers of the jobs {', '.join(map(str, found))} are gone, and nobody has taken over.",
            cure=(
                "后台程序会自动接手；如长时间不变，请重新启动 wanjia worker。",
                "A worker takes over by itself; if none does, restart `wanjia worker`.",
            ),
        )
    else:
        yield ok("没有失联的任务。", "No running job has lost its worker.")


CHECKS = [
    Check("jobs.worker", Sentence("后台程序", "Worker"), worker_is_alive),
    Check("jobs.waiting", Sentence("等待的任务", "Waiting jobs"), nobody_waits_long),
    Check("jobs.leases", Sentence("失联的任务", "Dead leases"), no_lease_is_dead),
]
