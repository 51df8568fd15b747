"""A colleague stands in for somebody on leave: his queue, in his name, for a time, and never as a second pair of eyes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from tests.comparison.test_flow import cases, do, down_to_town, photograph, row  # noqa: F401 - the fixture
from tests.factories.accounts import client_for
from wanjia.accounts import deputies
from wanjia.accounts.errors import DeputyExists, DeputyPeriodUnusable, NotOfYourOffice
from wanjia.accounts.models import Deputyship, GrantRow
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.services import NewAccount, NewGrant, lock, open_accounts, revoke
from wanjia.audit import acts
from wanjia.audit.models import Opening
from wanjia.casework import queries
from wanjia.casework.choices import Bar
from wanjia.casework.errors import NotYours
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.services import act_in_bulk
from wanjia.kernel import clock
from wanjia.registry.models import Household
from wanjia.scope.errors import NotVisible
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cases")]
EYE = system_viewer("comparison.case")
OPENS = system_viewer("accounts.administer")
TODAY, FRIDAY = dt.date(2020, 11, 16), dt.date(2020, 11, 20)
TOWN = "451228100"


@pytest.fixture
def also(office):
    """More people at the same desks; each with his posts."""

    def open_one(name, *posts):
        account = NewAccount(name, name.title(), posts[0][1], grants=[NewGrant(*post) for post in posts])
        [office.users[name]] = open_accounts(viewer=OPENS, accounts=[account])
        return office.users[name]

    return open_one


@pytest.fixture
def stands_in(office):
    def named(principal, deputy, area=TOWN, start=TODAY, last=FRIDAY):
        return deputies.name_deputy(
            viewer=office[principal], deputy_id=office.users[deputy].pk, area_code=area, valid_from=start,
            valid_to=last + dt.timedelta(days=1), reason="年休假",
        )  # fmt: skip

    return named


def test_the_log_names_the_last_day(office, also, stands_in):
    also("second", ("information_officer", TOWN))
    stands_in("verifier", "second")
    content = Opening.objects.visible_to(EYE).get(act="accounts.name_deputy").payload["content"]
    assert acts.sentence("accounts.name_deputy", "zh", content) == f"指定代理人至 {FRIDAY}：年休假"


def test_the_deputy_sees_and_does_the_verifiers_cases_in_his_name(cases, office, also, stands_in):  # noqa: F811
    also("second", ("information_officer", TOWN))
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    with pytest.raises(NotVisible):
        do(office["second"], number, "verify", outcome="06", note="登记错误")
    stands_in("verifier", "second")
    assert [case.pk for case in queries.work_queue(office["second"])] == [number]
    assert queries.waiting_for(office["second"]).all == 1
    photograph(office["second"], number)
    do(office["second"], number, "verify", outcome="06", note="登记错误")
    event = CaseEvent.objects.of(row(number)).get(action="verify")
    assert (event.by_user, event.data["for"]) == (office["second"].user_id, office["verifier"].user_id)
    assert queries.history(row(number), "zh")[-1].by == "Second（代Verifier）"
    entry = Opening.objects.visible_to(EYE).get(act="suspect.verify")
    assert entry.payload["content"]["for"] == office["verifier"].user_id


def test_it_ends_by_itself_and_on_request(cases, office, also, stands_in):  # noqa: F811
    also("second", ("information_officer", TOWN))
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    row_of = stands_in("verifier", "second", start=dt.date(2020, 11, 17))
    for day, sees in ((16, False), (17, True), (20, True), (21, False)):
        with clock.frozen(dt.date(2020, 11, day)):
            assert bool(queries.work_queue(office["second"])) is sees, day
    with pytest.raises(NotVisible):
        deputies.end_deputy(viewer=office["second"], deputyship_id=row_of.pk)
    with pytest.raises(NotVisible):
        deputies.end_deputy(viewer=office["next_town"], deputyship_id=row_of.pk)
    with clock.frozen(dt.date(2020, 11, 18)):
        deputies.end_deputy(viewer=office["verifier"], deputyship_id=row_of.pk)
        assert not queries.work_queue(office["second"])


def test_it_is_never_more_than_the_principals_own_grants(cases, office, also, stands_in):  # noqa: F811
    also("clerk", ("township_reviewer", TOWN))
    stands_in("town", "clerk")
    assert office["clerk"].may("suspects.assign", TOWN)
    stands_in("verifier", "town")
    assert office["town"].stands_in_for == {office["verifier"].user_id}
    # what a colleague lends is not lent on
    assert office["clerk"].stands_in_for == {office["town"].user_id}
    assert not office["clerk"].may("suspects.verify", TOWN)
    assert not any(grant.on_behalf_of and "registry.reveal" in grant.actions for grant in office["clerk"].grants)
    assert office["town"].grants_for("suspects.verify")
    lock(viewer=OPENS, user_id=office.users["verifier"].pk, reason="离岗")
    assert not office["town"].grants_for("suspects.verify")
    [grant] = GrantRow.objects.visible_to(OPENS).filter(user=office.users["town"])
    revoke(viewer=OPENS, grant_id=grant.pk)
    assert not any(grant.on_behalf_of for grant in office["clerk"].grants), (
        "the day he loses the post, so does his deputy"
    )


def test_only_a_colleague_of_the_same_office_for_a_while_and_one_at_a_time(office, also, stands_in):
    also("second", ("information_officer", TOWN))
    also("contact", ("household_contact", TOWN))
    also("guard", ("security_admin", "451228"))
    also("watch", ("auditor", "451228"))
    names = {(one.name, one.area_code) for one in deputies.colleagues(office["verifier"])}
    assert names == {("Town", TOWN), ("Second", TOWN)}
    assert {one.name for one in deputies.colleagues(office["county"])} == {"Second County"}
    for who, area in (("next_verifier", TOWN), ("contact", TOWN), ("verifier", TOWN), ("second", "451228")):
        with pytest.raises(NotOfYourOffice):
            stands_in("verifier", who, area)
    for start, last in ((dt.date(2020, 11, 15), FRIDAY), (FRIDAY, TODAY), (TODAY, dt.date(2021, 11, 16))):
        with pytest.raises(DeputyPeriodUnusable):
            stands_in("verifier", "second", start=start, last=last)
    stands_in("verifier", "second")
    with pytest.raises(DeputyExists):
        stands_in("verifier", "town", start=FRIDAY, last=dt.date(2020, 11, 27))
    stands_in("verifier", "town", start=dt.date(2020, 11, 21), last=dt.date(2020, 11, 27))
    assert Deputyship.objects.visible_to(OPENS).count() == 2


def _reviewable(office, number):
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    do(office["verifier"], number, "verify", outcome="06", note="登记错误")


def test_deputy_and_principal_are_one_pair_of_eyes(cases, office, also, stands_in):  # noqa: F811
    """The verifier's deputy does not review what he verified; nor does the reviewer whose deputy verified."""
    also("clerk", ("township_reviewer", TOWN))
    number, other = cases["RA-02"], cases["RA-02B"]
    _reviewable(office, number)
    stands_in("verifier", "clerk")
    with pytest.raises(NotYours) as refusal:
        do(office["clerk"], number, "review")
    assert refusal.value.values["bar"] == Bar.TOOK_PART
    do(office["town"], number, "review")
    # the clerk verifies in the verifier's stead: neither of the two reviews it, then or after the leave
    do(office["town"], other, "assign", assignee=office["verifier"].user_id)
    do(office["clerk"], other, "verify", outcome="06", note="登记错误")
    for day in (16, 23):
        with clock.frozen(dt.date(2020, 11, day)), pytest.raises(NotYours):
            do(office["clerk"], other, "review")
    assert {item.bar for item in queries.offers(office["town"], row(other)) if item.action.code == "review"} == {None}


