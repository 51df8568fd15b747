"""Whatever stands in an address or a field: an answer, never a fault, and nothing of the program in it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import accounts as factory
from tests.factories.registry import load_places
from tests.walk.site import PLAIN, failed
from wanjia.reference.services import load_reference

pytestmark = pytest.mark.django_db

# What the site's own addresses ask for: filters, pages, cursors, areas.
NAMES = (
    "q", "text", "page", "after", "area", "all", "format", "kind", "step", "topic", "desk", "under", "department",
    "outcome", "state", "household", "household_no", "rule", "status", "category", "standing", "subject_kind",
    "subject_id", "actor", "since", "until", "name", "label", "action", "next", "code", "language", "expected",
)  # fmt: skip
# Percent-encoded, as they travel: NUL, a lone surrogate, invalid UTF-8, numbers no column and no int() takes …
VALUES = (
    "9" * 5_000, "%00", "a%00b", "%ED%A0%80", "%FF%FE", "9" * 19, "-1", "1e309", "NaN", "%D9%A1%D9%A2", "%C2%B2",
    "'%20OR%201=1--", "%25%25%5F", "%3Cscript%3E", "../../etc/passwd", "0001-01-01", "9999-12-31", "%F0%9F%98%80" * 50,
    "eyJ4Ijox", "451228", "MQ%3D%3D", "%7B%7B7*7%7D%7D",
)  # fmt: skip
TRACES = ("Traceback", "OperationalError", "DataError", "ValueError", "SELECT ", "site-packages")


@pytest.fixture
def officer() -> Client:
    load_reference()
    load_places()
    client = factory.client_for(factory.account("officer", "province_data_officer", "45"))
    client.raise_request_exception = False
    return client


def broken(client: Client, route: str, query: str) -> str:
    """How the page broke on this query, or nothing."""
    address = reverse(route)
    answer = client.get(address, QUERY_STRING=query)
    if answer.status_code == 405:
        answer = client.post(address, query, content_type="application/x-www-form-urlencoded")
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    shown = [trace for trace in TRACES if trace.encode() in text]
    return f"{route}?{query[:40]}: {answer.status_code} {shown}" if failed(route, answer.status_code) or shown else ""


def test_every_page_bears_strange_values_under_all_its_names(officer):
    """One value under every name, another for each page; and one name alone, whose neighbours drop no form."""
    wrong = []
    for number, route in enumerate(PLAIN):
        value, name = VALUES[number % len(VALUES)], NAMES[number % len(NAMES)]
        wrong.append(broken(officer, route, "&".join(f"{name}={value}" for name in NAMES)))
        wrong.append(broken(officer, route, f"{name}={value}"))
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_whither_somebody_goes_on_breaks_nothing_whatever_it_is(officer):
    wanted = [f"next={prefix}{value}&language=en" for prefix in ("", "/", "//") for value in VALUES]
    wrong = [broken(officer, route, query) for query in wanted for route in ("accounts:sign_in", "accounts:language")]
    assert not any(wrong), "\n".join(filter(None, wrong))
