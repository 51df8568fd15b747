"""Pages through the real server: time, statements and server CPU of each, as people of four levels.

    python -m bench.pages [--households 100000] [--cache FOLDER] [--postgresql] [--json]
    python -m bench.pages --cache FOLDER --only cases:county --profile FILE | --statements

`wanjia serve` (granian) runs as its own process under `bench.settings`; people sign in with their
password over HTTP on loopback and read one page after the other, each on one connection kept
alive, nobody at the same time. All pages are gone through in several rounds, so that a neighbour's
busy minute does not fall on one of them. A home built once is kept under `--cache`, brought up to
date and used again.

`p50_ms` and `p99_ms` are what the reader waits and need a quiet machine; so does `quiet_ms`, the
tenth percentile, though less. `cpu_ms` is the median of what the server's thread spent (PostgreSQL's
processes are not in it) and holds on a busy machine up to a third. `queries` is the usual number:
every few seconds a request asks besides whether small tables kept in memory have changed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.harness import ROOT, Bench, Budget, Figures, environment, in_child, main
from bench.watching import CPU_MS, QUERIES

PASSWORD = "wanjia-demo-2020"  # noqa: S105 - of people who do not exist, on loopback
START = "2020-11-16T09:00:00+08:00"
READY_WITHIN = 60
WARM_UP = 5
LET_GO = 0.5  # seconds in which the server notices that nobody wants the rest of a file
REAL_WORK = ("province", "county", "township", "contact")
ROUNDS = 3
LIST_QUERIES, PAGE_MS, CPU_MS_OF_A_PAGE = 15, 60, 40
BUILT = "bench.json"
BUILDERS = ("bench/county.py", "src/wanjia/demo/*.py")


@dataclass(frozen=True, slots=True)
class Ask:
    """A page: its name, its address, whose page it is, and what is posted."""

    page: str
    path: str
    viewers: Sequence[str] = REAL_WORK
    post: Mapping[str, str] | None = None
    first_byte: bool = False


def asks(run: int, household: int, case: int) -> list[Ask]:
    """What is asked for; a viewer who may not see a page is left out of it by name."""
    offices = ("province", "county", "township")
    return [
        Ask("home", "/"),
        Ask("households", "/registry/households/"),
        Ask("households filtered", "/registry/households/?status=0&category=01"),
        Ask("households searched", "/registry/households/search/", post={"text": "韦明"}),
        Ask("households by surname", "/registry/households/search/", ("province", "county"), post={"text": "韦"}),
        Ask("household", f"/registry/households/{household}/"),
        Ask("cases", "/cases/", offices),
        Ask("cases filtered", "/cases/?state=overdue", offices),
        Ask("queue", "/cases/mine/", offices),
        Ask("case", f"/cases/{case}/", offices),
        Ask("findings", f"/comparison/runs/{run}/", ("province", "county")),
        Ask("findings filtered", f"/comparison/runs/{run}/?rule=RA-02", ("province", "county")),
        Ask("runs", "/comparison/", ("province", "county")),
        Ask("batches", "/sources/", ("province", "traffic")),
        Ask("pairing", "/workforce/mine/", ("contact",)),
        Ask("people", "/people/", ("secadmin",)),
        Ask("audit", "/audit/", ("auditor", "audadmin")),
        Ask("audit narrowed", "/audit/?subject_kind=case&kind=verification", ("auditor",)),
        Ask("readings", "/audit/readings/", ("auditor",)),
        Ask("export", "/registry/households/export/", ("province", "county"), first_byte=True),
        Ask("refused", "/people/", ("contact",)),
    ]


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=60, help="of each page")
    parser.add_argument("--cache", type=Path, help="keep the built home here (SQLite only)")
    parser.add_argument("--postgresql", action="store_true", help="measure on PostgreSQL too")
    parser.add_argument("--only", default="", help="one page, or page:viewer")
    parser.add_argument("--profile", type=Path, help="profile one request of each page asked for into this file")
    parser.add_argument("--statements", action="store_true", help="print the statements of each page asked for")


def measure(asked: argparse.Namespace) -> Figures:
    """Every page on SQLite, and on PostgreSQL if that is asked for."""
    pages = []
    with _home(asked.cache, asked.households) as home:
        pages += _all_pages("sqlite", home, asked)
    if asked.postgresql:
        from tests.with_postgres import running

        with running() as url, environment(WANJIA_DATABASE_URL=url), _home(None, asked.households) as home:
            pages += _all_pages("postgresql", home, asked)
    lists = [row["queries"] for row in pages if row["page"] not in ("home", "household", "case")]
    return {
        "pages": pages,
        "most_queries_of_a_list": max(lists, default=0),
        "most_queries_of_a_page": max((row["queries"] for row in pages), default=0),
        "worst_p50_ms": max((row["p50_ms"] for row in pages), default=0),
        "worst_quiet_ms": max((row["quiet_ms"] for row in pages), default=0),
        "worst_cpu_ms": max((row["cpu_ms"] for row in pages), default=0),
    }


def table(figures: Figures) -> str:
    """The pages, slowest first, then what the budgets speak of."""
    rows = sorted(figures["pages"], key=lambda row: -row["p50_ms"])
    told = [
        f"  {row['database']:<10} {row['page']:<20} {row['viewer']:<9} {row['status']}"
        f" {row['p50_ms']:8.1f} {row['p99_ms']:8.1f} {row['quiet_ms']:8.1f} {row['cpu_ms']:8.1f}"
        f" {row['queries']:4d} {row['kb']:6.0f}"
        for row in rows
    ]
    heading = "  database   page                 viewer    code  p50 ms   p99 ms quiet ms   cpu ms  sql     kB"
    return "\n".join([heading, *told, *(f"  {name}: {value}" for name, value in figures.items() if name != "pages")])


# -- the home --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _home(cache: Path | None, households: int) -> Iterator[Path]:
    """A home with the county in it: the one kept, or a new one."""
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="wanjia-bench-") as folder:
            _build(Path(folder, "home"), households)
            yield Path(folder, "home")
        return
    home = cache.absolute() / f"county-{households}-{_builders()}"
    if (home / BUILT).exists():
        with environment(WANJIA_HOME=str(home)):
            subprocess.run([sys.executable, "-m", "wanjia.cli", "setup"], check=True)  # tables as they are now
    else:
        home.mkdir(parents=True)
        _build(home, households)
    yield home


def _build(home: Path, households: int) -> None:
    with environment(WANJIA_HOME=str(home), DJANGO_SETTINGS_MODULE="bench.settings"):
        built = in_child("bench.county", "--households", str(households))
    (home / BUILT).write_text(json.dumps(built), encoding="ascii")


def _builders() -> str:
    """The code a kept home depends on, in eight characters."""
    digest = hashlib.sha256()
    for pattern in BUILDERS:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


# -- the server ------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(home: Path) -> Iterator[int]:
    """The real server over `home`; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = {"WANJIA_HOME": str(home), "DJANGO_SETTINGS_MODULE": "bench.settings", "WANJIA_CLOCK_START": START}
    with environment(**settings, PYTHONPATH=str(ROOT)), (home / "server.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "wanjia.cli", "serve", "--port", str(port)], stdout=log, stderr=log
        )
    try:
        _wait(server, port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=15)


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    sys.exit("the server did not start")


