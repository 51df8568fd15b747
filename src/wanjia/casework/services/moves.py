"""What every act on cases shares: the new state, the history rows, the counters, the audit entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from wanjia.audit import services as audit_services
from wanjia.casework import counters, events
from wanjia.casework.choices import Alarm, Seat
from wanjia.casework.errors import DeadlineUnusable
from wanjia.casework.models import Case, CaseEvent, payload_of
from wanjia.casework.rules import Flow, Step, common_area, seat_area
from wanjia.kernel import clock
from wanjia.reference import queries as reference
from wanjia.scope import bulk
from wanjia.scope.viewer import Viewer

OPENED = "open"
RAISED = "raise"
WARNED = "warn"


@dataclass(frozen=True, slots=True)
class Dates:
    """When a step turns yellow and when it is due."""

    warn_on: date | None
    due_on: date | None


def dates_for(step: Step, chosen: date | None = None) -> Dates:
    """The dates of a step entered today; `chosen` replaces the usual deadline.

    Raises DeadlineUnusable for a chosen day that is past, no working day, or too far ahead.
    """
    if step.terminal:
        return Dates(None, None)
    today, calendar = clock.today(), reference.calendar()
    last = today + timedelta(days=int(reference.parameter("deadlines.days_at_most", today)))
    if chosen is None:
        due_on = calendar.add(today, int(reference.parameter(step.days_parameter, today)))
    elif not today < chosen <= last or not calendar.is_working_day(chosen):
        raise DeadlineUnusable(due_on=chosen.isoformat(), last=last.isoformat())
    else:
        due_on = chosen
    share = float(reference.parameter("deadlines.warn_share", today))
    return Dates(calendar.warn_day(today, due_on, share), due_on)


def enter(case: Case, step: Step, dates: Dates, at: datetime) -> None:
    """Put a case into a step: on whose desk, until when. The caller saves it."""
    case.step = step.code
    case.step_entered_at = at
    case.holder_area = seat_area(case.area_code, step.seat)
    case.holder_user_id = case.assignee_id if step.seat is Seat.PERSON else None
    case.warn_on, case.due_on = dates.warn_on, dates.due_on
    case.alarm, case.raised_to = Alarm.NONE, ""
    case.closed_at = at if step.terminal else None


Moved = tuple[str, counters.Desk | None, Case]  # the step and the desk a case came from, and the case as it is now

MOVED_FIELDS = (
    "step", "step_entered_at", "holder_area", "holder_user_id", "assignee_id", "warn_on", "due_on", "alarm",
    "raised_to", "closed_at", "area_code", "outcome", "outcome_note", "outcome_until", "proposal",
    "proposal_sealed", "version",
)  # fmt: skip
EVENT_FIELDS = tuple(field.name for field in CaseEvent._meta.concrete_fields if not field.primary_key)


@dataclass(slots=True)
class Act:
    """One act over one or many cases, written down as it goes and recorded at its end.

    Every row of history carries the act's `event_id` and a salt of its own; `record` commits to
    the root over them, in the order they were written, and writes what the act adds to the counters:
    one row for each counter, however many cases moved.
    """

    viewer: Viewer
    flow: Flow
    action: str
    kind: audit_services.Kind
    at: datetime = field(default_factory=clock.now)
    event_id: UUID = field(default_factory=uuid4)
    digests: list[bytes] = field(default_factory=list)
    areas: set[str] = field(default_factory=set)
    tally: counters.Tally = field(default_factory=counters.Tally)
    _closed: list[events.CaseClosed] = field(default_factory=list)

    def write(
        self,
        moved: Sequence[Moved],
        note: str = "",
        data: Mapping[str, Any] | None = None,
        of_case: Mapping[int, Mapping[str, Any]] | None = None,
        notes: Mapping[int, str] | None = None,
    ) -> None:
        """Append history for cases just moved, and tally them for the counters.

        `note` and `data` stand in every row, `notes` and `of_case` are a single case's own.
        """
        own = of_case or {}
        rows = [(came_from, case, {**(data or {}), **own.get(case.case_no, {})}) for came_from, _, case in moved]
        self.note_many(rows, note, notes)
        today = clock.day_of(self.at)
        self.tally.shift(
            before=(desk for _, desk, _ in moved),
            after=(counters.desk_of(case) for _, _, case in moved),
            moves=(counters.move_of(case, self.action, today) for _, _, case in moved),
        )
        self._closed += [_closing(case) for _, _, case in moved if case.closed_at is not None]

    def note_many(
        self,
        rows: Sequence[tuple[str, Case, Mapping[str, Any]]],
        note: str = "",
        notes: Mapping[int, str] | None = None,
    ) -> None:
        """Append history without moving anything: what the clock says of a step."""
        written = [
            self._row(came_from, case, (notes or {}).get(case.case_no, note), data) for came_from, case, data in rows
        ]
        bulk.insert(CaseEvent, {name: [row[name] for row in written] for name in EVENT_FIELDS})

    def _row(self, came_from: str, case: Case, note: str, data: Mapping[str, Any]) -> dict[str, Any]:
        row = {
            "case": case.case_no, "version": case.version, "at": self.at, "by_user": self.viewer.user_id,
            "by_system": self.viewer.system, "action": self.action, "from_step": came_from, "to_step": case.step,
            "holder_area": case.holder_area, "holder_user_id": case.holder_user_id, "due_on": case.due_on,
            "outcome": case.outcome, "note": note, "data": data, "area_code": case.area_code,
            "event_id": self.event_id,
        }  # fmt: skip
        line = audit_services.detail(payload_of(row))
        row["salt"] = line.salt
        self.digests.append(line.digest)
        self.areas.add(case.area_code)
        return row

    def record(self, *, case: Case | None = None, content: Mapping[str, audit_services.JSON] | None = None) -> None:
        """Commit to everything written, in the running transaction, and announce what closed."""
        self.tally.write()
        audit_services.record(
            self.kind,
            viewer=self.viewer,
            area=common_area(self.areas),
            act=f"{self.flow.kind}.{self.action}",
            subject=None if case is None else ("case", case.case_no),
            content={"flow": f"{self.flow.kind}/{self.flow.version}", **(content or {})},
            details=self.digests,
            event_id=self.event_id,
        )
        events.announce_closed(self._closed)


def _closing(case: Case) -> events.CaseClosed:
    return events.CaseClosed(case.kind, case.case_no, case.topic, case.household_no, case.outcome)


def in_chunks(numbers: Sequence[int], size: int = 2_000) -> Iterable[Sequence[int]]:
    """The numbers in pieces a statement can name."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))
