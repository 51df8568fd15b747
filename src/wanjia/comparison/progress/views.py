"""The pages of progress and of the weekly table, and both as files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from wanjia.audit.exports import export
from wanjia.casework.filters import EARLIEST
from wanjia.comparison import describing
from wanjia.comparison.feedback import queries as feedback
from wanjia.comparison.forms import ProgressForm, WeekForm
from wanjia.comparison.progress import figures, weekly
from wanjia.comparison.progress.figures import READ, Figures
from wanjia.divisions.queries import full_name, may_enter, name_of
from wanjia.kernel import clock
from wanjia.scope.routes import ViewerRequest, access
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Cell, Format, Table, download
from wanjia.ui.viewing import asked_for, chosen_area

BY = ("area", "rule", "department")
VILLAGE = 12  # digits; nothing lies below


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page: its words, where its name leads, and the lists behind its numbers."""

    code: str
    title: str
    figures: Figures
    address: str
    cases: str


@access(READ)
@require_GET
def progress(request: ViewerRequest) -> HttpResponse:
    """How far the suspects of an area have come: by the level below, by rule, by department."""
    area, rule = chosen_area(request), asked_for(request, "rule")
    found = figures.progress(request.viewer, area, rule)
    titles = describing.rule_titles(_language())
    context = {
        "area": area,
        "rule": rule,
        "form": ProgressForm(initial={"rule": rule}, rules=[(code, _titled(code, titles)) for code in titles]),
        "total": found.total,
        "parts": _part_rows(request, found, rule),
        "rules": [
            Row(code, _titled(code, titles), line, _address(request, rule=code), _cases(area, code))
            for code, line in _most(found.by_rule.items())
        ],
        "departments": [
            Row(code, describing.department_title(code, _language()), line, "", _cases(area, rule, department=code))
            for code, line in _most(found.by_department.items())
        ],
        "feedback": _answered(request.viewer, area, rule),
        "query": _address(request, rule=rule),
        "today": clock.today(),
    }
    return render(request, "comparison/progress.html", context)


def _answered(viewer: Viewer, area: str, rule: str) -> list[tuple[str, feedback.Figures]]:
    """How the departments answer what they are told of their records, for who may read deliveries."""
    lines = feedback.figures(viewer, area, by="department", rule=rule) if viewer.may(feedback.READ) else []
    return [(describing.department_title(line.of, _language()), line) for line in lines]


def _part_rows(request: ViewerRequest, found: figures.Progress, rule: str) -> list[Row]:
    rows = []
    for code, line in sorted(found.by_part.items(), key=lambda pair: (pair[0] == figures.BEYOND, pair[0])):
        opens = _is_below(found, code) and len(code) < VILLAGE and may_enter(request.viewer, code)
        title, address = _part_title(found, code), _address(request, rule=rule, area=code) if opens else ""
        rows.append(Row(code, title, line, address, _part_cases(found, code, rule)))
    return rows


def _is_below(found: figures.Progress, code: str) -> bool:
    """Whether a part is one place of the level below: not several of them together, nor the village itself."""
    return len(code) == found.length and code != found.area


def _part_title(found: figures.Progress, code: str) -> str:
    if code == figures.BEYOND:
        return _("{area}以外（涉及本地人员）").format(area=name_of(found.area))
    return name_of(code) if len(code) == found.length else _("跨{area}内几个单位").format(area=name_of(code))


def _part_cases(found: figures.Progress, code: str, rule: str) -> str:
    """The list of exactly a part's cases."""
    if code == figures.BEYOND:
        return _cases(found.area, rule, beyond=found.area)
    return _cases(code, rule) if _is_below(found, code) else _cases(found.area, rule, place=code)


def _most(lines: Iterable[tuple[str, Figures]]) -> list[tuple[str, Figures]]:
    return sorted(lines, key=lambda pair: (-pair[1].issued, pair[0]))


def _titled(code: str, titles: dict[str, str]) -> str:
    return f"{code} {titles[code]}" if code in titles else code


def _address(request: ViewerRequest, **changes: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in changes.items() if value})
    return f"{request.path}?{query.urlencode()}"


def _cases(area: str, rule: str, **narrower: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in {"area": area, "topic": rule, **narrower}.items() if value})
    return f"{reverse('casework:list')}?{query.urlencode()}"


