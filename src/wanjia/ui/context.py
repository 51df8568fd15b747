"""The frame round every page: menu, place, language, and what the top bar shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from wanjia.kernel import clock
from wanjia.ui import hooks
from wanjia.ui.addresses import address
from wanjia.ui.menu import Section, menu_for
from wanjia.ui.viewing import chosen_area, looker

# What the bars link to: the route, and the permission its page asks for.
SHELL_LINKS = {
    "home": ("office:home", ""),
    "search": ("registry:search", "registry.read"),
    "suggest": ("registry:suggest", "registry.read"),
    "area": ("office:area", ""),
    "tasks": ("casework:mine", "suspects.read"),
    "sign_in": ("accounts:sign_in", ""),
    "sign_out": ("accounts:sign_out", ""),
    "language": ("accounts:language", ""),
    "me": ("accounts:me", ""),
}


@dataclass(frozen=True, slots=True)
class Place:
    """An area with its name."""

    code: str
    name: str


class Frame:
    """What the templates of the shell ask for; each part is worked out when first asked."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def menu(self) -> tuple[Section, ...]:
        return menu_for(self.request)

    @cached_property
    def menu_length(self) -> int:
        """How many pages the menu offers."""
        return sum(len(section.entries) for section in self.menu)

    @cached_property
    def area(self) -> Place:
        """The area the viewer looks at."""
        code = chosen_area(self.request)
        return Place(code, hooks.area_name(code))

    @cached_property
    def area_path(self) -> tuple[Place, ...]:
        """From the viewer's own area down to the one looked at."""
        viewer = looker(self.request)
        top = len(viewer.home_area) if viewer else 0
        return tuple(Place(*step) for step in hooks.area_path(self.area.code) if len(step[0]) >= top)

    @cached_property
    def area_children(self) -> tuple[Place, ...]:
        """The areas one level below the one looked at, for the switcher."""
        return tuple(Place(*child) for child in hooks.area_children(self.area.code))

    @cached_property
    def task_count(self) -> int | None:
        """How many matters of all kinds wait for the viewer; None when nobody counts them."""
        return sum(kind.n for kind in self._tasks) if self._tasks else None

    @cached_property
    def task_page(self) -> str:
        """Where they are: the page of the only kind that waits, or the home page, which has a line for each."""
        waiting = [kind for kind in self._tasks if kind.n] or self._tasks[:1]
        if len(waiting) != 1:
            return self.links.get("home" if waiting else "tasks", "")
        return (_address(waiting[0].url_name) or self.links.get("tasks", "")) + waiting[0].query

    @cached_property
    def _tasks(self) -> list[hooks.Waiting]:
        viewer = looker(self.request)
        return hooks.tasks(viewer) if viewer else []

    @cached_property
    def signed_in(self) -> bool:
        return looker(self.request) is not None

    @cached_property
    def demo_time(self) -> datetime | None:
        """The platform's time when its clock was set to run from another day; else None."""
        return clock.now() if settings.ENVIRONMENT_CLOCK_START else None

    @property
    def here(self) -> str:
        """The address to come back to after a switch: this one; of an answer to a form, the page its view names."""
        if self.request.method == "GET":
            return self.request.get_full_path()
        return getattr(self.request, "page_address", "/")

    @property
    def came_from(self) -> str:
        """The page of this site the visitor was on before, or "": what another site's page says leads nowhere."""
        page = self.request.META.get("HTTP_REFERER", "")
        own = url_has_allowed_host_and_scheme(page, {self.request.get_host()}, require_https=self.request.is_secure())
        parts = urlsplit(page)
        return urlunsplit(("", "", parts.path or "/", parts.query, "")) if own else ""

    @cached_property
    def links(self) -> dict[str, str]:
        """Addresses of the shell's own targets, as far as their slices are installed and the viewer may go there."""
        viewer = looker(self.request)
        return {
            key: address
            for key, (name, action) in SHELL_LINKS.items()
            if (not action or (viewer is not None and viewer.may(action))) and (address := _address(name))
        }


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame`, `viewer` and `lang` ("zh" or "en") for every template."""
    return {
        "frame": Frame(request),
        "viewer": looker(request),
        "lang": "en" if (get_language() or "").startswith("en") else "zh",
    }


def _address(url_name: str) -> str:
    try:
        return address(url_name)
    except NoReverseMatch:
        return ""
