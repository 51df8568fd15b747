"""Do the counters say what a count of the cases says?"""

from __future__ import annotations

from collections.abc import Iterator

from wanjia.casework import counters
from wanjia.kernel.errors import Sentence
from wanjia.telemetry.checks import Check, Finding, ok, warn

MOST_ADDED = 100_000  # rows; the worker folds them every two minutes


def counters_are_right() -> Iterator[Finding]:
    wrong = counters.differing()
    cases = sum(abs(n) for _, n in wrong)
    if wrong:
        yield warn(
            f"核查件的 {len(wrong)} 个计数与逐件清点不符（相差合计 {cases}）：列表和首页的数字不准，核查件本身无误。",
            f"{len(wrong)} counters of cases differ from a count (by {cases} together): "
            "figures of lists and home page are wrong, the cases themselves are not.",
            cure=(
                "请执行 wanjia setup 重新清点（可以重复执行），并把本条报告给开发者：这是程序的错误。",
                "Run `wanjia setup`, which counts again and is safe to repeat, and report this: it is a fault of ours.",
            ),
        )
    else:
        yield ok("核查件的计数与逐件清点相符。", "The counters of cases agree with a count.")


def counters_are_folded() -> Iterator[Finding]:
    added = counters.added()
    if added > MOST_ADDED:
        yield warn(
            f"核查件计数有 {added} 行变动尚未归并：数字无误，首页和列表变慢。",
            f"{added} rows added to the counters of cases are not folded: the figures are right and slow.",
            cure=(
                "后台程序每两分钟归并一次；请确认 wanjia worker 在运行。",
                "A worker does it every two minutes: see that `wanjia worker` runs.",
            ),
        )
    else:
        yield ok(f"核查件计数有 {added} 行变动待归并。", f"{added} rows added to the counters wait to be folded.")


CHECKS = [
    Check("casework.counters", Sentence("核查件计数", "Counters of cases"), counters_are_right),
    Check("casework.folding", Sentence("计数归并", "Folding of counters"), counters_are_folded),
]
