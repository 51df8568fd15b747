"""A household's years side by side: a row for each fact that any of them knows, a column for each year."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wanjia.kernel.errors import Language
from wanjia.registry.fields import FIELDS, YUAN, Field, as_text, fields_of
from wanjia.registry.income import WHOLE_OF
from wanjia.registry.models import HouseholdYear, PersonYear, Relocation
from wanjia.registry.queries import words_for

INCOME = tuple(field.id for field in fields_of(HouseholdYear) if field.unit is YUAN)
STANDING = ("year_household_category", "year_poverty_status", "year_main_cause", "year_member_count")
LIVING = tuple(
    field.id
    for field in fields_of(HouseholdYear)
    if field.id not in INCOME and field.id not in STANDING and not field.name.startswith("period_")
)


@dataclass(frozen=True, slots=True)
class Row:
    """One fact over the years; a cell says whether it differs from the year before.

    `part` marks a part of the sum in a row above.
    """

    title: str
    cells: tuple[tuple[int, str, bool], ...]  # year, words, differs
    part: bool = False
    numeric: bool = False


def side_by_side(rows: Sequence[Any], names: Iterable[str], language: Language) -> list[Row]:
    """The facts `names` of yearly rows, oldest first; those no year knows are left out."""
    found = []
    for name in names:
        field = FIELDS[name]
        texts = [as_text(getattr(row, field.name)) for row in rows]
        if any(texts):
            found.append(_row(field, [row.year for row in rows], texts, language))
    return found


def computed(rows: Sequence[HouseholdYear], language: Language) -> list[Row]:
    """Gross, net and per-capita income over the years (domain.md §4.4): computed, never stored."""
    titles = {
        "gross_income": ("年收入", "Gross income"),
        "net_income": ("纯收入", "Net income"),
        "net_income_per_head": ("人均纯收入", "Net income per head"),
    }
    field = FIELDS["wage_income"]
    years = [row.year for row in rows]
    return [
        Row(titles[name][language == "en"], _cells(field, years, texts, language), numeric=True)
        for name in titles
        if any(texts := [as_text(getattr(row, name)) for row in rows])
    ]


def of_relocation(move: Relocation | None, language: Language) -> list[tuple[str, str]]:
    """What is known of a household's move, in words."""
    if move is None:
        return []
    told = ((field, as_text(getattr(move, field.name))) for field in fields_of(Relocation))
    return [(field.title.text(language), words_for(field, text, language)) for field, text in told if text]


def of_person(year: PersonYear | None, language: Language) -> list[tuple[str, str]]:
    """What is known of somebody in a year, in words; a "no" is left out, since most are."""
    if year is None:
        return []
    told = ((field, as_text(getattr(year, field.name))) for field in fields_of(PersonYear))
    return [
        (field.title.text(language), words_for(field, text, language))
        for field, text in told
        if text and text != "false"
    ]


def _row(field: Field, years: Sequence[int], texts: Sequence[str], language: Language) -> Row:
    return Row(
        title=field.title.text(language),
        cells=_cells(field, years, texts, language),
        part=field.name in WHOLE_OF,
        numeric=field.unit is not None,
    )


def _cells(
    field: Field, years: Sequence[int], texts: Sequence[str], language: Language
) -> tuple[tuple[int, str, bool], ...]:
    before = [*texts[:1], *texts]
    return tuple(
        (year, _plain(field, text, language), bool(text) and bool(earlier) and text != earlier)
        for year, text, earlier in zip(years, texts, before, strict=False)
    )


def _plain(field: Field, text: str, language: Language) -> str:
    """Amounts without their unit, which stands at the head of the table."""
    if field.unit is YUAN and text.lstrip("-").isdecimal():
        return f"{int(text) / 100:,.2f}"
    return words_for(field, text, language)
