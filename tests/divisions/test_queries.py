import datetime as dt

from wanjia.audit.testing import unrecorded
from wanjia.divisions import queries
from wanjia.divisions.models import Division, Revision
from wanjia.kernel.remember import look_again_everywhere
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Grant, Viewer


def viewer_of(*codes):
    grants = tuple(Grant("county_office", frozenset({"registry.read"}), AreaRange.of(code)) for code in codes)
    return Viewer(user_id=7, name="韦主任", grants=grants)


def test_names_paths_and_children(guangxi):
    assert queries.name_of("451228100") == "安阳镇"
    assert queries.name_of("999999") == "999999"
    assert queries.names_of(["451228", "4512", "999999"]) == {"451228": "都安瑶族自治县", "4512": "河池市"}
    assert queries.path_of("451228100")[1:] == [
        ("4512", "河池市"), ("451228", "都安瑶族自治县"), ("451228100", "安阳镇")
    ]  # fmt: skip
    assert queries.full_name("451228100", below="45") == "河池市都安瑶族自治县安阳镇"
    assert len(queries.children("45")) == 14
    assert [each.code for each in queries.children("")] == ["45"]
    assert queries.path_of("999999") == []


def test_villages_keep_their_official_names_beside(guangxi):
    villages = [place for code in queries.villages_under("451228") if (place := queries.place(code))]

    assert len(villages) > 200
    assert all(place.level == "village" for place in villages)
    assert any(place.official_name == f"{place.name.removesuffix('村')}村委会" for place in villages)


def test_a_county_of_2014_is_found_under_its_code_of_today(guangxi):
    assert queries.current_code("450127") == "450181"
    assert queries.current_code("450127100") == "450181100"
    assert queries.current_code("451228100") == "451228100"
    assert queries.name_of("450127") == "横县"
    assert queries.name_of("450127100") == queries.name_of("450181100") != "450127100"
    assert queries.former_codes("450181100201") == ["450127100201"]
    assert queries.path_of("450127")[-1] == ("450181", "横州市")
    assert queries.villages_under("450127") == queries.villages_under("450181") != []
    assert Division.objects.get(code="450181").valid_from == dt.date(2021, 2, 3)


def test_all_eight_changes_lead_to_divisions_that_exist(guangxi):
    former = queries.gazetteer().former

    assert len(former) == 8
    assert all(queries.place(each.old_code).code == each.new_code for each in former.values())
    assert all(dt.date(2015, 1, 1) <= each.valid_to <= dt.date(2021, 12, 31) for each in former.values())


def test_a_viewer_finds_the_way_to_his_areas_and_no_others(guangxi):
    county = viewer_of("451228", "451202001")

    assert [each.code for each in queries.reachable_children(county, "")] == ["45"]
    assert [each.code for each in queries.reachable_children(county, "45")] == ["4512"]
    assert [each.code for each in queries.reachable_children(county, "4512")] == ["451202", "451228"]
    assert [each.code for each in queries.reachable_children(county, "451202")] == ["451202001"]
    assert len(queries.reachable_children(county, "451228")) == len(queries.children("451228"))
    assert queries.reachable_children(county, "4501") == []
    assert queries.reachable_children(viewer_of(), "45") == []


def test_labels_cost_no_query_once_read(guangxi, django_assert_num_queries):
    queries.name_of("45")

    with django_assert_num_queries(0):
        assert queries.names_of([place.code for place in queries.children("451228")])


def test_another_process_s_change_is_seen(guangxi):
    queries.name_of("451228")
    with unrecorded():
        Division.objects.filter(code="451228").update(name="都安")
    Revision.objects.update(token="somebody else's")
    look_again_everywhere()

    assert queries.name_of("451228") == "都安"
