"""Putting the invented county into an installation: staff, register, pairings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from django.conf import settings
from django.contrib.auth.hashers import make_password

from wanjia.accounts import services as accounts
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.models import User
from wanjia.demo.errors import CountyUnknown
from wanjia.demo.staff import PASSWORD, Place, Post
from wanjia.demo.vehicles import VehicleFile
from wanjia.demo.world import County, Home, Resident
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
    delivery: VehicleFile
    file: Path
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


def found(place: CountyPlace, invented: County, posts: Sequence[Post], delivery: VehicleFile) -> Founded:
    """Open the accounts, load the register, pair contacts with households, lay the file on the desk."""
    builder = system_viewer("demo.build")
    hashed = make_password(PASSWORD)
    users = accounts.open_accounts(viewer=builder, accounts=[_account(post, hashed) for post in posts])
    ids = {user.username: user.pk for user in users}
    registry.load_registry(viewer=builder, batch=_batch(invented, posts, ids), year=2020)
    workforce.load_pairings(viewer=builder, pairings=_pairings(invented, posts, ids))
    inbox = Path(settings.WANJIA_HOME) / "inbox"
    inbox.mkdir()
    file = inbox / f"{place.name}机动车登记信息20200930.csv"
    file.write_bytes(delivery.content)
    return Founded(place, invented, posts, delivery, file, ids)


def _account(post: Post, hashed: str) -> accounts.NewAccount:
    grant = accounts.NewGrant(post.role, post.area, department=post.department)
    return accounts.NewAccount(
        username=post.username,
        display_name=post.display_name,
        area_code=post.area,
        password_hash=hashed,
        grants=[grant],
    )
