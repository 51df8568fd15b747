"""Two thousand strange strings in every parameter of every plain page: an answer, never markup, never a header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from random import Random
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.walk.forms import FORMS, Scene
from tests.walk.names import LEAD, learnt
from tests.walk.site import PLAIN, Asker, everybody, failed
from tests.walk.strings import COUNT, Strange, strings
from tests.walk.test_values import TRACES, VALUES

MEETS = 3  # parameters each string is sent to
PARTS = 8  # of the long run, each a minute's work
IN_THE_GATE = 100  # strings, one parameter each
RUNS = ("javascript:", "data:", "vbscript:", "//")
ADDRESSES = {"href", "src", "action", "formaction", "hx-get", "hx-post", "xlink:href", "srcdoc"}
# Read only once the rest of the form is right, or by whoever is not signed in yet.
BEYOND = (
    ("office:area", "post", "next"), ("reference:parameter", "path", "name"), ("reference:code_list", "path", "name"),
    *(("accounts:sign_in", "stranger", name) for name in ("username", "password", "next")),
)  # fmt: skip
Parameter = tuple[str, str, str]


def parameters(client: Client) -> list[Parameter]:
    """Every parameter of every plain route, as the routes themselves ask for it."""
    read = learnt(client)
    found = [(route, "get", name) for route in PLAIN for name in sorted(read[route][0])]
    found += [(route, "post", name) for route in PLAIN for name in sorted(read[route][1])]
    return [*found, *BEYOND]


@dataclass(slots=True)
class Asking:
    """The browsers the strings are sent from; what else a form needs stands in its declared form."""

    signed_in: Client
    stranger: Client
    forms: dict[str, dict[str, str]]

    def send(self, where: Parameter, encoded: str):
        route, how, name = where
        one = f"{quote(name)}={encoded}"
        with transaction.atomic():
            if how == "path":
                answer = self.signed_in.get(f"{_BEFORE[route]}{encoded}/")
            elif how == "get":
                answer = self.signed_in.get(reverse(route), QUERY_STRING=f"{LEAD.get(route, '')}&{one}")
            else:
                client = self.stranger if how == "stranger" else self.signed_in
                rest = urlencode({key: value for key, value in self.forms.get(route, {}).items() if key != name})
                answer = client.post(
                    f"{reverse(route)}?{LEAD.get(route, '')}", f"{rest}&{one}",
                    content_type="application/x-www-form-urlencoded",
                )  # fmt: skip
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            transaction.set_rollback(True)
        return answer, body.decode(errors="replace")


# Where an address goes on with a name.
_BEFORE = {"reference:parameter": "/reference/parameters/", "reference:code_list": "/reference/codes/"}


def browsers(world, client: Client) -> Asking:
    scene = Scene(world)
    forms = {
        form.route: {name: value for name, value in form.data(scene).items() if isinstance(value, str)}
        for form in FORMS
        if form.route in PLAIN and form.prepare is None
    }
    return Asking(client, Asker(raise_request_exception=False), forms)


class Markup(HTMLParser):
    """Finds a word where only the page's own words may stand: in tags, in scripts, in addresses that run."""

    def __init__(self, token: str) -> None:
        super().__init__(convert_charrefs=True)
        self.token, self.inside, self.found = token, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in ("script", "style") else ""
        for name, value in attrs:
            held = self.token in (value or "")
            code = name.startswith(("on", "hx-on")) or name == "style"
            runs = name in ADDRESSES and (value or "").strip().lower().startswith(RUNS)
            if self.token in name or (held and (code or runs)):
                self.found = f"<{tag} {name}={value}>"[:90]
        if self.token in tag:
            self.found = f"<{tag}>"[:90]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""
        if self.token in tag:
            self.found = f"</{tag}>"[:90]

    def handle_data(self, data: str) -> None:
        if self.inside and self.token in data:
            self.found = f"in <{self.inside}>"

    def handle_comment(self, data: str) -> None:
        if self.token in data:
            self.found = "in a comment"


