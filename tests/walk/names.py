"""Which parameters a page reads: listened to while it answers, so that no list of them can be out of date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from tests.walk.site import PLAIN

# The shell around every page reads the address too: which area, which language.
SHELL = ("/ui/context.py", "/templatetags/", "/ui/menu.py")
DEEPEST = 12


class _Listening(dict[str, Any]):
    """A copy of a query that says what is read from it."""

    heard: set[str]

    def get(self, key: str, default: Any = None) -> Any:
        self.heard.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.heard.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.heard.add(str(key))
        return super().__contains__(key)


def _by_the_shell() -> bool:
    frame, depth = sys._getframe(2), 0
    while frame is not None and depth < DEEPEST:
        if any(part in frame.f_code.co_filename for part in SHELL):
            return True
        frame, depth = frame.f_back, depth + 1
    return False


@contextmanager
def heard() -> Iterator[set[str]]:
    """The names that views and forms ask their request for, while the block runs."""
    names: set[str] = set()

    def listen(name: str, patch: pytest.MonkeyPatch) -> None:
        asked = getattr(MultiValueDict, name)

        def listening(self: Any, key: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, QueryDict) and not _by_the_shell():
                names.add(str(key))
            return asked(self, key, *args, **kwargs)

        patch.setattr(QueryDict, name, listening, raising=False)

    def as_dict(self: QueryDict) -> dict[str, Any]:
        copy = _Listening(MultiValueDict.dict(self))
        copy.heard = names
        return copy

    with pytest.MonkeyPatch.context() as patch:
        for name in ("get", "__getitem__", "getlist"):
            listen(name, patch)
        patch.setattr(QueryDict, "dict", as_dict, raising=False)
        yield names
    names.discard("csrfmiddlewaretoken")


# What a page must be told before it reads the rest.
LEAD = {"casework:bulk": "action=pass_on"}
_learnt: dict[str, tuple[frozenset[str], frozenset[str]]] = {}


def learnt(client: Client) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Plain route → the names it reads from its address and from a posted form. Asked of somebody who may do all."""
    if not _learnt:
        for route in PLAIN:
            _learnt[route] = frozenset(_read(client, route, "get")), frozenset(_read(client, route, "post"))
    return _learnt


def _read(client: Client, route: str, method: str) -> set[str]:
    """Asked twice: once its first names have values it may read others."""
    names: set[str] = set()
    for _ in range(2):
        query = "&".join([LEAD.get(route, ""), *(f"{name}=1" for name in sorted(names) if route not in LEAD)])
        with heard() as now, transaction.atomic():
            if method == "get":
                client.get(reverse(route), QUERY_STRING=query)
            else:
                form = {"nothing": "1", **dict.fromkeys(names, "1")}
                client.post(reverse(route), form, QUERY_STRING=LEAD.get(route, ""))
            transaction.set_rollback(True)
        names |= now
    return names
