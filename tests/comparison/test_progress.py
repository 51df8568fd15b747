"""Progress by level, rule and department, and the weekly table: equal to counting the cases one by one."""

import datetime as dt
import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.comparison.conftest import NEXT_COUNTY, NEXT_TOWN, VILLAGE, register
from tests.comparison.test_flow import do, down_to_town, photograph, row
from tests.comparison.test_pages import browse  # noqa: F401 - a fixture
from wanjia.audit.testing import unrecorded
from wanjia.casework import counters
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseSubject
from wanjia.casework.services import Draw, draw_sample
from wanjia.comparison.flows import SUSPECT
from wanjia.comparison.progress import figures, weekly
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cases")]
EYE = system_viewer("comparison.case")
MONDAY = dt.date(2020, 11, 16)


@pytest.fixture(scope="module")
def cases(standing):
    """Three suspects in one village, one in the next county; all issued today."""
    world, office = standing.world, standing.office
    for year in (2013, 2013, 2018):
        world.car(world.person(village=VILLAGE), registered_on=dt.date(year, 5, 1))
    world.car(world.person(village=NEXT_COUNTY), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver(area="4512")
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=4)
    return [case.case_no for case in Case.objects.for_writing().filter(area_code=VILLAGE).order_by("case_no")]


@pytest.fixture
def answered(cases, office):
    """One true and decided, one not true, one sent back; then the true one is sampled and re-opened."""
    down_to_town(office)
    for number in cases:
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)
    true, false, back = cases
    photograph(office["verifier"], true)
    do(office["verifier"], true, "verify", outcome="02", note="车在")
    do(office["verifier"], false, "verify", outcome="06", note="无车")
    do(office["verifier"], back, "verify", outcome="07", note="不是本人")
    do(office["town"], back, "send_back", reason="写明是谁")
    do(office["operator"], true, "correct", correction={"change": "measure", "measure": "已过户"})
    for number in (true, false):
        do(office["town"], number, "review")
        do(office["county"], number, "decide")
    return true, false, back


def test_the_figures_are_those_of_the_cases(answered, office):
    found = figures.progress(office["county"], "451228")
    line = found.by_part["451228100"]
    assert (line.issued, line.verified, line.judged, line.true) == (3, 2, 2, 1)
    assert (line.to_correct, line.corrected, line.overdue, line.closed, line.reopened) == (1, 1, 0, 0, 0)
    assert (line.verification_rate, line.true_rate, line.corrected_rate) == (2 / 3, 1 / 2, 1.0)
    assert {rule: line.issued for rule, line in found.by_rule.items()} == {"RA-02": 2, "RA-02B": 1}
    assert {name: line.issued for name, line in found.by_department.items()} == {"gongan": 3}
    assert figures.progress(office["county"], "451228", "RA-02B").total.issued == 1
    village = figures.progress(office["town"], "451228100")
    assert village.by_part[VILLAGE].issued == 3


def test_each_reader_is_told_of_his_own_area_alone(answered, office):
    assert figures.progress(office["province"], "45").total.issued == 4
    assert {code: line.issued for code, line in figures.progress(office["city"], "4512").by_part.items()} == {
        "451228": 3, NEXT_COUNTY[:6]: 1,
    }  # fmt: skip
    assert figures.progress(office["county"], "4512").total.issued == 3, "a wider area widens nothing"
    assert figures.progress(office["next_town"], "451228").total.issued == 0
    assert figures.progress(office["verifier"], "451228100").total.issued == 3, "those he was given"


