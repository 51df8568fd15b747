"""How the findings of a list were handled: issued, under work already, answered already, or not yet (domain.md §6.1).

A finding's own run knows what was decided in it; what earlier rounds opened or answered is known by
the suspicion's cases. Both are asked for the findings of a page, and for a whole selection where it
is no longer than `MOST`, so that no page costs more as the register grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wanjia.comparison import queries
from wanjia.comparison.choices import Decision, Handling, RunStatus
from wanjia.comparison.models import Run, Screening
from wanjia.comparison.queries import ISSUE, PAGE_SIZE, Filters, Finding
from wanjia.comparison.standing import grouped, standing
from wanjia.scope.viewer import Viewer

MOST = 1_000  # findings of which a page works out how each was handled


@dataclass(frozen=True, slots=True)
class Handled:
    """How one finding was handled, and in which case; a page shows a case only to who may open it."""

    how: Handling
    case_no: int | None = None
    readable: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What of a selection could be issued: so many cases, or new ones among so many findings where they are many."""

    cases: int | None
    findings: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of findings with how each was handled.

    `total` is None where it was not counted: every page then looks through `MOST` findings.
    """

    items: Sequence[Finding]
    handled: Mapping[int, Handled]  # of the items, by number
    total: int | None
    next: str
    offer: Offer | None = None


def listed(viewer: Viewer, run: Run, filters: Filters, how: str = "", after: str = "") -> Listed:
    """A page of a run's findings, of those handled as `how` says if it says anything.

    Raises NotVisible, RunNotReady, BadFilter.
    """
    total = queries.count_findings(viewer, run, filters)
    issuing = may_issue_from(viewer, run)
    if total <= MOST and (issuing or how):
        page = _of_all(viewer, run, filters, how, after)
        return page if issuing else replace(page, offer=None)
    page = _stretch(viewer, run, filters, how, after) if how else _page(viewer, run, filters, total, after)
    left = queries.undecided(viewer, run.pk, filters, total) if issuing else 0
    return replace(page, offer=Offer(None, left)) if left else page


def may_issue_from(viewer: Viewer, run: Run) -> bool:
    """Whether this viewer may issue from this run: it is done, and none is newer."""
    return viewer.may(ISSUE) and run.status == RunStatus.DONE and queries.superseded_by(run) is None


def of_finding(viewer: Viewer, run: Run, finding: Finding) -> Handled:
    """How one finding was handled."""
    return _among(viewer, run, [finding])[finding.finding_no]


def handled_of(viewer: Viewer, run: Run, findings: Sequence[Finding]) -> dict[int, Handled]:
    """By number, how each of these findings was handled.

    `findings` hold all the run says against each of their people under each of their rules.
    """
    decided = _decided(viewer, run, [item.finding_no for item in findings])
    suspicions = grouped(findings)
    known = standing(suspicions, reader=viewer)
    found: dict[int, Handled] = {}

    def told(how: Handling, case_no: int | None) -> Handled:
        return Handled(how, case_no, case_no in known.readable)

    for suspicion in suspicions:
        at_work, last = known.open_case(suspicion), known.last_case(suspicion)
        if at_work is not None:
            now = told(Handling.AT_WORK, at_work)
        elif last is not None and known.is_answered(suspicion):
            now = told(Handling.ANSWERED, last)
        else:
            now = Handled(Handling.NEW)
        for item in suspicion.findings:
            decision, case_no = decided.get(item.finding_no, (None, None))
            if decision == Decision.ISSUED:
                found[item.finding_no] = told(Handling.ISSUED, case_no)
            elif decision is None or now.how == Handling.AT_WORK:
                found[item.finding_no] = now
            else:  # its case was open or answered when it was screened, and nobody works on it any more
                found[item.finding_no] = told(Handling.ANSWERED, case_no)
    return found


def _decided(viewer: Viewer, run: Run, numbers: Sequence[int]) -> dict[int, tuple[str, int | None]]:
    rows = Screening.objects.visible_to(viewer).filter(run=run, finding_no__in=numbers)
    return {no: (decision, case_no) for no, decision, case_no in rows.values_list("finding_no", "decision", "case_no")}


def _of_items(items: Sequence[Finding], handled: Mapping[int, Handled]) -> dict[int, Handled]:
    return {item.finding_no: handled[item.finding_no] for item in items}


def _of_all(viewer: Viewer, run: Run, filters: Filters, how: str, after: str) -> Listed:
    """A page of a selection that was looked at as a whole."""
    everything = list(queries.each_finding(viewer, run, filters))
    handled = handled_of(viewer, run, everything)
    wanted = [item for item in everything if not how or handled[item.finding_no].how == how]
    begin = queries.place_of(after)
    beyond = [item for item in wanted if begin is None or item.place > begin]
    items = beyond[:PAGE_SIZE]
    fresh = grouped(item for item in everything if handled[item.finding_no].how == Handling.NEW)
    offer = Offer(len(fresh), sum(len(item.findings) for item in fresh)) if fresh else None
    cursor = items[-1].cursor if len(beyond) > PAGE_SIZE else ""
    return Listed(items, _of_items(items, handled), len(wanted), cursor, offer)


def _page(viewer: Viewer, run: Run, filters: Filters, total: int, after: str) -> Listed:
    items, cursor = queries.stretch(viewer, run, filters, after, PAGE_SIZE)
    return Listed(items, _of_items(items, _among(viewer, run, items)), total, cursor)


def _stretch(viewer: Viewer, run: Run, filters: Filters, how: str, after: str) -> Listed:
    """What the next `MOST` findings hold of it; a page may so be short, or empty, and yet not the last."""
    looked_at, cursor = queries.stretch(viewer, run, filters, after, MOST)
    handled = _among(viewer, run, looked_at)
    items = [item for item in looked_at if handled[item.finding_no].how == how]
    if len(items) > PAGE_SIZE:
        items = items[:PAGE_SIZE]
        cursor = items[-1].cursor
    return Listed(items, _of_items(items, handled), None, cursor)


def _among(viewer: Viewer, run: Run, items: Sequence[Finding]) -> dict[int, Handled]:
    """As `handled_of`, for findings whose people may have others in the run."""
    return handled_of(viewer, run, queries.findings_of_people(viewer, run, {item.person_no for item in items}))
