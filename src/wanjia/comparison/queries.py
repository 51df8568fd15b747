"""Reading runs and findings. Everything about a place is cut to the viewer's ranges."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from django.db.models import OuterRef, QuerySet, Subquery

from wanjia.comparison.choices import RunStatus
from wanjia.comparison.documents import RunRule
from wanjia.comparison.errors import BadFilter, RunNotReady
from wanjia.comparison.index import LEVELS, address_of_index
from wanjia.comparison.models import Run, Screening
from wanjia.lake import serving
from wanjia.scope.areas import AreaRange
from wanjia.scope.bulk import pieces
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.models import range_q
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer

READ = "comparison.read"
RUN = "comparison.run"
ISSUE = "comparison.issue"
PAGE_SIZE = 50
MAX_PAGE = 500
MARKS = 500  # in one statement over an index


# -- runs --------------------------------------------------------------------------------------


def runs(viewer: Viewer) -> Any:
    """The runs a reader of findings may know of, newest first; those not done only for who runs them."""
    if not viewer.may(READ):
        raise NotAllowed(action=READ)
    known = Run.objects.order_by("-id")
    return known if viewer.may(RUN) else known.filter(status=RunStatus.DONE)


def run_for(viewer: Viewer, run_id: int) -> Run:
    """One run. Raises NotVisible."""
    newer = Subquery(_newer(OuterRef("region"), OuterRef("pk")).values("pk")[:1])
    run: Run | None = runs(viewer).filter(pk=run_id).annotate(newer=newer).first()
    if run is None:
        raise NotVisible(kind="run")
    return run


def current_run(viewer: Viewer) -> Run | None:
    """The newest run that is done."""
    run: Run | None = runs(viewer).filter(status=RunStatus.DONE).first()
    return run


def superseded_by(run: Run) -> int | None:
    """The newest run that was done after this one, from which suspects are issued now; None for the newest."""
    if "newer" in run.__dict__:  # told with the row
        return cast("int | None", run.__dict__["newer"])
    return _newer(run.region, run.pk).values_list("pk", flat=True).first()


def _newer(region: Any, run_id: Any) -> QuerySet[Run]:
    return Run.objects.filter(region=region, status=RunStatus.DONE, pk__gt=run_id).order_by("-pk")


def rules_of(run: Run) -> dict[str, RunRule]:
    """The rules of a run as they ran, by id."""
    return {document["id"]: RunRule.of(document) for document in run.rules}


# -- findings ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; empty means everything the viewer may see."""

    rule: str = ""
    area: str = ""
    person_no: int | None = None
    household_no: int | None = None


@dataclass(frozen=True)
class Finding:
    """One line of a run: a rule, a person, and the department's record that made it fire."""

    run_id: int
    finding_no: int
    rule: str
    person_no: int
    household_no: int
    village_code: str
    dataset: str
    batch: int
    source_row: int
    evidence_text: str = field(repr=False)
    evidence_hash: str

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """The declared evidence columns with their values; days as ISO text."""
        values: dict[str, Any] = json.loads(self.evidence_text)
        return values

    @property
    def cursor(self) -> str:
        """Where the next page begins after this finding."""
        return f"{self.village_code}~{self.rule}~{self.finding_no}"

    @property
    def place(self) -> tuple[str, str, int]:
        """Where it stands in every list of its run."""
        return self.village_code, self.rule, self.finding_no


@dataclass(frozen=True, slots=True)
class Page:
    """A page of findings; `next` is the cursor of the following one, empty at the end."""

    items: tuple[Finding, ...]
    next: str
    total: int


def findings(
    viewer: Viewer, of: Run | int, filters: Filters = Filters(), after: str = "", size: int = PAGE_SIZE
) -> Page:
    """A page of a run's findings in the viewer's areas, ordered by village, rule and number.

    `of` is the run's number, or the run as `run_for` gave it to the same viewer; so in the counts below.

    Raises NotVisible, RunNotReady, BadFilter.
    """
    run_id = _ready(viewer, of).pk
    size = max(1, min(size, MAX_PAGE))
    with _index(run_id) as index:
        items = tuple(_listed(index, run_id, _ranges(viewer, filters), filters, after, size + 1))
        total = _count(index, _ranges(viewer, filters), filters)
    more = len(items) > size
    items = items[:size]
    return Page(items, items[-1].cursor if more else "", total)


def finding_for(viewer: Viewer, run_id: int, finding_no: int) -> Finding:
    """One finding, if it lies in the viewer's areas. Raises NotVisible, RunNotReady."""
    _ready(viewer, run_id)
    with _index(run_id) as index:
        row = index.execute("SELECT * FROM finding WHERE finding_no = ?", (finding_no,)).fetchone()
    if row is None or not any(row["village_code"] in area for area in viewer.ranges(READ)):
        raise NotVisible(kind="finding")
    return _finding(run_id, row)


