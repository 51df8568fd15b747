"""Many cases spread over an office's people in one act: by responsibility, then workload (domain.md §6.1, step 6).

A household's cases go to one person, for one visit answers them. The household's contact comes
first, then whoever is of its village, then of its township; among equals whoever has least open.
A contact is given nobody's household but his own ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.db import transaction

from wanjia.accounts import queries as accounts
from wanjia.accounts.queries import Holder
from wanjia.casework import declared, guards, queries
from wanjia.casework.choices import Bar
from wanjia.casework.errors import ActionNotOffered, PlanChanged
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.rules import Action, Answer
from wanjia.casework.services.bulk import SHOWN, BulkMover, BulkResult, confirmed, picked, require_bulk, require_moved
from wanjia.scope.viewer import Viewer

Pair = tuple[int, int]  # user, case number


@dataclass(frozen=True, slots=True)
class Share:
    """What one person would get: of his own households, of his village, and beside how many he has open."""

    user_id: int
    name: str
    cases: tuple[int, ...]
    as_contact: int
    in_village: int
    before: int

    @property
    def after(self) -> int:
        """How many he would have open then."""
        return self.before + len(self.cases)


@dataclass(frozen=True, slots=True)
class Refused:
    """Cases one person may not be given, for one reason."""

    name: str
    bar: Bar
    cases: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would get how many, who may not be given what, and what stays for which reason."""

    count: int
    shares: Sequence[Share]
    refused: Sequence[Refused]
    skipped: Mapping[str, int]
    left: Mapping[str, Sequence[int]]

    @property
    def moving(self) -> int:
        """How many cases would be given to somebody."""
        return sum(len(share.cases) for share in self.shares)

    @property
    def digest(self) -> str:
        """Names the plan, so that what is carried out is what was shown."""
        lines = (f"{share.user_id}:{','.join(map(str, share.cases))}" for share in self.shares)
        return hashlib.sha256(";".join(lines).encode()).hexdigest()[:32]


def plan_spread(viewer: Viewer, case_filter: CaseFilter, action: str) -> Plan:
    """How the filter's cases would be spread now; changes nothing."""
    rows = queries.matching(viewer, case_filter).filter(closed_at=None)
    numbers = list(rows.order_by("case_no").values_list("case_no", flat=True))
    return _planned(_mover(viewer, action, dry=True), numbers)


@transaction.atomic
def spread(  # noqa: PLR0913 - what was confirmed, and what is said
    *,
    viewer: Viewer,
    action: str,
    case_filter: CaseFilter,
    expected_count: int,
    digest: str,
    seen: str = "",
    answer: Answer | None = None,
) -> BulkResult:
    """Give the filter's cases to the people the plan names, under one audit entry.

    Raises CountChanged, CasesChanged and PlanChanged if the cases, the people or their workload are
    no longer those that were shown; NotInBulk, AnswerIncomplete, DeadlineUnusable.
    """
    numbers = confirmed(viewer, case_filter, expected_count, seen)
    plan = _planned(_mover(viewer, action, dry=True), numbers)
    if plan.digest != digest:
        raise PlanChanged(moving=plan.moving, people=len(plan.shares))
    mover = _mover(viewer, action)
    for share in plan.shares:
        mover.answer = replace(answer or Answer(), assignee=share.user_id)
        mover.move(share.cases)
    if not mover.done:
        raise ActionNotOffered(case_no="-", action=action, step=case_filter.step or "-")
    require_moved(mover, plan.moving)
    mover.record({"filter": case_filter.as_dict(), "people": len(plan.shares)})
    return replace(mover.result(), skipped=plan.skipped)


def _mover(viewer: Viewer, action: str, *, dry: bool = False) -> BulkMover:
    return BulkMover(viewer=viewer, answer=Answer(), choose=partial(picked, action), dry=dry)


def _planned(mover: BulkMover, numbers: Sequence[int]) -> Plan:
    free = mover.free_cases(numbers)
    if not free:
        return Plan(len(numbers), (), (), dict(mover.skipped), _some(mover))
    people = _People([case for case, _ in free], free[0][1])
    own: dict[int, list[tuple[Case, Holder]]] = {}
    for group in _by_household([case for case, _ in free]):
        for case, holder in people.givens(group):
            if holder is None:
                mover.skip(case.case_no, Bar.NOBODY.value)
            else:
                own.setdefault(holder.user_id, []).append((case, holder))
    shares = [people.share(user_id, given) for user_id, given in own.items()]
    shares.sort(key=lambda share: (-len(share.cases), share.name, share.user_id))
    return Plan(len(numbers), shares, people.refused(), dict(mover.skipped), _some(mover))


