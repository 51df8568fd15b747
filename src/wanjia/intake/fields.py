"""From text to typed values, a column at a time: everything is validated as text and cast last.

Each kind of field reads a column of strings and says, row by row, what is wrong. Plain values
pass as they are; every other distinct text is read once by the kernel's own function, so a bulk
load reads a date or a name exactly as a form does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake import rules
from wanjia.intake.contracts import NAME_MATCH, Field, Reading
from wanjia.intake.identity import judge_many
from wanjia.intake.veil import Veiled
from wanjia.kernel import dates, money, names
from wanjia.protection.keys import Keyring
from wanjia.reference.queries import code_list

Problems = npt.NDArray[np.int8]
DAMAGE = "\ufffd"  # what a byte becomes that means nothing in the file's encoding

_NO_TEXT = (Reading.IDENTITY, Reading.DATE, Reading.WHOLE, Reading.MONEY)

_MEMORY = 100_000  # distinct texts a column remembers between blocks
_HAN = "一-鿿"
_PLAIN_TEXT = rf"^[0-9A-Za-z{_HAN}.,()/+\-]*$"
_PLAIN_CODE = rf"^[0-9A-Z{_HAN}]*$"
_PLAIN_NAME = rf"^[{_HAN}]+$"
_RUINED = r"^[0-9](?:\.[0-9]+)?[Ee]\+(?:1[4-9]|[2-9][0-9])$"  # what a workbook made of more than 15 digits
_SPACES = re.compile(r"[\s\u00a0\u3000]+")
_UNSEEN = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f\u200b-\u200f\u2060\ufeff]+")
_COUNT = re.compile(r"([0-9]{1,9})(?:\.0+)?[人口个户]?")
_NO_COUNT = frozenset(("", "-", "--", "—", "/", "无"))
_QUOTED = re.compile(r'=?"(.*)"|\'(.*)', re.DOTALL)  # ="text" and 'text: how spreadsheets are kept from reading numbers


@dataclass(frozen=True, slots=True)
class Taken:
    """A column as read: its typed columns, and what is wrong with each row (`rules.CODES`)."""

    columns: Mapping[str, pa.Array]
    problems: Problems


def clean(text: str) -> str:
    """A text without what files add around it; its own characters stay (domain.md §18 traps 3 and 4)."""
    bare = _UNSEEN.sub("", text).strip()
    while quoted := _QUOTED.fullmatch(bare):
        bare = (quoted[1] if quoted[1] is not None else quoted[2]).strip()
    return _SPACES.sub(" ", bare)


def clean_code(text: str) -> str:
    """A plate or unit number: no spaces, half width, upper case."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", clean(text))).upper()


def reader_for(
    item: Field, *, today: date, keyring: Keyring, unit: money.Unit = "元", epoch: dates.Epoch = 1900
) -> Callable[[pa.Array], Taken]:
    """What reads the field's column; `unit` is that of its amounts, `epoch` the date system of its serial numbers."""
    kinds: Mapping[Reading, Callable[[], Callable[[pa.Array], Taken]]] = {
        Reading.IDENTITY: lambda: IdentityReader(item, today, keyring),
        Reading.NAME: lambda: NameReader(item),
        Reading.DATE: lambda: DateReader(item, today, epoch),
        Reading.LABEL: lambda: LabelReader(item),
        Reading.WHOLE: lambda: NumberReader(item, pa.int32(), _whole),
        Reading.MONEY: lambda: NumberReader(item, pa.int64(), partial(_fen, unit=unit)),
        Reading.CODE_TEXT: lambda: TextReader(item, _PLAIN_CODE, clean_code),
    }
    read = kinds.get(item.reading, lambda: TextReader(item, _PLAIN_TEXT, clean))()
    return read if item.reading in _NO_TEXT else Veiled(read, today, keyring)


@dataclass(slots=True)
class TextReader:
    """Text as it is, bar spaces and quotes around it."""

    item: Field
    plain: str
    cleaned: Callable[[str], str]

    def __call__(self, texts: pa.Array) -> Taken:
        values = cleaned_texts(texts, self.plain, self.cleaned)
        problems = _limits(self.item, values)
        problems[flags(pc.match_substring_regex(values, _RUINED))] = rules.NUMBER["number_ruined"]
        return Taken(_kept(self.item, values), problems)


