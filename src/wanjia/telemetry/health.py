"""The machine: programs, the installation's folder, disk, memory."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

from wanjia.kernel.errors import Sentence
from wanjia.telemetry.checks import Check, Finding, fail, info, ok, warn

OLDEST_PYTHON = (3, 11)
LIBRARIES = ("django", "duckdb", "pyarrow", "cryptography")
MEBIBYTE = 1024 * 1024
LEAST_MEMORY = 1024 * MEBIBYTE
OTHERS = stat.S_IRWXG | stat.S_IRWXO
PROGRAMS = (
    (("chromium", "chromium-browser", "google-chrome"), "Chromium", "只用于浏览器测试", "only for the browser tests"),
    (("java",), "Java", "只用于在 Spark 上比对", "only for comparing on Spark"),
    (("soffice", "libreoffice"), "LibreOffice", "只用于核对导出的表格", "only to check exported workbooks"),
)


def platform_is_supported() -> Iterator[Finding]:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    said = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}; {platform.platform()}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield fail(
            f"Python 版本过旧：{said}。",
            f"Python is too old: {said}.",
            cure=(
                "请安装 Python 3.11 或更新版本，重新执行 make setup。",
                "Install Python 3.11 or newer, then `make setup`.",
            ),
        )
    else:
        yield ok(f"{said}。", f"{said}.")


def home_is_ours() -> Iterator[Finding]:
    """There, writable, and nobody else's business."""
    home = Path(settings.WANJIA_HOME)
    if not home.is_dir():
        yield fail(
            f"没有安装目录 {home}。",
            f"There is no folder {home}.",
            cure=(
                "请核对 WANJIA_HOME；新安装请执行 wanjia setup。",
                "Check WANJIA_HOME; for a new installation run `wanjia setup`.",
            ),
        )
        return
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        yield fail(
            f"安装目录 {home} 不可写（{error.strerror}）。",
            f"The folder {home} cannot be written ({error.strerror}).",
            cure=(
                f"请让运行万家的用户拥有该目录：chown -R 用户 {home}，并检查磁盘是否只读或已满。",
                f"Give it to the user Wanjia runs as: chown -R USER {home}; see whether the disk is full or read-only.",
            ),
        )
        return
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & OTHERS:
        yield warn(
            f"安装目录 {home} 的权限为 {mode:04o}，本机其他用户可以进入。",
            f"The folder {home} has mode {mode:04o}: other users of this machine can look into it.",
            cure=(f"请执行 chmod 700 {home}。", f"Run chmod 700 {home}."),
        )
    else:
        yield ok(f"安装目录 {home} 可写，且只对本用户开放。", f"The folder {home} is writable and private.")


def there_is_room() -> Iterator[Finding]:
    """On every disk the installation uses."""
    home, floor = Path(settings.WANJIA_HOME), settings.WANJIA_DISK_FLOOR
    seen: dict[int, list[Path]] = {}
    for path in (home, home / "lake", home / "files", home / "access"):
        if path.exists():
            seen.setdefault(path.stat().st_dev, []).append(path)
    for paths in seen.values():
        free = shutil.disk_usage(paths[0]).free
        names = ", ".join(str(path) for path in paths)
        zh, en = f"{names} 所在磁盘剩余 {free // MEBIBYTE} MB", f"The disk of {names} has {free // MEBIBYTE} MB left"
        cure = (
            f"请清理或扩容；下限由 WANJIA_DISK_FLOOR_MB 设定，现为 {floor // MEBIBYTE} MB。",
            f"Make room or enlarge it; WANJIA_DISK_FLOOR_MB sets the floor, now {floor // MEBIBYTE} MB.",
        )
        if free < floor:
            yield fail(f"{zh}，低于下限。", f"{en}, below the floor.", cure=cure)
        elif free < 2 * floor:
            yield warn(f"{zh}，接近下限。", f"{en}, close to the floor.", cure=cure)
        else:
            yield ok(f"{zh}。", f"{en}.")


def there_is_memory() -> Iterator[Finding]:
    free = available_memory(Path("/proc/meminfo"))
    if free is None:
        yield info("无法得知可用内存。", "This machine does not say how much memory is free.")
    elif free < LEAST_MEMORY:
        yield warn(
            f"可用内存只有 {free // MEBIBYTE} MB。",
            f"Only {free // MEBIBYTE} MB of memory are free.",
            cure=(
                "请停止其他程序或增加内存；大批次比对需要约 2 GB。",
                "Stop other programs or add memory; a large comparison needs about 2 GB.",
            ),
        )
    else:
        yield ok(f"可用内存 {free // MEBIBYTE} MB。", f"{free // MEBIBYTE} MB of memory are free.")


def available_memory(file: Path) -> int | None:
    """Bytes a new program could use, as the kernel estimates it."""
    try:
        lines = file.read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def optional_programs() -> Iterator[Finding]:
    for commands, name, zh, en in PROGRAMS:
        found = next((path for path in map(shutil.which, commands) if path), None)
        if found:
            yield info(f"{name}：{found}（{zh}）。", f"{name}: {found} ({en}).")
        else:
            yield info(f"没有 {name}（{zh}）。", f"{name} is not installed ({en}).")


CHECKS = [
    Check("machine.platform", Sentence("运行环境", "Platform"), platform_is_supported, needs_database=False),
    Check("machine.home", Sentence("安装目录", "Home"), home_is_ours, needs_database=False),
    Check("machine.disk", Sentence("磁盘", "Disk"), there_is_room, needs_database=False),
    Check("machine.memory", Sentence("内存", "Memory"), there_is_memory, needs_database=False),
    Check("machine.programs", Sentence("可选程序", "Optional programs"), optional_programs, needs_database=False),
]
