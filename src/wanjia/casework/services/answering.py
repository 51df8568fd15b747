"""Many answers at once, each with what it says: from a filled sheet, or from one visit to a household.

Every answer passes the guards of the case page: whose turn it is, who must not act, what the
action needs, what the flow's callbacks refuse. What passes moves together under one audit entry;
each refusal stands beside its answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from wanjia.accounts import queries as accounts
from wanjia.audit.services import JSON, Kind
from wanjia.casework import counters, declared, guards
from wanjia.casework.choices import BAR_SENTENCES, SEAT_LENGTH, Bar, Need, Seat
from wanjia.casework.errors import (
    AnsweredTwice,
    CaseClosedAlready,
    CaseMovedOn,
    NothingToAnswer,
    NotYours,
)
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.rules import Action, Answer, Step
from wanjia.casework.services import holdings
from wanjia.casework.services.acting import for_whom, require_answer, said, take
from wanjia.casework.services.bulk import SHARED_FIELDS
from wanjia.casework.services.moves import Act, Moved, dates_for, enter, in_chunks
from wanjia.files import queries as files
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.errors import NotVisible
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

PIECE = 2_000


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one case, as seen in `version`; `row` is where the person finds it again."""

    row: int
    case_no: int
    version: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Judged:
    """A reply with the case it is about and the action it performs, or why it is not taken."""

    reply: Reply
    case: Case | None = None
    action: Action | None = None
    refusal: Refusal | None = None


def judge(viewer: Viewer, replies: Sequence[Reply], *, lock: bool = False) -> list[Judged]:
    """What would become of each reply now, in their order; changes nothing."""
    return _Judge(viewer, replies, lock=lock).judged()


@transaction.atomic
def answer_many(*, viewer: Viewer, replies: Sequence[Reply], content: Mapping[str, JSON] | None = None) -> list[Judged]:
    """Act on every case whose reply is good, under one audit entry for each flow version and action.

    The others stay as they are and come back with their refusal.
    """
    judged = _Judge(viewer, replies, lock=True).judged()
    mover = _Mover(viewer)
    good = [item for item in judged if item.refusal is None]
    for start in range(0, len(good), PIECE):
        mover.move(good[start : start + PIECE])
    mover.record(content or {})
    return judged


def asking(case: Case) -> Action | None:
    """The action of the case's present step that asks for an answer of its own; None if it has none."""
    return next((action for action in case.at.actions if action.asks), None)


class _Judge:
    """The guards of the case page, asked for all replies together."""

    def __init__(self, viewer: Viewer, replies: Sequence[Reply], *, lock: bool) -> None:
        self._viewer, self._replies = viewer, replies
        self._cases = self._fetched({reply.case_no for reply in replies}, lock=lock)
        self._refusals: dict[int, Refusal] = {}  # by place among the replies

    def judged(self) -> list[Judged]:
        self._refuse_repeated()
        self._refuse_moved_on()
        self._refuse_barred()
        self._refuse_incomplete()
        found = []
        for at, reply in enumerate(self._replies):
            case = self._cases.get(reply.case_no)
            action = asking(case) if case is not None and case.closed_at is None else None
            found.append(Judged(reply, case, action, self._refusals.get(at)))
        return found

    def _fetched(self, numbers: set[int], *, lock: bool) -> dict[int, Case]:
        found: dict[int, Case] = {}
        for piece in in_chunks(sorted(numbers)):
            rows = Case.objects.visible_to(self._viewer).filter(case_no__in=piece).order_by("case_no")
            found |= {case.case_no: case for case in (rows.select_for_update(of=("self",)) if lock else rows)}
        return found

    def _open(self) -> list[tuple[int, Reply, Case]]:
        """The replies nothing was said against so far."""
        return [
            (at, reply, self._cases[reply.case_no])
            for at, reply in enumerate(self._replies)
            if at not in self._refusals
        ]

    def _refuse_repeated(self) -> None:
        rows: dict[int, list[int]] = defaultdict(list)
        for reply in self._replies:
            rows[reply.case_no].append(reply.row)
        for at, reply in enumerate(self._replies):
            if reply.case_no not in self._cases:
                self._refusals[at] = NotVisible(kind="case")
            elif len(rows[reply.case_no]) > 1:
                places = ", ".join(str(row) for row in rows[reply.case_no][:10])
                self._refusals[at] = AnsweredTwice(case_no=reply.case_no, rows=places)

    def _refuse_moved_on(self) -> None:
        late: list[tuple[int, Case]] = []
        for at, reply, case in self._open():
            if case.closed_at is not None:
                self._refusals[at] = CaseClosedAlready(case_no=case.case_no, on=clock.day_of(case.closed_at))
            elif case.version != reply.version:
                late.append((at, case))
            elif asking(case) is None:
                self._refusals[at] = NothingToAnswer(case_no=case.case_no, step=case.at.title)
        latest = _latest_moves([case.case_no for _, case in late])
        names = accounts.names_of({move[0] for move in latest.values() if move[0]})
        for at, case in late:
            by, when = latest[case.case_no]
            told = when.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M")
            self._refusals[at] = CaseMovedOn(case_no=case.case_no, by=names.get(by, _("系统")), at=told)

    def _refuse_barred(self) -> None:
        alike: dict[tuple[str, int, str], list[Case]] = defaultdict(list)
        still = self._open()
        place = {case.case_no: at for at, _reply, case in still}
        for _at, _reply, case in still:
            alike[case.kind, case.flow_version, case.step].append(case)
        for cases in alike.values():
            action, step = asking(cases[0]), cases[0].at
            assert action is not None  # noqa: S101 - refused before
            bars: dict[int, Bar] = guards.bars(self._viewer, action, cases)
            for case in cases:
                bar = guards.seat_bar(self._viewer, case, step, action) or bars.get(case.case_no)
                if bar is not None:
                    refusal = NotYours(case_no=case.case_no, bar=bar.value, because=BAR_SENTENCES[bar])
                    self._refusals[place[case.case_no]] = refusal

    def _refuse_incomplete(self) -> None:
        still = self._open()
        proofs = Proofs([case for _, _, case in still])
        for at, reply, case in still:
            action = asking(case)
            assert action is not None  # noqa: S101 - refused before
            callbacks = declared.offered_for(case.kind, case.flow_version).callbacks
            try:
                require_answer(case, action, reply.answer, has_evidence=proofs.has)
                callbacks.check(case, action, reply.answer)
            except Refusal as refusal:
                self._refusals[at] = refusal


