"""The last look: a drawn share of decided cases is checked, the others close (domain.md §6.1, step 11)."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from wanjia.audit.services import JSON
from wanjia.casework.errors import NothingToSample, SampleTooSmall
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.rules import Action, Answer
from wanjia.casework.services.bulk import BulkMover, BulkResult, confirmed
from wanjia.kernel import clock
from wanjia.kernel.drawing import drawn as drawn_by
from wanjia.reference import queries as reference
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How to sample: the action for those drawn, the action for the rest, and how many.

    `share_parameter` names the reference parameter with the least share; `share` may be larger.
    A given `seed` repeats an earlier draw.
    """

    take: str
    rest: str
    share_parameter: str
    share: Decimal | None = None
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a draw did. The seed and the filter repeat it."""

    drawn: int
    suspected: int  # of those drawn, taken because they would be suspected again although they were put right
    closed: int
    seed: str
    result: BulkResult


@transaction.atomic
def draw_sample(*, viewer: Viewer, case_filter: CaseFilter, expected_count: int, draw: Draw) -> Sample:
    """Send a random share of the filter's cases through one action, the others through another.

    At least one case is taken. Cases that would be opened again today, although their outcome
    says that the matter was put right, are taken beside the random share. The seed stands in the
    audit entries, so anybody can repeat the draw over the same case numbers. Raises
    SampleTooSmall below the parameter's share, CountChanged, NothingToSample.
    """
    least = Decimal(str(reference.parameter(draw.share_parameter, clock.today())))
    wanted = least if draw.share is None else draw.share
    if wanted < least:
        raise SampleTooSmall(share=f"{wanted:%}", least=f"{least:%}")
    numbers = confirmed(viewer, case_filter, expected_count)
    mover = BulkMover(viewer=viewer, answer=Answer(), choose=lambda case: case.flow.action(case.step, draw.take))
    free = mover.only_free(numbers)
    if not free:
        raise NothingToSample
    seed = draw.seed or secrets.token_hex(16)
    suspected = frozenset(number for number in free if _contradicts(mover, number))
    drawn = chosen(free, wanted, seed) | suspected

    def action_for(case: Case) -> Action | None:
        return case.flow.action(case.step, draw.take if case.case_no in drawn else draw.rest)

    mover.choose = action_for
    mover.move(free)
    content: dict[str, JSON] = {"filter": case_filter.as_dict(), "seed": seed, "share": str(wanted), "of": len(free)}
    content["suspected"] = sorted(suspected)
    mover.record(content)
    result = mover.result()
    return Sample(len(drawn), len(suspected), len(free) - len(drawn), seed, result)


def _contradicts(mover: BulkMover, number: int) -> bool:
    found = mover.reexamined.get(number)
    return found is not None and found.contradicts


def chosen(numbers: Sequence[int], share: Decimal, seed: str) -> frozenset[int]:
    """The sample `seed` draws from these case numbers, whatever their order; never empty."""
    size = max(1, math.ceil(Fraction(share) * len(numbers)))
    return frozenset(drawn_by(numbers, size, seed))
