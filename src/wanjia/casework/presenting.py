"""Cases as pages show them: everything in the reader's language, nothing left for templates to decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from wanjia.accounts import queries as accounts
from wanjia.casework import declared, queries
from wanjia.casework.choices import BAR_SENTENCES, SEAT_LENGTH, Bar, Need, Seat
from wanjia.casework.declared import Ask, AskedField, CorrectionChoice, Description
from wanjia.casework.models import Case
from wanjia.casework.queries import HistoryLine, Offer
from wanjia.casework.rules import Action, seat_area
from wanjia.divisions.queries import near_name
from wanjia.files.models import StoredFile
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.scope.viewer import Viewer


def tone_of(due_on: date | None, warn_on: date | None) -> str:
    """The tone of a deadline: late, near or with time left."""
    today = clock.today()
    if due_on is None:
        return "done"
    if due_on < today:
        return "late"
    return "warn" if warn_on is not None and warn_on <= today else "waiting"


@dataclass(frozen=True, slots=True)
class Row:
    """A case in a list."""

    case: Case
    headline: str
    step: str
    outcome: str
    holder: str
    tone: str


def rows(
    cases: Sequence[Case], viewer: Viewer, language: str, colleagues: accounts.Colleagues | None = None
) -> list[Row]:
    """The cases of a page, in a fixed number of queries."""
    by_flow: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        by_flow.setdefault((case.kind, case.flow_version), []).append(case)
    headlines: dict[int, str] = {}
    for key, group in by_flow.items():
        headlines |= declared.offered_for(*key).callbacks.headlines(group, viewer, language)
    names = (colleagues or accounts.Colleagues()).names_of(case.holder_user_id or 0 for case in cases)
    return [
        Row(
            case=case,
            headline=headlines.get(case.case_no, ""),
            step=case.at.title.text(language),
            outcome=outcome_title(case, language),
            holder=names.get(case.holder_user_id or 0, ""),
            tone=tone_of(case.due_on, case.warn_on),
        )
        for case in cases
    ]


def outcome_title(case: Case, language: str) -> str:
    """The outcome with its code, or nothing yet."""
    outcome = case.flow.outcome(case.outcome)
    return f"{outcome.code} {outcome.title.text(language)}" if outcome is not None else ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An outcome to choose, with what follows from it."""

    code: str
    title: str
    leads_to: str
    proven: bool
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Answering:
    """One action as the page offers it: a button with its consequence, or why not."""

    code: str
    title: str
    consequence: str
    bar: str
    withheld: bool  # from him in particular, though it is his turn
    goes_back: bool
    needs: frozenset[Need]
    asks_proof: bool
    whys: Sequence[tuple[str, str, bool]] = ()  # code, title, whether it asks for a place
    place: str = ""  # where the people were last said to live
    outcomes: tuple[Choice, ...] = ()
    candidates: Sequence[Person] = ()
    corrections: Sequence[CorrectionOffer] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the case might be given to; `reason` says why not."""

    user_id: int
    name: str
    remark: str
    open_cases: int
    reason: str
    chosen: bool = False

    @property
    def bar(self) -> bool:
        return bool(self.reason)


@dataclass(frozen=True, slots=True)
class AskedOffer:
    """One part of a correction as the page asks for it; `typed` is what stands in it now."""

    name: str
    label: str
    kind: Ask
    choices: Sequence[tuple[str, str]]
    typed: str
    needed: bool
    help: str
    latest: str  # the last day that may be chosen


@dataclass(frozen=True, slots=True)
class CorrectionOffer:
    """A correction that may be proposed, in words."""

    code: str
    title: str
    consequence: str
    fields: Sequence[AskedOffer]
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class CasePage:
    """All a case page shows."""

    case: Case
    told: Description
    step: str
    outcome: str
    tone: str
    holder: str
    can: Sequence[Answering]
    cannot: Sequence[Answering]
    history: Sequence[HistoryLine]
    reexamined: str
    returned: HistoryLine | None  # why the case came back, while that waits for a decision
    evidence: Sequence[StoredFile]
    proofs: int  # files that were filed in this step and count for its answer
    others: Sequence[Row]
    next_no: int | None
    today: str = ""
    entered: Mapping[str, Any] = field(default_factory=dict)
    ticked: Collection[str] = ()


def case_page(case: Case, viewer: Viewer, language: str, entered: Mapping[str, Any] | None = None) -> CasePage:
    """The page of a case its caller fetched; `entered` is what was typed when it was refused."""
    colleagues = accounts.Colleagues()
    told = queries.events(case)
    offered = queries.offers(viewer, case, told)
    history = queries.history(case, language, told, colleagues)
    evidence, proofs = queries.filed(case, viewer)
    place = next((line.event.data["place"] for line in reversed(history) if line.place), "")
    did = {event.action for event in told if viewer.user_id in (event.by_user, event.data.get("for"))}
    answers = [_answering(item, case, did, language, entered or {}, place, colleagues) for item in offered]
    callbacks = declared.offered_for(case.kind, case.flow_version).callbacks
    others = () if case.household_no is None else _others(case, viewer, language, colleagues)
    holder = case.holder_user_id or 0
    return CasePage(
        case=case,
        told=callbacks.describe(case, viewer, language),
        step=case.at.title.text(language),
        outcome=outcome_title(case, language),
        tone=tone_of(case.due_on, case.warn_on),
        holder=colleagues.names_of([holder]).get(holder, ""),
        can=[answer for answer in answers if not answer.bar],
        cannot=[answer for answer in answers if answer.bar],
        history=history,
        reexamined="" if case.closed_at or not history else history[-1].reexamined,
        returned=history[-1] if history and history[-1].why and not case.closed_at else None,
        evidence=evidence,
        proofs=proofs if may_upload(offered) else 0,
        others=others,
        next_no=queries.next_in_queue(viewer, case),
        today=clock.today().isoformat(),
        entered=entered or {},
        ticked=entered.getlist("checked") if isinstance(entered, QueryDict) else (),
    )


def may_upload(offered: Sequence[Offer]) -> bool:
    """Whether this person's next answer could need proof."""
    return any(_asks_proof(item.action) for item in offered if item.bar is None)


