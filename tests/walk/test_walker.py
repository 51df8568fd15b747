"""Every route as every role, from every area: the cells of trust.md S1 and S2, made from the URL table.

What may be seen is worked out a second time here, from grants and codes alone, and held against
what the site answers: a page of a foreign area is "not found", without a byte of the object;
lists and searches name nothing that their reader may not see; nothing ever fails with a 500.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.factories.walking import HOME, Example
from tests.walk.counts import Fetched, wrong_counts
from tests.walk.lists import foreign_to, lists
from tests.walk.names import learnt
from tests.walk.site import LENGTH, PLAIN, POSTS, ROLES, ROUTES, ask, cells, everybody, walk, walker
from wanjia.scope.routes import PUBLIC, routes
from wanjia.scope.viewer import Relation

# What is walked here of the whole that `make walk` walks: every viewer meets every route, every object every relation.
# Each database walks its own half of these parts: the objects differ, the routes do not.
PARTS, PARTS_UNDER_RELATIONS = 3, 29


def my_part(world: Sequence[Example], at: int, parts: int, few: int = 0) -> list[Example]:
    """What the viewer whose turn it is meets on this database: of each route's objects every so many, if few all."""
    half, turns, some = int(connection.vendor == "postgresql"), Counter[str](), []
    held = Counter(example.route for example in world)
    for example in world:
        if held[example.route] < few or (turns[example.route] + at) % (2 * parts) == half * parts:
            some.append(example)
        turns[example.route] += 1
    return some


def test_the_walk_covers_the_whole_url_table():
    assert len(ROUTES) == len(list(routes())), "a route without a name cannot be walked"
    assert all(access for _, access in ROUTES.values())


def test_every_route_with_parameters_has_an_example(world):
    walked = {example.route for example in world}
    wanted = {name for name, (takes, _) in ROUTES.items() if takes}
    assert wanted - walked == set(), "offer them in tests/factories/<slice>.py: examples(place)"
    assert walked - wanted == set(), "examples of routes that do not exist"


def test_every_route_shows_something_to_somebody(world):
    """Or the walk would only ever hear refusals there and prove nothing about the page itself."""
    shown = set()
    for role, level in POSTS:
        with walker(world, role, HOME[: LENGTH[level]]) as (viewer, _):
            shown |= {example.route for example, _, _, seen in cells(world, viewer) if seen}
    assert {example.route for example in world} - shown == set()


def test_every_post_reaches_exactly_what_its_grant_says(world, tally):
    wrong = []
    for at, (role, level) in enumerate(POSTS):
        with walker(world, role, HOME[: LENGTH[level]]) as (viewer, client):
            wrong += walk(my_part(world, at, PARTS, 2 * PARTS), viewer, client, tally)
    tally.judged(wrong)
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_any_relation_narrows_what_a_role_reaches(world, tally):
    """Every role at every level under every relation, each before a part of the world; the whole is `make walk`'s."""
    wrong = []
    for at, (role, level) in enumerate(POSTS):
        for turn, relation in enumerate(Relation):
            some = my_part(world, at + 7 * turn, PARTS_UNDER_RELATIONS)
            with walker(world, role, HOME[: LENGTH[level]], relation.value) as (viewer, client):
                wrong += walk(some, viewer, client, tally)
    tally.judged(wrong)
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_an_account_without_a_post_reaches_nothing(world):
    with walker(world) as (viewer, client):
        assert viewer.grants == ()
        assert walk(world, viewer, client) == []


def test_lists_and_searches_name_nothing_foreign(world, tally):
    wrong = []
    with everybody(world) as (_, client):
        read = learnt(client)
    for role, level in POSTS:
        with walker(world, role, HOME[: LENGTH[level]]) as (viewer, client):
            name = f"{role} at the {level}"
            problems = lists(client, viewer, name, tally, foreign_to(world, viewer), read, ())
            wrong += [f"{problem} as {name}" for problem in problems]
    tally.judged(wrong)
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_what_a_page_counts_is_what_its_reader_may_fetch(world, tally):
    """And whatever a list links to opens."""
    wrong = []
    for role, facts in ROLES.items():
        with walker(world, role, HOME[: LENGTH[facts["level"]]]) as (viewer, client):
            wrong += [f"{problem} as {role}" for problem in wrong_counts(viewer, client, Fetched(client), tally)]
    tally.judged(wrong)
    assert not wrong, "\n".join(sorted(set(wrong)))


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
