import datetime as dt

import pytest
from django.urls import reverse

from tests.factories import accounts as factory
from wanjia.reference import queries

NEW = {"value": "10", "region": "45", "valid_from": "2020-11-16", "source": "桂扶领办发〔2020〕9号"}


@pytest.fixture
def administrator(policy):
    return factory.client_for(factory.account("data-45", "province_data_officer", "45"))


@pytest.fixture
def stranger(policy):
    return factory.client_for(factory.account("nobody-1"))


PAGES = ["parameters", "lines", "codes", "phases"]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_policy_is_shown_with_validity_and_source(administrator, language):
    administrator.post(reverse("accounts:language"), {"language": language})
    pages = {name: administrator.get(reverse(f"reference:{name}")) for name in PAGES}
    pages["parameter"] = administrator.get(reverse("reference:parameter", args=["suspects.days.assigned"]))
    pages["code_list"] = administrator.get(reverse("reference:code_list", args=["poverty_cause"]))

    assert {page.status_code for page in pages.values()} == {200}
    text = pages["parameters"].content.decode()
    assert "domain.md §6.1 第7步 (D)" in text
    assert ("Days for the visit" if language == "en" else "入户核查时限") in text
    assert "3,146" in pages["lines"].content.decode()
    assert ("Illness" if language == "en" else "因病") in pages["code_list"].content.decode()
    assert "指尖上的形式主义" in pages["phases"].content.decode()


def test_a_new_value_is_set_on_the_page(administrator):
    address = reverse("reference:parameter", args=["suspects.days.assigned"])

    answer = administrator.post(address, NEW)

    assert (answer.status_code, answer["Location"]) == (302, address)
    assert queries.parameter("suspects.days.assigned") == 10
    assert "桂扶领办发〔2020〕9号" in administrator.get(address).content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": "三天"}, "没有保存"),
        ({"source": ""}, "依据"),
        ({"valid_from": "2014-01-01"}, "已有数值"),
        ({"region": "4501"}, "4501"),
    ],
)
def test_a_wrong_value_comes_back_with_what_was_typed(administrator, change, said):
    answer = administrator.post(reverse("reference:parameter", args=["suspects.days.assigned"]), NEW | change)

    assert answer.status_code == 400
    text = answer.content.decode()
    assert said in text
    assert (change.get("source") or (NEW | change)["source"]) in text
    assert queries.parameter("suspects.days.assigned") == 7


def test_a_line_is_set_on_the_page(administrator):
    line = {
        "year": "2022",
        "kind": "monitoring",
        "amount": "6900",
        "region": "45",
        "valid_from": "2020-11-01",
        "source": "通知",
    }

    assert administrator.post(reverse("reference:lines"), line).status_code == 302
    assert queries.poverty_line(2022, "monitoring", on=dt.date(2022, 1, 1)) == 6900
    assert administrator.post(reverse("reference:lines"), line).status_code == 400


def test_who_may_not_read_sees_nothing_and_who_may_only_read_writes_nothing(stranger):
    assert stranger.get(reverse("reference:parameters")).status_code == 403
    assert stranger.post(reverse("reference:parameter", args=["suspects.days.assigned"]), NEW).status_code == 403
    assert queries.parameter("suspects.days.assigned") == 7


def test_an_unknown_parameter_or_list_is_not_found(administrator):
    assert administrator.get(reverse("reference:parameter", args=["nothing"])).status_code == 404
    assert administrator.get(reverse("reference:code_list", args=["nothing"])).status_code == 404
