"""The rule run again for a few people, over the registry and the records as they are now (domain.md §6.1, step 11).

Nothing is taken from the run that raised the suspicion: the people are read from the registry,
their records found by their present numbers in the batches that are current, and the rules in
force today judge them through the same steps as a whole run. A property of the tests: a whole
run today would find exactly this about them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from wanjia.audit.services import JSON
from wanjia.casework.declared import Reexamined
from wanjia.casework.models import Case
from wanjia.comparison import inputs
from wanjia.comparison.choices import CORRECTED, CORRECTING, NORMAL_EXIT, WRONGLY_IDENTIFIED
from wanjia.comparison.errors import NoActiveRules
from wanjia.engine import sandbox
from wanjia.engine.sandbox import Output
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import HOME_REGION
from wanjia.registry.services import write_extract
from wanjia.resolution.services import match_extract, strangers_extract
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.rule import Per
from wanjia.ruleset.steps import FOUND, Inputs, one_pass
from wanjia.ruleset.vocabulary import HOUSEHOLD, REGISTRY
from wanjia.scope.stores import lake
from wanjia.sources.models import Batch

# Outcomes that say the matter was put right; an exemption or a department's error leaves it as it is.
PUT_RIGHT = frozenset({CORRECTED, CORRECTING, NORMAL_EXIT, WRONGLY_IDENTIFIED})

NOT_IN_FORCE = Reexamined(None, Sentence("规则已停用，未复算", "the rule is no longer in force and was not run again"))
NO_RECORDS = Reexamined(
    None, Sentence("部门记录已不在库，未复算", "the records are no longer kept; the rule was not run again")
)

NOT_ALONE = Reexamined(
    None, Sentence("该规则须整体比对才能复算", "this rule can only be run again with a whole comparison")
)
NO_LONGER = Sentence("按现有登记和部门记录复算，不再列为疑似", "run again over today's data, the rule no longer fires")


class Question(NamedTuple):
    """What one case asks: does this rule fire on this person?"""

    rule: str
    person_no: int


HOME = ["person_no", "household_no"]
NUMBER = "person_key"  # whoever shares a number with somebody is looked at with him

Found = Mapping[Question, list[str]]  # the digest of the evidence of each record the rule fires on


def reexamine(cases: Sequence[Case]) -> dict[int, Reexamined]:
    """Case number → whether its rule fires on its person today; a case no rule raised is left out."""
    asked = {case.case_no: question for case in cases if (question := _question_of(case)) is not None}
    wanted = {question.rule for question in asked.values()}
    rules = {bound.rule.id: bound for bound in _in_force() if bound.rule.id in wanted}
    alone = [bound for bound in rules.values() if not _needs_everybody(bound)]
    people = {
        bound.rule.id: {question.person_no for question in asked.values() if question.rule == bound.rule.id}
        for bound in alone
    }
    found = _run_again(alone, people) if people else {}
    return {case.case_no: _answer(case, asked[case.case_no], rules, found) for case in cases if case.case_no in asked}


def _question_of(case: Case) -> Question | None:
    rule, person_no = case.origin.get("rule"), case.origin.get("person_no")
    return Question(str(rule), int(person_no)) if rule and person_no else None


def _needs_everybody(bound: BoundRule) -> bool:
    """Whether the rule holds people against others who cannot be told beforehand.

    Strangers can, whom a household's records lead to.
    """
    other = bound.rule.other
    if other is None:
        return False
    return bound.rule.per is not Per.HOUSEHOLD if _seeks_strangers(bound) else not {NUMBER, HOUSEHOLD} & {*other.keys}


def _seeks_strangers(bound: BoundRule) -> bool:
    return inputs.seeks_strangers([bound])


def _needs_the_household(bound: BoundRule) -> bool:
    """Whether the rule adds up a household, or holds its members against each other."""
    other = bound.rule.other
    return bound.rule.per is Per.HOUSEHOLD or (other is not None and HOUSEHOLD in other.keys)


def _in_force() -> list[BoundRule]:
    try:
        return inputs.active_rules(HOME_REGION, clock.today())
    except NoActiveRules:
        return []


def _run_again(rules: Collection[BoundRule], people: Mapping[str, set[int]]) -> dict[str, Found | None]:
    """Dataset → what its rules find about their people; None where its records are no longer kept."""
    by_dataset: dict[str, list[BoundRule]] = defaultdict(list)
    for bound in rules:
        by_dataset[bound.rule.dataset].append(bound)
    with tempfile.TemporaryDirectory(prefix="wanjia-again-") as folder:
        everybody = set[int]().union(*people.values())
        by_household = {bound.rule.id: people[bound.rule.id] for bound in rules if bound.rule.per is Per.HOUSEHOLD}
        together = [people[bound.rule.id] for bound in rules if _needs_the_household(bound)]
        persons, households = write_extract(Path(folder), everybody, set[int]().union(*together))
        homes = _homes(persons)
        outputs = {
            dataset: _one_dataset(dataset, bound, persons, households, Path(folder) / dataset)
            for dataset, bound in by_dataset.items()
        }
        asked_of = {dataset: output for dataset, output in outputs.items() if output is not None}
        if asked_of:
            sandbox.write([*asked_of.values()])  # all in one child: to start one takes longer than a dataset does
        found = {dataset: _found(asked_of[dataset].path) if dataset in asked_of else None for dataset in outputs}
        asked = [Question(rule, person_no) for rule, numbers in by_household.items() for person_no in numbers]
        return {dataset: _by_household(lines, asked, homes) for dataset, lines in found.items()}


def _homes(persons: Path) -> dict[int, int]:
    return {row["person_no"]: row["household_no"] for row in pq.read_table(persons, columns=HOME).to_pylist()}


def _by_household(found: Found | None, asked: Sequence[Question], homes: Mapping[int, int]) -> Found | None:
    """What a rule says of a household stands under its head, who need not be the one of then."""
    if found is None:
        return None
    lines = dict(found)
    for question in asked:
        lines[question] = [
            line
            for other, own in found.items()
            if other.rule == question.rule and homes[other.person_no] == homes.get(question.person_no)
            for line in own
        ]
    return lines


def _one_dataset(dataset: str, bound: list[BoundRule], persons: Path, households: Path, folder: Path) -> Output | None:
    """What is still to be computed for one dataset's rules; None where its records are no longer kept."""
    batches = inputs.current_batches(HOME_REGION, [dataset])
    if dataset != REGISTRY and (not batches or not all(_kept(batch) for batch in batches)):
        return None
    folder.mkdir()
    matched = {batch.pk: (match_extract(batch, persons, folder / f"{batch.pk}.parquet"),) for batch in batches}
    areas = {batch.pk: batch.area for batch in batches}
    strangers = _strangers(bound, batches, persons, matched, folder)
    files = Inputs(batches=matched, persons=persons, households=households, areas=areas, unmatched=strangers)
    return Output(one_pass(bound, files), folder / "found.parquet", FOUND)


