"""What the route walker walks over: places, and what slices put there.

A slice with routes that take parameters offers `examples(place)` in `tests/factories/<slice>.py`:
one object of each kind at that place, with the routes that show it. The walker then visits each
as every role from every area, and holds the answers against the grants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import tests.factories
from wanjia.scope.viewer import Relation, Viewer

HOME = "451228101201"  # 定福村, where the walking viewers are, or what lies above it


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is, and whose data it is."""

    name: str
    area: str
    department: str = "D01"


PLACES = (
    Place("own", HOME),
    Place("same village, not mine", HOME),
    Place("sibling village", "451228101202"),
    Place("sibling township", "451228102202"),
    Place("sibling county", "451229101001"),
    Place("sibling city", "451002001001"),
    Place("parent township", "451228101"),
    Place("parent county", "451228"),
    Place("parent city", "4512"),
    Place("other department", HOME, "D02"),
    Place("other province", "520102001001"),
)
MINE = PLACES[0]


@dataclass(frozen=True, slots=True)
class Example:
    """One route with an object's parameters.

    `secrets` are texts that stand on the object's own page and nowhere else: an answer to
    somebody who may not see the object must not contain one. `action` is the permission the
    object is read under, where that is not the one the route declares. `by_department` says
    that the object belongs to the place's department, `held` the holding (kind, number) through
    which own_households and own_cases reach it. `seen_by` replaces the whole rule.
    """

    route: str
    kwargs: Mapping[str, Any]
    secrets: Sequence[str]
    action: str = ""
    method: str = "get"
    data: Mapping[str, Any] = field(default_factory=dict)
    by_department: bool = False
    held: tuple[str, int] | None = None
    seen_by: Callable[[Viewer], bool] | None = None
    place: Place = MINE


def offered() -> dict[str, Callable[[Place], Sequence[Example]]]:
    """The `examples` of every factory module that has some; one whose slice has no pages yet is left out."""
    found = {}
    for module in iter_modules(tests.factories.__path__):
        offers = getattr(import_module(f"tests.factories.{module.name}"), "examples", None)
        if offers is not None:
            found[module.name] = offers
    return found


def build() -> Iterator[Example]:
    """An object of every kind at every place. A factory may have nothing for a place of some level."""
    for offers in offered().values():
        for place in PLACES:
            for example in offers(place):
                yield replace(example, place=place)


HOLDING_KINDS = {Relation.OWN_HOUSEHOLDS: "household", Relation.OWN_CASES: "case"}


def visible(example: Example, viewer: Viewer, action: str) -> bool:
    """Whether the viewer's grants show him the object: the law, said a second time and independently."""
    if example.seen_by is not None:
        return example.seen_by(viewer)
    for grant in viewer.grants:
        if action not in grant.actions or not example.place.area.startswith(grant.area.lo):
            continue
        if grant.relation is Relation.ALL:
            return True
        if grant.relation is Relation.OWN_DEPARTMENT:
            if example.by_department and grant.department == example.place.department:
                return True
        elif example.held and example.place is MINE and example.held[0] == HOLDING_KINDS[grant.relation]:
            return True
    return False
