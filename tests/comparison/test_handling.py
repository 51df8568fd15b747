"""What a list of findings says was done about each, and what its button would really issue."""

import copy
import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.comparison.conftest import NEXT_COUNTY, VILLAGE, register
from tests.comparison.test_pages import browse, page_of  # noqa: F401 - a fixture
from wanjia.audit.testing import unrecorded
from wanjia.casework.models import Case
from wanjia.comparison import handling
from wanjia.comparison.choices import Handling
from wanjia.comparison.errors import RunSuperseded
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison, screen
from wanjia.kernel import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built")]
STATEMENTS = 15


@pytest.fixture(scope="module")
def built(standing):
    """Two rounds: of six people's cars four were issued in the first, of which one is answered; then a new car.

    The first person has two cars, which are one suspicion.
    """
    world, office = standing.world, standing.office
    people = [world.person(village=VILLAGE) for _ in range(5)] + [world.person(village=NEXT_COUNTY)]
    for person in (*people, people[0]):
        world.car(person, registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver(area="4512")
    first = run_comparison(viewer=office["province"])
    for household in (1, 2, 3, 6):
        filters = Filters(household_no=household)
        issue_findings(
            viewer=office["province"], run_id=first.pk, filters=filters, expected_count=2 if household == 1 else 1
        )
    with unrecorded():
        answered = Case.objects.for_writing().filter(household_no=3)
        answered.update(step="closed", outcome="06", closed_at=clock.now(), due_on=None, warn_on=None)
    world.car(people[2], registered_on=dt.date(2014, 5, 1), plate="桂M0NEU")
    world.publish("20201201-01")
    world.deliver("20201201-01", area="4512")
    return first, run_comparison(viewer=office["province"])


@pytest.fixture
def rounds(built):
    """The two runs."""
    return copy.deepcopy(built)


def case_of(household: int) -> int:
    return Case.objects.for_writing().get(household_no=household).case_no


def handled_by_household(viewer, run, **more):
    page = handling.listed(viewer, run, Filters(**more))
    return {item.household_no: page.handled[item.finding_no] for item in page.items}


def test_a_later_run_knows_what_earlier_rounds_opened(rounds, office):
    told = handled_by_household(office["province"], rounds[1])
    assert {number: line.how for number, line in told.items()} == {
        1: Handling.AT_WORK, 2: Handling.AT_WORK, 3: Handling.NEW, 4: Handling.NEW, 5: Handling.NEW, 6: Handling.AT_WORK,
    }  # fmt: skip
    assert (told[1].case_no, told[1].readable) == (case_of(1), True)


def test_an_answer_is_said_while_the_records_are_those_it_answered(rounds, world, office):
    world.cars.pop()
    world.publish("20201202-01")
    world.deliver("20201202-01", area="4512")
    third = run_comparison(viewer=office["province"])
    told = handled_by_household(office["county"], third)[3]
    assert (told.how, told.case_no, told.readable) == (Handling.ANSWERED, case_of(3), True)


def test_who_may_not_open_the_case_is_told_of_it_without_its_number(rounds, at):
    told = handled_by_household(at("451228"), rounds[1])
    assert (told[1].how, told[1].readable) == (Handling.AT_WORK, False)
    assert 6 not in told, "the next county's"


def test_the_page_links_the_cases_and_its_button_counts_what_would_be_issued(rounds, office, browse):  # noqa: F811
    _first, second = rounds
    text = browse("province").get(page_of(second)).content.decode()
    assert "下发符合条件的 3 件" in text
    assert len(screen(office["province"], second.pk, Filters()).fresh) == 3
    number = case_of(1)
    assert f"在办（核查件 {number}）" in text
    assert reverse("casework:case", args=[number]) in text
    assert text.count("未处理</span>") == 4, "the third has an old car and a new one"
    county = browse("county").get(page_of(second)).content.decode()
    assert f"在办（核查件 {number}）" in county
    issue_findings(viewer=office["province"], run_id=second.pk, filters=Filters(), expected_count=8)
    text = browse("province").get(page_of(second)).content.decode()
    assert "下发符合条件的" not in text
    assert (text.count("已下发</span>"), text.count("在办（核查件")) == (4, 4)


def test_of_a_long_list_the_button_names_the_findings_it_would_look_through(rounds, browse, monkeypatch):  # noqa: F811
    monkeypatch.setattr(handling, "MOST", 3)
    assert "从 8 条疑点中下发新的" in browse("province").get(page_of(rounds[1])).content.decode()


@pytest.mark.parametrize("most", [3, 1_000])
def test_the_list_is_narrowed_by_how_findings_were_handled(rounds, office, monkeypatch, most):
    monkeypatch.setattr(handling, "MOST", most)
    for viewer in (office["province"], office["county"]):
        every = handling.listed(viewer, rounds[1], Filters())
        found = {}
        for how in Handling:
            after, found[how] = "", []
            while True:
                page = handling.listed(viewer, rounds[1], Filters(), how, after)
                found[how] += [item.finding_no for item in page.items]
                assert page.total in (None, len([line for line in every.handled.values() if line.how == how]))
                after = page.next
                if not after:
                    break
        assert found == {
            how: [item.finding_no for item in every.items if every.handled[item.finding_no].how == how]
            for how in Handling
        }


def test_the_page_offers_the_ways_as_links_and_keeps_the_one_chosen(rounds, browse):  # noqa: F811
    address = page_of(rounds[1])
    page = browse("province").get(address, {"handled": "at_work"})
    text = page.content.decode()
    assert "疑点 4 条" in text
    assert "未处理</span>" not in text
    assert "rule=RA-02&amp;area=45&amp;handled=at_work" in text
    assert "handled" not in str(page.context["query"]), "what is issued is not narrowed by it"
    assert browse("province").get(address, {"handled": "x"}).context["page"]["total"] == 8
    answer = browse("province").post(
        f"{reverse('comparison:save_filter', args=[rounds[1].pk])}?handled=new", {"name": "待下发"}
    )
    assert answer.url.endswith("handled=new")


def test_nothing_is_issued_from_a_run_that_is_no_longer_the_newest(rounds, office, browse):  # noqa: F811
    first, second = rounds
    text = browse("province").get(page_of(first)).content.decode()
    assert "下发符合条件的" not in text
    assert f"已有更新的第 {second.pk} 次比对" in text
    address = reverse("comparison:issue", args=[first.pk])
    assert browse("province").get(address).status_code == 409
    assert browse("province").post(address, {"expected": "7"}).status_code == 409
    with pytest.raises(RunSuperseded):
        issue_findings(viewer=office["province"], run_id=first.pk, filters=Filters(), expected_count=7)
    assert Case.objects.for_writing().count() == 4


@pytest.mark.parametrize("who", ["province", "county"])
def test_the_list_costs_few_statements(rounds, browse, who):  # noqa: F811
    browser, address = browse(who), page_of(rounds[1])
    browser.get(address)
    for asked in ({}, {"handled": "new"}):
        with CaptureQueriesContext(connection) as told:
            browser.get(address, asked)
        statements = [query["sql"] for query in told if query["sql"].startswith(("SELECT", "WITH"))]
        assert len(statements) <= STATEMENTS, statements


def test_a_finding_explained_leads_to_the_case_of_an_earlier_round(rounds, browse):  # noqa: F811
    address = reverse("comparison:finding", args=[rounds[1].pk, 1])
    assert reverse("casework:case", args=[case_of(1)]) in browse("county").get(address).content.decode()
