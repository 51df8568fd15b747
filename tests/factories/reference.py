"""Policy is nobody's in particular: whoever may read reference data reads all of it."""

from __future__ import annotations

from tests.factories.walking import MINE, Example, Place
from wanjia.scope.viewer import Viewer


def _may_read(viewer: Viewer) -> bool:
    return viewer.may("reference.read")


def examples(place: Place) -> list[Example]:
    """A parameter and a code list, once."""
    if place != MINE:
        return []
    return [
        Example("reference:parameter", {"name": "suspects.days.assigned"}, ("入户核查时限",), seen_by=_may_read),
        Example("reference:code_list", {"name": "poverty_cause"}, ("自身发展动力不足",), seen_by=_may_read),
    ]
