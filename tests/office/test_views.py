"""The shell through the whole middleware: what each role finds, and where it may look."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import resolve

from tests.factories import accounts as factory
from tests.factories.accounts import PASSWORD
from wanjia.accounts.services import load_roles
from wanjia.audit.testing import unrecorded
from wanjia.casework.models import CaseCounter
from wanjia.divisions.services import GUANGXI, load_divisions
from wanjia.reference.services import load_reference
from wanjia.scope.routes import SIGNED_IN, declared_access

pytestmark = pytest.mark.django_db

# Where an account of each role sits.
SEATS = {
    "province_manager": "45",
    "province_data_officer": "45",
    "department_officer": "45",
    "city_office": "4512",
    "county_office": "451228",
    "township_reviewer": "451228100",
    "information_officer": "451228100",
    "village_secretary": "451228100001",
    "village_operator": "451228100001",
    "household_contact": "451228100001",
    "party_secretary": "451228100",
    "auditor": "45",
    "system_admin": "45",
    "security_admin": "45",
    "audit_admin": "45",
}


@pytest.fixture(scope="session")
def few_places(tmp_path_factory):
    """One town of 都安 with what stands above it: eighteen thousand places are not needed here."""
    lines = GUANGXI.read_text("utf-8").splitlines()
    above = {"code", "45", "4512", "451228"}
    kept = [line for line in lines if line.startswith("451228100") or line.split(",")[0] in above]
    path = tmp_path_factory.mktemp("places") / "places.csv"
    path.write_text("\n".join(kept) + "\n", "utf-8")
    return path


@pytest.fixture
def installation(db, few_places):
    load_roles()
    load_divisions(few_places)
    load_reference()


def signed_in(role, area, **more):
    user = factory.account(role.replace("_", "-"), role, area, **more)
    client = Client()
    client.post("/sign-in/", {"username": user.username, "password": PASSWORD})
    return client, user


def menu_of(client):
    page = client.get("/").content.decode()
    nav = page[page.index('id="menu"') : page.index("</nav>")]
    return re.findall(r'<li><a href="([^"]+)"', nav)


def area_shown(client, address="/"):
    page = client.get(address).content.decode()
    return re.search(r'class="w-area".*?<b>([^<]*)</b>', page, re.DOTALL)[1]


def test_every_role_has_a_seat_here(installation):
    from wanjia.accounts.models import Role

    assert set(Role.objects.values_list("pk", flat=True)) == set(SEATS)


@pytest.mark.parametrize(("role", "area"), SEATS.items())
def test_a_role_s_menu_holds_its_pages_and_no_others(installation, role, area):
    from wanjia.accounts.queries import viewer_for

    client, user = signed_in(role, area)
    viewer = viewer_for(user)
    addresses = menu_of(client)

    assert addresses[0] == "/"
    for address in addresses:
        action = declared_access(resolve(address).func)
        assert action == SIGNED_IN or viewer.may(action), f"{role} is shown {address}"
        assert client.get(address).status_code == 200, f"{role}: {address}"


def test_strangers_are_asked_to_sign_in_and_come_back():
    answer = Client().get("/?area=451228")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/%3Farea%3D451228"


def test_the_home_page_speaks_both_languages(installation):
    client, _ = signed_in("county_office", "451228")
    assert "没有等您办理的事项" in client.get("/").content.decode()
    client.post("/language/", {"language": "en", "next": "/"})
    page = client.get("/").content.decode()
    assert "Nothing waits for you" in page
    assert 'lang="en"' in page


@pytest.mark.parametrize("role", ["system_admin", "security_admin", "audit_admin"])
def test_who_reads_no_cases_is_told_nothing_of_them(installation, role):
    client, _ = signed_in(role, "45")
    page = client.get("/").content.decode()
    for words in ("超期的事项", "等您办理", "办理动态"):
        assert words not in page, words


def test_the_home_page_asks_the_database_little(installation, django_assert_max_num_queries):
    client, _ = signed_in("county_office", "451228")
    client.get("/")
    with django_assert_max_num_queries(20):
        client.get("/")


@pytest.fixture
def desks(installation):
    """Open cases at the desks of the county, of a township and its verifiers, and of two villages."""
    days = {"warn_on": dt.date(2020, 11, 10), "kind": "suspect", "flow_version": 1, "step": "assigned"}
    held = {"451228": (5, 0), "451228100": (6, 3), "451228100201": (3, 0), "451228100202": (1, 0), "451229": (8, 8)}
    with unrecorded():
        for area, (n, late) in held.items():
            where = {"holder_area": area, "place": area[:9]}
            CaseCounter(due_on=dt.date(2020, 12, 1), n=n - late, **where, **days).save()
            CaseCounter(due_on=dt.date(2020, 11, 12), n=late, **where, **days).save()


def figures(answer):
    today = answer.context["today"]
    parts = {part.area: (part.open, part.overdue) for part in today.parts}
    assert (today.whole.open, today.whole.overdue) == tuple(map(sum, zip(*parts.values(), strict=True)))
    return parts


def test_the_parts_of_an_area_add_up_at_every_level(desks):
    client, _ = signed_in("city_office", "4512")
    assert figures(client.get("/")) == {"451228": (15, 3), "451229": (8, 8)}
    assert figures(client.get("/?area=451228")) == {"451228": (5, 0), "451228100": (10, 3)}
    town = client.get("/?area=451228100")
    assert figures(town) == {"451228100": (6, 3), "451228100201": (3, 0), "451228100202": (1, 0)}
    page = town.content.decode()
    assert "乡镇本级（含核查人）" in page
    assert "?desk=451228100&amp;state=overdue" in page
    assert "安阳镇超期 <b>3</b> 件" in page


def test_the_area_begins_at_home_and_can_be_narrowed(installation):
    client, _ = signed_in("county_office", "451228")
    assert area_shown(client) == "都安瑶族自治县"

    answer = client.post("/area/", {"code": "451228100", "next": "/?state=overdue&area=451228&page=3"})

    assert answer["Location"] == "/?state=overdue"
    assert area_shown(client) == "安阳镇"


@pytest.mark.parametrize("code", ["451229", "45", "", "451228%", "４５１２２８１００", "1" * 5000])
def test_nobody_looks_where_he_has_no_grant(installation, code):
    client, _ = signed_in("county_office", "451228")
    answer = client.post("/area/", {"code": code, "next": "/"})
    assert answer.status_code == 404
    assert area_shown(client) == "都安瑶族自治县"


@pytest.mark.parametrize(
    "target",
    ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "\\\\x", "nowhere", "?page=2"],
)
def test_the_switch_never_leads_away(installation, target):
    client, _ = signed_in("county_office", "451228")
    assert client.post("/area/", {"code": "451228100", "next": target})["Location"] == "/"


def test_the_area_is_chosen_by_post_only(installation):
    client, _ = signed_in("county_office", "451228")
    assert client.get("/area/?code=451228100").status_code == 405


def test_what_is_searched_never_stands_in_an_address(installation):
    client, _ = signed_in("county_office", "451228")
    page = client.get("/").content.decode()
    form = re.search(r'<form class="w-search"[^>]*>', page)[0]
    assert 'method="post"' in form

    address = re.search(r'action="([^"]+)"', form)[1]
    asked = client.post(address, {"text": "459999199001011234"}, follow=True)
    assert asked.status_code == 200
    assert "459999" not in asked.content.decode()


def test_a_switch_on_the_answer_to_a_form_leads_somewhere(installation):
    client, _ = signed_in("county_office", "451228")
    page = client.post("/registry/households/search/", {"text": "韦"}, follow=True).content.decode()
    for target in re.findall(r'name="next" value="([^"]*)"', page):
        assert client.get(target).status_code == 200


def test_who_may_not_read_the_registry_is_offered_no_search(installation):
    client, _ = signed_in("security_admin", "45")
    assert "w-search" not in client.get("/").content.decode()


def test_readings_of_files_and_feedback_are_told_and_found_by_their_kind(installation):
    client, _ = signed_in("audit_admin", "45")
    page = client.get("/audit/readings/").content.decode()
    for kind, title in (("file", "附件"), ("feedback", "数据反馈"), ("case", "核查件")):
        assert f'<option value="{kind}">{title}</option>' in page
