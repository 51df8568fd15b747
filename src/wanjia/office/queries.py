"""What the home page shows, composed from the slices below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from wanjia.casework import declared
from wanjia.casework import queries as casework
from wanjia.casework.models import Case
from wanjia.casework.queries import AreaFigure, HomeLines
from wanjia.comparison.feedback import desk
from wanjia.comparison.feedback import queries as feedback
from wanjia.exports import queries as exports
from wanjia.inspection import queries as inspection
from wanjia.kernel import clock
from wanjia.registry.requests import deadlines
from wanjia.registry.services.sheets import importing
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Viewer

# The level below an area, by the length of its code; a village has no desks below it.
NEXT_LENGTH = {0: 2, 2: 4, 4: 6, 6: 9, 9: 12}
TASKS_SHOWN = 8
NO_EXPORTS, NO_REQUESTS = exports.Home(), deadlines.Waiting()


@dataclass(frozen=True, slots=True)
class Task:
    """One matter that waits for the viewer; `tone` is that of its deadline."""

    case: Case
    headline: str
    step: str
    due_on: date | None
    tone: str


@dataclass(frozen=True, slots=True)
class Today:
    """The three lines, the most urgent matters, and the open work of the area by who has it.

    `parts` are the areas one level below and, under the area's own code, its own desk with the people
    it sent; they add up to `whole`.
    """

    lines: HomeLines
    tasks: tuple[Task, ...]
    parts: tuple[AreaFigure, ...]
    department: desk.Waits | None = None  # for a department officer: her feedback and files
    unanswered: feedback.Unanswered | None = None  # for who answers for deliveries
    reads_cases: bool = True  # whether the lines about cases say anything to this viewer
    bulk_readings: int | None = None  # alerts nobody has looked into, for whoever may answer them
    exports: exports.Home = NO_EXPORTS
    imports: int = 0  # corrections by sheet that others brought and this viewer looks at and confirms
    requests: deadlines.Waiting = NO_REQUESTS  # changes of the registry others proposed: to decide, or left below

    @property
    def whole(self) -> AreaFigure:
        """All parts together."""
        return AreaFigure("", sum(part.open for part in self.parts), sum(part.overdue for part in self.parts))


def today(viewer: Viewer, area: str, language: str) -> Today:
    """What `viewer` should know before noon; the figures are those of `area`, worst first."""
    waiting = casework.work_queue(viewer, TASKS_SHOWN)
    return Today(
        casework.home_lines(viewer, _narrowed(viewer, area)),
        _tasks(viewer, waiting, language),
        _parts(viewer, area),
        desk.waits(viewer) if viewer.may(feedback.ANSWER) else None,
        feedback.unanswered(viewer, _narrowed(viewer, area)) if viewer.may(feedback.PRESS) else None,
        any(viewer.may(flow.read_permission) for flow in declared.flows()),
        inspection.open_bulk_readings(viewer) if viewer.may(inspection.ANSWER) else None,
        exports.home(viewer),
        importing.waiting_for(viewer),
        deadlines.waiting_for(viewer),
    )


def _tasks(viewer: Viewer, cases: Sequence[Case], language: str) -> tuple[Task, ...]:
    by_flow: dict[tuple[str, int], list[Case]] = defaultdict(list)
    for case in cases:
        by_flow[case.kind, case.flow_version].append(case)
    headlines: dict[int, str] = {}
    for key, group in by_flow.items():
        headlines |= declared.offered_for(*key).callbacks.headlines(group, viewer, language)
    return tuple(
        Task(case, headlines.get(case.case_no, ""), case.at.title.text(language), case.due_on, _tone(case))
        for case in cases
    )


def _tone(case: Case) -> str:
    day = clock.today()
    if case.due_on is not None and case.due_on < day:
        return "late"
    return "warn" if case.warn_on is not None and case.warn_on <= day else "waiting"


def _narrowed(viewer: Viewer, area: str) -> str:
    """The area looked at, or nothing where that is all the viewer has."""
    return "" if area == viewer.home_area else area


def _parts(viewer: Viewer, area: str) -> tuple[AreaFigure, ...]:
    length = NEXT_LENGTH.get(len(area))
    if length is None:
        return ()
    inside = AreaRange.of(area)
    found = casework.figures_by_area(viewer, length)
    return tuple(figure for figure in found if figure.open and figure.area in inside)