def test_days_overdue_and_reopened_are_counted(answered, office):
    true, false, back = answered
    with clock.frozen(dt.datetime(2020, 12, 2, 9, 0, tzinfo=clock.CHINA)):
        every = CaseFilter(kind="suspect", step="county_closed")
        draw = Draw(take="take", rest="pass", share_parameter="suspects.sample_share")
        draw_sample(viewer=office["city"], case_filter=every, expected_count=2, draw=draw)
        sampled, closed = (true, false) if row(true).step == "sampled" else (false, true)
        do(office["city"], sampled, "reopen", reason="再看")
        for viewer, area in ((office["county"], "451228"), (office["town"], "451228100")):
            line = figures.progress(viewer, area).total
            assert (line.closed, line.reopened, line.overdue, line.median_days) == (1, 1, 1, 16), area
        assert row(back).closed_at is None
        assert row(closed).step == "closed"
        week = weekly.weekly(office["county"], "451228", weekly.monday_of(clock.today()))
        assert (week.total.issued, week.total.issued_all) == (0, 3)
        assert (week.total.closed, week.total.closed_all, week.total.reopened) == (1, 1, 1)
        before = weekly.weekly(office["county"], "451228", MONDAY)
        assert (before.total.closed_all, before.total.reopened_all) == (0, 0), "a past week stays as it was"


def test_the_weekly_table_counts_acts_from_counters_and_from_history_alike(answered, office):
    county = weekly.weekly(office["county"], "451228", MONDAY).total
    town = weekly.weekly(office["town"], "451228100", MONDAY).total
    for line in (county, town):
        assert (line.issued, line.verified, line.returned_all, line.judged_all, line.true) == (3, 3, 1, 3, 1)
        assert (line.corrected, line.closed, line.verification_rate, line.true_rate) == (1, 0, 2 / 3, 1 / 3)
    assert weekly.weekly(office["verifier"], "451228100", MONDAY).lines == ()
    assert figures.reopening(SUSPECT) == ["look_again", "reopen"]