class Proofs:
    """What was filed with each of several cases, looked up once."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._filed: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        for piece in in_chunks([case.case_no for case in cases]):
            rows = files.files_of_many(system_viewer("casework.evidence"), "case", piece)
            for owner, at, key in rows.values_list("owner_id", "stored_at", "content_key"):
                self._filed[owner].append((at, key))

    def has(self, case: Case) -> bool:
        """Whether something was filed with the case since it came to its step."""
        return any(at >= case.step_entered_at for at, _ in self._filed[case.case_no])

    def digests(self, case: Case) -> list[str]:
        """The digests of all that was filed with it."""
        return sorted(key for _, key in self._filed[case.case_no])


class _Mover:
    """Moves judged cases, in statements that each serve as many as they can."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._acts: dict[tuple[str, int, str], Act] = {}

    def move(self, piece: Sequence[Judged]) -> None:
        """Move these cases, whose rows are locked."""
        groups: dict[tuple[Any, ...], list[Judged]] = defaultdict(list)
        for item in piece:
            case, action = _of(item)
            outcome = item.reply.answer.outcome if Need.OUTCOME in action.needs else case.outcome
            groups[case.kind, case.flow_version, case.step, action.code, outcome].append(item)
        proofs = Proofs([_of(item)[0] for item in piece])
        for group in groups.values():
            self._move_alike(group, proofs)

    def _move_alike(self, group: Sequence[Judged], proofs: Proofs) -> None:
        first, action = _of(group[0])
        flow, came_from = first.flow, first.step
        key = (flow.kind, flow.version, action.code)
        act = self._acts.setdefault(key, Act(self._viewer, flow, action.code, Kind(action.record)))
        moved: list[Moved] = []
        told: dict[int, Mapping[str, Any]] = {}
        outcome = group[0].reply.answer.outcome if Need.OUTCOME in action.needs else first.outcome
        target = flow.step(action.target(outcome))
        dates = dates_for(target)
        for item in group:
            case, answer = _of(item)[0], item.reply.answer
            desk = counters.desk_of(case)
            principal = guards.stands_in(self._viewer, case, action)
            take(case, action, answer)
            told[case.case_no] = {**said(case, action, answer, evidence=proofs.digests), **for_whom(principal)}
            case.outcome = action.settles.get(case.outcome, case.outcome)
            enter(case, target, dates, act.at)
            case.version += 1
            moved.append((came_from, desk, case))
        cases = [case for _, _, case in moved]
        self._save(cases, came_from, target)
        notes = {_of(item)[0].case_no: item.reply.answer.note for item in group}
        act.write(moved, of_case=told, notes=notes)

    def _save(self, cases: Sequence[Case], came_from: str, target: Step) -> None:
        """One statement for what the cases share, one for what each says for itself."""
        first = cases[0]
        rows = Case.objects.for_writing().filter(case_no__in=[case.case_no for case in cases], step=came_from)
        changed = rows.update(
            holder_area=Substr("area_code", 1, SEAT_LENGTH[target.seat]),
            holder_user_id=F("assignee_id") if target.seat is Seat.PERSON else None,
            outcome=first.outcome,
            version=F("version") + 1,
            **{name: getattr(first, name) for name in SHARED_FIELDS},
        )
        if changed != len(cases):  # the rows are locked, so this is a fault of ours
            raise RuntimeError(f"{len(cases)} cases were to move, {changed} did")
        own = [name for name in ("outcome_note", "outcome_until") if any(getattr(case, name) for case in cases)]
        own += [name for name in ("proposal", "proposal_sealed") if any(getattr(case, name) for case in cases)]
        if own:
            Case.objects.for_writing().bulk_update(cases, own, batch_size=500)
        closed = [case.case_no for case in cases if case.closed_at is not None]
        if closed:
            holdings.end(closed)

    def record(self, content: Mapping[str, JSON]) -> None:
        """One audit entry for each flow version and action that moved anything."""
        for act in self._acts.values():
            act.record(content={"n": len(act.digests), **content})


def _of(item: Judged) -> tuple[Case, Action]:
    assert item.case is not None  # noqa: S101 - only good ones are moved
    assert item.action is not None  # noqa: S101 - as above
    return item.case, item.action


def _latest_moves(case_nos: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    """Case number → who moved it last, and when."""
    found: dict[int, tuple[int, datetime]] = {}
    for piece in in_chunks(case_nos):
        rows = CaseEvent.objects.of_many(piece).order_by("version", "-id")
        found |= {number: (by, at) for number, by, at in rows.values_list("case_id", "by_user", "at")}
    return found
