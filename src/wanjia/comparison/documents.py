"""The rule as it ran, kept with the run: sentences and parameters stay readable when files change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wanjia.kernel.errors import Sentence
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.vocabulary import Column

Document = dict[str, Any]
DIVISIONS = frozenset(
    {"hukou_area", "other_hukou_area", "other_village_code"}
)  # runs of earlier versions kept no format
_AGREES = re.compile(r"(?<!\bnot )\bname_agrees\b")
_DISAGREES = re.compile(r"\bnot name_agrees\b")


def document_of(bound: BoundRule) -> Document:
    """What a run keeps of a rule; plain JSON, ordered, without the fixtures."""
    rule = bound.rule
    return {
        "id": rule.id,
        "version": rule.version,
        "title": _both(rule.title),
        "shape": rule.shape.value,
        "dataset": rule.dataset,
        "dataset_title": _both(rule.base.title),
        "severity": rule.severity.value,
        "veto": rule.veto,
        "when": rule.when,
        "sql": bound.condition_sql,
        "parameters": {
            zone.region: {name: _plain(value) for name, value in sorted(zone.values.items())} for zone in bound.zones
        },
        "evidence": [
            {"name": name, **_both(rule.label_of(name)), **_how_shown(rule.column_of(name))} for name in rule.evidence
        ],
        "explain": _both(rule.explain),
        "check": [_both(item) for item in rule.check],
        "expected_outcome": rule.expected_outcome,
        "possible_outcomes": list(rule.possible_outcomes),
        "corrections": list(rule.corrections),
        "exceptions": [{"code": item.code, **_both(item.label)} for item in rule.exceptions],
        "deadline_days": dict(rule.deadline_days),
        "basis": _both(rule.basis),
        "plausible": {"permille": rule.plausible.permille, "people": rule.plausible.people},
    }


@dataclass(frozen=True, slots=True)
class ShownAs:
    """How a value of the evidence is shown."""

    unit: str
    codes: str
    personal: str
    format: str

    @classmethod
    def of(cls, item: Mapping[str, str]) -> ShownAs:
        kept = item.get("format", "division" if item.get("name") in DIVISIONS else "")
        return cls(item.get("unit", ""), item.get("codes", ""), item.get("personal", ""), kept)


@dataclass(frozen=True, slots=True)
class RunRule:
    """A rule of a finished run, ready for pages and cases.

    `by_name`: whether the rule asks that the record's name agrees; `of_names` that it does not.
    """

    id: str
    version: str
    title: Sentence
    shape: str
    dataset: str
    dataset_title: Sentence
    by_name: bool
    of_names: bool
    severity: str
    veto: str
    labels: Mapping[str, Sentence]
    shown: Mapping[str, ShownAs]
    explanation: Sentence
    check: tuple[Sentence, ...]
    expected_outcome: str
    possible_outcomes: tuple[str, ...]
    corrections: tuple[str, ...]
    exceptions: Mapping[str, Sentence]
    deadline_days: Mapping[str, int]
    basis: Sentence
    permille: int
    people: int

    @classmethod
    def of(cls, document: Document) -> RunRule:
        return cls(
            id=document["id"],
            version=document["version"],
            title=Sentence(**document["title"]),
            shape=document.get("shape", "present"),
            dataset=document["dataset"],
            dataset_title=_titled(document),
            by_name=bool(_AGREES.search(document["when"])),
            of_names=bool(_DISAGREES.search(document["when"])),
            severity=document["severity"],
            veto=document["veto"],
            labels={item["name"]: _sentence(item) for item in document["evidence"]},
            shown={item["name"]: ShownAs.of(item) for item in document["evidence"]},
            explanation=Sentence(**document["explain"]),
            check=tuple(Sentence(**item) for item in document["check"]),
            expected_outcome=document["expected_outcome"],
            possible_outcomes=tuple(document["possible_outcomes"]),
            corrections=tuple(document.get("corrections", ())),  # runs of earlier versions kept none
            exceptions={item["code"]: _sentence(item) for item in document["exceptions"]},
            deadline_days=document["deadline_days"],
            basis=Sentence(**document["basis"]),
            permille=document["plausible"]["permille"],
            people=document["plausible"]["people"],
        )

    def explain(self, evidence: Mapping[str, Any], language: str) -> str:
        """The sentence a verifier reads: what was found, and why it is a suspicion."""
        unknown = "unknown" if language.startswith("en") else "不详"
        values = {name: unknown if evidence.get(name) is None else evidence[name] for name in self.labels}
        return self.explanation.text(language, **values)


def _how_shown(column: Column | None) -> dict[str, str]:
    if column is None:
        return {}
    shown = {
        "unit": column.shown.unit,
        "codes": column.shown.codes,
        "personal": column.shown.personal,
        "format": column.shown.format,
    }
    return {key: value for key, value in shown.items() if value}


def _titled(document: Document) -> Sentence:
    """The dataset's name; runs of earlier versions kept only its code."""
    plain = {"zh": document["dataset"], "en": document["dataset"]}
    return Sentence(**document.get("dataset_title", plain))


def _both(sentence: Sentence) -> dict[str, str]:
    return {"zh": sentence.zh, "en": sentence.en}


def _sentence(item: Mapping[str, str]) -> Sentence:
    return Sentence(zh=item["zh"], en=item["en"])


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, str)) else value.isoformat()
