"""Change requests that nobody looks at: overdue at their desk, and then before the eyes of the level above."""

from contextlib import contextmanager
from datetime import date

import pytest
from django.urls import reverse

from tests.factories import accounts
from tests.factories import registry as factory
from tests.factories.accounts import client_for
from tests.factories.registry import COUNTY
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.models import Parameter, Revision
from wanjia.registry.models import ChangeRequest
from wanjia.registry.requests import deadlines
from wanjia.registry.requests.deadlines import Waiting, raised_to, waiting_for
from wanjia.registry.requests.services import approve, decline, submit
from wanjia.registry.services import Edit
from wanjia.scope.errors import NotAllowed

pytestmark = pytest.mark.django_db
# Proposed on Monday 16 November 2020: five working days are over with Monday the 23rd, ten with the 30th.
IN_TIME, LATE, LATER, RAISED = (date(2020, 11, 23), date(2020, 11, 24), date(2020, 11, 30), date(2020, 12, 1))


@pytest.fixture(scope="module")
def county(stands):
    built = factory.build()
    built.users["colleague"] = accounts.account("colleague", "county_office", COUNTY)
    return built


@contextmanager
def on(day):
    with clock.frozen(day):
        look_again_everywhere()
        yield
    look_again_everywhere()


def propose(county, who="village", number=1, **values):
    edits = [Edit(name, value, household_no=number) for name, value in values.items()]
    done = submit(viewer=county.viewer(who), household_no=number, edits=edits, reason="入户核实后更正")
    return done.requests[0]


def waiting(county, who):
    return waiting_for(county.viewer(who))


def test_a_request_is_overdue_after_its_days_and_before_the_level_above_after_twice_those(county):
    number = propose(county, fuel="04")
    expected = {
        IN_TIME: (Waiting(1), Waiting(), Waiting()),
        LATE: (Waiting(1, 1), Waiting(), Waiting()),
        LATER: (Waiting(1, 1), Waiting(), Waiting()),
        RAISED: (Waiting(1, 1), Waiting(raised=1), Waiting()),
    }
    for day, told in expected.items():
        with on(day):
            assert tuple(waiting(county, who) for who in ("township", "county", "city")) == told
            assert waiting(county, "next_township") == waiting(county, "next_county") == Waiting()
            assert waiting(county, "village") == Waiting()
    with on(RAISED):
        with pytest.raises(NotAllowed):  # whoever is above presses, and decides nothing
            approve(viewer=county.viewer("county"), request_id=number)
        decline(viewer=county.viewer("township"), request_id=number, note="没有依据")
        assert waiting(county, "county") == waiting(county, "township") == Waiting()


def test_each_desk_has_its_own_days_and_the_city_presses_the_county(county):
    number = propose(county, wage_income="32000")
    with on(RAISED):
        approve(viewer=county.viewer("township"), request_id=number)
        assert waiting(county, "county") == Waiting(1)
        request = ChangeRequest.objects.visible_to(factory.BUILDER).get(pk=number)
        assert (deadlines.due_on(request), deadlines.days_late(request)) == (date(2020, 12, 8), 0)
    with on(date(2020, 12, 9)):
        assert (waiting(county, "county"), waiting(county, "city")) == (Waiting(1, 1), Waiting())
        assert deadlines.days_late(request) == 1
    with on(date(2020, 12, 16)):
        assert (waiting(county, "county"), waiting(county, "city")) == (Waiting(1, 1), Waiting(raised=1))
        assert [each.pk for each in raised_to(county.viewer("city"))] == [number]
        assert waiting(county, "manager") == Waiting()  # the level above is one, not all


def test_days_off_do_not_count_and_the_days_are_policy(county):
    propose(county, fuel="04")
    with on(date(2020, 11, 20)), unrecorded():  # a Friday, the fourth working day
        assert waiting(county, "township") == Waiting(1)
        Parameter.objects.filter(name=deadlines.DAYS).update(value=2)
        Revision.objects.update_or_create(pk=1, defaults={"token": "0" * 32})
        look_again_everywhere()
        assert waiting(county, "township") == Waiting(1, 1)
        assert waiting(county, "county") == Waiting()
    with on(date(2020, 11, 21)):
        assert waiting(county, "county") == Waiting(raised=1)


def test_the_list_and_the_home_page_say_so(county):
    number = propose(county, fuel="04")
    with on(RAISED):
        township, above = (client_for(county.users[who]) for who in ("township", "county"))
        listed = township.get(reverse("registry:requests")).content.decode()
        assert "超期 6 个工作日" in listed
        assert "下级超期未办" not in listed
        home = township.get("/").content.decode()
        assert "等我审核的登记变更" in home
        assert "其中超期" in home
        raised = above.get(reverse("registry:requests")).content.decode()
        assert "下级超期未办（1）" in raised
        assert reverse("registry:request", args=[number]) in raised
        assert "下级超期未办的登记变更" in above.get("/").content.decode()
        page = above.get(reverse("registry:request", args=[number])).content.decode()
        assert "超期 6 个工作日" in page
        assert 'name="decision"' not in page
