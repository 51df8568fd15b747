"""An audit sample at every place of the walk: over the one case that lies there."""

from __future__ import annotations

from itertools import count

from tests.factories.walking import MINE, Example, Place
from wanjia.casework.filters import CaseFilter
from wanjia.inspection import queries
from wanjia.inspection.services import draw
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Grant, Viewer

ALL = CaseFilter(state="all")
NOBODY = 10**8  # no account has so high a number
_numbers = count(1)


def examples(place: Place) -> list[Example]:
    """The sample of somebody who sits there; at the walker's own place it is his (`tests.walk.site.hold`)."""
    actions = frozenset({"audit.sample", "suspects.read"})
    auditor = Viewer(NOBODY, "审计", (Grant("auditor", actions, AreaRange.of(place.area)),))
    population = queries.population(auditor, place.area, ALL)
    if not population.count:
        return []
    seed = f"种子{next(_numbers)}号"
    seen = (population.count, population.digest)
    sample = draw(viewer=auditor, area=place.area, case_filter=ALL, seen=seen, seed=seed, size=1)
    which, secrets = {"sample_id": sample.pk}, (seed,)
    routes = ("sample", "population", "papers")
    if place is MINE:
        return [Example(f"inspection:{route}", which, secrets, held=("sample", sample.pk)) for route in routes]
    return [Example(f"inspection:{route}", which, secrets, seen_by=lambda _: False) for route in routes]
