"""The rows behind feedback, as they were delivered, and whether a later delivery still says the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wanjia.comparison import describing, queries
from wanjia.comparison.documents import RunRule
from wanjia.comparison.feedback.queries import KEEPER
from wanjia.comparison.models import Feedback, WrongRecord
from wanjia.comparison.queries import Finding
from wanjia.intake.contracts import SOURCE_ROW, Reading
from wanjia.lake import NotPublished
from wanjia.ruleset.vocabulary import REGISTRY
from wanjia.scope.errors import NotVisible
from wanjia.scope.stores import lake
from wanjia.sources import queries as sources
from wanjia.sources.contracts import Contract, contracts
from wanjia.sources.models import Batch

KEY, NAME_AGREES = "person_key", "name_agrees"
WORD = re.compile(r"[a-z_][a-z_0-9]*")


@dataclass(frozen=True, slots=True)
class DeliveredRow:
    """A line of a delivery that a finding rests on: the finding's evidence, and `values` by field as they were read.

    `values` are empty if the row is no longer kept.
    """

    batch: int
    source_row: int
    evidence: Mapping[str, Any]
    values: Mapping[str, Any]
    columns: Sequence[str]  # those of the row the rule rests on

    @property
    def person_key(self) -> int | None:
        """Whose number stands on the row."""
        return self.values.get(KEY)

    @property
    def digest(self) -> str:
        """What the row says where it matters; empty for a row that is no longer kept."""
        return digest_of(self.values, self.columns) if self.values and self.columns else ""


def rows_behind(feedback: Feedback) -> list[DeliveredRow]:
    """The delivered rows a feedback is about; none where a missing record was the matter, or the run is not kept."""
    contract = contracts().get(feedback.dataset)
    findings = findings_of([feedback])[feedback.pk]
    if contract is None or not findings:
        return []
    asked, found = _asked_by(feedback, contract), []
    for finding in findings:
        batch = Batch.objects.visible_to(KEEPER).filter(pk=finding.batch, dataset=feedback.dataset).first()
        if batch is not None:
            values = _row(batch, finding.source_row)
            rests_on = {field.name for field in contract.fields if field.keep} & (finding.evidence.keys() | asked)
            # a rule over totals names no column of the row: then all of it counts
            columns = sorted(rests_on & (values or finding.evidence).keys() or contract.by_name.keys() & values.keys())
            found.append(DeliveredRow(batch.pk, finding.source_row, finding.evidence, values, columns))
    return found


def _asked_by(feedback: Feedback, contract: Contract) -> set[str]:
    """The columns of the rule's condition as it ran, which decide about the row beside its evidence."""
    rules = feedback.run.rules if feedback.run is not None else []
    words = {word for rule in rules if rule["id"] == feedback.rule for word in WORD.findall(rule["when"])}
    if NAME_AGREES in words:
        words |= {field.name for field in contract.fields if field.reading is Reading.NAME}
    return words


def findings_of(feedbacks: Sequence[Feedback]) -> dict[int, list[Finding]]:
    """Feedback → what its run found then in rows of its dataset, one look at each run.

    Nothing of a run that is no longer kept, and nothing where no record was the matter: such a
    finding's `source_row` is no line of a file. Their reader was allowed to fetch the feedback.
    """
    rules = describing.rules_by_run(item.run_id for item in feedbacks if item.run_id is not None)
    in_rows = [item for item in feedbacks if _in_rows(rules.get(item.run_id or 0, {}).get(item.rule))]
    wanted: dict[int, set[int]] = {}
    for item in in_rows:
        wanted.setdefault(item.run_id or 0, set()).update(item.findings)
    kept = {run: _numbered(run, numbers) for run, numbers in wanted.items()}
    found: dict[int, list[Finding]] = {item.pk: [] for item in feedbacks}
    for item in in_rows:
        of_run = kept[item.run_id or 0]
        found[item.pk] = [of_run[number] for number in sorted(item.findings) if number in of_run]
    return found


