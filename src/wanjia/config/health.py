"""Settings, the database's own, migrations, and what Django's checks say."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import run_checks
from django.db import connection

from wanjia.config import env, readiness
from wanjia.kernel.errors import Sentence
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.telemetry.checks import Check, Finding, fail, info, ok, warn

SECRET_LENGTH = 50
FEWEST_LETTERS = 10  # different ones in a secret that was not typed by hand
OLDEST_POSTGRESQL = 150000
FULL = (2, 3)  # SQLite's numbers for synchronous FULL and EXTRA
CROWDED = 0.8
LARGEST_QUICK_CHECK = 4 * 1024**3  # bytes; reading more takes minutes
LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def settings_are_productions() -> Iterator[Finding]:
    """Development settings are for loopback; production's are judged one by one."""
    if not settings.WANJIA_PRODUCTION:
        yield warn(
            "正在使用开发设置，只可在本机试用。",
            "These are development settings, for a trial on this machine only.",
            cure=(
                "正式运行请设置 DJANGO_SETTINGS_MODULE=wanjia.config.settings.production。",
                "For real data set DJANGO_SETTINGS_MODULE=wanjia.config.settings.production.",
            ),
        )
    if settings.DEBUG:
        yield fail(
            "DEBUG 已打开：出错页面会显示程序和数据。",
            "DEBUG is on: error pages show code and data.",
            cure=("请去掉设置中的 DEBUG。", "Remove DEBUG from the settings."),
        )
    if settings.WANJIA_PRODUCTION:
        yield from _production()


def _production() -> Iterator[Finding]:
    secret = settings.SECRET_KEY
    if len(secret) < SECRET_LENGTH or len(set(secret)) < FEWEST_LETTERS:
        yield fail(
            "WANJIA_SECRET_KEY 太短或不是随机生成的。",
            "WANJIA_SECRET_KEY is short, or was not made at random.",
            cure=(
                '请重新生成：python -c "import secrets; print(secrets.token_urlsafe(50))"；更换后所有人需要重新登录。',
                'Make one: python -c "import secrets; print(secrets.token_urlsafe(50))"; everybody signs in again.',
            ),
        )
    else:
        yield ok("登录密钥足够强。", "The secret is strong.")
    if "*" in settings.ALLOWED_HOSTS:
        yield fail(
            "WANJIA_ALLOWED_HOSTS 允许任何主机名。",
            "WANJIA_ALLOWED_HOSTS allows any host name.",
            cure=("请写明网站的域名，如 wanjia.example.cn。", "Name the site's host, such as wanjia.example.cn."),
        )
    else:
        names = [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]
        yield ok(f"网站域名：{'、'.join(names)}。", f"The site answers to {', '.join(names)}.")
    if settings.SECURE_SSL_REDIRECT:
        yield ok("只接受 HTTPS。", "Only HTTPS is served.")
    else:
        yield warn(
            "WANJIA_HTTPS=0：口令和个人信息可能以明文经过网络。",
            "WANJIA_HTTPS=0: passwords and personal data may cross the network in clear.",
            cure=(
                "除非代理与网站在同一台可信机器上，否则请去掉该设置。",
                "Unless proxy and site share one trusted machine, remove it.",
            ),
        )


def database_is_sound() -> Iterator[Finding]:
    """What promises that what was committed stays: the settings each vendor has for it."""
    yield from _postgresql() if connection.vendor == "postgresql" else _sqlite()


