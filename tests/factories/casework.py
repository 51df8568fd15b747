"""A case at every place of the walk, opened for a finding of a real run."""

from __future__ import annotations

from tests.factories import accounts
from tests.factories.comparison import Suspected, staged
from tests.factories.walking import Example, Place
from wanjia.casework.services import CaseSpec, SubjectSpec, open_cases


def examples(place: Place) -> list[Example]:
    """The case of the place's department against a household there; households lie only in villages."""
    stage = staged()
    suspected = stage.issued.get(place)
    if suspected is None:
        return []
    spec = _spec(suspected, stage.run.pk, place.department)
    opened = open_cases(viewer=accounts.viewer(stage.officer), kind="suspect", specs=[spec])
    number = opened.opened[spec.key]
    which, held = {"case_no": number}, ("case", number)
    answer = {"action": "pass_on", "version": "1"}
    routes = (("case", "get", {}), ("act", "post", answer), ("evidence", "post", {}))
    secrets = (suspected.name, suspected.plate)
    return [
        *(
            Example(f"casework:{route}", which, secrets, "suspects.read", method, data, by_department=True, held=held)
            for route, method, data in routes
        ),
        Example(
            "casework:visit",
            {"household_no": suspected.household_no},
            (suspected.plate,),
            "suspects.read",
            by_department=True,
            held=held,
        ),
        # his name stands on the household's own page too, for its readers
        Example("registry:household", {"household_no": suspected.household_no}, (suspected.name,)),
    ]


def _spec(suspected: Suspected, run_id: int, department: str) -> CaseSpec:
    """As issuing writes it, but for the department: all cars come from one."""
    subject = SubjectSpec(
        area_code=suspected.village_code, household_no=suspected.household_no, person_no=suspected.person_no
    )
    origin = {
        "run": run_id,
        "rule": suspected.rule,
        "person_no": suspected.person_no,
        "findings": [suspected.finding_no],
        "evidence": [suspected.evidence_hash],
    }
    key = f"{suspected.rule}:{suspected.person_no}"
    return CaseSpec(key=key, topic=suspected.rule, subjects=(subject,), department=department, origin=origin)
