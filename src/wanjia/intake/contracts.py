"""What is expected of a table that somebody sends: its columns, what they are called, how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from wanjia.kernel.errors import Sentence
from wanjia.lake.columns import Columns, Type


class Reading(StrEnum):
    """How a field's text is understood."""

    IGNORED = "ignored"
    TEXT = "text"
    CODE_TEXT = "code_text"  # plates, unit numbers: no spaces, half width, upper case
    NAME = "name"
    IDENTITY = "identity"
    DATE = "date"
    LABEL = "label"  # a value of a code list
    WHOLE = "whole"  # a count
    MONEY = "money"  # yuan in the file, fen in the typed rows


# What an identity number leaves in the typed rows: never the number itself (design.md §5 Identity).
IDENTITY_COLUMNS: Columns = {
    "person_key": Type.BIGINT,
    "id_valid": Type.BOOLEAN,
    "issuing_county": Type.TEXT,
    "birth_date": Type.DATE,
    "sex": Type.TEXT,
}
NAME_MATCH = "name_match"
SOURCE_ROW = "source_row"  # the line of the file on which the record begins, from 1

_TYPES = {Reading.DATE: Type.DATE, Reading.WHOLE: Type.INTEGER, Reading.MONEY: Type.BIGINT}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a delivery. `headers` are further names it goes by; `personal` its class of personal data.

    `open` are texts that say of a day that there is none, such as 长期.
    """

    name: str
    reading: Reading
    title: Sentence
    headers: tuple[str, ...]
    required: bool
    max_length: int | None
    past: bool
    codes: str
    vintage: str | None
    personal: str
    keep: bool
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands around the rows in this department's files."""

    header_within: int
    totals: tuple[str, ...]
    notes: tuple[str, ...]
    as_of: re.Pattern[str] | None


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a table is and how it is read."""

    dataset: str
    title: Sentence
    layout: Layout
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    version: str

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def required(self) -> tuple[Field, ...]:
        """Fields without whose column a file is not this dataset, and without whose value a row is not accepted."""
        return tuple(field for field in self.fields if field.required)

    @cached_property
    def expected(self) -> tuple[Field, ...]:
        """Fields whose column must be there: those required, and the identity number."""
        return tuple(field for field in self.fields if field.required or field.reading is Reading.IDENTITY)

    @cached_property
    def columns(self) -> Columns:
        """The typed columns of an accepted row, in order."""
        found: dict[str, Type] = {SOURCE_ROW: Type.INTEGER}
        for field in self.fields:
            found.update(_typed_columns(field))
        return found


def _typed_columns(field: Field) -> Columns:
    if field.reading is Reading.IDENTITY:
        return IDENTITY_COLUMNS
    if not field.keep or field.reading is Reading.IGNORED:
        return {}
    if field.reading is Reading.NAME:
        return {field.name: Type.TEXT, NAME_MATCH: Type.TEXT}
    return {field.name: _TYPES.get(field.reading, Type.TEXT)}