def _asks_proof(action: Action) -> bool:
    return bool(action.evidence_for) or Need.EVIDENCE in action.needs


def _others(case: Case, viewer: Viewer, language: str, colleagues: accounts.Colleagues) -> list[Row]:
    assert case.household_no is not None  # noqa: S101 - the caller asked
    found = queries.of_household(viewer, case.household_no, except_case=case.case_no)[:20]
    return rows(list(found), viewer, language, colleagues)


def _answering(  # noqa: PLR0913 - an answer is shown from all of these
    offer: Offer,
    case: Case,
    did: Collection[str],
    language: str,
    entered: Mapping[str, Any],
    place: str,
    colleagues: accounts.Colleagues,
) -> Answering:
    action = offer.action
    free = offer.bar is None
    typed = entered if entered.get("action") == action.code else {}
    return Answering(
        code=action.code,
        title=action.title_at(case.area_code, case.at, case.flow).text(language),
        consequence=_consequence(action, case).text(language),
        bar=_why_not(offer.bar, action, case, did, language, colleagues) if offer.bar is not None else "",
        withheld=offer.bar is not None and offer.bar not in TURN_OF_OTHERS,
        goes_back=action.goes_back,
        needs=action.needs,
        asks_proof=_asks_proof(action),
        whys=[(why.code, why.title.text(language), why.asks_place) for why in action.whys],
        place=typed.get("place", place),
        outcomes=tuple(
            Choice(
                item.code,
                item.title.text(language),
                case.flow.step(action.target(item.code)).title.text(language),
                item.code in action.evidence_for,
                chosen=item.code == typed.get("outcome"),
            )
            for item in case.flow.outcomes
            if item.code in action.outcomes
        ),
        candidates=_people(case, action, language, typed) if free and Need.ASSIGNEE in action.needs else (),
        corrections=_corrections(case, language, typed) if free and Need.CORRECTION in action.needs else (),
    )


