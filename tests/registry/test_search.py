"""Search: what 200 typed texts find in four villages, for whom, and that the dictionary of names stays true."""

from __future__ import annotations

import csv
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from hypothesis import given
from hypothesis import settings as drawing
from hypothesis import strategies as st

from tests.factories import accounts
from tests.factories import registry as factory
from tests.factories.registry import BUILDER, COUNTY, TOWNSHIPS, VILLAGES
from wanjia.audit.testing import unrecorded
from wanjia.kernel.names import DOT, match_form
from wanjia.reference.services import load_reference
from wanjia.registry import queries, searching
from wanjia.registry.models import Household, NameToken, Person
from wanjia.registry.queries import Filters
from wanjia.registry.services import Edit, Newcomer, add_member, correct, load_registry, tidy_names
from wanjia.registry.spelling import Typed, tokens

pytestmark = pytest.mark.django_db

HERE = Path(__file__).parent
HOMES = list(csv.DictReader((HERE / "search_homes.csv").read_text("utf-8").splitlines()))
SEARCHES = list(csv.DictReader((HERE / "searches.csv").read_text("utf-8").splitlines()))
WHO = {
    "county": ("county_office", COUNTY),
    "township": ("township_reviewer", TOWNSHIPS[0]),
    "next_township": ("township_reviewer", TOWNSHIPS[1]),
    "village": ("village_operator", VILLAGES[0]),
}


@pytest.fixture(scope="module")
def viewers(stands):
    """The readers; the people stand in the villages."""
    load_reference()
    factory.load_places()
    homes, people = [], []
    for row in HOMES:
        number = int(row["household"])
        name = f"H{number:03d}"
        homes.append(factory.household_row(name, VILLAGES[int(row["village"])], phone=f"1390778{number:04d}"))
        people += [
            factory.person_row(name, 0, name=row["head"], serial=number),
            factory.person_row(
                name, 1, name=row["member"], relation="02", serial=number, male=False, phone=f"159-0778-{number:04d}"
            ),
        ]
    load_registry(viewer=BUILDER, batch=factory.batch(homes, people), year=factory.YEAR)
    return {name: accounts.viewer(accounts.account(name.replace("_", "-"), *post)) for name, post in WHO.items()}


def text_of(search):
    """What is typed; `@4` stands for the identity number of the head of household 4."""
    typed = search["typed"]
    if not typed.startswith("@"):
        return typed
    return Person.objects.visible_to(BUILDER).filter(household_no=int(typed[1:])).first().id_number.clear()


def expected(search):
    return [int(number) for number in search["households"].split()]


def listed(viewer, text, **more):
    return [row.household_no for row in queries.household_page(viewer, Filters(text=text, standing="", **more)).rows]


@pytest.mark.parametrize("kind", dict.fromkeys(row["kind"] for row in SEARCHES))
def test_what_is_typed_finds_first_what_is_meant(viewers, kind):
    wrong = {row["typed"]: said for row in SEARCHES if row["kind"] == kind and (said := unmet(viewers["county"], row))}
    assert wrong == {}


def unmet(viewer, search):
    """What is not as expected of one search."""
    text, wanted = text_of(search), expected(search)
    found, page = queries.suggest(viewer, text), listed(viewer, text)
    first = page if search["kind"] == "village" else [row.household_no for row in found.households]
    whole = set(queries.households(viewer, Filters(text=text, standing="")).values_list("pk", flat=True))
    if first[: len(wanted)] != wanted:
        return f"first {first}"
    if page != sorted(whole) or not set(wanted) <= whole or bool(page) != bool(wanted):
        return f"listed {page}"
    return "" if len(found.villages) == (search["kind"] == "village") else f"villages {found.villages}"


def test_there_are_two_hundred():
    assert len(SEARCHES) >= 200


