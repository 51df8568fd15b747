"""Who read of how many in how short a time. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from wanjia.audit.access import Look


@dataclass(frozen=True, slots=True)
class Burst:
    """One person's rows `first` to `last`, every one of which lies in a window with too many subjects."""

    reader: int
    first: int
    last: int


def bursts(looks: Iterable[Look], *, window: timedelta, most: int) -> Iterator[Burst]:
    """The bursts among `looks`, which are in order of time: `most` or more different subjects within `window`.

    A look at exactly `window` before another no longer counts with it. The same subject seen
    twice is one. Windows that overlap are one burst.
    """
    by_reader: dict[int, list[Look]] = defaultdict(list)
    for look in looks:
        by_reader[look.actor_id].append(look)
    for reader, own in by_reader.items():
        yield from _of(reader, own, window, most)


def _of(reader: int, looks: list[Look], window: timedelta, most: int) -> Iterator[Burst]:
    held: deque[Look] = deque()
    seen: Counter[tuple[str, int]] = Counter()
    first = last = 0
    for look in looks:
        held.append(look)
        seen[look.subject] += 1
        while look.at - held[0].at >= window:
            gone = held.popleft().subject
            seen[gone] -= 1
            if not seen[gone]:
                del seen[gone]
        if len(seen) < most:
            continue
        if first and held[0].row > last:  # this window has nothing of the one before
            yield Burst(reader, first, last)
            first = 0
        first, last = first or held[0].row, look.row
    if first:
        yield Burst(reader, first, last)
