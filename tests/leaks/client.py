"""A browser as far as this search needs one: cookies, forms as they stand on the page, redirects, Referer.

Keeps every address it was sent to, every header that came back, and every body, by kind:
what a page shows by itself, and what somebody asked for by name and reason.
"""

from __future__ import annotations

import http.client
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

PASSWORD = "wanjia-demo-2020"
TEXT_INPUTS = ("", "text", "search", "number", "tel")


@dataclass
class Form:
    """A form with what stands in it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)
    longest: dict[str, int] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)  # the addresses of buttons that send it elsewhere

    def sent_to(self, ending: str) -> Form | None:
        """The form as its button with an address of this ending sends it, if it has one."""
        found = next((address for address in self.buttons if address.endswith(ending)), None)
        return None if found is None else replace(self, action=found)

    def may_be_sent(self, values: Mapping[str, str]) -> bool:
        """Whether a browser sends the form with these values: it checks the bounds of numbers."""
        numbers = {name: values[name] for name in self.largest if values.get(name)}
        return all(text.isdigit() and int(text) <= self.largest[name] for name, text in numbers.items())


class Page(HTMLParser):
    """The links and forms of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        addresses = ("hx-get", "data-href", "data-url", "src", *(["href"] if tag == "a" else []))
        self.links += [values[name] for name in addresses if values.get(name)]
        if tag == "form":
            self.forms.append(Form(values.get("action", ""), values.get("method", "get").lower()))
        elif self.forms:
            self._field(self.forms[-1], tag, values)

    def _field(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name = values.get("name", "")
        if tag == "option" and self._select:
            form.options[self._select].append(values.get("value", ""))
            if "selected" in values or self._select not in form.fields:
                form.fields[self._select] = values.get("value", "")
        elif tag == "input" and name:
            self._input(form, name, values.get("type", "text"), values)
        elif tag == "button" and "formaction" in values:
            form.buttons.append(values["formaction"])
        elif tag == "textarea" and name:
            form.fields[name] = ""
            form.texts.append(name)
        elif tag == "select" and name:
            self._select = name
            form.options[name] = []

    def _input(self, form: Form, name: str, kind: str, values: dict[str, str]) -> None:
        if kind == "file":
            form.files.append(name)
            return
        if kind in ("radio", "checkbox"):
            form.options.setdefault(name, []).append(values.get("value", "on"))
            if "checked" in values:
                form.fields[name] = values.get("value", "on")
            return
        form.fields[name] = values.get("value", "")
        if kind in TEXT_INPUTS:
            form.texts.append(name)
        if kind == "number" and values.get("max"):
            form.largest[name] = int(values["max"])
        elif values.get("maxlength"):
            form.longest[name] = int(values["maxlength"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A body that came back: who read it, where, of which kind."""

    reader: str
    kind: str
    address: str
    status: int
    body: bytes


@dataclass
class Record:
    """What went over the wire, for all readers together."""

    addresses: list[str] = field(default_factory=list)  # that pages and forms made
    typed: list[str] = field(default_factory=list)  # that somebody typed into the address bar himself
    headers: list[str] = field(default_factory=list)
    bodies: list[Seen] = field(default_factory=list)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def page(self) -> Page:
        return Page(self.text)


class Reader:
    """One person at one browser."""

    def __init__(self, url: str, name: str, record: Record) -> None:
        self.name, self._record = name, record
        self._host = urlsplit(url).netloc
        self._cookies: dict[str, str] = {}
        self._at = ""

    def signed_in(self, password: str = PASSWORD) -> Reader:
        page = self.get("/sign-in/")
        answer = self.submit(page, page.page.forms[-1], username=self.name, password=password)
        assert answer.status == 200, f"{self.name}: {answer.status}"
        assert answer.url != "/sign-in/", self.name
        return self

    def get(self, address: str, *, kind: str = "page", typed: bool = False) -> Answer:
        """Follow a link, or type an address."""
        return self._ask("GET", address, None, {}, kind, typed=typed)

    def submit(self, on: Answer, form: Form, *, kind: str = "page", files: Files = (), **values: str) -> Answer:
        """Send a form of a page as a browser does, with `values` typed in."""
        fields = {name: value[: form.longest.get(name)] for name, value in {**form.fields, **values}.items()}
        if not form.may_be_sent(fields):
            return on
        address = urljoin(on.url, form.action or on.url)
        if form.method == "get":
            return self._ask("GET", f"{address.partition('?')[0]}?{urlencode(fields)}", None, {}, kind)
        if form.files or files:
            body, content_type = multipart(fields, files)
        else:
            body, content_type = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        return self._ask("POST", address, body, {"Content-Type": content_type}, kind)

    def post(self, address: str, *, kind: str = "page", typed: bool = False, **values: str) -> Answer:
        """Send a form as scripts of the page do."""
        values["csrfmiddlewaretoken"] = self._cookies.get("csrftoken", "")
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", address, urlencode(values).encode(), content_type, kind, typed=typed)

    def raw(self) -> tuple[http.client.HTTPConnection, dict[str, str]]:
        """A connection and the headers of this reader, for what no browser would send."""
        return http.client.HTTPConnection(self._host, timeout=120), self._headers()

    def _headers(self) -> dict[str, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if self._at:
            headers["Referer"] = f"http://{self._host}{self._at}"
            headers["Origin"] = f"http://{self._host}"
        return headers

    def _ask(
        self, method: str, address: str, body: bytes | None, more: Mapping[str, str], kind: str, *, typed: bool = False
    ) -> Answer:
        for _ in range(6):
            (self._record.typed if typed else self._record.addresses).append(address)
            headers = {**self._headers(), "Accept": "text/html", **more}
            self._record.headers.append(headers.get("Referer", ""))
            connection = http.client.HTTPConnection(self._host, timeout=120)
            connection.request(method, address, body, headers)
            response = connection.getresponse()
            content = response.read()
            connection.close()
            self._record.headers += [f"{name}: {value}" for name, value in response.getheaders()]
            for line in response.headers.get_all("Set-Cookie") or []:
                for name, morsel in SimpleCookie(line).items():
                    self._cookies[name] = morsel.value
            self._record.bodies.append(Seen(self.name, kind, address, response.status, content))
            if response.status not in (301, 302, 303):
                if response.headers.get_content_type() == "text/html" and not typed:
                    self._at = address.partition("#")[0]
                return Answer(response.status, dict(response.getheaders()), content, address)
            method, body, more = "GET", None, {}
            address = urljoin(address, response.headers["Location"])
        raise AssertionError(f"{address}: redirected for ever")


Files = Iterable[tuple[str, str, bytes]]


def multipart(fields: Mapping[str, str], files: Files) -> tuple[bytes, str]:
    """A form with files as a browser writes it."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, file, content in files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
