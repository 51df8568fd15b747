"""Fifteen suspects in two counties, and three auditors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from tests.comparison.conftest import NEXT_COUNTY, VILLAGE, World, office, register  # noqa: F401 - fixtures
from tests.factories import accounts as factory
from wanjia.accounts.models import User
from wanjia.casework.models import Case
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.scope.viewer import Viewer

OURS, THEIRS = 12, 3


@pytest.fixture
def cases(db, office) -> list[int]:  # noqa: F811
    """The numbers of our county's cases; the next county has three of its own."""
    world = World()
    for village, count in ((VILLAGE, OURS), (NEXT_COUNTY, THEIRS)):
        for _ in range(count):
            world.car(world.person(village=village), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver(area="4512")
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=OURS + THEIRS)
    ours = Case.objects.for_writing().filter(area_code__startswith="451228")
    return sorted(ours.values_list("case_no", flat=True))


@pytest.fixture
def accounts(db) -> dict[str, User]:
    posts = {"auditor": "451228", "colleague": "451228", "neighbour": "451229", "above": "4512"}
    return {name: factory.account(name, "auditor", area) for name, area in posts.items()}


@pytest.fixture
def auditor(accounts) -> Viewer:
    return factory.viewer(accounts["auditor"])


@pytest.fixture
def browser(accounts) -> Callable[[str], Client]:
    """The browser of an auditor."""
    return lambda name="auditor": factory.client_for(accounts[name])
