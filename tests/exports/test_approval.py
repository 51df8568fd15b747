"""A list longer than the parameter says leaves once somebody else has approved this very one."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.factories import registry as factory
from tests.factories.accounts import account, client_for, viewer
from tests.factories.exports import limit, request_at
from tests.factories.registry import BUILDER
from wanjia.accounts import deputies
from wanjia.accounts.models import User
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.exports import queries, services
from wanjia.exports.choices import State
from wanjia.exports.errors import AlreadyDecided, NoApprovalNeeded, NotYourOwn, RowsChanged
from wanjia.exports.models import ExportRequest
from wanjia.kernel import clock
from wanjia.reference.services import load_reference
from wanjia.registry.models import Household
from wanjia.registry.services.export import exportable
from wanjia.scope.errors import NotAllowed, NotVisible

pytestmark = pytest.mark.django_db

COUNTY = "451228"
FILTER = {"area": COUNTY, "standing": "live"}


@pytest.fixture
def officer(db):
    load_reference()
    factory.build()
    limit(1)
    return account("exporter", "county_office", COUNTY)


@pytest.fixture
def head(officer):
    return viewer(account("head", "county_office", COUNTY))


@pytest.fixture
def browser(officer):
    return client_for(officer)


@pytest.fixture
def asked(officer):
    his = viewer(officer)
    return services.ask(viewer=his, code="households", values=FILTER, expected=count(his), reason="月报核对")


def count(his, **more):
    return exportable(his, {**FILTER, **more}).rows


def fetch(browser, row, **more):
    return browser.get(reverse("registry:export"), {**FILTER, "request": row.pk, **more})


def state(row):
    return ExportRequest.objects.visible_to(BUILDER).get(pk=row.pk).state


def acts():
    rows = Opening.objects.visible_to(BUILDER).filter(act__startswith="exports.") | Opening.objects.visible_to(
        BUILDER
    ).filter(act="registry.export")
    return [(row.act, row.payload["content"].get("request")) for row in rows.order_by("pk")]


def test_a_long_list_is_refused_and_says_what_to_do(browser):
    answer = browser.get(reverse("registry:export"), FILTER)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "超过无需审批的 1 行" in text
    assert "申请导出" in text
    page = browser.get(reverse("registry:households"), FILTER).content.decode()
    assert reverse("exports:ask", args=["households"]) in page
    assert "导出 Excel" not in page
    assert acts() == []


def test_a_short_list_leaves_as_before(browser, officer):
    limit(count(viewer(officer)))
    assert browser.get(reverse("registry:export"), FILTER).status_code == 200
    his = viewer(officer)
    with pytest.raises(NoApprovalNeeded):
        services.ask(viewer=his, code="households", values=FILTER, expected=count(his), reason="月报核对")


def test_asked_for_approved_by_another_and_fetched_once(browser, officer, head):
    page = reverse("exports:ask", args=["households"]) + "?" + "&".join(f"{k}={v}" for k, v in FILTER.items())
    assert browser.get(page).context["form"].initial == {"expected": count(viewer(officer))}
    answer = browser.post(page, {"expected": count(viewer(officer)), "reason": "月报核对"})
    (row,) = ExportRequest.objects.own(viewer(officer))
    assert answer["Location"] == reverse("exports:request", args=[row.pk])
    assert fetch(browser, row).status_code == 409, "nobody has said yes"

    deciding = client_for(account("deciding", "county_office", COUNTY))
    shown = deciding.get(answer["Location"]).content.decode()
    assert "月报核对" in shown
    assert "地点" in shown
    heads = Household.objects.visible_to(BUILDER).values_list("pk", flat=True)
    assert not any(f"/registry/households/{number}/" in shown for number in heads), "the conditions, not the rows"
    assert deciding.post(answer["Location"], {"decision": "approve", "note": ""}).status_code == 302

    mine = browser.get(answer["Location"]).context["line"]
    got = browser.get(mine.fetch)
    assert got.status_code == 200
    assert len(b"".join(got.streaming_content).decode("utf-8-sig").splitlines()) == row.expected + 2
    assert fetch(browser, row).status_code == 409, "once"
    assert state(row) == State.FETCHED
    assert acts() == [("exports.ask", row.pk), ("exports.approve", row.pk), ("registry.export", row.pk)]


def test_nobody_approves_his_own(asked, officer, browser):
    with pytest.raises(NotYourOwn):
        services.decide(viewer=viewer(officer), request_id=asked.pk, approve=True)
    answer = browser.post(reverse("exports:request", args=[asked.pk]), {"decision": "approve", "note": ""})
    assert answer.status_code == 400
    assert asked.pk not in queries.waiting(viewer(officer)).values_list("pk", flat=True)
    assert state(asked) == State.ASKED


def test_a_deputy_and_his_principal_are_one(asked, officer, head):
    colleague = next(one for one in deputies.colleagues(viewer(officer)) if one.user_id == head.user_id)
    deputies.name_deputy(
        viewer=viewer(officer), deputy_id=colleague.user_id, area_code=colleague.area_code,
        valid_from=clock.today(), valid_to=clock.today() + dt.timedelta(days=3), reason="年休假",
    )  # fmt: skip
    with pytest.raises(NotYourOwn):
        services.decide(viewer=head, request_id=asked.pk, approve=True)


def test_a_changed_filter_or_count_is_another_list(asked, officer, browser, head):
    services.decide(viewer=head, request_id=asked.pk, approve=True)
    assert fetch(browser, asked, standing="all").status_code == 409
    with unrecorded():
        gone = Household.objects.visible_to(BUILDER).filter(village_code__startswith=COUNTY, standing="live").first()
        Household.objects.visible_to(BUILDER).filter(pk=gone.pk).update(village_code="451229101001")
    answer = fetch(browser, asked)
    assert answer.status_code == 409
    assert "名单有变动" in answer.content.decode()
    assert state(asked) == State.APPROVED
    with pytest.raises(RowsChanged):
        services.ask(viewer=viewer(officer), code="households", values=FILTER, expected=asked.expected, reason="再来")


def test_after_its_time_it_is_over(asked, browser, head):
    services.decide(viewer=head, request_id=asked.pk, approve=True)
    with unrecorded():
        ExportRequest.objects.visible_to(BUILDER).filter(pk=asked.pk).update(
            expires_at=clock.now() - dt.timedelta(seconds=1)
        )
    answer = fetch(browser, asked)
    assert answer.status_code == 409
    assert "已过期" in answer.content.decode()
    assert browser.get(reverse("exports:request", args=[asked.pk])).context["line"].fetch == ""


def test_declined_with_a_reason_it_stays_declined(asked, browser, head):
    deciding = client_for(account("strict", "county_office", COUNTY))
    page = reverse("exports:request", args=[asked.pk])
    assert deciding.post(page, {"decision": "decline", "note": ""}).status_code == 400
    assert deciding.post(page, {"decision": "decline", "note": "用途不清"}).status_code == 302
    assert fetch(browser, asked).status_code == 409
    with pytest.raises(AlreadyDecided):
        services.decide(viewer=head, request_id=asked.pk, approve=True)
    assert "用途不清" in browser.get(page).content.decode()


def test_another_area_decides_nothing_and_another_person_fetches_nothing(asked, officer, head):
    foreign = viewer(account("foreign", "county_office", "451229"))
    with pytest.raises(NotVisible):
        services.decide(viewer=foreign, request_id=asked.pk, approve=True)
    township = viewer(account("below", "township_reviewer", "451228101"))
    with pytest.raises(NotVisible):
        services.decide(viewer=township, request_id=asked.pk, approve=True)
    city = viewer(account("above", "city_office", "4512"))
    services.decide(viewer=city, request_id=asked.pk, approve=True)
    other = client_for(account("other", "county_office", COUNTY))
    assert fetch(other, asked).status_code == 409
    assert state(asked) == State.APPROVED


def test_who_may_not_export_asks_for_nothing(officer):
    reader = viewer(account("reader", "city_office", "4512"))
    with pytest.raises(NotAllowed):
        services.ask(viewer=reader, code="households", values={}, expected=5, reason="看看")
    assert client_for(account("reader2", "city_office", "4512")).get("/exports/ask/households/").status_code == 404
    assert client_for(officer).get("/exports/ask/nothing/").status_code == 404


def test_a_list_of_the_page_shows_only_what_waits_for_me(officer, head):
    mine, foreign = request_at(COUNTY, "本县"), request_at("451229", "邻县")
    waiting = queries.waiting(head).values_list("pk", flat=True)
    assert mine.pk in waiting
    assert foreign.pk not in waiting


def test_both_are_told_at_home(asked, officer, browser):
    deciding = client_for(account("deciding", "county_office", COUNTY))
    assert "等我审批的导出申请 <b>1</b> 件" in deciding.get("/").content.decode()
    assert "导出申请 <b>" not in browser.get("/").content.decode(), "not one's own"
    services.decide(
        viewer=viewer(User.objects.visible_to(BUILDER).get(username="deciding")), request_id=asked.pk, approve=True
    )
    assert "我申请的导出已批准，可以下载 <b>1</b> 件" in browser.get("/").content.decode()
    assert "等我审批" not in deciding.get("/").content.decode()
    with clock.frozen(clock.today() + dt.timedelta(days=400)):
        assert queries.home(viewer(officer)).ready == 0, "it has expired"
