"""Contracts are data: checked when loaded, versioned by what they say."""

import pytest
import yaml

from wanjia.intake.layout import find_layout, plain_header
from wanjia.lake import Type
from wanjia.reference.queries import code_list
from wanjia.sources import contracts as module
from wanjia.sources.contracts import contract_for, contracts, read_contract
from wanjia.sources.errors import ContractMalformed, UnknownDataset

SHIPPED = yaml.safe_load((module.FOLDER / "gongan.vehicles.yaml").read_text("utf-8"))


@pytest.fixture
def written(tmp_path):
    def write(document, *, head=""):
        path = tmp_path / "gongan.vehicles.yaml"
        path.write_text(head + yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return read_contract(path)

    return write


def test_every_shipped_contract_is_whole():
    for dataset, contract in contracts().items():
        assert contract.dataset == dataset
        assert contract.title.zh
        assert contract.title.en
        assert all(field.title.zh and field.title.en for field in contract.fields)


def test_typed_rows_hold_no_number_and_no_address():
    columns = contract_for("gongan.vehicles").columns

    assert columns["person_key"] is Type.BIGINT
    assert columns["registered_on"] is Type.DATE
    assert not {"number", "address", "serial"} & columns.keys()


def test_the_version_changes_with_what_is_said_and_with_nothing_else(written):
    shipped = contract_for("gongan.vehicles").version
    assert written(SHIPPED, head="# another comment\n").version == shipped

    changed = {**SHIPPED, "layout": {**SHIPPED["layout"], "header_within": 30}}
    assert written(changed).version != shipped


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"surprise": 1}, "surprise"),
        ({"delivery": {"mode": "daily", "cadence": "-", "coverage": "45"}}, "daily"),
        ({"delivery": {"mode": "full", "cadence": "-", "coverage": "4x"}}, "4x"),
        ({"primaryKey": ["vin"]}, "vin"),
        ({"fields": [*SHIPPED["fields"], SHIPPED["fields"][1]]}, "twice"),
        ({"fields": [{**SHIPPED["fields"][1], "personal": "secret"}]}, "secret"),
        ({"fields": [{**SHIPPED["fields"][1], "constraints": {"minLength": 1}}]}, "minLength"),
        ({"dataset": "gongan.cars"}, "gongan.cars"),
    ],
)
def test_a_wrong_contract_is_refused_and_the_place_named(written, change, named):
    with pytest.raises(ContractMalformed) as refused:
        written({**SHIPPED, **change})
    assert named in str(refused.value)


def test_an_unknown_dataset_is_refused_with_those_there_are():
    with pytest.raises(UnknownDataset) as refused:
        contract_for("gongan.boats")
    assert "gongan.vehicles" in refused.value.sentences("zh")[1]


@pytest.mark.parametrize("dataset", sorted(contracts()))
def test_a_file_is_known_by_its_header_whatever_synonyms_it_uses(dataset):
    contract = contract_for(dataset)
    for names in (lambda f: f.title.zh, lambda f: f.headers[-1]):
        head = ",".join(names(field) for field in contract.fields)
        found = find_layout(f"{contract.title.zh}\n{head}\n", list(contracts().values()))

        assert found.contract.dataset == dataset
        assert not found.missing


def test_no_two_fields_of_a_contract_go_by_one_name():
    for contract in contracts().values():
        names = [
            plain_header(name)
            for field in contract.fields
            for name in {field.name, field.title.zh, field.title.en, *field.headers}
        ]
        assert len(names) == len(set(names)), contract.dataset


def test_every_code_list_a_contract_names_is_reference_data(reference):
    for contract in contracts().values():
        for field in contract.fields:
            assert not field.codes or code_list(field.codes).items, field.codes
