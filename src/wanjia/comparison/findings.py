"""From pinned inputs to findings in the lake: one pass per dataset, numbered in canonical order.

`findings.parquet` is ordered by (person_no, rule, dataset, source row, evidence), and that order
gives the numbers. The digest is SHA-256 over one line per finding of exactly these values, so it
depends on no database key and is the same for the same inputs on any installation.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wanjia.comparison import inputs
from wanjia.comparison.inputs import snapshot_address
from wanjia.comparison.models import Run
from wanjia.engine import sandbox
from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.engine.sandbox import Output
from wanjia.kernel.points import reached
from wanjia.lake import Columns, Lake, Type
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.steps import FOUND, one_pass
from wanjia.ruleset.vocabulary import REGISTRY
from wanjia.scope.areas import AreaRange, merged

FILE = "findings.parquet"
MEMORY = "256MB"  # of the engine; with its libraries the child stays under half a gigabyte
COLUMNS: Columns = {"finding_no": Type.INTEGER, **FOUND, "evidence_hash": Type.TEXT}
_CANONICAL = ("person_no", "rule", "dataset", "source_row", "evidence")
_SEPARATOR, _END = "\x1f", "\n"  # neither occurs in JSON text, which escapes them

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one rule found: findings, the people they are about, and their share of those compared."""

    rule: str
    findings: int
    people: int
    permille: int


@dataclass(frozen=True, slots=True)
class Computed:
    """The outcome of a run, as its manifest states it."""

    digest: str
    findings: int
    compared: int  # registered people in the areas the batches cover
    counts: tuple[RuleCount, ...]

    def facts(self) -> dict[str, Any]:
        counts = {c.rule: {"findings": c.findings, "people": c.people, "permille": c.permille} for c in self.counts}
        return {"digest": self.digest, "findings": self.findings, "compared": self.compared, "counts": counts}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Computed:
        counts = tuple(RuleCount(rule, **facts["counts"][rule]) for rule in sorted(facts["counts"]))
        return cls(facts["digest"], facts["findings"], facts["compared"], counts)


def address_of(run_id: int) -> str:
    """Where the lake keeps a run's findings."""
    return f"runs/{run_id}"


def compute(run: Run, bound: Sequence[BoundRule], store: Lake, check: Check | None = None) -> Computed:
    """Write the run's findings to the lake and return what they amount to.

    An earlier attempt that got as far as publishing is taken as it is: its inputs were the same
    pinned ones. `check` is called while the engine works and may raise to stop it.
    """
    address = address_of(run.pk)
    if store.exists(address):
        return Computed.of(dict(store.read_manifest(address).facts))
    with store.publishing(address) as staging:
        path = staging.path(FILE)
        with tempfile.TemporaryDirectory(dir=staging.folder, prefix="parts-") as folder:
            parts = [_one_dataset(run, group, store, Path(folder)) for group in _by_dataset(bound)]
            engine = DuckDB(memory_limit=MEMORY, spill=Path(folder) / "spill")
            sandbox.write([*parts, _numbered([part.path for part in parts], path)], engine=engine, check=check)
            reached("comparison.findings_staged")
        computed = _sum_up(run, path, store)
        staging.manifest.update(_inputs_of(run), **computed.facts())
    return computed


def digest_of(path: Path) -> str:
    """SHA-256 over the canonical lines of a findings file, in its order."""
    digest = hashlib.sha256()
    for lines in _lines(path):
        digest.update(lines)
    return digest.hexdigest()


def _by_dataset(bound: Sequence[BoundRule]) -> Iterator[list[BoundRule]]:
    ordered = sorted(bound, key=lambda item: (item.rule.dataset, item.rule.id))
    for _, group in groupby(ordered, key=lambda item: item.rule.dataset):
        yield list(group)


def _one_dataset(run: Run, bound: list[BoundRule], store: Lake, folder: Path) -> Output:
    return Output(
        one_pass(bound, inputs.files_of(run, bound, store)), folder / f"{bound[0].rule.dataset}.parquet", FOUND
    )


