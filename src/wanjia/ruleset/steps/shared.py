"""What every shape of rule reads: the records of one dataset, and the registry's snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wanjia.engine.pipeline import Source, Step, braced
from wanjia.lake.columns import Columns, Type
from wanjia.ruleset.binding import BoundRule, inside
from wanjia.ruleset.rule import Per, Shape
from wanjia.ruleset.vocabulary import HOUSEHOLD, MADE_BY_RESOLUTION, OTHER, REGISTRY, Origin, Vocabulary

# What a pass yields, one row per rule and record it fires on. Where a rule fires on nobody's record
# (absent) the person's own number stands for the row, and the newest batch for the delivery.
FOUND: Columns = {
    "rule": Type.TEXT,
    "person_no": Type.INTEGER,
    "household_no": Type.INTEGER,
    "village_code": Type.TEXT,
    "dataset": Type.TEXT,
    "batch": Type.INTEGER,
    "source_row": Type.INTEGER,
    "evidence": Type.TEXT,
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files a pass reads, by batch, and the registry's snapshot.

    `areas` says what each batch covers: outside of it a missing record means nothing. `unmatched`
    holds the records of nobody registered, for the rules that look for such people.
    """

    batches: Mapping[int, tuple[Path, ...]]
    persons: Path
    households: Path
    areas: Mapping[int, str] = field(default_factory=dict)
    unmatched: Mapping[int, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pass:
    """The rules of a pass with what they read in common."""

    rules: tuple[BoundRule, ...]
    inputs: Inputs
    vocabulary: Vocabulary
    used: frozenset[str]
    keys: Mapping[str, Type]

    @classmethod
    def of(cls, bound: Sequence[BoundRule], inputs: Inputs) -> Pass:
        base = bound[0].rule.base
        named = frozenset[str]().union(*(item.columns | item.record_columns for item in bound))
        # what a rule reads of the other side of a pair is read of every side
        used = frozenset(name.removeprefix(OTHER) for name in named) & base.columns.keys()
        joined = frozenset[str]().union(*(item.rule.other.keys for item in bound if item.rule.other is not None))
        joined -= {HOUSEHOLD}
        keys = {name: base.keys[name] for name in sorted(joined)}
        return cls(tuple(bound), inputs, base, used, keys)

    @property
    def dataset(self) -> str:
        return self.vocabulary.dataset

    @property
    def of_registry(self) -> bool:
        """Whether the records are the registered people themselves."""
        return self.dataset == REGISTRY

    # -- sources ----------------------------------------------------------------------------------

    def sources(self) -> list[Source]:
        """Every file the pass could read; those no step reads are left out by the caller."""
        record = {"person_no": Type.INTEGER, "source_row": Type.INTEGER, **self._of(Origin.RECORD), **self.keys}
        own = {name: kind for name, kind in self._of(Origin.RECORD).items() if name not in MADE_BY_RESOLUTION}
        nobodys = {"source_row": Type.INTEGER, **own, **self.keys}
        person = {"person_no": Type.INTEGER, "household_no": Type.INTEGER, **self._of(Origin.PERSON)}
        household = {"household_no": Type.INTEGER, "village_code": Type.TEXT, **self._of(Origin.HOUSEHOLD)}
        if self.of_registry:
            person |= self.keys
        if any(item.rule.shape is Shape.AGGREGATE and item.rule.per is Per.HOUSEHOLD for item in self.rules):
            person |= {"relation": Type.TEXT, "in_household": Type.BOOLEAN}  # who is the head
        return [
            *(Source(f"batch_{number}", paths, record) for number, paths in sorted(self.inputs.batches.items())),
            *(Source(f"nobodys_{number}", paths, nobodys) for number, paths in sorted(self.inputs.unmatched.items())),
            Source("persons", (self.inputs.persons,), person),
            Source("households", (self.inputs.households,), household),
        ]

    def _of(self, origin: Origin) -> dict[str, Type]:
        """The file's columns behind the used names of one origin."""
        return {column.source: column.type for name, column in self.vocabulary.of(origin).items() if name in self.used}

    # -- steps ------------------------------------------------------------------------------------

    def records(self) -> Step:
        """The records of registered people in the current batches; of the registry, the people themselves."""
        keys = sorted(self.keys)
        if self.of_registry:
            columns = ", ".join(["p.person_no", "p.person_no as source_row", *(f"p.{name}" for name in keys)])
            question = "Who is registered?"
            return Step("records", question, f"select {columns}, 0 as batch from {{persons}} as p", ("persons",))  # noqa: S608 - declared names
        numbers = sorted(self.inputs.batches)
        renamed = self.renamed(Origin.RECORD, "r")
        columns = ", ".join(["r.person_no", "r.source_row", *renamed, *(f"r.{name}" for name in keys)])
        parts = [f"select {columns}, {number} as batch from {{batch_{number}}} as r" for number in numbers]  # noqa: S608 - declared names
        question = "Which records about registered people do the current batches hold?"
        return Step("records", question, joined(parts), tuple(f"batch_{number}" for number in numbers))

    def owned(self) -> Step:
        """The records with the place of the person they are about: parameters differ from place to place."""
        return Step(
            name="owned",
            question="To which household, and where, does each record belong?",
            sql="""
                select r.*, h.household_no, h.village_code
                from {records} as r
                join {persons} as p on p.person_no = r.person_no
                join {households} as h on h.household_no = p.household_no
            """,
            reads=("records", "persons", "households"),
        )

    def renamed(self, origin: Origin, table: str, prefix: str = "") -> list[str]:
        """`table.source as name` for each used column of an origin."""
        columns = self.vocabulary.of(origin).items()
        return [f"{table}.{column.source} as {prefix}{name}" for name, column in columns if name in self.used]

    def names(self, origin: Origin) -> list[str]:
        """The used names of one origin."""
        return [name for name in self.vocabulary.of(origin) if name in self.used]

    def covered(self, column: str) -> str:
        """Whether a village lies where the current batches say something; nowhere, if none says where."""
        areas = sorted(set(self.inputs.areas.values()))
        return " or ".join(f"({inside(area, column)})" for area in areas) or "false"

    @property
    def newest(self) -> int:
        return max(self.inputs.batches, default=0)


def found_line(item: BoundRule, dataset: str, table: str, where: str = "") -> str:
    """The lines one rule contributes, from a table with its person, place, record and evidence columns."""
    condition = f" where {where}" if where else ""
    return (
        f"select '{item.rule.id}' as rule, person_no, household_no, village_code, '{dataset}' as dataset,"  # noqa: S608 - checked names
        f" batch, source_row, {evidence(item)} as evidence from {{{table}}}{condition}"
    )


def evidence(item: BoundRule) -> str:
    """The evidence columns of a rule as one canonical JSON text."""
    fields = ", ".join(f"{name} := {braced(item.evidence_sql(name))}" for name in item.rule.evidence)
    return f"cast(to_json(struct_pack({fields})) as varchar)"


def joined(parts: Iterable[str]) -> str:
    return "\n  union all ".join(parts)
