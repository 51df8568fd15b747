import datetime as dt
import re
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.engine import dialect
from wanjia.engine.dialect import check, check_condition
from wanjia.engine.errors import (
    ExpressionRefused,
    ForbiddenConstruct,
    NotAnExpression,
    TooLong,
    TypesDiffer,
    UnknownColumn,
    UnknownParameter,
)
from wanjia.lake import Type

COLUMNS = {
    "vehicle_kind": Type.TEXT,
    "vehicle_status": Type.TEXT,
    "registered_on": Type.DATE,
    "identified_year": Type.INTEGER,
    "income": Type.BIGINT,
    "in_household": Type.BOOLEAN,
}
PARAMETERS = {
    "kinds": ["普通二轮摩托车", "轻便二轮摩托车"],
    "limit": 3_000_000,
    "since": dt.date(2016, 1, 1),
    "status": "正常",
}
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "dialect.md"

GOOD = [
    "vehicle_status = '正常' and vehicle_kind not in :kinds and year(registered_on) <= identified_year",
    "vehicle_status = :status",
    "in_household",
    "not in_household or income is null",
    "income > :limit",
    "income between 1 and 2 * :limit",
    "registered_on >= :since",
    "registered_on < date '2015-12-31'",
    "coalesce(income, 0) - abs(-5) > 0",
    "case when in_household then income else 0 end > 100",
    "date_diff('day', registered_on, date '2020-11-16') > 365",
    "starts_with(vehicle_kind, '小型') or ends_with(vehicle_kind, '货车') or contains(vehicle_kind, '客')",
    "length(vehicle_kind) > 3 and month(registered_on) = 12 and day(registered_on) = 31",
    "(in_household is true) and (vehicle_kind is not null)",
    "identified_year in (2015, 2016)",
    "income + 1 <> income * 2",
]

HOSTILE = [
    # files, network and settings
    "read_csv('/etc/passwd') = ''",
    "exists (select 1 from read_parquet('/etc/passwd'))",
    "(select content from read_text('/etc/passwd')) = ''",
    "income > (select 1)",
    "income in (select 1)",
    "income = any(select 1)",
    "getenv('HOME') = ''",
    "current_setting('memory_limit') = ''",
    "current_date > registered_on",
    "now() > registered_on",
    "current_user = ''",
    "version() = ''",
    "query('select 1') = 1",
    "query_table('t') = 1",
    "pg_sleep(10) is null",
    # statements
    "in_household; drop table finding",
    "in_household; select 1",
    "drop table finding",
    "select 1",
    "in_household union select 1",
    "copy finding to '/tmp/x'",
    "attach '/tmp/x' as y",
    "install httpfs",
    "load json",
    "set memory_limit = '100GB'",
    "pragma database_list",
    "explain in_household",
    "call pragma_version()",
    "create table x as select 1",
    "with x as (select 1) select * from x",
    "from read_csv('/etc/passwd')",
    # comments and quoting
    "in_household -- and not exempt",
    "in_household /* and not exempt */",
    "in_household # and not exempt",
    "vehicle_kind = 'x\\' or 1 = 1'",
    '"in_household"',
    "main.finding.in_household",
    "f.in_household",
    "*",
    "columns('.*')",
    "f.*",
    # memory and time
    "repeat('x', 3000000000) = ''",
    "length(list_aggregate(range(200000000), 'sum')) > 0",
    "range(200000000) is null",
    "printf('%2000000000d', 1) = ''",
    "rpad('x', 2000000000, 'x') = ''",
    "regexp_matches(vehicle_kind, '(a+)+$')",
    "generate_series(1, 1000000000) is null",
    # what engines do differently
    "vehicle_kind like '%车'",
    "vehicle_kind ilike '%车'",
    "vehicle_kind similar to '车'",
    "vehicle_kind ~ '车'",
    "vehicle_kind glob '*'",
    "income / 2 > 1",
    "income // 2 > 1",
    "income % 2 = 1",
    "income ** 2 > 1",
    "income & 1 = 1",
    "income << 2 > 1",
    "1.5 > income",
    "1e5 > income",
    "0x10 > income",
    "income::text = '1'",
    "cast(income as text) = '1'",
    "try_cast(vehicle_kind as date) is null",
    "substr(vehicle_kind, 0, 1) = ''",
    "lower(vehicle_kind) = ''",
    "trim(vehicle_kind) = ''",
    "vehicle_kind || 'x' = ''",
    "registered_on + interval 1 day > registered_on",
    "date_diff('month', registered_on, registered_on) > 1",
    "date_trunc('month', registered_on) = registered_on",
    "levenshtein(vehicle_kind, '车') < 2",
    "hash(vehicle_kind) > 0",
    "random() > 0",
    "if(in_household, 1, 2) = 1",
    "case when in_household then 1 end = 1",
    "case income when 1 then 2 else 3 end = 2",
    # shapes that are no condition on one row
    "count(*) > 1",
    "sum(income) > 1",
    "row_number() over () = 1",
    "max(income) over (partition by vehicle_kind) = income",
    "list_filter([1], lambda x: x > 0) is null",
    "[1, 2, 3] is null",
    "{'a': 1} is null",
    "struct_pack(a := 1) is null",
    "income[1] = 1",
    "(income, identified_year) = (1, 2)",
    "income is distinct from 1",
    "income = $1",
    "income = ?",
    "income = @limit_",
    "unnest([1]) = 1",
    "vehicle_kind collate nocase = ''",
    "registered_on at time zone 'UTC' is null",
    "in_household order by 1",
    "in_household limit 1",
    "in_household as x",
    # sizes and nonsense
    "(" * 3_000 + "in_household" + ")" * 3_000,
    " or ".join(["in_household"] * 150),
    "in_household and " * 200 + "in_household",
    "",
    "   ",
    "and",
    "income >",
    "income = 99999999999999999999",
    "vehicle_kind = 'x\x00y'",
    "\ufeff\u202ein_household",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_a_rule_needs_is_accepted_and_runs(text):
    condition = check_condition(text, COLUMNS, PARAMETERS)
    kinds = ", ".join(f"cast(null as {kind.sql}) as {name}" for name, kind in COLUMNS.items())

    assert duckdb.sql(f"select count(*) from (select {kinds}) where {condition.sql}").fetchall() is not None
    assert ":" not in condition.sql
    assert condition.spark_sql


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_else_is_accepted(text):
    with pytest.raises(ExpressionRefused) as refused:
        check_condition(text, COLUMNS, PARAMETERS)

    for language in ("zh", "en"):
        assert all(refused.value.sentences(language))
    assert len(HOSTILE) >= 50


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("regestered_on is null", UnknownColumn),
        ("income > :limt", UnknownParameter),
        ("lower(vehicle_kind) = 'x'", ForbiddenConstruct),
        ("frobnicate(income) = 1", ForbiddenConstruct),
        ("income = '1'", TypesDiffer),
        ("registered_on > '2015-12-31'", TypesDiffer),
        ("registered_on > date '2015-02-30'", TypesDiffer),
        ("vehicle_kind in :limit", TypesDiffer),
        ("income in :kinds", TypesDiffer),
        ("income + 1", TypesDiffer),
        ("vehicle_kind", TypesDiffer),
        ("income and in_household", TypesDiffer),
        ("coalesce(income, 'x') = 1", TypesDiffer),
        ("x" * 2_001, TooLong),
        ("income > and 1", NotAnExpression),
    ],
)
def test_the_refusal_names_what_is_wrong(text, refusal):
    with pytest.raises(refusal):
        check_condition(text, COLUMNS, PARAMETERS)