def test_nobody_finds_by_any_text_who_lives_elsewhere(viewers, monkeypatch):
    inside = {
        "township": {int(row["household"]) for row in HOMES if int(row["village"]) < 2},
        "next_township": {int(row["household"]) for row in HOMES if int(row["village"]) >= 2},
        "village": {int(row["household"]) for row in HOMES if row["village"] == "0"},
    }
    for common in (6_000, 0):  # gathered, and walked along
        monkeypatch.setattr(searching, "COMMON", common)
        for search in SEARCHES[::9]:
            text = text_of(search)
            everywhere = set(listed(viewers["county"], text))
            for who, homes in inside.items():
                found = queries.suggest(viewers[who], text)
                page = queries.household_page(viewers[who], Filters(text=text, standing=""))
                assert {row.household_no for row in page.rows} == everywhere & homes, (who, text)
                assert page.total == len(everywhere & homes)
                assert {row.household_no for row in (*found.households, *found.people)} <= homes
                assert all(code.startswith(WHO[who][1]) for code, _ in found.villages)


@pytest.mark.parametrize("text", ["l", "建", "h", "罗", "qin"])
def test_a_text_that_many_fit_is_found_by_a_walk_as_it_is_by_gathering(viewers, text, monkeypatch):
    viewer = viewers["county"]
    few = queries.household_page(viewer, Filters(text=text, standing=""), size=4)
    for name, most in (("COMMON", 1), ("NAMES", 1)):
        with monkeypatch.context() as patched:
            patched.setattr(searching, name, most)
            patched.setattr(searching, "STRIDE", 3)
            many = queries.household_page(viewer, Filters(text=text, standing=""), size=4)
            rest = queries.household_page(viewer, Filters(text=text, standing=""), few.next_cursor or "", size=99)
            whole = {row.household_no for row in queries.WholeList(viewer, Filters(text=text, standing=""))}
            shown = queries.suggest(viewer, text)
        assert [row.household_no for row in many.rows] == [row.household_no for row in few.rows]
        assert many.next_cursor == few.next_cursor
        assert many.total <= few.total
        assert {row.household_no for row in (*many.rows, *rest.rows)} == whole == set(listed(viewer, text))
        assert shown.people
        assert {person.household_no for person in shown.people} <= whole


def test_the_list_says_why_a_household_stands_there(viewers):
    viewer = viewers["county"]
    assert queries.matched_members(viewer, [1, 14, 26], "jianguo") == {
        1: ["黄*国"],
        14: ["欧**国"],
        26: ["黄*国", "韦*国"],
    }
    assert queries.matched_members(viewer, [3], "tanxy") == {}
    assert queries.matched_members(viewer, [3], "txy") == {3: ["覃*燕"]}
    assert queries.matched_members(viewer, [16], "依明") == {16: ["买****明"]}
    assert queries.matched_members(viewer, [1], "13907780001") == {}


def test_a_village_is_narrowed_with_the_other_filters_and_goes_on_by_page(viewers):
    first = queries.household_page(viewers["county"], Filters(text="镇北社区", standing="live"), size=4)
    rest = queries.household_page(viewers["county"], Filters(text="镇北社区"), first.next_cursor, size=50)
    assert [row.household_no for row in (*first.rows, *rest.rows)] == list(range(16, 26))
    assert (first.total, first.at_least) == (10, False)
    assert queries.household_page(viewers["county"], Filters(text="镇北社区", category="04")).rows == []


def known(name):
    return set(NameToken.objects.filter(name_match=name).values_list("token", flat=True))


def test_the_dictionary_follows_a_new_name_and_forgets_one_nobody_bears(viewers):
    head = Person.objects.visible_to(BUILDER).get(household_no=36, name="农夫三")
    correct(viewer=viewers["county"], edits=[Edit("name", "农富山", person_no=head.pk)], reason="按身份证更正姓名")

    assert listed(viewers["county"], "nongfushan") == [36]
    assert listed(viewers["county"], "nongfusan") == []
    assert known("农富山") == {"富山", "山", "nongfushan", "fushan", "nfs", "fs"}
    assert known("农夫三")
    assert tidy_names() == 1
    assert (known("农夫三"), tidy_names()) == (set(), 0)
    NameToken.objects.filter(name_match="农富山").delete()
    tidy_names()
    assert listed(viewers["county"], "nfs") == [36]


def test_somebody_who_joins_is_found(viewers):
    newcomer = Newcomer("韦笑天", factory.number(date(2019, 5, 5), 77, male=True), "03", "N1", date(2020, 1, 1))
    add_member(viewer=viewers["county"], household_no=37, newcomer=newcomer, reason="新生儿登记")
    assert listed(viewers["county"], "wxt") == listed(viewers["county"], "笑天") == [37]


