import pytest

from wanjia.audit import acts, details, names, subjects
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Grant, Viewer


def officer(user_id: int, area: str, *actions: str, role: str = "county_office") -> Viewer:
    return Viewer(user_id, f"officer {user_id}", (Grant(role, frozenset(actions), AreaRange.of(area)),))


@pytest.fixture
def clerk():
    """Works in 都安's county office; may not read the audit."""
    return officer(17, "451228", "registry.write")


@pytest.fixture
def auditor():
    return officer(90, "451228", "audit.read", role="auditor")


@pytest.fixture
def neighbour():
    """Audits the next county."""
    return officer(91, "451202", "audit.read", role="auditor")


@pytest.fixture(autouse=True)
def _own_registries(monkeypatch):
    """Only what the audit itself declares, so that these tests do not hang on the slices above."""
    monkeypatch.setattr(acts, "_acts", {act.code: act for act in acts.ACTS})
    monkeypatch.setattr(details, "_sources", {"access": details._sources["access"]})
    monkeypatch.setattr(subjects, "_subjects", {})
    monkeypatch.setattr(names, "_source", [])
