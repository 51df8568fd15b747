"""Drawing lots that anybody can draw again (docs/adr/0029-who-draws-and-how-it-is-repeated.md).

The rule: rank every number by SHA-256 of the text `seed:number` in UTF-8, the number in decimal
without leading zeros; the smallest digests are the sample. It depends on the seed and on which
numbers there are, never on their order, and nobody can choose a number by choosing a seed without
trying seeds.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable

RULE = "sha256(seed:number)"


def lot(seed: str, number: int) -> bytes:
    """The digest by which `number` is ranked under `seed`."""
    return hashlib.sha256(f"{seed}:{number}".encode()).digest()


def drawn(numbers: Iterable[int], size: int, seed: str) -> list[int]:
    """The `size` numbers that `seed` draws, the first one first; all of them where there are fewer.

    Keeps no more than `size` numbers in memory.
    """
    ranked = heapq.nsmallest(size, ((lot(seed, number), number) for number in numbers))
    return [number for _, number in ranked]