def findings_numbered(viewer: Viewer, of: Run | int, numbers: Collection[int]) -> dict[int, Finding]:
    """Findings by number, those that lie in the viewer's areas. Raises NotVisible, RunNotReady."""
    run_id = _ready(viewer, of).pk
    ranges, wanted, found = viewer.ranges(READ), sorted(numbers), dict[int, Finding]()
    with _index(run_id) as index:
        for piece in pieces(wanted, MARKS):
            marks = ", ".join("?" * len(piece))
            for row in index.execute(f"SELECT * FROM finding WHERE finding_no IN ({marks})", piece):  # noqa: S608 - marks only
                if viewer.is_system or any(row["village_code"] in area for area in ranges):
                    found[row["finding_no"]] = _finding(run_id, row)
    return found


def findings_of_people(viewer: Viewer, of: Run | int, person_nos: Collection[int]) -> list[Finding]:
    """All that a run says against some people, where they lie in the viewer's areas. Raises NotVisible, RunNotReady."""
    run_id = _ready(viewer, of).pk
    ranges, found = viewer.ranges(READ), list[Finding]()
    with _index(run_id) as index:
        for piece in pieces(sorted(person_nos), MARKS):
            sql = f"SELECT * FROM finding WHERE person_no IN ({', '.join('?' * len(piece))})"  # noqa: S608 - marks only
            found += (_finding(run_id, row) for row in index.execute(sql, piece))
    return [item for item in found if viewer.is_system or any(item.village_code in area for area in ranges)]


def stretch(viewer: Viewer, of: Run | int, filters: Filters, after: str, size: int) -> tuple[list[Finding], str]:
    """The next `size` findings of a list, and the cursor behind them, empty at the end.

    Raises NotVisible, RunNotReady, BadFilter.
    """
    run_id = _ready(viewer, of).pk
    with _index(run_id) as index:
        items = list(_listed(index, run_id, _ranges(viewer, filters), filters, after, size + 1))
    return items[:size], items[size - 1].cursor if len(items) > size else ""


def each_finding(
    viewer: Viewer,
    of: Run | int,
    filters: Filters = Filters(),
    *,
    action: str = READ,
    chunk: int = 2_000,
) -> Iterator[Finding]:
    """Every finding of a filter where the viewer may do `action`, for exports and bulk acts."""
    run_id = _ready(viewer, of).pk
    ranges = _ranges(viewer, filters, action)
    after = ""
    with _index(run_id) as index:
        while True:
            items = list(_listed(index, run_id, ranges, filters, after, chunk))
            yield from items
            if len(items) < chunk:
                return
            after = items[-1].cursor


def count_findings(viewer: Viewer, of: Run | int, filters: Filters = Filters(), *, action: str = READ) -> int:
    """How many findings `each_finding` would yield."""
    run_id = _ready(viewer, of).pk
    with _index(run_id) as index:
        return _count(index, _ranges(viewer, filters, action), filters)


def rule_counts(viewer: Viewer, of: Run | int, area: str = "") -> dict[str, int]:
    """Findings by rule in the viewer's areas; every rule of the run is there, if with 0."""
    run = _ready(viewer, of)
    counts = dict.fromkeys((document["id"] for document in run.rules), 0)
    with _index(run.pk) as index:
        for part in _ranges(viewer, Filters(area=area)):
            where, values = _range_sql("area", part)
            sql = f"SELECT rule, sum(findings) FROM count WHERE level = ? AND {where} GROUP BY rule"  # noqa: S608 - fixed names
            for rule, found in index.execute(sql, (_level(part), *values)):
                counts[rule] += found
    return counts


def area_counts(viewer: Viewer, of: Run | int, level: int, area: str = "", rule: str = "") -> dict[str, int]:
    """Findings by area at a level (code length 4, 6, 9 or 12), within the viewer's areas and `area`.

    At a level above the viewer's own area only his part is counted.
    """
    if level not in LEVELS:
        raise BadFilter(name="level")
    run_id = _ready(viewer, of).pk
    counts: dict[str, int] = {}
    with _index(run_id) as index:
        for part in _ranges(viewer, Filters(area=area)):
            where, values = _range_sql("area", part)
            rules, more = ("AND rule = ?", (rule,)) if rule else ("", ())
            sql = (
                f"SELECT substr(area, 1, {level:d}) AS a, sum(findings) FROM count"  # noqa: S608 - fixed names
                f" WHERE level = ? AND {where} {rules} GROUP BY a"
            )
            for code, found in index.execute(sql, (max(level, _level(part)), *values, *more)):
                counts[code] = counts.get(code, 0) + found
    return counts


def place_of(after: str) -> tuple[str, str, int] | None:
    """The place in a list an address names, None for its beginning. Raises BadFilter."""
    if not after:
        return None
    village, _, rest = after.partition("~")
    rule, _, number = rest.partition("~")
    if not (village.isascii() and village.isdigit() and number.isascii() and number.isdigit() and len(number) < 10):  # noqa: PLR2004 - fits an INTEGER
        raise BadFilter(name="after")
    return village, rule, int(number)


# -- inside ------------------------------------------------------------------------------------


