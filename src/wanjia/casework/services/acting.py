"""One person acts on one case."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from wanjia.accounts import queries as accounts
from wanjia.audit.rules import holds_identity_number
from wanjia.audit.services import JSON, Kind
from wanjia.casework import counters, declared, guards, queries
from wanjia.casework.choices import BAR_SENTENCES, Mutes, Need, in_words
from wanjia.casework.errors import (
    ActionNotOffered,
    AnswerIncomplete,
    AssigneeBarred,
    CaseMovedOn,
    NotYours,
    NumberInText,
    OutcomeNotOffered,
    UntilUnusable,
    VisitDayUnusable,
    WhyNotOffered,
)
from wanjia.casework.models import Case
from wanjia.casework.rules import Action, Answer, Outcome, Visit
from wanjia.casework.services import holdings
from wanjia.casework.services.moves import MOVED_FIELDS, Act, dates_for, enter
from wanjia.casework.services.returning import asks_place, move, require_place, why_told
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.reference import queries as reference
from wanjia.scope.errors import NotVisible
from wanjia.scope.viewer import Viewer


@transaction.atomic
def act(*, viewer: Viewer, case_no: int, action: str, seen_version: int, answer: Answer | None = None) -> Case:
    """Perform one action on one case: the new step, its deadline, history, counters, audit entry.

    `seen_version` is the version the person had before his eyes. What the flow says the action
    applies happens in the same transaction, so a verdict and its change stand or fall together.
    Raises NotVisible, CaseMovedOn, ActionNotOffered, NotYours, AnswerIncomplete,
    OutcomeNotOffered, AssigneeBarred, DeadlineUnusable, and what the flow's callbacks refuse.
    """
    answer = answer or Answer()
    case = _fetched(viewer, case_no)
    if case.version != seen_version:
        raise _moved_on(case)
    wanted = case.flow.action(case.step, action)
    if wanted is None:
        raise ActionNotOffered(case_no=case_no, action=action, step=case.at.title)
    _require_turn(viewer, case, wanted)
    require_answer(case, wanted, answer)
    callbacks = declared.offered_for(case.kind, case.flow_version).callbacks
    callbacks.check(case, wanted, answer)
    found = _reexamined(case, wanted) | for_whom(guards.stands_in(viewer, case, wanted))
    done = Act(viewer, case.flow, action, Kind(wanted.record))
    came_from, desk, holder = case.step, counters.desk_of(case), case.assignee_id
    before = case.area_code
    take(case, wanted, answer)
    if wanted.moves:
        move(case, wanted, answer)
    target = case.flow.step(wanted.target(case.outcome))
    case.outcome = wanted.settles.get(case.outcome, case.outcome)
    enter(case, target, dates_for(target, answer.due_on), done.at)
    case.version += 1
    _save(case, seen_version)
    facts: dict[str, Any] = {}
    if wanted.applies:
        facts = dict(callbacks.apply(viewer=viewer, case=case, action=wanted))
        _forget_sealed(case)
    reached("casework.applied")
    holdings.follow(case, before=holder)
    done.write(
        [(came_from, desk, case)],
        note=answer.note or answer.reason,
        data={
            **said(case, wanted, answer, evidence=queries.evidence_digests),
            **({"from_area": before} if wanted.moves else {}),
            **found,
            **facts,
        },
    )
    content: dict[str, JSON] = {"case_no": case_no, "from": came_from, "to": case.step, "outcome": case.outcome}
    done.record(case=case, content=content | ({"for": found["for"]} if "for" in found else {}))
    reached("casework.acting")
    transaction.on_commit(partial(reached, "casework.acted"))
    return case


def _fetched(viewer: Viewer, case_no: int) -> Case:
    """The case under a row lock, so that whoever comes second sees what the first one did."""
    case = Case.objects.visible_to(viewer).select_for_update(of=("self",)).filter(case_no=case_no).first()
    if case is None:
        raise NotVisible(kind="case")
    return case


def _moved_on(case: Case) -> CaseMovedOn:
    latest = queries.last_move(case)
    names = accounts.names_of([latest.by_user])
    at = latest.at.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M")
    return CaseMovedOn(case_no=case.case_no, by=names.get(latest.by_user, _("系统")), at=at)


def _require_turn(viewer: Viewer, case: Case, action: Action) -> None:
    bar = (
        guards.unpicked(action)
        or guards.seat_bar(viewer, case, case.at, action)
        or guards.bars(viewer, action, [case]).get(case.case_no)
    )
    if bar is not None:
        raise NotYours(case_no=case.case_no, bar=bar.value, because=BAR_SENTENCES[bar])


def for_whom(principal: int) -> dict[str, Any]:
    """What the history keeps where somebody stood in for a colleague."""
    return {"for": principal} if principal else {}


def _reexamined(case: Case, action: Action) -> dict[str, Any]:
    """What the history keeps of asking again."""
    found = guards.reexamined([(case, action)]).get(case.case_no)
    return {} if found is None else {"reexamined": found.as_data()}


def require_answer(
    case: Case, action: Action, answer: Answer, *, has_evidence: Callable[[Case], bool] = queries.has_evidence
) -> None:
    """Refuse an answer that lacks what its action needs, or holds what it must not.

    Raises OutcomeNotOffered, NumberInText, AnswerIncomplete, VisitDayUnusable, UntilUnusable, AssigneeBarred.
    """
    if answer.outcome and answer.outcome not in action.outcomes:
        raise OutcomeNotOffered(case_no=case.case_no, outcome=answer.outcome)
    if answer.why and action.whys and action.why(answer.why) is None:
        raise WhyNotOffered(case_no=case.case_no, why=answer.why)
    if any(holds_identity_number(text) for text in _texts(answer, case.flow.sealed)):
        raise NumberInText(case_no=case.case_no)
    missing = [need for need in Need if need in _needs(action, answer) and not _given(case, need, answer, has_evidence)]
    untold = _untold(answer.visit) if Need.OUTCOME in action.needs else []
    if missing or untold:
        raise AnswerIncomplete(case_no=case.case_no, missing=in_words([*missing, *untold]))
    _require_day(case, answer.visit)
    _require_until(case, answer)
    require_place(case, action, answer)
    if Need.ASSIGNEE in action.needs and answer.assignee is not None:
        bar = queries.assignee_bars(case, action, [answer.assignee]).get(answer.assignee)
        if bar is not None:
            raise AssigneeBarred(case_no=case.case_no, bar=bar.value, because=BAR_SENTENCES[bar])


def _untold(visit: Visit | None) -> list[Need]:
    """What a visit that was asked about does not say."""
    if visit is None:
        return []
    return [need for need, said in ((Need.VISITED_ON, visit.on), (Need.MET, visit.met.strip())) if not said]


def _require_day(case: Case, visit: Visit | None) -> None:
    """A visit lies between the opening of its case and today. Raises VisitDayUnusable."""
    first = clock.day_of(case.opened_at)
    if visit is not None and visit.on is not None and not first <= visit.on <= clock.today():
        raise VisitDayUnusable(case_no=case.case_no, on=visit.on.isoformat(), first=first.isoformat())


def _texts(answer: Answer, sealed: Collection[str]) -> list[str]:
    said = (pair for pair in (answer.correction or {}).items() if pair[0] not in sealed)
    proposed = [str(part) for pair in said for part in pair]
    met = answer.visit.met if answer.visit else ""
    return [answer.note, answer.reason, met, *proposed, *answer.checked]


def _needs(action: Action, answer: Answer) -> frozenset[Need]:
    needs = action.needs
    if answer.outcome in action.evidence_for:
        needs |= {Need.EVIDENCE}
    if asks_place(action, answer):
        needs |= {Need.PLACE}
    return needs


def _given(case: Case, need: Need, answer: Answer, has_evidence: Callable[[Case], bool]) -> bool:
    if need is Need.EVIDENCE:
        return has_evidence(case)
    said: Mapping[Need, object] = {
        Need.ASSIGNEE: answer.assignee is not None,
        Need.OUTCOME: answer.outcome,
        Need.NOTE: answer.note.strip(),
        Need.WHY: answer.why,
        Need.PLACE: answer.place,
        Need.REASON: answer.reason.strip(),
        Need.CORRECTION: answer.correction,
        Need.VISITED_ON: answer.visit is not None and answer.visit.on,
        Need.MET: answer.visit is not None and answer.visit.met,
    }
    return bool(said[need])


def take(case: Case, action: Action, answer: Answer) -> None:
    """Put what the person said onto the case."""
    if Need.ASSIGNEE in action.needs:
        case.assignee_id = answer.assignee
    if action.goes_back:
        # A returned case is asked again; what was answered stays in its history.
        case.outcome, case.outcome_note, case.outcome_until = "", "", None
        case.propose(None)
    if Need.OUTCOME in action.needs:
        case.outcome, case.outcome_note = answer.outcome, answer.note.strip()
        case.outcome_until = _last_day(case, answer)
    if Need.CORRECTION in action.needs:
        case.propose(answer.correction or {})


def _lasting(case: Case, answer: Answer) -> Outcome | None:
    """The outcome that was answered, if it lasts until a day."""
    outcome = case.flow.outcome(answer.outcome)
    return outcome if outcome is not None and outcome.mutes is Mutes.UNTIL else None


def _require_until(case: Case, answer: Answer) -> None:
    outcome, today = _lasting(case, answer), clock.today()
    if outcome is None or answer.until is None:
        return
    last = today + timedelta(days=int(reference.parameter(outcome.lasts_at_most_parameter, today, case.area_code)))
    if not today <= answer.until <= last:
        raise UntilUnusable(case_no=case.case_no, until=answer.until.isoformat(), last=last.isoformat())


def _last_day(case: Case, answer: Answer) -> date | None:
    """Until when the answer lasts: the day named, or as many days as the parameter of its day and place says."""
    outcome = _lasting(case, answer)
    if outcome is None or answer.until is not None:
        return answer.until if outcome is not None else None
    days = int(reference.parameter(outcome.lasts_parameter, clock.today(), case.area_code))
    return clock.today() + timedelta(days=days)


def said(case: Case, action: Action, answer: Answer, *, evidence: Callable[[Case], Sequence[str]]) -> Mapping[str, Any]:
    """The parts of the answer that history keeps beside outcome and note."""
    told: dict[str, Any] = {}
    if Need.ASSIGNEE in action.needs:
        told["assignee"] = answer.assignee
    if Need.CORRECTION in action.needs:
        told["correction"] = case.proposal
    if action.needs & {Need.EVIDENCE} or answer.outcome in action.evidence_for:
        told["evidence"] = list(evidence(case))
    told |= why_told(action, answer)
    if answer.checked:
        told["checked"] = list(answer.checked)
    if answer.visit:
        told["visit"] = answer.visit.as_data()
    if Need.OUTCOME in action.needs and case.outcome_until:
        told["until"] = case.outcome_until.isoformat()
    return told


def _forget_sealed(case: Case) -> None:
    """What was sealed now stands where it belongs, or nowhere."""
    if case.proposal_sealed is not None:
        case.proposal_sealed = None
        Case.objects.for_writing().filter(pk=case.pk).update(proposal_sealed=None)


def _save(case: Case, seen_version: int) -> None:
    """Compare and swap: the row changes only if it still has the version that was seen."""
    values = {name: getattr(case, name) for name in MOVED_FIELDS}
    if not Case.objects.for_writing().filter(pk=case.pk, version=seen_version).update(**values):
        raise _moved_on(case)