def test_what_the_deputy_did_then_binds_his_principal_afterwards(cases, office, also, stands_in):  # noqa: F811
    also("both", ("information_officer", TOWN), ("township_reviewer", TOWN))
    also("second", ("information_officer", TOWN))
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["both"].user_id)
    stands_in("both", "second")
    do(office["second"], number, "verify", outcome="06", note="登记错误")
    with clock.frozen(dt.date(2020, 12, 1)), pytest.raises(NotYours) as refusal:
        do(office["both"], number, "review")
    assert refusal.value.values["bar"] == Bar.TOOK_PART


def test_ending_it_the_same_day_makes_no_second_pair_of_eyes(cases, office, also, stands_in):  # noqa: F811
    """Named in the morning, ended at noon: what the deputy did in between was the principal's."""
    also("both", ("information_officer", TOWN), ("township_reviewer", TOWN))
    also("second", ("information_officer", TOWN))
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["both"].user_id)
    named = stands_in("both", "second")
    do(office["second"], number, "verify", outcome="06", note="登记错误")
    deputies.end_deputy(viewer=office["both"], deputyship_id=named.pk)
    for day in (16, 17):
        with clock.frozen(dt.date(2020, 11, day)), pytest.raises(NotYours) as refusal:
            do(office["both"], number, "review")
        assert refusal.value.values["bar"] == Bar.TOOK_PART
    do(office["town"], number, "review")


