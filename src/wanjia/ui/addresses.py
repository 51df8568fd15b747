"""Addresses of pages, for lists that hold dozens of them.

Django works an address out of all routes each time it is asked. Of a route with numbers in it
only the numbers differ, so its shape is asked for once.
"""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse

STAND_IN = 7_000_000_000  # nothing in a route of ours looks like it


def address(route: str, *numbers: object) -> str:
    """The address of a route by the numbers and UUIDs in it, as `reverse` gives it. Raises NoReverseMatch."""
    kinds = tuple(type(number) for number in numbers)
    if not all(kind is UUID or (kind is int and number >= 0) for kind, number in zip(kinds, numbers, strict=True)):  # type: ignore[operator]
        return reverse(route, args=numbers)
    return _shape(route, kinds, get_script_prefix(), get_urlconf() or settings.ROOT_URLCONF).format(*numbers)


@lru_cache(maxsize=1024)
def _shape(route: str, kinds: tuple[type, ...], _prefix: str, _urlconf: str) -> str:
    stand_ins = [
        kind(STAND_IN + place) if kind is int else UUID(int=STAND_IN + place) for place, kind in enumerate(kinds)
    ]
    shape = reverse(route, args=stand_ins)
    for stand_in in stand_ins:
        shape = shape.replace(str(stand_in), "{}", 1)
    return shape
