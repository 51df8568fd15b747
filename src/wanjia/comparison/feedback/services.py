"""Giving feedback to a department, its answer, and what becomes of a dispute.

The case is locked first and its feedback after it, by everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.db import transaction

from wanjia.accounts.queries import names_of
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import JSON
from wanjia.casework.models import Case
from wanjia.casework.services import happen, locked
from wanjia.comparison import describing
from wanjia.comparison.choices import DepartmentAnswer, FeedbackState
from wanjia.comparison.documents import RunRule
from wanjia.comparison.errors import DisputeNeedsReason, FeedbackMovedOn
from wanjia.comparison.feedback import records
from wanjia.comparison.feedback.queries import ANSWER, KEEPER
from wanjia.comparison.models import Feedback, WrongRecord
from wanjia.kernel import clock
from wanjia.reference import queries as reference
from wanjia.scope.errors import NotVisible
from wanjia.scope.viewer import Viewer
from wanjia.sources.contracts import departments

DAYS = "feedback.days.answer"


def give(viewer: Viewer, cases: Sequence[Case]) -> dict[int, dict[str, JSON]]:
    """Tell the records' departments what the county decided about them; facts for each case's history.

    Only outcomes that say something of the record are told, and only to departments that deliver:
    the register itself has none. In the transaction of the decision; one statement for all.
    """
    told = [case for case in cases if _concerns_the_record(case)]
    if not told:
        return {}
    rules = describing.rules_by_run(case.origin["run"] for case in told if "run" in case.origin)
    today, calendar = clock.today(), reference.calendar()
    due_on = calendar.add(today, int(reference.parameter(DAYS, today)))
    warn_on = calendar.warn_day(today, due_on, float(reference.parameter("deadlines.warn_share", today)))
    given = Feedback.objects.bulk_create(
        [
            _given(viewer, case, rules.get(case.origin.get("run", 0), {}).get(case.topic), warn_on, due_on)
            for case in told
        ],
        batch_size=1_000,
    )
    return {
        item.case_no: {
            "feedback": {"number": item.pk, "department": item.department, "due_on": due_on.isoformat()}
        }
        for item in given
    }  # fmt: skip


def _concerns_the_record(case: Case) -> bool:
    outcome = case.flow.outcome(case.outcome)
    return outcome is not None and outcome.feedback and case.department in departments()


def _given(viewer: Viewer, case: Case, rule: RunRule | None, warn_on: date, due_on: date) -> Feedback:
    return Feedback(
        case_no=case.case_no, department=case.department, dataset=rule.dataset if rule else "", rule=case.topic,
        run_id=case.origin["run"] if rule else None, findings=list(case.origin.get("findings", ())),
        person_no=case.origin.get("person_no"), area_code=case.area_code, outcome=case.outcome,
        found=case.outcome_note, given_by=viewer.user_id, given_at=clock.now(), warn_on=warn_on, due_on=due_on,
    )  # fmt: skip


@transaction.atomic
def agree(*, viewer: Viewer, feedback_id: int, seen_version: int, note: str = "") -> Feedback:
    """The department says that its record is wrong: the rows are kept as such. Raises NotVisible, FeedbackMovedOn."""
    refuse_identity_numbers(note, "reason")
    feedback, case = _asked(viewer, feedback_id, seen_version)
    _answered(viewer, feedback, DepartmentAnswer.AGREE, FeedbackState.AGREED, note)
    wrong = WrongRecord.objects.bulk_create(
        WrongRecord(
            feedback=feedback, department=feedback.department, dataset=feedback.dataset, area_code=feedback.area_code,
            batch=row.batch, source_row=row.source_row, person_key=row.person_key, columns=list(row.columns),
            digest=row.digest,
        )
        for row in records.rows_behind(feedback)
    )  # fmt: skip
    facts = _facts(feedback, {"rows": [[row.batch, row.source_row] for row in wrong]})
    happen(viewer=viewer, case_no=case.case_no, code="department_agrees", note=feedback.reason, data=facts)
    return feedback


@transaction.atomic
def dispute(*, viewer: Viewer, feedback_id: int, seen_version: int, reason: str) -> Feedback:
    """The department says that its record is right: the case goes back to its county's desk, closed or not.

    Raises NotVisible, FeedbackMovedOn, DisputeNeedsReason.
    """
    refuse_identity_numbers(reason, "reason")
    if not reason.strip():
        raise DisputeNeedsReason
    feedback, case = _asked(viewer, feedback_id, seen_version)
    code = _way_back(case)
    state = FeedbackState.LIFTED if code == "department_objects" else FeedbackState.DISPUTED
    _answered(viewer, feedback, DepartmentAnswer.DISPUTE, state, reason)
    happen(viewer=viewer, case_no=case.case_no, code=code, note=feedback.reason, data=_facts(feedback, {}))
    return feedback


def stand_by(viewer: Viewer, case: Case) -> dict[str, object]:
    """The county looked at the dispute and stands by its finding; the reason is in the case's history."""
    return _settle(viewer, case, [FeedbackState.DISPUTED], FeedbackState.STOOD_BY)