@dataclass(slots=True)
class NameReader:
    """A person's name as written, and the form in which names are compared."""

    item: Field
    _forms: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def __call__(self, texts: pa.Array) -> Taken:
        values = cleaned_texts(texts, _PLAIN_NAME, clean)
        problems = _limits(self.item, values)
        odd = ~flags(pc.match_substring_regex(values, _PLAIN_NAME)) | flags(
            pc.match_substring_regex(values, altered_characters())
        )
        forms = values
        at = np.flatnonzero(odd)
        if len(at):
            found, codes = each(values.take(pa.array(at)), self._form, self._forms)
            forms = put(values, odd, pa.array([form for form, _ in found], pa.string()).take(pa.array(codes)))
            damaged = np.array([damage for _, damage in found], np.bool_)[codes]
            _mark(problems, at[damaged], "name_damaged")
        columns = _kept(self.item, values)
        return Taken({**columns, NAME_MATCH: nulled(forms)} if columns else {}, problems)

    @staticmethod
    def _form(text: str) -> tuple[str, bool]:
        return names.match_form(text), names.is_damaged(text)


@cache
def altered_characters() -> str:
    """A pattern that finds the characters `names.match_form` writes differently."""
    return "[" + "".join(c for c in map(chr, range(0x4E00, 0xA000)) if names.match_form(c) != c) + "]"


@dataclass(slots=True)
class DateReader:
    """Days in whatever way files write them."""

    item: Field
    today: date
    epoch: dates.Epoch = 1900
    _read: dict[str, tuple[date | None, int]] = field(default_factory=dict)

    def __call__(self, texts: pa.Array) -> Taken:
        found, codes = each(texts, self._one, self._read)
        days = pa.array([day for day, _ in found], pa.date32()).take(pa.array(codes))
        problems = np.array([problem for _, problem in found], np.int8)[codes]
        return Taken(_kept(self.item, days), problems)

    def _one(self, text: str) -> tuple[date | None, int]:
        if self.item.open and clean(text) in self.item.open:
            return None, rules.OK
        try:
            parsed = dates.parse(text, today=self.today, declared="day", epoch=self.epoch)
        except dates.BadDate as bad:
            if bad.fault is dates.DateFault.EMPTY:
                return None, rules.NUMBER["missing"] if self.item.required else rules.OK
            return None, rules.NUMBER[rules.of_date(bad.fault)]
        if self.item.past and parsed.value > self.today:
            return None, rules.NUMBER["date_future"]
        return parsed.value, rules.NUMBER["date_serial"] if parsed.precision == "serial" else rules.OK


@dataclass(slots=True)
class NumberReader:
    """Counts, and amounts of money in fen."""

    item: Field
    kind: pa.DataType
    parsed: Callable[[str], tuple[int | None, str]]
    _read: dict[str, tuple[int | None, int]] = field(default_factory=dict)

    def __call__(self, texts: pa.Array) -> Taken:
        found, codes = each(texts, self._one, self._read)
        values = pa.array([value for value, _ in found], self.kind).take(pa.array(codes))
        problems = np.array([problem for _, problem in found], np.int8)[codes]
        return Taken(_kept(self.item, values), problems)

    def _one(self, text: str) -> tuple[int | None, int]:
        value, problem = self.parsed(clean(text))
        if value is None and not problem and self.item.required:
            problem = "missing"
        return value, rules.NUMBER[problem] if problem else rules.OK


def _fen(text: str, unit: money.Unit) -> tuple[int | None, str]:
    """The amount, or the code of what is wrong with it; nothing of both where there is none."""
    try:
        return money.parse_fen(text, unit), ""
    except money.BadAmount as bad:
        return None, "" if bad.fault is money.MoneyFault.EMPTY else rules.of_amount(bad.fault)


