"""The list of cases as a file: what the page shows, for whom its kind's own permission lets take it away."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace

import pytest
from django.urls import reverse

from tests.casework.conftest import COUNTY, VILLAGE
from tests.factories.exports import limit
from wanjia.audit.models import Opening
from wanjia.casework import declared
from wanjia.casework.filters import AREAS, CaseFilter
from wanjia.casework.services import exporting
from wanjia.reference.services import load_reference
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db
EYE = system_viewer("casework.history")


@pytest.fixture
def taken_away(leak_flow):
    """The flow of the tests, whose readers take its lists away too."""
    load_reference()
    key = (leak_flow.kind, leak_flow.version)
    offered = declared._offered[key]
    flow = replace(leak_flow, export_permission="leaks.read")
    declared._offered[key] = declared.Offered(flow, offered.callbacks)
    yield
    declared._offered[key] = offered


def rows_of(answer):
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_the_file_holds_what_the_list_shows_under_the_same_filter(opened, county, browse, taken_away):
    numbers = opened(7, 8)
    limit(100)
    browser = browse(county)
    page = browser.get(reverse("casework:list"))
    address = page.context["export_url"]
    assert f'href="{address}"'.replace("&", "&amp;") in page.content.decode()
    header, *rows = rows_of(browser.get(address))
    assert header[:2] == ["核查件编号", "事项"]
    assert [row[0] for row in rows[: len(numbers)]] == [str(number) for number in numbers]
    assert rows[0][1] == next(row.headline for row in page.context["rows"] if row.case.case_no == numbers[0])
    entry = Opening.objects.visible_to(EYE).get(act="casework.export")
    assert (entry.payload["content"]["rows"], entry.payload["content"]["format"]) == (2, "csv")
    only = rows_of(browser.get(reverse("casework:export"), {"household": "8"}))
    assert [row[0] for row in only[1:2]] == [str(numbers[1])]
    assert browser.get(f"{address}&format=xlsx").status_code == 200


def test_nobody_without_the_permission_takes_a_list_away(opened, county, browse):
    opened(7)
    browser = browse(county)
    assert "export_url" not in browser.get(reverse("casework:list")).context
    assert browser.get(reverse("casework:export")).status_code == 403
    assert not exporting.exportable_cases(county, CaseFilter()).exists()


def test_a_long_list_waits_for_a_second_person(opened, county, browse, taken_away):
    opened(7, 8)
    limit(1)
    browser = browse(county)
    page = browser.get(reverse("casework:list"))
    assert page.context["to_ask"].startswith(reverse("exports:ask", args=["cases"]))
    refused = browser.get(reverse("casework:export"))
    assert refused.status_code == 409
    assert "申请导出" in refused.content.decode()


def test_what_a_request_is_for_is_told_in_words(county):
    asked = exporting.exportable(county, {"state": "overdue", "area": VILLAGE, "mine": "1"})
    assert dict(asked.conditions) == {"地点": VILLAGE, "办理情况": "已超期", "由我办理": "是"}
    assert (asked.rows, asked.area) == (0, VILLAGE)
    assert COUNTY in asked.query


def test_whatever_narrows_a_list_is_said_in_its_file(taken_away):
    for item in fields(CaseFilter):
        value = COUNTY if item.name in AREAS else "1"
        said = dict(exporting.conditions(CaseFilter(**{item.name: value})))
        assert all(title for title in said), item.name
        assert len(said) == len([one for one in fields(CaseFilter) if one.default or one is item]), item.name