def test_an_unknown_column_is_answered_with_the_nearest_names():
    with pytest.raises(UnknownColumn) as refused:
        check("regestered_on is null", COLUMNS)

    assert "registered_on" in refused.value.sentences("zh")[1]


def test_the_text_itself_never_reaches_the_engine():
    """`@income` is legal for abs(income); what runs is what the checked tree says."""
    assert check_condition("@income>1   AND in_household", COLUMNS).sql == "ABS(income) > 1 AND in_household"


@given(
    st.one_of(
        st.text(st.characters(exclude_characters="\x00"), max_size=40),
        st.integers(-(2**63), 2**63 - 1),
        st.dates(),
        st.booleans(),
    )
)
def test_a_bound_value_is_that_value_whatever_it_contains(value):
    kind = dialect.type_of_value(value)
    condition = check_condition("c = :value", {"c": kind}, {"value": value})
    rows = pa.table({"c": pa.array([value], kind.arrow)})  # noqa: F841 - DuckDB finds it by name

    assert duckdb.sql(f"select count(*) from rows where {condition.sql}").fetchall() == [(1,)]


@given(st.text(max_size=60))
def test_any_text_is_accepted_or_refused_but_never_breaks_the_checker(text):
    with suppress(ExpressionRefused):
        assert check(text, COLUMNS, PARAMETERS).sql


def test_parts_joined_by_and_can_be_judged_apart():
    condition = check_condition("(in_household and income > 1) and (vehicle_kind = 'x' or income = 2)", COLUMNS)

    assert [part.sql for part in condition.conjuncts] == [
        "in_household",
        "income > 1",
        "vehicle_kind = 'x' OR income = 2",
    ]
    assert [sorted(part.columns) for part in condition.conjuncts] == [
        ["in_household"],
        ["income"],
        ["income", "vehicle_kind"],
    ]


def test_columns_and_parameters_in_use_are_known():
    condition = check_condition("income > :limit and in_household", COLUMNS, PARAMETERS)

    assert condition.columns == {"income", "in_household"}
    assert condition.parameters == {"limit"}


def test_the_reference_lists_exactly_what_is_allowed():
    listed = re.findall(r"^\| `(.+?)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert listed == [rule.spelling for rule in dialect.ALLOWED.values()]
    for size in (dialect.MAX_CHARACTERS, dialect.MAX_PARENTHESES, dialect.MAX_NODES, dialect.MAX_LIST):
        assert f"{size:,}" in PAGE.read_text(encoding="utf-8")
