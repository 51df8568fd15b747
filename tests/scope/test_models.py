"""Rows are cut below the views: ranges, relations, holdings, related managers, and the refusal of all()."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import accounts as factory
from wanjia.accounts.models import GrantRow, User
from wanjia.kernel import clock
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import NotVisible, Unscoped
from wanjia.scope.models import Held, Holding, ScopeRule, Via, range_q, visible_q
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import ANONYMOUS, Grant, Relation, Viewer

pytestmark = pytest.mark.django_db
EVERYBODY = system_viewer("accounts.administer")


def _viewer(area: str, *, relation: Relation = Relation.ALL, action="accounts.read", user=7, department="") -> Viewer:
    return Viewer(user, "甲", (Grant("r", frozenset({action}), AreaRange.of(area), relation, department),))


def _people(viewer: Viewer, rule: ScopeRule | None = None) -> set[str]:
    rows = User.objects.visible_to(EVERYBODY)
    found = rows.filter(visible_q(rule, viewer)) if rule else User.objects.visible_to(viewer)
    return set(found.values_list("username", flat=True))


@pytest.fixture
def staff(roles):
    return {
        code: factory.account(f"at-{code}", area=code)
        for code in ("45", "4512", "451228", "451228101", "451228101200", "451228102", "451229", "451229101", "44")
    }


@pytest.fixture
def roles(db):
    from wanjia.accounts.services import load_roles

    load_roles()


def test_a_viewer_sees_his_area_and_below(staff):
    assert _people(_viewer("451228")) == {"at-451228", "at-451228101", "at-451228101200", "at-451228102"}
    assert _people(_viewer("451228101")) == {"at-451228101", "at-451228101200"}
    assert _people(_viewer("4512")) == {f"at-{code}" for code in staff if code.startswith("4512")}
    assert _people(_viewer("")) == {f"at-{code}" for code in staff}
    assert _people(ANONYMOUS) == set()
    assert _people(_viewer("45", action="registry.read")) == set()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["45", "4512", "451228", "451228101", "451229", "44", "4599", "99"]), max_size=4))
def test_several_grants_show_what_any_of_them_shows(staff, areas):
    viewer = Viewer(7, "甲", tuple(Grant("r", frozenset({"accounts.read"}), AreaRange.of(area)) for area in areas))
    assert _people(viewer) == {f"at-{code}" for code in staff if any(code.startswith(area) for area in areas)}


def test_asking_without_a_viewer_is_refused(staff):
    for ask in (
        User.objects.all,
        lambda: User.objects.filter(pk=1),
        lambda: User.objects.get(pk=1),
        User.objects.count,
        User.objects.exists,
        lambda: User.objects.values("username"),
        lambda: User.objects.raw("select * from accounts_user"),
        lambda: User.objects.in_bulk([1]),
        lambda: User.objects.get_or_create(username="x"),
        lambda: User.objects.update_or_create(username="x"),
        lambda: User.objects.update(username="x"),
        User.objects.aggregate,
        lambda: User.objects.using("default"),
        User.objects.none,
        User._default_manager.all,
        lambda: list(get_user_model()._default_manager.iterator()),
    ):
        with pytest.raises(Unscoped):
            ask()


def test_a_foreign_row_and_no_row_refuse_alike(staff):
    refusals = []
    for wanted in (staff["451229"].pk, 987_654):
        with pytest.raises(NotVisible) as refused:
            User.objects.get_visible(_viewer("451228"), pk=wanted)
        refusals.append(refused.value.as_dict())
    assert refusals[0] == refusals[1]
    assert User.objects.get_visible(_viewer("451228"), username="at-451228101") == staff["451228101"]


def test_a_row_seen_is_not_a_row_one_may_act_on(staff):
    reader = _viewer("451228")
    with pytest.raises(NotVisible):
        User.objects.get_visible(reader, action="accounts.write", pk=staff["451228101"].pk)


def test_related_rows_keep_both_filters(roles):
    one = factory.account("one", "township_reviewer", "451228101")
    factory.account("two", "township_reviewer", "451228101")
    assert [row.user_id for row in one.grants.visible_to(_viewer("451228"))] == [one.pk]
    assert list(one.grants.visible_to(_viewer("451229"))) == []
    with pytest.raises(NotVisible):
        one.grants.get_visible(_viewer("451228"), user_id=one.pk + 1)
    with pytest.raises(Unscoped):
        one.grants.all()
    with pytest.raises(Unscoped):
        list(User.objects.visible_to(_viewer("451228")).prefetch_related("grants"))


def test_a_row_is_wherever_one_of_its_places_says(roles, staff):
    officer = factory.account("officer", "township_reviewer", "451229101")
    User.objects.visible_to(EVERYBODY).filter(pk=officer.pk).update(area_code="451228")
    assert "officer" in _people(_viewer("451228"))
    assert "officer" in _people(_viewer("451229"))
    assert "officer" not in _people(_viewer("451228101"))
    assert "officer" not in _people(_viewer("44"))


VIA = ScopeRule(action="accounts.read", area=Via("accounts.GrantRow", key="user", area="area_code"))


def test_an_area_may_stand_in_another_table_and_gives_each_row_once(roles, staff):
    officer = factory.account("officer", "township_reviewer", "451228101")
    for township in ("451228102", "451229101"):
        from wanjia.accounts import services

        services.grant(viewer=EVERYBODY, user=officer, role="township_reviewer", area_code=township)
    assert _people(_viewer("451228"), VIA) == {"officer"}
    assert _people(_viewer("451229101"), VIA) == {"officer"}
    assert _people(_viewer("451228103"), VIA) == set()
    rows = User.objects.visible_to(EVERYBODY).filter(visible_q(VIA, _viewer("4512")))
    assert [row.username for row in rows] == ["officer"]
    assert _people(_viewer(""), VIA) == {"officer", *(f"at-{code}" for code in staff)}


HELD = ScopeRule(
    action="accounts.read",
    area="area_code",
    department="language",
    held={Relation.OWN_HOUSEHOLDS: Held("household", "pk"), Relation.OWN_CASES: Held("case", "pk")},
)


def _hold(user, subject, *, kind="household", relation=Relation.OWN_HOUSEHOLDS, first=0, last=None) -> None:
    today = clock.today()
    Holding.objects.create(
        user_id=user,
        relation=relation.value,
        subject_kind=kind,
        subject_id=subject,
        valid_from=today + dt.timedelta(days=first),
        valid_to=None if last is None else today + dt.timedelta(days=last),
    )


@pytest.mark.parametrize(
    ("first", "last", "seen"),
    [(0, None, True), (-9, None, True), (1, None, False), (-9, 0, False), (-9, 1, True), (0, 0, False), (5, 9, False)],
)
def test_a_holding_counts_from_its_first_day_to_the_day_before_its_end(staff, first, last, seen):
    _hold(7, staff["451228101"].pk, first=first, last=last)
    viewer = _viewer("451228", relation=Relation.OWN_HOUSEHOLDS)
    assert _people(viewer, HELD) == ({"at-451228101"} if seen else set())


def test_a_holding_is_ones_own_of_its_kind_relation_and_area(staff):
    mine, his, elsewhere = staff["451228101"].pk, staff["451228102"].pk, staff["451229"].pk
    _hold(7, mine)
    _hold(8, his)
    _hold(7, elsewhere)
    _hold(7, his, kind="case")
    _hold(7, his, relation=Relation.OWN_CASES)
    viewer = _viewer("451228", relation=Relation.OWN_HOUSEHOLDS)
    assert _people(viewer, HELD) == {"at-451228101"}
    _hold(7, his, kind="case", relation=Relation.OWN_CASES)
    assert _people(viewer, HELD) == {"at-451228101"}
    assert _people(_viewer("451228", relation=Relation.OWN_CASES), HELD) == {"at-451228102"}


def test_a_relation_a_rule_does_not_name_shows_nothing(staff):
    for relation in (Relation.OWN_DEPARTMENT, Relation.OWN_HOUSEHOLDS, Relation.OWN_CASES):
        _hold(7, staff["451228101"].pk, relation=relation)
        assert _people(_viewer("45", relation=relation, department="zh")) == set()


def test_a_department_officer_sees_only_his_departments_rows(staff):
    User.objects.visible_to(EVERYBODY).filter(username="at-451228").update(language="en")
    assert _people(_viewer("4512", relation=Relation.OWN_DEPARTMENT, department="en"), HELD) == {"at-451228"}
    assert "at-451228" not in _people(_viewer("4512", relation=Relation.OWN_DEPARTMENT, department="zh"), HELD)
    assert _people(_viewer("4512", relation=Relation.OWN_DEPARTMENT, department=""), HELD) == set()


def test_holdings_are_unique_while_open_and_end_after_they_begin(db):
    from django.db import IntegrityError, transaction

    _hold(7, 1)
    for bad in ({"first": 0}, {"first": 3, "last": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            _hold(7, 1 if "last" not in bad else 2, **bad)
    _hold(7, 1, first=-9, last=-1)


def test_a_range_is_asked_so_that_an_index_answers(staff):
    from django.db import connection

    plan = User.objects.visible_to(EVERYBODY).filter(range_q("area_code", AreaRange.of("451228"))).explain()
    if connection.vendor == "sqlite":
        assert "USING INDEX" in plan
    text = str(User.objects.visible_to(_viewer("451228")).query)
    assert "LIKE" not in text
    assert '"accounts_user"."area_code" >= 451228' in text
    assert '"accounts_user"."area_code" < 451229' in text


def test_writing_needs_no_viewer_and_reading_back_does(roles):
    user = factory.account("one")
    from wanjia.accounts.models import Role
    from wanjia.audit.testing import unrecorded

    with unrecorded():
        row = GrantRow.objects.create(
            user=user, role=Role.objects.get(pk="auditor"), area_code="45", relation="all",
            valid_from=clock.today(), granted_by=0,
        )  # fmt: skip
        GrantRow.objects.bulk_create([])
    assert GrantRow.objects.get_visible(_viewer("45"), pk=row.pk) == row


@pytest.mark.parametrize("form", ["", "韦", "韦明", "韦明明", "\U00020bb7", "%", "_", "a", "A", "a'", "\\", "乙"])
def test_a_beginning_is_taken_letter_by_letter(roles, form):
    names = ["韦", "韦明", "韦明明", "韦\U0010fffd", "韥", "\U00020bb7田", "%x", "_", "ab", "Ab", "a'b", "\\b", ""]
    people = User.objects.visible_to(EVERYBODY).filter(username__startswith="named-")
    for number, name in enumerate(names):
        factory.account(f"named-{number}", area="45")
        people.filter(username=f"named-{number}").update(display_name=name)

    found = people.filter(display_name__begins=form).values_list("display_name", flat=True)

    assert sorted(found) == sorted(name for name in names if name.startswith(form))


@pytest.mark.parametrize("chosen", [[], [0], [0, 2], [2, 2, 1], list(range(3_000))], ids=len)
def test_among_many_numbers_finds_what_is_there(roles, chosen, django_assert_num_queries):
    accounts = [factory.account(f"among-{number}", area="45").pk for number in range(4)]
    numbers = [accounts[place] if place < len(accounts) else 10**12 + place for place in chosen]
    people = User.objects.visible_to(EVERYBODY).order_by("pk")

    with django_assert_num_queries(1):
        found = list(people.filter(pk__among=numbers).values_list("pk", flat=True))

    assert found == sorted(set(numbers) & set(accounts))