def test_whoever_was_a_deputy_at_any_moment_of_the_day_is_one_with_his_principal(office, also, stands_in):
    """Ended on its first day, in the middle, or before it began."""
    also("second", ("information_officer", TOWN))
    town, second = office["verifier"].user_id, office.users["second"].pk

    def one_on(day):
        return [link.on(dt.date(2020, 11, day)) for link in deputies.links_of([town]) if link.other_id == second]

    first = stands_in("verifier", "second")
    deputies.end_deputy(viewer=office["verifier"], deputyship_id=first.pk)
    assert [one_on(day) for day in (15, 16, 17)] == [[False], [True], [False]]
    later = stands_in("verifier", "second", start=dt.date(2020, 11, 18))
    deputies.end_deputy(viewer=office["verifier"], deputyship_id=later.pk)
    assert [any(one_on(day)) for day in (16, 17, 18)] == [True, False, False], "what never began joins nobody"


def test_what_a_deputy_gave_back_his_principal_does_not_give_back_again(cases, office, also, stands_in):  # noqa: F811
    also("second", ("information_officer", TOWN))
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    named = stands_in("verifier", "second")
    do(office["second"], number, "give_back", why="absent", reason="出差")
    deputies.end_deputy(viewer=office["verifier"], deputyship_id=named.pk)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    with pytest.raises(NotYours) as refusal:
        do(office["verifier"], number, "give_back", why="absent", reason="又出差")
    assert refusal.value.values["bar"] == Bar.RETURNED


def test_a_deputy_who_leaves_the_office_acts_for_nobody_there(office, also, stands_in):
    """His own post is gone, his account is not; what he was lent goes with the post."""
    also("second", ("information_officer", TOWN), ("household_contact", TOWN))
    stands_in("verifier", "second")
    assert office["second"].stands_in_for
    for grant in GrantRow.objects.visible_to(OPENS).filter(user=office.users["second"], role="information_officer"):
        revoke(viewer=OPENS, grant_id=grant.pk)
    assert not office["second"].stands_in_for


def test_a_departments_officer_lends_its_records_to_nobody(office):
    """Whoever has a post of the county is no colleague of the traffic police there."""
    grants = [NewGrant("department_officer", "451228", Relation.OWN_DEPARTMENT, "gongan")]
    [user] = open_accounts(viewer=OPENS, accounts=[NewAccount("police", "Police", "451228", grants=grants)])
    assert deputies.colleagues(viewer_for(user)) == []
    deputy = office.users["county"]
    with pytest.raises(NotOfYourOffice):
        deputies.name_deputy(
            viewer=viewer_for(user), deputy_id=deputy.pk, area_code="451228", valid_from=TODAY, valid_to=FRIDAY,
            reason="年休假",
        )  # fmt: skip


def test_where_the_principal_must_not_act_his_deputy_must_not(cases, office, also, stands_in):  # noqa: F811
    also("clerk", ("township_reviewer", TOWN))
    number = cases["RA-02"]
    _reviewable(office, number)
    Holding.objects.create(
        user_id=office["town"].user_id, relation="own_households", subject_kind="household", subject_id=1,
        valid_from=dt.date(2020, 1, 1),
    )  # fmt: skip
    do_free = {item.action.code: item.bar for item in queries.offers(office["clerk"], row(number))}
    assert do_free["review"] is None
    stands_in("town", "clerk")
    with pytest.raises(NotYours) as refusal:
        do(office["clerk"], number, "review")
    assert refusal.value.values["bar"] == Bar.PAIRED


def test_his_own_acts_stay_his_own_in_bulk_too(cases, office, stands_in):  # noqa: F811
    """Whoever has the post himself acts for himself; in bulk as singly."""
    stands_in("second_county", "county", area="451228")
    down_to_town(office)
    events = CaseEvent.objects.of_many(cases.values()).filter(action="distribute")
    assert {event.data.get("for") for event in events} == {None}


def test_the_county_decides_through_a_deputy_and_the_registry_is_written(cases, office, also, stands_in):  # noqa: F811
    """The deputy's own post does not decide; what he lends from does, in the area of both."""
    also("leader", ("county_office", "451228"))
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], number)
    do(office["verifier"], number, "verify", outcome="04", note="属实")
    do(office["operator"], number, "correct", correction={"change": "T5"})
    do(office["town"], number, "review")
    stands_in("county", "leader", area="451228")
    do(office["leader"], number, "decide")
    assert Household.objects.visible_to(EYE).get(pk=1).standing == "removed"


