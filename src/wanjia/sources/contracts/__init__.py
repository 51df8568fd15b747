"""Dataset contracts: what a department delivers, field by field, as data.

One YAML file beside this module for each dataset, in Table Schema's vocabulary where it has a
word (`fields`, `type`, `format`, `constraints`, `primaryKey`); docs/reference/dataset-contracts.md
explains every key. A contract's version is the hash of what it says, so that a batch names
exactly the rules it was read by.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from wanjia.kernel.errors import Sentence
from wanjia.lake.columns import Columns, Type
from wanjia.scope.areas import AreaRange
from wanjia.sources.choices import DeliveryMode
from wanjia.sources.errors import ContractMalformed, UnknownDataset

FOLDER = Path(__file__).parent


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

_READINGS = {
    ("any", ""): Reading.IGNORED,
    ("string", ""): Reading.TEXT,
    ("string", "code"): Reading.CODE_TEXT,
    ("string", "person-name"): Reading.NAME,
    ("string", "identity-number"): Reading.IDENTITY,
    ("date", ""): Reading.DATE,
    ("integer", ""): Reading.WHOLE,
    ("number", "money"): Reading.MONEY,
}
_TYPES = {Reading.DATE: Type.DATE, Reading.WHOLE: Type.INTEGER, Reading.MONEY: Type.BIGINT}
PERSONAL = ("none", "name", "id", "phone", "account", "address", "plate")
_FIELD_KEYS = {"name", "type", "format", "title", "headers", "constraints", "codes", "vintage", "personal", "keep"}
_CONSTRAINTS = {"required", "maxLength", "past", "open"}
_TOP_KEYS = {
    *("dataset", "title", "department", "owner", "source"),
    *("delivery", "retention", "layout", "primaryKey", "fields"),
}


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


@dataclass(frozen=True)
class Contract:
    """What a dataset is and how its files are read. Documented key by key in the reference."""

    dataset: str
    title: Sentence
    department: str
    owner: Sentence
    mode: DeliveryMode
    cadence: str
    coverage: str
    retention_class: str
    retention_days: int
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


@cache
def contracts() -> Mapping[str, Contract]:
    """Every contract by its dataset. Raises ContractMalformed, naming file and key."""
    found = [read_contract(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {contract.dataset: contract for contract in found}


def contract_for(dataset: str) -> Contract:
    """The contract of a dataset. Raises UnknownDataset."""
    try:
        return contracts()[dataset]
    except KeyError:
        raise UnknownDataset(dataset=dataset, known=", ".join(contracts())) from None


def departments() -> Mapping[str, Sentence]:
    """The departments that deliver anything, with their names."""
    return {contract.department: contract.owner for contract in contracts().values()}


def read_contract(path: Path) -> Contract:
    """Read and check one contract file. Raises ContractMalformed."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        contract = _built(document)
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise ContractMalformed(file=path.name, problem=str(error)) from error
    if path.stem != contract.dataset:
        raise ContractMalformed(file=path.name, problem=f"dataset: {contract.dataset} is not the file's name")
    return contract


def _built(document: Mapping[str, Any]) -> Contract:
    _only(document, _TOP_KEYS, "contract")
    delivery, retention = document["delivery"], document["retention"]
    AreaRange.of(delivery["coverage"])
    fields = tuple(_field(item) for item in document["fields"])
    contract = Contract(
        dataset=document["dataset"],
        title=Sentence(**document["title"]),
        department=document["department"],
        owner=Sentence(**document["owner"]),
        mode=DeliveryMode(delivery["mode"]),
        cadence=delivery["cadence"],
        coverage=delivery["coverage"],
        retention_class=retention["class"],
        retention_days=int(retention["days"]),
        layout=_layout(document["layout"]),
        key=tuple(document["primaryKey"]),
        fields=fields,
        version=_version(document),
    )
    _require_whole(contract)
    return contract


def _field(item: Mapping[str, Any]) -> Field:
    _only(item, _FIELD_KEYS, item.get("name", "?"))
    limits = item.get("constraints", {})
    _only(limits, _CONSTRAINTS, f"{item['name']}.constraints")
    reading = _READINGS[item["type"], item.get("format", "")]
    personal = item.get("personal", "none")
    if personal not in PERSONAL:
        raise ValueError(f"{item['name']}.personal: {personal} is none of {', '.join(PERSONAL)}")
    return Field(
        name=item["name"],
        reading=Reading.LABEL if item.get("codes") else reading,
        title=Sentence(**item["title"]),
        headers=tuple(item.get("headers", ())),
        required=bool(limits.get("required", False)),
        max_length=limits.get("maxLength"),
        past=bool(limits.get("past", False)),
        codes=item.get("codes", ""),
        vintage=item.get("vintage"),
        personal=personal,
        keep=bool(item.get("keep", True)),
        open=tuple(limits.get("open", ())),
    )


def _layout(item: Mapping[str, Any]) -> Layout:
    _only(item, {"header_within", "totals", "notes", "as_of"}, "layout")
    return Layout(
        header_within=int(item["header_within"]),
        totals=tuple(item["totals"]),
        notes=tuple(item["notes"]),
        as_of=re.compile(item["as_of"]) if item.get("as_of") else None,
    )


def _require_whole(contract: Contract) -> None:
    names = [field.name for field in contract.fields]
    if len(set(names)) != len(names):
        raise ValueError("fields: a name stands twice")
    if unknown := set(contract.key) - set(names):
        raise ValueError(f"primaryKey: no field {', '.join(sorted(unknown))}")
    for single in (Reading.IDENTITY, Reading.NAME):
        if sum(field.reading is single for field in contract.fields) > 1:
            raise ValueError(f"fields: more than one {single} (a record has one subject)")
    if not contract.required:
        raise ValueError("fields: none is required, so no file could be told from another")


def _only(found: Mapping[str, Any], known: set[str], where: str) -> None:
    if surplus := set(found) - known:
        raise ValueError(f"{where}: unknown key {', '.join(sorted(surplus))}")


def _version(document: Mapping[str, Any]) -> str:
    """The hash of what the contract says; comments and order of keys do not matter."""
    said = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