def _some(mover: BulkMover) -> Mapping[str, Sequence[int]]:
    return {reason: tuple(numbers[:SHOWN]) for reason, numbers in mover.left.items()}


def _by_household(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """The cases of one household together, the most urgent households first."""
    groups: dict[tuple[str, int], list[Case]] = {}
    for case in sorted(cases, key=lambda case: (case.due_on, case.area_code, case.household_no or 0, case.case_no)):
        key = ("household", case.household_no) if case.household_no is not None else ("case", case.case_no)
        groups.setdefault(key, []).append(case)
    yield from groups.values()


class _People:
    """Everybody the cases could be given to, with what speaks for and against each; asked once for all cases."""

    def __init__(self, cases: Sequence[Case], action: Action) -> None:
        require_bulk(action, Answer(assignee=0, reason="-"))
        following = [after for after in cases[0].flow.step(action.to).actions if not after.goes_back]
        self._places = guards.places_of(cases)
        areas = frozenset[str]().union(*self._places.values())
        self._at = accounts.holders_by_area(following[0].permission, areas)
        self._names = {item.user_id: item.name for own in self._at.values() for item in own}
        self._bars: dict[Pair, Bar] = {}
        for after in following:
            for pair, bar in guards.personal_bars(self._names, after, cases).items():
                self._bars.setdefault(pair, bar)
        offered = declared.offered_for(cases[0].kind, cases[0].flow_version)
        self._contacts = frozenset(offered.callbacks.responsible(list(self._names), cases))
        self._before = queries.open_by_person(self._names)
        self._load = Counter(self._before)

    def givens(self, group: Sequence[Case]) -> Iterator[tuple[Case, Holder | None]]:
        """Whom each case of a household goes to: one person for all if somebody may take them all."""
        fit = [self._fit(case) for case in group]
        shared = set.intersection(*({holder.user_id for holder in own} for own in fit))
        together = [holder for holder in fit[0] if holder.user_id in shared]
        if together:
            best = self._best(together, group)
            yield from ((case, best) for case in group)
        else:
            yield from ((case, self._best(own, [case])) for case, own in zip(group, fit, strict=True))

    def _best(self, able: Sequence[Holder], cases: Sequence[Case]) -> Holder | None:
        """The contact, the nearest post, the least work."""

        def rank(holder: Holder) -> tuple[bool, int, int, int]:
            contact = any(self.is_contact(holder, case) for case in cases)
            return (not contact, -len(holder.area_code), self._load[holder.user_id], holder.user_id)

        best = min(able, key=rank, default=None)
        if best is not None:
            self._load[best.user_id] += len(cases)
        return best

    def is_contact(self, holder: Holder, case: Case) -> bool:
        """Whether he looks after what the case is about."""
        return (holder.user_id, case.case_no) in self._contacts

    def share(self, user_id: int, given: Sequence[tuple[Case, Holder]]) -> Share:
        """What somebody gets, in figures."""
        contact = [self.is_contact(holder, case) for case, holder in given]
        village = [holder.area_code == case.area_code for case, holder in given]
        return Share(
            user_id=user_id,
            name=self._names[user_id],
            cases=tuple(sorted(case.case_no for case, _ in given)),
            as_contact=sum(contact),
            in_village=sum(at and not his for at, his in zip(village, contact, strict=True)),
            before=self._before.get(user_id, 0),
        )

    def refused(self) -> list[Refused]:
        """By person and reason, how many of the cases he may not be given."""
        tally = Counter((user_id, bar) for (user_id, _), bar in self._bars.items())
        return [Refused(self._names[user_id], bar, n) for (user_id, bar), n in sorted(tally.items())]

    def _fit(self, case: Case) -> list[Holder]:
        """Who may be given the case; not whoever has just had it."""
        able = {item.user_id: item for area in sorted(self._places[case.case_no]) for item in self._at.get(area, ())}
        return [
            holder
            for holder in able.values()
            if (holder.user_id, case.case_no) not in self._bars
            and holder.user_id != case.assignee_id
            and (not holder.of_own_households or self.is_contact(holder, case))
        ]
