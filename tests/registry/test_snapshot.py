"""The snapshot: the registry as it stands, sorted, typed, the same twice, and nothing protected in it."""

import os
import time
from datetime import date, timedelta

import pyarrow.parquet as pq
import pytest

from tests.factories.registry import BUILDER, VILLAGES
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.lake.parquet import check
from wanjia.registry.choices import IN_HOUSEHOLD
from wanjia.registry.models import Household, Membership, Person, PersonYear
from wanjia.registry.services import Edit, correct, publish_snapshot, remove_household, sweep_snapshots
from wanjia.registry.services.snapshot import HOUSEHOLDS, PERSONS, write_extract
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer


def read(snapshot_id, name):
    return pq.read_table(lake().path(f"registry/snapshot={snapshot_id}", f"{name}.parquet"))


@pytest.fixture
def snapshot(county):
    return publish_snapshot(viewer=BUILDER)


def test_it_holds_everybody_in_village_order_with_the_declared_columns(county, snapshot):
    persons, households = read(snapshot, "persons"), read(snapshot, "households")

    assert persons["person_no"].to_pylist() == list(range(1, 129))
    assert households["household_no"].to_pylist() == list(range(1, 33))
    assert persons["village_code"].to_pylist() == sorted(persons["village_code"].to_pylist())
    for name, columns in (("persons", PERSONS), ("households", HOUSEHOLDS)):
        check(lake().path(f"registry/snapshot={snapshot}", f"{name}.parquet"), columns)
    assert persons.slice(3, 1).to_pylist()[0] == {
        "person_no": 4,
        "household_no": 1,
        "person_key": county.person(4).person_key,
        "id_valid": True,
        "name": "蓝大四",
        "name_match": "蓝大四",
        "sex": "2",
        "birth_date": date(1948, 5, 5),
        "relation": "12",
        "member_status": "2",
        "in_household": False,
        "village_code": "451228100001",
        "health": None,
        "on_dibao": None,
        "on_tekun": None,
    }
    assert households.slice(1, 1).to_pylist()[0] == {
        "household_no": 2,
        "village_code": "451228100001",
        "hamlet": "弄王屯",
        "head_name": "覃大一",
        "household_category": "01",
        "poverty_status": "0",
        "identified_year": 2015,
        "exit_year": None,
        "member_count": 3,
    }


def test_the_same_registry_gives_the_same_bytes_and_a_change_other_ones(county, snapshot):
    again = publish_snapshot(viewer=BUILDER)
    correct(viewer=county.viewer("village"), edits=[Edit("name", "韦改", person_no=1)], reason="姓名录入错误")
    changed = publish_snapshot(viewer=BUILDER)

    first, second, third = (lake().read_manifest(f"registry/snapshot={each}") for each in (snapshot, again, changed))
    assert first.content == second.content != third.content
    assert first.facts["digest"] == second.facts["digest"] != third.facts["digest"]
    assert (first.facts["persons"], first.facts["households"]) == (128, 32)
    assert (snapshot, again, changed) == ("20201116-01", "20201116-02", "20201116-03")


def test_health_and_support_are_of_the_latest_year(county):
    facts = {"person_no": 1, "household_no": 1, "village_code": "451228100001"}
    with unrecorded():
        PersonYear.objects.create(year=2050, **facts, health="02,04", on_dibao=True, on_tekun=False)
        PersonYear.objects.create(year=2049, **facts, health="01", on_dibao=False)
    first = read(publish_snapshot(viewer=BUILDER), "persons").slice(0, 1).to_pylist()[0]

    assert (first["health"], first["on_dibao"], first["on_tekun"]) == ("02,04", True, False)


def test_an_extract_holds_whole_households_and_whoever_shares_a_number(county, tmp_path):
    with unrecorded():
        Person.objects.visible_to(system_viewer("registry.snapshot")).filter(pk=30).update(
            person_key=county.person(2).person_key
        )
    persons, households = write_extract(tmp_path, [1], [1])
    numbers = pq.read_table(persons)["person_no"].to_pylist()

    assert numbers == [1, 2, 3, 4, 30]
    assert 1 in pq.read_table(households)["household_no"].to_pylist()


def slowly(model, wanted, **more):
    """The rows of a snapshot, each looked up by itself."""
    rows = model.objects.visible_to(BUILDER).order_by("village_code", model._meta.pk.name)
    return [{name: more[name](row) if name in more else getattr(row, name) for name in wanted} for row in rows]


