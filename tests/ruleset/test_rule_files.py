import copy
import dataclasses
import datetime as dt
import re
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from wanjia.engine.duck import DuckDB
from wanjia.lake import Type, parquet
from wanjia.registry.services.snapshot import PERSONS
from wanjia.ruleset import errors, files, rule, vocabulary
from wanjia.ruleset.binding import bind
from wanjia.ruleset.files import read_rule
from wanjia.ruleset.fixtures import check_fixtures, run_fixtures
from wanjia.ruleset.packs import load_rules, load_vocabularies, pack_folders
from wanjia.ruleset.steps import FOUND, Inputs, one_pass
from wanjia.sources.contracts import contract_for

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rule-files.md"
DAY = dt.date(2020, 11, 16)
RULE = {
    "id": "RA-90",
    "title": {"zh": "收入异常", "en": "Odd income"},
    "shape": "present",
    "per": "person",
    "dataset": "tax.wages",
    "severity": "H",
    "valid_from": dt.date(2014, 1, 1),
    "basis": {"zh": "文件", "en": "Document"},
    "parameters": {
        "limit": {
            "zh": "限额",
            "en": "limit",
            "values": [{"region": "45", "valid_from": dt.date(2014, 1, 1), "source": "文件", "value": 100}],
        }
    },
    "measures": {"extra": {"zh": "超出", "en": "excess", "is": "wage - :limit"}},
    "when": "extra > 0 and in_household",
    "evidence": ["wage", "extra"],
    "explain": {"zh": "工资{wage},超出{extra}", "en": "wage {wage}, {extra} over"},
    "check": [{"zh": "核对单位", "en": "Check the employer"}],
    "outcomes": {"expected": "01", "possible": ["01", "06"]},
    "corrections": ["measure"],
    "plausible": {"permille": 100, "people": 50},
    "fixtures": {
        "given": {"wage": 101, "in_household": True},
        "cases": [
            {"name": "超出", "fires": True, "why": "超过限额"},
            {"name": "正好", "but": {"wage": 100}, "fires": False, "why": "等于限额不算超出"},
        ],
    },
}
DATASET = {
    "dataset": "tax.wages",
    "title": {"zh": "工资", "en": "Wages"},
    "columns": {
        "wage": {"type": "bigint", "zh": "工资", "en": "wage"},
        "employer": {"type": "text", "zh": "单位", "en": "employer"},
        "matching_value": {"type": "text", "zh": "匹配值", "en": "matching value", "evidence": False},
    },
}


class _Plain(yaml.SafeDumper):
    """Writes a value used twice out twice, as a person would."""

    def ignore_aliases(self, data):
        return True


def dumped(document, **how) -> str:
    return yaml.dump(document, Dumper=_Plain, allow_unicode=True, **how)


@pytest.fixture
def packs(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "tax.wages.yaml").write_text(dumped(DATASET))
    return tmp_path


def written(packs: Path, changes: dict | None = None, *, text: str = "", name: str = "RA-90.yaml") -> Path:
    """The rule with some keys set to something else (None takes a key away); dots go down."""
    document = copy.deepcopy(RULE)
    for key, value in (changes or {}).items():
        *parents, last = key.split(".")
        place = document
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    (packs / name).write_text(text or dumped(document), encoding="utf-8")
    return packs


def test_a_rule_file_in_order_is_a_rule(packs):
    (loaded,) = load_rules([written(packs)])

    assert loaded.id == "RA-90"
    assert loaded.title.zh == "收入异常"
    assert loaded.severity is rule.Severity.HIGH
    assert loaded.in_force(DAY)
    assert not loaded.in_force(dt.date(2013, 12, 31))
    assert re.fullmatch("[0-9a-f]{12}", loaded.version)


