from __future__ import annotations

import unicodedata
from uuid import uuid4

from django.db import transaction

from wanjia.audit.services import JSON, Kind, record
from wanjia.casework.filters import CaseFilter
from wanjia.inspection import queries
from wanjia.inspection.errors import NothingToDraw, PopulationChanged, SeedUnusable, SizeUnusable
from wanjia.inspection.models import LONGEST_SEED, Sample
from wanjia.kernel import clock
from wanjia.kernel.drawing import RULE, drawn
from wanjia.scope.errors import NotAllowed
from wanjia.scope.viewer import Viewer

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and a pattern that show nothing


@transaction.atomic
def draw(  # noqa: PLR0913 - from what, as it was seen, with what seed, how many: all by name
    *, viewer: Viewer, area: str, case_filter: CaseFilter, seen: tuple[int, str], seed: str, size: int
) -> Sample:
    """Draw `size` cases of the filter in `area` with `seed`, and record population and seed with what came out.

    `seen` are the count and the digest of the population the auditor was shown before he typed
    the seed; if it is another one now nothing is drawn, so nobody can fit it to the seed. Raises
    NotAllowed, AreaNotYours, PopulationChanged, NothingToDraw, SeedUnusable, SizeUnusable,
    IdentityNumberInPayload.
    """
    if not viewer.may(queries.DRAW):
        raise NotAllowed(action=queries.DRAW)
    area = queries.area_for(viewer, area)
    seed = seed_of(seed)
    population = queries.population(viewer, area, case_filter)
    if (population.count, population.digest) != seen:
        raise PopulationChanged(expected=seen[0], found=population.count)
    if not population.count:
        raise NothingToDraw
    most = min(population.count, queries.most())
    if not 1 <= size <= most:
        raise SizeUnusable(size=size, most=most)
    sample = Sample(
        drawn_by=viewer.user_id, drawn_at=clock.now(), area=area, seed=seed, size=size,
        conditions=conditions_of(case_filter), population_count=population.count,
        population_digest=population.digest, population=population.packed, event_id=uuid4(),
    )  # fmt: skip
    sample.numbers = drawn(sample.everybody(), size, seed)
    sample.save()
    record(
        Kind.INSPECTION,
        viewer=viewer,
        area=area,
        act="inspection.draw",
        subject=("sample", sample.pk),
        content=content_of(sample),
        event_id=sample.event_id,
    )
    return sample


def seed_of(typed: str) -> str:
    """The seed as everybody reads it: two that look the same are the same, as far as Unicode can tell.

    Composed, single spaces, nothing invisible: else one could try seeds behind a text that never
    changes to the eye. Raises SeedUnusable.
    """
    seed = unicodedata.normalize("NFC", typed.strip())
    seen = all(letter not in BLANK and not unicodedata.category(letter).startswith("M") for letter in seed)
    if not seed.isprintable() or not seen or not 1 <= len(seed) <= LONGEST_SEED:
        raise SeedUnusable(longest=LONGEST_SEED)
    return " ".join(seed.split())


def conditions_of(case_filter: CaseFilter) -> dict[str, JSON]:
    """The parts of the filter that narrow; its state is always said."""
    return {**case_filter.as_dict(), "state": case_filter.state}


def content_of(sample: Sample) -> dict[str, JSON]:
    """What the audit keeps of a draw: enough to repeat it over the same case numbers."""
    return {
        "conditions": sample.conditions,
        "population": sample.population_count,
        "population_sha256": sample.population_digest,
        "rule": RULE,
        "seed": sample.seed,
        "size": sample.size,
        "drawn": sample.numbers,
    }
