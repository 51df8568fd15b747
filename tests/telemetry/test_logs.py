"""Log lines without personal data: provoked failures that quote a person, and what is left of them."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import os
import subprocess
import sys
import threading

import pytest
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path

from wanjia.kernel import clock
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import PUBLIC, access
from wanjia.telemetry import logs, statements
from wanjia.telemetry.middleware import HEADER
from wanjia.telemetry.work import Work, working

NUMBER, PHONE, CARD, NAME = "459999197602290012", "13800008000", "6222021001112223334", "覃小花"


class Lines(logging.Handler):
    """What would have been written, as JSON and for people."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(logs.WithoutPersonalData())
        self.json, self.human = io.StringIO(), io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        self.json.write(logs.JsonLines().format(record) + "\n")
        self.human.write(logs.HumanLines().format(record) + "\n")

    @property
    def text(self) -> str:
        return self.json.getvalue() + self.human.getvalue()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.json.getvalue().splitlines()]

    def of(self, event: str) -> list[dict]:
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def written():
    """Everything the root logger's handlers would write, from INFO on."""
    handler, root, loggers = Lines(), logging.getLogger(), ("wanjia", "wanjia.requests")
    before = {name: logging.getLogger(name).level for name in loggers}
    root.addHandler(handler)
    for name in loggers:
        logging.getLogger(name).setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def nothing_personal(text: str) -> bool:
    return not any(secret in text for secret in (NUMBER, PHONE, CARD, NAME))


def test_numbers_are_hidden_in_message_arguments_and_extras(written):
    logging.getLogger("wanjia.any").warning(
        "%s called %s", PHONE, {"card": CARD}, extra={"event": "odd", "key": int(NUMBER), "list": [f"x {NUMBER}"]}
    )
    assert nothing_personal(written.text)
    (line,) = written.of("odd")
    assert line["message"] == "[hidden] called {'card': '[hidden]'}"
    assert (line["key"], line["list"], line["level"], line["logger"]) == (
        "[hidden]", ["x [hidden]"], "warning", "wanjia.any",
    )  # fmt: skip


def test_an_exception_is_its_kinds_and_places_without_its_text(written):
    def quotes() -> None:
        raise ValueError(f"{NAME} {NUMBER}")

    def fails() -> None:
        try:
            quotes()
        except ValueError as cause:
            raise RuntimeError(f"no row for {NAME}") from cause

    try:
        fails()
    except RuntimeError:
        logging.getLogger("wanjia.any").exception("it failed")
    assert nothing_personal(written.text)
    (line,) = written.lines
    assert line["errors"] == ["RuntimeError", "ValueError"]
    assert any(frame.endswith(" fails") for frame in line["frames"])
    assert "RuntimeError < ValueError\n  at " in written.human.getvalue()


def test_a_line_that_does_not_fit_its_arguments_prints_neither(written, capsys):
    logging.getLogger("wanjia.any").warning("%d people", NUMBER)
    assert nothing_personal(written.text + capsys.readouterr().err)
    assert "does not fit" in written.text


@pytest.mark.django_db
def test_a_databases_complaint_that_quotes_the_row_is_not_repeated(written):
    row = {"session_key": NUMBER, "session_data": NAME, "expire_date": clock.now()}
    Session.objects.create(**row)
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        Session(**row).save(force_insert=True)
    logging.getLogger("wanjia.any").error("not saved", exc_info=raised.value)
    assert nothing_personal(written.text)
    assert written.lines[-1]["errors"][0] == "IntegrityError"


# Requests, through the whole site.


@access(PUBLIC)
def fails(request, number=None, name=None):
    raise RuntimeError(f"{NAME} {NUMBER} {PHONE}")


@access(PUBLIC)
def refuses(request, name):
    raise NotVisible(kind="household")


@access(PUBLIC)
def fine(request, number):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [NUMBER])
    return HttpResponse("fine")


@access(PUBLIC)
def streams(request):
    def pieces():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.execute("SELECT 2")
        yield b"one"

    return StreamingHttpResponse(pieces())


