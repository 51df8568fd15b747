"""Opening cases: set-based, one audit entry, never two open cases for one suspicion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db import connection, transaction

from wanjia.audit.services import JSON, Kind
from wanjia.casework import counters, declared
from wanjia.casework.choices import SubjectKind
from wanjia.casework.models import Case, CaseSubject
from wanjia.casework.rules import Flow, Step, common_area
from wanjia.casework.services.moves import OPENED, Act, Dates, dates_for, enter, in_chunks
from wanjia.scope import bulk
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

AT_ONCE = 10_000
CASE_FIELDS = tuple(field.name for field in Case._meta.concrete_fields if field.name != "proposal_sealed")
SUBJECT_FIELDS = ("case", "subject_kind", "household_no", "person_no", "key", "area_code", "apart")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectSpec:
    """One subject of a case to be opened: a household, a person, or the key of somebody unregistered."""

    area_code: str
    household_no: int | None = None
    person_no: int | None = None
    key: int | None = None

    @property
    def kind(self) -> SubjectKind:
        """What the subject is, by its narrowest number."""
        if self.person_no is not None:
            return SubjectKind.PERSON
        return SubjectKind.HOUSEHOLD if self.household_no is not None else SubjectKind.KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSpec:
    """A case to be opened. `key` names the suspicion; `origin` refers to what found it."""

    key: str
    topic: str
    subjects: tuple[SubjectSpec, ...]
    department: str = ""
    origin: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of the specs: case numbers by key, new ones and those that were open already."""

    opened: Mapping[str, int]
    already_open: Mapping[str, int]


@transaction.atomic
def open_cases(
    *,
    viewer: Viewer,
    kind: str,
    specs: Sequence[CaseSpec],
    due_on: date | None = None,
    content: Mapping[str, JSON] | None = None,
) -> Opened:
    """Open a case for each spec whose key has none open; calling it again opens nothing twice.

    Raises NotAllowed where the viewer may not open cases of this kind in a spec's area,
    DeadlineUnusable.
    """
    flow = declared.newest(kind).flow
    _require_permission(viewer, flow, specs)
    _one_at_a_time(kind)
    wanted = {spec.key: spec for spec in specs}
    already = _open_by_key(kind, list(wanted))
    fresh = [spec for key, spec in wanted.items() if key not in already]
    if not fresh:
        return Opened({}, already)
    act = Act(viewer, flow, OPENED, Kind.DISPATCH)
    step = flow.step(flow.first)
    dates = dates_for(step, due_on)
    opened: dict[str, int] = {}
    for piece in in_chunks(range(len(fresh)), AT_ONCE):
        cases = _insert([fresh[index] for index in piece], flow, step, dates, act)
        opened.update({case.key: case.case_no for case in cases})
    act.record(content={"n": len(opened), **(content or {})})
    return Opened(opened, already)


def _insert(specs: Sequence[CaseSpec], flow: Flow, step: Step, dates: Dates, act: Act) -> list[Case]:
    """New cases with their subjects, in columns: numbered beforehand, so nothing is read back."""
    cases: list[Case] = []
    areas: dict[tuple[str, ...], str] = {}  # few places hold many subjects
    for number, spec in zip(bulk.numbers(Case, len(specs)), specs, strict=True):
        household = next((item.household_no for item in spec.subjects if item.household_no is not None), None)
        where = tuple(item.area_code for item in spec.subjects)
        if where not in areas:
            areas[where] = common_area(where)
        case = Case(
            case_no=number, kind=flow.kind, flow_version=flow.version, topic=spec.topic, key=spec.key,
            department=spec.department, household_no=household,
            area_code=areas[where], opened_at=act.at, origin=dict(spec.origin),
        )  # fmt: skip
        enter(case, step, dates, act.at)
        cases.append(case)
    bulk.insert(Case, {name: [getattr(case, name) for case in cases] for name in CASE_FIELDS})
    subjects = [
        (case.case_no, item.kind.value, item.household_no, item.person_no, item.key, item.area_code,
         item.area_code != case.area_code)
        for case, spec in zip(cases, specs, strict=True)
        for item in spec.subjects
    ]  # fmt: skip
    if subjects:
        bulk.insert(CaseSubject, dict(zip(SUBJECT_FIELDS, zip(*subjects, strict=True), strict=True)))
    nowhere: counters.Desk | None = None
    act.write([("", nowhere, case) for case in cases])
    return cases


def _one_at_a_time(kind: str) -> None:
    """Two people issuing the same findings at once: the second waits, then sees the first one's cases.

    SQLite has one writer anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"casework.open {kind}"])


def _open_by_key(kind: str, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for piece in in_chunks(range(len(keys))):
        rows = Case.objects.visible_to(system_viewer("casework.opened"))
        rows = rows.filter(kind=kind, closed_at=None, key__in=[keys[index] for index in piece])
        found.update(rows.values_list("key", "case_no"))
    return found


def _require_permission(viewer: Viewer, flow: Flow, specs: Sequence[CaseSpec]) -> None:
    ranges = viewer.ranges(flow.open_permission)
    areas = {AreaRange.of(item.area_code) for spec in specs for item in spec.subjects}
    if not all(any(mine.covers(area) for mine in ranges) for area in areas):
        raise NotAllowed(action=flow.open_permission)
