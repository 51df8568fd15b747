"""The list of cases as a file: as long as the page says, masked as the page is, recorded (domain.md §16.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from wanjia.accounts import queries as accounts
from wanjia.audit.exports import export
from wanjia.audit.services import common_area
from wanjia.casework import declared, queries
from wanjia.casework.filters import AREAS, CaseFilter
from wanjia.casework.models import Case
from wanjia.divisions.queries import full_name, name_of
from wanjia.exports.lists import Asked, as_query
from wanjia.exports.services import require_approval
from wanjia.kernel import clock
from wanjia.scope.models import NOTHING, visible_q
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Cell, Format, Table

CASES = "cases"  # the code under which a long list is approved
PIECE = 500


def may_export(viewer: Viewer) -> bool:
    """Whether the viewer takes lists of cases of some kind away."""
    return any(flow.export_permission and viewer.may(flow.export_permission) for flow in declared.flows())


def exportable_cases(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[Case]:
    """The cases of the filter the viewer may read and, by their own kind's permission, take away."""
    wanted = NOTHING
    for kind, permission in {flow.kind: flow.export_permission for flow in declared.flows()}.items():
        if permission:
            wanted |= Q(kind=kind) & visible_q(Case.scope_rule, viewer, permission)
    return queries.matching(viewer, case_filter).filter(wanted)


def export_cases(
    *, viewer: Viewer, case_filter: CaseFilter, form: Format = Format.CSV, request_id: int | None = None
) -> tuple[int, Iterator[bytes]]:
    """The number of rows and the bytes of the file, streamed; recorded before the first of them.

    Names are masked as in the list. A long list needs the number of an approved request. Raises
    ApprovalNeeded, ApprovalOver, OtherList, RowsChanged.
    """
    listed = _Whole(viewer, case_filter, get_language() or "zh-hans")
    count = listed.rows.count()
    table = Table(
        title=_("核查件"),
        header=[
            _("核查件编号"), _("事项"), _("户编号"), _("所在地"), _("环节"), _("核查结果"), _("办理人"), _("期限"),
            _("立件日期"), _("办结日期"),
        ],
        rows=listed,
        promised=count,
        account=viewer.name,
        conditions=conditions(case_filter),
        as_it_is=listed.as_it_is,
    )  # fmt: skip
    with transaction.atomic():
        approved = require_approval(
            viewer=viewer, code=CASES, query=as_query(case_filter.as_dict()), rows=count, request_id=request_id
        )
        return count, export(
            table,
            form,
            viewer=viewer,
            area=_area(viewer, case_filter),
            act="casework.export",
            content={"filter": case_filter.as_dict()} | ({"request": approved} if approved else {}),
        )


def exportable(viewer: Viewer, values: Mapping[str, str]) -> Asked:
    """The list as an address narrows it, for a request to export it."""
    case_filter = CaseFilter.from_query(values)
    rows = exportable_cases(viewer, case_filter).count()
    return Asked(rows, _area(viewer, case_filter), as_query(case_filter.as_dict()), tuple(conditions(case_filter)))


def conditions(case_filter: CaseFilter) -> list[tuple[str, str]]:
    """The filter in words."""
    language = get_language() or "zh-hans"
    steps = {code: title for kind in declared.kinds() for code, title in queries.step_titles(kind, language).items()}
    titles = {
        "kind": _("类别"), "step": _("环节"), "topic": _("规则"), "area": _("地点"), "desk": _("本级办理"),
        "under": _("本级及以下办理"), "place": _("几个单位共有"),
        "beyond": _("此地以外，涉及本地人员"), "department": _("部门"), "outcome": _("核查结果"),
        "state": _("办理情况"), "household": _("户编号"), "mine": _("由我办理"), "raised": _("报到本级"),
        "decided_from": _("决定日期起"), "decided_to": _("决定日期止"),
    }  # fmt: skip
    states = {
        "open": _("未办结"), "overdue": _("已超期"), "yellow": _("快到期"), "closed": _("已办结"), "all": _("全部"),
    }  # fmt: skip
    yes, no = _("是"), _("否")

    def said(name: str, value: str) -> str:
        if name in AREAS:
            return full_name(value) or name_of(value)
        words = {"step": steps, "state": states, "mine": {"1": yes, "0": no}, "raised": {"1": yes}}.get(name, {})
        return words.get(value, value)

    given = {item.name: str(getattr(case_filter, item.name)) for item in fields(case_filter)}
    return [(titles[name], said(name, value)) for name, value in given.items() if value]


def _area(viewer: Viewer, case_filter: CaseFilter) -> str:
    permissions = {flow.export_permission for flow in declared.flows() if flow.export_permission}
    ranges = (area.lo for permission in sorted(permissions) for area in viewer.ranges(permission))
    return case_filter.area or common_area(ranges) or viewer.home_area


class _Whole:
    """Every row, a piece at a time, each found by the number of the case before it; as `registry.queries.WholeList`."""

    def __init__(self, viewer: Viewer, case_filter: CaseFilter, language: str) -> None:
        self._viewer, self._language = viewer, language
        self.rows = exportable_cases(viewer, case_filter)
        self._seen = (0, 0)

    def __iter__(self) -> Iterator[list[Cell]]:
        rows, last, n, total = self.rows.order_by("case_no"), 0, 0, 0
        while piece := list(rows.filter(case_no__gt=last)[:PIECE]):
            with override(self._language):  # the file is written after its request, in nobody's language
                lines = _lines(piece, self._viewer, self._language)
            yield from lines
            last, n, total = piece[-1].case_no, n + len(piece), total + sum(case.case_no for case in piece)
            self._seen = (n, total)

    def as_it_is(self) -> bool:
        """Whether the rows given are those of the list now."""
        found = self.rows.order_by().aggregate(rows=Count("*"), sum=Sum("case_no"))
        return (found["rows"], found["sum"] or 0) == self._seen


def _lines(cases: Sequence[Case], viewer: Viewer, language: str) -> list[list[Cell]]:
    by_flow: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        by_flow.setdefault((case.kind, case.flow_version), []).append(case)
    headlines: dict[int, str] = {}
    for key, group in by_flow.items():
        headlines |= declared.offered_for(*key).callbacks.headlines(group, viewer, language)
    names = accounts.names_of(case.holder_user_id for case in cases if case.holder_user_id)
    return [
        [
            case.case_no,
            headlines.get(case.case_no, ""),
            case.household_no,
            full_name(case.area_code) or case.area_code,
            case.at.title.text(language),
            _outcome(case, language),
            names.get(case.holder_user_id or 0, "") or name_of(case.holder_area),
            case.due_on.isoformat() if case.due_on else "",
            clock.day_of(case.opened_at).isoformat(),
            clock.day_of(case.closed_at).isoformat() if case.closed_at else "",
        ]
        for case in cases
    ]


def _outcome(case: Case, language: str) -> str:
    outcome = case.flow.outcome(case.outcome)
    return f"{outcome.code} {outcome.title.text(language)}" if outcome is not None else ""
