"""Reading: lists, search, paging, members, history, guards; each cut to the viewer."""

import re
from datetime import date
from itertools import islice

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories.registry import BUILDER, NEXT_COUNTY, TOWNSHIPS, VILLAGES
from wanjia.registry import queries, searching
from wanjia.registry.models import Change, Household, HouseholdAlias
from wanjia.registry.queries import Filters
from wanjia.registry.services import Edit, correct, remove_household
from wanjia.scope.errors import NotVisible
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.scope.reach import serving

COUNTED = {
    "province": 32,
    "manager": 32,
    "city": 32,
    "county": 32,
    "next_county": 0,
    "township": 16,
    "next_township": 16,
    "village": 8,
    "next_village": 8,
    "contact": 2,
    "next_contact": 1,
    "auditor": 32,
    "department": 0,
    "sysadmin": 0,
}


def numbers(rows):
    return [row.household_no for row in rows]


def suggested(viewer, text):
    return list(queries.suggest(viewer, text).households)


@pytest.mark.parametrize(("who", "count"), COUNTED.items())
def test_everybody_sees_his_own_households_and_no_other(county, who, count):
    viewer = county.viewer(who)

    page = queries.household_page(viewer, Filters(), size=100)

    assert page.total == len(page.rows) == count
    visible = set(numbers(page.rows))
    for number in (1, 3, 9, 25):
        assert queries.may_read(viewer, number) == (number in visible)
        if number not in visible:
            with pytest.raises(NotVisible):
                queries.household_for(viewer, number)


def test_a_contact_searches_only_among_his_own(county):
    contact = county.viewer("contact")
    of_another = county.person(county.household(3).head_person_no)

    assert numbers(suggested(contact, "3")) == []
    assert numbers(suggested(contact, of_another.name)) == []
    assert numbers(suggested(contact, of_another.id_number.clear())) == []
    assert numbers(suggested(contact, "2")) == [2]
    assert suggested(contact, "2\0") == []


def test_search_by_name_number_and_whole_identity_number(county):
    viewer = county.viewer("county")
    wife = county.person(6)  # of household 2

    assert numbers(suggested(viewer, wife.id_number.clear())) == [2]
    assert numbers(suggested(viewer, wife.id_number.clear().lower() + "42")) == [2]  # her disability certificate
    assert numbers(suggested(viewer, "17")) == [17]
    assert numbers(suggested(viewer, wife.name)) == [2, 10, 18, 26]  # four families share the surnames
    assert numbers(suggested(viewer, wife.name[:2])) == [2, 10, 18]  # ten people at most
    assert numbers(suggested(viewer, wife.id_number.clear()[:10])) == []
    assert suggested(viewer, " ") == []


def test_a_name_of_many_is_found_as_a_name_of_few_but_not_counted_to_the_end(county, monkeypatch):
    viewer, name = county.viewer("county"), county.person(6).name[:2]
    few = queries.household_page(viewer, Filters(text=name), size=3)
    assert (few.total, few.at_least, numbers(few.rows)) == (4, False, [2, 10, 18])

    monkeypatch.setattr(searching, "COMMON", 2)
    many = queries.household_page(viewer, Filters(text=name), size=3)
    rest = queries.household_page(viewer, Filters(text=name), many.next_cursor, size=3)
    here = queries.household_page(viewer, Filters(text=name, area=TOWNSHIPS[0]))
    any_standing = queries.household_page(viewer, Filters(text=name, standing=""), size=3)

    assert many.at_least
    assert 2 <= many.total <= 4
    assert (numbers(any_standing.rows), any_standing.at_least) == (numbers(many.rows), True)
    assert [*numbers(many.rows), *numbers(rest.rows)] == [2, 10, 18, 26]
    assert set(numbers(suggested(viewer, name))) <= {2, 10, 18, 26}
    assert numbers(here.rows) == [2, 10]
    assert numbers(queries.household_page(county.viewer("next_county"), Filters(text=name)).rows) == []


def test_filters_narrow_and_an_area_outside_shows_nothing(county):
    viewer = county.viewer("county")
    assert queries.count_households(viewer, Filters(status="0")) == 4
    assert queries.count_households(viewer, Filters(area=TOWNSHIPS[0], status="0")) == 2
    assert queries.count_households(viewer, Filters(category="04")) == 0
    assert queries.count_households(viewer, Filters(area=NEXT_COUNTY)) == 0


def test_pages_follow_each_other_without_gap_or_repetition(county):
    viewer, seen, after, steps = county.viewer("county"), [], "", 0
    while True:
        page = queries.household_page(viewer, Filters(), after, size=7)
        seen += numbers(page.rows)
        steps += 1
        if page.next_cursor is None:
            break
        after = page.next_cursor
    assert seen == list(range(1, 33))
    assert steps == 5
    assert numbers(queries.household_page(viewer, Filters(), "nonsense", size=3).rows) == [1, 2, 3]


def test_the_whole_list_is_read_in_pieces_the_first_without_the_others(county, monkeypatch):
    monkeypatch.setattr(queries, "PIECE", 5)
    listed = queries.WholeList(county.viewer("county"), Filters())
    with CaptureQueriesContext(connection) as asked:
        rows = iter(listed)
        first = next(rows)
        before = len(asked)
        seen = [first.household_no, *numbers(rows)]

    assert seen == list(range(1, 33))
    assert (before, len(asked)) == (1, 7)
    assert all(query["sql"].endswith("LIMIT 5") for query in asked.captured_queries)
    assert listed.as_it_is()


