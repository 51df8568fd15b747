"""Filters of the household list that people keep: opened again they show the same households, to each his own."""

import pytest
from django.urls import reverse

from tests.factories.registry import COUNTY, TOWNSHIPS
from wanjia.accounts import saved
from wanjia.registry.models import Household
from wanjia.registry.services import HOUSEHOLDS, remove_household

LIST = reverse("registry:households")


def keep(client, name="八月走访", **conditions):
    return client.post(f"{reverse('registry:save_filter')}?{saved.as_query(conditions)}", {"name": name})


def numbers(client, address):
    return [row.household_no for row in client.get(address).context["page"].rows]


@pytest.fixture
def kept(enter, county):
    """Not yet out of poverty, in one township of the county; kept by the county's officer."""
    client = enter("county")
    assert keep(client, status="0", area=TOWNSHIPS[1]).status_code == 302
    (line,) = saved.lines(county.viewer("county"), HOUSEHOLDS)
    return client, line


def test_opened_again_it_shows_the_same_households(kept):
    client, line = kept
    seen = numbers(client, f"{LIST}?status=0&area={TOWNSHIPS[1]}")
    assert len(seen) == 2
    assert numbers(client, line.address) == seen
    client.post(reverse("office:area"), {"code": TOWNSHIPS[0], "next": "/"})  # looks elsewhere meanwhile
    assert numbers(client, line.address) == seen
    shown = client.get(line.address)
    assert [(each.name, current) for each, current in shown.context["saved"].shown] == [("八月走访", True)]
    assert "保存当前筛选" not in shown.content.decode(), "it is kept already"


def test_it_is_read_anew_each_time(kept, county):
    """What is kept is what the list is narrowed to, not its households of that day."""
    client, line = kept
    first, second = numbers(client, line.address)
    remove_household(viewer=county.viewer("county"), household_no=first, reason="核查属实，错评清退")
    assert numbers(client, line.address) == [second]


def test_what_was_typed_is_not_kept(enter, county):
    client = enter("county")
    address = client.post(reverse("registry:search"), {"text": "韦"})["Location"]
    token = address.rpartition("=")[2]
    assert keep(client, name="姓韦", standing="all", typed=token).status_code == 302
    (line,) = saved.lines(county.viewer("county"), HOUSEHOLDS)
    assert line.query == f"area={COUNTY}&standing=all"
    assert client.get(line.address).context["page"].total == 32


@pytest.mark.parametrize(("who", "mine"), [("township", TOWNSHIPS[0]), ("next_township", TOWNSHIPS[1])])
def test_its_address_widens_nobodys_reach(kept, enter, county, who, mine):
    """A colleague who is handed the address sees of it what is his; of another's area only his own."""
    _, line = kept
    colleague = enter(who)
    reach = set(Household.objects.visible_to(county.viewer(who)).values_list("pk", flat=True))
    whole = f"{LIST}?standing=all&area={COUNTY}"
    shown = numbers(colleague, line.address)
    assert shown
    assert set(shown) <= reach
    assert set(numbers(colleague, whole)) == reach
    page = colleague.get(line.address)
    assert page.context["saved"].lines == []
    assert line.name not in page.content.decode()
    assert all(row.village_code.startswith(mine) for row in page.context["page"].rows)


def test_removed_it_is_gone_from_the_list_and_no_other(kept, county):
    client, line = kept
    keep(client, name="已脱贫", status="1")
    assert client.post(reverse("accounts:remove_filter", args=[line.id])).status_code == 302
    assert [each.name for each in saved.lines(county.viewer("county"), HOUSEHOLDS)] == ["已脱贫"]
    page = client.get(line.address)  # an address it still is
    assert [each.name for each, _ in page.context["saved"].shown] == ["已脱贫"]
    assert "保存当前筛选" in page.content.decode()
    assert client.post(reverse("accounts:remove_filter", args=[line.id])).status_code == 404


def test_a_colleague_removes_none_of_mine(kept, enter, county):
    _, line = kept
    assert enter("township").post(reverse("accounts:remove_filter", args=[line.id])).status_code == 404
    assert saved.lines(county.viewer("county"), HOUSEHOLDS) == [line]


def test_a_name_taken_is_refused_and_the_list_comes_back_as_it_was(kept):
    client, line = kept
    answer = keep(client, status="0", area=TOWNSHIPS[0])
    assert answer.status_code == 400
    assert [row.household_no for row in answer.context["page"].rows] == numbers(
        client, f"{LIST}?status=0&area={TOWNSHIPS[0]}"
    )
    assert answer.context["saved"].form.errors
    assert [each.name for each in answer.context["saved"].lines] == [line.name]
