"""Areas as half-open ranges of division codes.

A code is a digit string of natural length 2/4/6/9/12 (15 for hamlets). Everything under a
code is the range `[code, next_code(code))`, which an index answers on both databases;
`LIKE 'code%'` does not on SQLite. Digits sort alike in every collation, so the bounds
are digits only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wanjia.kernel.codes import is_division_code


def next_code(code: str) -> str | None:
    """The smallest digit string above everything that begins with `code`; None for no bound.

    >>> next_code("4512"), next_code("4599"), next_code("99")
    ('4513', '46', None)
    """
    kept = code.rstrip("9")
    return kept[:-1] + chr(ord(kept[-1]) + 1) if kept else None


@dataclass(frozen=True, slots=True, order=True)
class AreaRange:
    """Codes from `lo` up to but not including `hi`; `hi` None is unbounded."""

    lo: str
    hi: str | None

    @classmethod
    def of(cls, code: str) -> AreaRange:
        """The area `code` with everything below it; the empty code is everywhere."""
        if code and not is_division_code(code):
            raise ValueError(f"not a division code of natural length: {code!r}")
        return cls(code, next_code(code))

    def __contains__(self, code: str) -> bool:
        return self.lo <= code and (self.hi is None or code < self.hi)

    def covers(self, other: AreaRange) -> bool:
        """Whether all of `other` lies inside this range."""
        return self.lo <= other.lo and (self.hi is None or (other.hi is not None and other.hi <= self.hi))


EVERYWHERE = AreaRange("", None)


def merged(ranges: Iterable[AreaRange]) -> tuple[AreaRange, ...]:
    """The same codes in as few ranges as possible, sorted; queries OR a handful of them."""
    result: list[AreaRange] = []
    for item in sorted(ranges, key=lambda r: (r.lo, r.hi is not None, r.hi or "")):
        last = result[-1] if result else None
        if last is not None and (last.hi is None or item.lo <= last.hi):
            hi = None if last.hi is None or item.hi is None else max(last.hi, item.hi)
            result[-1] = AreaRange(last.lo, hi)
        else:
            result.append(item)
    return tuple(result)


def level_of(code: str) -> str:
    """province, city, county, township, village or hamlet, by the code's length."""
    return {2: "province", 4: "city", 6: "county", 9: "township", 12: "village", 15: "hamlet"}[len(code)]


def trimmed(padded: str) -> str:
    """A code padded with zeros to 12 digits, cut back to its natural length.

    Cuts only at level boundaries: 451010000000 is the county 451010, not 45101.
    """
    for shorter in (2, 4, 6, 9):
        if padded[shorter:].strip("0") == "":
            return padded[:shorter]
    return padded