def lift(viewer: Viewer, case: Case) -> dict[str, object]:
    """The finding is taken back: what a department was told of it, and what it agreed to, no longer stands."""
    standing = [state for state in FeedbackState if state != FeedbackState.LIFTED]
    return _settle(viewer, case, standing, FeedbackState.LIFTED)


def _asked(viewer: Viewer, feedback_id: int, seen_version: int) -> tuple[Feedback, Case]:
    """The feedback and its case, both locked, still as this person saw them."""
    case = locked(Feedback.objects.get_visible(viewer, action=ANSWER, pk=feedback_id).case_no)
    rows = Feedback.objects.visible_to(viewer, ANSWER).select_for_update(of=("self",))
    feedback = rows.filter(pk=feedback_id).first()
    if feedback is None:
        raise NotVisible(kind="feedback")
    if feedback.state != FeedbackState.GIVEN or feedback.version != seen_version:
        raise _moved_on(feedback)
    return feedback, case


def _moved_on(feedback: Feedback) -> FeedbackMovedOn:
    by = feedback.settled_by or feedback.answered_by or feedback.given_by
    at = feedback.settled_at or feedback.answered_at or feedback.given_at
    return FeedbackMovedOn(
        number=feedback.pk,
        by=names_of([by]).get(by, ""),
        at=at.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M"),
        state=feedback.get_state_display(),
    )


def _answered(viewer: Viewer, feedback: Feedback, answer: DepartmentAnswer, state: FeedbackState, reason: str) -> None:
    feedback.answer, feedback.state, feedback.reason = answer, state, reason.strip()
    feedback.answered_by, feedback.answered_at = viewer.user_id, clock.now()
    feedback.version += 1
    feedback.save(update_fields=["answer", "state", "reason", "answered_by", "answered_at", "version"])


def _way_back(case: Case) -> str:
    """How the dispute reaches the county: off the city's desk, out of the closed cases, or not at all.

    While the same suspicion is open in a newer case it is being looked at already.
    """
    if case.closed_at is None:
        return "department_disputes"
    again = Case.objects.visible_to(KEEPER).filter(kind=case.kind, key=case.key, closed_at=None)
    return "department_objects" if again.exists() else "department_takes_up"


def _facts(feedback: Feedback, more: Mapping[str, JSON]) -> dict[str, JSON]:
    return {"feedback": feedback.pk, "department": feedback.department, "dataset": feedback.dataset, **more}


def _settle(viewer: Viewer, case: Case, states: Sequence[FeedbackState], into: FeedbackState) -> dict[str, object]:
    """Bring what was said of the case's records in line with the county's, or the sample's, new word."""
    rows = Feedback.objects.visible_to(KEEPER).select_for_update(of=("self",)).filter(case_no=case.case_no)
    found = list(rows.filter(state__in=states))
    for feedback in found:
        feedback.state, feedback.settled_by, feedback.settled_at = into, viewer.user_id, clock.now()
        feedback.version += 1
        feedback.save(update_fields=["state", "settled_by", "settled_at", "version"])
    return {"feedback": {"number": found[0].pk, "state": str(into)}} if found else {}
