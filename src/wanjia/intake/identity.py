"""Identity numbers by the column: the clean majority in numpy, every other distinct text by the kernel.

`wanjia.kernel.identity.judge` says what a number is. Most cells are eighteen plain characters
with a fitting check character and a possible date; those are recognised here at the speed of
memory, and only those. Whatever is not plainly sound goes through `judge`, once for each
distinct text, so the two forms cannot disagree about a fault; that they agree about soundness
is held by the kernel's own table of vectors (tests/vectors/identity.json).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake import rules
from wanjia.kernel import identity

_WEIGHTS = np.array(identity.WEIGHTS, np.uint16)
_CHECKS = np.frombuffer(identity.CHECK_CHARACTERS.encode(), np.uint8)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)
_ZERO, _NINE = np.uint8(ord("0")), 9
_FEBRUARY, _DECEMBER = 2, 12
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers judged: what the typed rows keep of them, and what is wrong (`rules.CODES`)."""

    valid: pa.Array
    county: pa.Array
    born_on: pa.Array
    sex: pa.Array
    problems: npt.NDArray[np.int8]


@dataclass(slots=True)
class _Columns:
    """A column of numbers while it is being judged."""

    sound: npt.NDArray[np.bool_]
    days: npt.NDArray[np.int32]  # of birth, since 1970
    counties: npt.NDArray[np.bytes_]
    odd: npt.NDArray[np.bool_]  # the 17th digit: male

    @classmethod
    def of(cls, count: int) -> _Columns:
        return cls(
            np.zeros(count, np.bool_), np.zeros(count, np.int32), np.zeros(count, "S6"), np.zeros(count, np.bool_)
        )


def judge_many(texts: pa.Array, today: date) -> Numbers:
    """`identity.judge` for a column of strings without nulls."""
    count = len(texts)
    columns = _Columns.of(count)
    at = np.flatnonzero(pc.equal(pc.binary_length(texts), identity.NUMBER_LENGTH).to_numpy(zero_copy_only=False))
    if len(at):
        octets = octets_of(texts if len(at) == count else texts.take(pa.array(at)))
        columns.sound[at], columns.days[at] = plainly_sound(octets, today)
        columns.counties[at] = np.ascontiguousarray(octets[:, :6]).view("S6").ravel()
        columns.odd[at] = octets[:, 16] % 2 == 1
    return _with_the_rest(texts, today, columns)


def octets_of(texts: pa.Array) -> npt.NDArray[np.uint8]:
    """Texts of eighteen bytes each as a matrix."""
    offsets, data = texts.buffers()[1], texts.buffers()[2]
    assert offsets is not None and data is not None  # noqa: S101, PT018 - there is at least one text of 18 bytes
    start = int(np.frombuffer(offsets, np.int32)[texts.offset])
    flat = np.frombuffer(data, np.uint8, count=len(texts) * identity.NUMBER_LENGTH, offset=start)
    return flat.reshape(-1, identity.NUMBER_LENGTH)


def plainly_sound(octets: npt.NDArray[np.uint8], today: date) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int32]]:
    """Which rows are eighteen characters with a date and the right check character; their birth days since 1970."""
    digits = octets[:, :17] - _ZERO  # wraps round below "0", so one comparison checks both ends
    fits = (digits <= _NINE).all(axis=1)
    sums = (digits.astype(np.uint16) * _WEIGHTS).sum(axis=1)
    fits &= _CHECKS[sums % 11] == octets[:, 17]
    wide = digits.astype(np.int32)
    year = wide[:, 6] * 1000 + wide[:, 7] * 100 + wide[:, 8] * 10 + wide[:, 9]
    month, day = wide[:, 10] * 10 + wide[:, 11], wide[:, 12] * 10 + wide[:, 13]
    fits &= (year >= identity.FIRST_YEAR) & (year <= today.year) & (month >= 1) & (month <= _DECEMBER)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _MONTH_DAYS[np.where(fits, month, 0)] + (leap & (month == _FEBRUARY))
    fits &= (day >= 1) & (day <= longest)
    months = np.where(fits, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    born = months.astype("datetime64[D]").astype(np.int32) + np.where(fits, day - 1, 0).astype(np.int32)
    fits &= born <= (today - _EPOCH).days
    return fits, born


def _with_the_rest(texts: pa.Array, today: date, columns: _Columns) -> Numbers:
    """Judge what is not plainly sound, each distinct text once, and put both together."""
    problems = np.zeros(len(texts), np.int8)
    valid, has_date, has_sex, has_county = (columns.sound.copy() for _ in range(4))
    rest = np.flatnonzero(~columns.sound)
    if len(rest):
        coded = texts.take(pa.array(rest)).dictionary_encode()
        judged = [identity.judge(text, today) for text in coded.dictionary.to_pylist()]
        codes = coded.indices.to_numpy()

        def spread(values: list[Any], kind: Any) -> npt.NDArray[Any]:
            column: npt.NDArray[Any] = np.array(values, kind)[codes]
            return column

        valid[rest] = spread([one.valid for one in judged], np.bool_)
        problems[rest] = spread([_problem(one) for one in judged], np.int8)
        has_date[rest] = spread([one.born_on is not None for one in judged], np.bool_)
        columns.days[rest] = spread([(one.born_on - _EPOCH).days if one.born_on else 0 for one in judged], np.int32)
        has_sex[rest] = spread([one.sex is not None for one in judged], np.bool_)
        columns.odd[rest] = spread([one.sex == identity.MALE for one in judged], np.bool_)
        has_county[rest] = spread([one.county is not None for one in judged], np.bool_)
        columns.counties[rest] = spread([(one.county or "").encode() for one in judged], "S6")
    return Numbers(
        valid=pa.array(valid),
        county=_text(columns.counties, has_county),
        born_on=pa.array(columns.days, pa.int32(), mask=~has_date).cast(pa.date32()),
        sex=_text(np.where(columns.odd, identity.MALE.encode(), identity.FEMALE.encode()), has_sex),
        problems=problems,
    )


def _problem(judgement: identity.Judgement) -> int:
    return rules.NUMBER[rules.of_identity(judgement.problem)] if judgement.problem else rules.OK


def _text(values: npt.NDArray[np.bytes_], known: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(known), pa.array(values.astype("U")), pa.scalar(None, pa.string()))
