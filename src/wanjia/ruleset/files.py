"""A rule file: read, checked, and given a version that is its content's digest."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wanjia.engine.dialect import Value, nearest, type_of_value
from wanjia.kernel.errors import Sentence
from wanjia.ruleset.errors import FixturesTooFew, UnknownDataset, UnknownEvidence
from wanjia.ruleset.reading import Node, read
from wanjia.ruleset.rule import (
    AS_OF,
    Fixture,
    Measure,
    Parameter,
    Plausible,
    Rule,
    RuleException,
    Setting,
    Severity,
    Shape,
)
from wanjia.ruleset.shaping import ALL_KEYS, shaped
from wanjia.ruleset.vocabulary import Column, Origin, Vocabulary

RULE_ID = r"R[A-Z]-[0-9]{2}[A-Z]?"
OUTCOME = r"0[1-9]"  # codes of domain.md §6.1; the list itself is reference data
CORRECTION = r"[A-Za-z][A-Za-z0-9_]*"  # codes of the list suspect_correction; which of them there are is reference data

_REQUIRED = (
    "id", "title", "shape", "per", "dataset", "when", "evidence", "severity", "check", "explain", "outcomes",
    "corrections",
    "valid_from", "basis", "plausible", "fixtures",
)  # fmt: skip
_OPTIONAL = ("veto", "exceptions", "deadline_days", "valid_to", "parameters", "measures", *ALL_KEYS)


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
    base = vocabularies[dataset]
    shape = Shape(parts["shape"].one_of(tuple(kind.value for kind in Shape)))
    part = shaped(shape, parts, base)
    vocabulary = part.vocabulary
    measures = _measures(parts.get("measures"), vocabulary)
    evidence = _evidence(parts["evidence"], vocabulary, measures)
    expected, possible = _outcomes(parts["outcomes"])
    plausible = parts["plausible"].keys(("permille", "people"))
    return Rule(
        id=parts["id"].text(RULE_ID, "an id such as RA-02 or RA-02B"),
        version=_version(node.value),
        file=node.file,
        title=parts["title"].sentence(),
        shape=shape,
        per=part.per,
        dataset=dataset,
        record=part.record,
        when=parts["when"].text(),
        evidence=evidence,
        severity=Severity(parts["severity"].one_of(tuple(level.value for level in Severity))),
        veto=parts["veto"].text("V[1-8]", "a veto of V1 to V8") if "veto" in parts else "",
        check=tuple(item.sentence() for item in parts["check"].items()),
        explain=_explain(parts["explain"], evidence),
        expected_outcome=expected,
        possible_outcomes=possible,
        corrections=_corrections(parts["corrections"]),
        exceptions=_exceptions(parts.get("exceptions")),
        deadline_days=_deadlines(parts.get("deadline_days")),
        valid_from=parts["valid_from"].day(),
        valid_to=parts["valid_to"].day() if "valid_to" in parts else None,
        basis=parts["basis"].sentence(),
        plausible=Plausible(plausible["permille"].number(1, 1000), plausible["people"].number(1, 10_000_000)),
        parameters=_parameters(parts.get("parameters")),
        measures=measures,
        totals=part.totals,
        other=part.other,
        fixtures=_fixtures(parts["fixtures"], shape, base, vocabulary),
        fixture_day=_fixture_day(parts["fixtures"], parts["valid_from"].day()),
        base=base,
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


def _corrections(node: Node) -> tuple[str, ...]:
    codes = tuple(item.text(CORRECTION, "a code of the list suspect_correction") for item in node.items())
    if not codes or len(set(codes)) != len(codes):
        raise node.wrong("a list of corrections, each once")
    return codes


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
        if name == AS_OF:
            raise item.wrong("a name other than that of the run's day")
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


def _fixtures(node: Node, shape: Shape, base: Vocabulary, vocabulary: Vocabulary) -> tuple[Fixture, ...]:
    parts = node.keys(("given", "cases"), ("day",))
    columns = {**base.columns, **{n: c for n, c in vocabulary.columns.items() if c.origin is not Origin.TOTAL}}
    given = _fixture_values(parts["given"], columns)
    fixtures = []
    for item in parts["cases"].items():
        case = item.keys(("name", "fires", "why"), ("but", "records", "alone"))
        values = given | (_fixture_values(case["but"], columns) if "but" in case else {})
        fixtures.append(
            Fixture(
                name=case["name"].text(),
                values=values,
                records=_fixture_records(case.get("records"), shape, base, values),
                alone=case["alone"].flag() if "alone" in case else False,
                fires=case["fires"].flag(),
                why=case["why"].text(),
            )
        )
    firing = sum(fixture.fires for fixture in fixtures)
    if not firing or firing == len(fixtures):
        raise FixturesTooFew(file=node.file, firing=firing, silent=len(fixtures) - firing)
    return tuple(fixtures)


def _fixture_day(node: Node, first: dt.date) -> dt.date:
    """The day on which the fixtures hold; the rule's first, if none is named."""
    parts = node.mapping()
    return parts["day"].day() if "day" in parts else first


def _fixture_records(
    node: Node | None, shape: Shape, base: Vocabulary, values: Mapping[str, Value | None]
) -> tuple[Mapping[str, Value | None], ...]:
    """One record as `given` has it, unless a list says otherwise; where a record is missed, none."""
    columns = base.of(Origin.RECORD)
    usual = {name: values.get(name) for name in columns}
    if node is None:
        return () if shape is Shape.ABSENT else (usual,)
    if node.value == []:
        return ()
    return tuple(usual | _fixture_values(item, columns) for item in node.items())


def _fixture_values(node: Node, columns: Mapping[str, Column]) -> dict[str, Value | None]:
    values: dict[str, Value | None] = {}
    for name, item in node.mapping().items():
        column = columns.get(name)
        if column is None:
            raise UnknownEvidence(file=node.file, key=item.key, name=name, nearest=nearest(name, list(columns)))
        if item.value is not None:
            single = _single(item)
            kind = type_of_value(single)
            if kind is not column.type and {kind.value, column.type.value} != {"integer", "bigint"}:
                raise item.wrong(column.type.value)
            values[name] = single
        else:
            values[name] = None
    return values
