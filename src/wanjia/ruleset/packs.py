"""Finding rule files: every slice may ship `packs/*.yaml`, and the datasets' columns beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from django.apps import apps

from wanjia.ruleset.binding import bind
from wanjia.ruleset.errors import DuplicateRule
from wanjia.ruleset.files import read_rule
from wanjia.ruleset.fixtures import check_fixtures
from wanjia.ruleset.rule import Rule
from wanjia.ruleset.vocabulary import Vocabulary, read_dataset

FOLDER = "packs"
DATASETS = "datasets"


def pack_folders() -> tuple[Path, ...]:
    """The folders of rules that the installed slices ship."""
    folders = (Path(config.path) / FOLDER for config in apps.get_app_configs())
    return tuple(sorted(folder for folder in folders if folder.is_dir()))


def load_rules(folders: Iterable[Path] | None = None, *, region: str = "45") -> tuple[Rule, ...]:
    """Every rule of the packs, ordered by id, each checked in full and held to its fixtures.

    Raises a RuleFileRefused for the first rule that is not in order: a run with half the rules
    would look like a run.
    """
    if folders is None:
        return _shipped(region)
    return _held_to_fixtures(_read(folders, region), region)


def declared_rules(*, region: str = "45") -> tuple[Rule, ...]:
    """The shipped rules as their files declare them, checked but not held to their fixtures.

    For whoever reads in them what a rule offers, what its columns are called, which words it
    counts by; a run takes `load_rules`. Raises a RuleFileRefused as that does.
    """
    return _declared(region)


def _read(folders: Iterable[Path], region: str) -> tuple[Rule, ...]:
    found: dict[str, Rule] = {}
    paths = sorted(folders)
    vocabularies = load_vocabularies(paths)
    for path in (file for folder in paths for file in sorted(folder.glob("*.yaml"))):
        rule = read_rule(path, vocabularies)
        if rule.id in found:
            raise DuplicateRule(file=rule.file, rule=rule.id, other=found[rule.id].file)
        for day in _days_of_change(rule):
            bind(rule, region=region, on=day)
        found[rule.id] = rule
    return tuple(found[name] for name in sorted(found))


def _held_to_fixtures(rules: tuple[Rule, ...], region: str) -> tuple[Rule, ...]:
    for rule in rules:
        check_fixtures(rule, region=region)
    return rules


def load_vocabularies(folders: Iterable[Path]) -> dict[str, Vocabulary]:
    """The datasets whose columns the packs declare, by name."""
    files = (file for folder in folders for file in sorted((folder / DATASETS).glob("*.yaml")))
    return {vocabulary.dataset: vocabulary for vocabulary in map(read_dataset, files)}


def _days_of_change(rule: Rule) -> list[dt.date]:
    """The days from which the rule or one of its values holds: each combination must check."""
    days = {setting.valid_from for parameter in rule.parameters.values() for setting in parameter.settings}
    return sorted(day for day in days | {rule.valid_from} if rule.in_force(day))


# The files ship with the program and do not change while it runs.
@lru_cache(maxsize=4)
def _declared(region: str) -> tuple[Rule, ...]:
    return _read(pack_folders(), region)


@lru_cache(maxsize=4)
def _shipped(region: str) -> tuple[Rule, ...]:
    return _held_to_fixtures(_declared(region), region)
