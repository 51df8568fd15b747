"""One act over all cases a filter holds (design.md §5: this saved filter, this expected count)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Substr

from wanjia.audit.rules import holds_identity_number
from wanjia.audit.services import JSON, Kind
from wanjia.casework import counters, declared, guards, queries
from wanjia.casework.choices import SEAT_LENGTH, Bar, Need, Seat, in_words
from wanjia.casework.declared import Reexamined
from wanjia.casework.errors import (
    ActionNotOffered,
    AnswerIncomplete,
    CasesChanged,
    CountChanged,
    NotInBulk,
    NumberInText,
    WhyNotOffered,
)
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.rules import Action, Answer, Flow, Step, seat_area
from wanjia.casework.services import holdings
from wanjia.casework.services.acting import for_whom
from wanjia.casework.services.moves import Act, Moved, dates_for, enter, in_chunks
from wanjia.casework.services.returning import asks_place, require_place, why_told
from wanjia.scope.viewer import Viewer

NOT_IN_STEP = "not_in_step"
SHOWN = 20  # of the cases that stay, by reason
UNREAD = ("origin", "proposal", "proposal_sealed", "outcome_note", "outcome_until", "opened_at", "step_entered_at")
SHARED_FIELDS = ("step", "step_entered_at", "warn_on", "due_on", "alarm", "raised_to", "closed_at")


@dataclass(frozen=True, slots=True)
class BulkResult:
    """How many cases moved, to how many desks, and how many were skipped for which reason.

    Reasons are values of `Bar`, or `not_in_step` for cases that offer no such action now.
    """

    done: int
    skipped: Mapping[str, int]
    by_desk: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Destination:
    """A desk cases would go to: from which villages, and what lies there already if the viewer oversees it."""

    area: str
    cases: int
    villages: Sequence[tuple[str, int]]
    open: int | None
    overdue: int | None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a bulk act would do: how many cases to which desks, and what stays for which reason.

    `left` gives for each reason some of the case numbers; `skipped` how many there are. `seen`
    names the cases as they stand, so that what is done is done to them.
    """

    count: int
    seen: str
    moving: int
    destinations: Sequence[Destination]
    skipped: Mapping[str, int]
    left: Mapping[str, Sequence[int]]

    @property
    def stay(self) -> int:
        """How many stay where they are."""
        return self.count - self.moving


def foresee(viewer: Viewer, case_filter: CaseFilter, action: str) -> Foreseen:
    """The preview of a bulk act, by the same guards; changes nothing and asks no rule again."""
    rows = list(_open_in(viewer, case_filter))
    numbers = [number for number, _ in rows]
    mover = BulkMover(viewer=viewer, answer=Answer(), choose=partial(picked, action), dry=True)
    desks: dict[str, Counter[str]] = {}
    for case, chosen in mover.free_cases(numbers):
        desk = seat_area(case.area_code, case.flow.step(chosen.to).seat)
        desks.setdefault(desk, Counter())[case.area_code[: SEAT_LENGTH[Seat.VILLAGE]]] += 1
    lying = queries.lying_at(viewer, desks)
    destinations = [
        Destination(desk, sum(villages.values()), sorted(villages.items()), *lying.get(desk, (None, None)))
        for desk, villages in sorted(desks.items())
    ]
    moving = sum(item.cases for item in destinations)
    left = {reason: tuple(own[:SHOWN]) for reason, own in mover.left.items()}
    return Foreseen(len(numbers), _named(rows), moving, destinations, dict(mover.skipped), left)


@transaction.atomic
def act_in_bulk(  # noqa: PLR0913 - what was confirmed, and what is said
    *,
    viewer: Viewer,
    action: str,
    case_filter: CaseFilter,
    expected_count: int,
    expected_moving: int | None = None,
    seen: str = "",
    answer: Answer | None = None,
) -> BulkResult:
    """Perform `action` on every case the filter holds for this viewer, in one transaction.

    Cases he may not act on are skipped and counted by reason; the others move together under
    one audit entry per flow version, all or none. Raises CountChanged if the filter holds another
    number than he confirmed, or another number could move; CasesChanged if they are not as he saw
    them; NotInBulk, AnswerIncomplete, DeadlineUnusable.
    """
    answer = answer or Answer()
    numbers = confirmed(viewer, case_filter, expected_count, seen)
    mover = BulkMover(viewer=viewer, answer=answer, choose=partial(picked, action))
    mover.move(numbers)
    if not mover.offered:
        raise ActionNotOffered(case_no="-", action=action, step=case_filter.step or "-")
    require_moved(mover, expected_moving)
    mover.record({"filter": case_filter.as_dict()})
    return mover.result()


def require_moved(mover: BulkMover, expected: int | None) -> None:
    """All that was shown as going, or nothing. Raises CountChanged."""
    if expected is not None and mover.done != expected:
        raise CountChanged(expected=expected, found=mover.done)


def picked(action: str, case: Case) -> Action | None:
    """The action as a person may choose it."""
    found = case.flow.action(case.step, action)
    return None if found is None or guards.unpicked(found) else found


