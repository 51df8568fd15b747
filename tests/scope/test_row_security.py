"""The second lock: PostgreSQL shows a statement no row outside its reach, whatever the code above forgot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks
from django.db import connection, transaction
from django.db.models import Exists
from django.http import JsonResponse
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import NOW
from tests.factories import accounts as factory
from tests.factories import walking
from wanjia.accounts.middleware import ViewerMiddleware
from wanjia.accounts.models import User
from wanjia.accounts.services import load_roles
from wanjia.audit.testing import recording_enforced, unrecorded
from wanjia.casework.models import Case, CaseEvent, CaseSubject
from wanjia.divisions.services import load_divisions
from wanjia.kernel import clock
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.services import load_reference
from wanjia.registry.models import Household, Person
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import ApplicationRoleMissing
from wanjia.scope.models import ScopedModel, Via
from wanjia.scope.postgresql import policies
from wanjia.scope.postgresql.ownership import APPLICATION_ROLE, as_owner
from wanjia.scope.reach import ABOVE_ALL_DIGITS, serving
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Grant, Viewer

pytestmark = [
    pytest.mark.skipif("postgresql" not in configured.DATABASES["default"]["ENGINE"], reason="PostgreSQL's own lock"),
    pytest.mark.no_reach,
]

SCOPED = policies.scoped_models()
EVERYBODY = system_viewer("accounts.administer")
OURS, NEIGHBOUR = "451228", "451229"


def _viewer(*areas: str) -> Viewer:
    return Viewer(7, "甲", tuple(Grant("r", frozenset({"accounts.read"}), AreaRange.of(area)) for area in areas))


def _rows(sql: str, *values: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _count(table: str) -> int:
    return _rows(f'SELECT count(*) FROM "{table}"')[0][0]


def _put_a_bare_row(model: type[ScopedModel]) -> None:
    """A row of which only key and place are set, in a table the owner has freed from its constraints."""
    table = model._meta.db_table
    of_table = f"conrelid = '{table}'::regclass AND contype IN ('c', 'f', 'u')"
    [area] = policies._places(model)
    key = model._meta.pk.column
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"
        )  # no table changes before they ran
        for (name,) in _rows(f"SELECT conname FROM pg_constraint WHERE {of_table}"):
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        for field in model._meta.concrete_fields:
            if not field.primary_key:
                cursor.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{field.column}" DROP NOT NULL')
        cursor.execute(f'INSERT INTO "{table}" ("{key}", "{area}") VALUES (1, %s)', [f"{OURS}101"])


@pytest.fixture(scope="module")
def _world(
    tmp_path_factory: pytest.TempPathFactory, _keys: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Rows in every scoped table, at home and with the neighbour."""
    home = tmp_path_factory.mktemp("second-lock") / "home"
    home.mkdir()
    shutil.copytree(_keys, home / "keys")
    scene = transaction.atomic()
    scene._from_testcase = True
    with django_db_blocker.unblock(), scene:
        with recording_enforced(), override_settings(WANJIA_HOME=home), clock.frozen(NOW), serving(EVERYBODY):
            look_again_everywhere()
            load_reference()
            load_divisions()
            load_roles()
            list(walking.build())
        yield
        transaction.set_rollback(True)


@pytest.fixture
def world(_world: None, db: None) -> None:
    """See `_world`."""


@pytest.fixture
def staff(db) -> None:
    load_roles()
    for code in ("45", "4512", OURS, f"{OURS}101", NEIGHBOUR, f"{NEIGHBOUR}101", "440000"):
        factory.account(f"at-{code}", area=code)


def _names() -> set[str]:
    """The accounts a statement without a queryset sees, but for those of the world around."""
    return {name for (name,) in _rows("SELECT username FROM accounts_user WHERE username ~ '^(at-|ours|clerk|new)'")}


# What the database holds.


def test_the_application_owns_nothing_and_cannot_step_over_the_policies(db):
    assert _rows("SELECT current_user::text") == [(APPLICATION_ROLE,)]
    role = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s"
    assert _rows(role, APPLICATION_ROLE) == [(False, False, False, False)]
    assert _rows("SELECT count(*) FROM pg_tables WHERE tableowner = %s", APPLICATION_ROLE) == [(0,)]


def test_a_login_that_may_not_act_as_the_application_is_told_so_at_the_start(db):
    policies.require_role()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE wanjia_stranger")
        cursor.execute("SET LOCAL SESSION AUTHORIZATION wanjia_stranger")
        try:
            with pytest.raises(ApplicationRoleMissing):
                policies.require_role()
        finally:
            cursor.execute("RESET SESSION AUTHORIZATION")


