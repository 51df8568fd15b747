"""What slices show on pages of a subject they do not own: a household, a village, a person.

A slice offers panels in `<slice>/panels.py` as `PANELS = [Panel(...)]`; the page asks for
those of its subject and never learns who offered them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from wanjia.ui.discovery import offered
from wanjia.ui.viewing import looker

Subject = Literal["household", "card", "village", "person", "batch", "acceptance", "deputyship"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One slice's part of a subject's page.

    `render(request, subject)` returns HTML made by Django's templates, or None when there is
    nothing to show; it is called only for viewers who may do `action` ("" for everybody who
    may see the page).
    """

    subject: Subject
    title: str
    action: str
    render: Callable[[Any, Any], str | None]
    order: int = 50


@dataclass(frozen=True, slots=True)
class Rendered:
    """A panel that has something to show."""

    title: str
    html: SafeString


@cache
def panels() -> tuple[Panel, ...]:
    """What all slices offer, in order."""
    found = [panel for _, module in offered("panels") for panel in module.PANELS]
    return tuple(sorted(found, key=lambda panel: (panel.subject, panel.order, panel.title)))


def panels_for(request: HttpRequest, subject: Subject, thing: Any) -> tuple[Rendered, ...]:
    """The panels this viewer may see for `thing`, rendered, empty ones left out."""
    viewer = looker(request)
    if viewer is None:
        return ()
    shown = []
    for panel in panels():
        if panel.subject != subject or (panel.action and not viewer.may(panel.action)):
            continue
        html = panel.render(request, thing)
        if html is not None:
            shown.append(Rendered(gettext(panel.title), mark_safe(html)))  # noqa: S308 - template output
    return tuple(shown)
