"""Fifteen suspects in two counties, and three auditors."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable

import pytest
from django.test import Client
from PIL import Image

from tests.comparison.conftest import NEXT_COUNTY, VILLAGE, Office, World, opened, register
from tests.factories import accounts as factory
from wanjia.accounts.models import User
from wanjia.casework import queries as counted
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.rules import Answer
from wanjia.casework.services import act, act_in_bulk
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.files.services import store
from wanjia.files.uploads import sealed_from
from wanjia.scope.viewer import Viewer

OURS, THEIRS = 12, 3


@pytest.fixture(scope="module")
def office(stands) -> Office:
    return opened()


@pytest.fixture(scope="module")
def cases(office) -> list[int]:
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


@pytest.fixture(scope="module")
def accounts(office) -> dict[str, User]:
    posts = {"auditor": "451228", "colleague": "451228", "neighbour": "451229", "above": "4512"}
    return {name: factory.account(name, "auditor", area) for name, area in posts.items()}


@pytest.fixture
def auditor(accounts) -> Viewer:
    return factory.viewer(accounts["auditor"])


@pytest.fixture
def browser(accounts) -> Callable[[str], Client]:
    """The browser of an auditor."""
    return lambda name="auditor": factory.client_for(accounts[name])


def row(case_no: int) -> Case:
    return Case.objects.for_writing().get(pk=case_no)


@pytest.fixture
def worked(cases, office) -> int:
    """One case of our county the whole way to the county's decision; the others as far as the township's desk."""
    every = CaseFilter(kind="suspect")
    for who, action in (("city", "pass_on"), ("county", "distribute")):
        count = counted.count(office[who], every)
        act_in_bulk(viewer=office[who], action=action, case_filter=every, expected_count=count)
    number = cases[0]

    def do(who: str, action: str, **answer: object) -> None:
        version = row(number).version
        act(viewer=office[who], case_no=number, action=action, seen_version=version, answer=Answer(**answer))

    do("town", "assign", assignee=office.users["verifier"].pk)
    photograph(office["verifier"], number)
    do("verifier", "verify", outcome="02", note="入户查看，车已卖出。")
    correction = {"change": "identified", "identified_year": "2014"}
    do("operator", "correct", correction=correction)
    do("town", "review")
    do("county", "decide")
    return number


def photograph(viewer: Viewer, case_no: int) -> None:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 180, 150)).save(content, "JPEG")
    upload = sealed_from(content.getvalue(), "door.jpg", "evidence")
    store(
        viewer=viewer, upload=upload, owner_kind="case", owner_id=case_no, area=row(case_no).area_code,
        purpose="evidence",
    )  # fmt: skip
