"""The cases of each household together, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from wanjia.casework import declared, guards, queries
from wanjia.casework.declared import Brief
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.presenting import tone_of
from wanjia.casework.rules import Action
from wanjia.casework.services import asking
from wanjia.divisions.queries import near_name
from wanjia.scope.viewer import Viewer

PAGE = 50


@dataclass(frozen=True, slots=True)
class Matter:
    """One open case of a household; `action` is what its reader may answer it with, if he may.

    `outcomes` are what may be found at the door, with their codes; empty where it was found already.
    """

    case: Case
    brief: Brief
    step: str
    tone: str
    action: Action | None
    outcomes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A household with all its open cases this viewer may read."""

    household_no: int
    village: str  # its own, where a case of two places or one that was moved lies elsewhere
    matters: Sequence[Matter]

    @property
    def people(self) -> list[str]:
        """Whom the cases are about, each once."""
        return list(dict.fromkeys(matter.brief.person for matter in self.matters if matter.brief.person))

    @property
    def place(self) -> str:
        """Township, village and hamlet."""
        return near_name(self.village) + next(
            (matter.brief.hamlet for matter in self.matters if matter.brief.hamlet), ""
        )

    @property
    def elsewhere(self) -> list[str]:
        """The other households some of the cases are about, each once, with their addresses."""
        return list(dict.fromkeys(other for matter in self.matters for other in matter.brief.elsewhere))

    @property
    def checks(self) -> list[str]:
        """What to check for all of them, each once."""
        return list(dict.fromkeys(check for matter in self.matters for check in matter.brief.checks))

    @property
    def most_urgent(self) -> Matter:
        """The case due first."""
        return min(self.matters, key=lambda matter: (matter.case.due_on or date.max, matter.case.case_no))

    @property
    def mine(self) -> list[Matter]:
        """The cases its reader can answer now."""
        return [matter for matter in self.matters if matter.action is not None]


@dataclass(frozen=True, slots=True)
class BundlePage:
    """Some households, in the order of the villages; `after` is the key of the next ones, empty at the end."""

    bundles: Sequence[Bundle]
    after: str


def page(  # noqa: PLR0913 - which, from where, how many, and for whom in which words
    viewer: Viewer, case_filter: CaseFilter, language: str, *, after: str = "", size: int = PAGE, named: bool = False
) -> BundlePage:
    """The households that have an open case in the filter, each with those cases.

    Household numbers run in village order, so the list is one from door to door; it is read along
    the index by household. `named` gives names as far as the viewer may read them.
    """
    rows = queries.matching(viewer, case_filter).filter(closed_at=None, household_no__isnull=False)
    start = int(after) if after.isascii() and after.isdigit() and len(after) <= 12 else 0  # noqa: PLR2004 - as household numbers
    found = rows.filter(household_no__gt=start).order_by("household_no").values_list("household_no", flat=True)
    numbers = list(found.distinct()[: size + 1])
    more = len(numbers) > size
    numbers = numbers[:size]
    cases = list(rows.filter(household_no__in=numbers).order_by("household_no", "case_no"))
    bundles = bundled(viewer, cases, language, named=named)
    return BundlePage(bundles, str(numbers[-1]) if more else "")


def of_household(viewer: Viewer, household_no: int, language: str) -> Bundle | None:
    """One household with its open cases; None where the viewer may see none of them."""
    cases = list(queries.of_household(viewer, household_no).filter(closed_at=None))
    found = bundled(viewer, cases, language, named=True)
    return found[0] if found else None


def bundled(viewer: Viewer, cases: Sequence[Case], language: str, *, named: bool) -> list[Bundle]:
    """Cases by household, in the order they came."""
    briefs, mine = _briefs(viewer if named else None, cases, language), _answerable(viewer, cases)
    of: dict[int, list[Matter]] = {}
    for case in cases:
        matter = Matter(
            case=case,
            brief=briefs.get(case.case_no, Brief("", case.topic)),
            step=case.at.title.text(language),
            tone=tone_of(case.due_on, case.warn_on),
            action=mine.get(case.case_no),
            outcomes=_outcomes(case, language),
        )
        of.setdefault(case.household_no or 0, []).append(matter)
    return [
        Bundle(number, matters[0].brief.village or matters[0].case.area_code, matters) for number, matters in of.items()
    ]


def _outcomes(case: Case, language: str) -> list[str]:
    """What may be found at the door; nothing where it was found already."""
    return [] if case.outcome else [f"{item.code} {item.title.text(language)}" for item in case.flow.outcomes]


def _briefs(viewer: Viewer | None, cases: Sequence[Case], language: str) -> dict[int, Brief]:
    by_flow: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        by_flow.setdefault((case.kind, case.flow_version), []).append(case)
    found: dict[int, Brief] = {}
    for key, group in by_flow.items():
        found |= declared.offered_for(*key).callbacks.briefs(group, language, viewer)
    return found


def _answerable(viewer: Viewer, cases: Sequence[Case]) -> dict[int, Action]:
    """Case number → the action that gives this viewer's answer, where it is his turn and he is free to act."""
    alike: dict[tuple[str, int, str], list[Case]] = {}
    for case in cases:
        alike.setdefault((case.kind, case.flow_version, case.step), []).append(case)
    found: dict[int, Action] = {}
    for group in alike.values():
        action = asking(group[0])
        if action is None:
            continue
        free = [case for case in group if guards.seat_bar(viewer, case, group[0].at, action) is None]
        bars = guards.bars(viewer, action, free) if free else {}
        found |= {case.case_no: action for case in free if case.case_no not in bars}
    return found
