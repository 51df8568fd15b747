import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wanjia.engine.duck import DuckDB
from wanjia.engine.errors import ComputationFailed, TooExpensive
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.lake import SchemaMismatch, Type, parquet

PEOPLE = {"person_no": Type.INTEGER, "village_code": Type.TEXT, "born_on": Type.DATE}


@pytest.fixture
def people(tmp_path) -> Source:
    rows = pa.table(
        {
            "person_no": pa.array(range(1, 101), pa.int32()),
            "village_code": [f"4512281002{n % 4:02}" for n in range(100)],
            "born_on": [dt.date(1950 + n % 60, 1, 1) for n in range(100)],
        }
    )
    parquet.write(tmp_path / "people.parquet", rows, PEOPLE)
    return Source("people", (tmp_path / "people.parquet",), PEOPLE)


@pytest.fixture
def by_village(people) -> Pipeline:
    elders = Step("elders", "Who is sixty or older?", "select * from {people} where year(born_on) <= 1960", ("people",))
    counts = Step(
        "counts",
        "How many by village?",
        "select village_code, sum(1) as n from {elders} group by 1 order by 1",
        ("elders",),
    )
    return Pipeline([people], [elders, counts])


def test_steps_become_one_statement_that_reads_as_the_questions(by_village):
    statement = by_village.statement()

    assert statement.count("select * from counts") == 1
    assert "-- Who is sixty or older?\nelders as (" in statement
    assert "people.parquet" not in statement  # files are bound, not written into the text


def test_the_answer_is_the_last_step(by_village):
    table = DuckDB(threads=1).table(by_village)

    assert table["village_code"].to_pylist() == [f"4512281002{n:02}" for n in range(4)]
    assert sum(table["n"].to_pylist()) == sum(1 for n in range(100) if n % 60 <= 10)


def test_debugging_shows_each_step_with_its_rows(by_village):
    shown = list(DuckDB(threads=1).debug(by_village, sample=3))

    assert [(step.name, step.question) for step in shown] == [
        ("elders", "Who is sixty or older?"),
        ("counts", "How many by village?"),
    ]
    assert shown[0].rows == 22
    assert shown[0].sample.num_rows == 3


def test_a_sum_is_written_as_a_whole_number(by_village, tmp_path):
    rows = DuckDB(threads=1).write(by_village, tmp_path / "o.parquet", {"village_code": Type.TEXT, "n": Type.BIGINT})

    assert rows == 4
    assert str(pq.read_schema(tmp_path / "o.parquet").field("n").type) == "int64"


@pytest.mark.parametrize(
    "columns",
    [
        {"village_code": Type.TEXT},
        {"village_code": Type.TEXT, "n": Type.BIGINT, "more": Type.TEXT},
        {"village_code": Type.BIGINT, "n": Type.BIGINT},
    ],
)
def test_columns_that_differ_from_the_declared_are_refused(by_village, tmp_path, columns):
    with pytest.raises(SchemaMismatch):
        DuckDB(threads=1).write(by_village, tmp_path / "o.parquet", columns)

    assert not (tmp_path / "o.parquet").exists()


def test_a_fraction_is_never_written(people, tmp_path):
    share = Step("share", "Which share?", "select avg(person_no) as share from {people}", ("people",))
    with pytest.raises(SchemaMismatch) as refused:
        DuckDB(threads=1).write(Pipeline([people], [share]), tmp_path / "o.parquet", {"share": Type.BIGINT})

    assert refused.value.values["found"] == "DOUBLE"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('{folder}/secret.csv')",
        "select * from '{folder}/secret.csv'",
        "select * from glob('/etc/*')",
        "select * from read_parquet('https://example.org/x.parquet')",
    ],
)
def test_only_declared_files_can_be_read(people, tmp_path, sql):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    step = Step(
        "step",
        "What else is there?",
        sql.replace("{folder}", str(tmp_path)) + " where exists (from {people})",
        ("people",),
    )

    with pytest.raises(ComputationFailed):
        DuckDB(threads=1).table(Pipeline([people], [step]))


def test_undeclared_columns_of_a_file_are_not_visible(people):
    narrow = Source("people", people.paths, {"person_no": Type.INTEGER})
    step = Step("step", "Where?", "select village_code from {people}", ("people",))

    with pytest.raises(ComputationFailed):
        DuckDB(threads=1).table(Pipeline([narrow], [step]))


def test_a_step_says_what_it_reads(people):
    with pytest.raises(ValueError, match="declares reads"):
        Step("step", "Who?", "select * from {people}").rendered()
    with pytest.raises(ValueError, match="no earlier step makes"):
        Pipeline([people], [Step("step", "Who?", "select * from {others}", ("others",))])
    with pytest.raises(ValueError, match="used twice"):
        Pipeline([people], [Step("people", "Who?", "select 1")])
    with pytest.raises(ValueError, match="not a name"):
        Source("people; drop", people.paths, PEOPLE)


def test_what_does_not_fit_into_memory_is_refused(people):
    big = Step(
        "big",
        "Everybody with everybody?",
        "select a.person_no, list(b.village_code || c.born_on::text || d.born_on::text) as l"
        " from {people} a, {people} b, {people} c, {people} d group by 1",
        ("people",),
    )
    with pytest.raises(TooExpensive):
        DuckDB(memory_limit="40MB", threads=1).table(Pipeline([people], [big]))
