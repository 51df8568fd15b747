"""The pages of the registry, through the whole stack: sign-in, scope, templates, records."""

import csv
import io
import re
import zipfile

import pytest
from django.db import connection

from tests.factories.registry import BUILDER, TOWNSHIPS, VILLAGES
from wanjia.audit.access import access_store
from wanjia.audit.models import Opening
from wanjia.registry import queries
from wanjia.registry.models import Change, ChangeRequestItem, Household
from wanjia.registry.services import Edit, correct

HOUSEHOLDS = "/registry/households/"


def accesses(county, who):
    return list(access_store().readings([("", None)], actor_id=county.users[who].pk))


def test_the_list_shows_my_area_with_names_masked(enter, county):
    page = enter("township").get(HOUSEHOLDS)

    assert page.status_code == 200
    text = page.content.decode()
    assert page.context["page"].total == 16
    assert "蓝*一" in text
    assert "蓝大一" not in text
    assert "缺技术" not in text
    assert {row["subject_id"] for row in accesses(county, "township")} == set(range(1, 17))


def test_the_list_narrows_and_keeps_inside_my_area(enter):
    client = enter("county")
    assert client.get(HOUSEHOLDS, {"status": "0"}).context["page"].total == 4
    assert client.get(HOUSEHOLDS, {"area": TOWNSHIPS[1], "status": "0"}).context["page"].total == 2
    assert client.get(HOUSEHOLDS, {"area": "451229"}).context["page"].total == 32  # not mine: as if not asked
    searched = client.post(f"{HOUSEHOLDS}search/", {"text": "韦"}, follow=True)
    assert searched.context["page"].total == 4
    typed = searched.context["form"]["typed"].value()
    assert client.get(HOUSEHOLDS, {"typed": typed, "area": TOWNSHIPS[1]}).context["page"].total == 2
    assert client.get(HOUSEHOLDS, {"after": "';--"}).context["page"].total == 32


def test_a_number_in_an_address_is_not_looked_for(enter, county):
    number = county.person(1).id_number.clear()
    assert enter("county").get(HOUSEHOLDS, {"text": number}).context["page"].total == 32


def test_what_is_searched_for_stands_in_no_address_and_nowhere_on_the_page(enter, county):
    number = county.person(6).id_number.clear()
    client = enter("county")

    page = client.post(f"{HOUSEHOLDS}search/", {"text": number}, follow=True)

    assert [row.household_no for row in page.context["page"].rows] == [2]
    assert number not in page.redirect_chain[0][0]
    assert number not in page.content.decode()
    assert number not in str(dict(client.session))
    elsewhere = enter("next_township").post(f"{HOUSEHOLDS}search/", {"text": number}, follow=True)
    assert elsewhere.context["page"].total == 0


