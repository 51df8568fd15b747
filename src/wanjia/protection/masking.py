"""What stands on a screen instead of a personal value (domain.md §16.4).

Masks keep enough for a clerk to recognise a value he already knows and too little to learn
one. A value too short for its mask shows nothing of itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

HIDDEN = "****"
_KEYED = re.compile(r"([0-9]{6}\*+[0-9]{3}[0-9X])#[0-9a-f]{16}")
_LOWEST_64 = 2**64 - 1
MOBILE = re.compile(r"1[0-9]{10}")


def mask_name(name: str) -> str:
    """The first character and, of three or more, the last one: 覃大某 → 覃*某, 覃某 → 覃*."""
    kept = name.strip()
    if len(kept) <= 1:
        return "*" * len(kept)
    return f"{kept[0]}{'*' * len(kept[1:-1])}{kept[-1]}" if kept[2:] else f"{kept[0]}*"


def mask_id(number: str) -> str:
    """The first six and the last four: 459999********0012. Nothing of what is not at least 15 long."""
    return _ends(number.strip(), 6, 4, shortest=15)


def keyed(number: str, key: int) -> str:
    """What stands for a number inside a text that is kept: its mask, and behind it its person_key in 16 digits.

    Equal numbers give equal texts, so the text can still be counted, compared and joined.

    >>> keyed("459999197602290012", -2)
    '459999********0012#fffffffffffffffe'
    """
    return f"{mask_id(number)}#{key & _LOWEST_64:016x}"


def without_key(text: str) -> str:
    """A text that was kept, as a person is shown it: of a number in it only the mask."""
    return _KEYED.sub(r"\1", text) if "#" in text else text


def mask_phone(number: str) -> str:
    """138****8000; of a landline or anything else only the last two."""
    kept = number.strip()
    if MOBILE.fullmatch(kept):
        return _ends(kept, 3, 4, shortest=11)
    return _ends(kept, 0, 2, shortest=6)


def mask_account(number: str) -> str:
    """The last four of a bank account."""
    return _ends(number.strip(), 0, 4, shortest=8)


def mask_all(text: str) -> str:
    """Nothing but that there is something."""
    return HIDDEN if text.strip() else ""


MASKS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"name": mask_name, "id": mask_id, "phone": mask_phone, "account": mask_account, "all": mask_all}
)


def _ends(text: str, head: int, tail: int, *, shortest: int) -> str:
    if len(text) < shortest:
        return HIDDEN if text else ""
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]
