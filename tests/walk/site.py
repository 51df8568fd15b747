"""The site as the walk asks it: its routes by name, somebody who asks, and what is wrong with an answer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getsource, unwrap
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from tests.factories import accounts as factory
from tests.factories import walking
from tests.factories.walking import HOME, MINE, Example
from tests.walk.reporting import Tally
from wanjia.accounts import content
from wanjia.accounts.models import GrantRow, SavedFilter
from wanjia.audit.testing import unrecorded
from wanjia.inspection.models import Sample
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.models import Holding
from wanjia.scope.routes import PUBLIC, SIGNED_IN, declared_access
from wanjia.scope.viewer import Relation, Viewer

LENGTH = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}
ROLES = content.document()["roles"]
POSTS = [(role, level) for role, facts in ROLES.items() for level in facts["levels"]]


def named_routes() -> dict[str, tuple[bool, str]]:
    """Route name → (whether it takes parameters, the access it declares)."""
    return {name: (takes, declared_access(view) or "") for name, takes, view in _table()}


def views() -> dict[str, Any]:
    """Route name → its view."""
    return {name: view for name, _, view in _table()}


def _table() -> Iterator[tuple[str, bool, Any]]:
    def walk(patterns: list[Any], namespace: str) -> Iterator[tuple[str, bool, Any]]:
        for item in patterns:
            if isinstance(item, URLResolver):
                inner = f"{namespace}{item.namespace}:" if item.namespace else namespace
                yield from walk(item.url_patterns, inner)
            elif item.name:
                yield f"{namespace}{item.name}", bool(item.pattern.regex.groups), item.callback

    return walk(get_resolver().url_patterns, "")


ROUTES = named_routes()
# Pages of which htmx may ask a part.
FRAGMENTS = {name for name, view in views().items() if "HX-Request" in getsource(unwrap(view))}
# Signing out ends the walk; tests/accounts sees to it.
PLAIN = sorted(name for name, (takes, _) in ROUTES.items() if not takes and name != "accounts:sign_out")

# What the site may answer at all: its pages, the ways on, the framework's own refusals, and those it declares.
_REFUSALS = {405, 400, 403, 404, *(refusal.status for refusal in Refusal.__subclasses__())}
DECLARED = {200, 302, 401, 422} | {status for status in _REFUSALS if status < 500}


FRAGMENT = {"HX-Request": "true"}
PROGRAM = {"Accept": "application/json"}  # a refusal without the shell around it: a third of the work


class Asker(Client):
    """A browser that only keeps its cookies: what the test client notes of every template costs as much as the page."""

    def request(self, **request: Any) -> Any:
        response = self.handler(self._base_environ(**request))
        self.cookies.update(response.cookies)
        return response


def ask(
    client: Client, route: str, example: Example | None = None, *, headers: dict[str, str] | None = None, **query: str
) -> tuple[int, str]:
    """The status and the whole text of an answer; whatever the request wrote is undone."""
    address = reverse(route, kwargs=dict(example.kwargs) if example else None)
    with transaction.atomic():
        if example is not None and example.method == "post":
            answer = client.post(address, dict(example.data), headers=headers)
        else:
            answer = client.get(address, query, headers=headers)
            if answer.status_code == 405:
                answer = client.post(address, query, headers=headers)
        text = text_of(answer)
        transaction.set_rollback(True)
    return answer.status_code, text


def text_of(answer: HttpResponseBase) -> str:
    """All that an answer says, its headers too; a workbook unpacked."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            body = b"\n".join(packed.read(name) for name in packed.namelist())
    return body.decode(errors="replace") + str(dict(answer.items()))


def hold(user, world: list[Example]) -> None:
    """Give the viewer the objects that are his own."""
    mine = {example.held for example in world if example.place is MINE and example.held}
    for kind, number in sorted(mine):
        if kind == "sample":
            with unrecorded():
                Sample._base_manager.filter(pk=number).update(drawn_by=user.pk)
        if kind == "filter":
            SavedFilter.objects.filter(pk=number).update(user_id=user.pk)
        for relation, of_kind in walking.HOLDING_KINDS.items():
            if kind == of_kind:
                Holding.objects.create(
                    user_id=user.pk, relation=relation.value, subject_kind=kind, subject_id=number,
                    valid_from=clock.today(),
                )  # fmt: skip