def test_the_pages_show_it_in_few_queries_and_hand_it_out(answered, browse):  # noqa: F811
    browser = browse("county")
    browser.get(reverse("comparison:progress"))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = browser.get(reverse("comparison:progress"))
    statements = [query["sql"] for query in asked if query["sql"].startswith(("SELECT", "WITH"))]
    assert len(statements) <= 15, statements
    text = page.content.decode()
    assert "66.7" in text
    assert "?area=451228100" in text
    assert "451229" not in text
    answer = browser.get(reverse("comparison:progress_export"), {"by": "rule", "format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    assert [sheet.cell(row, 3).value for row in (2, 3, 4)] == [2, 1, 3]
    assert "周报表" in browser.get(reverse("comparison:weekly"), {"week": "2020-11-18"}).content.decode()
    for strange in ("x", "0001-01-01", "9999-12-31"):
        assert browser.get(reverse("comparison:weekly"), {"week": strange, "format": "csv"}).status_code == 200
    assert browse("next_town").get(reverse("comparison:progress"), {"area": "451228100"}).context["total"].issued == 0


@pytest.fixture
def two_places(cases):
    """One of the village's cases is of several townships, one was sent on to where its people live now."""
    together, sent_on, _ = cases
    with unrecorded():
        Case.objects.for_writing().filter(pk=together).update(area_code=VILLAGE[:6])
        Case.objects.for_writing().filter(pk=sent_on).update(area_code=NEXT_TOWN)
        CaseSubject.objects.visible_to(EYE).filter(case_id__in=(together, sent_on)).update(apart=True)
        counters.recount()
    return together, sent_on


@pytest.mark.parametrize("who", ["province", "city", "county", "town", "next_town", "operator"])
def test_every_number_leads_to_a_list_of_as_many(two_places, gazetteer, browse, who):  # noqa: F811
    with clock.frozen(dt.datetime(2020, 12, 2, 9, 0, tzinfo=clock.CHINA)):
        browser = browse(who)
        for area in ("", "451228", VILLAGE[:9], VILLAGE):
            there = {"area": area} if area else {}
            page = browser.get(reverse("comparison:progress"), there).context
            whole = browser.get(reverse("casework:list"), {"state": "all", **there})
            assert whole.context["page"]["total"] == page["total"].issued, area
            if not page["total"].issued:
                continue
            assert sum(row.figures.issued for row in page["parts"]) == page["total"].issued, area
            for row in (*page["parts"], *page["rules"], *page["departments"]):
                for state, n in (("all", row.figures.issued), ("overdue", row.figures.overdue)):
                    listed = browser.get(f"{row.cases}&state={state}").context["page"]["total"]
                    assert listed == n, (area, row, state)


def test_a_case_of_two_places_has_a_row_and_so_has_one_that_was_sent_on(two_places, gazetteer, browse):  # noqa: F811
    def titles(who):
        parts = browse(who).get(reverse("comparison:progress")).context["parts"]
        return {row.title: row.figures.issued for row in parts}

    assert titles("county") == {"跨都安县内几个单位": 1, "451228100": 1, "451228101": 1}
    assert titles("town") == {VILLAGE: 1, "451228100以外（涉及本地人员）": 2}
    assert titles("operator") == {VILLAGE: 1, f"{VILLAGE}以外（涉及本地人员）": 2}
    assert titles("next_town") == {NEXT_TOWN: 1}


def test_the_registry_is_named_as_no_department(cases, browse):  # noqa: F811
    with unrecorded():
        Case.objects.for_writing().filter(pk=cases[0]).update(department="registry")
    browser = browse("county")
    page = browser.get(reverse("comparison:progress"))
    assert {row.title for row in page.context["departments"]} == {"建档立卡自查", "公安厅"}
    answer = browser.get(reverse("comparison:progress_export"), {"by": "department", "format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    assert {sheet.cell(row, 2).value for row in (2, 3)} == {"建档立卡自查", "公安厅"}
    assert "部门：公安厅" in browser.get(reverse("casework:list"), {"department": "gongan"}).content.decode()


def test_the_weekly_file_is_named_after_its_last_day(cases, browse):  # noqa: F811
    answer = browse("county").get(reverse("comparison:weekly"), {"week": "2020-11-11", "format": "xlsx"})
    assert "weekly-20201109-20201115.xlsx" in answer.headers["Content-Disposition"]


def test_rules_are_chosen_by_name(cases, browse):  # noqa: F811
    browser = browse("county")
    for page in ("casework:list", "casework:mine", "casework:households"):
        assert "RA-02 名下车辆" in browser.get(reverse(page)).content.decode(), page
    assert "规则：RA-02 名下车辆" in browser.get(reverse("casework:list"), {"topic": "RA-02"}).content.decode()


def test_a_correction_is_proposed_in_excel_too(cases, office, browse):  # noqa: F811
    """The village's answer: which correction, which value, what it becomes."""
    down_to_town(office)
    first, second, _ = cases
    for number, outcome in ((first, "02"), (second, "03")):
        do(office["town"], number, "assign", assignee=office["verifier"].user_id)
        photograph(office["verifier"], number)
        do(office["verifier"], number, "verify", outcome=outcome, note="属实")
    browser = browse("operator")
    answer = browser.get(reverse("casework:answers_form"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    sheet = book.worksheets[0]
    where = {cell.value: cell.column_letter for cell in sheet[1]}
    assert "02 属实，整改中" in sheet[f"{where['疑似问题']}2"].value
    typed = {
        "整改方式": ("identified 更正识别年度", "T3 按正常脱贫退出"),
        "识别年度": ("2014", None),
        "脱贫年度": (None, "2020"),
    }
    listed = [str(cell.value) for column in book["选项"].iter_cols() for cell in column]
    assert {"identified 更正识别年度", "T3 按正常脱贫退出", "2013", "2020"} <= set(listed)
    for title, values in typed.items():
        for at, value in zip((2, 3), values, strict=True):
            sheet[f"{where[title]}{at}"] = value
    out = io.BytesIO()
    book.save(out)
    upload = SimpleUploadedFile("x.xlsx", out.getvalue())
    browser.post(reverse("casework:answers_upload"), {"sheet": upload})
    page = browser.get(reverse("casework:answers"))
    assert page.context["good_n"] == 2, page.context["refused"]
    browser.post(reverse("casework:answers_apply"), {"token": page.context["sheet"].token})
    assert row(first).proposal == {"change": "identified", "identified_year": "2014"}
    assert (row(second).step, row(second).proposal) == ("corrected", {"change": "T3", "exit_year": "2020"})
