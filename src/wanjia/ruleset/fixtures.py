"""Running a rule over its own fixtures, through the same SQL a run uses."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from wanjia.engine.duck import DuckDB
from wanjia.lake import parquet
from wanjia.lake.columns import Columns, Type
from wanjia.ruleset.binding import BoundRule, bind
from wanjia.ruleset.errors import FixtureDisagrees
from wanjia.ruleset.rule import Fixture, Rule
from wanjia.ruleset.steps import Inputs, one_pass
from wanjia.ruleset.vocabulary import Origin


@dataclass(frozen=True, slots=True)
class FixtureResult:
    """What the rule did on a fixture, beside what it should do."""

    fixture: Fixture
    fired: bool

    @property
    def agrees(self) -> bool:
        return self.fired is self.fixture.fires


def run_fixtures(bound: BoundRule) -> tuple[FixtureResult, ...]:
    """Each fixture as one person with one record in one household, judged by the generated SQL."""
    fixtures = bound.rule.fixtures
    with tempfile.TemporaryDirectory(prefix="wanjia-fixtures-") as folder:
        inputs = _write(bound, Path(folder))
        table = DuckDB(memory_limit="256MB", threads=1).table(one_pass([bound], inputs))
    fired = set(table["person_no"].to_pylist())
    return tuple(FixtureResult(fixture, number in fired) for number, fixture in enumerate(fixtures, start=1))


def check_fixtures(rule: Rule, *, region: str, on: dt.date | None = None) -> tuple[FixtureResult, ...]:
    """Hold a rule to its fixtures, on a day (its first, if none is named). Raises FixtureDisagrees."""
    results = run_fixtures(bind(rule, region=region, on=on or rule.valid_from))
    wrong = [result for result in results if not result.agrees]
    if wrong:
        named = "; ".join(f"{item.fixture.name} ({'fired' if item.fired else 'did not fire'})" for item in wrong)
        raise FixtureDisagrees(file=rule.file, fixtures=named)
    return results


def _write(bound: BoundRule, folder: Path) -> Inputs:
    numbers = list(range(1, len(bound.rule.fixtures) + 1))
    own = {"person_no": Type.INTEGER, "source_row": Type.INTEGER}
    person = {"person_no": Type.INTEGER, "household_no": Type.INTEGER}
    household = {"household_no": Type.INTEGER, "village_code": Type.TEXT}
    village = [bound.region.ljust(12, "0")] * len(numbers)
    return Inputs(
        batches={1: (_table(bound, Origin.RECORD, own, [numbers, numbers], folder / "record.parquet"),)},
        persons=_table(bound, Origin.PERSON, person, [numbers, numbers], folder / "person.parquet"),
        households=_table(bound, Origin.HOUSEHOLD, household, [numbers, village], folder / "household.parquet"),
    )


def _table(bound: BoundRule, origin: Origin, base: Columns, values: list[list[int] | list[str]], path: Path) -> Path:
    columns = dict(base)
    arrays = [pa.array(items, kind.arrow) for items, kind in zip(values, base.values(), strict=True)]
    for column in bound.rule.vocabulary.of(origin).values():
        columns[column.source] = column.type
        arrays.append(pa.array([f.values.get(column.name) for f in bound.rule.fixtures], column.type.arrow))
    parquet.write(path, pa.Table.from_arrays(arrays, names=list(columns)), columns)
    return path
