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
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from wanjia.intake import contracts as base
from wanjia.intake.contracts import Field, Layout, Reading
from wanjia.kernel.errors import Sentence
from wanjia.scope.areas import AreaRange
from wanjia.sources.choices import DeliveryMode
from wanjia.sources.errors import ContractMalformed, UnknownDataset

FOLDER = Path(__file__).parent


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
PERSONAL = ("none", "name", "id", "phone", "account", "address", "plate")
_FIELD_KEYS = {"name", "type", "format", "title", "headers", "constraints", "codes", "vintage", "personal", "keep"}
_CONSTRAINTS = {"required", "maxLength", "past", "open"}
_TOP_KEYS = {
    *("dataset", "title", "department", "owner", "source"),
    *("delivery", "retention", "layout", "primaryKey", "fields"),
}


@dataclass(frozen=True, kw_only=True)
class Contract(base.Contract):
    """What a department's dataset is and how its files are read. Documented key by key in the reference."""

    department: str
    owner: Sentence
    mode: DeliveryMode
    cadence: str
    coverage: str
    retention_class: str
    retention_days: int


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
