"""A draw can be made again by anybody, is recorded before it is shown, and stays inside the auditor's area."""

import datetime as dt
import hashlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import accounts as factory
from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.audit.queries import found, verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.services.sampling import chosen
from wanjia.inspection import queries
from wanjia.inspection.errors import AreaNotYours, NothingToDraw, PopulationChanged, SeedUnusable, SizeUnusable
from wanjia.inspection.models import Sample, SampleIsDrawn
from wanjia.inspection.queries import Population
from wanjia.inspection.services import draw
from wanjia.kernel.drawing import drawn
from wanjia.reference.services import Notice, set_parameter
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.scope.system import system_viewer

ALL = CaseFilter(state="all")
COUNTY = "451228"
numbers = st.sets(st.integers(1, 10**9), min_size=1, max_size=60)
seeds = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)


def take(viewer, *, area=COUNTY, case_filter=ALL, seed="福彩 3D 第 2020231 期 4 0 7", size=4):
    now = queries.population(viewer, area, case_filter)
    return draw(viewer=viewer, area=area, case_filter=case_filter, seen=(now.count, now.digest), seed=seed, size=size)


@given(numbers, seeds, st.randoms(use_true_random=False), st.integers(1, 60))
def test_the_order_of_rows_changes_nothing_and_the_published_rule_gives_the_same(found, seed, random, size):
    mixed = list(found)
    random.shuffle(mixed)
    by_hand = sorted(found, key=lambda number: hashlib.sha256((seed + ":" + str(number)).encode("utf-8")).hexdigest())

    assert drawn(mixed, size, seed) == drawn(sorted(found), size, seed) == by_hand[:size]


@given(numbers, seeds, st.integers(1, 59))
def test_a_larger_sample_begins_with_the_smaller_one(found, seed, size):
    assert drawn(found, size + 1, seed)[:size] == drawn(found, size, seed)


def test_every_number_is_drawn_about_equally_often():
    """2,000 seeds, 10 of 40: each number is expected 500 times; six standard deviations are 116."""
    counts = dict.fromkeys(range(1, 41), 0)
    for seed in range(2_000):
        for number in drawn(counts, 10, f"seed {seed}"):
            counts[number] += 1

    assert max(abs(count - 500) for count in counts.values()) < 116


def test_the_share_that_is_looked_at_again_is_drawn_by_the_same_rule():
    assert chosen(range(1, 101), Decimal("0.05"), "demo") == set(drawn(range(1, 101), 5, "demo"))


@given(st.lists(st.integers(1, 10**12), max_size=300, unique=True))
def test_a_population_is_unpacked_as_it_was(found):
    found = sorted(found)
    population = Population.of(found)
    sample = Sample(population=population.packed)

    assert list(sample.everybody()) == found
    text = "".join(f"{number}\n" for number in found)
    assert population.digest == hashlib.sha256(text.encode()).hexdigest()
    assert population.count == len(found)


def test_a_draw_is_in_the_log_with_its_population_and_its_seed(cases, auditor):
    sample = take(auditor)

    assert sample.population_count == len(cases)
    assert sample.numbers == drawn(cases, 4, sample.seed)
    (entry,) = found(auditor, {"kind": "inspection"})
    assert entry.event_id == sample.event_id
    assert entry.content == {
        "conditions": {"state": "all"}, "population": len(cases), "population_sha256": sample.population_digest,
        "rule": "sha256(seed:number)", "seed": sample.seed, "size": 4, "drawn": sample.numbers,
    }  # fmt: skip
    assert verify_event(sample.event_id).true


def test_the_same_seed_over_the_same_population_draws_the_same(cases, auditor, accounts):
    one, two = take(auditor), take(factory.viewer(accounts["colleague"]))

    assert one.numbers == two.numbers
    assert one.population_digest == two.population_digest
    assert take(auditor, seed="another").numbers != one.numbers


def test_nothing_is_drawn_from_a_population_he_has_not_seen(cases, auditor):
    seen = queries.population(auditor, COUNTY, ALL)
    with unrecorded():
        Case.objects.for_writing().filter(pk=cases[0]).update(topic="RA-99")
    with pytest.raises(PopulationChanged) as refused:
        draw(
            viewer=auditor, area=COUNTY, case_filter=CaseFilter(state="all", topic="RA-02"),
            seen=(seen.count, seen.digest), seed="x", size=1,
        )  # fmt: skip

    assert refused.value.values == {"expected": len(cases), "found": len(cases) - 1}
    assert not Sample.objects.visible_to(auditor).exists()
    assert not found(auditor, {"kind": "inspection"}).exists()


UNSEEN = ["fill\u3164er", "blank\u2800", "half\uffa0", "7\ufe0f", "7\u034f", "7\U000e0101", "no\u00a0break", "\u115f"]