def _whole(text: str) -> tuple[int | None, str]:
    """A count as people write it: 3, 3.0, 3人."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "")
    if plain in _NO_COUNT:
        return None, ""
    counted = _COUNT.fullmatch(plain)
    return (int(counted[1]), "") if counted else (None, "number_unreadable")


@dataclass(slots=True)
class LabelReader:
    """A value of a code list, written as its label in use; an unknown one is kept as it came."""

    item: Field
    _read: dict[str, tuple[str | None, int]] = field(default_factory=dict)

    def __call__(self, texts: pa.Array) -> Taken:
        found, codes = each(texts, self._one, self._read)
        labels = pa.array([label for label, _ in found], pa.string()).take(pa.array(codes))
        problems = np.array([problem for _, problem in found], np.int8)[codes]
        return Taken(_kept(self.item, labels), problems)

    def _one(self, text: str) -> tuple[str | None, int]:
        plain = clean(text)
        if not plain:
            return None, rules.NUMBER["missing"] if self.item.required else rules.OK
        book = code_list(self.item.codes)
        code = book.code_for(plain, self.item.vintage)
        if code is None:
            return plain, rules.NUMBER["label_unknown"]
        return book.label(code, "zh"), rules.OK


@dataclass(slots=True)
class IdentityReader:
    """What an identity number leaves behind: its key, whether it is sound, and the parts linkage needs."""

    item: Field
    today: date
    keyring: Keyring

    def __call__(self, texts: pa.Array) -> Taken:
        judged = judge_many(texts, self.today)
        problems = judged.problems
        if self.item.required:
            empty = problems == rules.NUMBER["id_empty"]
            problems[empty] = rules.NUMBER["missing"]
        columns = {
            "person_key": self.keyring.person_keys(texts),
            "id_valid": judged.valid,
            "issuing_county": judged.county,
            "birth_date": judged.born_on,
            "sex": judged.sex,
        }
        return Taken(columns, problems)


def _kept(item: Field, values: pa.Array) -> dict[str, pa.Array]:
    if not item.keep or item.reading is Reading.IGNORED:
        return {}
    return {item.name: nulled(values) if pa.types.is_string(values.type) else values}


def cleaned_texts(texts: pa.Array, plain: str, cleaned: Callable[[str], str]) -> pa.Array:
    odd = ~flags(pc.match_substring_regex(texts, plain))
    if not odd.any():
        return texts
    found, codes = each(texts.filter(pa.array(odd)), cleaned)
    return put(texts, odd, pa.array(found, pa.string()).take(pa.array(codes)))


def _limits(item: Field, values: pa.Array) -> Problems:
    """Empty where required, or too long."""
    lengths = pc.utf8_length(values).to_numpy()
    problems = np.zeros(len(values), np.int8)
    if item.required:
        problems[lengths == 0] = rules.NUMBER["missing"]
    if item.max_length is not None:
        problems[lengths > item.max_length] = rules.NUMBER["too_long"]
    return problems


def each(
    texts: pa.Array, read: Callable[[str], Any], remembered: dict[str, Any] | None = None
) -> tuple[list[Any], npt.NDArray[np.int32]]:
    """What `read` makes of each distinct text, and which of them each row has."""
    coded = texts.dictionary_encode()
    known = {} if remembered is None else remembered
    if len(known) > _MEMORY:
        known.clear()
    found = []
    for text in coded.dictionary.to_pylist():
        if text not in known:
            known[text] = read(text)
        found.append(known[text])
    return found, coded.indices.to_numpy()


def put(values: pa.Array, where: npt.NDArray[np.bool_], replacements: pa.Array) -> pa.Array:
    return pc.replace_with_mask(values, pa.array(where), replacements)


def nulled(values: pa.Array) -> pa.Array:
    """Empty texts as null."""
    return pc.if_else(pc.equal(pc.binary_length(values), 0), pa.scalar(None, pa.string()), values)


def flags(array: pa.Array) -> npt.NDArray[np.bool_]:
    return array.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _mark(problems: Problems, at: npt.NDArray[np.intp], code: str) -> None:
    """Note a problem where none worse is noted yet."""
    free = at[problems[at] == rules.OK]
    problems[free] = rules.NUMBER[code]
