"""A rule: what it asks, of which records, about whom, and what a finding says. `ruleset.files` reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wanjia.engine.dialect import Value
from wanjia.kernel.errors import Sentence
from wanjia.ruleset.vocabulary import Column, Vocabulary

AS_OF = "as_of"  # the day of the run: every rule may use it, no file gives it a value


class Shape(StrEnum):
    """How a rule looks at its data."""

    PRESENT = "present"  # a record says so
    ABSENT = "absent"  # no record says so, where the deliveries would have said it
    AGGREGATE = "aggregate"  # what the records of a person or a household add up to
    RELATION = "relation"  # two people, households or datasets held against each other


class Per(StrEnum):
    """Whom one finding is about."""

    PERSON = "person"
    HOUSEHOLD = "household"


class How(StrEnum):
    """How records add up."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


class Rows(StrEnum):
    """Which records are on the other side of a relation."""

    MATCHED = "matched"  # of registered people
    UNMATCHED = "unmatched"  # of nobody registered


class Severity(StrEnum):
    """How much hangs on a finding (domain.md §6.4)."""

    HIGH = "H"  # may affect eligibility or safety
    MEDIUM = "M"  # a guarantee or an entitlement
    LOW = "L"  # an error in the data


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a parameter: where and when it holds, and who says so."""

    value: Value | tuple[Value, ...]
    region: str
    valid_from: dt.date
    valid_to: dt.date | None  # first day on which it no longer holds
    source: str

    def holds(self, region: str, on: dt.date) -> bool:
        """Whether the value applies in `region` (its own area or one below it) on a day."""
        in_time = self.valid_from <= on and (self.valid_to is None or on < self.valid_to)
        return in_time and region.startswith(self.region)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A policy value a rule uses as `:name`."""

    name: str
    label: Sentence
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A value computed from a row, with a name: usable in `when` and as evidence."""

    name: str
    label: Sentence
    text: str


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over the records that count, with a name: usable in `when` and as evidence.

    `where` narrows the records for this sum alone.
    """

    name: str
    label: Sentence
    how: How
    of: str  # a column of the record; empty for a count
    where: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """The other side of a relation: which records, and the keys under which both sides meet.

    `households_apart` leaves out pairs of one household. A pair is looked at once, from the lower
    person number, or from either side where it is `both_ways`.
    """

    rows: Rows
    keys: tuple[str, ...]
    households_apart: bool = False
    both_ways: bool = False


@dataclass(frozen=True, slots=True)
class RuleException:
    """A reason for which a true finding may still be in order."""

    code: str
    label: Sentence


@dataclass(frozen=True, slots=True)
class Plausible:
    """The share of registered people above which a run asks before it goes on."""

    permille: int
    people: int  # below so many people a share says nothing


@dataclass(frozen=True, slots=True)
class Fixture:
    """An invented case and whether the rule must fire on it.

    `records` are the person's records, each with what it says; `values` everything else. In a
    relation the other side stands in `values` too, unless there is nobody it meets (`alone`).
    """

    name: str
    values: Mapping[str, Value | None]
    records: tuple[Mapping[str, Value | None], ...]
    alone: bool
    fires: bool
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule of comparison, as its file declares it. Equal is only the same reading of it."""

    id: str
    version: str
    file: str
    title: Sentence
    shape: Shape
    per: Per
    dataset: str
    record: str  # which records count; empty: every one
    when: str
    evidence: tuple[str, ...]
    severity: Severity
    veto: str
    check: tuple[Sentence, ...]
    explain: Sentence
    expected_outcome: str
    possible_outcomes: tuple[str, ...]
    corrections: tuple[str, ...]  # what a true finding may change, the usual one first
    exceptions: tuple[RuleException, ...]
    deadline_days: Mapping[str, int]
    valid_from: dt.date
    valid_to: dt.date | None
    basis: Sentence
    plausible: Plausible
    parameters: Mapping[str, Parameter]
    measures: Mapping[str, Measure]
    totals: Mapping[str, Total]
    other: Other | None
    fixtures: tuple[Fixture, ...]
    fixture_day: dt.date
    base: Vocabulary  # of the dataset
    vocabulary: Vocabulary  # of this rule: what its condition, measures and evidence may name

    @property
    def asks_the_day(self) -> bool:
        """Whether an expression of the rule uses the day of the run."""
        sums = (total.where for total in self.totals.values())
        texts = (self.when, self.record, *(measure.text for measure in self.measures.values()), *sums)
        return any(f":{AS_OF}" in text for text in texts)

    def in_force(self, on: dt.date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def column_of(self, name: str) -> Column | None:
        """The column behind a name of the evidence; None for a measure."""
        return None if name in self.measures else self.vocabulary.columns[name]

    def label_of(self, name: str) -> Sentence:
        """What a column or measure of the evidence is called on a page."""
        return self.measures[name].label if name in self.measures else self.vocabulary.columns[name].label
