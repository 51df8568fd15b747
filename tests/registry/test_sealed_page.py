"""The page of a household in a sealed year: both values, who corrected what and why, and a colleague who agrees."""

import pytest
from django.urls import reverse

from tests.factories import accounts
from tests.factories.accounts import client_for
from tests.factories.registry import BUILDER, COUNTY
from tests.factories.years import WHY, closed_county, rows
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.models import Parameter, Revision
from wanjia.registry import queries
from wanjia.registry.choices import AsOf, RequestState
from wanjia.registry.errors import FieldNotEditable, NothingProposed, NotYourRequest, RecordChangedMeanwhile
from wanjia.registry.models import ChangeRequest, ChangeRequestItem, HouseholdYear, ReportingYear, YearCorrection
from wanjia.registry.overlaid import corrections_of, sealed_household
from wanjia.registry.requests.services import approve, decline, submit_sealed
from wanjia.registry.services import Edit
from wanjia.scope.errors import NotVisible
from wanjia.scope.stores import lake

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def closed(stands):
    county = closed_county()
    county.users["colleague"] = accounts.account("colleague", "county_office", COUNTY)
    return county


@pytest.fixture
def alone(closed):
    """Nobody looks at corrections: each stands at once."""
    with unrecorded():
        Parameter.objects.filter(name__startswith="registry.review.").update(value=0)
        Revision.objects.update_or_create(pk=1, defaults={"token": "0" * 32})
    look_again_everywhere()
    return closed


def propose(county, who="county", number=1, year=2020, people=None, **values):
    edits = [Edit(name, value, household_no=number) for name, value in values.items()]
    edits += [Edit(name, value, person_no=person) for person, name, value in people or ()]
    return submit_sealed(viewer=county.viewer(who), household_no=number, year=year, edits=edits, reason=WHY)


def request_of(submitted):
    (number,) = submitted.requests
    return ChangeRequest.objects.visible_to(BUILDER).get(pk=number)


def facts(way=AsOf.KNOWN, number=1, year=2020):
    [found] = [one for one in queries.years_of(BUILDER, number, way) if one.year == year]
    return found.facts


def page(year=2020, number=1):
    return reverse("registry:correct_year", args=[number, year])


def typed_into(form):
    return {field.html_name: "" if field.value() is None else field.value() for field in form}


def test_a_correction_of_a_sealed_year_waits_for_a_colleague_of_the_county(closed):
    done = propose(closed, wage_income="30000", people=[(2, "health", "02")])
    assert (done.changed.fields, done.waiting) == (0, 2)
    request = request_of(done)
    assert (request.state, request.year, request.household_no) == (RequestState.COUNTY, 2020, 1)
    assert facts().wage_income == 2_345_600

    with pytest.raises(NotYourRequest):
        approve(viewer=closed.viewer("county"), request_id=request.pk)
    approve(viewer=closed.viewer("colleague"), request_id=request.pk, note="属实")

    request.refresh_from_db()
    assert request.state == RequestState.APPLIED
    assert (facts().wage_income, facts(AsOf.PUBLISHED).wage_income) == (3_000_000, 2_345_600)
    entry = Opening.objects.visible_to(BUILDER).get(event_id=request.event_id)
    assert entry.act == "registry.correct_sealed"
    assert entry.payload["content"]["proposed_by"] == closed.users["county"].pk
    assert (entry.payload["content"]["year"], entry.payload["content"]["request"]) == (2020, request.pk)
    assert rows(HouseholdYear, household_no=1).get().wage_income is None  # the open year
    [told] = corrections_of(closed.viewer("county"), 1, 2020)
    assert (told.by_name, told.reason) == (closed.users["colleague"].display_name, WHY)
    assert any("23,456.00" in line and "30,000.00" in line for line in told.sentences)


def test_declined_it_leaves_no_trace_in_the_year(closed):
    request = request_of(propose(closed, fuel="01"))
    decline(viewer=closed.viewer("colleague"), request_id=request.pk, note="没有依据")
    assert not rows(YearCorrection).exists()
    assert facts().fuel == "04"


def test_what_nobody_looks_at_stands_at_once(alone):
    done = propose(alone, fuel="01", wage_income="30000")
    assert (done.changed.fields, done.requests) == (2, ())
    assert (facts().fuel, facts(AsOf.PUBLISHED).fuel) == ("01", "04")


def test_what_was_corrected_meanwhile_is_chosen_by_whoever_decides(closed):
    first, second = (request_of(propose(closed, wage_income=value)) for value in ("30000", "40000"))
    colleague = closed.viewer("colleague")
    approve(viewer=colleague, request_id=first.pk)
    item = rows(ChangeRequestItem, request=second).get()
    approve(viewer=colleague, request_id=second.pk, take={item.pk: False})
    assert facts().wage_income == 3_000_000
    third = request_of(propose(closed, wage_income="50000"))
    approve(viewer=colleague, request_id=third.pk)
    assert facts().wage_income == 5_000_000


