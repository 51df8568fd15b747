"""What became of a suspicion before: somebody works on it, or an answer to it still holds (domain.md §6.1).

A suspicion keeps its name through all runs, so the next run finds the cases of the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Value

from wanjia.casework import declared
from wanjia.casework.choices import Mutes
from wanjia.casework.models import Case
from wanjia.comparison.queries import Finding
from wanjia.kernel import clock
from wanjia.registry import queries as registry
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

KIND = "suspect"
EARLIER = system_viewer("comparison.screen")  # an open case anywhere stands in the way of a second one
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


class Earlier(NamedTuple):
    """Of a case about a suspicion what tells whether it stands: thousands are read for one page."""

    case_no: int
    key: str
    is_closed: bool
    flow_version: int
    outcome: str
    outcome_until: date | None
    origin: Mapping[str, Any]
    readable: bool  # by whom it was asked for


@dataclass(frozen=True, slots=True)
class Standing:
    """The cases about some suspicions, by key: the open one, and the closed ones, the last of them last.

    There are several closed ones where somebody was registered twice: one asked under each number he had.
    """

    open_now: Mapping[str, int]
    closed: Mapping[str, Sequence[Earlier]]
    readable: frozenset[int] = frozenset()  # those of all of them that the reader may open

    def open_case(self, suspicion: Suspicion) -> int | None:
        """The case somebody works on."""
        return self.open_now.get(suspicion.key)

    def last_case(self, suspicion: Suspicion) -> int | None:
        """The case that was closed last."""
        before = self.closed.get(suspicion.key, ())
        return before[-1].case_no if before else None

    def is_answered(self, suspicion: Suspicion) -> bool:
        """Whether the answers given then still answer this suspicion (design.md §5 Rules)."""
        lasting = (case for case in self.closed.get(suspicion.key, ()) if _lasts(case))
        answered = {str(line) for case in lasting for line in case.origin.get("evidence", ())}
        return suspicion.evidence <= answered


def grouped(findings: Iterable[Finding]) -> list[Suspicion]:
    """The suspicions some findings of one run are about."""
    groups: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.person_no), []).append(finding)
    return [Suspicion(rule, person_no, tuple(group)) for (rule, person_no), group in groups.items()]


def standing(suspicions: Sequence[Suspicion], reader: Viewer | None = None) -> Standing:
    """What is known of these suspicions, whoever may read it; which cases are open to `reader` beside it."""
    key_of = _keys(suspicions)
    open_now: dict[str, int] = {}
    closed: dict[str, dict[str, Earlier]] = {}
    readable: set[int] = set()
    keys = iter(key_of)
    while piece := list(islice(keys, CHUNK)):
        for case in _cases(piece, reader):
            if case.readable:
                readable.add(case.case_no)
            if not case.is_closed:
                open_now[key_of[case.key]] = case.case_no
            else:
                closed.setdefault(key_of[case.key], {})[case.key] = case
    ordered = {key: sorted(own.values(), key=lambda case: case.case_no) for key, own in closed.items()}
    return Standing(open_now, ordered, frozenset(readable))


def _cases(keys: Sequence[str], reader: Viewer | None) -> Iterator[Earlier]:
    rows = Case.objects.visible_to(EARLIER).filter(kind=KIND, key__in=keys).order_by("case_no")
    to_read = Value(False) if reader is None else Exists(Case.objects.visible_to(reader).filter(pk=OuterRef("pk")))  # noqa: FBT003 - a value
    told = rows.annotate(readable=to_read).values_list(
        "case_no", "key", "closed_at", "flow_version", "outcome", "outcome_until", "origin", "readable"
    )
    for case_no, key, closed_at, *more in told:
        yield Earlier(case_no, key, closed_at is not None, *more)


def _keys(suspicions: Sequence[Suspicion]) -> dict[str, str]:
    """Each name under which a suspicion was ever known → its name today."""
    keys = {item.key: item.key for item in suspicions}
    former: dict[int, list[int]] = {}
    for old, new in registry.merged_into({item.person_no for item in suspicions}).items():
        former.setdefault(new, []).append(old)
    for item in suspicions:
        keys |= {key_for(item.rule, old): item.key for old in former.get(item.person_no, ())}
    return keys


def _lasts(case: Earlier) -> bool:
    outcome = declared.offered_for(KIND, case.flow_version).flow.outcome(case.outcome)
    if outcome is None or outcome.mutes is Mutes.NEVER:
        return False
    expired = outcome.mutes is Mutes.UNTIL and case.outcome_until is not None and case.outcome_until < clock.today()
    return not expired
