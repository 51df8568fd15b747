"""Three values of one field, the one seen, the one standing now and the one wanted: what follows."""

from __future__ import annotations

from enum import StrEnum


class Merge(StrEnum):
    """What a wanted value means beside the one that stands now."""

    NOTHING = "nothing"  # nobody wanted a change
    APPLY = "apply"  # what was seen still stands
    ALREADY = "already"  # somebody else has written the same
    CONFLICT = "conflict"  # somebody else has written another value


def merge(base: str, current: str, wanted: str) -> Merge:
    """Judge one field, all three as texts.

    >>> merge("07", "07", "01"), merge("07", "01", "01"), merge("07", "02", "01")
    (<Merge.APPLY: 'apply'>, <Merge.ALREADY: 'already'>, <Merge.CONFLICT: 'conflict'>)
    """
    if wanted == base:
        return Merge.NOTHING
    if current == wanted:
        return Merge.ALREADY
    return Merge.APPLY if current == base else Merge.CONFLICT
