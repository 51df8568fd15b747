"""Amounts of money as integer fen, read from what people type (domain.md §18 trap 9). Never float."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from enum import StrEnum
from typing import Literal

Unit = Literal["元", "万元"]

FEN = {"元": 100, "万元": 1_000_000}
MAX_DIGITS = 15  # before the point, in the unit given

_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_PREFIX = re.compile(r"^(?:人民币|RMB|CNY|¥|￥)", re.IGNORECASE)
_SUFFIX = re.compile(r"(万元|万|元)(?:整|正)?$")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_NOTHING = frozenset(("", "-", "--", "—", "——", "/", "无", "空"))


class MoneyFault(StrEnum):
    """Why a text is no amount."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    FRACTION = "fraction"  # less than a fen
    TOO_LARGE = "too_large"


class BadAmount(ValueError):
    """A text that is no amount; `fault` says why. The text itself is not repeated: it may be personal."""

    def __init__(self, fault: MoneyFault) -> None:
        self.fault = fault
        super().__init__(f"not an amount of money: {fault.value}")


def parse_fen(text: str, unit: Unit = "元") -> int:
    """The amount in fen; `unit` is the column's, a unit written in the cell goes before it.

    Thousands separators must stand where they belong; brackets and any minus sign mean
    negative; a dash alone is no amount. Raises BadAmount, a ValueError.

    >>> parse_fen("3,200.00"), parse_fen("0.32万元"), parse_fen("（3200元）"), parse_fen("1.5", "万元")
    (320000, 320000, -320000, 1500000)
    """
    body = _SPACE.sub("", unicodedata.normalize("NFKC", text)).replace("−", "-").strip("'\"")
    if body in _NOTHING:
        raise BadAmount(MoneyFault.EMPTY)
    body, negative = _sign(body)
    body = _PREFIX.sub("", body, count=1)
    if not negative:
        body, negative = _sign(body)
    written = _SUFFIX.search(body)
    if written:
        unit = "元" if written[1] == "元" else "万元"
        body = body[: written.start()]
    if _GROUPED.fullmatch(body):
        body = body.replace(",", "")
    if not _PLAIN.fullmatch(body):
        raise BadAmount(MoneyFault.UNREADABLE)
    if len(body.partition(".")[0].lstrip("0")) > MAX_DIGITS:
        raise BadAmount(MoneyFault.TOO_LARGE)
    whole, _, fraction = body.partition(".")
    fen, rest = divmod(int(whole + fraction or "0") * FEN[unit], int("1" + "0" * len(fraction)))
    if rest:
        raise BadAmount(MoneyFault.FRACTION)
    return -fen if negative else fen


def _sign(body: str) -> tuple[str, bool]:
    if body.startswith("(") and body.endswith(")"):
        return body[1:-1], True
    if body.startswith("-"):
        return body[1:], True
    return body.removeprefix("+"), False


def yuan(fen: int) -> str:
    """Fen as yuan with separators and two decimals.

    >>> yuan(123450), yuan(-5)
    ('1,234.50', '-0.05')
    """
    return f"{Decimal(fen).scaleb(-2):,.2f}"
