"""Who holds a case under the relation `own_cases`: from assignment until it is closed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from wanjia.casework.models import Case
from wanjia.kernel import clock
from wanjia.scope.models import Holding
from wanjia.scope.viewer import Relation

OF_CASES = Q(relation=Relation.OWN_CASES.value, subject_kind="case", valid_to=None)


def follow(case: Case, *, before: int | None) -> None:
    """Bring the holding in line with the case, whose assignee was `before`."""
    if case.closed_at is not None:
        end([case.case_no])
    elif case.assignee_id != before:
        end([case.case_no])
        begin([case])


def begin(cases: Sequence[Case]) -> None:
    """The assignees of these cases hold them from today."""
    today = clock.today()
    Holding.objects.bulk_create(
        Holding(
            user_id=case.assignee_id,
            relation=Relation.OWN_CASES.value,
            subject_kind="case",
            subject_id=case.case_no,
            valid_from=today,
        )
        for case in cases
        if case.assignee_id is not None
    )


def end(case_nos: Sequence[int]) -> None:
    """Nobody holds these cases any more."""
    Holding.objects.filter(OF_CASES, subject_id__in=case_nos).update(valid_to=clock.today())
