"""What the village proposes for a true suspect: the correction its rule is about, filled in with what is so."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from wanjia.casework.declared import AskedField
from wanjia.casework.models import Case
from wanjia.comparison.choices import Correction
from wanjia.comparison.corrections import Matter, choices
from wanjia.demo.world import County, Home, Resident

MEASURE = {"change": Correction.MEASURE.value, "measure": "已核对证件原件，告知本人，并通知有关窗口。"}
KNOWN_ALREADY = {
    "change": Correction.MEASURE.value,
    "measure": "此人已登记在该户，是证件号码登记有误，另行更正。",
}
LIVES_WITH_SONS_FAMILY = "05"  # CL-06, his wife
DISABLED, HEALTHY = "04", "01"  # CL-12
WHY_GONE = {"迁往县外": "R3", "出国境定居注销": "R5", "其他注销": "R9"}
Proposal = Mapping[str, object]


class Fieldwork:
    """The county as its people know it."""

    def __init__(self, county: County) -> None:
        self._people = {one.person_no: (home, one) for home in county.homes for one in home.members}
        self._left_out = county.left_out

    def proposal(self, case: Case, random: Random) -> Proposal:
        """What the village proposes; a measure where the register is not what must be changed."""
        offered = {choice.code: choice for choice in choices(case, "zh")}
        kind = next(iter(offered))
        if kind == Correction.ADDED and case.household_no not in self._left_out:
            return KNOWN_ALREADY
        home, resident = self._people[case.origin["person_no"]]
        if kind == Correction.NUMBER and not resident.registered_number:
            return MEASURE  # the number is right, and the books are elsewhere
        known = self._known(case, home, resident)
        return {"change": kind} | {field.name: _filled(field, known, random) for field in offered[kind].fields}

    def _known(self, case: Case, home: Home, resident: Resident) -> dict[str, str]:
        matter = Matter(case)
        married = (n for n, stay in matter.stays.items() if stay.relation == LIVES_WITH_SONS_FAMILY)
        name, number = self._left_out.get(home.household_no, ("", resident.number))
        healths = {"RC-04": DISABLED, "RC-04B": HEALTHY}
        return {
            "id_number": number,
            "name": name or resident.name,
            "keep": str(next(married, case.origin["person_no"])),
            "change_reason": WHY_GONE.get(str(matter.evidence.get("left_how")), "N9" if name else "R9"),
            "left_on": "2019-06-30",
            "joined_on": "2020-01-01",
            "health": healths.get(case.topic, ""),
        }


def _filled(field: AskedField, known: Mapping[str, str], random: Random) -> str:
    """What the department's record says, what people know, or, where something is needed, one of the choices."""
    said = field.usual or known.get(field.name, "")
    if said or not field.needed:
        return said
    return random.choice(field.choices)[0]
