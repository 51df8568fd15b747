"""The invented county: the same from the same seed, and nobody real in it."""

from datetime import date
from random import Random

import pytest

from wanjia.demo import vehicles, world
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
    first = vehicles.deliver(random=Random(3), county=build(), rows=2_000)
    second = vehicles.deliver(random=Random(3), county=build(), rows=2_000)
    assert first == second


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


def test_cars_before_and_after_identification_are_on_their_side_of_new_year(county):
    identified = {resident.person_no: home.identified_year for home in county.homes for resident in home.members}
    delivery = vehicles.deliver(random=Random(5), county=county, rows=3_000)
    rows = delivery.content.decode("gb18030")

    assert {fact.fate for fact in delivery.truth} == {vehicles.Fate.CAR_BEFORE, vehicles.Fate.CAR_AFTER}
    for fact in delivery.truth:
        assert fact.plate in rows
        assert fact.person_no in identified


def test_the_file_is_as_messy_as_real_ones(county):
    text = vehicles.deliver(random=Random(5), county=county, rows=12_000).content.decode("gb18030")

    assert text.splitlines()[0].startswith("都安瑶族自治县机动车登记信息")
    assert text.count("身份证明号码") == 3
    assert "合计," in text
    assert "E+17" in text
    assert '"=""4562' in text
    assert "年" in text
    assert text.endswith("\r\n")


def test_the_file_counts_its_lines(county):
    delivery = vehicles.deliver(random=Random(5), county=county, rows=3_000)

    assert delivery.lines == len(delivery.content.decode("gb18030").split("\r\n")) - 1


def test_dates_lie_in_the_past(county):
    for home in county.homes:
        for resident in home.members:
            assert resident.born_on < world.DAY
            assert resident.left_on is None or date(2014, 1, 1) < resident.left_on <= world.DAY