def test_every_scoped_table_has_the_policy_its_rule_declares(db):
    assert len(SCOPED) > 15
    assert list(policies.differences()) == []
    assert run_checks(tags=["database"], databases=["default"]) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "ALTER TABLE registry_household NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE registry_household DISABLE ROW LEVEL SECURITY",
        "ALTER POLICY wanjia_reach ON registry_household USING (true)",
        "CREATE POLICY another ON registry_household USING (true)",
        "DROP POLICY wanjia_reach ON registry_household",
    ],
)
def test_a_policy_changed_by_hand_is_found_and_put_right(db, tampering):
    with as_owner():
        _ = connection.cursor().execute(tampering)
    assert [model for model, _ in policies.differences()] == [Household]
    assert [found.id for found in run_checks(tags=["database"], databases=["default"])] == ["scope.E104"]
    policies.install()
    assert list(policies.differences()) == []


def test_a_changed_scope_rule_changes_the_policy(db, monkeypatch):
    rule = replace(User.scope_rule, area="area_code")
    monkeypatch.setattr(User, "scope_rule", rule)
    assert [model for model, _ in policies.differences()] == [User]
    policies.install()
    assert list(policies.differences()) == []


# What a statement sees.


@pytest.mark.parametrize("model", SCOPED, ids=lambda model: model._meta.label)
def test_a_statement_without_a_reach_sees_no_row_of_any_scoped_table(world, model):
    table = model._meta.db_table
    with transaction.atomic(), unrecorded():
        with serving(EVERYBODY):
            if not _count(table):
                _put_a_bare_row(model)
            assert _count(table) > 0, "the claim needs rows"
        assert _count(table) == 0
        transaction.set_rollback(True)


@pytest.mark.parametrize("model", SCOPED, ids=lambda model: model._meta.label)
def test_a_countys_reach_shows_its_own_rows_and_no_others(world, model):
    areas = [place for place in policies._places(model) if isinstance(place, str)]
    if not areas or any(isinstance(place, Via) for place in policies._places(model)):
        pytest.skip("its area stands in another table; see the cases of two counties")
    [column] = areas
    sql = f'SELECT {column} FROM "{model._meta.db_table}"'
    with serving(EVERYBODY):
        everything = [code for (code,) in _rows(sql)]
    counties = {code[:6] for code in everything if len(code) >= 6}
    for county in counties:
        with serving(_viewer(county)):
            assert sorted(code for (code,) in _rows(sql)) == sorted(c for c in everything if c.startswith(county))


def test_foreign_rows_are_neither_changed_nor_deleted(staff):
    with serving(_viewer(OURS)), connection.cursor() as cursor, unrecorded():
        cursor.execute("UPDATE accounts_user SET display_name = 'x' WHERE area_code LIKE %s", [f"{NEIGHBOUR}%"])
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM accounts_user WHERE area_code LIKE %s", [f"{NEIGHBOUR}%"])
        assert cursor.rowcount == 0
        cursor.execute("UPDATE accounts_user SET display_name = 'x' WHERE username LIKE 'at-%%'", [])
        assert cursor.rowcount == 2
    with serving(_viewer(NEIGHBOUR)):
        assert _names() == {f"at-{NEIGHBOUR}", f"at-{NEIGHBOUR}101"}


def test_four_areas_are_seen_together_and_more_are_never_seen_less(staff):
    with serving(_viewer(f"{OURS}101", NEIGHBOUR, "44", "11")):
        assert _names() == {f"at-{OURS}101", f"at-{NEIGHBOUR}", f"at-{NEIGHBOUR}101", "at-440000"}
    with serving(_viewer(f"{OURS}101", NEIGHBOUR, "44", "11", "52")):
        assert _names() >= {f"at-{OURS}101", f"at-{NEIGHBOUR}", f"at-{NEIGHBOUR}101", "at-440000"}
    with serving(_viewer("")):
        assert len(_names()) == 7


def test_the_bound_above_all_digits_is_above_them_in_this_databases_order(db):
    assert _rows("SELECT '999999999999999' < %s::varchar", ABOVE_ALL_DIGITS) == [(True,)]


