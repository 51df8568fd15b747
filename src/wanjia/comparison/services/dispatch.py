"""Screening and issue (domain.md §6.1, step 3): from a selection of findings to cases on the cities' desks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction

from wanjia.audit.services import JSON, Kind, common_area, detail, record
from wanjia.casework.services import CaseSpec, SubjectSpec, open_cases
from wanjia.comparison import queries
from wanjia.comparison.choices import Decision, RunStatus
from wanjia.comparison.errors import DataWithdrawn, FindingsChanged, NothingToIssue, RunNotReady, RunSuperseded
from wanjia.comparison.models import Run, Screening
from wanjia.comparison.queries import ISSUE, Filters
from wanjia.comparison.standing import EARLIER, KIND, Suspicion, grouped, standing
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.ruleset.vocabulary import OTHER
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries as sources

CITY = 4


@dataclass(frozen=True, slots=True)
class Screened:
    """A selection sorted out: what to issue, and what not and why."""

    total: int
    fresh: tuple[Suspicion, ...]
    repeated: tuple[tuple[Suspicion, int], ...]  # with the case that is open already
    muted: tuple[tuple[Suspicion, int], ...]  # with the closed case whose answer still holds
    again: Mapping[str, int]  # of the fresh, by key: the case closed before, on other evidence or no longer lasting
    decided: int  # findings of this run that were screened before

    @property
    def by_city(self) -> Mapping[str, int]:
        """City → how many cases would go there."""
        counts = Counter(item.findings[0].village_code[:CITY] for item in self.fresh)
        return dict(sorted(counts.items()))


@dataclass(frozen=True, slots=True)
class Issued:
    """What an issue did: cases opened and their cities, and findings left out by reason."""

    opened: int
    by_city: Mapping[str, int]
    repeated: int
    muted: int
    decided: int


Decided = tuple[Decision, Suspicion, int | None]


def screen(viewer: Viewer, run_id: int, filters: Filters) -> Screened:
    """Sort out a selection without changing anything: the preview, and the first half of issuing.

    Raises NotAllowed, NotVisible, RunNotReady, RunSuperseded.
    """
    if not viewer.may(ISSUE):
        raise NotAllowed(action=ISSUE)
    run = queries.run_for(viewer, run_id)
    if run.status != RunStatus.DONE:
        raise RunNotReady(run=run_id, status=run.status)
    if (newer := queries.superseded_by(run)) is not None:
        raise RunSuperseded(run=run_id, newer=newer)
    found = list(queries.each_finding(viewer, run_id, filters, action=ISSUE))
    known = set(Screening.objects.visible_to(EARLIER).filter(run_id=run_id).values_list("finding_no", flat=True))
    suspicions = grouped(item for item in found if item.finding_no not in known)
    before = standing(suspicions)
    fresh, repeated, muted = [], [], []
    again: dict[str, int] = {}
    for item in suspicions:
        at_work, last = before.open_case(item), before.last_case(item)
        if at_work is not None:
            repeated.append((item, at_work))
        elif last is not None and before.is_answered(item):
            muted.append((item, last))
        else:
            fresh.append(item)
            if last is not None:
                again[item.key] = last
    decided = sum(item.finding_no in known for item in found)
    return Screened(len(found), tuple(fresh), tuple(repeated), tuple(muted), again, decided)


@transaction.atomic
def issue_findings(  # noqa: PLR0913 - what of which run, and what was confirmed of it
    *,
    viewer: Viewer,
    run_id: int,
    filters: Filters,
    expected_count: int,
    withdrawn: Collection[int] | None = None,
    due_on: date | None = None,
) -> Issued:
    """Issue a selection: a case per suspicion, on the desk of its city, under one audit entry.

    Suspicions with an open case, or answered before on the same evidence, are screened out and
    that is recorded too. `withdrawn` are the batches of the run that were told to be withdrawn when
    it was confirmed. Raises FindingsChanged when the selection holds another number than was
    confirmed, DataWithdrawn, NothingToIssue, NotAllowed, NotVisible, RunNotReady, RunSuperseded,
    DeadlineUnusable.
    """
    # Two people issuing from one run at once: the second waits, then finds everything decided.
    run = Run.objects.select_for_update().filter(pk=run_id).first()
    sorted_out = screen(viewer, run_id, filters)
    if run is not None and withdrawn is not None and (more := _withdrawn(run) - set(withdrawn)):
        raise DataWithdrawn(batches="、".join(map(str, sorted(more))))
    if sorted_out.total != expected_count:
        raise FindingsChanged(expected=expected_count, found=sorted_out.total)
    if not (sorted_out.fresh or sorted_out.repeated or sorted_out.muted):
        raise NothingToIssue(found=sorted_out.total)
    content: dict[str, JSON] = {"run": run_id, "filter": _as_json(filters), "findings": sorted_out.total}
    opened = open_cases(
        viewer=viewer,
        kind=KIND,
        specs=[_spec(run_id, item, sorted_out.again.get(item.key)) for item in sorted_out.fresh],
        due_on=due_on,
        content=content,
    )
    reached("comparison.cases_opened")
    issued = [(item, opened.opened[item.key]) for item in sorted_out.fresh if item.key in opened.opened]
    overtaken = [(item, opened.already_open[item.key]) for item in sorted_out.fresh if item.key in opened.already_open]
    repeated = [*sorted_out.repeated, *overtaken]
    decisions = [
        *((Decision.ISSUED, item, case_no) for item, case_no in issued),
        *((Decision.REPEATED, item, case_no) for item, case_no in repeated),
        *((Decision.DROPPED, item, case_no) for item, case_no in sorted_out.muted),
    ]
    _write_screenings(viewer, run_id, decisions, content)
    reached("comparison.issuing")
    transaction.on_commit(partial(reached, "comparison.issued"))
    return Issued(
        opened=len(issued),
        by_city=dict(sorted(Counter(item.findings[0].village_code[:CITY] for item, _ in issued).items())),
        repeated=len(repeated),
        muted=len(sorted_out.muted),
        decided=sorted_out.decided,
    )


def _withdrawn(run: Run) -> set[int]:
    return sources.withdrawn(system_viewer("comparison.inputs"), {int(item["batch"]) for item in run.batches})


def _spec(run_id: int, suspicion: Suspicion, earlier: int | None) -> CaseSpec:
    first = suspicion.findings[0]
    return CaseSpec(
        key=suspicion.key,
        topic=suspicion.rule,
        subjects=(
            SubjectSpec(area_code=first.village_code, household_no=first.household_no, person_no=first.person_no),
            *_opposite(suspicion),
        ),
        department=first.dataset.partition(".")[0],
        origin={
            "run": run_id,
            "rule": suspicion.rule,
            "person_no": suspicion.person_no,
            "findings": [item.finding_no for item in suspicion.findings],
            "evidence": sorted(suspicion.evidence),
            **({"earlier": earlier} if earlier is not None else {}),
        },
    )


def _opposite(suspicion: Suspicion) -> list[SubjectSpec]:
    """The people a rule holds against this one: each is a subject of the case, in his own area."""
    found = {}
    for finding in suspicion.findings:
        evidence = finding.evidence
        if {OTHER + "person_no", OTHER + "household_no", OTHER + "village_code"} <= evidence.keys():
            number = int(evidence[OTHER + "person_no"])
            found[number] = SubjectSpec(
                area_code=str(evidence[OTHER + "village_code"]),
                household_no=int(evidence[OTHER + "household_no"]),
                person_no=number,
            )
    return [found[number] for number in sorted(found)]


def _write_screenings(viewer: Viewer, run_id: int, decisions: Sequence[Decided], content: Mapping[str, JSON]) -> None:
    """The province's decision about each finding, under an audit entry of its own."""
    event_id = uuid4()
    rows, digests = list(_rows(viewer, run_id, event_id, decisions)), []
    for row in rows:
        line = detail(row.payload())
        row.salt = line.salt
        digests.append(line.digest)
    Screening.objects.bulk_create(rows, batch_size=2_000)
    record(
        Kind.DISPATCH,
        viewer=viewer,
        area=common_area(row.village_code for row in rows),
        act="comparison.screen",
        subject=("run", run_id),
        content={**content, **Counter(decision.value for decision, _, _ in decisions)},
        details=digests,
        event_id=event_id,
    )


def _rows(viewer: Viewer, run_id: int, event_id: UUID, decisions: Iterable[Decided]) -> Iterator[Screening]:
    at = clock.now()
    for decision, suspicion, case_no in decisions:
        for finding in suspicion.findings:
            yield Screening(
                run_id=run_id, finding_no=finding.finding_no, village_code=finding.village_code, rule=finding.rule,
                person_no=finding.person_no, evidence_hash=finding.evidence_hash, decision=decision, case_no=case_no,
                decided_by=viewer.user_id, decided_at=at, event_id=event_id,
            )  # fmt: skip


def _as_json(filters: Filters) -> dict[str, JSON]:
    return {name: value for name, value in asdict(filters).items() if value}
