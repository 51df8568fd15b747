"""Filters that people keep for themselves: of the list of cases and of the list of findings."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.factories.accounts import account, client_for, grants, viewer
from wanjia.accounts import saved, services
from wanjia.accounts.errors import FilterNameTaken, FilterTooLong, TooManyFilters
from wanjia.accounts.models import SavedFilter
from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.audit.testing import unrecorded
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.models import Parameter
from wanjia.reference.services import load_reference
from wanjia.scope.errors import NotVisible

pytestmark = pytest.mark.django_db

COUNTY, TOWN, NEXT_TOWN = "451228", "451228101", "451228102"
LIST = "casework:list"


@pytest.fixture(autouse=True)
def _parameters(db):
    load_reference()


@pytest.fixture
def officer():
    return account("county", "county_office", COUNTY)


@pytest.fixture
def browser(officer):
    return client_for(officer)


def keep(browser, name="超期", **conditions):
    return browser.post(f"{reverse('casework:save_filter')}?{saved.as_query(conditions)}", {"name": name})


def page(browser, url_name=LIST, **query):
    return browser.get(reverse(url_name), query).content.decode()


def test_the_present_filter_is_kept_under_a_name_and_opens_again(browser, officer):
    answer = keep(browser, state="overdue", topic="RA-02", area=TOWN)
    assert answer.status_code == 302
    (line,) = saved.lines(viewer(officer), "cases")
    assert (line.name, line.query) == ("超期", f"area={TOWN}&state=overdue&topic=RA-02")
    shown = browser.get(line.address)
    assert shown.status_code == 200
    assert shown.context["filter"].as_dict() == {"state": "overdue", "topic": "RA-02", "area": TOWN}
    assert [(each.name, current) for each, current in shown.context["saved"].shown] == [("超期", True)]
    assert "保存当前筛选" not in shown.content.decode(), "it is kept already"
    assert "保存当前筛选" in page(browser)


def test_the_area_looked_at_is_part_of_it(browser, officer):
    browser.post(reverse("office:area"), {"code": TOWN, "next": "/"})
    keep(browser, state="overdue")
    browser.post(reverse("office:area"), {"code": NEXT_TOWN, "next": "/"})
    (line,) = saved.lines(viewer(officer))
    assert browser.get(line.address).context["filter"].area == TOWN


def test_what_waits_for_me_is_kept_without_an_area(browser, officer):
    keep(browser, mine="1", state="yellow")
    (line,) = saved.lines(viewer(officer))
    assert line.query == "mine=1&state=yellow"


def test_only_what_an_address_can_say_is_kept(browser, officer):
    keep(browser, state="nonsense", area="45x", password="p", decided_from="2020-02-31", step="issued")
    (line,) = saved.lines(viewer(officer))
    assert line.query == f"area={COUNTY}&step=issued"


def test_an_ended_grant_leaves_nothing_behind_the_name(officer, browser):
    """The name stays, so that it can be removed; the area is no longer opened, nor replaced by another."""
    security = viewer(account("security", "security_admin", "45"))
    services.grant(viewer=security, user=officer, role="township_reviewer", area_code="451229101")
    keep(browser, name="邻县", area="451229101")
    assert saved.lines(viewer(officer))[0].address
    (row,) = [row for row in grants(officer) if row.area_code == "451229101"]
    services.revoke(viewer=security, grant_id=row.pk)
    assert saved.lines(viewer(officer))[0].address == ""
    text = page(browser)
    assert "邻县" in text
    assert "area=451229101" not in text
    assert "所选区域已不在您的管辖范围" in page(browser, "accounts:filters")


def test_the_name_is_shown_as_text(browser):
    assert keep(browser, name='<b onclick="x">"&').status_code == 302
    for url_name in (LIST, "accounts:filters"):
        text = page(browser, url_name)
        assert "&lt;b onclick=&quot;x&quot;&gt;" in text
        assert '<b onclick="x">' not in text


@pytest.mark.parametrize("name", ["", "   ", "长" * 31, "查\0看", "459999199003077817的件", "查459999199003077817"])
def test_a_name_that_will_not_do_is_refused_and_stands_as_it_was_typed(browser, officer, name):
    answer = keep(browser, name=name, state="overdue")
    assert answer.status_code == 400
    assert answer.context["saved"].form.errors
    assert answer.context["saved"].form["name"].value() == name
    assert answer.context["filter"].state == "overdue"
    assert saved.lines(viewer(officer)) == []


def test_no_identity_number_is_kept_among_the_conditions(officer):
    with pytest.raises(IdentityNumberInPayload):
        saved.save(viewer=viewer(officer), page="cases", name="某人", conditions={"topic": "459999199003077817"})


def test_two_of_one_list_do_not_have_one_name(officer):
    his = viewer(officer)
    first = saved.save(viewer=his, page="cases", name="甲", conditions={"state": "overdue"})
    second = saved.save(viewer=his, page="cases", name="乙", conditions={"state": "closed"})
    saved.save(viewer=his, page="findings", name="甲", conditions={"rule": "RA-02"})
    saved.save(viewer=viewer(account("other", "county_office")), page="cases", name="甲", conditions={})
    with pytest.raises(FilterNameTaken):
        saved.save(viewer=his, page="cases", name="甲", conditions={"state": "all"})
    with pytest.raises(FilterNameTaken):
        saved.rename(viewer=his, filter_id=second.pk, name="甲")
    assert saved.rename(viewer=his, filter_id=first.pk, name="甲").name == "甲", "his own name is no other's"


def test_there_are_as_many_as_the_parameter_says(officer):
    with unrecorded():
        Parameter.objects.filter(name=saved.MOST).update(value=2)
    look_again_everywhere()
    his = viewer(officer)
    for number in range(2):
        saved.save(viewer=his, page="cases", name=f"第{number}个", conditions={})
    with pytest.raises(TooManyFilters):
        saved.save(viewer=his, page="findings", name="还有", conditions={})
    saved.remove(viewer=his, filter_id=saved.lines(his)[0].id)
    saved.save(viewer=his, page="findings", name="还有", conditions={})


def test_a_filter_has_an_end(officer):
    with pytest.raises(FilterTooLong):
        saved.save(viewer=viewer(officer), page="cases", name="长", conditions={"topic": "x" * 500})


def test_another_persons_filter_is_nobodys(officer):
    mine = saved.save(viewer=viewer(officer), page="cases", name="甲", conditions={})
    colleague = account("colleague", "county_office", COUNTY)
    for act in (saved.remove, lambda **which: saved.rename(name="乙", **which)):
        with pytest.raises(NotVisible):
            act(viewer=viewer(colleague), filter_id=mine.pk)
    browser = client_for(colleague)
    for route in ("accounts:rename_filter", "accounts:remove_filter"):
        assert browser.post(reverse(route, args=[mine.pk]), {"name": "乙"}).status_code == 404
    assert "甲" not in page(browser, "accounts:filters")
    assert SavedFilter.objects.get(pk=mine.pk).name == "甲"


def test_one_is_renamed_and_removed(browser, officer):
    keep(browser, name="甲", state="overdue")
    keep(browser, name="乙", state="closed")
    first, second = saved.lines(viewer(officer))
    rename = reverse("accounts:rename_filter", args=[second.id])
    refused = browser.post(rename, {"name": first.name})
    assert refused.status_code == 400
    assert f'value="{first.name}"' in refused.content.decode()
    assert browser.post(rename, {"name": "月底"}).status_code == 302
    assert browser.post(reverse("accounts:remove_filter", args=[first.id])).status_code == 302
    assert [line.name for line in saved.lines(viewer(officer))] == ["月底"]
    assert browser.get(reverse("accounts:remove_filter", args=[first.id])).status_code == 405


def test_a_filter_of_a_list_nobody_offers_any_more_is_left_out(officer):
    SavedFilter.objects.create(user_id=officer.pk, page="gone", name="旧", query="", saved_on=dt.date(2020, 1, 1))
    assert saved.lines(viewer(officer)) == []


def test_findings_open_in_the_newest_run(browser):
    assert browser.get(reverse("comparison:findings"), {"rule": "RA-02"})["Location"] == reverse("comparison:runs")