def test_a_search_leads_on_by_page_and_export_and_only_its_own_reader(enter, county):
    client = enter("county")
    address = client.post(f"{HOUSEHOLDS}search/", {"text": "韦"})["Location"]

    assert client.get(address).context["page"].total == 4
    exported = client.get(address.replace("?", "export/?", 1))
    lines = b"".join(exported.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + 4 + 1
    assert enter("township").get(address).status_code == 410


def test_a_field_of_text_takes_no_number_of_a_person(enter, county):
    number = county.person(6).id_number.clear()
    client = enter("village")
    page = client.get(f"{HOUSEHOLDS}1/correct/")
    shown = {field.html_name: field.value() or "" for field in page.context["form"]}

    for typed in (number, "屯长 13812345678"):
        answer = client.post(f"{HOUSEHOLDS}1/correct/", shown | {"hamlet-1": typed, "reason": "入户核实后更正"})
        assert answer.status_code == 400


def test_suggestions_are_cut_to_the_viewer(enter):
    found = enter("contact").post(f"{HOUSEHOLDS}suggest/", {"text": "覃"}).json()["households"]
    assert [row["household_no"] for row in found] == [2]
    assert found[0]["head"] == "覃*一"


def test_the_page_of_a_household_tells_all_there_is(enter, county):
    correct(viewer=county.viewer("village"), edits=[Edit("main_cause", "01", household_no=1)], reason="入户核实后更正")

    page = enter("contact").get(f"{HOUSEHOLDS}1/")

    text = page.content.decode()
    assert page.status_code == 200
    for wanted in ("蓝大一 户", "安阳镇", "弄王屯", "138****8000", "459999********", "2008-01-01", "5,666.67"):
        assert wanted in text, wanted
    assert "缺技术" in text
    assert "入户核实后更正" in text
    assert county.users["contact"].display_name in text  # the panel of workforce
    assert county.person(1).id_number.clear() not in text
    assert page["Cache-Control"].startswith("max-age=0")
    assert [row["subject_id"] for row in accesses(county, "contact")] == [1]


@pytest.mark.parametrize(
    ("who", "household_no"),
    [("contact", 3), ("township", 17), ("next_village", 1), ("next_county", 1), ("township", 4040)],
)
def test_a_guessed_address_answers_as_if_nothing_were_there(enter, who, household_no):
    client = enter(who)
    assert client.get(f"{HOUSEHOLDS}{household_no}/").status_code == 404
    assert client.get(f"{HOUSEHOLDS}{household_no}/correct/").status_code in (403, 404)
    told = client.post(f"{HOUSEHOLDS}{household_no}/reveal/", {"what": "phone:", "reason": "核对联系电话"})
    assert told.status_code in (403, 404)
    assert not re.search(r"13800138000|138\*+8000", told.content.decode())


@pytest.mark.parametrize("who", ["department", "sysadmin"])
def test_who_may_not_read_the_registry_gets_no_page_of_it(enter, who):
    client = enter(who)
    assert client.get(HOUSEHOLDS).status_code == 403
    assert client.get(f"{HOUSEHOLDS}1/").status_code == 403


def test_strangers_are_sent_to_sign_in(client, county):
    assert client.get(f"{HOUSEHOLDS}1/").url.startswith("/sign-in/")


def test_the_pages_cost_few_queries(enter, django_assert_max_num_queries):
    client = enter("county")
    client.get(HOUSEHOLDS)
    client.get(f"{HOUSEHOLDS}1/")  # what processes remember is remembered now
    with django_assert_max_num_queries(10):
        client.get(HOUSEHOLDS)
    with django_assert_max_num_queries(20):
        client.get(f"{HOUSEHOLDS}1/")


def test_a_number_is_shown_in_clear_only_with_a_reason_and_that_is_recorded(enter, county):
    client, number = enter("county"), county.person(1).id_number.clear()
    address, what = f"{HOUSEHOLDS}1/reveal/", "id_number:1"

    refused = client.post(address, {"what": what, "reason": " "})
    assert refused.status_code == 400
    assert number not in refused.content.decode()
    assert not [row for row in accesses(county, "county") if row["action"] == "registry.reveal"]

    shown = client.post(address, {"what": what, "reason": "与公安数据核对号码"})

    assert number in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    (row,) = [row for row in accesses(county, "county") if row["action"] == "registry.reveal"]
    assert (row["subject_kind"], row["subject_id"], row["fields"], row["reason"]) == (
        "person", 1, "id_number", "与公安数据核对号码",
    )  # fmt: skip


def test_a_correction_by_form(enter, county):
    client = enter("village")
    form = client.get(f"{HOUSEHOLDS}1/correct/").context["form"]
    data = {name: form[name].initial or "" for name in form.fields if form[name].initial != []}

    done = client.post(
        f"{HOUSEHOLDS}1/correct/", data | {"hamlet-1": "弄色屯", "name-2": "韦改", "reason": "入户核实后更正"}
    )

    assert done.status_code == 302
    changed = Change.objects.visible_to(BUILDER).order_by("seq").values_list("field", "old", "new")
    assert list(changed) == [("hamlet", "弄王屯", "弄色屯")]
    (waits,) = ChangeRequestItem.objects.visible_to(BUILDER)
    assert (waits.field, waits.base, waits.wanted) == (
        "name",
        county.person(2).name,
        "韦改",
    )  # names are reviewed first
    assert county.household(1).phone.clear() == "13800138000"  # left empty, left alone


def test_a_correction_of_what_changed_meanwhile_says_so_and_keeps_what_was_typed(enter, county):
    client = enter("village")
    form = client.get(f"{HOUSEHOLDS}1/correct/").context["form"]
    data = {name: form[name].initial or "" for name in form.fields if form[name].initial != []}
    correct(viewer=county.viewer("county"), edits=[Edit("hamlet", "他屯", household_no=1)], reason="县级先行更正")

    page = client.post(f"{HOUSEHOLDS}1/correct/", data | {"hamlet-1": "弄色屯", "reason": "入户核实后更正"})

    assert page.status_code == 400
    assert "已被他人改为“他屯”" in page.content.decode()
    assert "弄色屯" in page.content.decode()
    assert county.household(1).hamlet == "他屯"


def test_the_export_equals_the_list_masked_counted_and_recorded(enter, county):
    from wanjia.audit.testing import unrecorded

    with unrecorded():
        Household.objects.visible_to(BUILDER).filter(pk=2).update(hamlet="=1+1")

    answer = enter("province").get(f"{HOUSEHOLDS}export/", {"status": "0"})

    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(content)))
    assert [line[0] for line in lines[1:-1]] == ["2", "10", "18", "26"]
    assert lines[1][1] == "覃*一"
    assert lines[1][3] == "'=1+1"
    assert "4 行" in lines[-1][0]
    entry = Opening.objects.visible_to(BUILDER).get(act="registry.export")
    assert entry.payload["content"]["rows"] == 4
    assert entry.payload["actor"]["user"] == county.users["province"].pk


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_whose_list_changed_meanwhile_says_so_though_the_count_is_the_same(enter, county, form, monkeypatch):
    from wanjia.audit.testing import unrecorded

    monkeypatch.setattr(queries, "PIECE", 10)
    pieces = []

    def moved_between(execute, sql, *args):
        if sql.endswith("LIMIT 10"):
            pieces.append(sql)
            if len(pieces) == 2:
                with unrecorded():
                    rows = Household.objects.visible_to(BUILDER)
                    rows.filter(pk=1).update(village_code=VILLAGES[-1])
                    rows.filter(pk=32).update(village_code=VILLAGES[0])
        return execute(sql, *args)

    with connection.execute_wrapper(moved_between):
        answer = enter("county").get(f"{HOUSEHOLDS}export/", {"format": form})
        content = b"".join(answer.streaming_content)

    if form == "xlsx":
        content = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert len(pieces) == 4
    assert "原计 32 行，实有 32 行：本文件不等于查询结果" in content.decode("utf-8-sig")


@pytest.mark.parametrize("who", ["village", "contact", "township"])
def test_who_may_not_export_does_not(enter, who):
    assert enter(who).get(f"{HOUSEHOLDS}export/").status_code == 403


def test_the_pages_speak_english(enter):
    client = enter("county")
    client.post("/language/", {"language": "en", "next": "/"})
    page = client.get(f"{HOUSEHOLDS}1/").content.decode()
    for wanted in ("Household members", "Story", "Identity number"):
        assert wanted in page, wanted
    assert "家庭成员" not in page
