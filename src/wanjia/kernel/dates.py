"""Dates as Chinese files write them, with what they say and no more (domain.md §18 trap 6).

A reading is either certain or an error: 3/5/2018 may be March or May, 18-3-5 lacks its
century, 201203 may be a month or a day. Where the column is declared to hold months (or
days, or years), that settles what the text alone does not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

Precision = Literal["day", "month", "year", "serial"]
Epoch = Literal[1900, 1904]

FIRST_YEAR = 1900
YEARS_AHEAD = 50  # leases and certificates run into the future; 9999 is not a date

_EPOCHS = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}  # Excel for Windows; old Excel for Mac
_COARSENESS = {"day": 0, "serial": 0, "month": 1, "year": 2}
_NOTHING = frozenset(
    ("", "0", "空", "无", "-", "--", "—", "/", "NULL", "NONE", "NAN", "00000000", "0000-00-00", "1900-01-00")
)

_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff]+")
_TIME = re.compile(
    r"[T\s]+\d{1,2}(?::\d{1,2}){0,2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?$|\s*\d{1,2}[时點点](?:\d{1,2}分)?(?:\d{1,2}秒)?$"
)
_WEEKDAY = re.compile(r"\(?(?:星期|周|礼拜)[一二三四五六日天]\)?$")
_CHINESE = re.compile(r"(\d{4})年(?:(\d{1,2})月(?:份|(\d{1,2})[日号]?)?)?")
_SEPARATED = re.compile(r"(\d{4})([-/.])(\d{1,2})(?:\2(\d{1,2}))?[-/.]?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6}(?:\d{3})?)?")
_SIX = re.compile(r"(\d{4})(\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_YEAR = re.compile(r"(\d{4})")
_NO_CENTURY = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{1,4}|\d{2}年.*|\d{1,2}[-/]\d{1,2}")
_FLOAT = re.compile(r"(\d{4}|\d{6}|\d{8})\.0+")  # 20180305.0: a number column on its way through a table library

_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_TENS = re.compile(r"([一二三])?十([一二三四五六七八九])?")


class DateFault(StrEnum):
    """Why a text is no date."""

    EMPTY = "empty"
    AMBIGUOUS = "ambiguous"
    IMPOSSIBLE = "impossible"  # 30 February
    OUT_OF_RANGE = "out_of_range"  # before 1900, or too far ahead
    TOO_COARSE = "too_coarse"  # a month where days are declared
    UNREADABLE = "unreadable"


class BadDate(ValueError):
    """A text that is no date; `fault` says why. The text itself is not repeated: it may be personal."""

    def __init__(self, fault: DateFault) -> None:
        self.fault = fault
        super().__init__(f"not a date: {fault.value}")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """The first day of what was written, and how much of it was written.

    `serial` is a day that came as an Excel serial number: certain only if the column is dates.
    """

    value: date
    precision: Precision


def parse(
    text: str, *, today: date, declared: Literal["day", "month", "year"] | None = None, epoch: Epoch = 1900
) -> ParsedDate:
    """Read a date. `declared` is the least the column promises; `epoch` the workbook's date system.

    Raises BadDate (a ValueError) with its fault.
    """
    parsed = _read(_prepared(text), declared, epoch)
    if not FIRST_YEAR <= parsed.value.year <= today.year + YEARS_AHEAD:
        raise BadDate(DateFault.OUT_OF_RANGE)
    if declared and _COARSENESS[parsed.precision] > _COARSENESS[declared]:
        raise BadDate(DateFault.TOO_COARSE)
    return parsed


def _prepared(text: str) -> str:
    body = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip().strip("=\"'").strip()
    if body.upper() in _NOTHING:
        raise BadDate(DateFault.EMPTY)
    body = _TIME.sub("", body)
    body = re.sub(r"\s+", "", body)
    body = _WEEKDAY.sub("", body)
    body = _TENS.sub(lambda m: str("一二三".find(m[1] or "一") + 1) + (m[2] or "0"), body)
    body = body.translate(_DIGITS)
    whole = _FLOAT.fullmatch(body)
    return whole[1] if whole else body


def _read(body: str, declared: str | None, epoch: Epoch) -> ParsedDate:
    if match := _CHINESE.fullmatch(body):
        return _built(match[1], match[2], match[3])
    if match := _SEPARATED.fullmatch(body):
        return _built(match[1], match[3], match[4])
    if match := _SIX.fullmatch(body):
        return _six_digits(body, declared)
    if match := _COMPACT.fullmatch(body):
        return _built(match[1], match[2], match[3])
    if match := _YEAR.fullmatch(body):
        return _built(match[1], None, None)
    if match := _SERIAL.fullmatch(body):
        return ParsedDate(_EPOCHS[epoch] + timedelta(days=int(match[1])), "serial")
    raise BadDate(DateFault.AMBIGUOUS if _NO_CENTURY.fullmatch(body) else DateFault.UNREADABLE)


def _six_digits(body: str, declared: str | None) -> ParsedDate:
    """201803 is a month. 201203 may also be 3 December 2020, 180305 only that: no century, no reading."""
    is_month = int(body[:4]) >= FIRST_YEAR and 1 <= int(body[4:]) <= 12  # noqa: PLR2004
    is_day = _exists(2000 + int(body[:2]), int(body[2:4]), int(body[4:]))
    if is_month and (not is_day or declared == "month"):
        return _built(body[:4], body[4:], None)
    raise BadDate(DateFault.AMBIGUOUS if is_day else DateFault.IMPOSSIBLE)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _built(year: str, month: str | None, day: str | None) -> ParsedDate:
    y, m, d = int(year), int(month or 1), int(day or 1)
    if not _exists(y, m, d):
        raise BadDate(DateFault.IMPOSSIBLE)
    return ParsedDate(date(y, m, d), "day" if day else "month" if month else "year")
