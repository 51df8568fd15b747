"""The site as the walk asks it: its routes by name, somebody who asks, and what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from tests.factories import accounts as factory
from tests.factories import walking
from tests.factories.walking import HOME, MINE, Example
from wanjia.accounts import content
from wanjia.kernel import clock
from wanjia.scope.models import Holding
from wanjia.scope.routes import PUBLIC, SIGNED_IN, declared_access
from wanjia.scope.viewer import Relation, Viewer

LENGTH = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}
ROLES = content.document()["roles"]
POSTS = [(role, level) for role, facts in ROLES.items() for level in facts["levels"]]


def named_routes() -> dict[str, tuple[bool, str]]:
    """Route name → (whether it takes parameters, the access it declares)."""
    found: dict[str, tuple[bool, str]] = {}

    def walk(patterns, namespace: str) -> None:
        for item in patterns:
            if isinstance(item, URLResolver):
                inner = f"{namespace}{item.namespace}:" if item.namespace else namespace
                walk(item.url_patterns, inner)
            elif item.name:
                takes = bool(item.pattern.regex.groups)
                found[f"{namespace}{item.name}"] = (takes, declared_access(item.callback) or "")

    walk(get_resolver().url_patterns, "")
    return found


ROUTES = named_routes()
# Signing out ends the walk; tests/accounts sees to it.
PLAIN = sorted(name for name, (takes, _) in ROUTES.items() if not takes and name != "accounts:sign_out")


def ask(client: Client, route: str, example: Example | None = None, **query: str) -> tuple[int, str]:
    """The status and the whole text of an answer; whatever the request wrote is undone."""
    address = reverse(route, kwargs=dict(example.kwargs) if example else None)
    with transaction.atomic():
        if example is not None and example.method == "post":
            answer = client.post(address, dict(example.data))
        else:
            answer = client.get(address, query)
            if answer.status_code == 405:
                answer = client.post(address, query)
        text = _text(answer)
        transaction.set_rollback(True)
    return answer.status_code, text


def _text(answer: HttpResponseBase) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode(errors="replace") + str(dict(answer.items()))


def hold(user, world: list[Example]) -> None:
    """Give the viewer the objects that are his own."""
    mine = {example.held for example in world if example.place is MINE and example.held}
    for kind, number in sorted(mine):
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
        may = declared in (PUBLIC, SIGNED_IN) or viewer.may(declared)
        action = example.action or declared
        yield example, declared, may, may and walking.visible(example, viewer, action)


def failed(route: str, status: int) -> bool:
    """Whether the site broke; "not ready" is an answer."""
    return status >= 500 and (route, status) != ("readyz", 503)


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
        yield factory.viewer(user), factory.client_for(user)
        transaction.set_rollback(True)


def walk(world: list[Example], viewer: Viewer, client: Client) -> list[str]:
    """All that is wrong with what this viewer gets to see of the world's objects."""
    wrong = []
    for example, _, may, seen in cells(world, viewer):
        status, text = ask(client, example.route, example)
        problem = check(example, viewer, may, seen, (status, text))
        if problem:
            posts = ", ".join(f"{grant.role} {grant.relation} {grant.area.lo}" for grant in viewer.grants)
            wrong.append(f"{example.route} at {example.place.name} as {posts}: {status}, {problem}")
    return wrong