urlpatterns = [
    path("fails/<int:number>/<str:name>/", fails, name="fails"),
    path("refuses/<str:name>/", refuses, name="refuses"),
    path("fine/<int:number>/", fine, name="fine"),
    path("streams/", streams, name="streams"),
]
handler500 = "wanjia.ui.pages.server_error"


@pytest.fixture
def site(settings, db):
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


def test_a_request_is_one_line_with_its_route_and_numbers(site, written):
    answer = site.get("/fine/17/?q=" + NUMBER)
    (line,) = written.of("request")
    assert line["request"] == answer.headers[HEADER]
    assert (line["route"], line["number"], line["status"], line["method"], line["user"]) == ("fine", 17, 200, "GET", 0)
    assert line["queries"] == 1
    assert line["ms"] > 0
    assert nothing_personal(written.text)
    assert "/fine/" not in written.text


@pytest.mark.parametrize("number", [NUMBER, NUMBER[:17], PHONE])
def test_a_persons_number_typed_in_place_of_ours_is_not_among_the_facts(site, written, number):
    site.get(f"/fine/{number}/")
    (line,) = written.of("request")
    assert "number" not in line
    assert number not in written.text


def test_a_page_that_fails_names_its_reference_on_the_page_and_in_the_log(site, written):
    answer = site.get(f"/fails/4/{NAME}{NUMBER}/")
    reference = answer.headers[HEADER]
    assert answer.status_code == 500
    assert reference in answer.content.decode()
    assert nothing_personal(written.text)
    assert {line["request"] for line in written.lines} == {reference}
    told = next(line for line in written.lines if line["logger"] == "django.request")
    assert told["errors"] == ["RuntimeError"]
    assert any("test_logs.py" in frame for frame in told["frames"])
    (line,) = written.of("request")
    assert (line["level"], line["status"], line["route"], line["number"]) == ("error", 500, "fails", 4)
    assert "name" not in line


def test_the_reference_is_in_json_answers_too(site):
    failed = site.get("/fails/4/x/", headers={"accept": "application/json"})
    refused = site.get("/refuses/x/", headers={"accept": "application/json"})
    assert failed.json()["reference"] == failed.headers[HEADER]
    assert refused.json()["reference"] == refused.headers[HEADER]


def test_a_refusal_names_its_code_and_route_and_not_the_address(site, written):
    answer = site.get(f"/refuses/{NAME}{NUMBER}/")
    assert answer.status_code == 404
    assert answer.headers[HEADER] in answer.content.decode()
    (line,) = written.of("refusal")
    assert (line["message"], line["route"]) == ("scope.not_visible on GET refuses", "refuses")
    assert nothing_personal(written.text)


def test_an_address_nobody_knows_is_not_repeated(site, written):
    site.get(f"/find/{NAME}/{NUMBER}/")
    (line,) = written.of("request")
    assert (line["route"], line["status"]) == ("-", 404)
    assert nothing_personal(written.text)


def test_a_hostile_header_is_not_repeated(site, written, settings):
    settings.ALLOWED_HOSTS = ["wanjia.example.cn"]
    answer = site.get("/fine/1/", headers={"host": f"{NUMBER}.example.com"})
    assert answer.status_code == 400
    assert nothing_personal(written.text)


def test_what_is_streamed_is_told_when_the_last_piece_is_sent(site, written):
    answer = site.get("/streams/")
    assert written.of("request") == []
    assert b"".join(answer.streaming_content) == b"one"
    (line,) = written.of("request")
    assert (line["route"], line["queries"]) == ("streams", 2)


def test_whoever_sends_a_reference_gets_ours(site):
    assert site.get("/fine/1/", headers={HEADER: NUMBER}).headers[HEADER] != NUMBER


# Slow statements.


def test_a_slow_statement_names_its_page_and_no_value(site, written, settings):
    settings.WANJIA_SLOW_QUERY_MS = 0
    answer = site.get("/fine/17/")
    line = written.of("slow_query")[-1]
    assert (line["route"], line["request"], line["number"]) == ("fine", answer.headers[HEADER], 17)
    assert line["sql"] == "SELECT %s"
    assert line["ms"] >= 0
    assert nothing_personal(written.text)