@access(READ)
@require_GET
def progress_export(request: ViewerRequest) -> HttpResponseBase:
    """One of the page's tables as a file."""
    area, rule = chosen_area(request), asked_for(request, "rule")
    by = request.GET.get("by", "") if request.GET.get("by", "") in BY else "area"
    found, titles = figures.progress(request.viewer, area, rule), describing.rule_titles(_language())
    lines = {"area": found.by_part, "rule": found.by_rule, "department": found.by_department}[by]

    def named(code: str) -> str:
        if by == "area":
            return _part_title(found, code)
        return _titled(code, titles) if by == "rule" else describing.department_title(code, _language())

    rows = [[code, named(code), *_values(line)] for code, line in sorted(lines.items())]
    rows.append(["", _("合计"), *_values(found.total)])
    return _written(request, Table(
        title=_("核查进度"), header=_header(), rows=rows, promised=len(rows), account=request.viewer.name,
        conditions=[(_("地点"), full_name(area) or _("管辖范围")), (_("规则"), _titled(rule, titles) or _("全部"))],
    ), area, "comparison.progress_export", f"progress-{by}-{clock.today():%Y%m%d}")  # fmt: skip


def _header() -> list[str]:
    return [
        _("代码"), _("名称"), _("下发"), _("已核实"), _("核实率"), _("属实"), _("属实率"), _("须整改"), _("已整改"),
        _("整改率"), _("超期"), _("退回重核"), _("销号"), _("办结天数中位数"),
    ]  # fmt: skip


def _values(line: Figures) -> list[Cell]:
    return [
        line.issued, line.verified, _rate(line.verification_rate), line.true, _rate(line.true_rate), line.to_correct,
        line.corrected, _rate(line.corrected_rate), line.overdue, line.reopened, line.closed, line.median_days,
    ]  # fmt: skip


def _rate(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


# The weekly table


@access(READ)
@require_GET
def weekly_table(request: ViewerRequest) -> HttpResponseBase:
    """The official table of a week, for the printer; the same as a file with `format`."""
    area, monday = chosen_area(request), _monday(request.GET.get("week", ""))
    found = weekly.weekly(request.viewer, area, monday)
    if request.GET.get("format"):
        return _weekly_file(request, found)
    context = {
        "area": area,
        "weekly": found,
        "form": WeekForm(initial={"week": monday}),
        "lines": [(line, name_of(line.area)) for line in found.lines],
        "before": monday - timedelta(days=weekly.WEEK),
        "after": monday + timedelta(days=weekly.WEEK) if found.sunday < clock.today() else None,
        "at": clock.now(),
    }
    return render(request, "comparison/weekly.html", context)


def _weekly_file(request: ViewerRequest, found: weekly.Weekly) -> HttpResponseBase:
    header = [
        _("代码"), _("单位"), _("本周下发"), _("累计下发"), _("本周核实"), _("累计核实"), _("核实率"), _("本周属实"),
        _("累计属实"), _("属实率"), _("本周整改"), _("累计整改"), _("本周退回重核"), _("累计退回重核"),
        _("本周销号"), _("累计销号"),
    ]  # fmt: skip
    rows: list[Sequence[Cell]] = [[line.area, name_of(line.area), *_weekly_values(line)] for line in found.lines]
    rows.append(["", _("合计"), *_weekly_values(found.total)])
    table = Table(
        title=_("核查整改周报"), header=header, rows=rows, promised=len(rows), account=request.viewer.name,
        conditions=[
            (_("地点"), full_name(found.area) or _("管辖范围")),
            (_("统计周期"), f"{found.monday} – {found.sunday}"),
        ],
    )  # fmt: skip
    name = f"weekly-{found.monday:%Y%m%d}-{found.sunday:%Y%m%d}"
    return _written(request, table, found.area, "comparison.weekly_export", name)


def _weekly_values(line: weekly.Line) -> list[Cell]:
    return [
        line.issued, line.issued_all, line.verified, line.verified_all, _rate(line.verification_rate), line.true,
        line.true_all, _rate(line.true_rate), line.corrected, line.corrected_all, line.reopened, line.reopened_all,
        line.closed, line.closed_all,
    ]  # fmt: skip


def _monday(text: str) -> date:
    try:
        day = date.fromisoformat(text) if len(text) == len("2020-11-16") else clock.today()
    except ValueError:
        day = clock.today()
    return weekly.monday_of(min(day, clock.today()) if day >= EARLIEST else clock.today())


def _written(request: ViewerRequest, table: Table, area: str, act: str, name: str) -> HttpResponseBase:
    form = Format.asked(request.GET.get("format"))
    pieces = export(table, form, viewer=request.viewer, area=area or request.viewer.home_area, act=act)
    return download(pieces, name, form)


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
