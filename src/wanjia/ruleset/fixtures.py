"""Running a rule over its own fixtures, through the same SQL a run uses."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from wanjia.engine.duck import DuckDB
from wanjia.lake import parquet
from wanjia.lake.columns import Columns, Type
from wanjia.ruleset.binding import BoundRule, bind
from wanjia.ruleset.errors import FixtureDisagrees
from wanjia.ruleset.rule import Fixture, Rows, Rule
from wanjia.ruleset.steps import Inputs, one_pass
from wanjia.ruleset.vocabulary import HOUSEHOLD, OTHER, Origin, Vocabulary


@dataclass(frozen=True, slots=True)
class FixtureResult:
    """What the rule did on a fixture, beside what it should do."""

    fixture: Fixture
    fired: bool

    @property
    def agrees(self) -> bool:
        return self.fired is self.fixture.fires


def run_fixtures(bound: BoundRule) -> tuple[FixtureResult, ...]:
    """Each fixture as one person with his records in one household, judged by the generated SQL."""
    fixtures = bound.rule.fixtures
    with tempfile.TemporaryDirectory(prefix="wanjia-fixtures-") as folder:
        inputs = _write(bound, Path(folder))
        table = DuckDB(memory_limit="256MB", threads=1).table(one_pass([bound], inputs))
    fired = set(table["person_no"].to_pylist())
    return tuple(FixtureResult(fixture, number in fired) for number, fixture in enumerate(fixtures, start=1))


def check_fixtures(rule: Rule, *, region: str, on: dt.date | None = None) -> tuple[FixtureResult, ...]:
    """Hold a rule to its fixtures, on a day (that of the fixtures, if none is named). Raises FixtureDisagrees."""
    results = run_fixtures(bind(rule, region=region, on=on or rule.fixture_day))
    wrong = [result for result in results if not result.agrees]
    if wrong:
        named = "; ".join(f"{item.fixture.name} ({'fired' if item.fired else 'did not fire'})" for item in wrong)
        raise FixtureDisagrees(file=rule.file, fixtures=named)
    return results


def _write(bound: BoundRule, folder: Path) -> Inputs:
    """Each fixture is person n in household n with his records; what is opposite is person and household -n."""
    rule, base = bound.rule, bound.rule.base
    village = bound.region.ljust(12, "0")
    rows = _Rows({}, {}, {}, [])
    for number, fixture in enumerate(rule.fixtures, start=1):
        keys = dict.fromkeys(base.keys, number)
        rows.person(number, village, fixture.values, "", keys)
        rows.records += [(number, keys, record) for record in fixture.records]
        if rule.other is not None and not fixture.alone:
            theirs = {name: fixture.values.get(OTHER + name) for name in base.columns}
            if rule.other.rows is Rows.MATCHED:
                home = number if HOUSEHOLD in rule.other.keys else OPPOSITE + number
                rows.person(OPPOSITE + number, village, fixture.values, OTHER, keys, home)
                rows.records.append((OPPOSITE + number, keys, theirs))
            else:
                rows.strangers.append((keys, theirs))
    return rows.written(base, folder, bound.region)


OPPOSITE = 1_000_000  # added to a fixture's number: the person on the other side
Values = Mapping[str, Any]


@dataclass(slots=True)
class _Rows:
    """The rows of the files a pass over fixtures reads."""

    persons: dict[int, Values]
    households: dict[int, Values]
    keys: dict[int, Values]
    records: list[tuple[int, Values, Values]]
    strangers: list[tuple[Values, Values]] = field(default_factory=list)

    def person(  # noqa: PLR0913 - who, where, what is said of him, and under which keys
        self, number: int, village: str, values: Values, prefix: str, keys: Values, home: int | None = None
    ) -> None:
        """Add a person and his household, or one more member of a household that is there."""
        named = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
        self.persons[number] = {**named, "household_no": home or number}
        place = values.get(f"{prefix}village_code") or village
        self.households.setdefault(home or number, {**named, "village_code": place})
        self.keys[number] = keys

    def written(self, base: Vocabulary, folder: Path, region: str) -> Inputs:
        persons = [{**values, **self.keys[n], "person_no": n} for n, values in self.persons.items()]
        households = [{**values, "household_no": n} for n, values in self.households.items()]
        records = [
            {"person_no": n, "source_row": row, **keys, **values}
            for row, (n, keys, values) in enumerate(self.records, start=1)
        ]
        nobodys = [{"source_row": row, **keys, **values} for row, (keys, values) in enumerate(self.strangers, start=1)]
        whole, text = Type.INTEGER, Type.TEXT
        # who is the head is asked of every household, whatever the rule reads
        person = {
            "person_no": whole,
            "household_no": whole,
            **base.keys,
            "relation": text,
            "in_household": Type.BOOLEAN,
        }
        record = {"person_no": whole, "source_row": whole, **base.keys}
        return Inputs(
            batches={1: (_table(base, Origin.RECORD, record, records, folder / "record.parquet"),)},
            persons=_table(base, Origin.PERSON, person, persons, folder / "person.parquet"),
            households=_table(
                base,
                Origin.HOUSEHOLD,
                {"household_no": whole, "village_code": text},
                households,
                folder / "household.parquet",
            ),
            areas={1: region},
            unmatched={
                1: (
                    _table(
                        base, Origin.RECORD, {"source_row": whole, **base.keys}, nobodys, folder / "nobodys.parquet"
                    ),
                )
            },
        )


def _table(base: Vocabulary, origin: Origin, own: Columns, rows: Sequence[Values], path: Path) -> Path:
    """The rows as the file has them: a column stands under its own name, whatever rules call it."""
    named = {column.source: (name, column.type) for name, column in base.of(origin).items()}
    columns = {**own, **{source: kind for source, (_, kind) in named.items()}}
    arrays = []
    for source, kind in columns.items():
        name = named[source][0] if source in named else source
        # a key may be a column too: where the fixture gives that no value, it has the key's
        values = [row.get(source) if source in own and row.get(name) is None else row.get(name) for row in rows]
        arrays.append(pa.array([_fitting(value, kind) for value in values], kind.arrow))
    parquet.write(path, pa.Table.from_arrays(arrays, names=list(columns)), columns)
    return path


def _fitting(value: Any, kind: Type) -> Any:
    """A key of whatever type a dataset joins by, made from the fixture's number."""
    return str(value) if kind is Type.TEXT and isinstance(value, int) else value
