"""All rules over one dataset as one pass: named steps that the engine joins into one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wanjia.engine.pipeline import Pipeline, Source, Step, braced
from wanjia.lake.columns import Columns, Type
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.vocabulary import Origin, Vocabulary

# What a pass yields, one row per rule and record it fires on.
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
    """The files a pass reads: matched records by batch, and the registry's snapshot."""

    batches: Mapping[int, tuple[Path, ...]]
    persons: Path
    households: Path


def one_pass(bound: Sequence[BoundRule], inputs: Inputs) -> Pipeline:
    """The pass of `bound` rules, which share a dataset, over its matched records."""
    vocabulary = bound[0].rule.vocabulary
    if any(item.rule.dataset != vocabulary.dataset for item in bound):
        raise ValueError("one pass reads one dataset")
    used = frozenset[str]().union(*(item.columns for item in bound))
    sources = [*_batch_sources(vocabulary, used, inputs), *_registry_sources(vocabulary, used, inputs)]
    steps = [
        _records(vocabulary, used, sorted(inputs.batches)),
        _candidates(bound),
        _facts(vocabulary, used),
        _judged(bound),
        _found(bound, vocabulary.dataset),
    ]
    return Pipeline(sources, steps)


def _sourced(vocabulary: Vocabulary, used: frozenset[str], origin: Origin) -> dict[str, Type]:
    """The file's columns behind the used names of one origin."""
    return {column.source: column.type for name, column in vocabulary.of(origin).items() if name in used}


def _renamed(vocabulary: Vocabulary, used: frozenset[str], origin: Origin, table: str) -> list[str]:
    columns = (column for name, column in vocabulary.of(origin).items() if name in used)
    return [f"{table}.{column.source} as {column.name}" for column in columns]


def _batch_sources(vocabulary: Vocabulary, used: frozenset[str], inputs: Inputs) -> list[Source]:
    columns = {"person_no": Type.INTEGER, "source_row": Type.INTEGER} | _sourced(vocabulary, used, Origin.RECORD)
    return [Source(f"batch_{number}", paths, columns) for number, paths in sorted(inputs.batches.items())]


def _registry_sources(vocabulary: Vocabulary, used: frozenset[str], inputs: Inputs) -> list[Source]:
    person = {"person_no": Type.INTEGER, "household_no": Type.INTEGER} | _sourced(vocabulary, used, Origin.PERSON)
    household = {"household_no": Type.INTEGER, "village_code": Type.TEXT}
    household |= _sourced(vocabulary, used, Origin.HOUSEHOLD)
    return [Source("persons", (inputs.persons,), person), Source("households", (inputs.households,), household)]


def _records(vocabulary: Vocabulary, used: frozenset[str], batches: Sequence[int]) -> Step:
    columns = ", ".join(["r.person_no", "r.source_row", *_renamed(vocabulary, used, Origin.RECORD, "r")])
    parts = [f"select {columns}, {number} as batch from {{batch_{number}}} as r" for number in batches]  # noqa: S608 - declared names
    return Step(
        name="records",
        question="Which records about registered people do the current batches hold?",
        sql="\n  union all ".join(parts),
        reads=tuple(f"batch_{number}" for number in batches),
    )


def _candidates(bound: Sequence[BoundRule]) -> Step:
    """Records no rule could fire on are left out before the joins."""
    wanted = [" and ".join(f"({braced(part)})" for part in item.record_conditions) for item in bound]
    condition = " or ".join(f"({part})" for part in wanted) if all(wanted) else "true"
    return Step(
        name="candidates",
        question="Which of them could concern a rule, judging by the record alone?",
        sql=f"select * from {{records}} where {condition}",  # noqa: S608 - rendered by the dialect
        reads=("records",),
    )


def _facts(vocabulary: Vocabulary, used: frozenset[str]) -> Step:
    columns = [
        "c.*",
        "h.household_no",
        "h.village_code",
        *_renamed(vocabulary, used, Origin.PERSON, "p"),
        *_renamed(vocabulary, used, Origin.HOUSEHOLD, "h"),
    ]
    return Step(
        name="facts",
        question="What does the registry say of the person and the household each record is about?",
        sql=f"""
            select {", ".join(columns)}
            from {{candidates}} as c
            join {{persons}} as p on p.person_no = c.person_no
            join {{households}} as h on h.household_no = p.household_no
        """,  # noqa: S608 - declared names
        reads=("candidates", "persons", "households"),
    )


def _judged(bound: Sequence[BoundRule]) -> Step:
    flags = ",\n    ".join(
        f"coalesce({braced(item.condition_sql)}, false) as {_flag(n)}" for n, item in enumerate(bound)
    )
    fires = " or ".join(_flag(n) for n in range(len(bound)))
    return Step(
        name="judged",
        question="Which rules fire on which record?",
        sql=f"select * from (select *,\n    {flags}\n  from {{facts}}) where {fires}",  # noqa: S608 - rendered by the dialect
        reads=("facts",),
        kept=True,
    )


def _found(bound: Sequence[BoundRule], dataset: str) -> Step:
    parts = [
        f"select '{item.rule.id}' as rule, person_no, household_no, village_code, '{dataset}' as dataset,"  # noqa: S608 - checked names
        f" batch, source_row, {_evidence(item)} as evidence from {{judged}} where {_flag(n)}"
        for n, item in enumerate(bound)
    ]
    return Step(
        name="found",
        question="One line per rule and record, with the evidence the rule declares.",
        sql="\n  union all ".join(parts),
        reads=("judged",),
    )


def _evidence(item: BoundRule) -> str:
    fields = ", ".join(f"{name} := {braced(item.evidence_sql(name))}" for name in item.rule.evidence)
    return f"cast(to_json(struct_pack({fields})) as varchar)"


def _flag(number: int) -> str:
    return f"fires_{number}"
