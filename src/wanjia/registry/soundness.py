"""`kernel.identity.judge(…).valid` for a whole column.

Plain sound numbers, nearly all of a registry, are recognised in numpy. Whatever is not one
(wrong, old form, certificate, look-alikes, nothing) is judged by the kernel itself, each
distinct text once: this module can only agree with it or be slower.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel import identity

Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]

_WEIGHTS = np.array(identity.WEIGHTS, np.int64)
_CHECKS = np.frombuffer(identity.CHECK_CHARACTERS.encode(), np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_FEBRUARY = 2


def are_valid(texts: Any, today: date) -> Flags:
    """Whether each number is usable as it stands on the day `today`; False where there is none."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    candidates = pc.fill_null(pc.match_substring_regex(column, r"^[0-9]{17}[0-9X]$"), fill_value=False)
    valid = np.zeros(len(column), np.bool_)
    rows = np.flatnonzero(candidates.to_numpy(zero_copy_only=False))
    valid[rows] = _plainly_sound(column.take(pa.array(rows)), today)
    others = np.flatnonzero(~valid)
    valid[others] = _judged(column.take(pa.array(others)), today)
    return valid


def _plainly_sound(numbers: pa.Array, today: date) -> Flags:
    """Whether numbers of 17 digits and a check character have the right one and a possible birthday."""
    count = len(numbers)
    if not count:
        return np.zeros(0, np.bool_)
    text = np.frombuffer("".join(numbers.to_pylist()).encode("ascii"), np.uint8).reshape(count, identity.NUMBER_LENGTH)
    digits = text[:, :17].astype(np.int64) - ord("0")
    check = _CHECKS[digits @ _WEIGHTS % 11]
    year, month, day = (_number(digits[:, a:b]) for a, b in ((6, 10), (10, 12), (12, 14)))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _DAYS[np.where(month <= 12, month, 0)] + (leap & (month == _FEBRUARY))  # noqa: PLR2004 - months
    born = year * 10_000 + month * 100 + day
    possible = (day >= 1) & (day <= longest) & (year >= identity.FIRST_YEAR) & (born <= int(f"{today:%Y%m%d}"))
    sound: Flags = possible & (check == text[:, 17])
    return sound


def _number(digits: Whole) -> Whole:
    value = np.zeros(len(digits), np.int64)
    for place in range(digits.shape[1]):
        value = value * 10 + digits[:, place]
    return value


def _judged(texts: pa.Array, today: date) -> Flags:
    coded = texts.dictionary_encode()
    known = [identity.judge(text, today).valid for text in coded.dictionary.to_pylist()]
    codes = pc.fill_null(coded.indices, fill_value=len(known)).to_numpy(zero_copy_only=False)
    verdicts = np.array([*known, False], np.bool_)
    answer: Flags = verdicts[codes]
    return answer
