"""Screening and issue (domain.md §6.1, step 3): from a selection of findings to cases on the cities' desks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from itertools import islice
from uuid import UUID, uuid4

from django.db import transaction

from wanjia.audit.services import JSON, Kind, common_area, detail, record
from wanjia.casework.choices import Mutes
from wanjia.casework.models import Case
from wanjia.casework.services import CaseSpec, SubjectSpec, open_cases
from wanjia.comparison import queries
from wanjia.comparison.choices import Decision, RunStatus
from wanjia.comparison.errors import DataWithdrawn, FindingsChanged, NothingToIssue, RunNotReady
from wanjia.comparison.models import Run, Screening
from wanjia.comparison.queries import Filters, Finding
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.registry import queries as registry
from wanjia.ruleset.vocabulary import OTHER
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries as sources

KIND = "suspect"
ISSUE = "comparison.issue"
EARLIER = system_viewer("comparison.screen")  # an open case anywhere stands in the way of a second one
CITY = 4
CHUNK = 5_000


def key_for(rule: str, person_no: int) -> str:
    """What a suspicion of a rule against a person is called."""
    return f"{rule}:{person_no}"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Everything one run says against one person under one rule: one question, one case."""

    rule: str
    person_no: int
    findings: tuple[Finding, ...]

    @property
    def key(self) -> str:
        """The name under which the suspicion is known through all runs."""
        return key_for(self.rule, self.person_no)

    @property
    def evidence(self) -> frozenset[str]:
        """The digests of the records it rests on."""
        return frozenset(item.evidence_hash for item in self.findings)


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

    Raises NotAllowed, NotVisible, RunNotReady.
    """
    if not viewer.may(ISSUE):
        raise NotAllowed(action=ISSUE)
    run = queries.run_for(viewer, run_id)
    if run.status != RunStatus.DONE:
        raise RunNotReady(run=run_id, status=run.status)
    found = list(queries.each_finding(viewer, run_id, filters, action=ISSUE))
    known = set(Screening.objects.visible_to(EARLIER).filter(run_id=run_id).values_list("finding_no", flat=True))
    suspicions = _grouped(item for item in found if item.finding_no not in known)
    open_now, closed = _earlier(suspicions)
    fresh, repeated, muted = [], [], []
    again: dict[str, int] = {}
    for item in suspicions:
        before = closed.get(item.key, [])
        if item.key in open_now:
            repeated.append((item, open_now[item.key]))
        elif _is_muted(before, item):
            muted.append((item, before[-1].case_no))
        else:
            fresh.append(item)
            if before:
                again[item.key] = before[-1].case_no
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
    confirmed, DataWithdrawn, NothingToIssue, NotAllowed, NotVisible, RunNotReady, DeadlineUnusable.
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


def _grouped(findings: Iterable[Finding]) -> list[Suspicion]:
    groups: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.person_no), []).append(finding)
    return [Suspicion(rule, person_no, tuple(group)) for (rule, person_no), group in groups.items()]


def _earlier(suspicions: Sequence[Suspicion]) -> tuple[dict[str, int], dict[str, list[Case]]]:
    """Key → the open case, and key → the latest closed ones, the last of them last.

    There are several where somebody was registered twice: one asked under each number he had.
    """
    key_of = _keys(suspicions)
    open_now: dict[str, int] = {}
    closed: dict[str, dict[str, Case]] = {}
    keys = iter(key_of)
    while piece := list(islice(keys, CHUNK)):
        rows = Case.objects.visible_to(EARLIER).filter(kind=KIND, key__in=piece)
        open_now.update(
            (key_of[key], number) for key, number in rows.filter(closed_at=None).values_list("key", "case_no")
        )
        for case in rows.filter(closed_at__isnull=False).order_by("case_no"):
            closed.setdefault(key_of[case.key], {})[case.key] = case
    return open_now, {key: sorted(own.values(), key=lambda case: case.case_no) for key, own in closed.items()}


def _keys(suspicions: Sequence[Suspicion]) -> dict[str, str]:
    """Each name under which a suspicion was ever known → its name today."""
    keys = {item.key: item.key for item in suspicions}
    former: dict[int, list[int]] = {}
    for old, new in registry.merged_into({item.person_no for item in suspicions}).items():
        former.setdefault(new, []).append(old)
    for item in suspicions:
        keys |= {key_for(item.rule, old): item.key for old in former.get(item.person_no, ())}
    return keys


def _is_muted(cases: Sequence[Case], suspicion: Suspicion) -> bool:
    """Whether the answers given then still answer this suspicion (design.md §5 Rules)."""
    answered = {str(line) for case in cases if _lasts(case) for line in case.origin.get("evidence", ())}
    return suspicion.evidence <= answered


def _lasts(case: Case) -> bool:
    outcome = case.flow.outcome(case.outcome)
    if outcome is None or outcome.mutes is Mutes.NEVER:
        return False
    expired = outcome.mutes is Mutes.UNTIL and case.outcome_until is not None and case.outcome_until < clock.today()
    return not expired


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
