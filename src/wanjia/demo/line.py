"""The line, once: the file in, whose records, the rules, and how right the findings are.

How right is judged against what the county's lives say, by people and plates; the words of the
rules are not known here, only which of the two questions each of them asks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from wanjia.comparison import queries as comparison
from wanjia.comparison.services import compare_now
from wanjia.demo.county import Founded
from wanjia.demo.vehicles import Fate, Truth
from wanjia.kernel import clock
from wanjia.sources import services as sources

FOUNDED_AT = datetime(2020, 10, 12, 9, 0, tzinfo=clock.CHINA)
RECEIVED_AT = datetime(2020, 10, 30, 9, 0, tzinfo=clock.CHINA)

# Which rule asks which question.
ASKED = {"RA-02": Fate.CAR_BEFORE, "RA-02B": Fate.CAR_AFTER}

Stage = Callable[[Console, str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the line yielded; `recall` and `precision` over plants whose row carries the right number."""

    run_id: int
    accepted: int
    rejected: int
    non_data: int
    findings: int
    digest: str
    recall: float
    precision: float


def run(scene: Founded, console: Console, stage: Stage) -> Outcome:
    """Take the file in and compare, as the province's data officer."""
    with clock.frozen(RECEIVED_AT):
        province = scene.viewer("province")
        with stage(console, f"接收 taking in {scene.delivery.lines:,} lines"):
            batch = sources.receive(viewer=province, path=scene.file)
            batch = sources.accept(viewer=province, batch_id=batch.pk)
        with stage(console, "比对 comparing"):
            made = compare_now(viewer=province)
        recall, precision = judge(found_in(scene, made.pk), scene.delivery.truth)
    return Outcome(
        run_id=made.pk,
        accepted=batch.accepted,
        rejected=batch.rejected,
        non_data=batch.non_data,
        findings=made.finding_count or 0,
        digest=made.digest,
        recall=recall,
        precision=precision,
    )


Found = frozenset[tuple[str, int, str]]


def found_in(scene: Founded, run_id: int) -> Found:
    """(rule, person, plate) of every finding of the run."""
    province, after, found = scene.viewer("province"), "", set[tuple[str, int, str]]()
    while True:
        page = comparison.findings(province, run_id, after=after, size=comparison.MAX_PAGE)
        found |= {(item.rule, item.person_no, item.evidence["plate"]) for item in page.items}
        if not page.next:
            return frozenset(found)
        after = page.next


def judge(found: Found, truth: tuple[Truth, ...]) -> tuple[float, float]:
    """(recall, precision): the share of findable plants found, the share of findings that are plants."""
    answered = {(ASKED.get(rule), person, plate) for rule, person, plate in found}
    planted = {(fact.fate, fact.person_no, fact.plate) for fact in truth}
    findable = {(fact.fate, fact.person_no, fact.plate) for fact in truth if fact.findable}
    recall = len(answered & findable) / len(findable) if findable else 1.0
    precision = len(answered & planted) / len(answered) if answered else 1.0
    return round(recall, 6), round(precision, 6)
