"""Pages without parameters: lists, searches, counts; as they open, narrowed to an area, asked for what is foreign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.factories.walking import PLACES, Example
from tests.walk.reporting import Tally
from tests.walk.site import PLAIN, PROGRAM, ROUTES, ask, cells, failed, may_ask, text_of
from wanjia.scope.routes import PUBLIC, SIGNED_IN
from wanjia.scope.viewer import Viewer

NAMES = [place.name for place in PLACES]
# S1's relations of areas: his own or one inside it, siblings, a parent, another province.
ASKED = ("own", "sibling village", "sibling county", "parent city", "other province")
AREAS = tuple(place.area for place in PLACES if place.name in ASKED)
Read = Mapping[str, tuple[frozenset[str], frozenset[str]]]


def foreign_to(world: list[Example], viewer: Viewer) -> list[str]:
    """What stands on the pages of objects the viewer does not see, and on none he sees."""
    his = {secret for example, _, _, seen in cells(world, viewer) if seen for secret in example.secrets}
    return sorted({secret for example in world for secret in example.secrets} - his)


def lists(
    client: Client, viewer: Viewer, name: str, tally: Tally, foreign: list[str], read: Read, areas: tuple[str, ...]
) -> Iterator[str]:
    """What is wrong with the pages that take no parameters. `read` is what each reads, `areas` those it is asked for."""
    for route in PLAIN:
        by_get, by_post = read[route]
        yield from plain(client, viewer, route, name, tally, foreign, areas if "area" in by_get else ())
        if may_ask(route, viewer):
            for field in sorted({"q", "text"} & by_post):
                yield from searched(client, route, field, foreign)


def plain(
    client: Client, viewer: Viewer, route: str, name: str, tally: Tally, foreign: list[str], areas: tuple[str, ...]
) -> Iterator[str]:
    """A page without parameters, as it opens and narrowed to each area there is."""
    may, declared = may_ask(route, viewer), ROUTES[route][1]
    for query in ({}, *({"area": area} for area in areas if may)):
        status, text = ask(client, route, headers=None if may else PROGRAM, **query)
        tally.saw(route, name, *NAMES)
        # a view open to everybody signed in may itself refuse what its question leads to
        wrong_door = status != 403 if not may else status == 403 and declared not in (PUBLIC, SIGNED_IN)
        leaked = [secret for secret in foreign if secret in text]
        if failed(route, status) or wrong_door:
            yield f"{route}?{query}: {status}"
        if leaked:
            yield f"{route}?{query}: {status}, shows {leaked[:3]}"


def searched(client: Client, route: str, field: str, foreign: list[str]) -> Iterator[str]:
    """A search for what belongs to others leads to nothing of theirs; followed to the page it leads to."""
    for secret in foreign[:: len(foreign) // 2 + 1]:
        with transaction.atomic():
            answer = client.post(reverse(route), {field: secret.strip("<>")})
            texts = [text_of(answer)]
            if answer.status_code == 302:
                texts.append(text_of(client.get(answer["Location"])))
            transaction.set_rollback(True)
        if secret in answer.get("Location", ""):
            yield f"{route} writes what was typed into an address"
        # the page may repeat what was typed: anything else of somebody else's it may not
        leaked = [other for other in foreign if other != secret and any(other in text for text in texts)]
        if failed(route, answer.status_code) or leaked:
            yield f"{route} for {secret}: {answer.status_code}, shows {leaked[:3]}"