def test_a_queryset_carries_its_viewers_reach_through_everything_done_to_it(staff):
    rows = User.objects.visible_to(_viewer(NEIGHBOUR)).filter(username__startswith="at-").order_by("area_code")
    both = {f"at-{NEIGHBOUR}", f"at-{NEIGHBOUR}101"}
    assert set(rows.values_list("username", flat=True)) == both
    assert rows.count() == 2
    assert rows.distinct().count() == 2
    assert rows.exists()
    assert rows.filter(area_code=NEIGHBOUR).get().username == f"at-{NEIGHBOUR}"
    assert rows[1:].count() == 1
    assert {user.username for user in rows.iterator(chunk_size=1)} == both
    with unrecorded():
        assert rows.update(display_name="乙") == 2
        assert rows.model.objects.visible_to(EVERYBODY).filter(display_name="乙").count() == 2


def test_a_condition_made_for_a_wider_viewer_widens_the_statement(staff):
    everywhere = User.objects.visible_to(EVERYBODY).filter(username="at-440000")
    rows = User.objects.visible_to(_viewer(NEIGHBOUR)).filter(Exists(everywhere), username__startswith="at-")
    assert rows.count() == 2


def test_a_cursor_keeps_its_reach_when_others_speak_between_its_fetches(staff):
    rows = User.objects.visible_to(EVERYBODY).filter(username__startswith="at-").order_by("pk").iterator(chunk_size=2)
    seen = [next(rows).username]
    for user in rows:
        assert _names() == set()
        seen.append(user.username)
    assert len(seen) == 7


def test_inserting_reveals_nothing_and_needs_no_reach(staff):
    user = factory.account("new", area=NEIGHBOUR)
    assert user.pk
    assert _names() == set()


def test_cases_of_two_counties_are_visible_to_both_sides(world):
    with serving(EVERYBODY), unrecorded():
        case = Case.objects.visible_to(EVERYBODY).earliest("case_no")
        CaseSubject.objects.visible_to(EVERYBODY).filter(case=case).delete()
        for code in (OURS, NEIGHBOUR):
            CaseSubject.objects.create(case=case, subject_kind="household", household_no=1, area_code=f"{code}101")
    for code in (OURS, NEIGHBOUR):
        with serving(_viewer(code)):
            assert (case.case_no,) in _rows("SELECT case_no FROM casework_case")
            assert _rows("SELECT area_code FROM casework_casesubject WHERE case_id = %s", case.case_no) == [
                (f"{code}101",)
            ]
            assert CaseEvent.objects.of(case).count() > 0, "its history is shown whatever area the case bears"
    with serving(_viewer("450981")):
        assert (case.case_no,) not in _rows("SELECT case_no FROM casework_case")


# Pages and connections.


def test_a_page_that_forgets_the_viewer_cannot_read_the_neighbour(staff, monkeypatch):
    user = factory.account("clerk", "county_office", OURS)
    seen: list[set[str]] = []

    def forgetful(_request: object) -> JsonResponse:
        seen.append(_names())
        return JsonResponse({})

    with serving(EVERYBODY):  # the client notes the day of the sign-in
        client = factory.client_for(user)
    original = ViewerMiddleware.__init__
    monkeypatch.setattr(ViewerMiddleware, "__init__", lambda self, _get: original(self, forgetful))
    client.get("/")
    assert seen == [{f"at-{OURS}", f"at-{OURS}101", "clerk"}]
    assert _names() == set()


def test_the_range_is_answered_by_the_index(db):
    """A few thousand rows, the planner left as it is."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE measured (LIKE registry_person)")
        for (column,) in _rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'measured'::regclass AND attnotnull AND attnum > 0"
        ):
            cursor.execute(f'ALTER TABLE measured ALTER COLUMN "{column}" DROP NOT NULL')
        cursor.execute(
            "INSERT INTO measured (person_no, village_code)"
            " SELECT n, (450000000000 + n * 10000)::text FROM generate_series(1, 5000) n"
        )
        cursor.execute("CREATE INDEX measured_by_area ON measured (village_code)")
        cursor.execute("ALTER TABLE measured ENABLE ROW LEVEL SECURITY")
        condition = policies.declared(Person).replace('"registry_person"', '"measured"')
        cursor.execute(f"CREATE POLICY wanjia_reach ON measured USING ({condition})")
        cursor.execute(f"GRANT SELECT ON measured TO {APPLICATION_ROLE}")
        cursor.execute("ANALYZE measured")
    with serving(_viewer("450010")):
        plan = "\n".join(line for (line,) in _rows("EXPLAIN SELECT * FROM measured"))
        assert _count("measured") == 100
    assert "measured_by_area" in plan
    assert "Seq Scan" not in plan
