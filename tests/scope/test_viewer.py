"""What a viewer may, and where."""

from __future__ import annotations

from wanjia.scope.areas import EVERYWHERE, AreaRange
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import ANONYMOUS, Grant, Relation, Viewer


def _grant(area: str, *actions: str, relation: Relation = Relation.ALL, department: str = "") -> Grant:
    return Grant("role", frozenset(actions), AreaRange.of(area), relation, department)


def _viewer(*grants: Grant) -> Viewer:
    return Viewer(user_id=7, name="覃某", grants=grants)


def test_a_grant_reaches_its_area_and_below():
    county = _viewer(_grant("451228", "registry.read"))
    assert county.may("registry.read", "451228101")
    assert county.may("registry.read", "451228")
    assert not county.may("registry.read", "4512")
    assert not county.may("registry.read", "451229")
    assert not county.may("registry.read", "")
    assert not county.may("registry.write")


def test_a_seat_is_exactly_one_area():
    city = _viewer(_grant("4512", "suspects.dispatch"))
    assert city.may_at("suspects.dispatch", "4512")
    assert not city.may_at("suspects.dispatch", "451228")
    assert not city.may_at("suspects.dispatch", "45")


def test_own_rows_are_not_the_whole_area():
    contact = _viewer(_grant("451228101", "registry.read", relation=Relation.OWN_HOUSEHOLDS))
    assert contact.may("registry.read", "451228101")
    assert not contact.may_throughout("registry.read", "451228101")
    assert contact.ranges("registry.read") == ()
    assert contact.ranges("registry.read", Relation.OWN_HOUSEHOLDS) == (AreaRange("451228101", "451228102"),)
    township = _viewer(_grant("451228101", "registry.read"))
    assert township.may_throughout("registry.read", "451228101200")
    assert not township.may_throughout("registry.read", "451228")


def test_two_posts_do_not_lend_each_other_their_areas():
    both = _viewer(_grant("451228", "registry.read"), _grant("451229101", "registry.read", "suspects.assign"))
    assert both.may("suspects.assign", "451229101")
    assert not both.may("suspects.assign", "451228")
    assert both.ranges("registry.read") == (AreaRange("451228", "451229"), AreaRange("451229101", "451229102"))


def test_departments_count_only_where_the_relation_does():
    officer = _viewer(
        _grant("45", "sources.read", relation=Relation.OWN_DEPARTMENT, department="D01"), _grant("45", "sources.read")
    )
    assert officer.departments("sources.read") == {"D01"}
    assert officer.departments("registry.read") == frozenset()


def test_nobody_may_nothing():
    assert not ANONYMOUS.may("registry.read")
    assert not ANONYMOUS.may_throughout("registry.read", "45")
    assert ANONYMOUS.ranges("registry.read") == ()
    assert ANONYMOUS.home_area == ""


def test_background_work_sees_everything_under_its_name():
    work = system_viewer("registry.snapshot")
    assert work.may("registry.read", "45")
    assert work.may_throughout("registry.read", "45")
    assert work.ranges("anything") == (EVERYWHERE,)
    assert work.user_id == 0
    assert work.system == "registry.snapshot"


def test_home_is_the_widest_area():
    assert _viewer(_grant("451228101"), _grant("451229"), _grant("451228")).home_area == "451228"
