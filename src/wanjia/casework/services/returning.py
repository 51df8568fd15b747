"""Cases that are not ours, or whose people moved: the reason, the place, and on to where they live now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wanjia.casework import guards
from wanjia.casework.choices import BAR_SENTENCES, SEAT_LENGTH, Seat
from wanjia.casework.errors import NotYours, PlaceUnusable
from wanjia.casework.models import Case, CaseSubject
from wanjia.casework.rules import Action, Answer, common_area, seat_area
from wanjia.divisions import queries as divisions
from wanjia.scope.system import system_viewer

PLACES = system_viewer("casework.candidates")


def asks_place(action: Action, answer: Answer) -> bool:
    """Whether what was said cannot be told without the place where the people live now."""
    why = action.why(answer.why)
    return action.moves or (why is not None and why.asks_place)


def require_place(case: Case, action: Action, answer: Answer) -> None:
    """Refuse a place nobody knows, the very place the case is at, and one this desk cannot send to.

    Raises PlaceUnusable.
    """
    if not asks_place(action, answer) or not answer.place:
        return
    here, target = case.at.seat, case.flow.step(action.to).seat
    left = target if action.moves else Seat.VILLAGE if here is Seat.PERSON else here
    elsewhere = not answer.place.startswith(case.area_code[: SEAT_LENGTH[left]])
    within = answer.place.startswith(seat_area(case.area_code, here)) and len(answer.place) >= SEAT_LENGTH[target]
    if divisions.place(answer.place) is None or not elsewhere or (action.moves and not within):
        raise PlaceUnusable(case_no=case.case_no, place=answer.place)


def move(case: Case, action: Action, answer: Answer) -> None:
    """Send a case to where its people live now.

    Inside its county it is that place's alone; beyond, it is a case of two places, for only the
    county of the registry can carry a correction out. Raises NotYours where nobody could act there.
    """
    subjects = CaseSubject.objects.visible_to(PLACES).filter(case=case)
    first = subjects.order_by("pk")[0]
    county = SEAT_LENGTH[Seat.COUNTY]
    same = answer.place[:county] == case.area_code[:county] and len(case.area_code) >= county
    case.area_code = answer.place if same else common_area([case.area_code, answer.place])
    CaseSubject.objects.create(
        case=case, subject_kind=first.subject_kind, household_no=first.household_no, person_no=first.person_no,
        key=first.key, area_code=answer.place,
    )  # fmt: skip
    subjects.filter(area_code=case.area_code).update(apart=False)
    subjects.exclude(area_code=case.area_code).update(apart=True)
    case.assignee_id = None
    bar = guards.unstaffed(replace(action, moves=False), [case]).get(case.case_no)
    if bar is not None:
        raise NotYours(case_no=case.case_no, bar=bar.value, because=BAR_SENTENCES[bar])


def why_told(action: Action, answer: Answer) -> dict[str, Any]:
    """The kind of reason and the place named with it, as history keeps them."""
    told = {"why": answer.why} if action.why(answer.why) else {}
    return told | ({"place": answer.place} if asks_place(action, answer) else {})