def _sqlite() -> Iterator[Finding]:
    with connection.cursor() as cursor:

        def pragma(name: str) -> object:
            return cursor.execute(f"PRAGMA {name}").fetchone()[0]

        found = {name: pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys")}
    right = found["journal_mode"] == "wal" and found["synchronous"] in FULL and found["foreign_keys"] == 1
    said = ", ".join(f"{name}={value}" for name, value in found.items())
    if right:
        yield ok(f"SQLite 设置正确（{said}）。", f"SQLite is set as it must be ({said}).")
    else:
        yield fail(
            f"SQLite 设置不安全：{said}；断电可能丢失已提交的数据。",
            f"SQLite is not set safely: {said}; a power cut may lose what was committed.",
            cure=(
                "应为 journal_mode=WAL、synchronous=FULL、foreign_keys=ON：请恢复 config/env.py 的 SQLITE_OPTIONS。",
                "Needed: journal_mode=WAL, synchronous=FULL, foreign_keys=ON; restore SQLITE_OPTIONS in config/env.py.",
            ),
        )
    if connection.is_in_memory_db():  # type: ignore[attr-defined]
        return
    yield from _sqlite_file(Path(connection.settings_dict["NAME"]))


def _sqlite_file(file: Path) -> Iterator[Finding]:
    private_folder = not stat.S_IMODE(file.parent.stat().st_mode) & 0o077
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077 and not private_folder:
        yield fail(
            f"数据库文件 {file} 的权限为 {mode:04o}，本机其他用户可以读取。",
            f"The database file {file} has mode {mode:04o}: other users of this machine can read it.",
            cure=(
                f"请执行 chmod 600 {file}*，chmod 700 {file.parent}。",
                f"Run chmod 600 {file}* and chmod 700 {file.parent}.",
            ),
        )
    else:
        yield ok("数据库文件只有本用户可读。", "Only this user can read the database file.")
    if file.stat().st_size > LARGEST_QUICK_CHECK:
        yield info(
            "数据库较大，没有逐页检查；请定期执行 PRAGMA quick_check。",
            "The database is large and was not read page by page; run PRAGMA quick_check from time to time.",
        )
        return
    with connection.cursor() as cursor:
        answer = str(cursor.execute("PRAGMA quick_check(1)").fetchone()[0])
    if answer == "ok":
        yield ok("数据库文件完好（quick_check）。", "The database file is sound (quick_check).")
    else:
        yield fail(
            "数据库文件已损坏（quick_check 未通过）。",
            "The database file is damaged (quick_check failed).",
            cure=(
                "请立即停止网站和后台程序，保留原文件，从最近的备份恢复，并检查磁盘。",
                "Stop site and worker at once, keep the file as it is, restore the latest backup, and test the disk.",
            ),
        )


def _postgresql() -> Iterator[Finding]:
    with as_owner(), connection.cursor() as cursor:

        def setting(name: str) -> str:
            cursor.execute("SELECT current_setting(%s)", [name])
            return str(cursor.fetchone()[0])

        version, encoding = int(setting("server_version_num")), setting("server_encoding")
        durable = {name: setting(name) for name in ("fsync", "full_page_writes", "synchronous_commit")}
        limit = int(setting("max_connections"))
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        connected = int(cursor.fetchone()[0])
    if version < OLDEST_POSTGRESQL:
        yield fail(
            f"PostgreSQL 版本为 {version // 10000}，需要 15 或更新。",
            f"This is PostgreSQL {version // 10000}; 15 or newer is needed.",
            cure=("请升级数据库（pg_upgrade）。", "Upgrade the database (pg_upgrade)."),
        )
    else:
        yield ok(
            f"PostgreSQL {version // 10000}.{version % 10000}。", f"PostgreSQL {version // 10000}.{version % 10000}."
        )
    off = [name for name, value in durable.items() if value == "off"]
    switches = " ".join(f"{name}=on" for name in off)
    if off:
        yield fail(
            f"PostgreSQL 关闭了 {'、'.join(off)}；断电可能丢失已提交的数据。",
            f"PostgreSQL has {', '.join(off)} switched off; a power cut may lose what was committed.",
            cure=(
                f"请在 postgresql.conf 中设置 {switches} 并重新载入；再核对 ALTER ROLE/DATABASE 的设置。",
                f"Set {switches} in postgresql.conf and reload; look at ALTER ROLE/DATABASE too.",
            ),
        )
    else:
        yield ok(
            "已提交的数据不怕断电（fsync 等均已打开）。",
            "What is committed survives a power cut (fsync and its kin are on).",
        )
    if encoding != "UTF8":
        yield fail(
            f"数据库编码为 {encoding}，不能保存全部汉字。",
            f"The database's encoding is {encoding}; it cannot hold every character.",
            cure=(
                "请用 ENCODING 'UTF8' 重建数据库并导入。",
                "Create the database anew with ENCODING 'UTF8' and load it.",
            ),
        )
    if connected > CROWDED * limit:
        yield warn(
            f"数据库连接 {connected} 个，接近上限 {limit}。",
            f"{connected} connections are open, close to the limit of {limit}.",
            cure=("请减少网站线程，或提高 max_connections。", "Use fewer threads, or raise max_connections."),
        )
    else:
        yield ok(f"数据库连接 {connected}/{limit}。", f"{connected} of {limit} connections are in use.")


def migrations_are_applied() -> Iterator[Finding]:
    with as_owner():
        missing = readiness.missing_migrations()
    if missing:
        yield fail(
            f"有 {len(missing)} 项数据表变更尚未执行：{', '.join(missing[:5])}。",
            f"{len(missing)} migrations are not applied: {', '.join(missing[:5])}.",
            cure=(
                "请先备份，再执行 wanjia setup，然后重新启动网站和后台程序。",
                "Back up, run `wanjia setup`, then restart site and worker.",
            ),
        )
    else:
        yield ok("数据表与程序一致。", "The tables are those of this program.")


def program_is_consistent() -> Iterator[Finding]:
    """Django's own checks and the platform's: routes without access, models, settings."""
    serious = [
        message for message in run_checks() if message.is_serious() and not (message.id or "").startswith("scope.E10")
    ]
    for message in serious:
        hint = message.hint or "Ask whoever changed the program or its settings."
        yield fail(f"{message.id}：{message.msg}", f"{message.id}: {message.msg}", cure=(hint, hint))
    if not serious:
        yield ok("程序自检通过。", "The program's own checks pass.")


def metrics_are_guarded() -> Iterator[Finding]:
    token = env.read().metrics_token
    if token and len(token) < 20:  # noqa: PLR2004 - what a generator makes is longer
        yield warn(
            "WANJIA_METRICS_TOKEN 太短。", "WANJIA_METRICS_TOKEN is short.",
            cure=("请用 20 个以上随机字符。", "Use 20 random characters or more."),
        )  # fmt: skip
    elif token:
        yield ok("运行指标凭令牌访问。", "Metrics are read with a token.")
    else:
        yield ok("运行指标只对本机开放。", "Metrics are open to this machine only.")


CHECKS = [
    Check("settings.production", Sentence("设置", "Settings"), settings_are_productions, needs_database=False),
    Check("settings.metrics", Sentence("运行指标", "Metrics"), metrics_are_guarded, needs_database=False),
    Check("program.checks", Sentence("程序自检", "The program's checks"), program_is_consistent, needs_database=False),
    Check("database.settings", Sentence("数据库设置", "Database settings"), database_is_sound),
    Check("database.migrations", Sentence("数据表", "Tables"), migrations_are_applied),
]
