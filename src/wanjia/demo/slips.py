"""What keepers of registers and their spreadsheets do to a row."""

from __future__ import annotations

from datetime import date
from random import Random

_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def number(random: Random, right: str, rate: float = 1.0) -> tuple[str, bool]:
    """An identity number as somebody wrote it, and whether it is still the right one.

    One digit wrong, the old fifteen digits, a spreadsheet's rounding, nothing at all; or the right
    number quoted, padded, in small letters or full width. `rate` says how careless they are.
    """
    draw = random.random() / rate
    if draw < 0.012:
        at = random.randrange(6, 17)
        wrong = random.choice([digit for digit in "0123456789" if digit != right[at]])
        return right[:at] + wrong + right[at + 1 :], False
    if draw < 0.020 and right[6:8] == "19":
        return right[:6] + right[8:17], False
    if draw < 0.024:
        return f"{int(right[:17] + '0'):.5E}", False
    if draw < 0.028:
        return "", False
    if draw < 0.060:
        written = (
            f'="{right}"', f"'{right}", f" {right}\t", right.lower(), right.translate(_FULL_WIDTH), f"\u3000{right}",
        )  # fmt: skip
        return random.choice(written), True
    return right, True


def name(random: Random, right: str) -> str:
    """A name as somebody wrote it: a space in the middle, another dot, a note behind it. Always the same name."""
    draw = random.random()
    if draw < 0.01 and len(right) == 2:
        return f"{right[0]} {right[1]}"
    if "·" in right:
        return right.replace("·", random.choice("•‧・"))
    return right + "(户主)" if draw < 0.013 else right


def day(random: Random, on: date) -> str:
    """A date in one of the ways departments write it. Always the same day."""
    draw = random.random()
    if draw < 0.10:
        return f"{on.year}/{on.month}/{on.day}"
    if draw < 0.14:
        return f"{on:%Y%m%d}"
    if draw < 0.17:
        return f"{on.year}年{on.month}月{on.day}日"
    if draw < 0.18:
        return f"{on.year}.{on.month}.{on.day}"
    if draw < 0.185:
        return f"{on:%Y-%m-%d} 00:00:00"
    return f"{on:%Y-%m-%d}"