def areas_delivered(feedbacks: Sequence[Feedback]) -> dict[int, str]:
    """Feedback → the area covered by the delivery its run asked, the widest of several.

    Also where that held no record of the person. Left out where the run or the delivery is not kept.
    """
    wanted: dict[int, set[int]] = {}
    for item in feedbacks:
        if item.run_id is not None:
            wanted.setdefault(item.run_id, set()).update(item.findings)
    asked = {run: _numbered(run, numbers) for run, numbers in wanted.items()}
    batches = {
        item.pk: {asked[item.run_id][number].batch for number in item.findings if number in asked[item.run_id]}
        for item in feedbacks
        if item.run_id is not None
    }
    rows = Batch.objects.visible_to(KEEPER).filter(pk__in=set[int]().union(*batches.values()))
    area_of = {number: (dataset, area) for number, dataset, area in rows.values_list("pk", "dataset", "area")}
    found: dict[int, str] = {}
    for item in feedbacks:
        told = [area_of[number] for number in batches.get(item.pk, ()) if number in area_of]
        areas = [area for dataset, area in told if dataset == item.dataset]
        if areas:
            found[item.pk] = min(areas, key=lambda area: (len(area), area))
    return found


def _in_rows(rule: RunRule | None) -> bool:
    return rule is not None and rule.shape != describing.ABSENT and rule.dataset != REGISTRY


def _numbered(run: int, numbers: set[int]) -> dict[int, Finding]:
    try:
        return queries.findings_numbered(describing.BEHIND_A_CASE, run, numbers)
    except (NotVisible, NotPublished):
        return {}


def digest_of(values: Mapping[str, Any], columns: Iterable[str]) -> str:
    """SHA-256 over the values of these columns, by their names."""
    said = {name: None if values[name] is None else str(values[name]) for name in sorted(columns)}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _row(batch: Batch, source_row: int) -> dict[str, Any]:
    found = _read(batch, [(SOURCE_ROW, "=", source_row)])
    return found[0] if found else {}


def _read(batch: Batch, condition: list[tuple[str, str, Any]]) -> list[dict[str, Any]]:
    try:
        paths = sources.typed_paths(batch)
    except NotPublished:
        return []
    tables = [pq.read_table(path, filters=condition) for path in paths]
    return pa.concat_tables(tables).to_pylist() if tables else []


def still_in(batch: Batch, wrong: Sequence[WrongRecord]) -> dict[int, list[int]]:
    """Of records agreed to be wrong (by primary key) the lines on which a later delivery says the same again."""
    later = [item for item in wrong if item.digest and item.person_key is not None and item.batch < batch.pk]
    told = tuple((item.pk, item.person_key, tuple(item.columns), item.digest) for item in later)
    if not told:
        return {}
    try:
        content = lake().read_manifest(batch.typed).content
    except NotPublished:
        return {}
    return dict(_lines(batch.pk, content, told))


Wanted = tuple[int, int | None, tuple[str, ...], str]


@lru_cache(maxsize=256)
def _lines(batch_id: int, content: str, wrong: tuple[Wanted, ...]) -> tuple[tuple[int, list[int]], ...]:
    """What was looked up for one page serves the next: the rows are those of `content`, whoever asks."""
    del content
    batch = Batch.objects.visible_to(KEEPER).get(pk=batch_id)
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in _read(batch, [(KEY, "in", sorted({key for _, key, _, _ in wrong if key is not None}))]):
        rows.setdefault(row[KEY], []).append(row)
    found = []
    for number, key, columns, digest in wrong:
        of_him = [row for row in rows.get(key or 0, ()) if row.keys() >= set(columns)]
        if same := [row for row in of_him if digest_of(row, columns) == digest]:
            found.append((number, sorted(int(row[SOURCE_ROW]) for row in same)))
    return tuple(found)
