"""From the text of a sheet's cell to what the registry stores, a column at a time.

Codes come out as codes, amounts in the units they are kept in, numbers of people in clear: what
is read here stays in memory and goes into encrypted columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake import rules
from wanjia.intake.contracts import Field as SentField
from wanjia.intake.fields import DateReader, Problems, Taken, clean, cleaned_texts, each, flags, nulled, put
from wanjia.intake.identity import judge_many
from wanjia.kernel import dates, identity, names
from wanjia.kernel.money import BadAmount, MoneyFault, Unit, parse_fen
from wanjia.lake.columns import Type
from wanjia.protection.keys import Keyring
from wanjia.reference.queries import code_list
from wanjia.registry.fields import DEGREES, YUAN, Field
from wanjia.registry.services.sheets.columns import SheetField

MASK = "*"
_PLAIN = "^[0-9A-Za-z一-鿿.,()/+\\-]*$"
_HAN_ONLY = "^[一-鿿]+$"
_RUINED = r"^[0-9](?:\.[0-9]+)?[Ee]\+?(?:1[0-9]|[2-9][0-9])$"
_NOTHING = frozenset(("", "-", "--", "—", "——", "/", "无", "空", "NULL", "NONE"))
_PARTS = re.compile(r"[,，、;；/|]+")
_NUMBER = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)")
_UNITS = re.compile(r"(?:亩|公里|千米|KM|平方米|平米|㎡|M2|M²|个月|月|人|户|度|°|年)$", re.IGNORECASE)
_YEAR = re.compile(r"(20[0-9]{2}|19[0-9]{2})(?:年|年度|\.0+)?")
_WHOLE_FLOAT = re.compile(r"([0-9]{1,15})\.0+")
_FLAGS: Mapping[str, bool] = MappingProxyType(
    {
        **dict.fromkeys(("是", "有", "1", "Y", "YES", "TRUE", "T", "√", "✓", "已", "通", "享受", "参加", "会"), True),
        **dict.fromkeys(
            ("否", "无", "没有", "0", "N", "NO", "FALSE", "F", "×", "✗", "未", "不通", "不享受", "未享受"), False
        ),
        **dict.fromkeys(("已通", "已参加", "已享受", "已解决", "愿意"), True),
        **dict.fromkeys(("未通", "未参加", "不参加", "未解决", "不会", "不愿意", "不是"), False),
    }
)


def reader_of(  # noqa: PLR0911 - one line for each kind of column
    item: SentField, *, today: date, keyring: Keyring, unit: Unit = "元", epoch: dates.Epoch = 1900
) -> Callable[[pa.Array], Taken]:
    """What reads a sheet's column."""
    del keyring  # nothing of a sheet is kept that would need it
    assert isinstance(item, SheetField)  # noqa: S101 - the contracts of sheets hold no others
    of = item.of
    if item.name == "id_number":
        return IdentityTexts(item, today)
    if item.name == "year" or (of is not None and "Integer" in of.kind and of.unit is None and "year" in of.id):
        return Each(item, _a_year if item.name != "year_member_count" else partial(_scaled, of=of))
    if of is None:
        return Texts(item)
    if of.kind == "BooleanField":
        return Each(item, _a_flag)
    if of.kind == "DateField":
        return Days(DateReader(item, today, epoch))
    if of.unit is YUAN:
        return Each(item, partial(_fen, unit=unit))
    if "Integer" in of.kind:
        return Each(item, partial(_scaled, of=of))
    if of.code_list or item.name == "id_type":
        return Each(item, Codes(of.code_list or "id_type", of.several))
    return Texts(item, plain=_HAN_ONLY if item.name == "name" else _PLAIN, free=not of.protected)


@dataclass(slots=True)
class Texts:
    """Text as it is, bar what files add around it; `free` text holds nobody's number."""

    item: SheetField
    plain: str = _PLAIN
    free: bool = False

    def __call__(self, texts: pa.Array) -> Taken:
        values = cleaned_texts(texts, self.plain, self._cleaned)
        problems = np.zeros(len(values), np.int8)
        lengths = pc.utf8_length(values).to_numpy()
        if self.item.required:
            problems[lengths == 0] = rules.NUMBER["missing"]
        problems[lengths > (self.item.max_length or 0)] = rules.NUMBER["too_long"]
        if self.free:
            problems[flags(pc.match_substring_regex(values, "[0-9]{11}"))] = rules.NUMBER["personal_number"]
        if self.item.name == "name":
            self._mark_damaged(values, problems)
        problems[flags(pc.match_substring_regex(values, _RUINED))] = rules.NUMBER["number_ruined"]
        return Taken({self.item.name: nulled(values)}, problems)

    def _cleaned(self, text: str) -> str:
        bare = clean(text)
        if self.item.personal in ("phone", "account", "id") or self.item.name.endswith("_no"):
            bare = unicodedata.normalize("NFKC", bare).replace(" ", "").upper()
            whole = _WHOLE_FLOAT.fullmatch(bare)
            bare = whole[1] if whole else bare
        return "" if bare.upper() in _NOTHING else bare

    @staticmethod
    def _mark_damaged(values: pa.Array, problems: Problems) -> None:
        odd = np.flatnonzero(~flags(pc.match_substring_regex(values, _HAN_ONLY)))
        for at in odd:
            if names.is_damaged(values[int(at)].as_py()):
                problems[at] = rules.NUMBER["name_damaged"]


