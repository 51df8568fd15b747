"""What every answer carries, whoever asks for whatever: a page, a refusal, an unknown address, a wrong method."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import Morsel

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from tests.factories import accounts as factory
from tests.factories.walking import HOME, MINE, Example
from tests.walk.site import PLAIN

CARRIED = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A file that somebody brought, shown in the browser's own viewer, whose styles are inline. It is a document
# without an origin ("sandbox"): nothing in it runs, and no style of it reaches a page of the site. This browser
# may keep it, and asks each time: a picture book of forty pages is not fetched again at every turn.
OF_A_FILE = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}
METHODS = ("get", "post", "put", "delete", "options")


def wrong_headers(answer: HttpResponseBase, *, of_a_file: bool = False) -> list[str]:
    """Each header that is not as it must be."""
    wanted = CARRIED | (OF_A_FILE if of_a_file else {})
    wrong = [f"{name}: {answer.get(name)}" for name, value in wanted.items() if answer.get(name) != value]
    if not of_a_file and "no-store" not in answer.get("Cache-Control", ""):
        wrong.append(f"Cache-Control: {answer.get('Cache-Control')}")
    return wrong + [f"Set-Cookie: {cookie.key}" for cookie in answer.cookies.values() if not _guarded(cookie)]


def _guarded(cookie: Morsel[str]) -> bool:
    """Not sent along from other sites, and read by no script."""
    gone = not cookie.value
    return cookie["samesite"] == "Lax" and bool(gone or cookie["httponly"])


def asked(client: Client, world: list[Example]) -> Iterator[tuple[str, HttpResponseBase]]:
    """Every route once, in turn with each method; its own object, where it takes one."""
    mine = {example.route: dict(example.kwargs) for example in world if example.place is MINE}
    for number, (route, kwargs) in enumerate(sorted(({route: {} for route in PLAIN} | mine).items())):
        for method in {"get", METHODS[number % len(METHODS)]}:
            with transaction.atomic():
                yield route, getattr(client, method)(reverse(route, kwargs=kwargs))
                transaction.set_rollback(True)


@pytest.mark.parametrize("role", ["county_office", "", None])
def test_every_answer_carries_the_headers(world, role):
    """An officer's pages, what an account without a post is refused, and strangers on their way to sign in."""
    client = Client()
    if role is not None:
        client = factory.client_for(factory.account("reader", role, HOME[:6]))
    wrong, heard = [], set()
    for route, answer in asked(client, world):
        heard.add(answer.status_code)
        of_a_file = route in ("files:open", "registry:photo") and answer.status_code == 200
        found = wrong_headers(answer, of_a_file=of_a_file)
        wrong += [f"{route} ({answer.status_code}) {problem}" for problem in found]
    assert not wrong, "\n".join(wrong)
    assert heard >= {"county_office": {200, 405}, "": {200, 403}, None: {200, 302}}[role], heard


@pytest.mark.parametrize("address", ["/nowhere/", "/registry/households/987654321/", "/static/nothing.js", "/%00"])
def test_an_address_that_leads_nowhere_carries_them_too(world, address):
    answer = factory.client_for(factory.account("reader", "county_office", HOME[:6])).get(address)
    assert answer.status_code == 404
    assert wrong_headers(answer) == []


def test_no_form_of_another_site_changes_anything(world):
    """Not even one that holds a token of this site."""
    client = Client(enforce_csrf_checks=True)
    client.get(reverse("accounts:sign_in"))
    token = client.cookies["csrftoken"].value
    client.force_login(factory.account("reader", "county_office", HOME[:6]))
    wrong = []
    for example in (one for one in world if one.place is MINE and one.method == "post"):
        with transaction.atomic():
            answer = client.post(
                reverse(example.route, kwargs=dict(example.kwargs)),
                {**example.data, "csrfmiddlewaretoken": token},
                headers={"Origin": "https://evil.example"},
            )
            transaction.set_rollback(True)
        if answer.status_code != 403 or wrong_headers(answer):
            wrong.append(f"{example.route}: {answer.status_code} {wrong_headers(answer)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "a b", ""])
def test_a_wrong_host_is_refused_without_a_trace(world, settings, host):
    """Or a link in an answer could lead to whatever somebody wrote into his request."""
    settings.ALLOWED_HOSTS = ["testserver"]  # production names its hosts, or does not start
    answer = Client().get(reverse("accounts:sign_in"), headers={"host": host})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert not [trace for trace in ("Traceback", "ALLOWED_HOSTS", "DisallowedHost", host or "evil") if trace in text]
    assert wrong_headers(answer) == []