def wrong(where: Parameter, strange: Strange, answer, body: str) -> Iterator[str]:
    """What is wrong with the answer to one string."""
    if failed(where[0], answer.status_code):
        yield f"{answer.status_code}"
    shown = [trace for trace in TRACES if trace in body and trace.strip() not in strange.text]
    if shown:
        yield f"shows {shown}"
    for name, value in answer.items():
        yield from _wrong_header(name, value, strange)
    yield from ("in a cookie" for morsel in answer.cookies.values() if strange.token and strange.token in morsel.value)
    if strange.token and strange.token in body and "html" in answer.get("Content-Type", ""):
        page = Markup(strange.token)
        page.feed(body)
        if page.found:
            yield f"is markup: {page.found}"
        if "<" in strange.text and len(strange.text) > len(strange.token) + 1 and strange.text in body:
            yield "stands there as it was sent"


def _wrong_header(name: str, value: str, strange: Strange) -> Iterator[str]:
    if any(end in value for end in "\r\n\0"):
        yield f"ends a line in {name}"
    if name in ("Location", "HX-Redirect"):
        # an address of this site, in which whatever was sent stands percent-encoded
        if not value.startswith("/") or value[1:2] in ("/", "\\") or not value.isascii() or set(value) & set(" <>\"'`"):
            yield f"leads to {value[:60]}"
    elif strange.token and strange.token in value:
        yield f"stands in {name}"


def broken(asking: Asking, where: Parameter, strange: Strange) -> Iterator[str]:
    answer, body = asking.send(where, strange.encoded)
    for problem in wrong(where, strange, answer, body):
        yield f"{' '.join(where)} ← {strange.kind} {strange.encoded[:60]}: {problem}"


def test_the_strings_are_as_many_as_they_should_be_and_always_the_same():
    made = strings()
    assert len({one.text for one in made}) == COUNT
    assert made == strings()
    assert sum(bool(one.token) for one in made) > COUNT * 3 // 4


def test_what_is_markup_is_seen():
    """Or the walk would call every page clean."""
    for text in ("<zq1x>", "<b onclick=zq1x>", '<a href=" JavaScript:zq1x">', "<script>zq1x</script>", "<!--zq1x-->"):
        page = Markup("zq1x")
        page.feed(f"<html><p>{text}</p>")
        assert page.found, text
    page = Markup("zq1x")
    page.feed('<input value="&quot;&gt;&lt;script&gt;zq1x"><p>&lt;zq1x&gt;</p><a href="/?q=zq1x">zq1x</a>')
    assert page.found == ""


def test_strings_of_every_class_break_no_page(world, fuzzed):
    made = strings()
    some = Random(1).sample(made, IN_THE_GATE)
    assert len({one.kind for one in some}) > 20
    send(world, fuzzed, some, 1)


@pytest.mark.fault
@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_two_thousand_strings_break_nothing(world, fuzzed, part):
    send(world, fuzzed, strings()[part::PARTS], MEETS)


@pytest.mark.fault
@pytest.mark.long
def test_no_value_of_any_name_breaks_a_page(world, fuzzed):
    """The values that once broke one, in every parameter."""
    with everybody(world) as (_, client):
        asking, every, found = browsers(world, client), parameters(client), []
        for where in every:
            for value in VALUES:
                answer, body = asking.send(where, value)
                found += [f"{' '.join(where)}={value[:40]}: {problem}" for problem in wrong(where, _BARE, answer, body)]
        _tell(fuzzed, every, len(VALUES), len(every) * len(VALUES), found)


_BARE = Strange("", "value", "")


def send(world, fuzzed, some: list[Strange], meets: int) -> None:
    """Each string to so many parameters, each parameter in its turn."""
    with everybody(world) as (_, client):
        asking, every, found = browsers(world, client), parameters(client), []
        Random(2).shuffle(every)
        for number in range(len(some) * meets):
            found += broken(asking, every[number % len(every)], some[number // meets])
        _tell(fuzzed, every, len(some), len(some) * meets, found)


def _tell(fuzzed, every: list[Parameter], count: int, answers: int, found: list[str]) -> None:
    fuzzed.names.update(" ".join(where) for where in every)
    fuzzed.told.update(strings=count, answers=answers, broken=len(found))
    assert not found, "\n".join(found)