class Browser:
    """One person signed in, on one connection."""

    def __init__(self, port: int, username: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}
        status, _, _ = self.ask("/sign-in/")
        fields = {"username": username, "password": PASSWORD, "next": "/"}
        status, _, body = self.ask("/sign-in/", post=fields)
        if status != 302:  # noqa: PLR2004 - the way to the page asked for
            sys.exit(f"{username} could not sign in: {status} {body[:200]!r}")

    def fresh(self) -> None:
        """A new connection for the next request: the server closes those that stood idle."""
        self._connection.close()

    def let_go(self) -> None:
        """Want nothing more of an answer read to its first byte, and give the server time to notice."""
        self.fresh()
        time.sleep(LET_GO)

    def ask(
        self, path: str, *, post: Mapping[str, str] | None = None, first_byte: bool = False, **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body; of an answer wanted to its first byte, only that."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()), **headers}
        body = None
        if post is not None:
            body = urlencode({**post, "csrfmiddlewaretoken": self._cookies["csrftoken"]})
            sent |= {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("GET" if body is None else "POST", path, body, sent)
        answer = self._connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            found = re.match(r"([^=]+)=([^;]*)", cookie)
            if found:
                self._cookies[found[1]] = found[2]
        content = answer.read(1 if first_byte else None)
        return answer.status, answer.headers, content


def _all_pages(database: str, home: Path, asked: argparse.Namespace) -> list[Figures]:
    wanted_page, _, wanted_viewer = asked.only.partition(":")
    with serving(home) as port:
        people: dict[str, Browser] = {}
        visits = []
        for ask in asks(**json.loads((home / BUILT).read_text(encoding="ascii"))):
            for viewer in ask.viewers:
                if (wanted_page and ask.page != wanted_page) or (wanted_viewer and viewer != wanted_viewer):
                    continue
                browser = people.setdefault(viewer, Browser(port, viewer)) if viewer not in people else people[viewer]
                visits.append(Visit(browser, ask, viewer))
        for visit in visits:
            visit.looked_into(asked)
        for _ in range(ROUNDS):
            for visit in visits:
                visit.timed(max(1, asked.requests // ROUNDS))
        return [{"database": database, **visit.figures()} for visit in visits]


class Visit:
    """A page read by one person again and again."""

    def __init__(self, browser: Browser, ask: Ask, viewer: str) -> None:
        self._browser, self._ask, self._viewer = browser, ask, viewer
        self._times: list[float] = []
        self._cpus: list[float] = []
        self._queries: list[int] = []
        self._status = self._bytes = 0

    def looked_into(self, asked: argparse.Namespace) -> None:
        """Its statements and its profile, where they are asked for."""
        self._browser.fresh()
        if asked.statements:
            print(f"-- {self._ask.page} ({self._viewer})\n{self._once(**{'X-Bench-Statements': '1'})[2].decode()}\n")
        if asked.profile:
            for _ in range(WARM_UP):
                self._once()
                self._after()
            self._once(**{"X-Bench-Profile": str(asked.profile.absolute())})

    def timed(self, requests: int) -> None:
        """Warm up, then note what each request took."""
        self._browser.fresh()
        for _ in range(WARM_UP):
            self._once()
            self._after()
        for _ in range(requests):
            began = time.perf_counter()
            self._status, headers, content = self._once()
            self._times.append(1000 * (time.perf_counter() - began))
            self._after()
            self._cpus.append(float(headers[CPU_MS]))
            self._queries.append(int(headers[QUERIES]))
            self._bytes = len(content)

    def figures(self) -> Figures:
        """What all rounds say together."""
        centiles = statistics.quantiles(self._times, n=100, method="inclusive")
        return {
            "page": self._ask.page,
            "viewer": self._viewer,
            "status": self._status,
            "p50_ms": round(statistics.median(self._times), 1),
            "p99_ms": round(centiles[98], 1),
            "quiet_ms": round(centiles[9], 1),
            "cpu_ms": round(statistics.median(self._cpus), 1),
            "queries": round(statistics.median(self._queries)),
            "kb": round(self._bytes / 1000, 1),
        }

    def _after(self) -> None:
        if self._ask.first_byte:
            self._browser.let_go()

    def _once(self, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        browser, ask = self._browser, self._ask
        if ask.post is not None:  # what is posted leads to the page that shows it
            _, answer, _ = browser.ask(ask.path, post=ask.post)
            return browser.ask(answer["Location"], **headers)
        return browser.ask(ask.path, first_byte=ask.first_byte, **headers)


BENCH = Bench(
    name="pages",
    question="How long does the office wait for a page, and how often does the page ask the database?",
    measure=measure,
    options=options,
    table=table,
    budgets=[
        Budget("most_queries_of_a_list", LIST_QUERIES),
        Budget("most_queries_of_a_page", 20),
        Budget("worst_p50_ms", PAGE_MS),
        Budget("worst_cpu_ms", CPU_MS_OF_A_PAGE),
    ],
    moderate=("--households", "20000", "--requests", "30"),
)

if __name__ == "__main__":
    main(BENCH)
