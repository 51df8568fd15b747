import datetime as dt
import sqlite3

import pyarrow as pa
import pytest

from wanjia.lake import Type, serving

TABLE = serving.ServingTable(
    name="finding",
    columns={"village_code": Type.TEXT, "finding_no": Type.INTEGER, "on_day": Type.DATE, "live": Type.BOOLEAN},
    key=("village_code", "finding_no"),
    indexes=(("finding_no",),),
)


@pytest.fixture
def index(tmp_path):
    rows = pa.table(
        {
            "village_code": ["451228100200", "451228100201"],
            "finding_no": pa.array([2, 1], pa.int32()),
            "on_day": [dt.date(2013, 5, 1), None],
            "live": [True, None],
        }
    )
    serving.build(tmp_path / "x.sqlite", [(TABLE, rows.to_batches())], {"digest": "abc"})
    with serving.connect(tmp_path / "x.sqlite") as connection:
        yield connection
    connection.close()


def test_rows_come_back_as_they_were(index):
    rows = [tuple(row) for row in index.execute("select * from finding")]

    assert rows == [("451228100200", 2, "2013-05-01", 1), ("451228100201", 1, None, None)]
    assert index.execute("select value from fact where name = 'digest'").fetchone()[0] == "abc"


def test_a_range_is_answered_from_the_clustered_order(index):
    plan = index.execute(
        "explain query plan select * from finding where village_code >= '4512' and village_code < '4513'"
    )

    assert "SEARCH finding USING PRIMARY KEY" in plan.fetchone()["detail"]


def test_a_published_index_cannot_be_written(index):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        index.execute("delete from finding")
