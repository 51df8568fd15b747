import pytest

from wanjia.reference.services import load_reference
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Grant, Viewer


@pytest.fixture
def policy(db):
    """The code lists, parameters, lines, calendar and phases that come with the program."""
    return load_reference()


@pytest.fixture
def province():
    actions = frozenset({"reference.read", "reference.write"})
    return Viewer(user_id=41, name="区级管理员", grants=(Grant("system_admin", actions, AreaRange.of("45")),))


@pytest.fixture
def county():
    actions = frozenset({"reference.read", "reference.write"})
    return Viewer(user_id=42, name="县级管理员", grants=(Grant("county_office", actions, AreaRange.of("451228")),))
