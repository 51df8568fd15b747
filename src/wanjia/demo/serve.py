"""The demo's site: server and worker as two processes, until interrupted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from wanjia.audit.models import Opening
from wanjia.demo.build import Login
from wanjia.demo.errors import PortTaken, SiteDidNotStart
from wanjia.demo.staff import PASSWORD
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer

READY_WITHIN = 60  # seconds


NOW = datetime(2020, 11, 16, 9, 0, tzinfo=clock.CHINA)  # when the demo's clock starts: a Monday


def run_site(console: Console, port: int, logins: Sequence[Login]) -> None:
    """Start server and worker, say where they are, wait for Ctrl+C, stop both."""
    _require_free(port)
    start = _start_of_clock()
    environment = {**os.environ, "WANJIA_CLOCK_START": start.isoformat()}
    home = os.environ["WANJIA_HOME"]
    command = [sys.executable, "-m", "wanjia.cli"]
    with open(os.path.join(home, "site.log"), "ab") as log:  # noqa: PTH118, PTH123 - two processes append to it
        processes = [
            subprocess.Popen([*command, *part], env=environment, stdout=log, stderr=log)  # noqa: S603
            for part in (["serve", "--port", str(port)], ["worker"])
        ]
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that both are stopped below
        _wait_until_ready(processes[0], port, os.path.join(home, "site.log"))  # noqa: PTH118
        _welcome(console, port, logins, start)
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
    except KeyboardInterrupt:
        console.print("\n再见 · stopped")
    finally:
        _stop(processes)


def _start_of_clock() -> datetime:
    """The demo's Monday, or a minute after the last act of an earlier sitting: time does not go back."""
    rows = Opening.objects.visible_to(system_viewer("demo.build"))
    last = rows.order_by("-at").values_list("at", flat=True).first()
    return NOW if last is None else max(NOW, last.astimezone(clock.CHINA) + timedelta(minutes=1))


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortTaken(port=port) from None


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: str) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SiteDidNotStart(log=log)


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()


def _welcome(console: Console, port: int, logins: Sequence[Login], start: datetime) -> None:
    table = Table(title=f"登录名 logins · 密码 password: {PASSWORD}", title_justify="left")
    table.add_column("登录名 login")
    table.add_column("岗位")
    table.add_column("Desk")
    for login in logins:
        table.add_row(login.username, login.zh, login.en)
    console.print(table)
    console.print(
        "其他乡镇、村的账号（township-乡镇代码、officer-乡镇代码-1、village-村代码、contact-村代码-1）密码相同 · "
        "accounts of other places, same password: township-CODE, officer-CODE-1, village-CODE, contact-CODE-1"
    )
    console.print(f"演示时间 demo time: {start:%Y-%m-%d %H:%M} (UTC+8)")
    console.print(f"[bold green]http://127.0.0.1:{port}/[/]   Ctrl+C 停止 to stop")
