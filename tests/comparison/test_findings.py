import copy
import datetime as dt

import pytest

from tests.comparison.conftest import NEXT_COUNTY, NEXT_TOWN, NEXT_VILLAGE, VILLAGE, viewer
from wanjia.comparison import queries, services
from wanjia.comparison.errors import BadFilter
from wanjia.comparison.queries import Filters
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.viewer import ANONYMOUS, Relation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built")]

PLACES = {VILLAGE: 3, NEXT_VILLAGE: 2, NEXT_TOWN: 4, NEXT_COUNTY: 5}


@pytest.fixture(scope="module")
def built(standing):
    world = standing.world
    for village, cars in PLACES.items():
        for n in range(cars):
            person = world.person(world.household(village))
            world.car(person, registered_on=dt.date(2014 if n == 0 else 2018, 6, 1))
    world.publish()
    world.deliver(area="45")
    return services.run_comparison(viewer=viewer("45"))


@pytest.fixture
def run(built):
    """Cars in four villages of two counties: each village has one of before identification, the rest later."""
    return copy.deepcopy(built)


def everything(viewer, run, filters=Filters(), size=50):  # noqa: B008 - immutable
    """All pages of a list, walked by cursor."""
    found, after = [], ""
    while True:
        page = queries.findings(viewer, run.pk, filters, after, size)
        found += page.items
        if not page.next:
            return found, page.total
        after = page.next


@pytest.mark.parametrize(
    ("area", "villages"),
    [
        ("45", list(PLACES)),
        ("4512", list(PLACES)),
        ("451228", [VILLAGE, NEXT_VILLAGE, NEXT_TOWN]),
        ("451228100", [VILLAGE, NEXT_VILLAGE]),
        (VILLAGE, [VILLAGE]),
        (NEXT_TOWN, [NEXT_TOWN]),
        ("451229", [NEXT_COUNTY]),
        ("451230", []),
        ("46", []),
    ],
)
def test_everybody_sees_his_own_area_in_list_count_and_single_rows(run, at, area, villages):
    viewer = at(area)
    seen, total = everything(viewer, run)
    expected = sum(PLACES[village] for village in villages)

    assert {finding.village_code for finding in seen} == set(villages)
    assert len(seen) == total == expected == queries.count_findings(viewer, run.pk)
    assert sum(queries.rule_counts(viewer, run.pk).values()) == expected
    assert sum(queries.area_counts(viewer, run.pk, 12).values()) == expected
    assert [f.finding_no for f in queries.each_finding(viewer, run.pk, chunk=2)] == [f.finding_no for f in seen]
    own = {finding.finding_no for finding in seen}
    for number in range(1, run.finding_count + 1):
        if number in own:
            assert queries.finding_for(viewer, run.pk, number).finding_no == number
        else:
            with pytest.raises(NotVisible):
                queries.finding_for(viewer, run.pk, number)


@pytest.mark.parametrize("relation", [Relation.OWN_HOUSEHOLDS, Relation.OWN_CASES, Relation.OWN_DEPARTMENT])
def test_who_sees_only_his_own_rows_does_not_list_an_area(run, at, relation):
    assert everything(at("45", relation), run) == ([], 0)
    assert set(queries.rule_counts(at("45", relation), run.pk).values()) == {0}
    with pytest.raises(NotVisible):
        queries.finding_for(at("45", relation), run.pk, 1)


def test_who_has_no_grant_sees_no_run(run):
    with pytest.raises(NotAllowed):
        queries.runs(ANONYMOUS)
    with pytest.raises(NotAllowed):
        queries.findings(ANONYMOUS, run.pk)


def test_pages_hold_every_finding_once_in_order(run, at):
    for size in (1, 2, 3, 5, 100):
        seen, total = everything(at("45"), run, size=size)

        keys = [(finding.village_code, finding.rule, finding.finding_no) for finding in seen]
        assert keys == sorted(set(keys))
        assert len(keys) == total == 14


def test_a_list_of_one_rule(run, at):
    for size in (1, 3, 100):
        seen, total = everything(at("45"), run, Filters(rule="RA-02"), size)
        assert len(seen) == total == 4
        assert {finding.rule for finding in seen} == {"RA-02"}
    assert queries.rule_counts(at("45"), run.pk) == {"RA-02": 4, "RA-02B": 10, "RB-01": 0, "RB-06": 0}


def test_a_filter_narrows_and_never_widens(run, at):
    county = at("451228")

    assert everything(county, run, Filters(area="451228101"))[1] == 4
    assert everything(county, run, Filters(area="451229")) == ([], 0)
    assert everything(county, run, Filters(area="45"))[1] == 9
    assert set(queries.rule_counts(county, run.pk, "451229").values()) == {0}
    first = queries.finding_for(county, run.pk, 1)
    assert everything(county, run, Filters(household_no=first.household_no)) == ([first], 1)
    assert everything(county, run, Filters(person_no=first.person_no, rule="RA-02B")) == ([], 0)
    assert everything(at("451229"), run, Filters(person_no=first.person_no)) == ([], 0)


def test_counts_by_area_show_each_level_below(run, at):
    assert queries.area_counts(at("45"), run.pk, 6) == {"451228": 9, "451229": 5}
    assert queries.area_counts(at("451228"), run.pk, 9) == {"451228100": 5, "451228101": 4}
    assert queries.area_counts(at(VILLAGE), run.pk, 6) == {"451228": 3}
    assert queries.area_counts(at("45"), run.pk, 6, rule="RA-02") == {"451228": 3, "451229": 1}
    with pytest.raises(BadFilter):
        queries.area_counts(at("45"), run.pk, 5)


def test_an_area_that_is_none_is_refused(run, at):
    for area in ("4", "45122", "451228' or 1=1", "４５", "451228%"):
        with pytest.raises(BadFilter):
            queries.findings(at("45"), run.pk, Filters(area=area))


def test_a_cursor_that_is_none_is_refused(run, at):
    for after in ("x", "451228100200", "451228100200~RA-02", "1~RA-02~x", "1~RA-02~99999999999", "~~", "²~RA-02~1"):
        with pytest.raises(BadFilter):
            queries.findings(at("45"), run.pk, Filters(), after)


def test_hostile_texts_in_filters_find_nothing_and_break_nothing(run, at):
    for text in ("' or 1=1 --", "RA-02' union select * from fact --", "%", "_", "\x00", "x" * 10_000):
        assert queries.findings(at("45"), run.pk, Filters(rule=text)).total == 0


def test_a_list_walks_the_index_and_never_sorts(run, at):
    from wanjia.comparison.index import address_of_index
    from wanjia.lake import serving
    from wanjia.scope.stores import lake

    connection = serving.connect(lake().path(address_of_index(run.pk)))
    order = "ORDER BY village_code, rule, finding_no LIMIT 50"
    whole = "SELECT * FROM finding WHERE village_code >= '451228' AND village_code < '451229'"
    for sql in (f"{whole} {order}", f"{whole} AND rule = 'RA-02' {order}"):
        plan = " ".join(row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}"))
        assert "SEARCH" in plan
        assert "TEMP B-TREE" not in plan
    connection.close()
