"""Sealing a reporting year: in order, after its checks, all or nothing, from the page."""

import json
import os
import time
from datetime import date
from uuid import uuid4

import pytest
from django.urls import reverse
from typer.testing import CliRunner

from tests.factories import registry as factory
from tests.factories.accounts import client_for
from tests.factories.registry import BUILDER, VILLAGES, batch, family
from tests.factories.years import rows, seal, states, warnings_of
from wanjia import cli
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.jobs.worker import run_pending
from wanjia.kernel import points
from wanjia.registry.choices import YearState
from wanjia.registry.errors import (
    WarningsNotConfirmed,
    YearNotOpen,
    YearNotSound,
    YearOutOfOrder,
    YearSealedAlready,
    YearUnknown,
)
from wanjia.registry.models import (
    Household,
    HouseholdYear,
    PersonYear,
    ReportingYear,
)
from wanjia.registry.services import (
    Leaving,
    checks_of,
    load_registry,
    remove_household,
    remove_members,
    seal_year,
    sweep_snapshots,
)
from wanjia.registry.services import sealing as service
from wanjia.scope.errors import NotAllowed
from wanjia.scope.stores import lake

pytestmark = pytest.mark.django_db  # also when the module is run by itself


@pytest.fixture(scope="module")
def settled(stands):
    return factory.build()


def test_the_first_load_opens_its_year_and_what_it_brings_of_earlier_ones_waits(settled):
    assert states() == {2018: YearState.EARLIER, 2019: YearState.EARLIER, 2020: YearState.OPEN}

    home, people = family("H900", VILLAGES[0])
    with pytest.raises(YearNotOpen):
        load_registry(viewer=BUILDER, batch=batch([home], people), year=2021)
    assert not rows(Household, national_household_no="H900").exists()


def test_years_are_sealed_oldest_first_and_once(settled):
    with pytest.raises(YearOutOfOrder) as refused:
        seal_year(viewer=BUILDER, year=2019)
    assert refused.value.values["first"] == 2018
    with pytest.raises(YearUnknown):
        seal_year(viewer=BUILDER, year=2012)
    act = uuid4()
    first = seal(2018, event_id=act)
    assert not first.again
    with pytest.raises(YearSealedAlready):
        seal_year(viewer=BUILDER, year=2018)
    again = seal_year(viewer=BUILDER, year=2018, event_id=act)
    assert (again.again, again.digest, again.counts) == (True, first.digest, first.counts)


def test_who_left_in_the_open_year_is_still_of_it_and_who_left_before_is_not(settled):
    viewer = settled.viewer("county")
    with unrecorded():
        facts = {"household_no": 1, "village_code": VILLAGES[0], "year": 2019, "health": "02"}
        PersonYear.objects.create(person_no=4, **facts)  # she died in February 2019
    remove_household(viewer=viewer, household_no=5, reason="识别时不符合条件")
    leaving = [Leaving(3, "3", "R3", date(2020, 10, 5))]
    remove_members(viewer=viewer, household_no=1, leaving=leaving, reason="户籍迁出")

    for year in (2018, 2019):
        seal(year)

    open_year = rows(HouseholdYear, year=2020)
    assert open_year.filter(household_no=5).exists()
    assert sorted(rows(PersonYear, year=2020, household_no=1).values_list("person_no", flat=True)) == [3]
    seal(2020)
    assert not rows(HouseholdYear, household_no=5).exists()  # of 2021 he is not
    assert not rows(PersonYear, person_no=3).exists()


def test_only_the_province_seals(settled):
    for who in ("province", "city", "county", "auditor"):
        with pytest.raises(NotAllowed):
            seal_year(viewer=settled.viewer(who), year=2018)
    assert seal_year(viewer=settled.viewer("manager"), year=2018, confirmed=warnings_of(2018)).year == 2018


def test_errors_stand_in_the_way_and_warnings_are_confirmed_with_their_counts(settled):
    for year in (2018, 2019):
        seal(year)
    told = warnings_of(2020)
    assert told["no_income"] == 32  # carried into the open year, with nothing collected in it
    with pytest.raises(WarningsNotConfirmed):
        seal_year(viewer=BUILDER, year=2020, confirmed=told | {"no_income": 31})
    with unrecorded():
        rows(Household, pk=3).update(member_count=7)
        rows(Household, pk=4).update(head_person_no=999)
        HouseholdYear.objects.visible_to(BUILDER).filter(household_no=6, year=2020).update(
            dibao_grant=5, transfer_income=6
        )
    found = {one.code: one.households for one in checks_of(BUILDER, 2020) if one.stops}
    assert found == {"members_disagree": (3,), "no_head": (4,), "sums_disagree": (6,)}
    with pytest.raises(YearNotSound):
        seal_year(viewer=BUILDER, year=2020, confirmed=told)
    assert states()[2020] == YearState.OPEN


POINTS = ("registry.year_published", "registry.year_indexed", "registry.year_moved_on", "registry.year_recorded")


class Died(Exception):
    """Stands for a process that ends there."""