def test_a_list_that_changes_while_it_is_read_is_not_the_list(county, monkeypatch):
    from wanjia.audit.testing import unrecorded

    monkeypatch.setattr(queries, "PIECE", 10)
    rows = Household.objects.visible_to(BUILDER)
    listed = queries.WholeList(county.viewer("county"), Filters())
    read = iter(listed)
    seen = numbers(islice(read, 10))
    with unrecorded():  # one that was read moves to the end, one that was not to the beginning
        rows.filter(pk=1).update(village_code=VILLAGES[-1])
        rows.filter(pk=32).update(village_code=VILLAGES[0])
    seen += numbers(read)

    assert sorted(seen) == [1, 1, *range(2, 32)]  # as many as were counted
    assert not listed.as_it_is()


def test_a_page_of_the_list_costs_two_queries_and_the_whole_list_one(county, django_assert_num_queries):
    viewer = county.viewer("county")
    with django_assert_num_queries(2):
        part = queries.household_page(viewer, Filters(), size=3)
    with django_assert_num_queries(1):
        whole = queries.household_page(viewer, Filters())
    assert part.total == whole.total == len(whole.rows) == queries.count_households(viewer, Filters())


def test_members_head_first_and_who_left_last(county):
    members = queries.members_of(county.viewer("contact"), 1, year=2019)

    assert [member.membership.relation for member in members] == ["01", "02", "03", "12"]
    assert [member.membership.in_household for member in members] == [True, True, True, False]
    assert members[2].year.student_status == "04"
    assert members[2].healths == ["01"]
    with pytest.raises(NotVisible):
        queries.members_of(county.viewer("contact"), 3)


def test_income_is_summed_as_the_form_says(county):
    year = queries.years_of(county.viewer("village"), 1)[-1].facts

    assert year.gross_income == 1_800_000
    assert year.net_income == 1_700_000
    assert year.net_income_per_head == 566_667  # 5,666.666… yuan, half up


def test_history_tells_who_what_and_why_in_both_languages(county):
    village = county.viewer("village")
    correct(viewer=village, edits=[Edit("main_cause", "01", household_no=1)], reason="入户核实后更正", case_no=9)
    remove_household(viewer=county.viewer("county"), household_no=1, reason="识别时名下有车")

    removed, corrected = queries.history_of(county.viewer("auditor"), 1, "zh")
    in_english = queries.history_of(county.viewer("auditor"), 1, "en")[1]

    assert corrected.sentences == ["主要致贫原因:缺技术(07) → 因病(01)"]
    assert in_english.sentences[0].startswith("Main cause: ")
    assert "(07) → " in in_english.sentences[0]
    assert (corrected.by_name, corrected.reason, corrected.case_no) == (village.name, "入户核实后更正", 9)
    assert any("在册状态" in sentence and "已清退" in sentence for sentence in removed.sentences)
    assert queries.history_of(county.viewer("next_village"), 1) == []


def test_relatives_are_those_of_the_household(county):
    user = county.users["verifier"]
    assert queries.is_relative(user.pk, 1) is False  # his own number is not known

    user.id_key = county.person(4).person_key  # the mother who died belonged to household 1
    from wanjia.audit.testing import unrecorded

    with unrecorded():
        user.save(update_fields=["id_key"])

    assert queries.is_relative(user.pk, 1) is True
    assert queries.is_relative(user.pk, 2) is False
    assert queries.entered_by(1) == county.users["village"].pk


def test_poor_are_those_present_in_live_households(county):
    head, mother = county.person(1), county.person(4)
    assert queries.registered_poor([head.person_key, mother.person_key, 12345]) == {head.person_key}

    remove_household(viewer=county.viewer("county"), household_no=1, reason="识别时名下有车")

    assert queries.registered_poor([head.person_key]) == set()
    assert queries.villages_of([1, 2]) == {2: VILLAGES[0]}


def test_a_merged_household_is_found_under_its_former_number(county):
    from uuid import uuid4

    from wanjia.audit.testing import unrecorded

    with unrecorded():
        HouseholdAlias.objects.create(old_no=900, new_no=901, event_id=uuid4())
        HouseholdAlias.objects.create(old_no=901, new_no=2, event_id=uuid4())

    assert queries.household_for(county.viewer("county"), 900).pk == 2
    with pytest.raises(NotVisible):
        queries.household_for(county.viewer("next_village"), 900)


def test_rows_are_offered_only_to_somebody(county):
    from wanjia.scope.errors import Unscoped

    for model in (Household, Change):
        with pytest.raises(Unscoped):
            model.objects.count()
    assert Household.objects.visible_to(BUILDER).filter(entered_on=date(2020, 11, 16)).count() == 32


def test_the_beginning_of_a_name_is_looked_up_in_the_index_of_names(county):
    """On PostgreSQL under row-level security, where LIKE is asked row by row."""
    viewer = county.viewer("county")
    people = searching.named_within(viewer, Filters(), queries.READ).filter(name_match__begins="韦明")
    people = people.values("household_no")
    with serving(viewer), transaction.atomic():
        if connection.vendor == "postgresql":
            with as_owner(), connection.cursor() as cursor:
                cursor.execute('ANALYZE "registry_person"')  # or any index may seem as good as another
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are otherwise read one after the other
        plan = people.explain()

    looked_up = {
        "sqlite": r"INDEX person_by_name \(name_match>\? AND name_match<\?\)",
        "postgresql": r"person_by_name.*\s+Index Cond: .*name_match\S* ~>=~ '韦明'.* AND .*name_match\S* ~<~ '韦明",
    }
    assert re.search(looked_up[connection.vendor], plan), plan