def _ready(viewer: Viewer, of: Run | int) -> Run:
    run = run_for(viewer, of) if isinstance(of, int) else of
    if run.status not in (RunStatus.DONE, RunStatus.HELD):
        raise RunNotReady(run=run.pk, status=run.status)
    return run


def _index(run_id: int) -> closing[sqlite3.Connection]:
    return closing(serving.connect(lake().path(address_of_index(run_id))))


def _ranges(viewer: Viewer, filters: Filters, action: str = READ) -> tuple[AreaRange, ...]:
    """The viewer's areas, each cut to the filter's area."""
    ranges = viewer.ranges(action)
    if not filters.area:
        return ranges
    try:
        wanted = AreaRange.of(filters.area)
    except ValueError:
        raise BadFilter(name="area") from None
    cut = (wanted if area.covers(wanted) else area for area in ranges if area.covers(wanted) or wanted.covers(area))
    return tuple(cut)


def _listed(  # noqa: PLR0913 - a list is this: where, what, from where on, how many
    index: sqlite3.Connection, run_id: int, ranges: Sequence[AreaRange], filters: Filters, after: str, size: int
) -> Iterator[Finding]:
    """Up to `size` findings after a cursor; the ranges are disjoint and sorted, so they are walked in turn."""
    start = place_of(after)
    narrowed, values = _filter_sql(filters)
    left = size
    for area in ranges:
        if left <= 0:
            return
        where, bounds = _range_sql("village_code", area)
        key, begin = _after_sql(filters, start)
        sql = f"SELECT * FROM finding WHERE {where} AND {key}{narrowed} ORDER BY village_code, rule, finding_no LIMIT ?"  # noqa: S608 - fixed names
        for row in index.execute(sql, (*bounds, *begin, *values, left)):
            left -= 1
            yield _finding(run_id, row)


def _after_sql(filters: Filters, start: tuple[str, str, int] | None) -> tuple[str, tuple[Any, ...]]:
    if start is None:
        return "1", ()
    village, rule, number = start
    if filters.rule:
        return "(village_code, finding_no) > (?, ?)", (village, number)
    return "(village_code, rule, finding_no) > (?, ?, ?)", (village, rule, number)


def _filter_sql(filters: Filters) -> tuple[str, tuple[Any, ...]]:
    named = {"rule": filters.rule or None, "person_no": filters.person_no, "household_no": filters.household_no}
    given = {name: value for name, value in named.items() if value is not None}
    return "".join(f" AND {name} = ?" for name in given), tuple(given.values())


def _range_sql(column: str, area: AreaRange) -> tuple[str, tuple[str, ...]]:
    if area.hi is None:
        return f"{column} >= ?", (area.lo,)
    return f"{column} >= ? AND {column} < ?", (area.lo, area.hi)


def _count(index: sqlite3.Connection, ranges: Sequence[AreaRange], filters: Filters) -> int:
    if filters.person_no is None and filters.household_no is None:
        return sum(_count_by_area(index, area, filters.rule) for area in ranges)
    narrowed, values = _filter_sql(filters)
    total = 0
    for area in ranges:
        where, bounds = _range_sql("village_code", area)
        sql = f"SELECT count(*) FROM finding WHERE {where}{narrowed}"  # noqa: S608 - fixed names
        total += index.execute(sql, (*bounds, *values)).fetchone()[0]
    return total


def _count_by_area(index: sqlite3.Connection, area: AreaRange, rule: str) -> int:
    where, bounds = _range_sql("area", area)
    rules, more = ("AND rule = ?", (rule,)) if rule else ("", ())
    sql = f"SELECT coalesce(sum(findings), 0) FROM count WHERE level = ? AND {where} {rules}"  # noqa: S608 - fixed names
    return int(index.execute(sql, (_level(area), *bounds, *more)).fetchone()[0])


def _level(area: AreaRange) -> int:
    """The coarsest level at which counts add up to exactly this range."""
    finest = max(len(area.lo), len(area.hi or ""))
    return next((level for level in LEVELS if level >= finest), LEVELS[-1])


def _finding(run_id: int, row: sqlite3.Row) -> Finding:
    values = {name: row[name] for name in row.keys() if name != "evidence"}  # noqa: SIM118 - a Row is no mapping
    return Finding(run_id=run_id, evidence_text=row["evidence"], **values)


def undecided(viewer: Viewer, run_id: int, filters: Filters, total: int) -> int:
    """How many of the `total` findings that match nobody has screened yet."""
    decided = Screening.objects.visible_to(viewer).filter(run_id=run_id)
    if filters.rule:
        decided = decided.filter(rule=filters.rule)
    if filters.area:
        decided = decided.filter(range_q("village_code", AreaRange.of(filters.area)))
    if filters.person_no is not None:
        decided = decided.filter(person_no=filters.person_no)
    if filters.household_no is not None:  # a screening knows its person, the index knows the household
        numbers = [item.finding_no for item in each_finding(viewer, run_id, filters)]
        decided = decided.filter(finding_no__in=numbers)
    return total - decided.count()
