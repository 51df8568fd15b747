"""Division codes as texts (domain.md §2): province, city, county, township, village, hamlet."""

from __future__ import annotations

LENGTHS = (2, 4, 6, 9, 12, 15)


def is_division_code(text: str) -> bool:
    """Whether the text has the form of a code at one of the levels; not whether there is such a division."""
    return text.isascii() and text.isdigit() and len(text) in LENGTHS
