"""A rule as its file states it: read, checked, and given a version that is its content's digest."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from wanjia.engine.dialect import Value, nearest, type_of_value
from wanjia.kernel.errors import Sentence
from wanjia.ruleset.errors import FixturesTooFew, UnknownDataset, UnknownEvidence
from wanjia.ruleset.reading import Node, read
from wanjia.ruleset.vocabulary import Vocabulary

RULE_ID = r"R[A-Z]-[0-9]{2}[A-Z]?"
OUTCOME = r"0[1-9]"  # codes of domain.md §6.1; the list itself is reference data


class Shape(StrEnum):
    """How a rule looks at its data."""

    PRESENT = "present"  # a matching record says so


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
    """An invented case and whether the rule must fire on it."""

    name: str
    values: Mapping[str, Value | None]
    fires: bool
    why: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of comparison."""

    id: str
    version: str
    file: str
    title: Sentence
    shape: Shape
    dataset: str
    when: str
    evidence: tuple[str, ...]
    severity: Severity
    veto: str
    check: tuple[Sentence, ...]
    explain: Sentence
    expected_outcome: str
    possible_outcomes: tuple[str, ...]
    exceptions: tuple[RuleException, ...]
    deadline_days: Mapping[str, int]
    valid_from: dt.date
    valid_to: dt.date | None
    basis: Sentence
    plausible: Plausible
    parameters: Mapping[str, Parameter]
    measures: Mapping[str, Measure]
    fixtures: tuple[Fixture, ...]
    vocabulary: Vocabulary

    def in_force(self, on: dt.date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def label_of(self, name: str) -> Sentence:
        """What a column or measure of the evidence is called on a page."""
        return self.measures[name].label if name in self.measures else self.vocabulary.columns[name].label


_REQUIRED = (
    "id", "title", "shape", "per", "dataset", "when", "evidence", "severity", "check", "explain", "outcomes",
    "valid_from", "basis", "plausible", "fixtures",
)  # fmt: skip
_OPTIONAL = ("veto", "exceptions", "deadline_days", "valid_to", "parameters", "measures")


def read_rule(path: Path, vocabularies: Mapping[str, Vocabulary]) -> Rule:
    """The rule a file states. Raises a RuleFileRefused that names file, key and cure.

    Its expressions are checked when the rule is bound to a region and a day, its fixtures by
    `check_fixtures`; `load_rules` does both.
    """
    node = read(path)
    parts = node.keys(_REQUIRED, _OPTIONAL)
    dataset = parts["dataset"].text()
    if dataset not in vocabularies:
        raise UnknownDataset(file=node.file, dataset=dataset, nearest=nearest(dataset, list(vocabularies)))
    vocabulary = vocabularies[dataset]
    parts["per"].one_of(("person",))
    measures = _measures(parts.get("measures"), vocabulary)
    evidence = _evidence(parts["evidence"], vocabulary, measures)
    expected, possible = _outcomes(parts["outcomes"])
    plausible = parts["plausible"].keys(("permille", "people"))
    return Rule(
        id=parts["id"].text(RULE_ID, "an id such as RA-02 or RA-02B"),
        version=_version(node.value),
        file=node.file,
        title=parts["title"].sentence(),
        shape=Shape(parts["shape"].one_of(tuple(shape.value for shape in Shape))),
        dataset=dataset,
        when=parts["when"].text(),
        evidence=evidence,
        severity=Severity(parts["severity"].one_of(tuple(level.value for level in Severity))),
        veto=parts["veto"].text("V[1-8]", "a veto of V1 to V8") if "veto" in parts else "",
        check=tuple(item.sentence() for item in parts["check"].items()),
        explain=_explain(parts["explain"], evidence),
        expected_outcome=expected,
        possible_outcomes=possible,
        exceptions=_exceptions(parts.get("exceptions")),
        deadline_days=_deadlines(parts.get("deadline_days")),
        valid_from=parts["valid_from"].day(),
        valid_to=parts["valid_to"].day() if "valid_to" in parts else None,
        basis=parts["basis"].sentence(),
        plausible=Plausible(plausible["permille"].number(1, 1000), plausible["people"].number(1, 10_000_000)),
        parameters=_parameters(parts.get("parameters")),
        measures=measures,
        fixtures=_fixtures(parts["fixtures"], vocabulary),
        vocabulary=vocabulary,
    )


def _version(content: Any) -> str:
    """Twelve digits of the digest over what the file says; comments and layout do not count."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _measures(node: Node | None, vocabulary: Vocabulary) -> dict[str, Measure]:
    measures = {}
    for name, item in node.mapping().items() if node else ():
        if name in vocabulary.columns:
            raise item.wrong("a measure whose name is not a column's")
        parts = item.keys(("zh", "en", "is"))
        measures[name] = Measure(name, Sentence(parts["zh"].text(), parts["en"].text()), parts["is"].text())
    return measures


def _evidence(node: Node, vocabulary: Vocabulary, measures: Mapping[str, Measure]) -> tuple[str, ...]:
    known = [name for name, column in vocabulary.columns.items() if column.evidence] + list(measures)
    names = node.texts()
    for name in names:
        if name not in known or names.count(name) > 1:
            raise UnknownEvidence(file=node.file, key=node.key, name=name, nearest=nearest(name, known))
    return names


def _explain(node: Node, evidence: tuple[str, ...]) -> Sentence:
    sentence = node.sentence()
    for text in (sentence.zh, sentence.en):
        try:
            fields = [
                (name, form, conversion)
                for _, name, form, conversion in string.Formatter().parse(text)
                if name is not None
            ]
        except ValueError:
            raise node.wrong("a sentence with {fields}") from None
        for name, form, conversion in fields:
            # no attributes, indexes or formats: a sentence only quotes its evidence
            if name not in evidence or form or conversion:
                raise UnknownEvidence(file=node.file, key=node.key, name=name or "{}", nearest=", ".join(evidence))
    return sentence


def _outcomes(node: Node) -> tuple[str, tuple[str, ...]]:
    parts = node.keys(("expected", "possible"))
    wanted = "an outcome code of 01 to 09 in quotes"
    expected = parts["expected"].text(OUTCOME, wanted)
    possible = tuple(item.text(OUTCOME, wanted) for item in parts["possible"].items())
    if expected not in possible:
        raise parts["possible"].wrong(f"a list with the expected outcome {expected} in it")
    return expected, possible


def _exceptions(node: Node | None) -> tuple[RuleException, ...]:
    found = []
    for item in node.items() if node else ():
        parts = item.keys(("code", "zh", "en"))
        label = Sentence(parts["zh"].text(), parts["en"].text())
        found.append(RuleException(parts["code"].text(r"[a-z][a-z0-9_]*", "a name such as scrapped"), label))
    return tuple(found)


def _deadlines(node: Node | None) -> dict[str, int]:
    return {name: item.number(1, 250) for name, item in node.mapping().items()} if node else {}


def _parameters(node: Node | None) -> dict[str, Parameter]:
    found = {}
    for name, item in node.mapping().items() if node else ():
        parts = item.keys(("zh", "en", "values"))
        settings = tuple(_setting(value) for value in parts["values"].items())
        found[name] = Parameter(name, Sentence(parts["zh"].text(), parts["en"].text()), settings)
    return found


def _setting(node: Node) -> Setting:
    parts = node.keys(("region", "valid_from", "source", "value"), ("valid_to",))
    return Setting(
        value=_value(parts["value"]),
        region=parts["region"].text(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}", "a division code in quotes"),
        valid_from=parts["valid_from"].day(),
        valid_to=parts["valid_to"].day() if "valid_to" in parts else None,
        source=parts["source"].text(),
    )


def _value(node: Node) -> Value | tuple[Value, ...]:
    if isinstance(node.value, list):
        values = tuple(_single(item) for item in node.items())
        if len({type_of_value(value) for value in values}) > 1:
            raise node.wrong("a list of values of one kind")
        return values
    return _single(node)


def _single(node: Node) -> Value:
    if type(node.value) not in (bool, int, str, dt.date):
        raise node.wrong("text, a whole number, a day, or true or false")
    value: Value = node.value
    return value


def _fixtures(node: Node, vocabulary: Vocabulary) -> tuple[Fixture, ...]:
    parts = node.keys(("given", "cases"))
    given = _fixture_values(parts["given"], vocabulary)
    fixtures = []
    for item in parts["cases"].items():
        case = item.keys(("name", "fires", "why"), ("but",))
        values = given | (_fixture_values(case["but"], vocabulary) if "but" in case else {})
        fixtures.append(Fixture(case["name"].text(), values, case["fires"].flag(), case["why"].text()))
    firing = sum(fixture.fires for fixture in fixtures)
    if not firing or firing == len(fixtures):
        raise FixturesTooFew(file=node.file, firing=firing, silent=len(fixtures) - firing)
    return tuple(fixtures)


def _fixture_values(node: Node, vocabulary: Vocabulary) -> dict[str, Value | None]:
    values: dict[str, Value | None] = {}
    for name, item in node.mapping().items():
        column = vocabulary.columns.get(name)
        if column is None:
            raise UnknownEvidence(
                file=node.file, key=item.key, name=name, nearest=nearest(name, list(vocabulary.columns))
            )
        if item.value is not None:
            single = _single(item)
            kind = type_of_value(single)
            if kind is not column.type and {kind.value, column.type.value} != {"integer", "bigint"}:
                raise item.wrong(column.type.value)
            values[name] = single
        else:
            values[name] = None
    return values
