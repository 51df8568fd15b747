"""Signing in, sessions, the account pages: through the whole middleware, as a browser sees it."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from tests.factories import accounts as factory
from tests.factories.accounts import PASSWORD, viewer
from wanjia.accounts import queries, services
from wanjia.kernel import clock

pytestmark = pytest.mark.django_db
SIGN_IN = "/sign-in/"


def signed_in(user) -> Client:
    client = Client()
    answer = client.post(SIGN_IN, {"username": user.username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


@pytest.fixture
def township(roles):
    return factory.account("township", "township_reviewer", "451228101")


def test_the_sign_in_page_is_chinese_whatever_the_browser_speaks(db):
    page = Client().get(SIGN_IN, headers={"accept-language": "en-US"}).content.decode()
    assert "登录名" in page
    assert 'lang="zh-Hans"' in page


def test_who_reads_on_a_full_disk_reads_on_though_his_visit_cannot_be_noted(township):
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def no_room(execute, sql, params, many, context):
        if sql.startswith("UPDATE"):
            raise OperationalError("database or disk is full") from full
        return execute(sql, params, many, context)

    client = signed_in(township)
    with clock.frozen(clock.now() + dt.timedelta(minutes=2)), connection.execute_wrapper(no_room):
        assert client.get("/me/").status_code == 200


def test_signing_in_and_out(township):
    client = signed_in(township)
    assert client.get("/me/").status_code == 200
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/me/").status_code == 200
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/me/").status_code == 302


def test_the_session_gets_a_new_id_when_somebody_signs_in(township):
    client = Client()
    client.get(SIGN_IN)
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted = session.session_key
    client.post(SIGN_IN, {"username": township.username, "password": PASSWORD})
    assert client.session.session_key != planted
    old = Client()
    old.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert old.get("/me/").status_code == 302


def test_a_signed_out_session_is_dead(township):
    client = signed_in(township)
    key = client.session.session_key
    client.post("/sign-out/")
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert client.get("/me/").status_code == 302


def test_the_answer_does_not_say_whether_the_account_exists(township, security):
    locked = factory.account("locked", "township_reviewer", "451228101")
    services.lock(viewer=viewer(security), user_id=locked.pk, reason="离岗")
    pages = set()
    for username, password in [("township", "wrong"), ("nobody", "wrong"), ("locked", "wrong"), ("locked", PASSWORD)]:
        client = Client()
        answer = client.post(SIGN_IN, {"username": username, "password": password, "next": "/"})
        assert answer.status_code == 401
        text = answer.content.decode().replace(username, "·")
        pages.add(text.partition('<form class="w-form"')[2].partition("csrfmiddlewaretoken")[0] + text[-600:])
    assert len(pages) == 1


def test_five_wrong_passwords_lock_this_account_from_here_only(township, roles):
    other = factory.account("neighbour", "township_reviewer", "451228102")
    client = Client()
    answers = [client.post(SIGN_IN, {"username": "township", "password": f"guess-{n}"}).status_code for n in range(7)]
    assert answers[:4] == [401] * 4
    assert answers[4:] == [429] * 3
    right = client.post(SIGN_IN, {"username": "township", "password": PASSWORD})
    assert right.status_code == 429
    assert "15 分钟" in right.content.decode()
    signed_in(other)  # an attacker who tries one account locks no village out
    elsewhere = Client(REMOTE_ADDR="10.0.0.9")
    assert elsewhere.post(SIGN_IN, {"username": "township", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("typed", ["459999199001011234", "45999919900101123x", "13812345678", "My-Secret-2020!"])
def test_what_people_type_instead_of_a_login_is_remembered_by_a_digest_and_still_locked_out(typed, caplog, roles):
    caplog.set_level("DEBUG")
    client = Client()
    answers = [client.post(SIGN_IN, {"username": typed, "password": "guess"}).status_code for _ in range(6)]
    assert answers == [401] * 4 + [429] * 2
    kept = list(AccessAttempt.objects.values_list("username", "get_data", "post_data", "path_info"))
    assert len(kept) == 1
    assert typed not in str(kept)
    assert typed not in caplog.text


def test_a_thousand_guesses_are_five(township, monkeypatch):
    tried = []
    check = type(township).check_password
    monkeypatch.setattr(type(township), "check_password", lambda self, raw: tried.append(raw) or check(self, raw))
    client = Client()
    for number in range(1000):
        client.post(SIGN_IN, {"username": "township", "password": f"guess-{number}"})
        if number == 60:
            break  # the lock has no memory of how often it was rattled; sixty show it
    assert len(tried) == 5


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "javascript:alert(1)", "http:///evil.example", "\\\\evil.example",
        "healthz", "no route of the site",
    ],
)  # fmt: skip
def test_nobody_is_sent_to_another_site(township, target):
    answer = Client().post(SIGN_IN, {"username": "township", "password": PASSWORD, "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    answer = Client().post("/language/", {"language": "en", "next": target})
    assert answer["Location"] == "/"


def test_signing_in_leads_back_to_where_one_was(township):
    client = Client()
    answer = client.get("/me/?a=1")
    assert answer["Location"] == "/sign-in/?next=/me/%3Fa%3D1"
    answer = client.post(answer["Location"], {"username": "township", "password": PASSWORD, "next": "/me/?a=1"})
    assert answer["Location"] == "/me/?a=1"


def test_a_form_from_another_site_is_refused(township):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(SIGN_IN, {"username": "township", "password": PASSWORD}).status_code == 403


def test_a_session_ends_after_a_quarter_of_an_hour_without_work(township):
    with clock.frozen(clock.now()) as advance:
        client = signed_in(township)
        for _ in range(5):
            advance(dt.timedelta(minutes=14))
            assert client.get("/me/").status_code == 200
        advance(dt.timedelta(minutes=16))
        assert client.get("/me/").status_code == 302
        assert client.get("/me/").status_code == 302


def test_polling_is_not_work(township):
    with clock.frozen(clock.now()) as advance:
        client = signed_in(township)
        for _ in range(3):
            advance(dt.timedelta(minutes=5))
            status = client.get("/me/", headers={"X-Wanjia-Background": "1"}).status_code
        assert status == 200
        advance(dt.timedelta(minutes=1))
        assert client.get("/me/").status_code == 302


def test_a_session_ends_after_eight_hours_of_work(township):
    with clock.frozen(clock.now()) as advance:
        client = signed_in(township)
        for _ in range(48):
            advance(dt.timedelta(minutes=10))
            assert client.get("/me/").status_code == 200
        advance(dt.timedelta(minutes=1))
        assert client.get("/me/").status_code == 302


def test_who_looks_costs_three_queries_and_no_write(township, django_assert_num_queries):
    client = signed_in(township)
    with django_assert_num_queries(3) as asked:  # session, account, grants
        client.get(SIGN_IN)
    assert all(query["sql"].startswith("SELECT") for query in asked)


def test_a_role_given_or_taken_counts_from_the_next_request(security, township):
    client = signed_in(township)
    assert client.get("/people/").status_code == 403
    row = services.grant(viewer=viewer(security), user=township, role="county_office", area_code="451228")
    assert client.get("/people/").status_code == 200
    services.revoke(viewer=viewer(security), grant_id=row.pk)
    assert client.get("/people/").status_code == 403


def test_a_locked_account_is_out_with_the_next_request(security, township):
    client = signed_in(township)
    services.lock(viewer=viewer(security), user_id=township.pk, reason="离岗")
    assert client.get("/me/").status_code == 302


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(township):
    here, elsewhere = signed_in(township), signed_in(township)
    answer = here.post("/me/", {"present": PASSWORD, "password": "another-word-7", "again": "another-word-7"})
    assert answer.status_code == 302
    assert here.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302


def test_a_refused_password_says_why_and_changes_nothing(township):
    client = signed_in(township)
    for data, said in [
        ({"present": "wrong-one-1", "password": "another-word-7", "again": "another-word-7"}, "当前密码不正确"),
        ({"present": PASSWORD, "password": "another-word-7", "again": "another-word-8"}, "两次输入的新密码不一致"),
        ({"present": PASSWORD, "password": "onlyletterswww", "again": "onlyletterswww"}, "字母和数字"),
        ({"present": PASSWORD, "password": PASSWORD, "again": PASSWORD}, "最近用过"),
    ]:
        answer = client.post("/me/", data)
        assert answer.status_code == 400
        assert said in answer.content.decode()
    assert queries.account("township").check_password(PASSWORD)


def test_the_language_is_the_accounts(township):
    client = signed_in(township)
    assert "我的账号" in client.get("/me/").content.decode()
    client.post("/language/", {"language": "en", "next": "/me/"})
    assert 'lang="en"' in client.get("/me/").content.decode()
    assert 'lang="en"' in signed_in(township).get("/me/").content.decode()
    before = Client()
    before.post("/language/", {"language": "en"})
    assert 'lang="en"' in before.get(SIGN_IN).content.decode()
    before.post("/language/", {"language": "klingon"})
    assert 'lang="en"' in before.get(SIGN_IN).content.decode()


@pytest.fixture
def county(roles):
    return factory.account("county", "county_office", "451228")


def test_the_list_of_people_ends_at_the_county_line(county, township):
    factory.account("beyond", "township_reviewer", "451229101")
    client = signed_in(county)
    page = client.get("/people/").content.decode()
    assert "测试township" in page
    assert "beyond" not in page
    assert "测试beyond" not in client.post("/people/", {"q": "beyond"}, follow=True).content.decode()
    searched = client.post("/people/", {"q": "测试town"}, follow=True)
    assert "测试township" in searched.content.decode()
    assert "q=" not in searched.redirect_chain[0][0]


def test_a_list_of_people_costs_the_same_for_one_and_for_fifty(county, django_assert_max_num_queries):
    for number in range(60):
        factory.account(f"officer-{number}", "information_officer", "451228101")
    client = signed_in(county)
    with django_assert_max_num_queries(12):
        page = client.get("/people/").content.decode()
    assert "officer-1<" in page.replace(" ", "")
    assert "officer-59" not in page
    assert "officer-59" in client.get("/people/?page=2").content.decode()


def test_a_person_beyond_the_line_is_not_found_without_a_byte_of_him(county):
    beyond = factory.account("beyond", "township_reviewer", "451229101")
    client = signed_in(county)
    for address in [reverse("accounts:person", args=[beyond.pk])]:
        answer = client.get(address)
        assert answer.status_code == 404
        assert "beyond" not in answer.content.decode()
    assert client.get("/people/987654/").status_code == 404
    for name in ("grant", "lock", "unlock", "set_password"):
        answer = client.post(
            reverse(f"accounts:{name}", args=[beyond.pk]), {"reason": "x", "password": "another-word-7"}
        )
        assert (answer.status_code, "beyond" in answer.content.decode()) == (404, False)
    assert queries.account("beyond").is_active


def test_opening_an_account_and_giving_a_role(county, places):
    client = signed_in(county)
    answer = client.post(
        "/people/open/",
        {
            "username": "luo.ying", "display_name": "罗某英", "area_code": "451228101",
            "phone": "13800008000", "id_number": "459999197602290012", "password": PASSWORD,
        },
    )  # fmt: skip
    user = queries.account("luo.ying")
    assert answer["Location"] == f"/people/{user.pk}/"
    page = client.get(f"/people/{user.pk}/").content.decode()
    assert "138****8000" in page
    assert "13800008000" not in page
    answer = client.post(
        f"/people/{user.pk}/grant/",
        {"role": "village_operator", "area_code": "451228101201", "valid_from": "2020-11-16", "last_day": "2020-12-31"},
    )
    assert answer.status_code == 302, answer.content.decode()
    row = factory.grants(user)[0]
    assert (row.role_id, row.valid_to) == ("village_operator", dt.date(2021, 1, 1))
    assert client.post(f"/grants/{row.pk}/revoke/").status_code == 302
    assert viewer(user).grants == ()


def test_the_last_day_of_the_calendar_means_for_good(county, township, places):
    data = {"role": "village_operator", "area_code": "451228101201", "last_day": "9999-12-31"}
    assert signed_in(county).post(f"/people/{township.pk}/grant/", data).status_code == 302
    assert [row.valid_to for row in factory.grants(township) if row.role_id == "village_operator"] == [None]


@pytest.mark.parametrize(
    "data",
    [
        {"role": "province_manager", "area_code": "45"},
        {"role": "township_reviewer", "area_code": "451229101"},
        {"role": "township_reviewer", "area_code": "451228999"},
        {"role": "township_reviewer", "area_code": "451228"},
        {"role": "security_admin", "area_code": "451228"},
        {"role": "village_operator", "area_code": "451228101201", "relation": "everything"},
        {"role": "village_operator", "area_code": "451228101201", "last_day": "2019-01-01"},
        {"role": "township_reviewer", "area_code": "451228101"},
        {},
    ],
)
def test_a_grant_that_may_not_be_is_refused_on_the_page(county, township, places, data):
    client = signed_in(county)
    answer = client.post(f"/people/{township.pk}/grant/", data)
    assert answer.status_code == 400
    assert "w-field-error" in answer.content.decode() or "w-message-error" in answer.content.decode()
    assert len(factory.grants(township)) == 1


def test_posting_other_columns_changes_nothing(county, township, places):
    """Mass assignment: whatever column a form does not name stays as it is."""
    before = queries.account("township").__dict__.copy()
    client = signed_in(county)
    every = {
        "is_active": "", "area_code": "45", "id_key": "1", "username": "root", "locked_on": "2020-01-01",
        "language": "en", "former_passwords": "[]", "opened_on": "2000-01-01", "granted_by": "1", "user_id": "1",
    }  # fmt: skip
    client.post(f"/people/{township.pk}/unlock/", every)
    client.post(f"/people/{township.pk}/password/", every)
    client.post(f"/people/{township.pk}/lock/", {k: v for k, v in every.items() if k != "reason"})
    after = queries.account("township").__dict__.copy()
    for row in (before, after):
        row.pop("_state")
    assert before == after


def test_locking_needs_a_reason(county, township):
    client = signed_in(county)
    assert client.post(f"/people/{township.pk}/lock/", {"reason": ""}).status_code == 400
    assert client.post(f"/people/{township.pk}/lock/", {"reason": "离岗"}).status_code == 302
    assert not queries.account("township").is_active
    assert client.post(f"/people/{township.pk}/unlock/").status_code == 302
    assert queries.account("township").is_active


def test_the_table_of_roles_is_shown_in_words(county):
    page = signed_in(county).get("/roles/").content.decode()
    assert "县级扶贫办" in page
    assert "向乡镇分派疑似问题" in page


def test_the_last_sign_in_is_told_by_the_platforms_clock(township):
    with clock.frozen(dt.datetime(2020, 11, 16, 9, 30, tzinfo=clock.CHINA)):
        Client().post(SIGN_IN, {"username": "township", "password": PASSWORD})
    township.refresh_from_db()
    assert township.last_login == dt.datetime(2020, 11, 16, 9, 30, tzinfo=clock.CHINA)
