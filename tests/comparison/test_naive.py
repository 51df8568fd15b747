"""All rules over eight datasets at a thousandth of the province, against the same by hand."""

import json
from collections import Counter

import duckdb
import pyarrow.parquet as pq
import pytest

from bench.comparing import passes, rules_in_force, run_of
from bench.departments import DAY, DEPARTMENTS, STRANGERS, address_of
from bench.region import SNAPSHOT, Sizes, write_region
from tests.comparison.naive import ByHand, said
from wanjia.comparison import findings
from wanjia.lake import Lake


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    store = Lake(tmp_path_factory.mktemp("naive") / "lake")
    write_region(store, 7, Sizes.at(0.001))
    findings.compute(run_of(store, rules_in_force()), rules_in_force(), store)
    return store


def test_the_engine_finds_what_is_found_by_hand(compared):
    table = pq.read_table(compared.path(findings.address_of(1), findings.FILE)).to_pylist()
    found = Counter(
        (row["rule"], row["person_no"], row["dataset"], row["source_row"], said(json.loads(row["evidence"])))
        for row in table
    )
    by_hand = ByHand(
        compared.path(f"registry/snapshot={SNAPSHOT}", "persons.parquet").parent,
        {dataset: compared.path(address_of(dataset, SNAPSHOT), "matched.parquet") for dataset in DEPARTMENTS},
        compared.path(address_of(STRANGERS, SNAPSHOT), "unmatched.parquet"),
        DAY,
    ).findings()

    assert by_rule(found) == by_rule(by_hand)
    assert found == by_hand
    assert {item.rule.id for item in rules_in_force()} == by_rule(found).keys()


def by_rule(found):
    return Counter(item[0] for item in found.elements())


def test_a_rules_share_is_of_the_people_its_own_dataset_covers(compared):
    run = run_of(compared, rules_in_force())
    for batch in run.batches:
        batch["area"] = "4501" if batch["dataset"] == "gongan.deaths" else "45"
    people = findings._people_compared(run, compared)
    persons = pq.read_table(compared.path(f"registry/snapshot={SNAPSHOT}", "persons.parquet")).to_pylist()
    members = [person["village_code"] for person in persons if person["in_household"]]

    assert people["gongan.population"] == people["registry.persons"] == len(members)
    assert people["gongan.deaths"] == sum(code.startswith("4501") for code in members) < len(members)


def test_a_pass_is_one_statement_that_reads_each_file_once(compared):
    rules = rules_in_force()
    for whole in passes(run_of(compared, rules), compared, rules):
        with duckdb.connect() as connection:
            plan = connection.execute(f"explain {whole.statement()}", dict(whole.bindings)).fetchall()
        assert sum(text.count("READ_PARQUET") for _, text in plan) == len(whole.sources)
