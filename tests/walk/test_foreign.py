"""Numbers of other people's objects, and of nobody's: not found, without a byte of the object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.factories.walking import HOME, MINE, PLACES, Example, offered
from tests.walk.site import LENGTH, ask, cells, walker

IN_THE_GATE, WHOLE = 24, 200
# From the door of a house to the audit office: whoever has something beyond his reach.
POSTS = (
    ("county_office", "county"),
    ("household_contact", "village"),
    ("township_reviewer", "township"),
    ("department_officer", "county"),
    ("auditor", "county"),
    ("village_operator", "village"),
    ("information_officer", "township"),
    ("province_data_officer", "province"),
)
BRIEFLY = POSTS[:5]
# Where columns and integers end; Python reads the longest of them, and no database has it.
EDGES = (0, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30)
# Slices whose factories make one more object whenever they are asked.
MORE = ("accounts", "audit", "files", "jobs", "registry", "sources")

Kind = tuple[str, ...]


def kind_of(example: Example) -> Kind:
    """The object's type, as addresses name it."""
    return (example.route.partition(":")[0], *sorted(example.kwargs))


def identity(example: Example) -> tuple[Any, ...]:
    return tuple(sorted(example.kwargs.items()))


def crowd(world: list[Example]) -> list[Example]:
    """Many more objects of every kind at every other place, so that half of those asked for exist."""
    more = [
        replace(example, place=place)
        for slice_name in MORE
        for place in PLACES
        if place is not MINE
        for _ in range(WHOLE // 2 // (len(PLACES) - 1) + 1)
        for example in offered()[slice_name](place)
    ]
    return [*world, *more]


def nobodys(example: Example, number: int, random: Random) -> Example:
    """The same route for an object that nobody has."""

    def other(value: Any) -> Any:
        if isinstance(value, int):
            return EDGES[number] if number < len(EDGES) else random.randrange(10**5, 10**9)
        return type(value)(f"00000000-0000-4000-8000-{random.getrandbits(48):012x}")

    return replace(example, kwargs={key: other(value) for key, value in example.kwargs.items()}, secrets=())


def has_address(example: Example) -> bool:
    try:
        reverse(example.route, kwargs=dict(example.kwargs))
    except NoReverseMatch:
        return False
    return True


def asked_for(foreign: list[Example], own: list[Example], count: int, random: Random) -> list[Example]:
    """Exactly so many different objects: up to half of them others', the rest nobody's, through every route in turn."""
    by_object: dict[tuple[Any, ...], list[Example]] = defaultdict(list)
    for example in foreign:
        by_object[identity(example)].append(example)
    theirs = random.sample(list(by_object.values()), min(len(by_object), count // 2))
    asked = [routes[number % len(routes)] for number, routes in enumerate(theirs)]
    taken = {*by_object, *map(identity, own)}
    for number, example in enumerate(cycle(own or foreign)):
        if len(asked) == count:
            break
        nobody = nobodys(example, number, random)
        if identity(nobody) not in taken and has_address(nobody):
            taken.add(identity(nobody))
            asked.append(nobody)
    return asked


def wrong_answers(client: Client, kinds: dict[Kind, list[Example]], tally) -> Iterator[str]:
    for kind, examples in kinds.items():
        for example in examples:
            status, text = ask(client, example.route, example)
            tally.asked(kind, theirs=bool(example.secrets))
            shown = [secret for secret in example.secrets if secret in text]
            if status != 404 or shown:
                what = f"shows {shown}" if shown else "not 404"
                yield f"{kind}: {example.route} {dict(example.kwargs)} at {example.place.name}: {status}, {what}"


def wrong_for(world: list[Example], role: str, level: str, count: int, tally) -> list[str]:
    random = Random(f"{role} {level}")
    with walker(world, role, HOME[: LENGTH[level]]) as (viewer, client):
        foreign, own = defaultdict(list), defaultdict(list)
        for example, _, may, seen in cells(world, viewer):
            if may:
                (own if seen else foreign)[kind_of(example)].append(example)
        kinds = {kind: asked_for(foreign[kind], own[kind], count, random) for kind in own.keys() | foreign.keys()}
        assert {kind: len(asked) for kind, asked in kinds.items()} == dict.fromkeys(kinds, count)
        assert all(len(set(map(identity, asked))) == count for asked in kinds.values()), "each another number"
        return [f"{problem} as {role} at the {level}" for problem in wrong_answers(client, kinds, tally)]


@pytest.mark.parametrize(("role", "level"), BRIEFLY)
def test_what_is_not_ones_own_is_not_found(world, role, level, foreign_tally):
    wrong = wrong_for(world, role, level, IN_THE_GATE, foreign_tally)
    assert not wrong, "\n".join(wrong)


@pytest.mark.fault
@pytest.mark.long
def test_of_two_hundred_numbers_of_each_kind_none_is_found(world, foreign_tally):
    everything = crowd(world)
    wrong = []
    for role, level in POSTS:
        wrong += wrong_for(everything, role, level, WHOLE, foreign_tally)
    foreign_tally.judged(wrong)
    assert not wrong, "\n".join(wrong)
    assert {kind_of(example) for example in world} == foreign_tally.kinds, "every kind of object was asked for"
