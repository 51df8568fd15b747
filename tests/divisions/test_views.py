import re

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse

from tests.factories import accounts as factory
from wanjia.divisions.picker import picker
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import ANONYMOUS, Grant, Viewer


def viewer_of(*codes):
    grants = tuple(Grant("county_office", frozenset({"registry.read"}), AreaRange.of(code)) for code in codes)
    return Viewer(user_id=7, name="韦主任", grants=grants)


@pytest.fixture
def county(guangxi):
    return factory.client_for(factory.account("county-1", "county_office", "451228"))


def options(page):
    return re.findall(r'<option value="(\d+)"', page.content.decode())


def test_the_next_level_comes_as_a_field(county):
    page = county.get(
        reverse("divisions:children"), {"name": "village_code", "village_code": "451228", "required": "1"}
    )
    text = page.content.decode()

    assert page.status_code == 200
    assert 'name="village_code" required' in text
    assert '<option value="451228" selected>都安瑶族自治县</option>' in text
    assert options(page)[:2] == ["45", "4512"]
    assert "451228100" in options(page)
    assert "451202" not in text


def test_programs_get_json(county):
    answer = county.get(
        reverse("divisions:children"), {"area": "451228100"}, headers={"accept": "application/json"}
    ).json()

    assert answer["code"] == "451228100"
    assert [step["code"] for step in answer["path"]] == ["45", "4512", "451228", "451228100"]
    assert all(child["code"].startswith("451228100") and child["level"] == "village" for child in answer["children"])


@pytest.mark.parametrize("code", ["451202", "4501", "53", "999", "x", "451228100999", "45122810"])
def test_places_out_of_reach_and_nonsense_lead_home(county, code):
    answer = county.get(reverse("divisions:children"), {"area": code}, headers={"accept": "application/json"}).json()

    assert answer["code"] == ""
    assert all(child["code"].startswith("451228") for child in answer["children"])


def test_strangers_and_odd_field_names_are_turned_away(county, client):
    assert client.get(reverse("divisions:children")).status_code == 302
    assert county.get(reverse("divisions:children"), {"name": '"><script>'}).status_code == 404


def test_the_way_leads_only_to_the_viewer_s_own_areas(guangxi):
    two = viewer_of("451228", "451202001")

    assert [each.code for each in picker(two, "45").below] == ["4512"]
    assert picker(two, "4502").chosen is None
    assert [each.code for each in picker(two, "451202").below] == ["451202001"]
    assert picker(ANONYMOUS, "").below == ()


def test_a_former_code_is_shown_as_the_place_of_today(guangxi):
    at = picker(viewer_of("45"), "450127100")

    assert at.code == "450181100"
    assert [each.code for each in at.above] == ["45", "4501", "450181"]


def test_the_tag_draws_the_field_in_any_form(guangxi):
    request = RequestFactory().get("/")
    request.viewer = viewer_of("451228")
    drawn = Template('{% load divisions %}{% area_picker name="area" code="451228100" label="所在村" %}').render(
        Context({"request": request})
    )

    assert '<label for="picker-area">所在村</label>' in drawn
    assert 'hx-get="/divisions/children/?name=area' in drawn
    assert "安阳镇</option>" in drawn
