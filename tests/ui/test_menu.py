import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.test import RequestFactory

from wanjia.casework import declared
from wanjia.comparison.menu import ACTING
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import ANONYMOUS, Grant, Relation, Viewer
from wanjia.ui import menu
from wanjia.ui.menu import GROUPS, MenuItem
from wanjia.ui.viewing import chosen_area


def viewer(*actions, area="451228"):
    return Viewer(7, "韦明", grants=(Grant("role", frozenset(actions), AreaRange.of(area)),))


def asking(who, address="/", session=None):
    request = RequestFactory().get(address)
    request.viewer = who
    request.session = SessionBase()
    request.session.update(session or {})
    return request


def actions_in_menu(who):
    shown = {entry.url for section in menu.menu_for(asking(who)) for entry in section.entries}
    return {item.action for item in menu.items() if menu._address(item.url_name) in shown}


def test_every_item_stands_in_a_known_group_and_its_page_exists():
    for item in menu.items():
        assert item.group in {group.key for group in GROUPS}
        assert menu._address(item.url_name), f"{item.title} leads nowhere: {item.url_name}"


def test_the_menu_shows_only_what_the_viewer_may_use():
    everything = {item.action for item in menu.items() if not item.relation}
    for action in everything - {"signed_in"}:
        assert actions_in_menu(viewer(action)) == {action, "signed_in"} & everything
    assert actions_in_menu(viewer()) == {"signed_in"} & everything


def test_what_is_about_ones_own_is_offered_to_those_who_have_some():
    (own,) = [item for item in menu.items() if item.relation]
    office, contact = (
        Viewer(1, "韦明", (Grant("role", frozenset({own.action}), AreaRange.of("451228"), relation),))
        for relation in (Relation.ALL, own.relation)
    )
    assert own.action not in actions_in_menu(office)
    assert own.action in actions_in_menu(contact)


def test_work_to_do_is_offered_to_those_who_can_do_it():
    def work(*actions):
        shown = {item.title for item in menu.items() if item.is_for(viewer("suspects.read", *actions))}
        return shown & {"等我办理", "按户核查", "用 Excel 答复"}

    assert work() == set()
    assert work("suspects.sample") == {"等我办理"}
    assert work("suspects.verify") == {"等我办理", "按户核查", "用 Excel 答复"}


def test_the_work_of_the_menu_is_that_of_the_cases():
    (flow,) = [flow for flow in declared.flows() if flow.kind == "suspect" and flow.version == 1]
    assert {action.permission for _, action in flow.actions()} == set(ACTING)


def test_no_item_leads_its_reader_to_a_refusal():
    from django.urls import resolve

    from wanjia.scope.routes import declared_access

    for item in menu.items():
        asked = declared_access(resolve(menu._address(item.url_name)).func)
        assert asked in {item.action, "signed_in"}, item.title


def test_strangers_have_no_menu():
    assert menu.menu_for(asking(ANONYMOUS)) == ()


def test_a_group_without_pages_is_not_shown():
    for section in menu.menu_for(asking(viewer("registry.read"))):
        assert section.entries


def test_the_page_one_is_on_is_marked_once():
    page = next(item for item in menu.items() if item.action == "registry.read")
    address = menu._address(page.url_name)
    marked = [e.url for s in menu.menu_for(asking(viewer("registry.read"), address)) for e in s.entries if e.current]
    assert marked == [address]


def test_an_item_in_no_group_is_refused(monkeypatch):
    class Module:
        ITEMS = [MenuItem("nowhere", "标题", "office:home", "signed_in")]

    monkeypatch.setattr(menu, "offered", lambda name: [("somewhere", Module)])
    menu.items.cache_clear()
    try:
        with pytest.raises(ValueError, match="nowhere is no group"):
            menu.items()
    finally:
        menu.items.cache_clear()


def test_the_area_begins_at_home():
    assert chosen_area(asking(viewer())) == "451228"


def test_the_area_asked_for_wins_over_the_remembered_one():
    request = asking(viewer(), "/?area=451228101", {"area": "451228102"})
    assert chosen_area(request) == "451228101"
    assert chosen_area(asking(viewer(), "/", {"area": "451228102"})) == "451228102"


@pytest.mark.parametrize(
    "wish", ["451229", "45", "451228' OR 1=1", "451228abc", "４５１２２８", "451228101999999990", ""]
)
def test_no_area_outside_the_viewer_s_own_is_taken(wish):
    assert chosen_area(asking(viewer(), f"/?area={wish}", {"area": wish})) == "451228"
