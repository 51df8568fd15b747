"""Opening accounts and giving roles: who may, to whom, where, and what is recorded."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from tests.factories import accounts as factory
from tests.factories.accounts import PASSWORD, viewer
from wanjia.accounts import errors, queries, services
from wanjia.accounts.models import GrantRow, Role, User
from wanjia.audit.models import Outbox
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.viewer import Relation

pytestmark = pytest.mark.django_db
OPERATOR = factory.OPERATOR


def entries() -> int:
    return Outbox.objects.count()


def test_an_account_is_opened_once_and_recorded(security):
    before = entries()
    user = services.open_account(
        viewer=viewer(security),
        username="luo.ying",
        display_name=" 罗某英 ",
        area_code="451228",
        password=PASSWORD,
        id_number="459999197602290012",
        phone="13800008000",
    )
    assert (user.display_name, str(user.phone), user.check_password(PASSWORD)) == ("罗某英", "138****8000", True)
    assert entries() == before + 1
    assert queries.viewer_for(user).grants == ()
    with pytest.raises(errors.AccountTaken):
        services.open_account(
            viewer=viewer(security), username="luo.ying", display_name="另一人", area_code="451228", password=PASSWORD
        )
    assert entries() == before + 1


def test_one_person_has_one_account(security):
    who = {"display_name": "罗某英", "area_code": "451228", "password": PASSWORD, "id_number": "459999197602290012"}
    services.open_account(viewer=viewer(security), username="luo.one", **who)
    with pytest.raises(errors.AccountTaken):
        services.open_account(viewer=viewer(security), username="luo.two", **who)
    assert not User.objects.visible_to(OPERATOR).filter(username="luo.two").exists()


@pytest.mark.parametrize(
    "username",
    [
        "",
        "ab",
        "Luo",
        "luo ying",
        "-luo",
        "罗英",
        "a" * 61,
        "luo@45",
        "13812345678",
        "45999919900101123x",
        "luo-459999900101123",
    ],
)
def test_a_login_that_is_easily_mistyped_is_refused(security, username):
    with pytest.raises(errors.BadUsername):
        services.open_account(
            viewer=viewer(security), username=username, display_name="罗", area_code="45", password=PASSWORD
        )


@pytest.mark.parametrize("password", ["short-1", "onlyletters", "12345678901", "password123"])
def test_a_weak_password_opens_no_account(security, password):
    with pytest.raises(errors.WeakPassword):
        services.open_account(
            viewer=viewer(security), username="luo.ying", display_name="罗", area_code="45", password=password
        )
    assert queries.account("luo.ying") is None


def test_a_county_opens_accounts_only_in_the_county(roles):
    county = viewer(factory.account("county", "county_office", "451228"))
    services.open_account(viewer=county, username="in-county", display_name="内", area_code="451228101")
    for area in ("451229", "4512", "451229101"):
        with pytest.raises(NotAllowed):
            services.open_account(viewer=county, username="outside", display_name="外", area_code=area)


def test_a_grant_counts_from_the_next_viewer_and_its_end_too(security):
    user = factory.account("luo.ying")
    row = services.grant(viewer=viewer(security), user=user, role="township_reviewer", area_code="451228101")
    now = viewer(user)
    assert now.may("suspects.assign", "451228101")
    assert not now.may("suspects.assign", "451228102")
    services.revoke(viewer=viewer(security), grant_id=row.pk)
    assert viewer(user).grants == ()
    assert [grant.valid_to for grant in factory.grants(user)] == [clock.today()]
    with pytest.raises(errors.GrantEnded):
        services.revoke(viewer=viewer(security), grant_id=row.pk)


def test_a_contact_reads_his_households_but_verifies_only_his_cases(roles):
    seen = viewer(factory.account("contact", "household_contact", "451228101"))
    assert {grant.relation for grant in seen.grants_for("registry.read")} == {Relation.OWN_HOUSEHOLDS}
    assert {grant.relation for grant in seen.grants_for("suspects.verify")} == {Relation.OWN_CASES}
    assert seen.ranges("registry.read") == ()


def test_a_grant_is_dated(security):
    user = factory.account("luo.ying")
    today = clock.today()
    services.grant(
        viewer=viewer(security),
        user=user,
        role="village_operator",
        area_code="451228101200",
        valid_from=today + dt.timedelta(days=2),
        valid_to=today + dt.timedelta(days=4),
    )
    held = [len(queries.viewer_for(user, today + dt.timedelta(days=number)).grants) for number in range(6)]
    assert held == [0, 0, 1, 1, 0, 0]


def test_a_viewer_costs_one_query(security, django_assert_num_queries):
    user = factory.account("contact", "household_contact", "451228101")
    with django_assert_num_queries(1):
        queries.viewer_for(user)


def test_nobody_gives_wider_than_his_own_area(roles):
    county = viewer(factory.account("county", "county_office", "451228"))
    user = factory.account("luo.ying", area="451228101")
    for role, area in [
        ("township_reviewer", "451229101"),
        ("information_officer", "451229101"),
        ("county_office", "451228"),
        ("security_admin", "451228"),
        ("auditor", "451228"),
    ]:
        with pytest.raises(errors.WiderThanYours):
            services.grant(viewer=county, user=user, role=role, area_code=area)
    with pytest.raises(errors.WrongLevel):
        services.grant(viewer=county, user=user, role="township_reviewer", area_code="451228")
    assert services.grant(viewer=county, user=user, role="township_reviewer", area_code="451228101").pk
    assert len(factory.grants(user)) == 1


def test_a_township_gives_nothing(roles):
    township = viewer(factory.account("township", "township_reviewer", "451228101"))
    user = factory.account("luo.ying", area="451228101")
    with pytest.raises(errors.WiderThanYours):
        services.grant(viewer=township, user=user, role="village_operator", area_code="451228101200")


def test_nobody_gives_to_himself(security):
    with pytest.raises(errors.NotToYourself):
        services.grant(viewer=viewer(security), user=security, role="security_admin", area_code="4512")
    own = factory.grants(security)[0]
    with pytest.raises(errors.NotToYourself):
        services.revoke(viewer=viewer(security), grant_id=own.pk)
    with pytest.raises(errors.NotToYourself):
        services.lock(viewer=viewer(security), user_id=security.pk, reason="x")


DUTIES = ("system_admin", "security_admin", "audit_admin")


@pytest.mark.parametrize("first", DUTIES)
@pytest.mark.parametrize("second", [*DUTIES, "province_data_officer", "auditor"])
def test_an_administrator_of_one_duty_holds_nothing_else(security, first, second):
    user = factory.account("admin", first, "45")
    area = "4512" if first == second else "45"
    if first == second:
        services.grant(viewer=viewer(security), user=user, role=second, area_code=area)
        return
    with pytest.raises(errors.DutiesSeparated):
        services.grant(viewer=viewer(security), user=user, role=second, area_code=area)


def test_an_officer_does_not_become_administrator_beside_his_post(security):
    user = factory.account("officer", "province_data_officer", "45")
    with pytest.raises(errors.DutiesSeparated):
        services.grant(viewer=viewer(security), user=user, role="audit_admin", area_code="45")
    accounts = [
        services.NewAccount(
            "both", "双", "45", grants=[services.NewGrant("auditor", "45"), services.NewGrant("system_admin", "45")]
        )
    ]
    with pytest.raises(errors.DutiesSeparated):
        services.open_accounts(viewer=OPERATOR, accounts=accounts)
    assert queries.account("both") is None


def test_a_role_starting_later_is_separated_too(security):
    user = factory.account("officer")
    later = clock.today() + dt.timedelta(days=30)
    services.grant(viewer=viewer(security), user=user, role="audit_admin", area_code="45", valid_from=later)
    with pytest.raises(errors.DutiesSeparated):
        services.grant(viewer=viewer(security), user=user, role="system_admin", area_code="45")


def test_a_department_is_named_exactly_where_it_counts(security):
    user = factory.account("officer")
    with pytest.raises(errors.DepartmentMissing):
        services.grant(viewer=viewer(security), user=user, role="department_officer", area_code="45")
    with pytest.raises(errors.DepartmentMissing):
        services.grant(viewer=viewer(security), user=user, role="city_office", area_code="4512", department="D01")
    services.grant(viewer=viewer(security), user=user, role="department_officer", area_code="45", department="D01")
    assert viewer(user).departments("sources.load") == {"D01"}


def test_the_same_grant_twice_and_a_period_that_never_was_are_refused(security):
    user = factory.account("officer")
    what = {"user": user, "role": "city_office", "area_code": "4512"}
    services.grant(viewer=viewer(security), **what)
    with pytest.raises(errors.GrantExists):
        services.grant(viewer=viewer(security), **what)
    with pytest.raises(errors.BadPeriod):
        services.grant(viewer=viewer(security), **(what | {"area_code": "4513"}), valid_to=clock.today())


def test_a_role_given_again_after_its_end(security):
    user = factory.account("officer")
    what = {"user": user, "role": "city_office", "area_code": "4512"}
    services.revoke(viewer=viewer(security), grant_id=services.grant(viewer=viewer(security), **what).pk)
    services.grant(viewer=viewer(security), **what)
    assert viewer(user).may("suspects.dispatch", "4512")
    assert len(factory.grants(user)) == 2


def test_a_foreign_grant_cannot_be_ended(security, roles):
    county = viewer(factory.account("county", "county_office", "451228"))
    row = factory.grants(factory.account("elsewhere", "township_reviewer", "451229101"))[0]
    with pytest.raises(NotVisible):
        services.revoke(viewer=county, grant_id=row.pk)
    superior = factory.grants(factory.account("superior", "auditor", "451228"))[0]
    with pytest.raises(errors.WiderThanYours):
        services.revoke(viewer=county, grant_id=superior.pk)


def test_a_county_sees_but_does_not_lock_a_person_who_holds_more(security, roles):
    county = viewer(factory.account("county", "county_office", "451228"))
    auditor = factory.account("auditor", "auditor", "45")
    services.grant(viewer=viewer(security), user=auditor, role="information_officer", area_code="451228101")
    assert auditor in queries.people(county)
    assert [row.role_id for row in queries.grants_of(county, auditor)] == ["information_officer"]
    for act in (
        lambda: services.lock(viewer=county, user_id=auditor.pk, reason="x"),
        lambda: services.set_password(viewer=county, user_id=auditor.pk, password="another-word-7"),
    ):
        with pytest.raises((errors.WiderThanYours, NotAllowed)):
            act()


def test_a_locked_account_is_no_account(security):
    user = factory.account("luo.ying", "township_reviewer", "451228101")
    before = entries()
    services.lock(viewer=viewer(security), user_id=user.pk, reason="离岗")
    assert queries.active_account(user.pk) is None
    services.unlock(viewer=viewer(security), user_id=user.pk)
    assert queries.active_account(user.pk) == user
    assert entries() == before + 2
    services.unlock(viewer=viewer(security), user_id=user.pk)
    assert entries() == before + 2


def test_passwords_do_not_come_back(roles):
    user = factory.account("luo.ying", "township_reviewer", "451228101")
    own = viewer(user)
    passwords = [PASSWORD, *(f"another-word-{number}" for number in range(5))]
    for present, new in itertools.pairwise(passwords):
        services.change_password(viewer=own, present=present, new=new)
    for used in passwords[1:]:
        with pytest.raises(errors.WeakPassword):
            services.change_password(viewer=own, present=passwords[-1], new=used)
    services.change_password(viewer=own, present=passwords[-1], new=PASSWORD)
    with pytest.raises(errors.WrongPassword):
        services.change_password(viewer=own, present="not-it-77777", new="another-word-9")


def test_roles_load_once_and_again_without_a_trace(db):
    count = services.load_roles()
    before = entries()
    assert services.load_roles() == count == Role.objects.count() >= 14
    assert entries() == before


def test_a_role_that_left_the_file_allows_nothing(db):
    services.load_roles()
    with unrecorded():
        Role.objects.create(
            code="old", title_zh="旧", title_en="Old", level="county", relation="all", actions=["registry.read"],
            position=99, source="test",
        )  # fmt: skip
    services.load_roles()
    assert Role.objects.get(pk="old").actions == []


def test_many_accounts_are_one_act(roles):
    before = entries()
    accounts = [
        services.NewAccount(
            f"contact-{number}", f"联系人{number}", "451228101",
            grants=[services.NewGrant("household_contact", "451228101200")],
        )
        for number in range(200)
    ]  # fmt: skip
    users = services.open_accounts(viewer=OPERATOR, accounts=accounts)
    assert entries() == before + 1
    rows = GrantRow.objects.visible_to(OPERATOR).filter(user__in=users)
    assert rows.count() == 200
    assert len({bytes(row.salt) for row in rows}) == 200
    [event_id] = {row.opened_in for row in rows}
    assert verify_event(event_id).details.intact
    services.revoke(viewer=OPERATOR, grant_id=rows[0].pk)
    assert verify_event(event_id).true, "a grant that ended was given all the same"
    with unrecorded():
        GrantRow.objects.visible_to(OPERATOR).filter(pk=rows[0].pk).update(role="county_office")
    assert verify_event(event_id).problems == ("details_differ",)
    assert not users[0].has_usable_password()


def test_one_bad_account_opens_none(roles):
    accounts = [services.NewAccount("good-one", "好", "451228"), services.NewAccount("good-one", "重", "451228")]
    with pytest.raises(errors.AccountTaken):
        services.open_accounts(viewer=OPERATOR, accounts=accounts)
    assert queries.account("good-one") is None


def test_the_grants_area_is_the_whole_area_below_it(roles):
    seen = viewer(factory.account("city", "city_office", "4512"))
    assert seen.ranges("suspects.dispatch") == (AreaRange("4512", "4513"),)
    assert seen.home_area == "4512"
