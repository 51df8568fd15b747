"""The whole walk: every route × every role at every level × every relation × every place, none left out.

Minutes of work for `make walk`; the gate walks parts of it (test_walker.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from tests.factories.walking import HOME, MINE, PLACES, Example
from tests.walk.counts import Fetched, wrong_counts
from tests.walk.lists import AREAS, foreign_to, lists
from tests.walk.names import learnt
from tests.walk.reporting import Tally
from tests.walk.site import (
    FRAGMENT,
    FRAGMENTS,
    LENGTH,
    PROGRAM,
    ROLES,
    ROUTES,
    Asker,
    ask,
    cells,
    check,
    everybody,
    told,
    walker,
)
from wanjia.scope.routes import PUBLIC
from wanjia.scope.viewer import Relation, Viewer

pytestmark = [pytest.mark.fault, pytest.mark.long]
NAMES = [place.name for place in PLACES]


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_answers_as_the_grant_says(world, role, tally):
    wrong = []
    with everybody(world) as (_, client):
        read = learnt(client)
    for level in ROLES[role]["levels"]:
        for relation in Relation:
            with walker(world, role, HOME[: LENGTH[level]], relation.value) as (viewer, client):
                name = f"{role} {relation} at the {level}"
                wrong += [f"{problem} as {name}" for problem in whole(world, viewer, client, name, tally, read)]
    tally.judged(wrong)
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_nobody_and_strangers_are_shown_nothing(world, tally):
    """An account without a post, and who has not signed in."""
    wrong = []
    with everybody(world) as (_, client):
        read = learnt(client)
    with walker(world) as (viewer, client):
        wrong += list(whole(world, viewer, client, "nobody", tally, read))
    client = Asker(raise_request_exception=False)
    for example in world:
        status, text = ask(client, example.route, example)
        tally.saw(example.route, "a stranger", example.place.name)
        wrong += [f"{example.route} shows a stranger {secret}" for secret in example.secrets if secret in text]
        if (status, "/sign-in/?next=" in text) != (302, True) and ROUTES[example.route][1] != PUBLIC:
            wrong.append(f"{example.route} as a stranger: {status}")
    tally.judged(wrong)
    assert not wrong, "\n".join(sorted(set(wrong)))


def whole(world: list[Example], viewer: Viewer, client: Client, name: str, tally: Tally, read) -> Iterator[str]:
    """Everything this viewer may ask, and what is wrong with the answers."""
    fetched = Fetched(client)
    yield from objects(world, viewer, client, name, tally, fetched)
    yield from lists(client, viewer, name, tally, foreign_to(world, viewer), read, AREAS)
    yield from wrong_counts(viewer, client, fetched, tally)


def objects(
    world: list[Example], viewer: Viewer, client: Client, name: str, tally: Tally, fetched: Fetched
) -> Iterator[str]:
    """Every object at every place through every route to it."""
    refused: set[str] = set()
    for example, _, may, seen in cells(world, viewer):
        if example.route in refused:  # who may not ask at all is refused at the door, before any object is fetched
            tally.checked.add((example.route, name, example.place.name))
            continue
        if not may:
            refused.add(example.route)
        # what he sees as a page, what he is refused as programs are: the gate asks for the pages of refusals
        for headers in (None if seen else PROGRAM, *([FRAGMENT] if example.route in FRAGMENTS else [])):
            answer = ask(client, example.route, example, headers=headers)
            everywhere = example.seen_by is not None and example.place is MINE
            tally.saw(example.route, name, *(NAMES if everywhere else [example.place.name]))
            fetched.note(example, answer[0])
            if problem := check(example, viewer, may, seen, answer):
                yield told(example, viewer, answer[0], problem)
