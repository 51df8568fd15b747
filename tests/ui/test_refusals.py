import logging

import pytest
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.utils import translation

from wanjia.kernel.errors import Refusal, Sentence
from wanjia.scope.routes import PUBLIC, access


class GateClosed(Refusal):
    code = "test.gate_closed"
    status = 409
    facts = ("gate",)
    what = Sentence("{gate}已关闭，没有任何内容被改动。", "The gate {gate} is closed; nothing was changed.")
    cure = Sentence("请明天再来。", "Come again tomorrow.")


@access(PUBLIC)
def closed(request):
    raise GateClosed(gate="北门")


@access(PUBLIC)
def missing(request):
    raise Http404


@access(PUBLIC)
def broken(request):
    secret = "459999199001011234"
    raise RuntimeError(f"cannot read {secret}")


@access(PUBLIC)
def fine(request):
    return HttpResponse("ok")


@access(PUBLIC)
def sandboxed(request):
    return HttpResponse(
        "a file", headers={"Content-Security-Policy": "sandbox", "Cache-Control": "private, max-age=60"}
    )


urlpatterns = [
    path("closed/", closed),
    path("missing/", missing),
    path("broken/", broken),
    path("fine/", fine),
    path("sandboxed/", sandboxed),
]
handler500 = "wanjia.ui.pages.server_error"

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


def test_a_refusal_is_a_page_that_says_what_to_do(visitor):
    answer = visitor.get("/closed/")

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "北门已关闭，没有任何内容被改动。" in page
    assert "请明天再来。" in page
    assert "test.gate_closed" in page
    assert "<h1>" in page
    assert "<main" in page


def test_a_refusal_speaks_the_reader_s_language():
    from wanjia.ui.refusals import refusal_response

    request = RequestFactory().get("/closed/", headers={"Accept": "application/json"})
    with translation.override("en"):
        answer = refusal_response(request, GateClosed(gate="North"))
    assert answer.status_code == 409
    assert b"The gate North is closed; nothing was changed." in answer.content


def test_htmx_gets_a_fragment_above_the_page(visitor):
    answer = visitor.get("/closed/", headers={"HX-Request": "true"})

    assert answer.status_code == 409
    assert answer["HX-Retarget"] == "#messages"
    assert "<html" not in answer.content.decode()
    assert "请明天再来。" in answer.content.decode()


def test_a_program_gets_json(visitor):
    answer = visitor.get("/closed/", headers={"Accept": "application/json"})

    assert answer.json() == {
        "code": "test.gate_closed",
        "what": "北门已关闭，没有任何内容被改动。",
        "cure": "请明天再来。",
        "facts": {"gate": "北门"},
        "reference": answer.headers["X-Request-ID"],
    }


def test_the_log_of_a_refusal_holds_no_query(visitor, caplog):
    with caplog.at_level(logging.INFO, logger="wanjia.refusals"):
        visitor.get("/closed/?q=459999199001011234")
    ours = [record.getMessage() for record in caplog.records if record.name == "wanjia.refusals"]
    assert ours == [f"test.gate_closed on GET {closed.__module__}.closed"]
    assert "459999" not in caplog.text


@pytest.mark.parametrize("address", ["/missing/", "/nowhere/"])
def test_what_is_not_there_is_a_page_too(visitor, address):
    answer = visitor.get(address)

    assert answer.status_code == 404
    assert "没有找到这个页面" in answer.content.decode()


def test_a_fault_shows_its_time_and_nothing_of_its_cause(visitor):
    answer = visitor.get("/broken/")

    page = answer.content.decode()
    assert answer.status_code == 500
    assert "2020-11-16 09:00" in page
    for trace in ("Traceback", "RuntimeError", "459999", "test_refusals", "secret"):
        assert trace not in page


def test_a_fault_stays_a_page_when_the_frame_itself_is_broken(visitor, monkeypatch):
    monkeypatch.setattr("wanjia.ui.context.menu_for", lambda request: 1 / 0)
    monkeypatch.setattr("wanjia.ui.pages.render", lambda *args, **kwargs: 1 / 0)

    answer = visitor.get("/broken/")

    assert answer.status_code == 500
    assert "系统出了差错" in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_with_a_page():
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/fine/", {"a": "1"})

    assert answer.status_code == 403
    assert "没有任何内容被改动" in answer.content.decode()


@pytest.mark.parametrize("address", ["/fine/", "/closed/", "/missing/", "/nowhere/", "/broken/"])
def test_every_answer_carries_the_protective_headers(visitor, address):
    headers = visitor.get(address).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "microphone=()" in headers["Permissions-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_a_view_may_be_stricter_about_itself(visitor):
    headers = visitor.get("/sandboxed/").headers

    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Cache-Control"] == "private, max-age=60"


@override_settings(DEBUG=False)
def test_no_page_carries_script_or_style_inside(visitor):
    for address in ("/closed/", "/nowhere/", "/broken/"):
        page = visitor.get(address).content.decode()
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert all("src=" in tag for tag in page.split("<script")[1:])
