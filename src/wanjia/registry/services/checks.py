"""Whether each row of a load is taken in, and if not, why: the first reason found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.divisions.queries import gazetteer
from wanjia.reference.queries import code_list
from wanjia.registry.choices import HEAD, IN_HOUSEHOLD, RejectReason
from wanjia.registry.fields import EARLIEST_YEAR, YEARS_OF_STANDING, Field, fields_of
from wanjia.registry.income import PARTS
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation
from wanjia.registry.national import numbered
from wanjia.registry.services.tables import MONEY, REQUIRED, TABLES, TEXT, WHOLE
from wanjia.scope.bulk import pieces
from wanjia.scope.models import ScopedModel
from wanjia.scope.system import system_viewer

Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]

NOWHERE = -1  # a reference that leads to no row

# Whose values are texts of the sender and not of a column, or longer in clear than they may be typed.
_LONGEST: Mapping[str, int] = {"national_household_no": 40, "national_person_no": 40, "village_code": 12}
_LONGEST_PROTECTED: Mapping[str, int] = {"id_number": 40, "phone": 30, "bank_account": 40}
MODELS: Mapping[str, tuple[type[ScopedModel], ...]] = {
    "households": (Household,),
    "persons": (Person, Membership),
    "household_years": (HouseholdYear,),
    "person_years": (PersonYear,),
    "relocations": (Relocation,),
}


def _declared(name: str) -> dict[str, Field]:
    """The registry's fields among the columns of a table of a load."""
    fields = {field.name: field for model in MODELS[name] for field in fields_of(model)}
    return {column: fields[column] for column in TABLES[name] if column in fields}


# column → (code list, how many codes at most, whether a value is required); several stand with commas between
CODES: Mapping[str, Mapping[str, tuple[str, int, bool]]] = {
    name: {
        column: (field.code_list, field.several, column in REQUIRED[name])
        for column, field in _declared(name).items()
        if field.code_list
    }
    for name in TABLES
}
LONGEST: Mapping[str, Mapping[str, int]] = {
    name: {
        **_LONGEST,
        **{
            column: _LONGEST_PROTECTED.get(column) or field.column.max_length or 0
            for column, field in _declared(name).items()
            if TABLES[name][column] == TEXT and not field.code_list
        },
    }
    for name in TABLES
}
# column → the largest whole number it holds; the smallest is 0
LARGEST: Mapping[str, Mapping[str, int]] = {
    name: {
        column: field.limit
        for column, field in _declared(name).items()
        if TABLES[name][column] in (WHOLE, MONEY) and column not in YEARS_OF_STANDING
    }
    for name in TABLES
}


class Verdicts:
    """For each row of a table the reason it is refused for, or nothing."""

    def __init__(self, rows: int) -> None:
        self._reasons: list[RejectReason | None] = [None] * rows
        self._refused = np.zeros(rows, np.bool_)

    def refuse(self, rows: Flags, reason: RejectReason) -> None:
        """Refuse the flagged rows that are not refused yet."""
        for row in np.flatnonzero(rows & ~self._refused):
            self._reasons[row] = reason
        self._refused |= rows

    @property
    def accepted(self) -> Flags:
        return ~self._refused

    def rejected(self) -> list[tuple[int, RejectReason]]:
        """(row, reason) of the refused rows, in order."""
        return [(row, reason) for row, reason in enumerate(self._reasons) if reason is not None]


