import pytest

from wanjia.jobs import registry
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Grant, Viewer


@pytest.fixture
def officer():
    grant = Grant("county_office", frozenset({"comparison.run"}), AreaRange.of("451228"))
    return Viewer(17, "韦某", (grant,))


@pytest.fixture
def overseer():
    return Viewer(18, "管理员", (Grant("system_admin", frozenset({"jobs.read", "jobs.cancel"}), AreaRange.of("4512")),))


@pytest.fixture
def reader():
    return Viewer(20, "审计", (Grant("auditor", frozenset({"jobs.read"}), AreaRange.of("4512")),))


@pytest.fixture
def stranger():
    return Viewer(
        19, "外县", (Grant("county_office", frozenset({"comparison.run", "jobs.read"}), AreaRange.of("450100")),)
    )


@pytest.fixture
def declare(monkeypatch):
    """Declare tasks that are forgotten after the test."""
    registry.schedules()
    monkeypatch.setattr(registry, "_tasks", dict(registry._tasks))
    return registry.task