def test_the_version_is_of_what_the_file_says(packs):
    (first,) = load_rules([written(packs)])
    text = "# a remark\n" + dumped(RULE, sort_keys=False)
    (same,) = load_rules([written(packs, text=text)])
    (other,) = load_rules([written(packs, {"severity": "M"})])

    assert first.version == same.version != other.version


@pytest.mark.parametrize(
    ("changes", "refusal", "key"),
    [
        ({"severty": "H"}, errors.UnknownKey, "severty"),
        ({"title.fr": "x"}, errors.UnknownKey, "title.fr"),
        ({"fixtures.cases": [{"name": "x", "fire": True, "why": "x"}]}, errors.UnknownKey, "fixtures.cases[1].fire"),
        ({"evidence": None}, errors.MissingKey, "evidence"),
        ({"title.en": None}, errors.MissingKey, "title.en"),
        ({"parameters.limit.values": [{"region": "45"}]}, errors.MissingKey, "parameters.limit.values[1].valid_from"),
        ({"shape": "sideways"}, errors.WrongValue, "shape"),
        ({"shape": "aggregate"}, errors.WrongValue, "shape"),
        ({"per": "household"}, errors.WrongValue, "per"),
        ({"severity": "high"}, errors.WrongValue, "severity"),
        ({"id": "ra-90"}, errors.WrongValue, "id"),
        ({"id": "../RA-90"}, errors.WrongValue, "id"),
        ({"veto": "V9"}, errors.WrongValue, "veto"),
        ({"valid_from": "2014-13-01"}, errors.WrongValue, "valid_from"),
        ({"valid_from": dt.datetime(2014, 1, 1)}, errors.WrongValue, "valid_from"),  # noqa: DTZ001 - what YAML yields
        ({"check": []}, errors.WrongValue, "check"),
        ({"check": "look"}, errors.WrongValue, "check"),
        ({"evidence": ["wage", 7]}, errors.WrongValue, "evidence[2]"),
        ({"outcomes.expected": 4}, errors.WrongValue, "outcomes.expected"),
        ({"outcomes.possible": ["06"]}, errors.WrongValue, "outcomes.possible"),
        ({"plausible.permille": 0}, errors.WrongValue, "plausible.permille"),
        ({"plausible.permille": True}, errors.WrongValue, "plausible.permille"),
        ({"parameters.limit.values": []}, errors.WrongValue, "parameters.limit.values"),
        ({"deadline_days": {"assigned": 0}}, errors.WrongValue, "deadline_days.assigned"),
        ({"measures.wage": {"zh": "x", "en": "x", "is": "1"}}, errors.WrongValue, "measures.wage"),
        ({"fixtures.given": {"wage": "101"}}, errors.WrongValue, "fixtures.given.wage"),
        ({"fixtures.cases": [{"name": "x", "fires": "yes", "why": "x"}]}, errors.WrongValue, "fixtures.cases[1].fires"),
        ({"title": "收入异常"}, errors.WrongValue, "title"),
        ({"title.zh": "  "}, errors.WrongValue, "title.zh"),
        ({"when": "extr > 0"}, errors.BadExpression, "when"),
        ({"when": "read_csv('/etc/passwd') is null"}, errors.BadExpression, "when"),
        ({"when": "wage > (select 1)"}, errors.BadExpression, "when"),
        ({"when": "wage > :limt"}, errors.BadExpression, "when"),
        ({"when": "wage"}, errors.BadExpression, "when"),
        ({"when": "wage > '100'"}, errors.BadExpression, "when"),
        ({"measures.extra.is": "wage / 2"}, errors.BadExpression, "measures.extra.is"),
        ({"measures.extra.is": "extra"}, errors.BadExpression, "measures.extra.is"),
        ({"evidence": ["wage", "name"]}, errors.UnknownEvidence, "evidence"),
        ({"evidence": ["wage", "matching_value"]}, errors.UnknownEvidence, "evidence"),
        ({"evidence": ["wage", "wage"]}, errors.UnknownEvidence, "evidence"),
        ({"explain.en": "{employer}"}, errors.UnknownEvidence, "explain"),
        ({"explain.zh": "{wage.__class__}"}, errors.UnknownEvidence, "explain"),
        ({"explain.zh": "{wage!r}"}, errors.UnknownEvidence, "explain"),
        ({"explain.zh": "{}"}, errors.UnknownEvidence, "explain"),
        ({"explain.zh": "{wage"}, errors.WrongValue, "explain"),
        ({"fixtures.given": {"wages": 1}}, errors.UnknownEvidence, "fixtures.given.wages"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_key_and_cure(packs, changes, refusal, key):
    with pytest.raises(refusal) as refused:
        load_rules([written(packs, changes)])

    assert refused.value.values["file"] == "RA-90.yaml"
    assert refused.value.values["key"] == key
    for language in ("zh", "en"):
        assert all(refused.value.sentences(language))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "id: [RA-90",
        "id: RA-90\nid: RA-91",
        "a: &x [1]\nb: *x",
        "a: !!python/object/apply:os.system ['true']",
        "a: !!bool perhaps",
        "a: !!timestamp soon",
        "a: 0x" + "f" * 9_000,
        "a: 1" + ":10" * 9_000,
        "\x00",
        "x" * 300_000,
    ],
)
def test_what_is_no_rule_file_is_refused(packs, text):
    with pytest.raises(errors.NotARuleFile):
        load_rules([written(packs, text=text or " ")])


def test_a_file_in_another_encoding_is_refused(packs):
    (packs / "RA-90.yaml").write_bytes("title: 收入异常".encode("gb18030"))

    with pytest.raises(errors.NotARuleFile):
        load_rules([packs])


def test_an_unknown_key_is_answered_with_the_nearest_one(packs):
    with pytest.raises(errors.UnknownKey) as refused:
        load_rules([written(packs, {"severty": "H"})])

    assert "severity" in refused.value.sentences("zh")[1]


def test_a_dataset_nobody_declared_is_refused(packs):
    with pytest.raises(errors.UnknownDataset) as refused:
        load_rules([written(packs, {"dataset": "tax.wage"})])

    assert "tax.wages" in refused.value.sentences("en")[1]


def test_two_files_cannot_be_one_rule(packs):
    written(packs, name="other.yaml")

    with pytest.raises(errors.DuplicateRule):
        load_rules([written(packs)])


def test_a_dataset_cannot_take_a_name_of_the_registry(packs):
    taken = copy.deepcopy(DATASET)
    taken["columns"]["identified_year"] = {"type": "integer", "zh": "x", "en": "x"}
    (packs / "datasets" / "tax.wages.yaml").write_text(dumped(taken))

    with pytest.raises(errors.WrongValue):
        load_rules([written(packs)])


# -- fixtures ------------------------------------------------------------------------------------


def test_a_rule_that_disagrees_with_its_fixture_is_refused(packs):
    with pytest.raises(errors.FixtureDisagrees) as refused:
        load_rules([written(packs, {"when": "extra >= 0 and in_household"})])

    assert refused.value.values["fixtures"] == "正好 (fired)"


def test_fixtures_show_both_sides(packs):
    cases = [{"name": "超出", "fires": True, "why": "超过限额"}]
    with pytest.raises(errors.FixturesTooFew):
        load_rules([written(packs, {"fixtures.cases": cases})])


def test_a_missing_value_fires_nothing(packs):
    cases = [*RULE["fixtures"]["cases"], {"name": "缺失", "but": {"wage": None}, "fires": False, "why": "未知"}]
    (loaded,) = load_rules([written(packs, {"fixtures.cases": cases})])

    assert [result.fired for result in run_fixtures(bind(loaded, region="45", on=DAY))] == [True, False, False]


# -- parameters ----------------------------------------------------------------------------------


def value(region: str, value: object, valid_from: dt.date = dt.date(2014, 1, 1), **more: object) -> dict:
    return {"region": region, "valid_from": valid_from, "source": "文件", "value": value, **more}


def test_a_county_may_have_a_value_of_its_own(packs, tmp_path):
    values = [value("45", 100), value("451228", 200)]
    (loaded,) = load_rules([written(packs, {"parameters.limit.values": values})])
    bound = bind(loaded, region="45", on=DAY)

    wages = {"451228100200": 150, "451229100200": 150, "451228100201": 201}
    assert fired(bound, tmp_path, wages) == {2, 3}
    rows = DuckDB(threads=1).table(one_pass([bound], inputs(tmp_path, wages))).sort_by("person_no")
    assert rows["evidence"].to_pylist() == ['{"wage":150,"extra":50}', '{"wage":201,"extra":1}']


def test_values_change_with_the_years(packs):
    values = [value("45", 100), value("45", 120, dt.date(2018, 1, 1))]
    (loaded,) = load_rules([written(packs, {"parameters.limit.values": values})])

    used = [bind(loaded, region="45", on=dt.date(year, 6, 1)).zones[-1].values["limit"] for year in (2016, 2018, 2020)]
    assert used == [100, 120, 120]


def test_a_parameter_without_a_value_in_force_is_refused(packs):
    ended = [value("45", 100, valid_to=dt.date(2016, 1, 1))]
    (loaded,) = load_rules([written(packs, {"parameters.limit.values": ended})])

    assert bind(loaded, region="45", on=dt.date(2015, 12, 31))
    with pytest.raises(errors.ParameterNotInForce):
        bind(loaded, region="45", on=dt.date(2016, 1, 1))
    with pytest.raises(errors.ParameterNotInForce):
        bind(loaded, region="52", on=dt.date(2015, 1, 1))


def test_text_with_braces_and_quotes_stays_text(packs, tmp_path):
    odd = "{persons} it's {{x}}"
    changes = {
        "parameters.limit.values": [value("45", odd)],
        "measures": None,
        "when": "employer = :limit and wage > 100",
        "evidence": ["wage", "employer"],
        "explain": {"zh": "{employer}", "en": "{employer}"},
        "fixtures.given": {"wage": 101, "employer": odd},
    }
    (loaded,) = load_rules([written(packs, changes)])

    assert check_fixtures(loaded, region="45")


# -- the pass ------------------------------------------------------------------------------------


def inputs(folder: Path, wages: dict[str, int]) -> Inputs:
    """One person with one record in one household for each village and wage."""
    numbers = pa.array(range(1, len(wages) + 1), pa.int32())
    tables = {
        "record": (
            {"person_no": Type.INTEGER, "source_row": Type.INTEGER, "wage": Type.BIGINT, "employer": Type.TEXT},
            [numbers, numbers, list(wages.values()), ["某公司"] * len(wages)],
        ),
        "person": (
            {"person_no": Type.INTEGER, "household_no": Type.INTEGER, "in_household": Type.BOOLEAN},
            [numbers, numbers, [True] * len(wages)],
        ),
        "household": ({"household_no": Type.INTEGER, "village_code": Type.TEXT}, [numbers, list(wages)]),
    }
    for name, (declared, arrays) in tables.items():
        parquet.write(folder / f"{name}.parquet", pa.table(arrays, names=list(declared)), declared)
    return Inputs({7: (folder / "record.parquet",)}, folder / "person.parquet", folder / "household.parquet")


def fired(bound, folder: Path, wages: dict[str, int]) -> set[int]:
    return set(DuckDB(threads=1).table(one_pass([bound], inputs(folder, wages)))["person_no"].to_pylist())


def test_several_rules_share_one_pass_and_agree_with_each_alone(packs, tmp_path):
    cases = [*RULE["fixtures"]["cases"][:1], {"name": "低", "but": {"wage": 1}, "fires": False, "why": "低"}]
    written(
        packs,
        {"id": "RA-91", "when": "wage > 150", "fixtures.given": {"wage": 160}, "fixtures.cases": cases},
        name="RA-91.yaml",
    )
    bound = [bind(item, region="45", on=DAY) for item in load_rules([written(packs)])]
    wages = {f"4512281002{n:02}": 90 + 10 * n for n in range(10)}
    given = inputs(tmp_path, wages)

    together = DuckDB(threads=1).table(one_pass(bound, given))
    alone = [DuckDB(threads=1).table(one_pass([item], given)) for item in bound]

    order = [("rule", "ascending"), ("person_no", "ascending")]
    assert together.sort_by(order).to_pylist() == pa.concat_tables(alone).sort_by(order).to_pylist()
    assert one_pass(bound, given).statement().count("read_parquet") == 3
    assert together.column_names == list(FOUND)
    assert {row["evidence"] for row in together.to_pylist() if row["rule"] == "RA-90"} == {
        f'{{"wage":{90 + 10 * n},"extra":{10 * n - 10}}}' for n in range(2, 10)
    }


def test_records_that_cannot_fire_are_left_out_before_the_joins(packs, tmp_path):
    (loaded,) = load_rules([written(packs)])
    statement = one_pass([bind(loaded, region="45", on=DAY)], inputs(tmp_path, {"451228100200": 1})).statement()

    candidates = statement[statement.index("candidates as") : statement.index("facts as")]
    assert "wage - 100" in candidates
    assert "in_household" not in candidates


# -- what ships ----------------------------------------------------------------------------------


def test_every_shipped_rule_is_in_order():
    rules = load_rules()

    assert {"RA-02", "RA-02B"} <= {item.id for item in rules}
    for item in rules:
        firing = sum(fixture.fires for fixture in item.fixtures)
        assert firing >= 4, item.id
        assert len(item.fixtures) - firing >= 6, item.id


def test_a_car_is_either_of_before_or_of_after_identification():
    rules = {item.id: item for item in load_rules()}
    before, after = rules["RA-02"], rules["RA-02B"]

    assert (before.severity, before.veto, before.expected_outcome) == ("H", "V4", "04")
    assert (after.severity, after.veto, after.expected_outcome) == ("M", "", "03")
    both = [bind(item, region="45", on=DAY) for item in (before, after)]
    for fixture_rule in both:
        for results in zip(*(run_fixtures(_with_fixtures(item, fixture_rule)) for item in both), strict=True):
            assert sum(result.fired for result in results) <= 1


def _with_fixtures(item, other):
    return dataclasses.replace(item, rule=dataclasses.replace(item.rule, fixtures=other.rule.fixtures))


def test_columns_rules_read_are_columns_the_contract_delivers():
    """What packs/datasets declares must be what intake writes."""
    made_by_resolution = {"name_agrees": Type.BOOLEAN}
    for name, declared in load_vocabularies(pack_folders()).items():
        if name == vocabulary.REGISTRY:
            assert declared.keys.items() <= PERSONS.items()
            continue
        delivered = {**contract_for(name).columns, **made_by_resolution}
        for column in declared.of(vocabulary.Origin.RECORD).values():
            assert delivered[column.source] is column.type
        assert declared.keys.items() <= delivered.items()


def test_the_reference_lists_every_key_and_every_registry_column():
    text = PAGE.read_text(encoding="utf-8")
    table = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    listed = set(re.findall(r"`(\w+)`", " ".join(table)))
    registry = {
        name
        for vocabularies in load_vocabularies(pack_folders()).values()
        for name, column in vocabularies.columns.items()
        if column.origin is not vocabulary.Origin.RECORD
    }

    assert listed == {*files._REQUIRED, *files._OPTIONAL, *registry}


def test_reading_one_file_alone_needs_its_dataset(packs):
    with pytest.raises(errors.UnknownDataset):
        read_rule(written(packs) / "RA-90.yaml", {})