class Checked:
    """A batch's tables with their verdicts, and where rows refer to each other.

    `joined` are registered households, by their national number, which people of the batch may join:
    number and village. They have a head.
    """

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        year: int,
        *,
        sealed: int = 0,
        joined: Mapping[str, tuple[int, str]] | None = None,
    ) -> None:
        self.tables = dict(tables)
        self.joined = joined or {}
        self.verdicts = {name: Verdicts(table.num_rows) for name, table in tables.items()}
        homes, people = tables["households"], tables["persons"]
        self.home_of_person = _rows_of(people["national_household_no"], homes["national_household_no"])
        # the registered household each person joins, 0 for those who come with theirs
        self.joins = np.zeros(people.num_rows, np.int64)
        if self.joined:
            told = people["national_household_no"].to_pylist()
            found = np.array([self.joined.get(text, (0, ""))[0] for text in told], np.int64)
            self.joins = np.where(self.home_of_person == NOWHERE, found, 0)
        self.home_of_year = _rows_of(tables["household_years"]["national_household_no"], homes["national_household_no"])
        self.home_of_relocation = _rows_of(
            tables["relocations"]["national_household_no"], homes["national_household_no"]
        )
        self.person_of_year = _rows_of(tables["person_years"]["national_person_no"], people["national_person_no"])
        for name in TABLES:
            self._check_texts(name)
            self._check_amounts(name)
        self._check_income()
        self._check_numbers("households", "national_household_no", Household)
        self._check_numbers("persons", "national_person_no", Person)
        self._check_codes()
        self._check_households(year)
        self._check_persons()
        self._check_heads()
        self._check_years(year, sealed)

    def accepted(self, name: str) -> Flags:
        """Which rows of a table are taken in."""
        return self.verdicts[name].accepted

    def heads(self) -> Whole:
        """For each household its head's row among the persons."""
        rows = np.full(self.tables["households"].num_rows, NOWHERE, np.int64)
        found = np.flatnonzero(self._head_rows())
        rows[self.home_of_person[found]] = found
        return rows

    def _check_texts(self, name: str) -> None:
        table = self.tables[name]
        bad = np.zeros(table.num_rows, np.bool_)
        for column, longest in LONGEST[name].items():
            if column in table.column_names and not _all_empty(table[column]):
                bad |= _flags(pc.match_substring_regex(table[column], r"[\x00-\x1f\x7f]"))
                bad |= _flags(pc.greater(pc.utf8_length(table[column]), longest))
        self.verdicts[name].refuse(bad, RejectReason.TEXT_UNREADABLE)

    def _check_amounts(self, name: str) -> None:
        """No whole number is below 0 or beyond what its column holds."""
        table = self.tables[name]
        bad = np.zeros(table.num_rows, np.bool_)
        for column, largest in LARGEST[name].items():
            if not _all_empty(table[column]):
                bad |= _flags(pc.or_(pc.less(table[column], 0), pc.greater(table[column], largest)))
        self.verdicts[name].refuse(bad, RejectReason.NUMBER_IMPOSSIBLE)

    def _check_income(self) -> None:
        """Where the parts of an income are given, the whole is empty or their sum (domain.md §4.4)."""
        table = self.tables["household_years"]
        for whole, parts in PARTS.items():
            given = [table[part] for part in parts if not _all_empty(table[part])]
            if not given:
                continue
            known = np.logical_or.reduce([_flags(pc.is_valid(part)) for part in given])
            total = np.sum([pc.fill_null(part, 0).to_numpy() for part in given], axis=0)
            said = _flags(pc.is_valid(table[whole]))
            other = pc.fill_null(table[whole], 0).to_numpy() != total
            self.verdicts["household_years"].refuse(known & said & other, RejectReason.INCOME_DISAGREES)
            filled = np.where(known, total, pc.fill_null(table[whole], 0).to_numpy())
            column = pa.array(filled, MONEY, mask=~(known | said))
            table = table.set_column(table.column_names.index(whole), whole, column)
        self.tables["household_years"] = table

    def _check_numbers(self, name: str, column: str, model: type[ScopedModel]) -> None:
        numbers, verdicts = self.tables[name][column], self.verdicts[name]
        verdicts.refuse(_empty(numbers), RejectReason.NUMBER_MISSING)
        verdicts.refuse(_repeated(numbers), RejectReason.NUMBER_REPEATED)
        verdicts.refuse(_flags(pc.is_in(numbers, _registered(model, column, numbers))), RejectReason.ALREADY_REGISTERED)

    def _check_codes(self) -> None:
        for name, columns in CODES.items():
            for column, (listed, most, required) in columns.items():
                values = self.tables[name][column]
                if not required and _all_empty(values):
                    continue
                empty = _empty(values)
                wrong = ~_flags(pc.is_in(values, _lawful(values, listed, most))) & ~empty
                self.verdicts[name].refuse(wrong | (empty if required else False), RejectReason.CODE_UNKNOWN)

    def _check_households(self, year: int) -> None:
        homes, verdicts = self.tables["households"], self.verdicts["households"]
        villages = homes["village_code"]
        places = gazetteer().places
        known = [code for code in pc.unique(villages).to_pylist() if code in places and places[code].level == "village"]
        verdicts.refuse(~_flags(pc.is_in(villages, pa.array(known, TEXT))), RejectReason.UNKNOWN_VILLAGE)
        identified = _whole(homes["identified_year"])
        wrong = (identified < EARLIEST_YEAR) | (identified > year)
        for column in ("exit_year", "return_year"):
            later = _whole(homes[column])
            wrong |= (later != NOWHERE) & ((later < identified) | (later > year))
        verdicts.refuse(wrong, RejectReason.YEAR_IMPOSSIBLE)

    def _check_persons(self) -> None:
        people, verdicts = self.tables["persons"], self.verdicts["persons"]
        verdicts.refuse(_empty(people["name"]), RejectReason.NAME_MISSING)
        verdicts.refuse((self.home_of_person == NOWHERE) & (self.joins == 0), RejectReason.HOUSEHOLD_UNKNOWN)
        heads = _flags(pc.equal(people["relation"], HEAD)) & self._present()
        verdicts.refuse((self.joins != 0) & heads, RejectReason.HEAD_REPEATED)
        left, joined, born = people["left_on"], people["joined_on"], people["birth_date"]
        for later, earlier in ((left, joined), (joined, born), (left, born)):
            verdicts.refuse(_flags(pc.less(later, earlier)), RejectReason.DATES_DISAGREE)
        verdicts.refuse(self._present() & _flags(pc.is_valid(left)), RejectReason.DATES_DISAGREE)

    def _check_heads(self) -> None:
        """A household has one head among the members it keeps; without one all its people go with it."""
        count = np.bincount(
            self.home_of_person[self._head_rows()], minlength=self.tables["households"].num_rows
        )  # of accepted rows, whose household is known
        self.verdicts["households"].refuse(count == 0, RejectReason.HEAD_MISSING)
        self.verdicts["households"].refuse(count > 1, RejectReason.HEAD_REPEATED)
        lost = ~self.accepted("households")
        of_lost = (self.home_of_person != NOWHERE) & lost[self.home_of_person] if len(lost) else self._none("persons")
        self.verdicts["persons"].refuse(of_lost, RejectReason.HOUSEHOLD_REJECTED)

    def _check_years(self, year: int, sealed: int) -> None:
        for name, owners, owner_table, unknown in (
            ("household_years", self.home_of_year, "households", RejectReason.HOUSEHOLD_UNKNOWN),
            ("person_years", self.person_of_year, "persons", RejectReason.PERSON_UNKNOWN),
            ("relocations", self.home_of_relocation, "households", RejectReason.HOUSEHOLD_UNKNOWN),
        ):
            verdicts = self.verdicts[name]
            verdicts.refuse(owners == NOWHERE, unknown)
            taken = self.accepted(owner_table)
            if len(taken):
                verdicts.refuse(~taken[owners], RejectReason.HOUSEHOLD_REJECTED)
            if name == "relocations":
                verdicts.refuse(_repeated(pa.array(owners)), RejectReason.NUMBER_REPEATED)
                continue
            years = _whole(self.tables[name]["year"])
            verdicts.refuse((years < EARLIEST_YEAR) | (years > year), RejectReason.YEAR_IMPOSSIBLE)
            verdicts.refuse(years <= sealed, RejectReason.YEAR_SEALED)
            verdicts.refuse(_repeated(pa.array(owners * 10_000 + years)), RejectReason.NUMBER_REPEATED)

    def _present(self) -> Flags:
        return _flags(pc.is_in(self.tables["persons"]["member_status"], pa.array(sorted(IN_HOUSEHOLD))))

    def _head_rows(self) -> Flags:
        heads = _flags(pc.equal(self.tables["persons"]["relation"], HEAD))
        alone: Flags = self.joins == 0
        return heads & self._present() & self.accepted("persons") & alone

    def _none(self, name: str) -> Flags:
        return np.zeros(self.tables[name].num_rows, np.bool_)