@dataclass(slots=True)
class IdentityTexts:
    """Identity numbers in clear as they will be stored, judged; look-alikes are read where the check character fits."""

    item: SheetField
    today: date

    def __call__(self, texts: pa.Array) -> Taken:
        problems = judge_many(texts, self.today).problems
        odd = ~flags(pc.match_substring_regex(texts, "^[0-9]{17}[0-9X]$"))
        values = texts
        if odd.any():
            found, codes = each(texts.filter(pa.array(odd)), self._one)
            told = [found[code] for code in codes]
            values = put(texts, odd, pa.array([text for text, _ in told], pa.string()))
            for at, (_, problem) in zip(np.flatnonzero(odd), told, strict=True):
                if problem:
                    problems[at] = rules.NUMBER[problem]
        # a mask is no number to be judged: what is registered, or that there is nothing yet, says what it is worth
        problems[flags(pc.match_substring(values, MASK))] = rules.OK
        problems[flags(pc.greater(pc.utf8_length(values), self.item.max_length))] = rules.NUMBER["too_long"]
        return Taken({self.item.name: nulled(values)}, problems)

    def _one(self, text: str) -> tuple[str, str]:
        """The number as stored, and a problem other than what judging it told."""
        judged = identity.judge(text, self.today)
        if judged.problem is identity.Problem.LOOK_ALIKE and judged.suggestion:
            return judged.suggestion + judged.text[identity.NUMBER_LENGTH :], "id_repaired"
        return judged.text, ""


@dataclass(slots=True)
class Days:
    """Days however files write them."""

    read: DateReader

    def __call__(self, texts: pa.Array) -> Taken:
        return self.read(texts)


@dataclass(slots=True)
class Each:
    """A column each distinct text of which is read once."""

    item: SheetField
    read: Callable[[str], tuple[Any, str]]
    _known: dict[str, tuple[Any, int]] = field(default_factory=dict)

    def __call__(self, texts: pa.Array) -> Taken:
        found, codes = each(texts, self._one, self._known)
        values = pa.array([value for value, _ in found], self.item.type.arrow).take(pa.array(codes))
        problems = np.array([problem for _, problem in found], np.int8)[codes]
        return Taken({self.item.name: values}, problems)

    def _one(self, text: str) -> tuple[Any, int]:
        plain = clean(text)
        if plain.upper() in _NOTHING and not (self.item.type is Type.BOOLEAN and plain == "无"):
            return None, rules.OK
        value, problem = self.read(plain)
        return value, rules.NUMBER[problem] if problem else rules.OK


@dataclass(frozen=True, slots=True)
class Codes:
    """A code list's value by label of any vintage or by the platform's code; several with any mark between them."""

    listed: str
    several: int

    def __call__(self, text: str) -> tuple[str | None, str]:
        book = code_list(self.listed)
        whole = self._code(text)
        if whole is not None:
            return whole, ""
        parts = [part for part in _PARTS.split(text) if part.strip()] if self.several > 1 else [text]
        codes = [self._code(part) for part in parts]
        if None in codes or not codes:
            return None, "code_unknown"
        told = [code for code in codes if code is not None]
        if len(told) > self.several or len(set(told)) != len(told):
            return None, "codes_many"
        if len(told) > 1 and book.with_trait("excludes_others") & set(told):
            return None, "codes_exclude"
        return ",".join(told), ""

    def _code(self, text: str) -> str | None:
        book = code_list(self.listed)
        return book.code_for(text, "") or book.code_for(unicodedata.normalize("NFKC", text).strip().lstrip("0"), "")


def _a_flag(text: str) -> tuple[bool | None, str]:
    value = _FLAGS.get(unicodedata.normalize("NFKC", text).replace(" ", "").upper())
    return value, "" if value is not None else "flag_unreadable"


def _a_year(text: str) -> tuple[int | None, str]:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if plain == "0":
        return None, ""
    found = _YEAR.match(plain)
    return (int(found[1]), "") if found else (None, "year_unreadable")


def _fen(text: str, unit: Unit) -> tuple[int | None, str]:
    try:
        value = parse_fen(text, unit)
    except BadAmount as bad:
        return None, "" if bad.fault is MoneyFault.EMPTY else rules.of_amount(bad.fault)
    return (value, "") if value >= 0 else (None, "number_negative")


def _scaled(text: str, of: Field | None) -> tuple[int | None, str]:
    """A number with or without its unit, in the whole number it is stored as."""
    assert of is not None  # noqa: S101 - columns without a field are read as text
    plain = _UNITS.sub("", unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", ""))
    if not _NUMBER.fullmatch(plain):
        return None, "number_unreadable"
    try:
        value = Decimal(plain) * (of.unit.per if of.unit else 1)
    except InvalidOperation:
        return None, "number_unreadable"
    if of.unit is DEGREES:  # a phone gives more places than there are centimetres
        value = value.quantize(Decimal(1), ROUND_HALF_UP)
    if value < 0:
        return None, "number_negative"
    if value > of.limit:
        return None, "number_large"
    if value != value.to_integral_value():
        return None, "number_fine"
    return int(value), ""