def test_who_may_not_and_what_may_not(closed):
    for who in ("next_county", "township", "village", "contact", "province", "auditor"):
        with pytest.raises(NotVisible):
            propose(closed, who, fuel="01")
        assert client_for(closed.users[who]).get(page()).status_code in (403, 404)
    with pytest.raises(NotVisible):
        propose(closed, people=[(9, "health", "02")])  # of another household
    with pytest.raises(FieldNotEditable):
        propose(closed, phone="13900139000")
    with pytest.raises(NothingProposed):
        propose(closed, fuel="04")
    client = client_for(closed.users["county"])
    for year, status in ((2021, 409), (2012, 404)):
        assert client.get(page(year)).status_code == status
    assert client.get(page(2020, 9999)).status_code == 404
    assert not rows(ChangeRequest).exists()


def test_two_villages_of_a_household_that_moved_each_decide_about_their_own_years(closed):
    from wanjia.registry.models import Household

    with unrecorded():
        rows(Household, household_no=1).update(village_code="451229100001")
    request = request_of(propose(closed, fuel="01"))
    approve(viewer=closed.viewer("colleague"), request_id=request.pk)
    assert facts().fuel == "01"
    with pytest.raises(NotVisible):
        propose(closed, "next_county", fuel="02")


def test_from_the_household_to_both_values_and_the_story_of_the_correction(closed):
    client = client_for(closed.users["county"])
    shown = client.get(reverse("registry:household", args=[1])).content.decode()
    assert page(2019) in shown
    asked = client.get(page())
    form = asked.context["form"]
    assert asked.status_code == 200
    assert form["wage_income-1"].value() == "23456.00"
    data = typed_into(form)

    short = client.post(page(), data | {"wage_income-1": "30000", "reason": "错"})
    assert short.status_code == 400
    wrong = client.post(page(), data | {"wage_income-1": "很多", "reason": WHY})
    assert wrong.status_code == 400
    assert "很多" in wrong.content.decode()  # what was typed stays
    nothing = client.post(page(), data | {"reason": WHY})
    assert nothing.status_code == 400
    done = client.post(
        page(), data | {"wage_income-1": "30000", "year_poverty_status-1": "0", "reason": WHY}, follow=True
    )
    assert "须由县级另一人批准" in done.content.decode()

    request = rows(ChangeRequest).get()
    colleague = client_for(closed.users["colleague"])
    at = reverse("registry:request", args=[request.pk])
    assert "2020 年度（已封存，公布数不变）" in colleague.get(at).content.decode()
    colleague.post(at, {"decision": "approve", "note": ""})
    after = client.get(page()).content.decode()
    assert "30,000.00" in after
    assert "23,456.00" in after
    assert closed.users["colleague"].display_name in after
    assert WHY in after
    household = reverse("registry:household", args=[1])
    published = client.get(household, {"as_of": "published"}).content.decode()
    assert "30,000.00" not in published[published.index('id="income"') : published.index('id="story"')]
    assert "30,000.00" in client.get(household).content.decode()
    lake().verify(ReportingYear.objects.get(year=2020).address)


def test_a_page_opened_before_a_correction_says_so_and_the_second_time_it_stands(alone):
    client = client_for(alone.users["county"])
    data = typed_into(client.get(page()).context["form"])
    propose(alone, "colleague", fuel="01", wage_income="30000")
    mine = data | {"wage_income-1": "40000", "reason": WHY}
    told = client.post(page(), mine)
    assert told.status_code == 400
    assert "已被他人改为" in told.content.decode()
    again = typed_into(told.context["form"]) | {"reason": WHY}
    assert client.post(page(), again).status_code == 302
    assert (facts().wage_income, facts().fuel) == (4_000_000, "01")


def test_people_of_the_year_are_corrected_each_on_his_own(alone):
    client = client_for(alone.users["county"])
    at = f"{page()}?part=people"
    asked = client.get(at)
    assert [person.person_no for person, _ in asked.context["sections"]] == [1, 2, 3, 4]
    data = typed_into(asked.context["form"]) | {"education-1": "03", "health-2": ["02", "04"], "reason": WHY}
    assert client.post(at, data).status_code == 302
    known = {one.known.person_no: one.known for one in sealed_household(BUILDER, 1, 2020).people}
    assert (known[1].facts.education, known[2].facts.health) == ("03", "02,04")
    assert known[1].corrected == {"education"}


def test_an_old_value_that_is_not_known_any_more_is_refused(alone):
    seen = Edit("fuel", "01", household_no=1, expected_old="02")
    with pytest.raises(RecordChangedMeanwhile):
        submit_sealed(viewer=alone.viewer("county"), household_no=1, year=2020, edits=[seen], reason=WHY)