def test_it_says_of_a_mixed_registry_what_a_look_at_each_row_says(county):
    viewer = county.viewer("county")
    remove_household(viewer=viewer, household_no=5, reason="识别时名下有车")
    correct(viewer=viewer, edits=[Edit("hamlet", '他说"弄王",\\屯', household_no=6)], reason="地名核对后更正")
    with unrecorded():
        everybody = Person.objects.visible_to(BUILDER)
        everybody.filter(pk=7).update(birth_date=None, person_key=None, sex="", name='null"韦"', id_valid=False)
        everybody.filter(pk=9).update(name="首行\n次行", name_match="null")
        Membership.objects.visible_to(BUILDER).filter(person_no=11).update(latest=False)
        Person.objects.visible_to(BUILDER).filter(pk=13).update(village_code=VILLAGES[3])  # moved: out of number order
        for year in (2017, 2030):
            PersonYear.objects.create(
                person_no=3, household_no=1, village_code=VILLAGES[0], year=year, on_dibao=year > 2020
            )
        Membership.objects.create(
            person_no=14, household_no=9, village_code=VILLAGES[1], relation="99", member_status="3", latest=False
        )

    def stay(row):
        return Membership.objects.visible_to(BUILDER).filter(person_no=row.pk, latest=True).first()

    def fact(name):
        latest = lambda row: PersonYear.objects.visible_to(BUILDER).filter(person_no=row.pk).order_by("year").last()  # noqa: E731
        return lambda row: getattr(latest(row), name, None)

    persons = slowly(
        Person, PERSONS,
        relation=lambda row: getattr(stay(row), "relation", None),
        member_status=lambda row: getattr(stay(row), "member_status", None),
        in_household=lambda row: getattr(stay(row), "member_status", None) in IN_HOUSEHOLD,
        **{name: fact(name) for name in ("health", "on_dibao", "on_tekun")},
    )  # fmt: skip
    households = slowly(Household, HOUSEHOLDS, head_name=lambda row: county.person(row.head_person_no).name)

    snapshot = publish_snapshot(viewer=BUILDER)
    assert read(snapshot, "persons").to_pylist() == persons
    assert read(snapshot, "households").to_pylist() == households


def test_what_the_log_commits_to_outlives_the_sweep(county, snapshot, home):
    with lake().publishing("registry/snapshot=20201101-01"):
        pass  # somebody died before he recorded it
    before = time.time() - 25 * 3600  # noqa: TID251 - the file system's clock is the machine's
    for path in (home / "lake" / "registry").iterdir():
        os.utime(path, (before, before))

    assert sweep_snapshots() == 1
    assert lake().list("registry") == [f"registry/load={county.loaded.event_id}", f"registry/snapshot={snapshot}"]


def test_ids_sort_in_the_order_of_publication(county, snapshot):
    with clock.frozen(clock.now() + timedelta(days=20)):
        later = publish_snapshot(viewer=BUILDER)
    assert [snapshot, later] == sorted([later, snapshot])
    assert lake().list("registry/snapshot=20201206-01") or later == "20201206-01"


def test_a_removed_household_stays_but_nobody_is_in_it(county):
    remove_household(viewer=county.viewer("county"), household_no=1, reason="识别时名下有车")
    snapshot = publish_snapshot(viewer=BUILDER)

    persons = read(snapshot, "persons").slice(0, 4)
    household = read(snapshot, "households").slice(0, 1).to_pylist()[0]

    assert persons["in_household"].to_pylist() == [False] * 4
    assert persons["member_status"].to_pylist() == ["10", "10", "10", "2"]
    assert (household["poverty_status"], household["member_count"]) == ("", 0)


def test_it_is_recorded(county, snapshot):
    entry = Opening.objects.visible_to(BUILDER).get(act="registry.publish_snapshot")
    assert entry.payload["content"]["snapshot"] == snapshot
    assert entry.payload["content"]["persons"] == 128


def test_no_number_phone_or_account_is_in_it(county, snapshot, home):
    number = county.person(1).id_number.clear().encode()
    for path in (home / "lake" / "registry").rglob("*.parquet"):
        content = path.read_bytes()
        assert number not in content
        assert b"13800138000" not in content
