"""The line, once: the files in, whose records, the rules, and how right the findings are.

How right is judged against what the county's lives say; the words of the rules are not known
here, only which question each of them asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from wanjia.comparison import queries as comparison
from wanjia.comparison.services import compare_now
from wanjia.demo.county import Founded
from wanjia.demo.truth import Judged, Question, Subject, Truth
from wanjia.kernel import clock
from wanjia.scope.viewer import Viewer
from wanjia.sources import services as sources

FOUNDED_AT = datetime(2020, 10, 12, 9, 0, tzinfo=clock.CHINA)
RECEIVED_AT = datetime(2020, 10, 30, 9, 0, tzinfo=clock.CHINA)

# Which rule asks which question.
ASKED = {
    "RA-01": Question.PAID_POST,
    "RA-02": Question.CAR_BEFORE,
    "RA-02B": Question.CAR_AFTER,
    "RA-04": Question.TOWN_PROPERTY,
    "RA-05": Question.COMPANY,
    "RB-01": Question.NUMBER_WRONG,
    "RB-02": Question.NAME_DIFFERS,
    "RB-03": Question.NUMBER_UNKNOWN,
    "RB-04": Question.DEAD,
    "RB-05": Question.HUKOU_ENDED,
    "RB-06": Question.REGISTERED_TWICE,
    "RB-07": Question.LEFT_OUT,
    "RB-07B": Question.IN_ANOTHER_BOOK,
    "RC-01": Question.DIBAO_UNREGISTERED,
    "RC-01B": Question.DIBAO_UNPAID,
    "RC-02": Question.TEKUN_UNREGISTERED,
    "RC-02B": Question.TEKUN_UNPAID,
    "RC-04": Question.CERTIFICATE_UNREGISTERED,
    "RC-04B": Question.CERTIFICATE_MISSING,
}
OF_HOUSEHOLDS = frozenset({Question.LEFT_OUT})
OF_PAIRS = frozenset({Question.REGISTERED_TWICE})

Stage = Callable[[Console, str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the line yielded. Lines are those of all files together."""

    run_id: int
    accepted: int
    rejected: int
    non_data: int
    findings: int
    digest: str
    judged: Judged


def run(scene: Founded, truth: Truth, console: Console, stage: Stage) -> Outcome:
    """Take the files in and compare, as the province's data officer."""
    with clock.frozen(RECEIVED_AT):
        province = scene.viewer("province")
        batches = []
        for file in scene.files:
            with stage(console, f"接收 taking in {file.name}"):
                batch = sources.receive(viewer=province, path=file, area=scene.place.code)
                batches.append(sources.accept(viewer=province, batch_id=batch.pk))
        with stage(console, "比对 comparing"):
            made = compare_now(viewer=province)
        judged = truth.judge(found_in(province, made.pk))
    return Outcome(
        run_id=made.pk,
        accepted=sum(batch.accepted for batch in batches),
        rejected=sum(batch.rejected for batch in batches),
        non_data=sum(batch.non_data for batch in batches),
        findings=made.finding_count or 0,
        digest=made.digest,
        judged=judged,
    )


def found_in(viewer: Viewer, run_id: int) -> set[Subject]:
    """What the run's findings answer, each as the subject of its rule's question."""
    after, found = "", set[Subject]()
    while True:
        page = comparison.findings(viewer, run_id, after=after, size=comparison.MAX_PAGE)
        found |= {subject for item in page.items for subject in _subjects(item)}
        if not page.next:
            return found
        after = page.next


def _subjects(item: comparison.Finding) -> Iterator[Subject]:
    """Whom a finding is about; a pair is one finding about two people."""
    question = ASKED[item.rule]
    if question in OF_HOUSEHOLDS:
        yield Subject(question, household_no=item.household_no)
        return
    yield Subject(question, person_no=item.person_no, record=str(item.evidence.get("plate", "")))
    if question in OF_PAIRS:
        yield Subject(question, person_no=int(str(item.evidence["other_person_no"])))
