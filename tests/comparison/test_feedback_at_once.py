"""Two people act on one feedback, or on it and its case, in the same moment."""

import pytest

from tests.casework.test_two_at_once import at_once
from tests.comparison.test_feedback import (  # noqa: F401 - fixtures are used by their names
    WHY,
    acts,
    again,
    given,
    officers,
    outdated,
    row,
)
from wanjia.casework.errors import CaseMovedOn
from wanjia.casework.models import Case
from wanjia.casework.services import act
from wanjia.comparison.choices import FeedbackState
from wanjia.comparison.errors import FeedbackMovedOn
from wanjia.comparison.feedback import services
from wanjia.comparison.models import Feedback

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case_no(world, office):
    return outdated(world, office)


def test_of_two_officers_one_answers_and_the_other_hears_who_it_was(case_no, office, officers):  # noqa: F811
    feedback = given(office, case_no)
    asked = {"feedback_id": feedback.pk, "seen_version": 1}
    results = at_once(
        lambda: services.agree(viewer=officers["police"], **asked),
        lambda: services.dispute(viewer=officers["county_police"], **asked, reason=WHY),
    )
    assert {type(result) for result in results} == {Feedback, FeedbackMovedOn}, results
    told = acts(case_no).count("department_agrees") + acts(case_no).count("department_disputes")
    assert told == 1
    assert again(feedback).version == 2


def test_a_dispute_and_a_sample_at_once_end_on_the_countys_desk(case_no, office, officers):  # noqa: F811
    feedback = given(office, case_no)
    seen = row(case_no).version
    disputed, taken = at_once(
        lambda: services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY),
        lambda: act(viewer=office["city"], case_no=case_no, action="take", seen_version=seen),
    )
    assert isinstance(disputed, Feedback)
    assert isinstance(taken, (Case, CaseMovedOn)), taken
    assert (row(case_no).step, again(feedback).state) == ("disputed", FeedbackState.DISPUTED)