@pytest.mark.parametrize("seed", ["", "   ", "x" * 201, "two\nlines", "zero\u200bwidth", "a\0b", "\ud800", *UNSEEN])
def test_a_seed_nobody_could_type_again_is_refused(cases, auditor, seed):
    with pytest.raises(SeedUnusable):
        take(auditor, seed=seed)


def test_seeds_that_look_the_same_draw_the_same(cases, auditor):
    """Otherwise seeds could be tried until the right cases come out, behind one that any reader takes for honest."""
    first = take(auditor, seed="caf\u00e9 7")

    for alike in ("cafe\u0301 7", "  caf\u00e9  7 ", "caf\u00e9    7"):
        again = take(auditor, seed=alike)
        assert (again.seed, again.numbers) == (first.seed, first.numbers)
    assert drawn(first.everybody(), first.size, first.seed) == first.numbers


def test_a_seed_is_no_place_for_an_identity_number(cases, auditor):
    with pytest.raises(IdentityNumberInPayload):
        take(auditor, seed="459999198001010015")


@pytest.mark.parametrize("size", [0, -1, 13, 10**8])
def test_a_size_outside_the_population_is_refused(cases, auditor, size):
    with pytest.raises(SizeUnusable) as refused:
        take(auditor, size=size)

    assert refused.value.values["most"] == len(cases)


def test_a_size_above_the_parameter_is_refused(cases, auditor):
    notice = Notice(source="桂审发〔2020〕9号", valid_from=dt.date(2020, 11, 1))
    set_parameter(system_viewer("reference.load"), name=queries.MOST, value="3", notice=notice)

    with pytest.raises(SizeUnusable):
        take(auditor, size=4)
    assert take(auditor, size=3).size == 3


def test_there_is_nothing_to_draw_from_nothing(cases, auditor):
    with pytest.raises(NothingToDraw):
        take(auditor, case_filter=CaseFilter(state="closed"), size=1)


@pytest.mark.parametrize("area", ["451229", "4512", "45", "", "45122", "x"])
def test_an_area_outside_his_own_is_refused(cases, auditor, area):
    if not area:
        assert queries.area_for(auditor, area) == COUNTY
        return
    with pytest.raises(AreaNotYours):
        draw(viewer=auditor, area=area, case_filter=ALL, seen=(0, ""), seed="x", size=1)


def test_the_population_holds_only_his_own_countys_cases(cases, auditor, accounts):
    above = factory.viewer(accounts["above"])

    assert queries.population(auditor, COUNTY, ALL).count == len(cases)
    assert queries.population(above, "4512", ALL).count == len(cases) + 3
    assert queries.population(above, "451229", ALL).count == 3
    assert take(above, area="451229", size=3).area == "451229"
    assert take(auditor, area="451228100", size=2).population_count == len(cases)


def test_who_may_not_sample_draws_nothing(cases, office):
    with pytest.raises(NotAllowed):
        draw(viewer=office["county"], area=COUNTY, case_filter=ALL, seen=(0, ""), seed="x", size=1)


def test_a_sample_is_its_auditors_own(cases, auditor, accounts):
    sample = take(auditor)

    assert list(queries.samples(auditor)) == [sample]
    for other in ("colleague", "above", "neighbour"):
        viewer = factory.viewer(accounts[other])
        assert not queries.samples(viewer).exists()
        with pytest.raises(NotVisible):
            queries.sample_for(viewer, sample.pk)


def test_a_draw_is_never_changed(cases, auditor):
    sample = take(auditor)

    with pytest.raises(SampleIsDrawn):
        sample.save()
    with pytest.raises(SampleIsDrawn):
        sample.delete()


def test_cases_decided_between_two_days(cases, auditor):
    with as_owner(), unrecorded():
        first = CaseEvent.objects.of_many(cases[:2])
        for row, (action, day) in zip(first, (("decide", 10), ("review", 10)), strict=True):
            values = {
                field.attname: getattr(row, field.attname) for field in CaseEvent._meta.fields if field.name != "id"
            }
            at = dt.datetime(2020, 11, day, 23, 30, tzinfo=queries.clock.CHINA)
            CaseEvent.objects.create(**{**values, "action": action, "at": at})

    def decided(since, until):
        wanted = CaseFilter(state="all", decided_from=since, decided_to=until)
        return list(queries.population_rows(auditor, COUNTY, wanted).values_list("case_no", flat=True))

    assert decided("2020-11-10", "2020-11-10") == cases[:1]
    assert decided("", "2020-11-09") == decided("2020-11-11", "") == []
    assert CaseFilter.from_query({"decided_from": "2020-02-30", "decided_to": "0001-01-01"}) == CaseFilter()