def _found(path: Path) -> Found:
    found: dict[Question, list[str]] = defaultdict(list)
    for row in pq.read_table(path, columns=["rule", "person_no", "evidence"]).to_pylist():
        found[Question(row["rule"], row["person_no"])].append(hashlib.sha256(row["evidence"].encode()).hexdigest())
    return found


def _strangers(
    bound: Sequence[BoundRule],
    batches: Sequence[Batch],
    persons: Path,
    matched: Mapping[int, tuple[Path, ...]],
    folder: Path,
) -> dict[int, tuple[Path, ...]]:
    """The records of nobody registered that stand beside those of these people, as the rules meet them."""
    keys = sorted({item.rule.other.keys for item in bound if item.rule.other is not None and _seeks_strangers(item)})
    if not keys:
        return {}
    files = [path for paths in matched.values() for path in paths]
    return {
        batch.pk: (strangers_extract(batch, persons, files, keys, folder / f"{batch.pk}-nobodys.parquet"),)
        for batch in batches
    }


def _kept(batch: Batch) -> bool:
    return lake().exists(batch.typed)


def _answer(
    case: Case, question: Question, rules: Mapping[str, BoundRule], found: Mapping[str, Found | None]
) -> Reexamined:
    bound = rules.get(question.rule)
    if bound is None:
        return NOT_IN_FORCE
    if _needs_everybody(bound):
        return NOT_ALONE
    of_dataset = found[bound.rule.dataset]
    if of_dataset is None:
        return NO_RECORDS
    evidence = of_dataset.get(question, [])
    new = sorted(set(evidence) - set(case.origin.get("evidence", [])))
    facts: dict[str, JSON] = {
        "rule": bound.rule.id,
        "rule_version": bound.rule.version,
        "records": len(evidence),
        "new": len(new),
    }
    if not evidence:
        return Reexamined(again=False, told=NO_LONGER, facts=facts)
    told = Sentence(
        f"按现有登记和部门记录复算，仍列为疑似（{len(evidence)} 条记录，其中 {len(new)} 条有变化）",
        f"run again over today's data, the rule still fires (records: {len(evidence)}, changed since: {len(new)})",
    )
    return Reexamined(again=True, told=told, contradicts=case.outcome in PUT_RIGHT, facts=facts)
