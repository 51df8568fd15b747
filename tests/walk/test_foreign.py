"""Numbers of other people's objects, and of nobody's: not found, without a byte of the object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.factories.walking import HOME, Example
from tests.walk.site import ask, cells, walker

IN_THE_GATE, WHOLE = 24, 200
# Where columns and integers end; Python reads the longest of them, and no database has it.
EDGES = (0, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30)


def kind_of(example: Example) -> tuple[str, ...]:
    """The object's type, as addresses name it."""
    return (example.route.partition(":")[0], *sorted(example.kwargs))


def nobodys(example: Example, number: int) -> Example:
    """The same route for an object that nobody has."""

    def other(value: Any) -> Any:
        if isinstance(value, int):
            return EDGES[number] if number < len(EDGES) else 10**7 + 7919 * number
        return type(value)(f"00000000-0000-4000-8000-{number:012d}")

    return replace(example, kwargs={key: other(value) for key, value in example.kwargs.items()})


def has_address(example: Example) -> bool:
    try:
        reverse(example.route, kwargs=dict(example.kwargs))
    except NoReverseMatch:
        return False
    return True


def asked_for(foreign: list[Example], own: list[Example], count: int) -> Iterator[Example]:
    """So many objects: others' at every place first, then nobody's through each route of the type in turn."""
    yield from foreign[: count // 2]
    nobody = (nobodys(example, number) for number, example in enumerate(islice(cycle(own), count)))
    yield from islice(filter(has_address, nobody), count - len(foreign[: count // 2]))


def wrong_answers(client: Client, kinds: dict[tuple[str, ...], list[Example]]) -> Iterator[str]:
    for kind, examples in kinds.items():
        for example in examples:
            status, text = ask(client, example.route, example)
            shown = [secret for secret in example.secrets if secret in text]
            if status != 404 or shown:
                yield f"{kind}: {example.route} {dict(example.kwargs)} at {example.place.name}: {status} {shown}"


@pytest.mark.parametrize(
    "count", [IN_THE_GATE, pytest.param(WHOLE, marks=[pytest.mark.fault, pytest.mark.long], id="whole")]
)
@pytest.mark.parametrize("role", ["county_office"])
def test_what_is_not_ones_own_is_not_found(world, role, count):
    with walker(world, role, HOME[:6]) as (viewer, client):
        foreign, own = defaultdict(list), defaultdict(list)
        for example, _, may, seen in cells(world, viewer):
            if may:
                (own if seen else foreign)[kind_of(example)].append(example)
        kinds = {kind: list(asked_for(foreign[kind], own[kind] or foreign[kind], count)) for kind in own | foreign}
        assert sum(map(len, kinds.values())) > count * len(kinds) // 2, "most types have numbers to ask for"
        wrong = list(wrong_answers(client, kinds))
    assert not wrong, "\n".join(wrong)
