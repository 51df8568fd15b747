"""An audit sample over the one case of every place of the walk, and an alert of bulk reading there."""

from __future__ import annotations

from itertools import count

from tests.factories.walking import MINE, Example, Place
from wanjia.audit.testing import unrecorded
from wanjia.casework.filters import CaseFilter
from wanjia.inspection import queries
from wanjia.inspection.models import BulkReading
from wanjia.inspection.services import draw
from wanjia.kernel import clock
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Grant, Viewer

ALL = CaseFilter(state="all")
NOBODY = 10**8  # no account has so high a number
_numbers = count(1)


def examples(place: Place) -> list[Example]:
    """The sample of somebody who sits there; at the walker's own place it is his (`tests.walk.site.hold`)."""
    return [*_alerts(place), *_samples(place)]


def alert_at(area: str, *, reader: int = NOBODY) -> BulkReading:
    """An alert nobody has answered; whoever read is nobody the tests know unless they say so."""
    with unrecorded():
        return BulkReading.objects.create(
            node="node", first_row=next(_numbers), last_row=10**6, reader=reader, since=clock.now(), until=clock.now(),
            subjects=312, area=area, raised_at=clock.now(),
        )  # fmt: skip


def _alerts(place: Place) -> list[Example]:
    alert = alert_at(place.area, reader=NOBODY + next(_numbers))
    which, secrets = {"reading_id": alert.pk}, (f"#{alert.reader}",)
    return [
        Example("inspection:bulk_reading", which, secrets),
        Example("inspection:bulk_reading", which, secrets, method="post", data={"answer": ""}),
    ]


def _samples(place: Place) -> list[Example]:
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
