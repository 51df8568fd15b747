import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import parse_one

from wanjia.engine import sandbox
from wanjia.engine.dialect import Checked, check_condition
from wanjia.engine.duck import DuckDB
from wanjia.engine.errors import ComputationFailed, TooExpensive
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.lake import Type, parquet

pytestmark = pytest.mark.one_database

COLUMNS = {"income": Type.BIGINT, "name": Type.TEXT}
ROWS = pa.table({"income": [1, 5, None, 9], "name": ["甲", "乙", "丙", "丁"]})
QUICK = sandbox.Limits(memory_bytes=2 * 2**30, cpu_seconds=2, wall_seconds=8, file_bytes=0, open_files=32)


def smuggled(sql: str) -> Checked:
    """SQL that the dialect would never let through, to see what the process does about it."""
    return Checked(parse_one(sql, read="duckdb"), Type.BOOLEAN, frozenset({"income"}), frozenset())


def test_a_preview_says_which_rows_fire():
    preview = sandbox.preview(check_condition("income > 3", COLUMNS), ROWS)

    assert preview == sandbox.Preview(rows=4, fired=(1, 3))


def test_a_condition_without_columns_still_counts_the_rows():
    assert sandbox.preview(check_condition("true", COLUMNS), ROWS).fired == (0, 1, 2, 3)


def test_only_the_named_columns_enter_the_child():
    with pytest.raises(ComputationFailed):
        sandbox.preview(smuggled("name = '甲'"), ROWS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "attack",
    [
        "length(repeat('x', 3000000000)) > income",
        "(select count(*) from range(100000000000) a, range(100000000000) b) > income",
        "(with recursive t as (select 1 as n union all select n + 1 from t) select max(n) from t) > income",
        "len(range(2000000000)) > income",
    ],
)
def test_an_attack_ends_within_its_limits(attack):
    began = time.monotonic()
    with pytest.raises(TooExpensive):
        sandbox.preview(smuggled(attack), ROWS, limits=QUICK)

    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "attack",
    ["(select content from read_text('/etc/passwd')) = ''", "getenv('PATH') = ''", "(select 1 from '/tmp/x.csv') = 1"],
)
def test_the_child_sees_no_file_and_no_environment(attack):
    with pytest.raises(ComputationFailed):
        sandbox.preview(smuggled(attack), ROWS)


def pipeline(tmp_path, sql: str) -> Pipeline:
    parquet.write(tmp_path / "x.parquet", pa.table({"a": list(range(1_000))}), {"a": Type.BIGINT})
    source = Source("numbers", (tmp_path / "x.parquet",), {"a": Type.BIGINT})
    return Pipeline([source], [Step("answer", "Which?", sql, ("numbers",))])


def output(computed: Pipeline, tmp_path) -> sandbox.Output:
    return sandbox.Output(computed, tmp_path / "o.parquet", {"a": Type.BIGINT})


def test_a_run_writes_its_one_file(tmp_path):
    few = pipeline(tmp_path, "select a from {numbers} where a >= 990 order by a")

    assert sandbox.write([output(few, tmp_path)]) == [10]


def test_a_cancelled_run_is_stopped(tmp_path):
    class CancelledError(Exception):
        pass

    def check() -> None:
        raise CancelledError

    endless = pipeline(
        tmp_path, "select sum(x.a * y.a * z.a)::bigint as a from {numbers} x, {numbers} y, {numbers} z, {numbers} w"
    )
    began = time.monotonic()
    with pytest.raises(CancelledError):
        sandbox.write([output(endless, tmp_path)], check=check)

    assert time.monotonic() - began < 10


def test_a_fault_of_the_engine_is_told_as_one(tmp_path):
    wrong = pipeline(tmp_path, "select a, no_such_function(a) as b from {numbers}")
    with pytest.raises(ComputationFailed) as refused:
        sandbox.write([output(wrong, tmp_path)])

    assert "no_such_function" in str(refused.value)


def test_a_later_output_reads_what_an_earlier_one_wrote(tmp_path):
    few = output(pipeline(tmp_path, "select a from {numbers} where a >= 990"), tmp_path)
    source = Source("few", (few.path,), {"a": Type.BIGINT})
    total = Pipeline([source], [Step("total", "How much?", "select sum(a) as a from {few}", ("few",))])

    assert sandbox.write([few, sandbox.Output(total, tmp_path / "t.parquet", {"a": Type.BIGINT})]) == [10, 1]
    assert pq.read_table(tmp_path / "t.parquet")["a"].to_pylist() == [sum(range(990, 1_000))]


def test_more_rows_than_memory_are_sorted_on_disk_or_refused(tmp_path):
    wide = "select a.a * 1000 + b.a as a, repeat('x', 100) || b.a as t from {numbers} as a, {numbers} as b order by t, 1 desc"
    big = pipeline(tmp_path, f"select a from ({wide})")
    with pytest.raises(TooExpensive) as refused:
        sandbox.write([output(big, tmp_path)], engine=DuckDB(memory_limit="60MB", threads=1))
    assert refused.value.values["limit"] == "60MB"

    spilling = DuckDB(memory_limit="60MB", threads=1, spill=tmp_path / "spill")
    (tmp_path / "o.parquet").unlink(missing_ok=True)
    assert sandbox.write([output(big, tmp_path)], engine=spilling) == [1_000_000]
