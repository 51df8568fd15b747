"""Where personal data could lie or pass by, and the search through all of it."""

from __future__ import annotations

import contextlib
import gzip
import os
import sqlite3
import subprocess
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from tests.leaks.search import Search
from tests.leaks.work import BY_NAME, ECHO, SHEET, Work

# Where personal numbers stand in clear by design. Searched as well, to show that the search would see them.
EXCEPTIONS = {
    "shown: asked for by name and reason": "one value on one page, after the access is recorded",
    "shown: typed a moment ago": "a refused form shows its sender what he typed",
    "shown: reject sheet": "the sender's own rows, rendered for him from the encrypted file",
    "the department's desk": "the demo lays the file into inbox/ as the department would bring it",
    "typed addresses": "what somebody types into the address bar himself was sent before we see it",
}
# Where the control, whose cipher hides nothing, must find them: the places where encryption is what hides.
HELD = ("database", "dump", "lake: raw zone", "files", "temporary files")


@dataclass(frozen=True, slots=True)
class Report:
    """What was searched and found, by place; exceptions apart."""

    search: Search
    seconds: dict[str, float]  # of each step of the work, to see what waits

    @property
    def places(self) -> list[str]:
        return [place for place in self.search.searched if place not in EXCEPTIONS]

    @property
    def bytes(self) -> int:
        return sum(self.search.searched[place] for place in self.places)

    @property
    def hits(self) -> int:
        return sum(self.search.counts[place] for place in self.places)

    def found(self) -> Iterator[str]:
        """What should not have been found, with what stands round it."""
        for hit in self.search.hits:
            if hit.place not in EXCEPTIONS:
                yield f"{hit.place} · {hit.source} · {hit.kind} as {hit.written} at {hit.offset}: {hit.context}"

    def lines(self) -> Iterator[str]:
        """A table of places, then what was found, with what stands round it."""
        for place, size in sorted(self.search.searched.items()):
            mark = "declared" if place in EXCEPTIONS else ""
            yield f"{place:40} {size:>13,} bytes {self.search.counts[place]:>9,} hits {mark}"
        yield from self.found()


def searched(work: Work) -> Report:
    """Look through a running installation: what lies on its disks, and what went over the wire."""
    search = Search(work.needles)
    at = work.at
    _home(search, at.home)
    search.folder("temporary files", at.folder / "caught")
    search.folder("temporary files", at.folder / "tmp")
    for log in at.folder.glob("*.log"):
        search.file(f"log: {log.stem}", log)
    if at.database_url:
        _postgresql(search, at.database_url)
    else:
        _sqlite(search, at.home)
    _wire(search, work)
    return Report(search, work.done)


def _home(search: Search, home: Path) -> None:
    """Every file of the installation, under the name of what it is."""
    for path in sorted(home.rglob("*")):
        if path.is_file():
            place = _place_of(path.relative_to(home))
            search.text(place, f"{path.name}\n", f"name of {path}")
            search.file(place, path)


def _place_of(path: Path) -> str:
    first, name = path.parts[0], path.name
    if first == "inbox":
        return "the department's desk"
    if first == "lake":
        zone = path.parts[1]
        return "lake: raw zone" if zone == "raw" else f"lake: {zone}" if len(path.parts) > 2 else "lake: other"
    if first == "access":
        return "readings of personal data"
    if name.endswith((".sqlite3-wal", ".sqlite3-shm", ".sqlite3-journal")):
        return "write-ahead log"
    if name.endswith(".sqlite3"):
        return "database"
    return first if len(path.parts) > 1 else "other files"


def _sqlite(search: Search, home: Path) -> None:
    with contextlib.closing(sqlite3.connect(home / "wanjia.sqlite3")) as connection:
        search.text("dump", "\n".join(connection.iterdump()), "dump of wanjia.sqlite3")


def _postgresql(search: Search, url: str) -> None:
    """Everything pg_dump says, every file of the server, its log."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        data = Path(connection.execute("SHOW data_directory").fetchone()[0])
    dump = subprocess.run([_pg_dump(), "--dbname", url], stdout=subprocess.PIPE, check=True).stdout
    search.bytes("dump", dump, "pg_dump")
    for path in sorted(data.rglob("*")):
        if path.is_file():
            inner = path.relative_to(data).parts
            search.file("write-ahead log" if inner[0] == "pg_wal" else "database", path)
    log = data.parent / "server.log"
    if log.exists():
        search.file("log: PostgreSQL", log)


def _pg_dump() -> str:
    from tests.with_postgres import _binaries

    binaries = _binaries()
    if binaries is None:
        raise SystemExit("pg_dump is needed: install the machine's PostgreSQL")
    return os.fspath(binaries / "pg_dump")


def _wire(search: Search, work: Work) -> None:
    record = work.record
    search.text("addresses", "\n".join(record.addresses), "addresses that pages and forms made")
    search.text("headers", "\n".join(record.headers), "headers of requests and answers")
    search.text("typed addresses", "\n".join(record.typed), "addresses typed by hand")
    names = {
        BY_NAME: "shown: asked for by name and reason",
        ECHO: "shown: typed a moment ago",
        SHEET: "shown: reject sheet",
    }
    answers: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for seen in record.bodies:
        body = seen.body
        with contextlib.suppress(OSError):
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        place = names.get(seen.kind, f"{seen.kind}s without reveal")
        answers[place].append((f"{seen.reader} {seen.address} {seen.status}", body))
    for place, bodies in answers.items():
        _answers(search, place, bodies)


def _answers(search: Search, place: str, bodies: list[tuple[str, bytes]]) -> None:
    """Hundreds of small bodies in one go; a hit is then told by the answer it stands in."""
    starts = list(accumulate((len(body) + 1 for _, body in bodies), initial=0))
    first = len(search.hits)
    search.bytes(place, b"\n".join(body for _, body in bodies), "answers")
    for number, hit in enumerate(search.hits[first:], start=first):
        if hit.source == "answers":
            search.hits[number] = replace(hit, source=bodies[bisect(starts, hit.offset) - 1][0])