def _consequence(action: Action, case: Case) -> Sentence:
    if action.stays_at(case.area_code, case.at, case.flow) and action.at_own_desk is not None:
        return action.at_own_desk[1]
    return action.consequence if action.unproposed is None or case.proposal else action.unproposed


TURN_OF_OTHERS = (Bar.OTHER_SEAT, Bar.OTHER_PERSON, Bar.NO_ROLE)


def _why_not(  # noqa: PLR0913 - a reason against an action is told from all of these
    bar: Bar, action: Action, case: Case, did: Collection[str], language: str, colleagues: accounts.Colleagues
) -> str:
    """The reason against an action; where it is somebody else's turn, whose. `did` is what the reader did himself."""
    if bar is Bar.TOOK_PART and action.apart_from.isdisjoint(did):
        return _("与您互为代理的同事已办理过本件的前一环节，两人按一人计，须由另一人办理")
    if bar not in TURN_OF_OTHERS:
        return BAR_SENTENCES[bar].text(language)
    whose = [
        _("%(place)s的%(roles)s") % {"place": near_name(desk), "roles": _posts(action, desk, language, colleagues)}
        for desk in (
            seat_area(case.area_code, seat) for seat in (case.at.seat, *action.also) if seat is not Seat.PERSON
        )
    ]
    if not whose and case.holder_user_id:
        name = colleagues.names_of([case.holder_user_id]).get(case.holder_user_id, "")
        whose = [name] if name else []
    return _("该由%(whose)s办理") % {"whose": _("或").join(whose)} if whose else BAR_SENTENCES[bar].text(language)


def _posts(action: Action, desk: str, language: str, colleagues: accounts.Colleagues) -> str:
    """The roles of the desk's own level that perform the action."""
    level = next(seat.value for seat in (Seat.VILLAGE, Seat.TOWNSHIP, Seat.COUNTY, Seat.CITY, Seat.PROVINCE)
                 if SEAT_LENGTH[seat] <= len(desk))  # fmt: skip
    able = [role for role in colleagues.roles if action.permission in role.actions]
    own = [role for role in able if role.level == level] or [role for role in able if level in role.levels]
    return _("、").join(role.title(language) for role in own) or _("经办人")


def _people(case: Case, action: Action, language: str, typed: Mapping[str, Any]) -> list[Person]:
    return [
        Person(
            user_id=item.user_id,
            name=item.name,
            remark=item.remark,
            open_cases=item.open_cases,
            reason=BAR_SENTENCES[item.bar].text(language) if item.bar is not None else "",
            chosen=str(item.user_id) == typed.get("assignee"),
        )
        for item in queries.candidates(case, action, language)
    ]


def _corrections(case: Case, language: str, typed: Mapping[str, Any]) -> list[CorrectionOffer]:
    offered: Sequence[CorrectionChoice] = declared.offered_for(case.kind, case.flow_version).callbacks.corrections(
        case, language
    )
    return [
        CorrectionOffer(
            item.code,
            item.title.text(language),
            item.consequence.text(language),
            [_asked(asked, f"correction.{item.code}.{asked.name}", language, typed) for asked in item.fields],
            chosen=len(offered) == 1 or typed.get("correction.change") == item.code,
        )
        for item in offered
    ]


def _asked(asked: AskedField, key: str, language: str, typed: Mapping[str, Any]) -> AskedOffer:
    return AskedOffer(
        name=asked.name,
        label=asked.title.text(language),
        kind=asked.kind,
        choices=asked.choices,
        typed=typed.get(key, "") if typed else asked.usual,
        needed=asked.needed,
        help=asked.help.text(language) if asked.help is not None else "",
        latest=clock.today().isoformat(),
    )
