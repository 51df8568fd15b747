"""Change requests: what stands at once, what waits where, who decides, and what two people's changes make together."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import accounts
from tests.factories import registry as factory
from tests.factories.registry import BUILDER, COUNTY, TOWNSHIPS
from wanjia.accounts import deputies
from wanjia.accounts.models import User
from wanjia.accounts.queries import able_at
from wanjia.accounts.services import lock
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.models import Parameter, Revision
from wanjia.registry.choices import ItemState, RequestState
from wanjia.registry.errors import (
    ConflictsUndecided,
    NothingProposed,
    NotYourRequest,
    RecordChangedMeanwhile,
    RequestOver,
    ValueNotAccepted,
)
from wanjia.registry.fields import FIELDS
from wanjia.registry.models import Change, ChangeRequest, ChangeRequestItem, Household, HouseholdYear
from wanjia.registry.requests import queries
from wanjia.registry.requests.deadlines import waiting_for
from wanjia.registry.requests.merging import Merge, merge
from wanjia.registry.requests.policy import GROUPS, group_of
from wanjia.registry.requests.services import Desk, approve, decline, desk_now, submit, withdraw
from wanjia.registry.services import Edit, correct
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db
WHY = "入户核实后更正"
OPENS = system_viewer("accounts.administer")
HOUSEHOLDS = "/registry/households/"


@pytest.fixture(scope="module")
def county(stands):
    built = factory.build()
    built.users["colleague"] = accounts.account("colleague", "county_office", COUNTY)
    return built


def propose(county, who="village", household_no=1, people=None, **values):
    edits = [Edit(name, value, household_no=household_no) for name, value in values.items()]
    edits += [Edit(name, value, person_no=number) for number, name, value in people or ()]
    return submit(viewer=county.viewer(who), household_no=household_no, edits=edits, reason=WHY)


def typed_into(form):
    """A form as a browser sends it back untouched."""
    return {field.html_name: "" if field.value() is None else field.value() for field in form}


def request_of(submitted) -> ChangeRequest:
    (number,) = submitted.requests
    return ChangeRequest.objects.visible_to(BUILDER).get(pk=number)


def states(request):
    return [item.state for item in ChangeRequestItem.objects.visible_to(BUILDER).filter(request=request).order_by("pk")]


def year(household_no=1):
    return HouseholdYear.objects.visible_to(BUILDER).get(household_no=household_no, year=2020)


def test_every_field_that_may_be_changed_has_a_group_and_the_group_a_parameter(county):
    groups = {group_of(field) for field in FIELDS.values() if field.editable}
    assert groups == set(GROUPS)
    assert {f"registry.review.{group}" for group in GROUPS} == set(
        Parameter.objects.filter(name__startswith="registry.review.").values_list("name", flat=True)
    )


def test_a_phone_stands_at_once_and_an_income_waits_for_township_and_county(county):
    done = propose(county, phone="13900139000", wage_income="32000")

    assert (done.changed.fields, done.waiting) == (1, 1)
    assert county.household(1).phone.clear() == "13900139000"
    assert not HouseholdYear.objects.visible_to(BUILDER).filter(household_no=1, year=2020).exists()
    request = request_of(done)
    assert (request.state, request.levels) == (RequestState.TOWNSHIP, 2)

    approve(viewer=county.viewer("township"), request_id=request.pk)
    request.refresh_from_db()
    assert (request.state, request.reviewed_by) == (RequestState.COUNTY, county.users["township"].pk)
    approve(viewer=county.viewer("county"), request_id=request.pk, note="属实")

    request.refresh_from_db()
    assert (request.state, request.note, states(request)) == (RequestState.APPLIED, "属实", [ItemState.APPLIED])
    assert year().wage_income == 3_200_000
    change = Change.objects.visible_to(BUILDER).get(event_id=request.event_id, field="wage_income")
    assert (change.by_user, change.reason, change.year) == (county.users["county"].pk, WHY, 2020)
    entry = Opening.objects.visible_to(BUILDER).get(event_id=request.event_id)
    assert entry.payload["content"]["proposed_by"] == county.users["village"].pk
    acts = Opening.objects.visible_to(BUILDER).filter(act__startswith="registry.").order_by("pk")
    assert [act for act in acts.values_list("act", flat=True) if act != "registry.load"] == [
        "registry.correct", "registry.propose", "registry.review", "registry.correct", "registry.approve",
    ]  # fmt: skip


def test_a_township_alone_decides_what_one_level_looks_at(county):
    request = request_of(propose(county, fuel="04"))
    assert request.levels == 1
    with pytest.raises(NotAllowed):  # the county acts at its own desk
        approve(viewer=county.viewer("county"), request_id=request.pk)
    approve(viewer=county.viewer("township"), request_id=request.pk)
    assert year().fuel == "04"


def test_a_contact_only_proposes_even_what_stands_at_once_for_others(county):
    done = propose(county, "contact", phone="13900139000")

    assert (done.changed.fields, done.waiting) == (0, 1)
    item = ChangeRequestItem.objects.visible_to(BUILDER).get(request=request_of(done))
    assert (item.base, item.wanted, item.wanted_sealed.clear()) == ("", "", "13900139000")
    with pytest.raises(NotVisible):
        propose(county, "contact", household_no=3, phone="13900139000")
    with pytest.raises(NotVisible):  # a person of another household
        propose(county, "contact", people=[(9, "member_phone", "13900139000")])


def test_the_policy_is_data(county):
    with unrecorded():
        Parameter.objects.filter(name="registry.review.income").update(value=0)
        Revision.objects.update_or_create(pk=1, defaults={"token": "0" * 32})
    look_again_everywhere()

    done = propose(county, wage_income="100")

    assert (done.waiting, year().wage_income) == (0, 10_000)


def test_the_countys_own_proposal_waits_for_a_colleague(county):
    request = request_of(propose(county, "county", main_cause="01"))

    assert request.state == RequestState.COUNTY
    with pytest.raises(NotYourRequest):
        approve(viewer=county.viewer("county"), request_id=request.pk)
    assert waiting_for(county.viewer("county")).at_desk == 0
    assert waiting_for(county.viewer("colleague")).at_desk == 1
    approve(viewer=county.viewer("colleague"), request_id=request.pk)
    assert county.household(1).main_cause == "01"


def test_the_page_says_whose_turn_it_is_and_when_nobody_there_may_decide(enter, county):
    request = request_of(propose(county, "county", main_cause="01"))
    address = reverse("registry:request", args=[request.pk])
    page = enter("village").get(address).content.decode()
    assert "都安瑶族自治县 县级扶贫办" in page
    assert "都不能审核本申请" not in page, "a colleague may"
    lock(viewer=OPENS, user_id=county.users["colleague"].pk, reason="调离本单位")
    page = enter("village").get(address).content.decode()
    assert "都不能审核本申请" in page
    assert "由乡镇或村的同事提出" in page


def test_the_page_says_that_nobody_has_the_post(enter, county):
    request = request_of(propose(county, fuel="04"))
    address = reverse("registry:request", args=[request.pk])
    page = enter("village").get(address).content.decode()
    assert "乡镇审核人" in page
    assert "无人担任此岗位" not in page
    lock(viewer=OPENS, user_id=county.users["township"].pk, reason="调离本单位")
    assert "无人担任此岗位" in enter("village").get(address).content.decode()


def test_a_deputy_of_who_has_the_post_is_somebody_who_may_decide(county):
    county.users["officer"] = accounts.account("officer", "information_officer", TOWNSHIPS[0])
    request = request_of(propose(county, "village", fuel="04"))
    stands_in(county, "township", "officer")
    seat = TOWNSHIPS[0]
    assert able_at("registry.approve", seat) == {county.users[who].pk for who in ("township", "officer")}
    assert able_at("registry.reveal", seat) == {county.users["township"].pk}, "that is not for deputies"
    assert desk_now(request) == Desk(seat, held=True, free=True)


def stands_in(county, principal, deputy):
    day = clock.today()
    return deputies.name_deputy(
        viewer=county.viewer(principal), deputy_id=county.users[deputy].pk, area_code=TOWNSHIPS[0],
        valid_from=day, valid_to=day + timedelta(days=3), reason="年休假",
    )  # fmt: skip


def test_a_deputyship_ended_the_same_day_makes_no_second_pair_of_eyes(county):
    """The township names the proposer its deputy, he proposes, the township ends it and would approve."""
    county.users["officer"] = accounts.account("officer", "information_officer", TOWNSHIPS[0])
    named = stands_in(county, "township", "officer")
    request = request_of(propose(county, "officer", fuel="04"))
    deputies.end_deputy(viewer=county.viewer("township"), deputyship_id=named.pk)
    with pytest.raises(NotYourRequest) as refused:
        approve(viewer=county.viewer("township"), request_id=request.pk)
    assert "代理人与被代理人视为一人" in " ".join(refused.value.sentences("zh"))


def test_a_deputys_proposal_begins_where_his_own_post_begins(county):
    county.users["officer"] = accounts.account("officer", "information_officer", TOWNSHIPS[0])
    stands_in(county, "township", "officer")
    request = request_of(propose(county, "officer", wage_income="32000"))
    assert (request.levels, request.state) == (2, RequestState.TOWNSHIP)


@pytest.mark.parametrize("who", ["province", "city", "next_township", "next_county", "verifier", "contact", "auditor"])
def test_nobody_else_decides(county, who):
    request = request_of(propose(county, fuel="04"))
    with pytest.raises((NotAllowed, NotVisible)):
        approve(viewer=county.viewer(who), request_id=request.pk)
    assert waiting_for(county.viewer(who)).at_desk == 0


def test_a_relative_does_not_decide(county):
    request = request_of(propose(county, fuel="04"))
    with unrecorded():
        User.objects.visible_to(BUILDER).filter(pk=county.users["township"].pk).update(
            id_key=county.person(1).person_key
        )
    with pytest.raises(NotYourRequest):
        approve(viewer=county.viewer("township"), request_id=request.pk)


def test_declined_and_withdrawn_requests_change_nothing_and_are_over(county):
    request = request_of(propose(county, fuel="04"))
    with pytest.raises(NotYourRequest):
        withdraw(viewer=county.viewer("county"), request_id=request.pk)
    withdraw(viewer=county.viewer("village"), request_id=request.pk)
    with pytest.raises(RequestOver):
        approve(viewer=county.viewer("township"), request_id=request.pk)

    other = request_of(propose(county, fuel="04"))
    decline(viewer=county.viewer("township"), request_id=other.pk, note="与照片不符")
    other.refresh_from_db()
    assert (other.state, other.note) == (RequestState.DECLINED, "与照片不符")
    assert not HouseholdYear.objects.visible_to(BUILDER).filter(household_no=1, year=2020).exists()


def test_what_somebody_else_wrote_meanwhile_is_a_conflict_somebody_decides(county):
    request = request_of(propose(county, main_cause="01", cause_note="长期患病", household_category="04"))
    viewer = county.viewer("county")
    others = [Edit("main_cause", "02", household_no=1), Edit("household_category", "04", household_no=1)]
    correct(viewer=viewer, edits=others, reason=WHY)
    approve(viewer=county.viewer("township"), request_id=request.pk)

    lines = {line.field.id: line for line in queries.lines_of(request)}
    assert {name: line.merge for name, line in lines.items()} == {
        "main_cause": Merge.CONFLICT, "cause_note": Merge.APPLY, "household_category": Merge.ALREADY,
    }  # fmt: skip
    with pytest.raises(ConflictsUndecided):
        approve(viewer=county.viewer("colleague"), request_id=request.pk)
    take = {lines["main_cause"].item.pk: False}
    approve(viewer=county.viewer("colleague"), request_id=request.pk, take=take)

    home = county.household(1)
    assert (home.main_cause, home.cause_note, home.household_category) == ("02", "长期患病", "04")
    assert sorted(states(request)) == [ItemState.ALREADY, ItemState.APPLIED, ItemState.KEPT]


def test_what_is_no_such_value_or_no_change_is_not_proposed(county):
    with pytest.raises(ValueNotAccepted):
        propose(county, main_cause="77")
    with pytest.raises(NothingProposed):
        propose(county, main_cause="07")
    assert not ChangeRequest.objects.visible_to(BUILDER).exists()


TEXTS = st.sampled_from(["", "01", "02", "03"])


@given(base=TEXTS, mine=TEXTS, yours=TEXTS)
def test_two_edits_in_either_order_give_the_same_value_or_both_orders_a_conflict(base, mine, yours):
    def after(first, second):
        return merge(base, first, second)

    one, other = after(mine, yours), after(yours, mine)
    assert (one is Merge.CONFLICT) == (other is Merge.CONFLICT)
    if one is not Merge.CONFLICT:
        last = yours if one in (Merge.APPLY, Merge.ALREADY) else mine
        assert last == (mine if other in (Merge.APPLY, Merge.ALREADY) else yours)


EDITS = st.dictionaries(st.sampled_from(["main_cause", "cause_note", "hamlet"]), st.sampled_from(["01", "02"]))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mine=EDITS, yours=EDITS)
def test_two_submissions_in_either_order_end_alike(county, mine, yours):
    """Both saw the same page; the second one learns of a conflict exactly where the other order has one."""
    ends = []
    viewer = county.viewer("county")
    seen = {name: str(getattr(county.household(1), name)) for name in ("main_cause", "cause_note", "hamlet")}
    for order in ((mine, yours), (yours, mine)):
        with transaction.atomic():
            refused = False
            for values in order:
                edits = [Edit(name, new, household_no=1, expected_old=seen[name]) for name, new in values.items()]
                try:
                    with transaction.atomic():
                        correct(viewer=viewer, edits=edits, reason=WHY)
                except RecordChangedMeanwhile:
                    refused = True
            found = Household.objects.visible_to(BUILDER).get(pk=1)
            values_now = {name: getattr(found, name) for name in seen}
            ends.append(("conflict",) if refused else values_now)
            transaction.set_rollback(True)
    assert ends[0] == ends[1]


def test_an_officer_changes_a_phone_and_an_income_on_the_pages(enter, county):
    client = enter("village")
    page = client.get(f"{HOUSEHOLDS}1/correct/", {"part": "income"})
    shown = typed_into(page.context["form"])
    assert "工资性收入（元）" in page.content.decode()

    answer = client.post(
        f"{HOUSEHOLDS}1/correct/?part=income", shown | {"wage_income-1": "21,000.5", "reason": WHY}, follow=True
    )

    assert "1 项须经审核" in answer.content.decode()
    (request,) = ChangeRequest.objects.visible_to(BUILDER)
    waiting = enter("township").get("/registry/requests/")
    assert [row.request.pk for row in waiting.context["waiting"]] == [request.pk]
    page = enter("township").get(f"/registry/requests/{request.pk}/")
    assert "21,000.50 元" in page.content.decode()
    assert page.context["year"] == 2020
    enter("township").post(f"/registry/requests/{request.pk}/", {"decision": "approve", "note": ""})
    enter("county").post(f"/registry/requests/{request.pk}/", {"decision": "approve", "note": ""})
    assert year().wage_income == 2_100_050
    assert enter("next_township").get(f"/registry/requests/{request.pk}/").status_code == 404


def test_a_page_seen_before_somebody_elses_change_says_so_and_is_saved_the_second_time(enter, county):
    client = enter("county")
    page = client.get(f"{HOUSEHOLDS}1/correct/")
    shown = typed_into(page.context["form"]) | {"reason": WHY}
    correct(viewer=county.viewer("colleague"), edits=[Edit("hamlet", "上屯", household_no=1)], reason=WHY)

    answer = client.post(f"{HOUSEHOLDS}1/correct/", shown | {"hamlet-1": "下屯"})

    assert answer.status_code == 400
    assert "已被他人改为“上屯”" in answer.content.decode()
    again = typed_into(answer.context["form"])
    assert again["hamlet-1"] == "下屯"
    assert client.post(f"{HOUSEHOLDS}1/correct/", again).status_code == 302
    assert county.household(1).hamlet == "下屯"


def test_several_codes_are_ticked(enter, county):
    client = enter("county")
    page = client.get(f"{HOUSEHOLDS}1/correct/", {"part": "people"})
    shown = typed_into(page.context["form"])
    sent = shown | {"health-3": ["02", "04"], "reason": WHY}

    assert client.post(f"{HOUSEHOLDS}1/correct/?part=people", sent).status_code == 302
    (request,) = ChangeRequest.objects.visible_to(BUILDER)
    (line,) = queries.lines_of(request)
    assert (line.field.id, line.base, line.wanted) == ("health", "01", "02,04")


def test_every_part_of_the_form_opens_and_an_unchanged_one_says_so(enter, county):
    client = enter("county")
    for part in ("basics", "people", "income", "living", "relocation"):
        page = client.get(f"{HOUSEHOLDS}1/correct/", {"part": part})
        shown = typed_into(page.context["form"]) | {"reason": WHY}
        answer = client.post(f"{HOUSEHOLDS}1/correct/?part={part}", shown)
        assert answer.status_code == 400, part
        assert not {name for name in answer.context["form"].errors if name != "__all__"}, part
        assert "没有填写与现值不同的内容" in answer.content.decode()
