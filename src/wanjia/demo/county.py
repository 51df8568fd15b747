"""Putting the invented county into an installation: staff, register, pairings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from django.conf import settings
from django.contrib.auth.hashers import make_password

from wanjia.accounts import services as accounts
from wanjia.accounts.models import User
from wanjia.accounts.queries import viewer_for
from wanjia.demo.departments.files import Delivery
from wanjia.demo.errors import CountyUnknown
from wanjia.demo.facts import hamlet_records, income_of, living_of, person_in, village_record
from wanjia.demo.staff import PASSWORD, Place, Post
from wanjia.demo.world import DIED, MOVED_OUT, County, Home, Resident
from wanjia.divisions import queries as divisions
from wanjia.registry import services as registry
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.workforce import services as workforce


@dataclass(frozen=True, slots=True)
class CountyPlace:
    """A county with its city and its townships, by code and name."""

    code: str
    name: str
    city: tuple[str, str]
    townships: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Founded:
    """The county as it stands before any comparison, and the people who work in it."""

    place: CountyPlace
    invented: County
    posts: Sequence[Post]
    files: Sequence[Path]
    users: dict[str, int]

    @property
    def people(self) -> int:
        return sum(1 for _ in self.invented.residents)

    def viewer(self, username: str) -> Viewer:
        """The viewer that account is today."""
        builder = system_viewer("demo.build")
        return viewer_for(User.objects.get_visible(builder, username=username))


def place_of(county_code: str) -> CountyPlace:
    """The county with that code. Raises CountyUnknown."""
    path = divisions.path_of(county_code)
    if len(county_code) != 6 or len(path) != 3:
        raise CountyUnknown(county_code=county_code)
    townships = [
        Place(
            code=township.code,
            name=township.name,
            villages=[(village.code, village.name) for village in divisions.children(township.code)],
        )
        for township in divisions.children(county_code)
    ]
    return CountyPlace(
        code=county_code, name=path[-1][1], city=path[1], townships=[place for place in townships if place.villages]
    )


def found(place: CountyPlace, invented: County, posts: Sequence[Post], deliveries: Sequence[Delivery]) -> Founded:
    """Open the accounts, load the register, pair contacts with households, lay the files on the desk."""
    builder = system_viewer("demo.build")
    hashed = make_password(PASSWORD)
    users = accounts.open_accounts(viewer=builder, accounts=[_account(post, hashed) for post in posts])
    ids = {user.username: user.pk for user in users}
    registry.load_registry(viewer=builder, batch=registry_batch(invented, posts, ids), year=2020)
    _load_villages(builder, invented)
    workforce.load_pairings(viewer=builder, pairings=_pairings(invented, posts, ids))
    inbox = Path(settings.WANJIA_HOME) / "inbox"
    inbox.mkdir()
    files = [inbox / delivery.name for delivery in deliveries]
    for file, delivery in zip(files, deliveries, strict=True):
        file.write_bytes(delivery.content)
    return Founded(place, invented, posts, files, ids)


def _load_villages(builder: Viewer, invented: County) -> None:
    by_village: dict[str, list[Home]] = {}
    for home in invented.homes:
        by_village.setdefault(home.village_code, []).append(home)
    for year in (2018, 2019):
        registry.load_villages(
            viewer=builder,
            year=year,
            villages=[village_record(code, homes, year) for code, homes in by_village.items()],
            hamlets=[row for code, homes in by_village.items() for row in hamlet_records(code, homes)],
            source=f"{invented.name}(合成)",
        )


def _account(post: Post, hashed: str) -> accounts.NewAccount:
    grant = accounts.NewGrant(post.role, post.area, department=post.department)
    return accounts.NewAccount(
        username=post.username,
        display_name=post.display_name,
        area_code=post.area,
        password_hash=hashed,
        grants=[grant],
    )


def registry_batch(invented: County, posts: Sequence[Post], ids: dict[str, int]) -> registry.RegistryBatch:
    """The county as a sender would hand it over: his own numbers, four tables."""
    operators = {post.area: ids[post.username] for post in posts if post.role == "village_operator"}
    homes = invented.homes
    people = [(home, member) for home in homes for member in home.members]
    return registry.RegistryBatch(
        households=pa.Table.from_pylist([_household(home, operators) for home in homes]),
        persons=pa.Table.from_pylist([_person(home, member) for home, member in people]),
        household_years=pa.Table.from_pylist([row for home in homes for row in _years(home)]),
        person_years=pa.Table.from_pylist([_person_year(home, member) for home, member in people]),
        source=f"{invented.name}(合成)",
    )


def _household(home: Home, operators: dict[str, int]) -> dict[str, object]:
    return {
        "national_household_no": _national(home),
        "village_code": home.village_code,
        "hamlet": home.hamlet,
        "recognition_standard": "1",
        "household_category": home.category,
        "poverty_status": home.poverty_status,
        "identified_year": home.identified_year,
        "exit_year": home.exit_year,
        "return_year": home.return_year,
        "main_cause": home.main_cause,
        "other_causes": "",
        "relocated": False,
        "cause_note": "",
        "martyr_or_military_family": False,
        "one_child_family": False,
        "two_daughter_family": False,
        "phone": f"1397788{home.household_no:04d}",
        "bank_name": "农村信用社",
        "bank_account": f"62231234{home.household_no:08d}",
        "entered_by": operators[home.village_code],
    }


def _person(home: Home, member: Resident) -> dict[str, object]:
    return {
        "national_person_no": f"P{member.person_no:011d}",
        "national_household_no": _national(home),
        "name": member.registered_name or member.name,
        "id_type": "01",
        "id_number": member.registered_number or member.number,
        "sex": "1" if member.male else "2",
        "birth_date": member.born_on,
        "ethnicity": member.ethnicity,
        "relation": member.relation,
        "member_status": member.member_status,
        "left_on": member.left_on,
        "change_reason": {DIED: "R1", MOVED_OUT: "R2"}.get(member.member_status, ""),
    }


def _years(home: Home) -> Iterator[dict[str, object]]:
    for year, income in home.yearly_income.items():
        yield {
            "national_household_no": _national(home),
            "year": year,
            "poverty_status": home.status_in(year),
            "member_count": len(home.members),
            "household_category": home.category,
            "main_cause": home.main_cause,
            **income_of(home, year, income),
            **living_of(home, year),
        }


def _person_year(home: Home, member: Resident) -> dict[str, object]:
    return {"national_person_no": f"P{member.person_no:011d}", "year": 2019, **person_in(home, member, 2019)}


def _national(home: Home) -> str:
    return f"H{home.household_no:010d}"


def _pairings(invented: County, posts: Sequence[Post], ids: dict[str, int]) -> list[workforce.NewPairing]:
    """Each household has a contact of its village; the village's two share the households."""
    contacts: dict[str, list[int]] = {}
    for post in posts:
        if post.role == "household_contact":
            contacts.setdefault(post.area, []).append(ids[post.username])
    return [
        workforce.NewPairing(contacts[home.village_code][home.household_no % 2], home.household_no)
        for home in invented.homes
    ]
