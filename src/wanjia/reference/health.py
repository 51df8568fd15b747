"""Is the policy there that decisions need today?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.reference import files, queries
from wanjia.reference.models import CalendarDay, CodeList
from wanjia.telemetry.checks import Check, Finding, fail, info, ok, warn

MOST_NAMED = 5
PUBLISHED_BY = (12, 1)  # the State Council announces the next year's days off in November

_LOAD = ("请执行 wanjia setup，它可以重复执行。", "Run `wanjia setup`; it is safe to run again.")


def code_lists_are_loaded() -> Iterator[Finding]:
    wanted = {row.name for row in files.read().code_lists}
    missing = sorted(wanted - set(CodeList.objects.values_list("name", flat=True)))
    if missing:
        yield fail(
            f"缺少 {len(missing)} 个代码表：{_named(missing)}。",
            f"{len(missing)} code lists are missing: {_named(missing)}.",
            cure=_LOAD,
        )
    else:
        yield ok(f"{len(wanted)} 个代码表已装入。", f"{len(wanted)} code lists are loaded.")


def parameters_hold_today() -> Iterator[Finding]:
    today = clock.today()
    wanted = {row.name for row in files.read().parameters}
    found = {row.name: row.value for row in queries.parameters_today(today, "en")}
    absent = sorted(wanted - found.keys())
    void = sorted(name for name, value in found.items() if value is None)
    if absent:
        yield fail(f"缺少参数：{_named(absent)}。", f"Parameters are missing: {_named(absent)}.", cure=_LOAD)
    if void:
        yield warn(
            f"以下参数今天（{today}）没有有效值：{_named(void)}。",
            f"These parameters have no value in force today ({today}): {_named(void)}.",
            cure=(
                "请在“设置 › 参数”中登记新值及其依据。",
                "Enter the value now in force, with its source, under 设置 › 参数.",
            ),
        )
    if not absent and not void:
        yield ok(f"{len(found)} 个参数今天都有有效值。", f"All {len(found)} parameters have a value in force today.")


def days_off_are_known() -> Iterator[Finding]:
    """Deadlines count working days: without them every deadline is wrong, and silently."""
    today = clock.today()
    for year in (today.year, today.year + 1):
        count = CalendarDay.objects.filter(day__year=year).count()
        zh, en = f"{year} 年的节假日没有登记", f"The days off of {year} are not known"
        cure = (
            "请更新 holidays 软件包并执行 wanjia setup，或在“设置 › 日历”中登记。",
            "Update the package `holidays` and run `wanjia setup`, or enter them under 设置 › 日历.",
        )
        if count:
            yield ok(
                f"{year} 年登记了 {count} 个节假日和调休日。", f"{count} days off and make-up days of {year} are known."
            )
        elif year == today.year:
            yield fail(f"{zh}，办理期限会算错。", f"{en}: deadlines are counted wrongly.", cure=cure)
        elif today >= date(today.year, *PUBLISHED_BY):
            yield warn(f"{zh}。", f"{en}.", cure=cure)
        else:
            yield info(f"{zh}，通常 11 月公布。", f"{en}; they are usually announced in November.")


def _named(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")


CHECKS = [
    Check("reference.codes", Sentence("代码表", "Code lists"), code_lists_are_loaded),
    Check("reference.parameters", Sentence("参数", "Parameters"), parameters_hold_today),
    Check("reference.calendar", Sentence("节假日", "Days off"), days_off_are_known),
]
