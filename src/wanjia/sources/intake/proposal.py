"""What the columns of a file with an unknown header may be: a proposal a person looks over.

A column is proposed for the field whose name it bears, or almost bears, or whose values look like
what it holds. Names weigh more than values: three columns may hold days.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher

from wanjia.intake.contracts import Field, Reading
from wanjia.intake.fields import clean
from wanjia.intake.layout import MOST_COLUMNS, Beginning, HeaderSpan, header_spans, plain_header, squeezed
from wanjia.kernel import dates, identity
from wanjia.kernel.money import BadAmount, parse_fen
from wanjia.reference.queries import code_list
from wanjia.sources.choices import Likeness
from wanjia.sources.contracts import Contract

SAMPLED = 20  # records whose values are looked at
SHOWN = 3
_ALIKE = 0.6  # of two names; below, they have a character in common by chance
_ENOUGH = 0.5  # of a proposal's weight
_BY_CONTENT = 0.75
_LONGEST_NAME = 40  # characters of a header's cell; more is a sentence
_LONG_NUMBER = re.compile(r"[0-9]{6,}|[0-9]{4}[-/.年][0-9]")
_NAME = re.compile(r"[\u4e00-\u9fff·]{2,4}")


@dataclass(frozen=True, slots=True)
class Proposed:
    """A column and the field it may be; `likeness` says why."""

    header: str
    field: Field | None
    likeness: Likeness
    samples: tuple[str, ...]  # in clear; whoever shows them masks them


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a table of unknown header may be."""

    contract: Contract
    span: HeaderSpan
    columns: tuple[Proposed, ...]

    @property
    def named(self) -> int:
        """How many of the fields that must be there a column bears the name of, or almost."""
        by_name = {column.field for column in self.columns if column.likeness in _BY_NAME}
        return sum(item in by_name for item in self.contract.expected)

    @property
    def is_convincing(self) -> bool:
        """Whether it may be proposed to somebody who has not said what the file is."""
        return self.named * 2 >= len(self.contract.expected)


_BY_NAME = (Likeness.HEADER, Likeness.SYNONYM, Likeness.SIMILAR)


def proposed(beginning: Beginning, contract: Contract, today: date) -> Proposal | None:
    """The likeliest reading of a table's beginning as the dataset; None if no row looks like a header."""
    best: tuple[float, Proposal] | None = None
    for spans in header_spans(beginning, contract.layout.header_within):
        for span in spans:
            if not _like_header(span):
                continue
            found = _columns(beginning, contract, span, today)
            weight = sum(_WEIGHTS[column.likeness] for column in found) / (1 + 0.1 * span.height)
            if best is None or weight > best[0]:
                best = (weight, Proposal(contract, span, tuple(found)))
    return best[1] if best else None


_WEIGHTS = {
    Likeness.HEADER: 2.0,
    Likeness.SYNONYM: 2.0,
    Likeness.SIMILAR: 1.5,
    Likeness.CONTENT: 0.5,
    Likeness.NONE: 0.1,
}


def _like_header(span: HeaderSpan) -> bool:
    """Whether the cells name columns: short, different, and without the numbers that records have."""
    names = [unicodedata.normalize("NFKC", squeezed(said[0])) for said in span.names if squeezed(said[0])]
    if len(names) < 2 or len(span.names) > MOST_COLUMNS or len(set(names)) < len(names):  # noqa: PLR2004 - one is a title
        return False
    return not any(len(name) > _LONGEST_NAME or _LONG_NUMBER.search(name) for name in names)


def _columns(beginning: Beginning, contract: Contract, span: HeaderSpan, today: date) -> list[Proposed]:
    records = [cells for _, _, cells in beginning.rows[span.at + span.height :] if any(map(squeezed, cells))][:SAMPLED]
    samples = [tuple(clean(cells[n]) for cells in records if n < len(cells)) for n in range(len(span.names))]
    rated = sorted(
        (
            (weight, likeness, n, item)
            for n, said in enumerate(span.names)
            for item in contract.fields
            for weight, likeness in [_rated(said, [text for text in samples[n] if text], item, today)]
            if weight >= _ENOUGH
        ),
        key=lambda each: (-each[0], each[2]),
    )
    taken: dict[int, tuple[Field, Likeness]] = {}
    given: set[str] = set()
    for _, likeness, n, item in rated:
        if n not in taken and item.name not in given:
            taken[n] = (item, likeness)
            given.add(item.name)
    found = []
    for n, said in enumerate(span.names):
        meant, likeness = taken.get(n, (None, Likeness.NONE))
        found.append(Proposed(said[0], meant, likeness, samples[n][:SHOWN]))
    return found


def _rated(said: Sequence[str], texts: Sequence[str], item: Field, today: date) -> tuple[float, Likeness]:
    """How much speaks for a column being the field, and what."""
    names = [plain_header(name) for name in said if squeezed(name)]
    titles = {plain_header(name) for name in (item.title.zh, item.title.en, item.name)}
    others = {plain_header(name) for name in item.headers}
    holds = _holds(texts, item, today)
    if titles & set(names):
        return 3.0, Likeness.HEADER
    if others & set(names):
        return 2.9, Likeness.SYNONYM
    alike = max((_alike(a, b) for a in names for b in titles | others), default=0.0)
    if alike >= _ALIKE and (holds is None or holds >= 0.5):  # noqa: PLR2004 - the values do not speak against it
        return 1.0 + alike + 0.2 * (holds or 0), Likeness.SIMILAR
    if item.reading in _TELLING and holds is not None and holds >= 0.8:  # noqa: PLR2004 - nearly all of them
        return _BY_CONTENT * _TELLING[item.reading] + 0.2 * alike, Likeness.CONTENT
    return 0.0, Likeness.NONE


def _alike(name: str, other: str) -> float:
    if len(name) < 2 or len(other) < 2:  # noqa: PLR2004 - one character is in many names
        return 0.0
    if name in other or other in name:
        return 0.6 + 0.4 * min(len(name), len(other)) / max(len(name), len(other))
    return SequenceMatcher(None, name, other, autojunk=False).ratio()


# Readings whose values tell them from others, and how surely.
_TELLING = {Reading.IDENTITY: 1.0, Reading.LABEL: 0.9, Reading.DATE: 0.8, Reading.NAME: 0.7}


def _holds(texts: Sequence[str], item: Field, today: date) -> float | None:
    """The share of values that the field could have; None where values tell nothing."""
    if not texts:
        return None
    match item.reading:
        case Reading.IDENTITY:
            fitting = [identity.judge(text, today).problem is None or text[:17].isdigit() for text in texts]
        case Reading.DATE:
            fitting = [_is_day(text, today) for text in texts]
        case Reading.NAME:
            fitting = [_NAME.fullmatch(text) is not None for text in texts]
        case Reading.LABEL:
            book = code_list(item.codes)
            fitting = [book.code_for(text, item.vintage) is not None for text in texts]
        case Reading.MONEY | Reading.WHOLE:
            fitting = [_is_amount(text) for text in texts]
        case _:
            return None
    return sum(fitting) / len(fitting)


def _is_day(text: str, today: date) -> bool:
    try:
        return dates.parse(text, today=today, declared="day").precision == "day"
    except dates.BadDate:
        return False


def _is_amount(text: str) -> bool:
    try:
        parse_fen(text)
    except BadAmount:
        return False
    return True


def likeliest(proposals: Iterable[Proposal | None]) -> Proposal | None:
    """Of several readings the one that names most of what must be there."""
    found = [each for each in proposals if each is not None]
    return max(found, key=lambda each: each.named / len(each.contract.expected), default=None)
