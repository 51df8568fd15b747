"""The serving index of a run: findings clustered as pages list them, and counts by area.

Built once from `findings.parquet`, then immutable. Clustered by (village, rule, number), so a
village range is one walk; a second order serves lists of one rule. Counts per rule are kept for
every level, so no page counts findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from wanjia.comparison.findings import COLUMNS, FILE, address_of
from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.lake import AlreadyPublished, Columns, Lake, Type, serving

LEVELS = (4, 6, 9, 12)  # code lengths: city, county, township, village
_COUNT: Columns = {"level": Type.INTEGER, "area": Type.TEXT, "rule": Type.TEXT, "findings": Type.INTEGER}

FINDING = serving.ServingTable(
    name="finding",
    columns=COLUMNS,
    key=("village_code", "rule", "finding_no"),
    indexes=(("rule", "village_code", "finding_no"), ("finding_no",), ("household_no",), ("person_no",)),
)
COUNT = serving.ServingTable(name="count", columns=_COUNT, key=("level", "area", "rule"))


def address_of_index(run_id: int) -> str:
    return f"serving/findings@run-{run_id}.sqlite"


def build(run_id: int, store: Lake) -> None:
    """Make the run's index if it is not there yet."""
    address = address_of_index(run_id)
    if store.exists(address):
        return
    manifest = store.read_manifest(address_of(run_id))
    path = store.path(address_of(run_id), FILE)
    facts = {"run": str(run_id), "digest": str(manifest.facts["digest"])}
    try:
        with store.publishing_file(address) as target:
            # spilling beside the index: three million rows with their evidence need not fit into memory
            engine = DuckDB(spill=target.parent / "spill")
            tables = [(FINDING, _clustered(engine, path)), (COUNT, _counted(engine, path))]
            serving.build(target, tables, facts)
    except AlreadyPublished:
        return  # another worker took the run over and was faster; what it made is the same


def _clustered(engine: DuckDB, path: Path) -> Iterator[pa.RecordBatch]:
    step = Step(
        name="clustered",
        question="Findings in the order in which pages list them.",
        sql="select * from {found} order by village_code, rule, finding_no",
        reads=("found",),
    )
    return engine.batches(Pipeline([Source("found", (path,), COLUMNS)], [step]))


def _counted(engine: DuckDB, path: Path) -> Iterator[pa.RecordBatch]:
    parts = [
        f"select {level} as level, village_code[1:{level}] as area, rule, count(*) as findings"  # noqa: S608 - our numbers
        " from {found} group by all"
        for level in LEVELS
    ]
    step = Step(
        name="counted",
        question="How many findings has each rule in each area?",
        sql=" union all ".join(parts) + " order by level, area, rule",
        reads=("found",),
    )
    return engine.batches(Pipeline([Source("found", (path,), COLUMNS)], [step]))