def confirmed(viewer: Viewer, case_filter: CaseFilter, expected: int, seen: str = "") -> list[int]:
    """The numbers of the open cases in the filter, their rows locked until the transaction ends.

    Raises CountChanged if they are not as many as were confirmed, CasesChanged if they are others
    than those `seen` names, or have been acted upon since.
    """
    rows = list(_open_in(viewer, case_filter).select_for_update(of=("self",)))
    if len(rows) != expected:
        raise CountChanged(expected=expected, found=len(rows))
    if seen and _named(rows) != seen:
        raise CasesChanged(n=len(rows))
    return [number for number, _ in rows]


def _read(numbers: Sequence[int], *, whole: bool = False) -> list[Case]:
    """The locked cases. Few acts look at what was found or is proposed, and reading that is a third of the work."""
    rows = Case.objects.for_writing().filter(case_no__among=numbers).order_by("case_no")
    return list(rows if whole else rows.defer(*UNREAD))


def _open_in(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[Case, tuple[int, int]]:
    rows = queries.matching(viewer, case_filter).filter(closed_at=None).order_by("case_no")
    return rows.values_list("case_no", "version")


def _named(rows: Iterable[tuple[int, int]]) -> str:
    lines = ";".join(f"{number}:{version}" for number, version in rows)
    return hashlib.sha256(lines.encode()).hexdigest()[:32]


class BulkMover:
    """Moves cases in pieces and keeps the tally; `choose` names the action for each case."""

    def __init__(
        self, *, viewer: Viewer, answer: Answer, choose: Callable[[Case], Action | None], dry: bool = False
    ) -> None:
        self.viewer, self.answer, self.choose, self.dry = viewer, answer, choose, dry
        self.left: dict[str, list[int]] = {}  # reason → the cases that stay
        self.acts: dict[tuple[str, int, str], Act] = {}
        self.skipped: Counter[str] = Counter()
        self.by_desk: Counter[str] = Counter()
        self.offered = 0
        self.reexamined: dict[int, Reexamined] = {}  # asked once for each case, however often it is looked at

    def move(self, numbers: Sequence[int]) -> None:
        """Act on these cases, whose rows the caller has locked."""
        for piece in in_chunks(numbers):
            for action, step, group in self._groups(_read(piece)):
                self._move_group(action, step, group)

    def only_free(self, numbers: Sequence[int]) -> list[int]:
        """Those of the locked cases that the chosen action could move; the others are tallied as skipped."""
        return sorted(case.case_no for case, _ in self.free_cases(numbers))

    def free_cases(self, numbers: Sequence[int]) -> list[tuple[Case, Action]]:
        """The same, each with its action."""
        free: list[tuple[Case, Action]] = []
        for piece in in_chunks(numbers):
            for action, _, group in self._groups(_read(piece)):
                free += [(case, action) for case in self._free(action, group)]
        self._reexamine(free)
        return free

    def _groups(self, cases: Sequence[Case]) -> Iterator[tuple[Action, str, list[Case]]]:
        groups: dict[tuple[str, int, str, str], tuple[Action, list[Case]]] = {}
        for case in cases:
            action = self.choose(case)
            if action is None:
                self.skip(case.case_no, NOT_IN_STEP)
                continue
            self.offered += 1
            groups.setdefault((case.kind, case.flow_version, case.step, action.code), (action, []))[1].append(case)
        for (_, _, step, _), (action, group) in groups.items():
            whole = action.reexamines or action.applies
            yield action, step, _read([case.case_no for case in group], whole=True) if whole else group

    def _move_group(self, action: Action, step: str, group: list[Case]) -> None:
        require_bulk(action, self.answer)
        for case in group if asks_place(action, self.answer) else ():
            require_place(case, action, self.answer)
        free = self._free(action, group)
        if not free:
            return
        self._reexamine([(case, action) for case in free])
        flow = free[0].flow
        act = self._act(flow, action)
        target = flow.step(action.to)
        dates = dates_for(target, self.answer.due_on)
        moved: list[Moved] = []
        kept = self._kept(action, free)
        for case in free:
            desk = counters.desk_of(case)
            if Need.ASSIGNEE in action.needs:
                case.assignee_id = self.answer.assignee
            if action.goes_back:
                case.outcome, case.outcome_note, case.outcome_until = "", "", None
                case.propose(None)
            enter(case, target, dates, act.at)
            case.version += 1
            moved.append((step, desk, case))
        self._save(free, step, action, target)
        facts = self._applied(action, free)
        act.write(
            moved,
            note=self.answer.reason,
            data=({"assignee": self.answer.assignee} if self.answer.assignee else {}) | why_told(action, self.answer),
            of_case={case.case_no: {**kept[case.case_no], **facts.get(case.case_no, {})} for case in free},
        )
        self.by_desk.update(case.holder_area for case in free)

    def _free(self, action: Action, group: Sequence[Case]) -> list[Case]:
        """Those of the group this viewer may act on, and whom the assignee may take."""
        turn = guards.seat_bars(self.viewer, group, group[0].at, action)
        reasons = guards.bars(self.viewer, action, group) | turn
        if Need.ASSIGNEE in action.needs and self.answer.assignee is not None:
            for case_no, bar in queries.assignee_bars_over(group, action, self.answer.assignee).items():
                reasons.setdefault(case_no, bar)
        if action.applies:  # what changes the registry is looked at one by one
            for case in group:
                if case.proposal or case.outcome in action.settles:
                    reasons.setdefault(case.case_no, Bar.PROPOSES)
        for number, why in reasons.items():
            self.skip(number, why.value)
        return [case for case in group if case.case_no not in reasons]

    def skip(self, number: int, reason: str) -> None:
        """A case stays, for this reason."""
        self.skipped[reason] += 1
        self.left.setdefault(reason, []).append(number)

    def _reexamine(self, free: Sequence[tuple[Case, Action]]) -> None:
        """Ask the rules again, once for all: the records are read through once, however many the cases."""
        if self.dry:
            return
        unasked = [(case, action) for case, action in free if case.case_no not in self.reexamined]
        if unasked:
            self.reexamined |= guards.reexamined(unasked)

    def _applied(self, action: Action, cases: Sequence[Case]) -> Mapping[int, Mapping[str, JSON]]:
        if not action.applies:
            return {}
        callbacks = declared.offered_for(cases[0].kind, cases[0].flow_version).callbacks
        return callbacks.apply_together(viewer=self.viewer, cases=cases, action=action)

    def _kept(self, action: Action, cases: Sequence[Case]) -> dict[int, dict[str, JSON]]:
        """What each case's history keeps besides: in whose name, and what asking again has found."""
        told: dict[int, dict[str, JSON]] = {
            number: for_whom(principal)
            for number, principal in guards.stand_ins(self.viewer, cases, cases[0].at, action).items()
        }
        for number in told if action.reexamines else ():
            if (found := self.reexamined.get(number)) is not None:
                told[number]["reexamined"] = found.as_data()
        return told

    def _save(self, cases: Sequence[Case], came_from: str, action: Action, target: Step) -> None:
        """One statement for the group: its cases differ only in their areas."""
        first = cases[0]
        values: dict[str, Any] = {name: getattr(first, name) for name in SHARED_FIELDS}
        if Need.ASSIGNEE in action.needs:
            values["assignee_id"] = first.assignee_id
        if action.goes_back:
            values |= {
                "outcome": "",
                "outcome_note": "",
                "outcome_until": None,
                "proposal": None,
                "proposal_sealed": None,
            }
        holder = F("assignee_id") if target.seat is Seat.PERSON else None
        changed = (
            Case.objects.for_writing()
            .filter(case_no__among=[case.case_no for case in cases], step=came_from)
            .update(
                holder_area=Substr("area_code", 1, SEAT_LENGTH[target.seat]),
                holder_user_id=values.get("assignee_id", holder) if holder is not None else None,
                version=F("version") + 1,
                **values,
            )
        )
        if changed != len(cases):  # the rows are locked, so this is a fault of ours
            raise RuntimeError(f"{len(cases)} cases were to move, {changed} did")
        closed = [case.case_no for case in cases if case.closed_at is not None]
        if closed:
            holdings.end(closed)
        elif Need.ASSIGNEE in action.needs:
            holdings.end([case.case_no for case in cases])
            holdings.begin(cases)

    def _act(self, flow: Flow, action: Action) -> Act:
        key = (flow.kind, flow.version, action.code)
        return self.acts.setdefault(key, Act(self.viewer, flow, action.code, Kind(action.record)))

    def record(self, content: Mapping[str, JSON]) -> None:
        """One audit entry for each flow version and action that moved anything."""
        for act in self.acts.values():
            act.record(content={"n": len(act.digests), **content})

    @property
    def done(self) -> int:
        """How many moved so far."""
        return sum(self.by_desk.values())

    def result(self) -> BulkResult:
        """The tally so far."""
        return BulkResult(self.done, dict(self.skipped), dict(sorted(self.by_desk.items())))


def require_bulk(action: Action, answer: Answer) -> None:
    """Refuse actions that need an answer for each case, and answers that lack a part."""
    if not action.bulk:
        raise NotInBulk(action=action.title)
    if holds_identity_number(answer.reason):
        raise NumberInText(case_no="-")
    if answer.why and action.whys and action.why(answer.why) is None:
        raise WhyNotOffered(case_no="-", why=answer.why)
    missing = []
    if Need.ASSIGNEE in action.needs and answer.assignee is None:
        missing.append(Need.ASSIGNEE)
    if Need.WHY in action.needs and not answer.why:
        missing.append(Need.WHY)
    if asks_place(action, answer) and not answer.place:
        missing.append(Need.PLACE)
    if Need.REASON in action.needs and not answer.reason.strip():
        missing.append(Need.REASON)
    if missing:
        raise AnswerIncomplete(case_no="-", missing=in_words(missing))
