"""Reference data in memory: pure look-ups over what `queries` has read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from wanjia.kernel.workdays import WorkCalendar
from wanjia.reference.errors import UnknownCodeList

_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")


def plain_label(text: str) -> str:
    """A label in the form in which labels are compared: no spaces, no full width, upper case."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).upper()


@dataclass(frozen=True, slots=True)
class CodeItem:
    """One code. `means` is the platform's code: itself, except in other vintages."""

    code: str
    means: str
    label_zh: str
    label_en: str
    synonyms: tuple[str, ...]
    traits: Mapping[str, Any]
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """Whether the code is in use on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def label(self, lang: str) -> str:
        """The label; Chinese where there is no English one."""
        return (self.label_en if lang.startswith("en") else "") or self.label_zh


@dataclass(frozen=True, slots=True)
class CodeBook:
    """A code list as it stands on a day, with everything it ever held for reading older data.

    `items` are the platform's own codes in order; `vintages` other lists met in files.
    """

    name: str
    title_zh: str
    title_en: str
    on: date
    items: Mapping[str, CodeItem]
    vintages: Mapping[str, Mapping[str, CodeItem]]
    _by_label: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, name: str, titles: tuple[str, str], on: date, rows: Sequence[tuple[str, CodeItem]]) -> CodeBook:
        """Build the look-ups from (vintage, item) rows in order; own labels go before synonyms."""
        items: dict[str, CodeItem] = {}
        vintages: dict[str, dict[str, CodeItem]] = {}
        for vintage, item in rows:
            (vintages.setdefault(vintage, {}) if vintage else items)[item.code] = item
        by_label: dict[str, str] = {}
        every = [*items.values(), *(item for held in vintages.values() for item in held.values())]
        for item in every:
            if item.means:
                by_label.setdefault(plain_label(item.label_zh), item.means)
        for item in every:
            for other in (*item.synonyms, item.label_en):
                if item.means and other:
                    by_label.setdefault(plain_label(other), item.means)
        return cls(name, *titles, on, items, vintages, by_label)

    def label(self, code: str, lang: str = "zh") -> str:
        """The label of a code, also of one no longer in use; the code itself if unknown."""
        item = self.items.get(code)
        return item.label(lang) if item else code

    def code_for(self, label: str, vintage: str | None = None) -> str | None:
        """The platform's code for what stands in a file; None if it says nothing known.

        A label is understood in any vintage. A code is understood only where the vintage says
        whose code it is ("" for the platform's own), also when a spreadsheet has dropped its
        leading zero.
        """
        wanted = plain_label(label)
        found = self._by_label.get(wanted)
        if found is not None or vintage is None:
            return found
        held = self.vintages.get(vintage, {}) if vintage else self.items
        item = held.get(wanted) or held.get(wanted.zfill(2))
        return item.means or None if item else None

    def choices(self, lang: str = "zh") -> list[tuple[str, str]]:
        """(code, label) of the codes in use on the list's day, in order."""
        return [(item.code, item.label(lang)) for item in self.items.values() if item.holds_on(self.on)]

    def trait(self, code: str, name: str) -> Any:
        """A fact about a code (`in_household`, `motorcycle` …); None if the code has none."""
        item = self.items.get(code)
        return item.traits.get(name) if item else None

    def with_trait(self, name: str, value: Any = True) -> frozenset[str]:
        """The codes of which a fact holds: `code_list("member_status").with_trait("in_household")`."""
        return frozenset(item.code for item in self.items.values() if item.traits.get(name) == value)


@dataclass(frozen=True, slots=True)
class Dated:
    """A value with where and when it holds."""

    region: str
    valid_from: date
    valid_to: date | None
    value: Any
    source: str

    def holds_on(self, day: date) -> bool:
        """Whether the value is in force on `day`, unless a later one has begun."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def in_force(values: Sequence[Dated], on: date, region: str) -> Dated | None:
    """The value that holds in `region` on a day: the nearest region's, and of those the latest begun."""
    holding = [each for each in values if region.startswith(each.region) and each.holds_on(on)]
    return max(holding, key=lambda each: (len(each.region), each.valid_from), default=None)


@dataclass(frozen=True, slots=True)
class Switch:
    """A feature a phase has or has not, with the rule that says so."""

    code: str
    is_on: bool
    title_zh: str
    title_en: str
    legal_source: str

    def title(self, lang: str) -> str:
        return self.title_en if lang.startswith("en") else self.title_zh


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of the work: its words and its switches."""

    code: str
    title_zh: str
    title_en: str
    valid_from: date
    valid_to: date | None
    terms: Mapping[str, Mapping[str, str]]
    switches: Mapping[str, Switch]

    def title(self, lang: str) -> str:
        return self.title_en if lang.startswith("en") else self.title_zh

    def holds_on(self, day: date) -> bool:
        """Whether the phase covers `day`."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def term(self, key: str, lang: str = "zh") -> str:
        """The phase's word for `key` (poor_household, office …). Raises KeyError for a key no file knows."""
        return self.terms[key]["en" if lang.startswith("en") else "zh"]

    def is_on(self, switch: str) -> bool:
        """Whether a feature is on. Raises KeyError for a switch no file knows."""
        return self.switches[switch].is_on


@dataclass(frozen=True, slots=True)
class LineKey:
    """Which poverty line."""

    year: int
    kind: str


@dataclass(slots=True, eq=False)
class Reference:
    """Everything the tables hold, read in one go; look-ups are built once and go when it goes."""

    code_lists: Mapping[str, tuple[str, str]]
    codes: Mapping[str, Sequence[tuple[str, CodeItem]]]
    parameters: Mapping[str, Sequence[Dated]]
    lines: Mapping[LineKey, Sequence[Dated]]
    days: Mapping[date, Mapping[str, str]]  # day → region → kind
    phases: Sequence[Phase]
    _books: dict[str, CodeBook] = field(default_factory=dict, repr=False)
    _calendars: dict[str, WorkCalendar] = field(default_factory=dict, repr=False)

    def book(self, name: str, on: date) -> CodeBook:
        """The code list `name` as of a day. Raises UnknownCodeList."""
        book = self._books.get(name)
        if book is None:
            if name not in self.code_lists:
                raise UnknownCodeList(name=name)
            book = CodeBook.of(name, self.code_lists[name], on, self.codes.get(name, ()))
            self._books[name] = book
        return book if book.on == on else replace(book, on=on)

    def calendar(self, region: str) -> WorkCalendar:
        """The working days of a region; of several notices about a day the nearest region's holds."""
        if region not in self._calendars:
            kinds: dict[str, set[date]] = {"holiday": set(), "makeup": set()}
            for day, notices in self.days.items():
                nearest = max((each for each in notices if region.startswith(each)), key=len, default=None)
                if nearest is not None:
                    kinds[notices[nearest]].add(day)
            self._calendars[region] = WorkCalendar(frozenset(kinds["holiday"]), frozenset(kinds["makeup"]))
        return self._calendars[region]


def amount(value: Any) -> Decimal:
    """A stored decimal, exact."""
    return Decimal(str(value))
