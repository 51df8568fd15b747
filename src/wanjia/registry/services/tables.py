"""The declared columns of a load. What a sender leaves out is empty; what he adds is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from django.db import models

from wanjia.registry.errors import ColumnsMissing
from wanjia.registry.fields import fields_of
from wanjia.registry.models import Household, HouseholdYear, PersonYear, Relocation

TEXT, WHOLE, MONEY, DAY, FLAG = pa.string(), pa.int32(), pa.int64(), pa.date32(), pa.bool_()

Declared = Mapping[str, pa.DataType]

_TYPES: Mapping[str, pa.DataType] = {
    "CharField": TEXT,
    "TextField": TEXT,
    "BinaryField": TEXT,
    "BooleanField": FLAG,
    "DateField": DAY,
    "BigIntegerField": MONEY,
}


def _columns(model: type[models.Model]) -> dict[str, pa.DataType]:
    """The declared fields of a table as columns of a load: whole numbers in the units they are stored in."""
    return {field.name: _TYPES.get(field.kind, WHOLE) for field in fields_of(model)}


_NOT_LOADED = {"standing", "removed_on", "head_person_no", "member_count"}  # follow from the load itself

HOUSEHOLDS: Declared = {
    "national_household_no": TEXT,
    "village_code": TEXT,
    **{name: kind for name, kind in _columns(Household).items() if name not in _NOT_LOADED},
    "entered_by": pa.int64(),  # the account that entered the household; whoever loads, if not said
}
PERSONS: Declared = {
    "national_person_no": TEXT,
    "national_household_no": TEXT,
    "name": TEXT,
    "id_type": TEXT,
    "id_number": TEXT,
    "sex": TEXT,
    "birth_date": DAY,
    "ethnicity": TEXT,
    "phone": TEXT,
    "relation": TEXT,
    "member_status": TEXT,
    "joined_on": DAY,
    "left_on": DAY,
    "change_reason": TEXT,
}
HOUSEHOLD_YEARS: Declared = {"national_household_no": TEXT, "year": WHOLE, **_columns(HouseholdYear)}
PERSON_YEARS: Declared = {"national_person_no": TEXT, "year": WHOLE, **_columns(PersonYear)}
RELOCATIONS: Declared = {"national_household_no": TEXT, **_columns(Relocation)}
REQUIRED: Mapping[str, frozenset[str]] = {
    "households": frozenset(
        {"national_household_no", "village_code", "household_category", "poverty_status", "identified_year"}
    ),
    "persons": frozenset({"national_person_no", "national_household_no", "name", "relation", "member_status"}),
    "household_years": frozenset({"national_household_no", "year"}),
    "person_years": frozenset({"national_person_no", "year"}),
    "relocations": frozenset({"national_household_no"}),
}
TABLES: Mapping[str, Declared] = {
    "households": HOUSEHOLDS,
    "persons": PERSONS,
    "household_years": HOUSEHOLD_YEARS,
    "person_years": PERSON_YEARS,
    "relocations": RELOCATIONS,
}
PROTECTED = frozenset({"phone", "bank_account", "id_number"})


@dataclass(frozen=True, slots=True)
class RegistryBatch:
    """What is loaded at once: a county, say. Columns as declared above; `source` says where it is from.

    Rows refer to each other by the sender's own numbers. Identity numbers, phones and accounts are
    in clear here and nowhere after the load.
    """

    households: pa.Table
    persons: pa.Table
    household_years: pa.Table | None = None
    person_years: pa.Table | None = None
    relocations: pa.Table | None = None
    source: str = ""

    def tables(self) -> dict[str, pa.Table]:
        """The five tables with exactly their declared columns. Raises ColumnsMissing."""
        given = {name: getattr(self, name) for name in TABLES}
        return {name: _fitted(name, table) for name, table in given.items()}


def _fitted(name: str, table: pa.Table | None) -> pa.Table:
    declared = TABLES[name]
    schema = pa.schema(list(declared.items()))
    if table is None:
        return schema.empty_table()
    missing = REQUIRED[name] - set(table.column_names)
    surplus = set(table.column_names) - declared.keys()
    if missing or surplus:
        found = [f"-{column}" for column in sorted(missing)] + [f"+{column}" for column in sorted(surplus)]
        raise ColumnsMissing(table=name, columns=", ".join(found))
    columns = []
    for column, kind in declared.items():
        if column not in table.column_names:
            columns.append(pa.nulls(table.num_rows, kind))
            continue
        try:
            columns.append(table[column].cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise ColumnsMissing(table=name, columns=f"{column}: {table[column].type} ≠ {kind}") from None
    return pa.Table.from_arrays(columns, schema=schema).combine_chunks()
