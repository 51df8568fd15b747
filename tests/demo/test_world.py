"""The invented county: the same from the same seed, and nobody real in it."""

import io
from datetime import date
from random import Random

import openpyxl
import pytest

from wanjia.demo import departments, registrar, vehicles, world
from wanjia.demo.truth import Cast, Judged, Question, Subject, Truth
from wanjia.kernel import identity


def build(seed: int = 7, people: int = 900) -> world.County:
    villages = [f"4512281{town:02d}2{village:02d}" for town in range(3) for village in range(1, 5)]
    return world.build(
        random=Random(seed), county_code="451228", county_name="都安瑶族自治县", villages=villages, people=people
    )


@pytest.fixture(scope="module")
def county() -> world.County:
    return build()


def test_the_same_seed_makes_the_same_county_and_file(county):
    again = build()

    assert [home.head.number for home in county.homes] == [home.head.number for home in again.homes]
    assert sent(build()) == sent(build())


def test_another_seed_makes_another_county(county):
    assert [home.head.number for home in county.homes] != [home.head.number for home in build(seed=8).homes]


def test_every_number_is_valid_unique_fits_its_person_and_belongs_to_nobody(county):
    residents = list(county.residents)

    assert len({resident.number for resident in residents}) == len(residents)
    for resident in residents:
        judged = identity.judge(resident.number, world.DAY)
        assert judged.valid
        assert judged.born_on == resident.born_on
        assert judged.sex == ("1" if resident.male else "2")
        assert 4551 <= int(resident.number[:4]) <= 4564


def test_people_are_numbered_in_village_order(county):
    homes = county.homes

    assert [home.household_no for home in homes] == list(range(1, len(homes) + 1))
    assert [home.village_code for home in homes] == sorted(home.village_code for home in homes)
    assert [resident.person_no for resident in county.residents] == list(range(1, sum(1 for _ in county.residents) + 1))


def test_household_heads_are_heads_and_live_at_home(county):
    for home in county.homes:
        assert home.head.relation == world.HEAD
        assert home.head.lives_in_household
        assert sum(member.relation == world.HEAD for member in home.members) == 1


def told(county, rows=3_000, each=2):
    """What is so in a county, and its departments' files by their names."""
    cast = Cast(Random(5), county.homes, each)
    registrar.enter(cast)
    return cast.truth, {delivery.name: delivery for delivery in departments.deliver(cast, county, rows)}


def sent(county):
    truth, deliveries = told(county, rows=500)
    return truth.facts, truth.near_misses, truth.blurred, deliveries


@pytest.fixture(scope="module")
def story():
    return told(build(people=3_000), each=4)


def test_whoever_married_out_left_as_a_grown_woman_after_the_household_was_identified():
    county = build(people=3_000)
    told(county, each=4)
    left = [(home, one) for home in county.homes for one in home.members if one.left_on and one.cast]
    assert left
    for home, one in left:
        assert date(home.identified_year, 12, 31) < one.left_on <= world.DAY
        assert one.left_on.year - one.born_on.year >= 17


def test_every_question_has_its_plants_and_near_misses(story):
    truth, _ = story

    for question in Question:
        assert sum(fact.question == question for fact in truth.facts) >= 4, question
        assert sum(miss.question == question for miss in truth.near_misses) >= 4, question
    assert not truth.facts & truth.near_misses


def test_who_has_a_part_in_one_question_has_none_in_another(story):
    truth, _ = story
    planted = [fact for fact in truth.facts | truth.near_misses if fact.person_no and not fact.record]

    assert len({fact.person_no for fact in planted}) == len(planted)


def test_cars_stand_in_the_file_under_their_plates(story):
    truth, deliveries = story
    rows = text_of(deliveries, "机动车登记信息")
    cars = [fact for fact in truth.facts if fact.record]

    assert {fact.question for fact in cars} == {Question.CAR_BEFORE, Question.CAR_AFTER}
    assert all(fact.record in rows for fact in cars)


def text_of(deliveries, title):
    (delivery,) = [one for name, one in deliveries.items() if title in name]
    return delivery.content.decode("gb18030")


def test_the_files_are_as_messy_as_real_ones():
    county = build()
    cast = Cast(Random(5), county.homes, 2)
    text = vehicles.deliver(cast, county, 12_000).content.decode("gb18030")

    assert text.splitlines()[0].startswith("都安瑶族自治县机动车登记信息")
    assert text.count("身份证明号码") == 3
    assert "合计," in text
    assert "E+17" in text
    assert '"=""4562' in text
    assert "年" in text
    assert text.endswith("\r\n")


def test_a_file_counts_its_lines(story):
    _, deliveries = story

    for name, delivery in deliveries.items():
        if name.endswith(".xlsx"):
            found = openpyxl.load_workbook(io.BytesIO(delivery.content)).worksheets[0].max_row
        else:
            found = delivery.content.count(b"\r\n")
        assert delivery.lines == found, name


def test_answers_are_judged_by_what_is_so():
    truth = Truth()
    one, two, three = (Subject(Question.DEAD, person_no=number) for number in (1, 2, 3))
    truth.facts |= {one, two}
    truth.near_misses.add(three)

    assert truth.judge({one, two}) == Judged(1.0, 1.0, 0, (), ())
    assert truth.judge({one, three}) == Judged(0.5, 0.5, 1, (two,), (three,))
    truth.blurred |= {two, three}
    assert truth.judge({one, three}) == Judged(1.0, 1.0, 0, (), ())


def test_dates_lie_in_the_past(county):
    for home in county.homes:
        for resident in home.members:
            assert resident.born_on < world.DAY
            assert resident.left_on is None or date(2014, 1, 1) < resident.left_on <= world.DAY
