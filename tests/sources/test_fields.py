"""Amounts, counts and days without an end, as departments write them."""

from datetime import date

import pyarrow as pa
import pytest

from wanjia.intake import rules
from wanjia.intake.fields import reader_for
from wanjia.intake.layout import find_layout
from wanjia.sources.contracts import contract_for, contracts


def read(dataset, name, texts, **more):
    field = contract_for(dataset).by_name[name]
    taken = reader_for(field, today=date(2020, 11, 16), keyring=None, **more)(pa.array(texts, pa.string()))
    return taken.columns[name].to_pylist(), [rules.CODES[number] for number in taken.problems]


def test_amounts_are_kept_in_fen():
    values, problems = read("minzheng.dibao", "monthly_amount", ["1,230.50", "420元", "—", "", "0.03万元", "约500"])

    assert values == [123050, 42000, None, None, 30000, None]
    assert problems == ["", "", "", "", "", "amount_unreadable"]


@pytest.mark.parametrize(("header", "unit"), [("认缴出资额", "元"), ("认缴出资额（万元）", "万元")])
def test_the_unit_of_amounts_stands_in_the_header(header, unit):
    contract = contract_for("shichang.enterprises")
    head = ",".join(header if field.name == "capital" else field.title.zh for field in contract.fields)
    layout = find_layout(head + "\n", list(contracts().values()))

    assert layout.unit_of(contract.by_name["capital"]) == unit
    assert layout.unit_said(contract.by_name["capital"]) == ("" if unit == "元" else unit)
    assert read("shichang.enterprises", "capital", ["50"], unit=unit)[0] == [5_000 if unit == "元" else 50_000_000]


def test_counts_are_whole():
    values, problems = read("minzheng.dibao", "persons", ["3", "3.0", "４人", "-", "", "三", "3.5"])

    assert values == [3, 3, 4, None, None, None, None]
    assert problems == ["", "", "", "", "", "number_unreadable", "number_unreadable"]


def test_a_certificate_may_be_valid_for_ever():
    values, problems = read("canlian.certificates", "expires_on", ["2030年1月1日", "长期", "2099-12-31", "", "以后"])

    assert values == [date(2030, 1, 1), None, None, None, None]
    assert problems == ["", "", "", "", "date_unreadable"]