def cells(world: list[Example], viewer: Viewer) -> Iterator[tuple[Example, str, bool, bool]]:
    """Each example with its route's access, whether the viewer may at all, and whether he sees the object."""
    for example in world:
        declared = ROUTES[example.route][1]
        may = may_ask(example.route, viewer)
        action = example.action or declared
        yield example, declared, may, may and walking.visible(example, viewer, action)


def may_ask(route: str, viewer: Viewer) -> bool:
    """Whether the viewer gets past the route's door."""
    declared = ROUTES[route][1]
    return declared in (PUBLIC, SIGNED_IN) or viewer.may(declared)


def failed(route: str, status: int) -> bool:
    """Whether the site broke or answered what nobody declared; "not ready" is an answer."""
    return status not in DECLARED and (route, status) != ("readyz", 503)


def check(example: Example, viewer: Viewer, may: bool, seen: bool, answer: tuple[int, str]) -> str:
    """What is wrong with an answer, or nothing."""
    status, text = answer
    if failed(example.route, status):
        return "failed"
    if not seen:
        leaked = [secret for secret in example.secrets if secret in text]
        wanted = 404 if may else 403
        return f"shows {leaked}" if leaked else "" if status == wanted else f"not {wanted}"
    # 409 says that the object's state does not allow it: no question of who asks
    if example.method == "get":
        return "" if status in (200, 409) else "not 200"
    return "" if status not in (404, 405) else "though he may see it"


@contextmanager
def walker(
    world: list[Example], role: str = "", area: str = HOME, relation: str = ""
) -> Iterator[tuple[Viewer, Client]]:
    """Somebody with one post, for a while; "own_department:D02" is an officer of another department."""
    given, _, department = (relation or ROLES.get(role, {}).get("relation", "all")).partition(":")
    if given == Relation.OWN_DEPARTMENT.value:
        department = department or "D01"
    with transaction.atomic():
        user = factory.account("walker", role, area, relation=given if relation else "", department=department)
        hold(user, world)
        yield factory.viewer(user), factory.client_for(user, Asker)
        transaction.set_rollback(True)


@contextmanager
def everybody(world: list[Example]) -> Iterator[tuple[Viewer, Client]]:
    """Somebody with every post there is: no door is shut, so that what lies behind each is reached."""
    with transaction.atomic():
        user = factory.account("everybody", area="45")
        with unrecorded():
            GrantRow.objects.bulk_create(
                GrantRow(
                    user=user, role_id=role, area_code=HOME[: LENGTH[level]], relation=Relation.ALL.value,
                    valid_from=clock.today(), granted_by=0,
                )
                for role, level in POSTS
            )  # fmt: skip
        hold(user, world)
        yield factory.viewer(user), factory.client_for(user, Asker)
        transaction.set_rollback(True)


def walk(world: list[Example], viewer: Viewer, client: Client, tally: Tally | None = None) -> list[str]:
    """All that is wrong with what this viewer gets to see of the world's objects."""
    wrong, name = [], posts_of(viewer)
    for example, _, may, seen in cells(world, viewer):
        answer = ask(client, example.route, example)
        if tally is not None:
            tally.saw(example.route, name, example.place.name)
        if problem := check(example, viewer, may, seen, answer):
            wrong.append(told(example, viewer, answer[0], problem))
    return wrong


def posts_of(viewer: Viewer) -> str:
    return ", ".join(f"{grant.role} {grant.relation} {grant.area.lo}" for grant in viewer.grants)


def told(example: Example, viewer: Viewer, status: int, problem: str) -> str:
    return f"{example.route} at {example.place.name} as {posts_of(viewer)}: {status}, {problem}"
