"""What a department is told of the record behind the case at every place of the walk."""

from __future__ import annotations

from datetime import timedelta

from tests.factories.comparison import EYE, staged
from tests.factories.walking import Example, Place
from wanjia.audit.testing import unrecorded
from wanjia.casework.models import Case
from wanjia.comparison.models import Feedback
from wanjia.kernel import clock

DATASET = "gongan.vehicles"


def examples(place: Place) -> list[Example]:
    """Feedback to the place's department, on the case that stands there."""
    stage = staged()
    suspected = stage.issued.get(place)
    if suspected is None:
        return []
    case = Case.objects.visible_to(EYE).get(key=f"{suspected.rule}:{suspected.person_no}")
    today = clock.today()
    with unrecorded():  # as the county's decision gives it, but for the department: all cars come from one
        feedback = Feedback.objects.create(
            case_no=case.case_no, department=place.department, dataset=DATASET, rule=suspected.rule,
            run_id=stage.run.pk, findings=[suspected.finding_no], person_no=suspected.person_no,
            area_code=suspected.village_code, outcome="08", found=f"{suspected.plate} 已过户。",
            given_by=stage.officer.pk, given_at=clock.now(), warn_on=today + timedelta(days=8),
            due_on=today + timedelta(days=14),
        )  # fmt: skip
    which, secrets = {"feedback_id": feedback.pk}, (suspected.plate,)
    answer = {"answer": "agree", "version": "1", "reason": ""}
    return [
        Example("comparison:feedback", which, secrets, by_department=True),
        Example("comparison:feedback_answer", which, secrets, method="post", data=answer, by_department=True),
    ]
