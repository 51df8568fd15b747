"""The department's desk in a browser's eyes."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.comparison.test_feedback import (  # noqa: F401 - fixtures are used by their names
    EYE,
    WHY,
    again,
    case_no,
    given,
    keep_rows,
    officers,
    row,
)
from wanjia.accounts import sessions
from wanjia.accounts.models import User
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.services import NewAccount, NewGrant, open_accounts
from wanjia.audit.access import access_store
from wanjia.casework.services import Answer, act
from wanjia.comparison.choices import FeedbackState
from wanjia.comparison.feedback import services
from wanjia.comparison.feedback.raising import raise_unanswered
from wanjia.kernel import clock
from wanjia.reference import queries as reference
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("case_no")]
DESK, LIST = "comparison:department_desk", "comparison:feedback_list"


@pytest.fixture
def feedback(case_no, office):  # noqa: F811
    return given(office, case_no)


@pytest.fixture
def browse(client, office, officers):  # noqa: F811
    """A browser signed in as somebody by his login."""

    def sign_in(name):
        client.force_login(User.objects.visible_to(EYE).get(username=name.replace("_", "-")))
        session = client.session
        session[sessions.STARTED] = session[sessions.SEEN] = clock.now().timestamp()
        session.save()
        return client

    return sign_in


def page(feedback):
    return reverse("comparison:feedback", args=[feedback.pk])


def send(browser, feedback, **values):
    address = reverse("comparison:feedback_answer", args=[feedback.pk])
    return browser.post(address, {"version": feedback.version, "reason": "", **values})


def test_the_desk_and_the_home_page_say_what_waits_for_the_department(feedback, browse):
    browser = browse("police")
    home = browser.get("/").content.decode()
    assert "等我答复的数据反馈 <b>1</b> 条" in home
    assert "没有等您办理的事项" not in home
    text = browser.get(reverse(DESK)).content.decode()
    assert "1 条反馈等您答复" in text
    assert page(feedback) in text
    assert "最近交付的批次" in text


def test_a_file_that_waits_for_a_decision_stands_first(world, feedback, browse):
    world.deliver(resolved=False, status=BatchStatus.PREVIEWED, file_hash="e" * 64, raw="raw/e", file_name="新车辆.csv")
    browser = browse("police")
    assert "等我决定的文件 <b>1</b> 份" in browser.get("/").content.decode()
    text = browser.get(reverse(DESK)).content.decode()
    assert text.index("等您决定的文件") < text.index("新车辆.csv") < text.index("条反馈等您答复")
    assert "新车辆.csv" not in browse("welfare").get(reverse(DESK)).content.decode()


def test_who_answers_for_no_department_has_no_desk(feedback, browse):
    for name in ("province", "county", "town", "verifier"):
        assert browse(name).get(reverse(DESK)).status_code == 403
    assert browse("town").get(reverse(LIST)).status_code == 403
    text = browse("county").get(reverse(LIST)).content.decode()
    assert page(feedback) in text


def test_another_departments_feedback_by_guessed_address_is_not_there(feedback, browse):
    for name in ("welfare", "next_police"):
        browser = browse(name)
        assert browser.get(page(feedback)).status_code == 404
        assert send(browser, feedback, answer="agree").status_code == 404
        assert send(browser, feedback, answer="dispute", reason=WHY).status_code == 404
        assert page(feedback) not in browser.get(reverse(LIST)).content.decode()
    assert send(browse("county"), feedback, answer="agree").status_code == 403
    assert again(feedback).state == FeedbackState.GIVEN


def test_the_department_disputes_and_the_county_answers(feedback, browse, case_no, office):  # noqa: F811
    answer = send(browse("police"), feedback, answer="dispute", reason=WHY)
    assert answer.status_code == 302
    assert again(feedback).state == FeedbackState.DISPUTED
    browser = browse("county")
    assert "部门有异议，待县级处理" in browser.get(reverse("casework:mine")).content.decode()
    shown = browser.get(row(case_no).get_absolute_url()).content.decode()
    assert WHY in shown
    assert page(feedback) in shown
    stands = {"action": "stand_by", "version": row(case_no).version, "reason": "凭证原件齐全。"}
    assert browser.post(reverse("casework:act", args=[case_no]), stands).status_code == 302
    told = browse("police").get(page(feedback)).content.decode()
    assert "县级维持结论" in told
    assert "凭证原件齐全。" in told


def test_the_department_agrees_and_goes_on_to_what_waits_next(feedback, browse):
    answer = send(browse("police"), feedback, answer="agree", reason="将更正。")
    assert answer["Location"] == reverse(DESK)
    assert "将更正。" in browse("police").get(page(feedback)).content.decode()


def test_what_is_refused_comes_back_with_what_was_typed(feedback, browse):
    browser = browse("police")
    nothing = send(browser, feedback, answer="dispute", reason="  ")
    assert nothing.status_code == 422
    assert "没有写明异议的理由" in nothing.content.decode()
    for wrong in (
        {"answer": "perhaps"},
        {"answer": "agree", "version": "x"},
        {"answer": "dispute", "reason": "长" * 1001},
    ):
        answer = send(browser, feedback, **wrong)
        assert answer.status_code == 422
        assert "没有任何内容被改动" in answer.content.decode()
    stale = send(browser, feedback, answer="dispute", reason=WHY, version="7")
    assert stale.status_code == 409
    assert WHY in stale.content.decode()
    assert again(feedback).state == FeedbackState.GIVEN


def test_whoever_answers_second_is_told_and_keeps_his_words(feedback, browse, officers):  # noqa: F811
    services.agree(viewer=officers["county_police"], feedback_id=feedback.pk, seen_version=1)
    late = send(browse("police"), feedback, answer="dispute", reason=WHY)
    assert late.status_code == 409
    assert "county_police" in late.content.decode()
    assert WHY in late.content.decode()
    assert again(feedback).state == FeedbackState.AGREED


def test_the_address_of_an_answer_leads_back_to_the_page(feedback, browse):
    answer = browse("police").get(reverse("comparison:feedback_answer", args=[feedback.pk]))
    assert answer["Location"] == page(feedback)


def test_reading_a_feedback_is_recorded(feedback, browse, officers):  # noqa: F811
    browse("police").get(page(feedback))
    (read,) = access_store().readings([("", None)], subject_kind="feedback")
    assert (read["actor_id"], read["subject_id"]) == (officers["police"].user_id, feedback.pk)


def test_a_delivery_that_still_holds_it_says_so_before_it_is_accepted(world, case_no, office, officers, browse):  # noqa: F811
    keep_rows(world, Batch.objects.visible_to(EYE).get())
    told = given(office, case_no)
    services.agree(viewer=officers["police"], feedback_id=told.pk, seen_version=1)
    later = world.deliver(resolved=False, status=BatchStatus.PREVIEWED)
    keep_rows(world, later)
    text = browse("police").get(later.get_absolute_url()).content.decode()
    assert "这批数据仍含 1 条部门已认可有误的记录" in text
    assert page(told) in text
    assert "已认可有误" not in browse("welfare").get(reverse(DESK)).content.decode()


def test_the_list_is_narrowed_and_a_filter_that_makes_no_sense_narrows_nothing(feedback, browse):
    browser = browse("police")
    for query, there in (
        ({"state": "open"}, True), ({"state": "agree"}, False), ({"state": "overdue"}, False),
        ({"dataset": "gongan.vehicles"}, True), ({"dataset": "minzheng.dibao"}, True), ({"state": "x"}, True),
    ):  # fmt: skip
        assert (f'href="{page(feedback)}"' in browser.get(reverse(LIST), query).content.decode()) is there, query


def test_the_list_follows_the_area_looked_at(feedback, browse):
    browser = browse("province")
    for area, there in (("451228", True), ("451229", False)):
        assert (f'href="{page(feedback)}"' in browser.get(reverse(LIST), {"area": area}).content.decode()) is there


def test_the_list_costs_the_same_however_long_it_is(feedback, browse, django_assert_max_num_queries):
    browser = browse("police")
    browser.get(reverse(LIST))
    with django_assert_max_num_queries(15):
        browser.get(reverse(LIST))
    with django_assert_max_num_queries(26):
        browser.get(reverse(DESK))


def test_the_case_tells_its_readers_how_the_department_stands(feedback, browse, case_no, office):  # noqa: F811
    text = browse("town").get(row(case_no).get_absolute_url()).content.decode()
    assert "已反馈公安厅，答复期限" in text
    assert page(feedback) not in text, "the township has no list of feedback"
    act(viewer=office["city"], case_no=case_no, action="take", seen_version=row(case_no).version, answer=Answer())
    assert "已反馈公安厅" in browse("county").get(row(case_no).get_absolute_url()).content.decode()


BADGE = re.compile(r'<a class="w-tool" href="([^"]*)">.*?我的待办</span>(?:<b class="w-count">([^<]*)</b>)?', re.DOTALL)


def badge(browser, address="/"):
    """Where 我的待办 leads, and the number beside it."""
    return BADGE.search(browser.get(address).content.decode()).groups()


def test_the_count_of_tasks_holds_the_feedback_to_answer_and_leads_to_it(feedback, browse, officers):  # noqa: F811
    assert badge(browse("police")) == (reverse(DESK), "1")
    assert badge(browse("welfare")) == (reverse(DESK), None)
    services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
    assert badge(browse("police")) == (reverse(DESK), None)


def test_what_was_raised_is_counted_where_it_is_answered_for(feedback, browse, case_no, office):  # noqa: F811
    late = reference.calendar().add(feedback.due_on, 3)
    with clock.frozen(dt.datetime.combine(late, dt.time(9), clock.CHINA)):
        raise_unanswered()
        assert badge(browse("county")) == (reverse("casework:mine"), None), "the home page says it, not every page"
        home = browse("county").get("/").content.decode()
        assert "部门逾期未答复的数据反馈 <b>1</b> 条" in home
        assert "其中 1 条已报到本级，请督促" in home
        listed = browse("county").get(reverse(LIST), {"state": "raised_here"}).content.decode()
        assert page(feedback) in listed
        assert "待部门答复，已超期并报" in listed
        assert "部门对反馈的答复" in browse("county").get(reverse("comparison:progress")).content.decode()
        city = browse("city").get("/").content.decode()
        assert "部门逾期未答复的数据反馈 <b>1</b> 条" in city
        assert "已报到本级" not in city
        assert badge(browse("city")) == (reverse("casework:mine"), "1"), "the decided case, for its sample"
        assert "部门逾期" not in browse("town").get("/").content.decode()
        act(viewer=office["city"], case_no=case_no, action="take", seen_version=row(case_no).version, answer=Answer())
        services.dispute(viewer=viewer_for(User.objects.visible_to(EYE).get(username="police")), feedback_id=feedback.pk,
                         seen_version=1, reason=WHY)  # fmt: skip
        assert badge(browse("county")) == (reverse("casework:mine"), "1"), "disputed: now it is the county's turn"


def test_with_matters_of_two_kinds_the_bar_leads_home(feedback, browse):
    """Feedback to answer as the county's police, and the decided case, as the city, for its sample."""
    posts = [
        NewGrant("department_officer", "451228", Relation.OWN_DEPARTMENT, "gongan"),
        NewGrant("city_office", "4512"),
    ]
    account = NewAccount("both", "两岗", "4512", grants=posts)
    open_accounts(viewer=system_viewer("accounts.administer"), accounts=[account])
    assert badge(browse("both")) == ("/", "2")


def test_the_bar_costs_one_statement_more_for_departments_officers_and_none_for_others(feedback, browse):
    def asked(name):
        browser = browse(name)
        browser.get(reverse(LIST))
        with CaptureQueriesContext(connection) as statements:
            browser.get("/me/")
        return sum("comparison_feedback" in query["sql"] for query in statements)

    assert [asked(name) for name in ("police", "county", "town", "verifier")] == [1, 0, 0, 0]
