"""Absent, aggregate and relation: what each shape sees, over files a reader can count by hand."""

from __future__ import annotations

import copy
import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from tests.ruleset.test_rule_files import RULE, dumped
from wanjia.engine.duck import DuckDB
from wanjia.lake import Type, parquet
from wanjia.ruleset import errors
from wanjia.ruleset.binding import bind
from wanjia.ruleset.fixtures import check_fixtures, run_fixtures
from wanjia.ruleset.packs import load_rules
from wanjia.ruleset.steps import FOUND, Inputs, one_pass

DAY = dt.date(2020, 11, 16)
HERE, NEXT_COUNTY = "451228100200", "451229100200"
DATASET = {
    "dataset": "hukou.people",
    "title": {"zh": "户口", "en": "Hukou"},
    "columns": {
        "status": {"type": "text", "zh": "状态", "en": "status"},
        "amount": {"type": "bigint", "zh": "金额", "en": "amount"},
        "moved_on": {"type": "date", "zh": "迁出日期", "en": "moved on"},
        "their_name": {"type": "text", "source": "name", "zh": "姓名", "en": "name"},
    },
    "keys": {"hukou_no": "text"},
}
SELF = {
    "dataset": "registry.persons", "title": {"zh": "登记", "en": "Registry"}, "columns": {}, "keys": {"person_key": "bigint"},
}  # fmt: skip
ABSENT = {
    "shape": "absent", "dataset": "hukou.people", "measures": None, "parameters": None,
    "record": "status <> '注销'", "when": "in_household and number_valid", "evidence": ["member_status"],
    "explain": {"zh": "户口系统中没有此人", "en": "not in the register"},
    "fixtures": {
        "given": {"in_household": True, "number_valid": True, "member_status": "1", "status": "正常"},
        "cases": [
            {"name": "查无此人", "fires": True, "why": "没有记录"},
            {"name": "只有注销的记录", "records": [{"status": "注销"}], "fires": True, "why": "注销的不算"},
            {"name": "有记录", "records": [{}], "fires": False, "why": "登记在册"},
            {"name": "号码无效", "but": {"number_valid": False}, "fires": False, "why": "另有规则"},
        ],
    },
}  # fmt: skip
SUMS = {
    "shape": "aggregate", "dataset": "hukou.people", "measures": None, "parameters": None, "record": "status = '正常'",
    "totals": {
        "paid": {"zh": "合计", "en": "paid", "how": "sum", "of": "amount"},
        "times": {"zh": "次数", "en": "times", "how": "count"},
        "last": {"zh": "最近", "en": "last", "how": "max", "of": "moved_on"},
    },
    "when": "paid > 100 and times >= 2", "evidence": ["paid", "times", "last"],
    "explain": {"zh": "{times} 次共 {paid}，最近 {last}", "en": "{paid} in {times} payments, last {last}"},
    "fixtures": {
        "given": {"status": "正常", "amount": 60, "moved_on": dt.date(2020, 1, 2), "in_household": True},
        "cases": [
            {"name": "两笔合计超过", "records": [{}, {"amount": 50}], "fires": True, "why": "110 > 100"},
            {"name": "一笔", "fires": False, "why": "只有一次"},
            {"name": "其中一笔注销", "records": [{}, {"amount": 90, "status": "注销"}], "fires": False, "why": "注销的不算"},
            {"name": "没有记录", "records": [], "fires": False, "why": "没有可加的"},
        ],
    },
}  # fmt: skip
PAIR = {
    "shape": "relation", "dataset": "registry.persons", "measures": None, "parameters": None,
    "with": {"rows": "matched", "keys": ["person_key"]},
    "when": "in_household and other_in_household and poverty_status <> '' and other_poverty_status <> ''",
    "evidence": ["other_person_no", "other_household_no", "other_relation"],
    "explain": {"zh": "与 {other_household_no} 户的 {other_person_no} 同号", "en": "same number as {other_person_no} of {other_household_no}"},
    "fixtures": {
        "given": {
            "in_household": True, "other_in_household": True, "poverty_status": "0", "other_poverty_status": "1",
            "other_relation": "01",
        },
        "cases": [
            {"name": "两户同号", "fires": True, "why": "重复"},
            {"name": "对方已不在户", "but": {"other_in_household": False}, "fires": False, "why": "只看在册"},
            {"name": "没有同号的人", "alone": True, "fires": False, "why": "只此一人"},
        ],
    },
}  # fmt: skip
MISSED = {
    "shape": "relation", "per": "household", "dataset": "hukou.people", "measures": None, "parameters": None,
    "with": {"rows": "unmatched", "keys": ["hukou_no"]},
    "when": "in_household and other_status = '正常'", "evidence": ["other_their_name"],
    "explain": {"zh": "同一户口簿上的{other_their_name}没有登记", "en": "{other_their_name} of the same hukou is not registered"},
    "fixtures": {
        "given": {"in_household": True, "status": "正常", "other_status": "正常", "other_their_name": "韦三"},
        "cases": [
            {"name": "漏登", "fires": True, "why": "同户口未登记"},
            {"name": "已注销", "but": {"other_status": "注销"}, "fires": False, "why": "已注销的不补"},
            {"name": "户口簿上没有别人", "alone": True, "fires": False, "why": "没有漏登"},
        ],
    },
}  # fmt: skip


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    (tmp_path / "datasets").mkdir()
    for dataset in (DATASET, SELF):
        (tmp_path / "datasets" / f"{dataset['dataset']}.yaml").write_text(dumped(dataset), encoding="utf-8")
    return tmp_path


