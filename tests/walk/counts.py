"""Counts and links: what a page counts is what its reader may fetch, and whatever it links to opens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

from tests.factories.comparison import staged
from tests.factories.walking import Example
from tests.walk.reporting import Tally
from tests.walk.site import PROGRAM, ROUTES, ask, may_ask
from wanjia.accounts.models import User
from wanjia.audit.models import Opening
from wanjia.casework.models import Case
from wanjia.comparison.models import Feedback
from wanjia.comparison.queries import Filters, each_finding
from wanjia.jobs.models import Job
from wanjia.registry.models import Household
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer
from wanjia.sources.models import Batch

EYE = system_viewer("comparison.case")
TOTAL = re.compile(r'class="w-pager".*?共 ([\d,]+) 条', re.DOTALL)
LOG = "audit.read"
LINK = re.compile(r'href="(/[^"?#]*)')


@dataclass(frozen=True, slots=True)
class Counted:
    """A page that counts, asked with `query`, and the page on which each of its objects may be fetched."""

    route: str
    query: dict[str, str]
    detail: str
    objects: Callable[[Viewer], Iterator[dict[str, Any]]]
    needs: str = ""  # the permission without which the page counts only what is the reader's own
    of: Callable[[], dict[str, Any]] = dict

    def page(self) -> Example:
        return Example(self.route, self.of(), (), data=self.query)


def _rows(name: str, rows: Any) -> Iterator[dict[str, Any]]:
    return ({name: number} for number in rows.values_list("pk", flat=True))


def _run() -> dict[str, Any]:
    return {"run_id": staged().run.pk}


def _findings(_: Viewer) -> Iterator[dict[str, Any]]:
    for finding in each_finding(EYE, staged().run.pk, Filters()):
        yield {**_run(), "finding_no": finding.finding_no}


def _logged(viewer: Viewer) -> Iterator[dict[str, Any]]:
    """Acts where the viewer reads the log; those of a subject he may open are fetched from its own page besides."""
    for number, area in Opening.objects.visible_to(EYE).values_list("event_id", "area"):
        if any(grant.relation is Relation.ALL and area.startswith(grant.area.lo) for grant in viewer.grants_for(LOG)):
            yield {"event_id": number}


COUNTED = (
    Counted(
        "registry:households",
        {"standing": "all"},
        "registry:household",
        lambda _: _rows("household_no", Household.objects.visible_to(EYE)),
    ),
    Counted(
        "casework:list", {"state": "all"}, "casework:case", lambda _: _rows("case_no", Case.objects.visible_to(EYE))
    ),
    Counted("sources:list", {}, "sources:batch", lambda _: _rows("batch_id", Batch.objects.visible_to(EYE))),
    Counted(
        "comparison:feedback_list",
        {},
        "comparison:feedback",
        lambda _: _rows("feedback_id", Feedback.objects.visible_to(EYE)),
    ),
    Counted("accounts:people", {}, "accounts:person", lambda _: _rows("user_id", User.objects.visible_to(EYE))),
    Counted("jobs:list", {"all": "1"}, "jobs:job", lambda _: _rows("job_id", Job.objects), needs="jobs.read"),
    Counted("comparison:run", {}, "comparison:finding", _findings, of=_run),
    Counted(
        "audit:log",
        {},
        "audit:event",
        _logged,
    ),
)
PAGES = (*(one.route for one in COUNTED), "office:home", "casework:mine", "workforce:mine", "comparison:runs",
         "comparison:department_desk")  # fmt: skip


class Fetched:
    """What one viewer was answered when he asked for an object's page; each is asked for once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, frozenset[Any]], int] = {}

    def note(self, example: Example, status: int) -> None:
        if example.method == "get":
            self._known[self._key(example.route, example.kwargs)] = status

    def may(self, route: str, kwargs: dict[str, Any]) -> bool:
        key = self._key(route, kwargs)
        if key not in self._known:
            self._known[key] = ask(self._client, route, Example(route, kwargs, ()), headers=PROGRAM)[0]
        return self._known[key] in (200, 302, 409)

    @staticmethod
    def _key(route: str, kwargs: Any) -> tuple[str, frozenset[Any]]:
        return route, frozenset(kwargs.items())


def shown(text: str) -> int:
    """The total a list shows; a list of nothing shows none."""
    found = TOTAL.search(text)
    return int(found[1].replace(",", "")) if found else 0


def wrong_counts(viewer: Viewer, client: Client, fetched: Fetched, tally: Tally) -> Iterator[str]:
    """Each page whose count is not what the viewer may fetch, or which links to what he may not."""
    for one in COUNTED:
        if not may_ask(one.route, viewer) or (one.needs and not viewer.may(one.needs)):
            continue
        status, text = get(client, one.route, one.of(), one.query)
        tally.counts += 1
        wanted = sum(fetched.may(one.detail, kwargs) for kwargs in one.objects(viewer))
        if status != 200 or shown(text) != wanted:
            yield f"{one.route} ({status}) counts {shown(text)}, but {wanted} may be fetched"
        yield from dead_links(one.route, text, fetched)
    for route in PAGES[len(COUNTED) :]:
        if may_ask(route, viewer):
            yield from dead_links(route, get(client, route, {}, {})[1], fetched)
    if viewer.may("registry.export") and viewer.may("registry.read"):
        told = re.search(r"households-\d+-(\d+)", get(client, "registry:export", {}, {"standing": "all"})[1])
        listed = shown(get(client, "registry:households", {}, {"standing": "all"})[1])
        if told is None or int(told[1]) != listed:
            yield f"registry:export tells of {told and told[1]} households, its list of {listed}"
    if viewer.may("suspects.export") and viewer.may("suspects.read"):
        told = re.search(r"cases-\d+-(\d+)", get(client, "casework:export", {}, {"state": "all"})[1])
        listed = shown(get(client, "casework:list", {}, {"state": "all"})[1])
        if told is None or int(told[1]) != listed:
            yield f"casework:export tells of {told and told[1]} cases, its list of {listed}"


def get(client: Client, route: str, kwargs: dict[str, Any], query: dict[str, str]) -> tuple[int, str]:
    return ask(client, route, Example(route, kwargs, ()) if kwargs else None, **({} if kwargs else query))


def dead_links(route: str, text: str, fetched: Fetched) -> Iterator[str]:
    """Links to objects that do not open for who is shown them."""
    for address in sorted(set(LINK.findall(text))):
        try:
            match = resolve(urlsplit(address).path)
        except Resolver404:
            continue
        if match.kwargs and ROUTES[match.view_name][0] and not fetched.may(match.view_name, match.kwargs):
            yield f"{route} links to {address}, which does not open"
