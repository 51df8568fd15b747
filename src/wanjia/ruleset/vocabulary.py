"""The columns a rule may use: of the department's record, of the person, of the household.

The registry's columns stand in `registry.yaml` beside this file, a dataset's in
`packs/datasets/<dataset>.yaml` of the slice that ships its rules. A rule writes names without a
table, so a name is declared once over all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from wanjia.kernel.errors import Sentence
from wanjia.lake.columns import Type
from wanjia.ruleset.reading import Node, read

REGISTRY_FILE = Path(__file__).parent / "registry.yaml"
_NAME = r"[a-z][a-z0-9_]{1,40}"
_RESERVED = frozenset(
    {"person_no", "household_no", "village_code", "source_row", "batch", "rule", "dataset", "evidence", "nth"}
)
OTHER = "other_"  # before the columns of the second person or record of a pair
HOUSEHOLD = "household_no"  # the key under which the members of one household meet
MADE_BY_RESOLUTION = frozenset({"name_agrees"})  # columns a record has only once it is somebody's
REGISTRY = "registry.persons"  # the registered people themselves, as if they were a delivery


class Origin(StrEnum):
    """Whose column it is."""

    RECORD = "record"
    PERSON = "person"
    HOUSEHOLD = "household"
    TOTAL = "total"  # what records add up to
    OTHER_RECORD = "other_record"
    OTHER_PERSON = "other_person"
    OTHER_HOUSEHOLD = "other_household"
    OTHER_PLACE = "other_place"  # number, household and village of the other person


OTHERS = {
    Origin.RECORD: Origin.OTHER_RECORD,
    Origin.PERSON: Origin.OTHER_PERSON,
    Origin.HOUSEHOLD: Origin.OTHER_HOUSEHOLD,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """How a value of the column is shown.

    Amounts in yuan, codes by their label, places by their name, names of people as far as one may read them.
    """

    unit: str = ""  # "fen"
    codes: str = ""  # a code list of the reference data
    personal: str = ""  # "name"
    format: str = ""  # "division": a code of an administrative division


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column: the name rules use, its type, and the name it has in its file."""

    name: str
    type: Type
    origin: Origin
    source: str
    label: Sentence
    evidence: bool  # whether it may be shown as evidence; keys and matching values may not
    shown: Shown = Shown()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything a rule over one dataset may name.

    `keys` are columns of the file under which records of two sides meet; no expression sees them.
    """

    dataset: str
    title: Sentence
    columns: Mapping[str, Column]
    keys: Mapping[str, Type] = field(default_factory=dict)

    @property
    def types(self) -> dict[str, Type]:
        return {name: column.type for name, column in self.columns.items()}

    def of(self, origin: Origin) -> dict[str, Column]:
        return {name: column for name, column in self.columns.items() if column.origin is origin}

    def only(self, *origins: Origin) -> Vocabulary:
        """The same without the columns of other origins."""
        return replace(self, columns={name: c for name, c in self.columns.items() if c.origin in origins})

    def with_totals(self, totals: Iterable[Column]) -> Vocabulary:
        """With the sums a rule declares."""
        return replace(self, columns={**self.columns, **{column.name: column for column in totals}})

    def with_other(self, *, matched: bool) -> Vocabulary:
        """With the columns of a second record and, if it is a registered person's, of person, household and place."""
        wanted = OTHERS if matched else {Origin.RECORD: Origin.OTHER_RECORD}
        others = {
            OTHER + name: replace(column, name=OTHER + name, origin=wanted[column.origin], label=_others(column.label))
            for name, column in self.columns.items()
            if column.origin in wanted
        }
        places = _PLACES if matched else {}
        return replace(self, columns={**self.columns, **others, **places})


def _others(label: Sentence) -> Sentence:
    return Sentence(f"对方{label.zh}", f"{label.en} (other)")


_PLACES = {
    OTHER + name: Column(
        OTHER + name, kind, Origin.OTHER_PLACE, name, _others(Sentence(zh, en)), evidence=True, shown=shown
    )
    for name, kind, zh, en, shown in (
        ("person_no", Type.INTEGER, "人员编号", "person", Shown()),
        ("household_no", Type.INTEGER, "户编号", "household", Shown()),
        ("village_code", Type.TEXT, "所在村", "village", Shown(format="division")),
    )
}


def read_dataset(path: Path) -> Vocabulary:
    """A dataset's columns together with those of the registry. Raises RuleFileRefused."""
    parts = read(path).keys(("dataset", "title", "columns"), ("keys",))
    columns = dict(_registry())
    columns.update(_columns(parts["columns"], Origin.RECORD, taken=columns))
    dataset = parts["dataset"].text(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", "department.dataset, as in gongan.vehicles")
    keys = {
        name: Type(item.one_of(tuple(kind.value for kind in Type)))
        for name, item in (parts["keys"].mapping() if "keys" in parts else {}).items()
    }
    return Vocabulary(dataset, parts["title"].sentence(), columns, keys)


def registry_columns() -> frozenset[str]:
    """The names a rule has for what the registry says of a person and the household."""
    return frozenset(_registry())


@lru_cache(maxsize=1)
def _registry() -> Mapping[str, Column]:
    parts = read(REGISTRY_FILE).keys(("person", "household"))
    person = _columns(parts["person"], Origin.PERSON, taken={})
    return {**person, **_columns(parts["household"], Origin.HOUSEHOLD, taken=person)}


def _columns(node: Node, origin: Origin, taken: Mapping[str, Column]) -> dict[str, Column]:
    return {name: _column(item, name, origin, taken) for name, item in node.mapping().items()}


def _column(node: Node, name: str, origin: Origin, taken: Mapping[str, Column]) -> Column:
    parts = node.keys(("type", "zh", "en"), ("source", "evidence", "unit", "codes", "personal", "format"))
    Node(node.file, node.key, name).text(_NAME, "a name of lower-case letters, digits and _")
    if name in taken or name in _RESERVED or name.startswith(OTHER):
        raise Node(node.file, node.key, name).wrong("a name that is not taken yet")
    return Column(
        name=name,
        type=Type(parts["type"].one_of(tuple(kind.value for kind in Type))),
        origin=origin,
        source=parts["source"].text(_NAME) if "source" in parts else name,
        label=Sentence(zh=parts["zh"].text(), en=parts["en"].text()),
        evidence=parts["evidence"].flag() if "evidence" in parts else True,
        shown=Shown(
            unit=parts["unit"].one_of(("fen",)) if "unit" in parts else "",
            codes=parts["codes"].text(_NAME) if "codes" in parts else "",
            personal=parts["personal"].one_of(("name",)) if "personal" in parts else "",
            format=parts["format"].one_of(("division",)) if "format" in parts else "",
        ),
    )