def rule(packs: Path, changes: dict, number: str = "RA-90"):
    document = {**copy.deepcopy(RULE), **copy.deepcopy(changes), "id": number}
    document = {key: value for key, value in document.items() if value is not None}
    (packs / f"{number}.yaml").write_text(dumped(document), encoding="utf-8")
    return {item.id: item for item in load_rules([packs])}[number]


def bound(packs: Path, changes: dict, number: str = "RA-90"):
    return bind(rule(packs, changes, number), region="45", on=DAY)


def table(folder: Path, name: str, columns: dict[str, Type], rows: list[dict]) -> Path:
    path = folder / f"{name}.parquet"
    arrays = [pa.array([row.get(column) for row in rows], kind.arrow) for column, kind in columns.items()]
    parquet.write(path, pa.Table.from_arrays(arrays, names=list(columns)), columns)
    return path


class Files:
    """People 1… in households by village, and records, each a dictionary."""

    def __init__(self, folder: Path):
        self.folder, self.people, self.homes, self.records, self.nobodys = folder, [], {}, [], []
        self.areas = {7: "451228"}

    def person(self, home: int, village: str = HERE, **facts) -> int:
        self.homes.setdefault(home, {"household_no": home, "village_code": village, "poverty_status": "0"})
        number = len(self.people) + 1
        usual = {"in_household": True, "id_valid": True, "member_status": "1", "relation": "02", "person_key": number}
        self.people.append({"person_no": number, "household_no": home, **usual, **facts})
        return number

    def record(self, person: int, **facts) -> None:
        usual = {"status": "正常", "amount": 1, "hukou_no": f"H{person}"}
        self.records.append({"person_no": person, "source_row": len(self.records) + 3, **usual, **facts})

    def nobodys_record(self, **facts) -> None:
        self.nobodys.append({"source_row": 900 + len(self.nobodys), "status": "正常", **facts})

    def inputs(self) -> Inputs:
        whole, text, flag = Type.INTEGER, Type.TEXT, Type.BOOLEAN
        said = {"status": text, "amount": Type.BIGINT, "moved_on": Type.DATE, "name": text, "hukou_no": text}
        person = {
            "person_no": whole, "household_no": whole, "person_key": Type.BIGINT, "in_household": flag, "id_valid": flag,
            "member_status": text, "relation": text,
        }  # fmt: skip
        home = {"household_no": whole, "village_code": text, "poverty_status": text}
        records = table(self.folder, "records", {"person_no": whole, "source_row": whole, **said}, self.records)
        nobodys = table(self.folder, "nobodys", {"source_row": whole, **said}, self.nobodys)
        return Inputs(
            batches={7: (records,)},
            persons=table(self.folder, "persons", person, self.people),
            households=table(self.folder, "households", home, list(self.homes.values())),
            areas=self.areas,
            unmatched={7: (nobodys,)},
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def run(rules, files: Files) -> list[dict]:
    rules = rules if isinstance(rules, list) else [rules]
    rows = DuckDB(threads=1).table(one_pass(rules, files.inputs())).to_pylist()
    return sorted(rows, key=lambda row: (row["rule"], row["person_no"], row["source_row"]))


def said(row: dict) -> dict:
    return json.loads(row["evidence"])


def test_somebody_without_a_record_that_counts_is_found(packs, files):
    files.person(1)
    files.record(files.person(2))
    files.record(files.person(3), status="注销")
    files.person(4, id_valid=False)
    found = run(bound(packs, ABSENT), files)
    assert [(row["person_no"], row["household_no"], row["source_row"], row["batch"]) for row in found] == [
        (1, 1, 1, 7),
        (3, 3, 3, 7),
    ]


def test_where_no_delivery_says_anything_silence_means_nothing(packs, files):
    files.person(1)
    files.person(2, village=NEXT_COUNTY)
    assert [row["person_no"] for row in run(bound(packs, ABSENT), files)] == [1]
    files.areas = {}
    assert run(bound(packs, ABSENT), files) == []


def test_sums_are_over_the_records_that_count(packs, files):
    rich, poor, once = files.person(1), files.person(1), files.person(2)
    for amount, day in ((60, 5), (50, 9)):
        files.record(rich, amount=amount, moved_on=dt.date(2020, 3, day))
    files.record(rich, amount=1_000, status="注销")
    files.record(poor, amount=40)
    files.record(poor, amount=40)
    files.record(once, amount=500)
    [found] = run(bound(packs, SUMS), files)
    assert (found["person_no"], found["source_row"]) == (rich, 3)
    assert said(found) == {"paid": 110, "times": 2, "last": "2020-03-09"}


def test_a_households_sum_stands_under_its_head(packs, files):
    files.person(1)
    head = files.person(1, relation="01")
    files.record(1, amount=60, moved_on=dt.date(2020, 1, 2))
    files.record(head, amount=60)
    files.record(files.person(2), amount=60)
    [found] = run(bound(packs, {**SUMS, "per": "household"}), files)
    assert (found["household_no"], found["person_no"], said(found)["paid"]) == (1, head, 120)


def test_one_number_in_two_households_is_one_pair(packs, files):
    files.person(1, person_key=5)
    files.person(2, person_key=5, relation="01")
    files.person(3, person_key=6)
    files.person(4, person_key=None)
    files.person(5, person_key=None)
    [found] = run(bound(packs, PAIR), files)
    assert (found["person_no"], found["batch"]) == (1, 0)
    assert said(found) == {"other_person_no": 2, "other_household_no": 2, "other_relation": "01"}


def test_siblings_of_one_household_under_one_number_may_be_left_out(packs, files):
    files.person(1, person_key=5)
    files.person(1, person_key=5)
    files.person(2, person_key=5)
    apart = {**PAIR, "with": {**PAIR["with"], "households_apart": True}}
    found = run(bound(packs, apart), files)
    assert [(row["person_no"], said(row)["other_person_no"]) for row in found] == [(1, 3), (2, 3)]
    assert len(run(bound(packs, PAIR), files)) == 3


def test_whoever_shares_the_hukou_and_is_not_registered_is_named_once_for_the_household(packs, files):
    for _ in range(3):
        files.record(files.person(1), hukou_no="A")
    files.record(files.person(2), hukou_no="B")
    files.nobodys_record(hukou_no="A", name="韦三")
    files.nobodys_record(hukou_no="A", name="韦四", status="注销")
    files.nobodys_record(hukou_no=None, name="韦五")
    [found] = run(bound(packs, MISSED), files)
    assert (found["household_no"], found["person_no"], said(found)) == (1, 1, {"other_their_name": "韦三"})


def test_a_total_may_narrow_its_records_for_itself(packs, files):
    totals = {
        "gone": {"zh": "注销", "en": "gone", "how": "count", "where": "status = :off"},
        "left_on": {"zh": "日期", "en": "on", "how": "max", "of": "moved_on", "where": "status = :off and amount > 0"},
    }
    values = [{"region": "45", "valid_from": dt.date(2014, 1, 1), "source": "文件", "value": "注销"}]
    values.append({**values[0], "region": "451229", "value": "迁出"})
    changes = {
        **SUMS, "record": None, "totals": totals, "when": "gone = 1", "evidence": ["gone", "left_on"],
        "explain": {"zh": "{gone} {left_on}", "en": "{gone} {left_on}"},
        "parameters": {"off": {"zh": "不在", "en": "off", "values": values}},
        "fixtures": {
            "given": {"status": "注销"},
            "cases": [
                {"name": "注销", "fires": True, "why": "一条"},
                {"name": "正常", "but": {"status": "正常"}, "fires": False, "why": "没有"},
            ],
        },
    }  # fmt: skip
    here, there = files.person(1), files.person(2, village=NEXT_COUNTY)
    files.record(here, status="注销", amount=0, moved_on=dt.date(2020, 5, 1))
    files.record(here, status="正常", moved_on=dt.date(2020, 9, 1))
    files.record(there, status="注销", moved_on=dt.date(2020, 5, 1))
    files.record(there, status="迁出", moved_on=dt.date(2020, 6, 1))
    assert [(row["person_no"], said(row)) for row in run(bound(packs, changes), files)] == [
        (here, {"gone": 1, "left_on": None}),
        (there, {"gone": 1, "left_on": "2020-06-01"}),
    ]
    with pytest.raises(errors.BadExpression):
        rule(packs, {**changes, "totals": {**totals, "gone": {**totals["gone"], "where": "in_household"}}})


APART = {
    **MISSED, "per": "person", "with": {"rows": "matched", "keys": ["household_no"], "both_ways": True},
    "when": "other_relation = '01' and relation <> '01' and amount <> other_amount",
    "evidence": ["relation", "other_amount"], "explain": {"zh": "{relation}", "en": "{other_amount}"},
    "fixtures": {
        "given": {"relation": "03", "other_relation": "01", "amount": 1, "other_amount": 2},
        "cases": [
            {"name": "与户主不同", "fires": True, "why": "不同"},
            {"name": "与户主相同", "but": {"amount": 2}, "fires": False, "why": "相同"},
            {"name": "本人是户主", "but": {"relation": "01"}, "fires": False, "why": "只问成员"},
            {"name": "没有户主", "alone": True, "fires": False, "why": "没有对方"},
        ],
    },
}  # fmt: skip


def test_members_meet_in_their_household_and_the_finding_is_about_the_member(packs, files):
    child, head = files.person(1, relation="03"), files.person(1, relation="01")
    same, other_head = files.person(1, relation="02"), files.person(2, relation="01")
    for person, amount in ((child, 5), (head, 7), (same, 7), (other_head, 9)):
        files.record(person, amount=amount)
    [found] = run(bound(packs, APART), files)
    assert (found["person_no"], said(found)) == (child, {"relation": "03", "other_amount": 7})
    assert all(result.agrees for result in run_fixtures(bound(packs, APART)))


def test_the_day_of_the_run_is_a_value_like_another(packs, files):
    asked = {
        **ABSENT, "record": "moved_on > :as_of",
        "fixtures": {**ABSENT["fixtures"], "day": dt.date(2019, 1, 1), "cases": [
            {"name": "明天才迁出", "records": [{"moved_on": dt.date(2019, 1, 2)}], "fires": False, "why": "还在"},
            {"name": "今天迁出", "records": [{"moved_on": dt.date(2019, 1, 1)}], "fires": True, "why": "已不在"},
        ]},
    }  # fmt: skip
    gone, there = files.person(1), files.person(2)
    files.record(gone, moved_on=DAY)
    files.record(there, moved_on=DAY + dt.timedelta(days=1))
    assert [row["person_no"] for row in run(bound(packs, asked), files)] == [gone]
    assert check_fixtures(rule(packs, asked), region="45")
    values = [{"region": "45", "valid_from": dt.date(2014, 1, 1), "source": "文件", "value": DAY}]
    with pytest.raises(errors.WrongValue):
        rule(packs, {**asked, "parameters": {"as_of": {"zh": "日", "en": "day", "values": values}}})


def test_rules_of_every_shape_share_one_pass_and_agree_with_each_alone(packs, files):
    present = {
        "dataset": "hukou.people", "measures": None, "parameters": None, "when": "amount > 100", "evidence": ["amount"],
        "explain": {"zh": "{amount}", "en": "{amount}"},
        "fixtures": {
            "given": {"amount": 101},
            "cases": [
                {"name": "多", "fires": True, "why": "多"},
                {"name": "少", "but": {"amount": 1}, "fires": False, "why": "少"},
            ],
        },
    }  # fmt: skip
    rules = [
        bound(packs, ABSENT, "RA-90"),
        bound(packs, SUMS, "RA-91"),
        bound(packs, MISSED, "RA-92"),
        bound(packs, present, "RA-93"),
        bound(packs, {**SUMS, "per": "household"}, "RA-94"),
    ]
    for home in range(1, 6):
        files.person(home)
    for person in (1, 1, 2, 3):
        files.record(person, amount=70 * person, hukou_no="A", moved_on=dt.date(2020, 1, person))
    files.nobodys_record(hukou_no="A", name="韦三")
    together = run(rules, files)
    alone = [row for item in rules for row in run(item, files)]
    assert together == alone
    assert {row["rule"] for row in together} == {"RA-90", "RA-91", "RA-92", "RA-93", "RA-94"}
    statement = one_pass(rules, files.inputs()).statement()
    assert statement.count("read_parquet") == 4, "records, strangers, persons and households are each read once"
    assert list(together[0]) == list(FOUND)


def test_a_county_may_count_other_records(packs, files):
    values = [
        {"region": "45", "valid_from": dt.date(2014, 1, 1), "source": "文件", "value": "注销"},
        {"region": "451229", "valid_from": dt.date(2014, 1, 1), "source": "文件", "value": "正常"},
    ]
    parameters = {"gone": {"zh": "不算的状态", "en": "status that does not count", "values": values}}
    files.record(files.person(1))
    files.record(files.person(2, village=NEXT_COUNTY))
    files.areas = {7: "45"}
    asked = {**ABSENT, "parameters": parameters, "record": "status <> :gone"}
    assert [row["person_no"] for row in run(bound(packs, asked), files)] == [2]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({**ABSENT, "when": "status = '正常'"}, errors.BadExpression),
        ({**ABSENT, "record": "in_household"}, errors.BadExpression),
        ({**ABSENT, "per": "household"}, errors.WrongValue),
        ({**ABSENT, "totals": SUMS["totals"]}, errors.WrongValue),
        ({**SUMS, "totals": None}, errors.WrongValue),
        ({**SUMS, "totals": {"paid": {"zh": "合", "en": "s", "how": "sum", "of": "status"}}}, errors.WrongValue),
        ({**SUMS, "totals": {"paid": {"zh": "合", "en": "s", "how": "sum", "of": "nothing"}}}, errors.UnknownEvidence),
        ({**SUMS, "totals": {"amount": {"zh": "合", "en": "s", "how": "count"}}}, errors.WrongValue),
        ({**SUMS, "when": "amount > 1"}, errors.BadExpression),
        ({**SUMS, "per": "household", "when": "paid > 1 and in_household"}, errors.BadExpression),
        ({**PAIR, "with": {"rows": "matched", "keys": ["village_code"]}}, errors.UnknownEvidence),
        ({**PAIR, "with": {"rows": "all", "keys": ["person_key"]}}, errors.WrongValue),
        ({**MISSED, "when": "other_in_household"}, errors.BadExpression),
        ({**MISSED, "with": {**MISSED["with"], "households_apart": True}}, errors.WrongValue),
        ({**MISSED, "with": {**MISSED["with"], "both_ways": True}}, errors.WrongValue),
        ({**MISSED, "with": {**MISSED["with"], "keys": ["household_no"]}}, errors.UnknownEvidence),
        ({"record": "wage > 1", "dataset": "hukou.people"}, errors.WrongValue),
    ],
)
def test_what_a_shape_cannot_mean_is_refused(packs, changes, refusal):
    with pytest.raises(refusal):
        rule(packs, changes)


def test_fixtures_say_what_they_mean(packs):
    results = {item.fixture.name: item.fired for item in run_fixtures(bound(packs, SUMS))}
    assert results == {"两笔合计超过": True, "一笔": False, "其中一笔注销": False, "没有记录": False}


def test_every_shape_is_spoken_by_spark_too(packs, files):
    """The condition of every rule is rendered for both engines; the steps use only what both know."""
    for number, changes in (("RA-90", ABSENT), ("RA-91", SUMS), ("RA-92", MISSED), ("RA-95", PAIR)):
        made = bound(packs, changes, number)
        assert all(zone.condition.spark_sql for zone in made.zones)
        assert "qualify" not in one_pass([made], files.inputs()).statement().lower()
    assert yaml.safe_load(dumped(PAIR))["with"]["keys"] == ["person_key"]
