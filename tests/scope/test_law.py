"""Claims about the source as a whole: who reads past the scope, and which tables are cut."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

import wanjia
from wanjia.accounts import content
from wanjia.scope.models import Held, ScopedManager, ScopedModel, Via
from wanjia.scope.routes import PUBLIC, SIGNED_IN, declared_access, routes
from wanjia.scope.system import SYSTEM_VIEWERS

SOURCE = Path(wanjia.__file__).parent

# Calls whose name is not written there, and why that is all right.
COMPUTED_NAMES = {
    "jobs/handle.py": "restores the name under which the job was enqueued, itself listed",
}

# Django's unscoped manager, and why each use is all right.
BASE_MANAGER = {
    "scope/models.py": "the table of a Via, correlated with a row that is cut",
    "audit/details.py": "detail rows of one entry, opened by the entry's own permission",
    "registry/services/rows.py": "memberships and the move of a household the caller holds",
    "registry/areas/queries.py": "subquery correlated with a row that is cut",
    "registry/services/sheets/comparing.py": "rows of households and people that were cut to the viewer just before",
    "registry/services/sheets/pieces.py": "rows of households that were cut to the viewer just before",
    "registry/services/villages.py": "records replaced where the caller may write throughout",
    "registry/services/years.py": "the years of people and households whose permission to change was just checked",
    "registry/services/sealing.py": "subqueries of statements that run as registry.seal",
    "registry/services/year_checks.py": "subqueries of statements that run as registry.seal",
    "registry/queries.py": "subquery correlated with a row that is cut",
    "reference/services.py": "code lists and parameters, which everybody may read",
}

# Tables with an area or a subject that are not cut to a viewer, and why.
NOT_CUT = {
    "scope.Holding": "relates user ids to numbers; it is what cutting reads",
    "jobs.Job": "its queryset cuts it: own jobs, and those of areas where the viewer has jobs.read",
}

# Actions that stand in a scope rule and that no role has, and why.
NOBODYS = {
    "cases.read": "each kind of case is read under its own flow's permission, so asking without one shows nothing",
}

PLACES = {"area", "area_code", "village_code", "county_code", "township_code", "division_code", "holder_area"}
SUBJECTS = {"household_no", "person_no", "case_no", "household", "person", "subject_id", "person_key"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(SOURCE.rglob("*.py")):
        yield file.relative_to(SOURCE).as_posix(), ast.parse(file.read_text("utf-8"))


def _called_names() -> tuple[set[str], set[str]]:
    """Names given to system_viewer as text, and files that compute one."""
    names: set[str] = set()
    computing: set[str] = set()
    for path, tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called != "system_viewer":
                continue
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                names.add(first.value)
            else:
                computing.add(path)
    return names, computing


def test_every_system_viewer_is_listed_and_every_listed_one_is_used():
    names, computing = _called_names()
    assert names - SYSTEM_VIEWERS.keys() == set(), "used but not listed with a reason in scope/system.py"
    assert SYSTEM_VIEWERS.keys() - names == set(), "listed in scope/system.py but no longer used"
    assert computing == set(COMPUTED_NAMES)


def test_every_system_viewer_has_a_reason_and_its_slices_name():
    for name, reason in SYSTEM_VIEWERS.items():
        slice_name = name.partition(".")[0]
        assert (SOURCE / slice_name).is_dir() or (SOURCE / f"{slice_name}.py").is_file(), name
        assert len(reason) > 15, name


def test_a_system_viewer_is_used_only_by_its_own_slice():
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "system_viewer" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    owner = str(first.value).partition(".")[0]
                    assert path.removesuffix(".py").partition("/")[0] == owner, f"{path} uses {first.value}"


def test_nobody_makes_a_system_viewer_by_hand():
    for path, tree in modules():
        if path == "scope/system.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Viewer":
                assert "system" not in {keyword.arg for keyword in node.keywords}, path
                assert len(node.args) <= 3, path


def test_the_unscoped_manager_is_used_only_where_it_is_argued():
    used = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("_base_manager", "_default_manager")
    }
    assert used == set(BASE_MANAGER)


def _models() -> list[type]:
    return [model for model in apps.get_models() if model.__module__.startswith("wanjia.")]


def test_every_table_about_places_or_people_is_cut_to_its_reader():
    loose = {}
    for model in _models():
        named = {field.name for field in model._meta.fields} & (PLACES | SUBJECTS)
        if named and not issubclass(model, ScopedModel):
            loose[model._meta.label] = named
    assert loose.keys() - NOT_CUT.keys() == set(), f"cut them or argue in NOT_CUT: {loose}"
    assert NOT_CUT.keys() - loose.keys() == set(), "argued but not needed"


def test_no_manager_of_a_cut_table_goes_round_the_cut():
    for model in _models():
        if issubclass(model, ScopedModel):
            for manager in (*model._meta.managers, model._default_manager):
                assert isinstance(manager, ScopedManager), f"{model._meta.label}.{manager.name}"


def test_every_scope_rule_speaks_of_what_exists():
    words = content.action_titles()
    for model in _models():
        if not issubclass(model, ScopedModel):
            continue
        rule, label = model.scope_rule, model._meta.label
        assert rule.action in words.keys() | NOBODYS.keys(), f"{label}: nobody can hold {rule.action}"
        for place in rule.area if isinstance(rule.area, tuple) else (rule.area,):
            if isinstance(place, Via):
                other = apps.get_model(place.model)
                other._meta.get_field(place.area)
                other._meta.get_field(place.key.removesuffix("_id"))
            else:
                _reach(model, place)
        if rule.department:
            _reach(model, rule.department)
        for held in rule.held.values():
            assert isinstance(held, Held)
            _reach(model, held.field)


def _reach(model: type, path: str) -> None:
    """Follow a lookup path to a real field."""
    for step in path.split("__"):
        if step == "pk":
            return
        field = model._meta.get_field(step.removesuffix("_id") if not _has(model, step) else step)
        model = field.related_model or model


def _has(model: type, name: str) -> bool:
    return any(name in (field.name, getattr(field, "attname", "")) for field in model._meta.get_fields())


def test_every_route_asks_for_an_action_some_role_has():
    words = content.action_titles()
    for path, pattern in routes():
        asked = declared_access(pattern.callback)
        assert asked in {PUBLIC, SIGNED_IN} | words.keys(), f"/{path} asks for {asked}"


def test_every_action_belongs_to_some_role():
    given = {action for role in content.document()["roles"].values() for action in role["actions"]}
    assert set(content.action_titles()) == given
