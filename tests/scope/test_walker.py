"""Every route as every role, from every area: the cells of trust.md S1 and S2, made from the URL table.

What may be seen is worked out a second time here, from grants and codes alone, and held against
what the site answers: a page of a foreign area is "not found", without a byte of the object;
lists and searches name nothing that their reader may not see; nothing ever fails with a 500.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client, override_settings
from django.urls import URLResolver, get_resolver, reverse
from pytest_django import DjangoDbBlocker

from tests.conftest import NOW
from tests.factories import accounts as factory
from tests.factories import walking
from tests.factories.walking import HOME, MINE, Example
from wanjia.accounts import content
from wanjia.accounts.services import load_roles
from wanjia.audit.testing import recording_enforced
from wanjia.config import readiness
from wanjia.divisions.services import load_divisions
from wanjia.kernel import clock
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.services import load_reference
from wanjia.scope import keys
from wanjia.scope.models import Holding
from wanjia.scope.routes import PUBLIC, SIGNED_IN, declared_access, routes
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


def test_the_walk_covers_the_whole_url_table():
    assert len(ROUTES) == len(list(routes())), "a route without a name cannot be walked"
    assert all(access for _, access in ROUTES.values())


@pytest.fixture(scope="module")
def _installation(tmp_path_factory: pytest.TempPathFactory, _keys: Path) -> Path:
    folder = tmp_path_factory.mktemp("walked") / "home"
    folder.mkdir()
    shutil.copytree(_keys, folder / "keys")
    return folder


@pytest.fixture(autouse=True)
def home(_installation: Path, settings) -> Path:
    """One installation for the whole walk: what was built in it is only read, or undone."""
    settings.WANJIA_HOME = _installation
    return _installation


@pytest.fixture(scope="module")
def _everything(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, _installation: Path
) -> Iterator[list[Example]]:
    """Every kind of object at every place; built once, in a transaction around those of the tests."""
    scene = transaction.atomic()
    scene._from_testcase = True  # to the audit guard no service's transaction, whose writes it would wait for
    with django_db_blocker.unblock(), scene:
        with recording_enforced(), override_settings(WANJIA_HOME=_installation), clock.frozen(NOW):
            look_again_everywhere()
            keys.bind_keys()  # an installation in order: /readyz says so
            readiness.look_again()
            load_reference()
            load_divisions()
            load_roles()
            built = list(walking.build())
        yield built
        transaction.set_rollback(True)


@pytest.fixture
def world(_everything: list[Example], db: None) -> list[Example]:
    """The world as it was built: what the tests before did to it was rolled back."""
    return _everything


def test_every_route_with_parameters_has_an_example(world):
    walked = {example.route for example in world}
    wanted = {name for name, (takes, _) in ROUTES.items() if takes}
    assert wanted - walked == set(), "offer them in tests/factories/<slice>.py: examples(place)"
    assert walked - wanted == set(), "examples of routes that do not exist"


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


def check(example: Example, viewer: Viewer, may: bool, seen: bool, answer: tuple[int, str]) -> str:
    """What is wrong with an answer, or nothing."""
    status, text = answer
    if status >= 500:
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
    """Somebody with one post, for a while."""
    given = relation or ROLES.get(role, {}).get("relation", "all")
    department = "D01" if given == Relation.OWN_DEPARTMENT.value else ""
    with transaction.atomic():
        user = factory.account("walker", role, area, relation=relation, department=department)
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


def test_every_route_shows_something_to_somebody(world):
    """Or the walk would only ever hear refusals there and prove nothing about the page itself."""
    shown = set()
    for role, level in POSTS:
        with walker(world, role, HOME[: LENGTH[level]]) as (viewer, _):
            shown |= {example.route for example, _, _, seen in cells(world, viewer) if seen}
    assert {example.route for example in world} - shown == set()


def test_every_post_reaches_exactly_what_its_grant_says(world):
    wrong = []
    for role, level in POSTS:
        with walker(world, role, HOME[: LENGTH[level]]) as (viewer, client):
            wrong += walk(world, viewer, client)
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_any_relation_narrows_what_a_role_reaches(world):
    wrong = []
    pages = [example for example in world if example.method == "get"]
    for role in ("province_data_officer", "county_office", "township_reviewer"):
        for relation in Relation:
            area = HOME[: LENGTH[ROLES[role]["level"]]]
            with walker(world, role, area, relation.value) as (viewer, client):
                wrong += walk(pages, viewer, client)
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_an_account_without_a_post_reaches_nothing(world):
    with walker(world) as (viewer, client):
        assert viewer.grants == ()
        assert walk(world, viewer, client) == []


def test_lists_counts_and_searches_name_nothing_foreign(world):
    wrong = []
    for role, level in POSTS:
        with walker(world, role, HOME[: LENGTH[level]]) as (viewer, client):
            wrong += [f"{problem} as {role} at the {level}" for problem in walk_lists(world, viewer, client)]
    assert not wrong, "\n".join(sorted(set(wrong)))


def walk_lists(world: list[Example], viewer: Viewer, client: Client) -> list[str]:
    """What is wrong with the pages that take no parameters, plain and when searched for foreign objects."""
    seen = {secret for example, _, _, seen in cells(world, viewer) if seen for secret in example.secrets}
    foreign = sorted({secret for example in world for secret in example.secrets} - seen)
    wrong = []
    for route in PLAIN:
        declared = ROUTES[route][1]
        may = declared in (PUBLIC, SIGNED_IN) or viewer.may(declared)
        questions: list[dict[str, str]] = [{}]
        if may:
            questions += [{"q": secret.strip("<>"), "all": "1"} for secret in foreign[:: len(foreign) // 2 + 1]]
        for query in questions:
            status, text = ask(client, route, **query)
            asked = query.get("q", "-")
            leaked = [secret for secret in foreign if secret in text and secret.strip("<>") != asked]
            # a view open to everybody signed in may itself refuse what its question leads to
            wrong_door = status != 403 if not may else status == 403 and declared not in (PUBLIC, SIGNED_IN)
            if status >= 500 or wrong_door or leaked:
                wrong.append(f"{route}?{query}: {status} {leaked[:3]}")
    return wrong


def test_strangers_are_sent_to_sign_in_and_see_nothing(world):
    client = Client(raise_request_exception=False)
    wrong = []
    for example in world:
        status, text = ask(client, example.route, example)
        public = ROUTES[example.route][1] == PUBLIC
        if (status, "/sign-in/?next=" in text) != (302, True) and not public:
            wrong.append(f"{example.route}: {status}")
        wrong += [f"{example.route} shows {secret}" for secret in example.secrets if secret in text]
    for route in PLAIN:
        status, text = ask(client, route)
        if ROUTES[route][1] == PUBLIC:
            assert status < 500
        elif (status, "/sign-in/?next=" in text) != (302, True):
            wrong.append(f"{route}: {status}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_a_page_that_does_not_exist_and_one_that_may_not_be_seen_look_alike(world):
    """Nobody learns from the answer that there is such a number."""
    pages: dict[str, list[str]] = {}
    with walker(world, "county_office", HOME[:6]) as (viewer, client):
        for example, _, may, seen in cells(world, viewer):
            if may and not seen and example.place.name == "sibling county" and example.method == "get":
                nothing = replace(example, kwargs={key: _nobodys(value) for key, value in example.kwargs.items()})
                pages[example.route] = [_anonymous(ask(client, one.route, one)[1], one) for one in (example, nothing)]
    assert pages
    for route, (there, nowhere) in pages.items():
        assert there == nowhere, route


def _anonymous(text: str, example: Example) -> str:
    """A page without its own address, token and reference."""
    address = reverse(example.route, kwargs=dict(example.kwargs))
    token_and_size = r"name=\"csrfmiddlewaretoken\" value=\"[^\"]+\"|'Content-Length': '\d+'"
    reference = r"<code>[0-9a-f]{12}</code>|'X-Request-ID': '[0-9a-f]{12}'"
    text = re.sub(f"{token_and_size}|{reference}", "", text).replace(address, "·")
    for value in example.kwargs.values():
        text = text if isinstance(value, int) else text.replace(str(value), "·")
    return text


def _nobodys(value: object) -> object:
    return type(value)(987654321) if isinstance(value, int) else type(value)("00000000-0000-4000-8000-00000000dead")