def _numbered(parts: list[Path], path: Path) -> Output:
    order = ", ".join((*_CANONICAL, "batch"))
    numbered = Step(
        name="numbered",
        question="Every finding with its number in canonical order.",
        sql=f"""
            select row_number() over (order by {order}) as finding_no, *, sha256(evidence) as evidence_hash
            from {{found}}
            order by finding_no
        """,  # noqa: S608 - column names of this module
        reads=("found",),
    )
    return Output(Pipeline([Source("found", tuple(parts), FOUND)], [numbered]), path, COLUMNS)


def _lines(path: Path) -> Iterator[memoryview]:
    end, separator = (pa.scalar(text, pa.large_string()) for text in (_END, _SEPARATOR))
    nothing = pa.scalar("", pa.large_string())
    for batch in pq.ParquetFile(path).iter_batches(columns=list(_CANONICAL)):
        texts = [pc.cast(batch.column(name), pa.large_string()) for name in _CANONICAL]
        texts[-1] = pc.binary_join_element_wise(texts[-1], end, nothing)
        lines = pc.binary_join_element_wise(*texts, separator)
        # Arrow keeps the texts of a column end to end: the buffer is the lines as one
        size = pc.sum(pc.binary_length(lines)).as_py() or 0
        if size:
            yield memoryview(lines.buffers()[2])[:size]


def _sum_up(run: Run, path: Path, store: Lake) -> Computed:
    found = Source("found", (path,), COLUMNS)
    by_rule = Step(
        name="by_rule",
        question="How many findings has each rule, about how many people?",
        sql="select rule, count(*) as findings, count(distinct person_no) as people from {found} group by rule",
        reads=("found",),
    )
    rows = DuckDB().table(Pipeline([found], [by_rule])).to_pylist()
    compared = _people_compared(run, store)
    counted = {row["rule"]: row for row in rows}
    counts = [
        RuleCount(
            rule["id"],
            *_figures(counted.get(rule["id"], {"findings": 0, "people": 0}), compared.get(rule["dataset"], 0)),
        )
        for rule in run.rules
    ]
    return Computed(digest_of(path), sum(count.findings for count in counts), compared[REGISTRY], tuple(counts))


def _figures(row: dict[str, Any], compared: int) -> tuple[int, int, int]:
    people = int(row["people"])
    return int(row["findings"]), people, 1000 * people // max(compared, 1)


def _people_compared(run: Run, store: Lake) -> dict[str, int]:
    """Registered members living where the current batches of each dataset say something; of any, for the registry.

    A rule's share is of these: a register of one county says nothing of the other counties' people.
    """
    areas: dict[str, list[str]] = {REGISTRY: [batch["area"] for batch in run.batches]}
    for batch in run.batches:
        areas.setdefault(batch["dataset"], []).append(batch["area"])
    datasets = sorted(areas)
    path = store.path(snapshot_address(run.snapshot), "persons.parquet")
    persons = Source("persons", (path,), {"in_household": Type.BOOLEAN, "village_code": Type.TEXT})
    counts = [
        f"count(*) filter (where {_within(areas[dataset])}) as n_{number}" for number, dataset in enumerate(datasets)
    ]
    counted = Step(
        name="counted",
        question="How many registered people live in the areas the batches cover?",
        sql=f"select {', '.join(counts)} from {{persons}} where in_household",  # noqa: S608 - digits
        reads=("persons",),
    )
    row = DuckDB().table(Pipeline([persons], [counted])).to_pylist()[0]
    return {dataset: int(row[f"n_{number}"]) for number, dataset in enumerate(datasets)}


def _within(areas: Sequence[str]) -> str:
    return " or ".join(_inside(area) for area in merged(map(AreaRange.of, areas)))


def _inside(area: AreaRange) -> str:
    upper = "" if area.hi is None else f" and village_code < '{area.hi}'"
    return f"village_code >= '{area.lo}'{upper}"


def _inputs_of(run: Run) -> dict[str, Any]:
    return {
        "run": run.pk,
        "region": run.region,
        "as_of": run.as_of.isoformat(),
        "snapshot": run.snapshot,
        "snapshot_content": run.snapshot_content,
        "batches": run.batches,
        "rules": run.rules,
    }
