"""Journeys: people at their desks, each in a browser of their own, server and worker as they are deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import Desk, chromium
from tests.browser.site import Built, Site, built, copied


@pytest.hookimpl(tryfirst=True)  # the root conftest asks for the mark
def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/journeys/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.real_clock)


@pytest.fixture(scope="session")
def worked_county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """A county four weeks into its work, large enough for neighbours; nobody works in it."""
    with built(tmp_path_factory.mktemp("county") / "home", people=2_400, records=5_000, seed=3) as made:
        yield made


@pytest.fixture(scope="module")
def site(worked_county: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A copy of it for one file's journeys: they change it."""
    with copied(worked_county, tmp_path_factory.mktemp("journey") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Per module: Playwright keeps an event loop running, beside which Django refuses to read its database."""
    with chromium() as started:
        yield started


@pytest.fixture
def desk(site: Site, browser: Browser) -> Iterator[Desk]:
    """Opens pages; at the end of the journey nothing may have gone wrong on any of them."""
    opened = Desk(site, browser)
    yield opened
    opened.close()
    assert opened.faults == []
