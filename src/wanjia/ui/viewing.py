"""What the shell must know about who is looking. The viewer itself lives above, in `scope`."""

from __future__ import annotations

from collections.abc import Container
from typing import Protocol

from django.http import HttpRequest

from wanjia.kernel.codes import is_division_code


class Range(Protocol):
    """Codes from a lower bound up to an upper one."""

    def __contains__(self, code: str) -> bool: ...


class Holds(Protocol):
    """A grant, as far as the shell reads it."""

    @property
    def area(self) -> Range: ...

    @property
    def actions(self) -> Container[str]: ...

    @property
    def relation(self) -> str: ...


class Looker(Protocol):
    """A viewer, as far as the shell reads it."""

    @property
    def user_id(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def grants(self) -> tuple[Holds, ...]: ...

    @property
    def home_area(self) -> str: ...

    def may(self, action: str, area: str | None = None) -> bool: ...


def looker(request: HttpRequest) -> Looker | None:
    """The signed-in viewer of this request; None for strangers and before sign-in is known."""
    viewer: Looker | None = getattr(request, "viewer", None)
    return viewer if viewer is not None and viewer.user_id else None


SESSION_AREA = "area"
LONGEST_CODE = 20


def asked_for(request: HttpRequest, name: str) -> str:
    """A code the address narrows a page to, "" for none: short, and without what no column can hold."""
    return request.GET.get(name, "")[:LONGEST_CODE].replace("\0", "")


def chosen_area(request: HttpRequest) -> str:
    """The area the viewer has chosen to look at: `?area=` first, then the session, then home.

    Always inside a grant of the viewer, so a list may filter by it. It narrows what scope
    already allows and never widens it.
    """
    viewer = looker(request)
    if viewer is None:
        return ""
    for code in (request.GET.get("area", ""), request.session.get(SESSION_AREA, "")):
        if code and may_look_at(viewer, code):
            return str(code)
    return viewer.home_area


def may_look_at(viewer: Looker, code: str) -> bool:
    """Whether `code` is a division code inside one of the viewer's grants."""
    return is_division_code(code) and any(code in grant.area for grant in viewer.grants)
