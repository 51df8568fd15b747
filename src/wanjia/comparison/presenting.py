"""Runs and findings as pages show them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from wanjia.casework import queries as casework
from wanjia.comparison import describing, queries
from wanjia.comparison.choices import Handling
from wanjia.comparison.handling import Handled, Listed
from wanjia.comparison.models import Run
from wanjia.comparison.queries import Filters, Finding
from wanjia.resolution import queries as resolution
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries as sources
from wanjia.sources.contracts import contracts

NEXT_LEVEL = {0: 4, 2: 4, 4: 6, 6: 9, 9: 12}
KIND = "suspect"
TONES = {Handling.NEW: "new", Handling.ISSUED: "done", Handling.AT_WORK: "waiting", Handling.ANSWERED: "muted"}


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule with what it found, and how often its findings held when somebody went to look."""

    id: str
    title: str
    severity: str
    veto: str
    count: int
    share: float | None
    held: int
    answered: int
    current: bool


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding in the list."""

    finding: Finding
    name: str
    rule: str
    handled: str
    tone: str
    case_no: int | None  # where the reader may open it


@dataclass(frozen=True, slots=True)
class DataLine:
    """A batch a run stood on: how many of its records are about registered people, and how many used to be."""

    batch: int
    title: str
    records: int
    matched: int
    share: float
    before: float | None  # the same share of the batch before it
    withdrawn: bool  # since the run was made
    fallen: bool  # to less than half of what it was: the wrong file, or another county's


def data_lines(run: Run, language: str, gone: Collection[int]) -> list[DataLine]:
    """What a run was made from, `gone` withdrawn since. Two queries; counts only, nobody in particular."""
    batches = [int(item["batch"]) for item in run.batches]
    rows = resolution.resolutions_against(batches, run.snapshot)
    earlier = resolution.resolutions_before({row.dataset for row in rows}, batches)
    known = contracts()
    lines = []
    for row in rows:
        before = earlier[row.dataset].share if row.dataset in earlier else None
        lines.append(
            DataLine(
                batch=row.batch_id,
                title=known[row.dataset].title.text(language) if row.dataset in known else row.dataset,
                records=row.records,
                matched=row.matched,
                share=row.share,
                before=before,
                withdrawn=row.batch_id in gone,
                fallen=before is not None and row.share * 2 < before,
            )
        )
    return lines


def withdrawn_since(runs: Sequence[Run]) -> dict[int, list[int]]:
    """The batches each run stood on that were withdrawn afterwards, by run."""
    used = {run.pk: [int(item["batch"]) for item in run.batches] for run in runs}
    gone = sources.withdrawn(system_viewer("comparison.inputs"), {batch for each in used.values() for batch in each})
    return {run: [batch for batch in each if batch in gone] for run, each in used.items()}


def rule_lines(viewer: Viewer, run: Run, filters: Filters, language: str) -> list[RuleLine]:
    """The rules of a run, most findings first."""
    counts = queries.rule_counts(viewer, run, filters.area)
    verdicts = casework.verdicts(viewer, KIND, filters.area)
    lines = []
    for rule in queries.rules_of(run).values():
        told = verdicts.get(rule.id)
        lines.append(
            RuleLine(
                id=rule.id,
                title=rule.title.text(language),
                severity=rule.severity,
                veto=rule.veto,
                count=counts.get(rule.id, 0),
                share=told.share if told else None,
                held=told.held if told else 0,
                answered=told.answered if told else 0,
                current=rule.id == filters.rule,
            )
        )
    return sorted(lines, key=lambda line: (-line.count, line.id))


def finding_rows(run: Run, listed: Listed, language: str) -> list[FindingRow]:
    """The findings of a page with how they were handled; names masked, as in every list."""
    names = describing.masked_names(item.person_no for item in listed.items)
    rules = queries.rules_of(run)
    rows = []
    for item in listed.items:
        told = listed.handled[item.finding_no]
        rows.append(
            FindingRow(
                finding=item,
                name=names.get(item.person_no, ""),
                rule=rules[item.rule].title.text(language),
                handled=handled_in_words(told),
                tone=TONES[told.how],
                case_no=told.case_no if told.readable else None,
            )
        )
    return rows


def handled_in_words(told: Handled) -> str:
    """How a finding was handled; what was issued in another run names its case to who may open it."""
    if told.readable and told.how in (Handling.AT_WORK, Handling.ANSWERED):
        named = _("在办（核查件 %(no)s）") if told.how == Handling.AT_WORK else _("已答复（核查件 %(no)s）")
        return named % {"no": told.case_no}
    return str(told.how.label)


def parts(viewer: Viewer, run: Run, filters: Filters) -> list[tuple[str, int]]:
    """The next level below the area looked at, with its findings, most first."""
    level = NEXT_LEVEL.get(len(filters.area or viewer.home_area))
    if level is None:
        return []
    counts = queries.area_counts(viewer, run, level, filters.area, filters.rule)
    return sorted(((code, n) for code, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0]))