def test_the_page_names_a_deputy_and_ends_it(cases, office, also):  # noqa: F811
    second = also("second", ("information_officer", TOWN))
    browser = client_for(office.users["verifier"])
    page = browser.get(reverse("accounts:me")).content.decode()
    assert "请同单位的同事代办" in page
    assert "Second" not in page, "who has an account is for whoever looks after accounts"
    form = {
        "colleague": "Second",
        "office": TOWN,
        "valid_from": "2020-11-16",
        "last_day": "2020-11-15",
        "reason": "休假",
    }
    refused = browser.post(reverse("accounts:name_deputy"), form)
    assert refused.status_code == 400
    assert "代理期限不可用" in refused.content.decode()
    stranger = browser.post(reverse("accounts:name_deputy"), form | {"last_day": "2020-11-20", "colleague": "county"})
    assert "须是您在 451228100 同一单位" in stranger.content.decode()
    browser.post(reverse("accounts:name_deputy"), form | {"last_day": "2020-11-20"})
    assert "Second 代您办理核查件" in browser.get(reverse("accounts:me")).content.decode()
    assert "您代 Verifier 办理核查件" in client_for(second).get(reverse("accounts:me")).content.decode()
    [standing] = Deputyship.objects.visible_to(OPENS)
    browser.post(reverse("accounts:end_deputy", args=[standing.pk]))
    assert "代您办理核查件" not in browser.get(reverse("accounts:me")).content.decode()


def test_bulk_acts_of_a_deputy_say_for_whom(cases, office, also, stands_in):  # noqa: F811
    also("clerk", ("information_officer", TOWN))
    stands_in("town", "clerk")
    down_to_town(office)
    every = CaseFilter(kind="suspect", step="dispatched_town")
    from wanjia.casework.services import Answer

    done = act_in_bulk(
        viewer=office["clerk"], action="assign", case_filter=every, expected_count=2,
        answer=Answer(assignee=office["verifier"].user_id),
    )  # fmt: skip
    assert done.done == 2
    events = CaseEvent.objects.of_many(cases.values()).filter(action="assign")
    assert {event.data["for"] for event in events} == {office["town"].user_id}
    assert Case.objects.for_writing().filter(step="assigned").count() == 2


def test_the_page_says_why_the_deputys_principal_may_not_review(cases, office, also, stands_in):  # noqa: F811
    also("both", ("information_officer", TOWN), ("township_reviewer", TOWN))
    number = cases["RA-02"]
    down_to_town(office)
    do(office["town"], number, "assign", assignee=office["both"].user_id)
    do(office["both"], number, "verify", outcome="06", note="登记错误")
    page = client_for(office.users["both"]).get(row(number).get_absolute_url()).content.decode()
    assert "退回核查人" in page, "what he may do is offered"
    assert "审核通过：已办理过本件的前一环节，须由另一人办理" in page, "and beside it what he may not, and why"
    barred = "审核通过：与您互为代理的同事已办理过本件的前一环节"
    with clock.frozen(dt.date(2020, 11, 17)):
        named = stands_in("town", "both", start=dt.date(2020, 11, 17))
        town = client_for(office.users["town"])
        assert barred in town.get(row(number).get_absolute_url()).content.decode()
        told = town.get(reverse("accounts:me")).content.decode()
        assert "本单位有 1 件在办核查件由您二人之一办理过前一环节" in told
        deputies.end_deputy(viewer=office["town"], deputyship_id=named.pk)
        assert barred in town.get(row(number).get_absolute_url()).content.decode(), "to the end of the day"
    with clock.frozen(dt.date(2020, 11, 18)):
        assert "审核通过：" not in client_for(office.users["town"]).get(row(number).get_absolute_url()).content.decode()


def test_a_case_at_the_city_says_that_the_city_or_the_province_samples_it(cases, office):  # noqa: F811
    number = cases["RA-02"]
    _reviewable(office, number)
    do(office["town"], number, "review")
    do(office["second_county"], number, "decide")
    page = client_for(office.users["county"]).get(row(number).get_absolute_url())
    take = next(item for item in page.context["page"].cannot if item.code == "take")
    assert take.bar.startswith("该由4512的")
    assert "或45的" in take.bar


@pytest.mark.usefixtures("gazetteer")
def test_a_refused_deputy_is_told_with_the_name_of_the_office(office, stands_in):
    with pytest.raises(NotOfYourOffice) as refusal:
        stands_in("county", "town", "451228")
    assert "您在 都安县 同一单位" in refusal.value.sentences("zh")[0]
