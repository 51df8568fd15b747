"""One policy on every table of a `ScopedModel`, derived from its scope rule.

The comment on each policy keeps a digest of what was declared and of what PostgreSQL made of it,
so that a changed rule and a policy changed by hand are both found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any, cast

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.db.utils import DatabaseError, IntegrityError

from wanjia.scope.errors import ApplicationRoleMissing
from wanjia.scope.models import ScopedModel, Via
from wanjia.scope.postgresql.ownership import APPLICATION_ROLE, as_owner
from wanjia.scope.reach import ABOVE_ALL_DIGITS, SLOTS

POLICY = "wanjia_reach"

_STATE = """
SELECT c.relrowsecurity, c.relforcerowsecurity, p.polname, p.polcmd, p.polpermissive,
       p.polroles = '{0}'::oid[], pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
       obj_description(p.oid, 'pg_policy')
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.oid = to_regclass(%s)
ORDER BY p.polname
"""


def scoped_models() -> list[type[ScopedModel]]:
    """Every model whose rows exist only for a viewer."""
    return [
        model
        for model in apps.get_models()
        if issubclass(model, ScopedModel) and model._meta.managed and not model._meta.proxy
    ]


def declared(model: type[ScopedModel]) -> str:
    """The condition under which a row of `model` is seen, in SQL."""
    places = _places(model)
    table = _quoted(model._meta.db_table)
    plain = [_within(f"{table}.{_column(model, place)}") for place in places if isinstance(place, str)]
    via = [_via(model, place) for place in places if isinstance(place, Via)]
    if via:  # who reaches everywhere need not look into the other table
        via.insert(0, f"({_setting('lo', 1)} = '' AND {_setting('hi', 1)} = '{ABOVE_ALL_DIGITS}')")
    return " OR ".join(plain + via)


def differences() -> Iterator[tuple[type[ScopedModel], str]]:
    """The models whose table is not protected as declared, and what is wrong."""
    for model in scoped_models():
        wrong = _wrong(model)
        if wrong:
            yield model, wrong


def install() -> None:
    """Role, rights and policies as declared; does nothing where they are. Run by the owner."""
    if connection.vendor != "postgresql":
        return
    with as_owner(), transaction.atomic():
        _ensure_role()
        _grant_rights()
        for model, _ in list(differences()):
            if all(_state(needed) for needed in (model, *_others(model))):  # migrated so far
                _protect(model)


def require_role() -> None:
    """See that the login may act as the application. Raises ApplicationRoleMissing."""
    if connection.vendor != "postgresql":
        return
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE]
        )
        found = cursor.fetchone()
    if not (found and found[0]):
        raise ApplicationRoleMissing(role=APPLICATION_ROLE)


def _places(model: type[ScopedModel]) -> tuple[str | Via, ...]:
    area = model.scope_rule.area
    return area if isinstance(area, tuple) else (area,)


def _others(model: type[ScopedModel]) -> list[type[Model]]:
    return [apps.get_model(place.model) for place in _places(model) if isinstance(place, Via)]


def _ensure_role() -> None:
    role = _quoted(APPLICATION_ROLE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE])
        found = cursor.fetchone()
        try:
            if found is None:
                with suppress(IntegrityError), transaction.atomic():  # another database's setup made it just now
                    cursor.execute(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
            with transaction.atomic():
                if found is not None and found[0]:
                    cursor.execute(f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS")
                cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [APPLICATION_ROLE])
                if not cursor.fetchone()[0]:
                    cursor.execute(f"GRANT {role} TO CURRENT_USER")
        except DatabaseError as error:
            raise ApplicationRoleMissing(role=APPLICATION_ROLE) from error


def _grant_rights() -> None:
    role = _quoted(APPLICATION_ROLE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_schema()")
        database, schema = (_quoted(name) for name in cursor.fetchone())
        cursor.execute(f"GRANT TEMPORARY ON DATABASE {database} TO {role}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")


def _protect(model: type[ScopedModel]) -> None:
    table = _quoted(model._meta.db_table)
    with connection.cursor() as cursor:
        for name in [row[2] for row in _state(model) if row[2] is not None]:
            cursor.execute(f"DROP POLICY {_quoted(name)} ON {table}")
        cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        # a row that is written need not be in reach: a case is handed up to a desk the writer does not see
        cursor.execute(f"CREATE POLICY {POLICY} ON {table} USING ({declared(model)}) WITH CHECK (true)")
        [row] = _state(model)
        cursor.execute(f"COMMENT ON POLICY {POLICY} ON {table} IS %s", [_mark(model, row)])


def _wrong(model: type[ScopedModel]) -> str:
    rows = _state(model)
    if not rows:
        return "there is no table"
    enabled, forced = rows[0][:2]
    if not (enabled and forced):
        return "row-level security is not enabled and forced"
    if [row[2] for row in rows] != [POLICY]:
        return f"it must have the policy {POLICY} and no other"
    if rows[0][8] != _mark(model, rows[0]):
        return "its policy is not the one its scope rule declares"
    return ""


def _state(model: type[Model]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [_quoted(model._meta.db_table)])
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


def _mark(model: type[ScopedModel], row: tuple[Any, ...]) -> str:
    return sha256(repr((declared(model), row[3:8])).encode()).hexdigest()


def _via(model: type[ScopedModel], place: Via) -> str:
    other = apps.get_model(place.model)
    table, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    away = _quoted(other._meta.db_table)
    return (
        f"EXISTS (SELECT 1 FROM {away} WHERE {away}.{_column(other, place.key)} = {table}.{key}"  # noqa: S608 - models
        f" AND ({_within(f'{away}.{_column(other, place.area)}')}))"
    )


def _within(column: str) -> str:
    # PostgreSQL looks a setting up anew for every row unless it stands in a query of its own, but sees only the plain
    # form when it guesses how many rows there will be. So the first range, most people's only one, is asked in both.
    once = f"({column} >= (SELECT {_setting('lo', 1)}) AND {column} < (SELECT {_setting('hi', 1)}))"
    plain = (
        f"({column} >= {_setting('lo', number)} AND {column} < {_setting('hi', number)})"
        for number in range(1, SLOTS + 1)
    )
    return " OR ".join((once, *plain))


def _setting(bound: str, number: int) -> str:
    return f"current_setting('wanjia.{bound}_{number}', true)"


def _column(model: Any, name: str) -> str:
    return _quoted(model._meta.get_field(name).column)


def _quoted(name: str | None) -> str:
    assert name  # noqa: S101 - a field that is stored has a column
    return connection.ops.quote_name(name)
