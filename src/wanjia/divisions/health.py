"""Are the divisions there that every row names?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from wanjia.divisions.choices import Level
from wanjia.divisions.models import Division
from wanjia.kernel.errors import Sentence
from wanjia.telemetry.checks import Check, Finding, fail, ok

NEEDED = (Level.PROVINCE, Level.CITY, Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE)


def divisions_are_loaded() -> Iterator[Finding]:
    counts = dict(Division.objects.values_list("level").annotate(Count("pk")))
    empty = [level for level in NEEDED if not counts.get(level.value)]
    if empty:
        yield fail(
            f"行政区划没有装全，缺少：{'、'.join(str(level.label) for level in empty)}。",
            f"Divisions are not loaded: none at the level {', '.join(level.value for level in empty)}.",
            cure=("请执行 wanjia setup，它可以重复执行。", "Run `wanjia setup`; it is safe to run again."),
        )
    else:
        total = sum(counts.values())
        yield ok(f"{total} 个行政区划已装入。", f"{total} divisions are loaded.")


CHECKS = [Check("divisions.loaded", Sentence("行政区划", "Divisions"), divisions_are_loaded)]
