"""Whose record is this? Claims about the exact pass, on a real engine."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wanjia.engine.duck import DuckDB
from wanjia.kernel import names
from wanjia.lake import Columns, Type
from wanjia.lake.parquet import write
from wanjia.resolution import steps

TYPED: Columns = {
    "source_row": Type.INTEGER,
    "person_key": Type.BIGINT,
    "name_match": Type.TEXT,
    "plate": Type.TEXT,
}


def resolve(folder: Path, records: list[tuple], people: list[tuple]):
    """(matched rows, unmatched rows) of records (row, key, name, plate) and people (no, key, name)."""
    record_file, person_file = folder / "records.parquet", folder / "persons.parquet"
    write(record_file, _table(records, TYPED), TYPED)
    write(person_file, _table(people, steps.PERSONS), steps.PERSONS)
    engine = DuckDB(threads=1)
    found = engine.table(steps.matched([record_file], person_file, TYPED)).to_pylist()
    strangers = engine.table(steps.unmatched([record_file], person_file, TYPED)).to_pylist()
    return found, strangers


def _table(rows: list[tuple], columns: Columns) -> pa.Table:
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    return pa.table(
        {name: pa.array(list(cells), kind.arrow) for (name, kind), cells in zip(columns.items(), values, strict=True)}
    )


def test_a_record_belongs_to_the_person_who_holds_its_number(tmp_path):
    found, strangers = resolve(tmp_path, [(3, 700, "韦英", "桂M1"), (4, 800, "蓝山", "桂M2")], [(1, 700, "韦英")])

    assert [(row["person_no"], row["source_row"], row["name_agrees"], row["ambiguous"]) for row in found] == [
        (1, 3, True, False)
    ]
    assert found[0]["method"] == "exact"
    assert "person_key" not in found[0]
    assert [row["source_row"] for row in strangers] == [4]
    assert strangers[0]["person_key"] == 800


def test_another_name_under_the_same_number_is_matched_but_does_not_agree(tmp_path):
    found, strangers = resolve(tmp_path, [(3, 700, "陆大海", "桂M1")], [(1, 700, "韦英")])

    assert [(row["person_no"], row["name_agrees"]) for row in found] == [(1, False)]
    assert strangers == []


def test_a_record_without_a_number_is_of_nobody(tmp_path):
    found, strangers = resolve(tmp_path, [(3, None, "韦英", "桂M1")], [(1, None, "韦英"), (2, 5, "韦英")])

    assert found == []
    assert [row["source_row"] for row in strangers] == [3]


def test_of_siblings_under_one_number_the_named_one_owns_the_record(tmp_path):
    found, _ = resolve(tmp_path, [(3, 700, "韦强", "桂M1")], [(1, 700, "韦英"), (2, 700, "韦强")])

    assert [(row["person_no"], row["ambiguous"]) for row in found] == [(2, False)]


def test_of_siblings_under_one_number_and_a_third_name_all_are_kept_as_ambiguous(tmp_path):
    found, _ = resolve(tmp_path, [(3, 700, "陆大海", "桂M1")], [(1, 700, "韦英"), (2, 700, "韦强")])

    assert [(row["person_no"], row["name_agrees"], row["ambiguous"]) for row in found] == [
        (1, False, True),
        (2, False, True),
    ]


def test_one_person_registered_twice_is_ambiguous(tmp_path):
    found, _ = resolve(tmp_path, [(3, 700, "韦英", "桂M1")], [(1, 700, "韦英"), (9, 700, "韦英")])

    assert [(row["person_no"], row["name_agrees"], row["ambiguous"]) for row in found] == [
        (1, True, True),
        (9, True, True),
    ]


def test_the_counts_speak_of_records_not_of_rows(tmp_path):
    people = [(1, 700, "韦英"), (2, 700, "韦强"), (3, 800, "蓝山")]
    records = [(3, 700, "陆大海", "桂M1"), (4, 800, "蓝山", "桂M2"), (5, 900, "黄河", "桂M3")]
    found, _ = resolve(tmp_path, records, people)
    path = tmp_path / "matched.parquet"
    columns = steps.matched_columns(TYPED)
    write(path, _table([tuple(row[name] for name in columns) for row in found], columns), columns)

    counted = DuckDB(threads=1).table(steps.counts(path)).to_pylist()[0]

    assert {name: int(value) for name, value in counted.items()} == {
        "records": 2,
        "matches": 3,
        "name_differs": 1,
        "ambiguous": 1,
    }


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("韦英", "韦英"),
        ("韦?", "韦英"),
        ("韦□", "韦英"),
        ("??", "韦英"),
        ("韦英", "韦英花"),
        ("", "韦英"),
        ("蓝?", "韦英"),
        ("韦\ue001", "韦英"),
    ],
)
def test_sql_and_python_agree_on_which_names_agree(tmp_path, theirs, ours):
    found, _ = resolve(tmp_path, [(3, 700, theirs, "桂M1")], [(1, 700, ours)])

    assert found[0]["name_agrees"] is names.same(theirs, ours)


KEYS = st.one_of(st.none(), st.integers(1, 6))
NAMES = st.sampled_from(["韦英", "韦强", "蓝?"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(st.tuples(KEYS, NAMES), max_size=12),
    people=st.lists(st.tuples(KEYS, NAMES), max_size=8),
)
def test_every_record_is_matched_or_unmatched_and_never_both(tmp_path, records, people):
    numbered = [(row, key, name, f"桂{row}") for row, (key, name) in enumerate(records, start=1)]
    found, strangers = resolve(tmp_path, numbered, [(no, key, name) for no, (key, name) in enumerate(people, start=1)])

    of_somebody = {row["source_row"] for row in found}
    of_nobody = {row["source_row"] for row in strangers}
    assert of_somebody | of_nobody == {row for row, *_ in numbered}
    assert of_somebody & of_nobody == set()
    assert [(row["person_no"], row["source_row"]) for row in found] == sorted(
        (row["person_no"], row["source_row"]) for row in found
    )
    holders = {key for key, _ in people if key is not None}
    assert of_somebody == {row for row, key, *_ in numbered if key in holders}
