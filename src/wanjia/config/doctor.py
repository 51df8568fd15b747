"""`wanjia doctor`: every check of every slice, each with a sentence and, where something is wrong, the cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseFault
from django.db import connection

from wanjia.config import health
from wanjia.kernel.errors import Sentence
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.telemetry.checks import Check, Finding, State, fail, info, ok
from wanjia.ui.discovery import offered


@dataclass(frozen=True, slots=True)
class Answer:
    """One finding with the check it belongs to."""

    check: Check
    finding: Finding

    def as_dict(self) -> dict[str, Any]:
        said, cure = self.finding.said, self.finding.cure
        told: dict[str, Any] = {"check": self.check.code, "state": self.finding.state.value}
        told |= {"what": {"zh": said.text("zh"), "en": said.text("en")}}
        return told | ({"cure": {"zh": cure.text("zh"), "en": cure.text("en")}} if cure else {})


def checks() -> tuple[Check, ...]:
    """The machine first, then keys, settings and database, then what the slices ask."""
    found = [check for _, module in offered("health") for check in module.CHECKS]
    own = [ANSWERS, *health.CHECKS]
    rank = {"machine": 0, "keys": 1, "settings": 2, "program": 3, "database": 4}
    return tuple(
        sorted([*own, *found], key=lambda check: (rank.get(check.code.split(".")[0], 9), check is not ANSWERS))
    )


def examine() -> Iterator[Answer]:
    """Ask everything. A check that fails itself is a finding too; the others go on."""
    away = [finding for finding in database_answers() if finding.state is State.FAIL]
    for check in checks():
        if check.needs_database and away:
            title = check.title
            yield Answer(
                check,
                info(
                    f"没有检查{title.zh}：数据库不应答。",
                    f"{title.en}: not looked at, since the database does not answer.",
                ),
            )
            continue
        for finding in _asked(check):
            yield Answer(check, finding)


def _asked(check: Check) -> Iterator[Finding]:
    try:
        yield from check.run()
    except Exception as error:  # noqa: BLE001 - whatever is broken, the doctor goes on
        kind = type(error).__qualname__  # its text may quote data
        yield fail(
            f"检查本身没有完成（{kind}）。",
            f"The check itself did not come to an end ({kind}).",
            cure=(
                "请先处理其他问题，再执行一次；仍然如此请报告开发者。",
                "Cure the rest and run it again; if it stays, report it.",
            ),
        )


def _cure_for_no_file(file: Path) -> tuple[str, str]:
    demo = file.parent / "demo"
    if (demo / file.name).is_file():  # `wanjia demo` keeps to a folder of its own
        return (
            f"这里只有演示数据；要查看演示，请设 WANJIA_HOME={demo}；要新建正式安装，请执行 wanjia setup。",
            f"Only the demo is here: to look at it set WANJIA_HOME={demo}; for an installation run `wanjia setup`.",
        )
    return (
        "请核对 WANJIA_HOME；新安装请执行 wanjia setup；文件丢失请从备份恢复。",
        "Check WANJIA_HOME; for a new installation run `wanjia setup`; restore a lost file from the backup.",
    )


def database_answers() -> Iterator[Finding]:
    """Without making an SQLite file where none is: a doctor creates nothing."""
    file = Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None
    if file is not None and not file.is_file() and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        yield fail(
            f"没有数据库文件 {file}。",
            f"There is no database file {file}.",
            cure=_cure_for_no_file(file),
        )
        return
    try:
        # as the login itself: whether the application's role is there is a question of its own
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseFault as error:
        yield fail(
            f"数据库不应答（{type(error).__qualname__}）。",
            f"The database does not answer ({type(error).__qualname__}).",
            cure=(
                "请确认数据库在运行，核对 WANJIA_DATABASE_URL 的主机、端口、用户和口令，以及 pg_hba.conf。",
                "See that it runs; check host, port, user and password in WANJIA_DATABASE_URL, and pg_hba.conf.",
            ),
        )
        return
    yield ok(f"数据库应答（{connection.vendor}）。", f"The database answers ({connection.vendor}).")


ANSWERS = Check("database.answers", Sentence("数据库", "Database"), database_answers, needs_database=False)
