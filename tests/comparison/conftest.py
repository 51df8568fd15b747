from __future__ import annotations

import copy
import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest

from wanjia.accounts.models import User
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.services import NewAccount, NewGrant, load_roles, open_accounts
from wanjia.audit.testing import unrecorded
from wanjia.divisions import queries as divisions
from wanjia.divisions.models import Division, Revision
from wanjia.kernel import clock
from wanjia.lake import Columns, Type, parquet
from wanjia.reference import queries as reference
from wanjia.reference.services import load_reference
from wanjia.registry.models import Household, Membership, Person
from wanjia.registry.services.snapshot import HOUSEHOLDS, PERSONS
from wanjia.scope.areas import AreaRange
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Grant, Relation, Viewer
from wanjia.sources.choices import BatchStatus, DeliveryMode
from wanjia.sources.models import Batch

MATCHED: Columns = {
    "person_no": Type.INTEGER,
    "method": Type.TEXT,
    "score": Type.INTEGER,
    "name_agrees": Type.BOOLEAN,
    "ambiguous": Type.BOOLEAN,
    "source_row": Type.INTEGER,
    "plate": Type.TEXT,
    "vehicle_kind": Type.TEXT,
    "vehicle_use": Type.TEXT,
    "model": Type.TEXT,
    "registered_on": Type.DATE,
    "vehicle_status": Type.TEXT,
}
VILLAGE, NEXT_VILLAGE, NEXT_TOWN, NEXT_COUNTY = "451228100200", "451228100201", "451228101200", "451229100200"


@dataclass
class World:
    """A registry snapshot and matched vehicles, written as registry and resolution write them."""

    people: list[dict[str, Any]] = field(default_factory=list)
    households: list[dict[str, Any]] = field(default_factory=list)
    cars: list[dict[str, Any]] = field(default_factory=list)

    def household(self, village: str = VILLAGE, **facts: Any) -> int:
        number = len(self.households) + 1
        base = {"household_no": number, "village_code": village, "identified_year": 2015, "poverty_status": "0"}
        self.households.append({**base, "household_category": "01", "member_count": 1, **facts})
        return number

    def person(self, household: int | None = None, village: str = VILLAGE, **facts: Any) -> int:
        household = household or self.household(village)
        number = len(self.people) + 1
        home = self.households[household - 1]["village_code"]
        base = {"person_no": number, "household_no": household, "village_code": home, "in_household": True}
        self.people.append({**base, "member_status": "1", "name": f"覃{number}", "id_valid": True, **facts})
        return number

    def car(self, person: int | None = None, **facts: Any) -> int:
        row = len(self.cars) + 3  # the register's file has a title and a header
        base = {"person_no": person or self.person(), "source_row": row, "plate": f"桂M{row:05}"}
        base |= {"vehicle_kind": "小型轿车", "vehicle_use": "非营运", "model": "五菱宏光", "vehicle_status": "正常"}
        base |= {"registered_on": dt.date(2013, 5, 1), "name_agrees": True, "method": "exact", "score": 100}
        self.cars.append({**base, "ambiguous": False, **facts})
        return row

    def publish(self, snapshot: str = "20201116-01") -> str:
        with lake().publishing(f"registry/snapshot={snapshot}") as staging:
            _write(staging.path("persons.parquet"), self.people, PERSONS)
            _write(staging.path("households.parquet"), self.households, HOUSEHOLDS)
        return snapshot

    def deliver(self, snapshot: str = "20201116-01", *, resolved: bool = True, **facts: Any) -> Batch:
        base = {"department": "gongan", "dataset": "gongan.vehicles", "contract_version": "1", "area": "451228"}
        base |= {"delivery_mode": DeliveryMode.FULL, "status": BatchStatus.ACCEPTED, "file_name": "车辆.csv"}
        number = 1 + sum(1 for _ in lake().list("resolved"))
        base |= {"file_hash": f"{number:064x}", "file_bytes": 1, "raw": f"raw/{number}", "received_by": 1}
        with unrecorded():
            batch = Batch.objects.create(**{**base, "received_at": clock.now(), **facts})
        if resolved:
            self.resolve(batch, snapshot)
        return batch

    def resolve(self, batch: Batch, snapshot: str) -> None:
        with lake().publishing(f"resolved/{batch.dataset}/batch={batch.pk},snapshot={snapshot}") as staging:
            rows = sorted(self.cars, key=lambda car: (car["person_no"], car["source_row"]))
            _write(staging.path("matched.parquet"), rows, MATCHED)


def _write(path, rows: list[dict[str, Any]], columns: Columns) -> None:
    arrays = {name: pa.array([row.get(name) for row in rows], kind.arrow) for name, kind in columns.items()}
    parquet.write(path, pa.table(arrays), columns)


@dataclass
class Standing:
    """What a module's tests find built: the world as far as its fixtures have filled it, and the office."""

    world: World
    office: Office