def _flags(values: Any) -> Flags:
    return pc.fill_null(values, fill_value=False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _all_empty(values: Any) -> bool:
    """Whether a column was not given at all."""
    return bool(values.null_count == len(values))


def _empty(texts: Any) -> Flags:
    return ~_flags(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0))


def _whole(numbers: Any) -> Whole:
    return pc.fill_null(numbers, NOWHERE).to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _rows_of(references: Any, numbers: Any) -> Whole:
    """The first row of `numbers` that each reference names, or NOWHERE."""
    return _whole(pc.index_in(references, value_set=_combined(numbers), skip_nulls=True))


def _repeated(values: Any) -> Flags:
    """Rows whose value stood in an earlier row."""
    coded = _combined(values).dictionary_encode()
    codes = pc.fill_null(coded.indices, NOWHERE).to_numpy(zero_copy_only=False)
    first = np.zeros(len(codes), np.bool_)
    first[np.unique(codes, return_index=True)[1]] = True
    return ~first & (codes != NOWHERE)  # type: ignore[no-any-return]


def _combined(values: Any) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _lawful(values: Any, listed: str, most: int) -> pa.Array:
    """The distinct values that are made of codes of the list only, each at most once, and not of too many."""
    known = code_list(listed).items.keys()
    distinct = (text for text in pc.unique(values).to_pylist() if text)
    return pa.array(
        [text for text in distinct if known >= set(parts := text.split(",")) and len(set(parts)) == len(parts) <= most],
        pa.string(),
    )


def _registered(model: type[ScopedModel], column: str, numbers: Any) -> pa.Array:
    """Which of the numbers are in the registry already, anywhere."""
    rows = model.objects.visible_to(system_viewer("registry.load"))
    if not rows.exists():
        return pa.array([], TEXT)
    distinct = [text for text in pc.unique(numbers).to_pylist() if text]
    found: list[str] = []
    for some in pieces(distinct):
        found.extend(rows.filter(numbered(column, some)).values_list(column, flat=True))
    return pa.array(found, TEXT)
