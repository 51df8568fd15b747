"""The area picker: one list with the way up, the place itself, and the places below it.

It works as a plain form (choose, submit, the page comes back one level deeper) and, with
htmx, replaces itself on every choice. It offers only what lies in the viewer's areas or
leads to them; what the viewer may do at a place is still decided by scope.
"""

from __future__ import annotations

from dataclasses import dataclass

from wanjia.divisions.queries import Place, gazetteer, may_enter, place, reachable_children
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Picker:
    """What the template draws. `name` is the form field; `chosen` None while nothing is."""

    name: str
    label: str
    chosen: Place | None
    above: tuple[Place, ...]
    below: tuple[Place, ...]
    required: bool = False

    @property
    def code(self) -> str:
        """The chosen code, "" while nothing is chosen."""
        return self.chosen.code if self.chosen else ""


def picker(viewer: Viewer, code: str, *, name: str = "area", label: str = "", required: bool = False) -> Picker:
    """The picker as it stands at `code`; at the viewer's own area for "" or for a place out of his reach."""
    chosen = place(code) if code else None
    if chosen is None or not may_enter(viewer, chosen.code):
        chosen = None
    here = chosen.code if chosen else viewer.home_area
    known = gazetteer()
    above = tuple(known.places[step] for step, _ in known.path_of(here) if step != (chosen.code if chosen else ""))
    return Picker(name, label, chosen, above, tuple(reachable_children(viewer, here)), required)