@pytest.fixture(scope="module")
def standing(stands) -> Standing:
    """For fixtures of a module's scope; every test of the module must ask for them, or for none."""
    return Standing(World(), opened())


@pytest.fixture
def world(request, db) -> World:
    """An empty world, or a copy of the one that stands."""
    built = "standing" in request.fixturenames
    return copy.deepcopy(request.getfixturevalue("standing").world) if built else World()


def viewer(area: str, *actions: str, relation: Relation = Relation.ALL, user_id: int = 7) -> Viewer:
    allowed = frozenset(actions or ("comparison.read", "comparison.run"))
    return Viewer(user_id, "覃局长", (Grant("role", allowed, AreaRange.of(area), relation),))


@pytest.fixture
def province() -> Viewer:
    return viewer("45")


@pytest.fixture
def at() -> Callable[..., Viewer]:
    """A reader of findings seated somewhere."""
    return lambda area, relation=Relation.ALL: viewer(area, "comparison.read", relation=relation)


@dataclass
class Office:
    """Real accounts with the shipped roles, from the province to the village."""

    users: dict[str, User]

    def __getitem__(self, name: str) -> Viewer:
        return viewer_for(self.users[name])


POSTS = {
    "province": ("province_data_officer", "45"),
    "city": ("city_office", "4512"),
    "county": ("county_office", "451228"),
    "second_county": ("county_office", "451228"),
    "town": ("township_reviewer", "451228100"),
    "verifier": ("information_officer", "451228100"),
    "operator": ("village_operator", VILLAGE),
    "next_town": ("township_reviewer", "451228101"),
    "next_verifier": ("information_officer", "451228101"),
}


@pytest.fixture
def office(request, db) -> Office:
    """An office of the test's own, or the one that stands."""
    built = "standing" in request.fixturenames
    return copy.deepcopy(request.getfixturevalue("standing").office) if built else opened()


def opened() -> Office:
    """An office with everybody at his post, and the policy that comes with the program."""
    load_roles()
    load_reference()
    reference.look_again()
    accounts = [
        NewAccount(name.replace("_", "-"), name.replace("_", " ").title(), area, grants=[NewGrant(role, area)])
        for name, (role, area) in POSTS.items()
    ]
    opened = open_accounts(viewer=system_viewer("accounts.administer"), accounts=accounts)
    return Office(dict(zip(POSTS, opened, strict=True)))


@pytest.fixture
def gazetteer(db) -> Iterator[None]:
    """The divisions of the tests' places, from the region down."""
    name_places()
    yield
    divisions.look_again()


def name_places() -> None:
    """Write down the divisions of the tests' places."""
    names = {"45": "广西", "4512": "河池市", "451228": "都安县", "451229": "大化县", "4509": "玉林市", "450921": "容县"}
    villages = (VILLAGE, NEXT_VILLAGE, NEXT_TOWN, NEXT_COUNTY, "450921100200")
    levels = {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
    codes = sorted({village[:length] for village in villages for length in levels})
    above = {length: shorter for shorter, length in itertools.pairwise(levels)}
    with unrecorded():
        Division.objects.bulk_create(
            Division(
                code=code, name=names.get(code, code), official_name=names.get(code, code), level=levels[len(code)],
                parent_code=code[: above.get(len(code), 0)],
            )
            for code in codes
        )  # fmt: skip
        Revision.objects.create(token="tests")
    divisions.look_again()


def register(world: World) -> None:
    """Put the world's households and people into the registry, as a first load would."""
    with unrecorded():
        Household.objects.bulk_create(
            Household(
                household_no=row["household_no"], national_household_no=f"H{row['household_no']}", year=2020,
                village_code=row["village_code"], hamlet="上屯", household_category="01",
                head_person_no=min(p["person_no"] for p in world.people if p["household_no"] == row["household_no"]),
                poverty_status=row["poverty_status"], identified_year=row["identified_year"], entered_by=0,
                member_count=sum(p["household_no"] == row["household_no"] for p in world.people),
                entered_on=dt.date(2016, 1, 1),
            )
            for row in world.households
        )  # fmt: skip
        Person.objects.bulk_create(
            Person(
                person_no=row["person_no"], national_person_no=f"P{row['person_no']}", id_valid=True,
                household_no=row["household_no"], village_code=row["village_code"], name=row["name"],
                name_match=row["name"],
            )
            for row in world.people
        )  # fmt: skip
        heads = {row["household_no"]: row["person_no"] for row in reversed(world.people)}
        Membership.objects.bulk_create(
            Membership(
                person_no=row["person_no"], household_no=row["household_no"], village_code=row["village_code"],
                relation="01" if heads[row["household_no"]] == row["person_no"] else "03",
                member_status=row["member_status"],
            )
            for row in world.people
        )  # fmt: skip
