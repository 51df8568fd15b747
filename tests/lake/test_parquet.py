import datetime as dt
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wanjia.lake import SchemaMismatch, Type, parquet


def test_columns_are_written_as_declared_in_their_order(tmp_path):
    columns = {"village_code": Type.BIGINT, "on": Type.DATE, "name": Type.TEXT, "live": Type.BOOLEAN}
    table = pa.table({"live": [True], "name": ["覃"], "on": [dt.date(2015, 12, 31)], "village_code": [450102100200]})

    assert parquet.write(tmp_path / "x.parquet", table, columns) == 1

    schema = pq.read_schema(tmp_path / "x.parquet")
    assert [str(item.type) for item in schema] == ["int64", "date32[day]", "string", "bool"]
    assert pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_sum_made_by_duckdb_stays_a_whole_number(tmp_path):
    table = duckdb.sql("select sum(x) as total from (values (450102100200), (1)) as t(x)").to_arrow_table()

    parquet.write(tmp_path / "x.parquet", table, {"total": Type.BIGINT})

    assert pq.read_table(tmp_path / "x.parquet")["total"].to_pylist() == [450102100201]


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        (pa.array([450102100200.0]), Type.BIGINT),  # a village code that went through a spreadsheet
        (pa.array([2**40]), Type.INTEGER),
        (pa.array(["450102100200"]), Type.BIGINT),
        (pa.array([Decimal("7.50")]), Type.BIGINT),
        (pa.array([1]), Type.TEXT),
        (pa.array(["2015-12-31"]), Type.DATE),
    ],
)
def test_what_would_change_a_value_is_refused(tmp_path, values, declared):
    with pytest.raises(SchemaMismatch) as refused:
        parquet.write(tmp_path / "x.parquet", pa.table({"code": values}), {"code": declared})

    assert refused.value.values["column"] == "code"


def test_missing_and_surplus_columns_are_refused(tmp_path):
    table = pa.table({"a": [1]})
    with pytest.raises(SchemaMismatch):
        parquet.write(tmp_path / "x.parquet", table, {"a": Type.BIGINT, "b": Type.TEXT})
    with pytest.raises(SchemaMismatch):
        parquet.write(tmp_path / "y.parquet", table, {})


def test_row_groups_keep_the_size_asked_for(tmp_path):
    rows = pa.table({"a": range(100)})
    parquet.write(tmp_path / "x.parquet", rows.to_batches(max_chunksize=40), {"a": Type.BIGINT}, row_group=25)

    footer = pq.ParquetFile(tmp_path / "x.parquet").metadata
    assert footer.num_rows == 100
    assert max(footer.row_group(n).num_rows for n in range(footer.num_row_groups)) == 25


def test_a_file_is_checked_against_the_columns_a_reader_needs(tmp_path):
    parquet.write(tmp_path / "x.parquet", pa.table({"a": [1], "b": ["x"]}), {"a": Type.BIGINT, "b": Type.TEXT})

    parquet.check(tmp_path / "x.parquet", {"b": Type.TEXT})
    with pytest.raises(SchemaMismatch):
        parquet.check(tmp_path / "x.parquet", {"b": Type.DATE})
    with pytest.raises(SchemaMismatch):
        parquet.check(tmp_path / "x.parquet", {"c": Type.TEXT})
