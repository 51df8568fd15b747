"""The columns a rule may use: of the department's record, of the person, of the household.

The registry's columns stand in `registry.yaml` beside this file, a dataset's in
`packs/datasets/<dataset>.yaml` of the slice that ships its rules. A rule writes names without a
table, so a name is declared once over all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from wanjia.kernel.errors import Sentence
from wanjia.lake.columns import Type
from wanjia.ruleset.reading import Node, read

REGISTRY_FILE = Path(__file__).parent / "registry.yaml"
_NAME = r"[a-z][a-z0-9_]{1,40}"
_RESERVED = frozenset(
    {"person_no", "household_no", "village_code", "source_row", "batch", "rule", "dataset", "evidence"}
)


class Origin(StrEnum):
    """Whose column it is."""

    RECORD = "record"
    PERSON = "person"
    HOUSEHOLD = "household"


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column: the name rules use, its type, and the name it has in its file."""

    name: str
    type: Type
    origin: Origin
    source: str
    label: Sentence
    evidence: bool  # whether it may be shown as evidence; keys and matching values may not


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything a rule over one dataset may name."""

    dataset: str
    title: Sentence
    columns: Mapping[str, Column]

    @property
    def types(self) -> dict[str, Type]:
        return {name: column.type for name, column in self.columns.items()}

    def of(self, origin: Origin) -> dict[str, Column]:
        return {name: column for name, column in self.columns.items() if column.origin is origin}


def read_dataset(path: Path) -> Vocabulary:
    """A dataset's columns together with those of the registry. Raises RuleFileRefused."""
    parts = read(path).keys(("dataset", "title", "columns"))
    columns = dict(_registry())
    columns.update(_columns(parts["columns"], Origin.RECORD, taken=columns))
    dataset = parts["dataset"].text(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", "department.dataset, as in gongan.vehicles")
    return Vocabulary(dataset, parts["title"].sentence(), columns)


@lru_cache(maxsize=1)
def _registry() -> Mapping[str, Column]:
    parts = read(REGISTRY_FILE).keys(("person", "household"))
    person = _columns(parts["person"], Origin.PERSON, taken={})
    return {**person, **_columns(parts["household"], Origin.HOUSEHOLD, taken=person)}


def _columns(node: Node, origin: Origin, taken: Mapping[str, Column]) -> dict[str, Column]:
    return {name: _column(item, name, origin, taken) for name, item in node.mapping().items()}


def _column(node: Node, name: str, origin: Origin, taken: Mapping[str, Column]) -> Column:
    parts = node.keys(("type", "zh", "en"), ("source", "evidence"))
    Node(node.file, node.key, name).text(_NAME, "a name of lower-case letters, digits and _")
    if name in taken or name in _RESERVED:
        raise Node(node.file, node.key, name).wrong("a name that is not taken yet")
    return Column(
        name=name,
        type=Type(parts["type"].one_of(tuple(kind.value for kind in Type))),
        origin=origin,
        source=parts["source"].text(_NAME) if "source" in parts else name,
        label=Sentence(zh=parts["zh"].text(), en=parts["en"].text()),
        evidence=parts["evidence"].flag() if "evidence" in parts else True,
    )