def test_a_corrected_telephone_is_found_and_the_former_one_no_more(viewers):
    edit = Edit("phone", "136 0778 1234", household_no=38)
    correct(viewer=viewers["county"], edits=[edit], reason="联系电话已变更")
    assert listed(viewers["county"], "13607781234") == [38]
    assert listed(viewers["county"], "13907780038") == []
    assert listed(viewers["village"], "13607781234") == []


def test_a_load_of_names_already_known_adds_nothing_twice(viewers):
    before = NameToken.objects.count()
    home, (head, *_) = factory.family("H700", VILLAGES[3])
    batch = factory.batch([home], [head | {"name": "覃单解"}])
    load_registry(viewer=BUILDER, batch=batch, year=factory.YEAR)
    assert NameToken.objects.count() == before
    assert len(listed(viewers["county"], "qinshanxie")) == 2


def test_an_older_database_is_filled_by_its_migration(viewers):
    [(_, name)] = [
        leaf for leaf in MigrationLoader(connection).graph.nodes if leaf[1].endswith("found_by_name_and_phone")
    ]
    earlier = MigrationLoader(connection).project_state(("registry", name)).apps
    before = set(NameToken.objects.values_list("token", "name_match"))
    keys = {
        model: dict(model.objects.visible_to(BUILDER).values_list("pk", "phone_key")) for model in (Household, Person)
    }
    NameToken.objects.all().delete()
    with unrecorded():
        for model in keys:
            model.objects.visible_to(BUILDER).update(phone_key=None)
        import_module(f"wanjia.registry.migrations.{name}").fill(earlier, None)

    assert set(NameToken.objects.values_list("token", "name_match")) == before
    for model, known in keys.items():
        assert dict(model.objects.visible_to(BUILDER).values_list("pk", "phone_key")) == known


def test_names_learnt_before_are_found_by_the_initials_of_the_given_name_after_the_migration(viewers):
    (name,) = [
        leaf[1] for leaf in MigrationLoader(connection).graph.nodes if leaf[1].endswith("given_names_by_initials")
    ]
    before = set(NameToken.objects.values_list("token", "name_match"))
    NameToken.objects.filter(token="jg").delete()
    assert listed(viewers["county"], "jg") == []
    state = MigrationLoader(connection).project_state(("registry", name)).apps
    import_module(f"wanjia.registry.migrations.{name}").learn_again(state, None)
    assert set(NameToken.objects.values_list("token", "name_match")) == before
    assert {1, 14, 26} <= set(listed(viewers["county"], "jg"))


def test_the_dictionary_is_exactly_what_the_names_say(viewers):
    names = set(Person.objects.visible_to(BUILDER).values_list("name_match", flat=True))
    stored = set(NameToken.objects.values_list("token", "name_match"))
    assert stored == {(token, name) for name in names for token in tokens(name)}


def test_tokens_and_names_are_looked_up_in_their_indexes(viewers):
    """On PostgreSQL under row-level security, too."""
    some = NameToken.objects.filter(token__begins="jianguo")
    people = Person.objects.visible_to(BUILDER).filter(name_match__among=["黄建国", "韦建国"])
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
        assert "nametoken_once" in some.explain()
        assert "person_by_name" in people.values("household_no").explain()


CHARACTERS = st.sampled_from("韦韋黄黃覃单國国建明𬭎㛃·•长乐N·?")


@given(name=st.text(CHARACTERS, min_size=1, max_size=9), at=st.integers(0, 8), length=st.integers(1, 9))
@drawing(max_examples=200)
def test_every_part_of_a_name_finds_it_and_what_a_token_begins_with_does(name, at, length):
    form = match_form(name)
    part = form[at : at + length]
    if match_form(part):
        assert Typed.of(part).fits(form), part
    for token in tokens(form):
        assert Typed.of(token[:length]).fits(form) or not match_form(token[:length])
        assert not token.startswith(DOT)


def test_nothing_of_the_dictionary_is_about_a_person():
    assert {field.name for field in NameToken._meta.fields} == {"id", "token", "name_match"}
    assert Household._meta.get_field("phone_key").null