@pytest.mark.parametrize("point", POINTS)
def test_stopped_anywhere_the_year_is_as_it_was(settled, monkeypatch, point, home):
    def state():
        return [
            sorted(map(str, model.objects.visible_to(BUILDER).values()))
            for model in (Household, HouseholdYear, PersonYear)
        ]

    def die(at):
        if at == point:
            raise Died

    act = uuid4()
    before = state(), states(), Opening.objects.visible_to(BUILDER).count()
    monkeypatch.setattr(service, "reached", die)
    with pytest.raises(Died):
        seal(2018, event_id=act)
    monkeypatch.setattr(service, "reached", points.reached)

    assert (state(), states(), Opening.objects.visible_to(BUILDER).count()) == before
    done = seal(2018, event_id=act)  # as the job that takes it up again
    assert states()[2018] == YearState.SEALED
    old = time.time() - 25 * 3600  # noqa: TID251 - the file system's clock is the machine's
    for path in [*(home / "lake" / "registry").iterdir(), *(home / "lake" / "serving").glob("registry-year@2018*")]:
        os.utime(path, (old, old))
    assert sweep_snapshots() == (2 if point != "registry.year_published" else 1)
    year = ReportingYear.objects.get(year=2018)
    assert lake().exists(year.address)
    assert lake().exists(year.serving)
    assert year.digest == done.digest


def test_from_the_page_to_a_sealed_year(settled):
    client = client_for(settled.users["manager"])
    page = client.get(reverse("registry:years")).content.decode()
    assert "待封存" in page and reverse("registry:seal", args=[2018]) in page  # noqa: PT018
    assert reverse("registry:seal", args=[2019]) not in page
    told = "由省级扶贫办负责人检查并封存。"
    assert told not in page
    assert told in client_for(settled.users["county"]).get(reverse("registry:years")).content.decode()
    asked = client.get(reverse("registry:seal", args=[2018]))
    written = asked.context["form"].initial["confirmed"]
    unlooked = client.post(reverse("registry:seal", args=[2018]), {"confirmed": written})
    assert unlooked.status_code == 400
    stale = client.post(reverse("registry:seal", args=[2018]), {"confirmed": "no_status=7", "looked": "on"})
    assert stale.status_code in (302, 409)
    if stale.status_code == 409:
        stale = client.post(reverse("registry:seal", args=[2018]), {"confirmed": written, "looked": "on"})
    run_pending()
    assert "完成" in client.get(stale.headers["Location"]).content.decode()
    assert states()[2018] == YearState.SEALED
    client = client_for(settled.users["county"])
    assert "已封存" in client.get(reverse("registry:years")).content.decode()
    assert client.get(reverse("registry:seal", args=[2019])).status_code in (403, 404)


@pytest.fixture
def console(monkeypatch):
    """`wanjia year …` on the world of this module, whose keys are in order: its result."""
    monkeypatch.setattr(cli, "_installation", lambda: None)
    return lambda *command: CliRunner().invoke(cli.app, ["year", *map(str, command)])


@pytest.fixture
def said(console):
    """What such a command ends with, read from its JSON."""

    def run(*command):
        done = console(*command, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_from_the_console_to_a_sealed_year(settled, console, said):
    told = said("check", 2018)
    assert not any(one["stops"] for one in told["found"])
    confirmed = [f"--confirm={one['code']}={one['count']}" for one in told["found"]]
    done = said("seal", 2018, *confirmed)
    year = ReportingYear.objects.get(year=2018)
    assert (done["year"], done["next"], done["digest"]) == (2018, 2020, year.digest)
    assert (done["households"], done["household_years"]) == (32, 32)
    [first] = [one for one in said("list")["years"] if one["year"] == 2018]
    assert first == {"year": 2018, "state": "sealed", "households": 32, "persons": 128, "digest": year.digest}
    plain = console("list")
    assert [line.split()[:2] for line in plain.output.splitlines()] == [
        ["2020", "open"],
        ["2019", "earlier"],
        ["2018", "sealed"],
    ]


def test_the_console_says_what_stands_in_the_way_and_seals_nothing(settled, console, said):
    for year in (2018, 2019):
        seal(year)
    with unrecorded():
        rows(Household, pk=3).update(member_count=7)
    found = said("check", 2020)["found"]
    assert {one["code"]: one["count"] for one in found if one["stops"]} == {"members_disagree": 1}
    shown = console("check", "2020").output
    assert "✗ members_disagree=1" in shown
    assert "! not_over=1" in shown
    for command, refusal in (
        (["seal", "2020"], YearNotSound),
        (["seal", "2019"], YearSealedAlready),
        (["check", "2012"], YearUnknown),
    ):
        done = console(*command)
        assert done.exit_code != 0
        assert isinstance(done.exception, refusal)
    wrong = console("seal", "2020", "--confirm", "not_over=many")
    assert wrong.exit_code == 2
    assert states() == {2018: "sealed", 2019: "sealed", 2020: "open"}


def test_what_the_console_found_is_confirmed_with_its_counts(settled, console, said):
    for year in (2018, 2019):
        seal(year)
    found = said("check", 2020)["found"]
    assert {"not_over", "no_income"} <= {one["code"] for one in found}
    refused = console("seal", "2020", "--confirm", "not_over=1")
    assert isinstance(refused.exception, WarningsNotConfirmed)
    done = said("seal", 2020, *(f"--confirm={one['code']}={one['count']}" for one in found))
    assert done["next"] == 2021
    assert states()[2021] == YearState.OPEN