def test_nothing_is_slow_below_the_limit(site, written, settings):
    settings.WANJIA_SLOW_QUERY_MS = 60_000
    site.get("/fine/17/")
    assert written.of("slow_query") == []


def test_a_slow_statement_of_a_job_names_the_job(db, written, settings):
    settings.WANJIA_SLOW_QUERY_MS = 0
    with (
        working(Work("job", "5", lambda: "sources.accept", lambda: {"job": 5, "attempt": 2})),
        connection.cursor() as c,
    ):
        c.execute("SELECT 1")
    (line,) = written.of("slow_query")
    assert (line["job_name"], line["job"], line["attempt"]) == ("sources.accept", 5, 2)


def test_a_database_in_trouble_does_not_fill_the_disk(db, written, settings):
    settings.WANJIA_SLOW_QUERY_MS = 0
    with working(Work("job", "5", lambda: "t", dict)) as work, connection.cursor() as cursor:
        for _ in range(statements.MOST_LINES * 2):
            cursor.execute("SELECT 1")
    assert len(written.of("slow_query")) == statements.MOST_LINES
    assert work.slow == work.queries == statements.MOST_LINES * 2


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("SELECT  a\n FROM t WHERE b = %s", "SELECT a FROM t WHERE b = %s"),
        ("SELECT 1 WHERE a = '覃''小花' AND b = 'x'", "SELECT 1 WHERE a = '…' AND b = '…'"),
        ("a IN (%s, %s, %s, %s, %s)", "a IN (%s, …)"),
        ("VALUES (%s, %s), (%s, %s), (%s, %s), (%s, %s)", "VALUES (%s, %s), …"),
        ("SELECT ?" + " " * 9 + "x" * 5000, "SELECT ? " + "x" * 1991 + "…"),
    ],
)
def test_the_shape_of_a_statement_holds_no_value(sql, shape):
    assert statements.shape_of(sql) == shape


def test_watching_survives_a_new_connection_and_other_wrappers(db):
    before = list(connection.execute_wrappers)
    assert before[0] is statements.watch
    statements.install(connection)
    with connection.execute_wrapper(lambda execute, *given: execute(*given)):
        statements.install(connection)
    assert connection.execute_wrappers == before


# Processes.

ENDS = f"""
import sys, threading
sys.argv = ["x"]
import logging.config
from wanjia.telemetry import logs
logging.config.dictConfig(logs.configuration(as_json=True))
logs.catch_unhandled()
def fails():
    raise ValueError("{NAME} {NUMBER}")
thread = threading.Thread(target=fails)
thread.start(); thread.join()
class Odd:
    def __del__(self):
        fails()
odd = Odd(); del odd
fails()
"""


def test_what_ends_a_thread_or_a_process_is_logged_without_its_text():
    done = subprocess.run(
        [sys.executable, "-c", ENDS], capture_output=True, text=True, check=False, env=os.environ | {"PYTHONUTF8": "1"}
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["message"] for line in lines] == [
        "a thread ends", "an exception nobody could be told of", "the process ends",
    ]  # fmt: skip
    assert all(line["errors"] == ["ValueError"] for line in lines)
    assert nothing_personal(done.stderr)


def test_work_belongs_to_its_thread():
    seen = []

    def look() -> None:
        from wanjia.telemetry.work import current

        seen.append(current())

    with working(Work("job", "1", lambda: "t", dict)):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [None]


def test_every_refusals_facts_stay_out_of_the_log(written):
    """RefusalPages writes the code; a refusal logged as an exception keeps its text to itself as well."""
    logging.getLogger("wanjia.any").error("refused", exc_info=NotVisible(kind=NUMBER))
    assert nothing_personal(written.text)


COMMAND = f"""
import sys
from wanjia import cli
@cli.app.command()
def breaks() -> None:
    cli._django()
    raise ValueError("{NAME} {NUMBER}")
sys.argv = ["wanjia", "breaks"]
cli.main()
"""


def test_a_command_that_breaks_tells_where_and_not_what(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONUTF8": "1", "WANJIA_HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert nothing_personal(done.stdout + done.stderr)
    assert "ValueError\n  at " in done.stderr
