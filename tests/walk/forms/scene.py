"""Who sends a form in the walk's world, what the form holds, and what it may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.factories import accounts as factory
from tests.factories.walking import HOME, MINE, Example
from tests.walk.site import Asker
from wanjia.accounts.models import User
from wanjia.casework.models import Case
from wanjia.casework.rules import Answer
from wanjia.casework.services import act
from wanjia.scope.system import system_viewer

EYE = system_viewer("comparison.case")
CITY, COUNTY, TOWNSHIP, SAMPLE_CITY = HOME[:4], HOME[:6], HOME[:9], HOME[:4]
NEW_PASSWORD = "another-horse-77"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REASON = "走访时发现登记有误"
# Every act leaves these; nobody can name them.
RECORD = frozenset({"log_outbox", "log_opening"})
CASE_MOVES = {"step", "holder_area", "holder_user_id", "assignee_id", "step_entered_at", "warn_on", "due_on", "version"}
CASE_MOVES |= {"alarm", "raised_to"}
CASE_ROWS = RECORD | {"casework_caseevent", "casework_casemove", "casework_casecounter", "scope_holding"}
SESSION = {"django_session": {"session_data", "expire_date"}}
TOUCHED = {"updated_at", "updated_on", "version"}  # columns the whole registry's row gets with any correction
COUNTERS = {"casework_casecounter": {"n"}, "casework_casemove": {"n"}}


SECURITY, OFFICER, SEAT = ("security_admin", "45"), ("province_data_officer", "45"), ("county_office", COUNTY)


@dataclass(slots=True)
class Scene:
    """The world of the walk, and who is at work in it."""

    world: list[Example]
    users: dict[tuple[str, str], User] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def user(self, role: str, area: str, **more: str) -> User:
        key = (role, area)
        if key not in self.users:
            name = f"w-{role.replace('_', '-')}-{area}"
            self.users[key] = factory.account(name, role, area, **more)
        return self.users[key]

    def viewer(self, role: str, area: str):
        return factory.viewer(self.user(role, area))

    def example(self, route: str, place: str = MINE.name) -> Example:
        return next(one for one in self.world if one.route == route and one.place.name == place)

    @property
    def case_no(self) -> int:
        return int(self.example("casework:case").kwargs["case_no"])

    def case(self) -> Case:
        return Case.objects.for_writing().get(pk=self.case_no)

    def act(self, role: str, area: str, action: str, **answer: Any) -> None:
        """One step of the case, as the services take it."""
        act(
            viewer=self.viewer(role, area), case_no=self.case_no, action=action, seen_version=self.case().version,
            answer=Answer(**answer),
        )  # fmt: skip


Data = Callable[[Scene], dict[str, Any]]
Kwargs = Callable[[Scene], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form that succeeds. `changes` are columns of rows that were there; `adds` and `removes` name tables.

    `shapes` are the ways field names are made of columns on this form, beside the column and `table.column`.
    """

    route: str
    actor: tuple[str, str]
    data: Data = lambda _: {}
    kwargs: Kwargs = lambda _: {}
    changes: Mapping[str, set[str]] = field(default_factory=dict)
    adds: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    prepare: Callable[[Scene], None] | None = None
    query: str = ""
    shapes: Callable[[Scene], tuple[str, ...]] = lambda _: ()
    name: str = ""
    stranger: bool = False
    department: str = ""

    def __str__(self) -> str:
        return f"{self.route} {self.name}".strip()

    def client(self, scene: Scene) -> Client:
        """The browser the form is sent from."""
        if self.stranger:
            return Asker(raise_request_exception=False)
        relation = {"relation": "own_department", "department": self.department} if self.department else {}
        return factory.client_for(scene.user(*self.actor, **relation), Asker)


def of(route: str, place: str = "own") -> Kwargs:
    return lambda scene: scene.example(route, place).kwargs


def to_town(scene: Scene) -> None:
    scene.user("township_reviewer", TOWNSHIP)  # nothing is sent where nobody could act
    scene.act("city_office", CITY, "pass_on")
    scene.act("county_office", COUNTY, "distribute")
