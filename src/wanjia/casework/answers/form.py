"""The form: a workbook with one row for each case that asks its reader for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from wanjia.audit.exports import export
from wanjia.audit.services import common_area
from wanjia.casework import declared, guards, queries
from wanjia.casework.answers.columns import ASKED, PROBLEM, TITLES, Title, check_of
from wanjia.casework.answers.sheet import Filled
from wanjia.casework.choices import Need
from wanjia.casework.declared import Ask, AskedField, Brief
from wanjia.casework.errors import TooManyToAnswer
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.rules import Action
from wanjia.casework.services import Proofs, asking
from wanjia.divisions.queries import near_name
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal, Sentence
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Cell, Column, Format, Table

MOST_ROWS = 20_000  # in one form; a longer one nobody fills in
PIECE = 1_000
LONG_AGO = date(1900, 1, 1)
Rows = list[list[Cell]]


def waiting(viewer: Viewer, case_filter: CaseFilter) -> int:
    """How many cases of the filter ask this viewer for an answer, his impartiality aside."""
    return _asking(viewer, case_filter).count()


def form_for(viewer: Viewer, case_filter: CaseFilter, language: str) -> tuple[int, Iterator[bytes]]:
    """How many rows the form has, and its bytes; recorded before the first of them.

    Cases that ask for no answer, or not this viewer, are left out. Raises TooManyToAnswer.
    """
    found = waiting(viewer, case_filter)
    if found > MOST_ROWS:
        raise TooManyToAnswer(n=found, most=MOST_ROWS)
    cases = list(_asking(viewer, case_filter).order_by("area_code", "household_no", "case_no"))
    rows: Rows = []
    free: list[Case] = []
    for start in range(0, len(cases), PIECE):
        piece = _free(viewer, cases[start : start + PIECE])
        free += piece
        rows += _rows(piece, language)
    offered = choices(free, language)
    table = Table(
        title=_("核查答复"),
        header=_header(offered.asked, language),
        rows=_with_room(rows, len(offered.asked)),
        promised=len(rows),
        account=viewer.name,
        conditions=_advice(),
        signed=False,
        columns=_columns(offered, free, language),
    )
    area = common_area(case.area_code for case in free) or viewer.home_area
    content = {"filter": case_filter.as_dict()}
    return len(rows), export(table, Format.XLSX, viewer=viewer, area=area, act="casework.answers_form", content=content)


def rejects_for(
    viewer: Viewer, refused: Sequence[tuple[Filled, Refusal]], language: str
) -> tuple[int, Iterator[bytes]]:
    """The rows that were not taken, as they came, with the reason before each: to be put right and sent again."""
    numbers = [row.case_no for row, _ in refused if row.case_no is not None]
    cases = [case for start in range(0, len(numbers), PIECE) for case in _known(viewer, numbers[start : start + PIECE])]
    found = choices(cases, language)
    written = dict.fromkeys(key[1:] for row, _ in refused for key in row.cells if key.startswith(ASKED))
    found.ask(
        (AskedField(name=words, title=Sentence(words, words)) for words in written if words not in found.asked),
        language,
    )
    keys = [title.key for title in TITLES]
    keys[-1:-1] = [ASKED + words for words in found.asked]
    rows: Rows = [[_told(refusal, language), *(row.value(key) for key in keys)] for row, refusal in refused]
    table = Table(
        title=_("未采用的答复"),
        header=[PROBLEM.text(language), *_header(found.asked, language)],
        rows=rows,
        promised=len(rows),
        account=viewer.name,
        conditions=_advice(),
        signed=False,
        columns=[Column(width=48), *_columns(found, cases, language)],
    )
    area = common_area(case.area_code for case in cases) or viewer.home_area
    return len(rows), export(table, Format.XLSX, viewer=viewer, area=area, act="casework.answers_rejects")


def _told(refusal: Refusal, language: str) -> str:
    return "".join(refusal.sentences(language))


def _known(viewer: Viewer, numbers: Sequence[int]) -> list[Case]:
    return list(Case.objects.visible_to(viewer).filter(case_no__in=numbers))


def _asking(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[Case]:
    steps = {step.code for flow in declared.flows() for step in flow.steps for action in step.actions if action.asks}
    return queries.matching(viewer, replace(case_filter, mine="1")).filter(closed_at=None, step__in=sorted(steps))


def _free(viewer: Viewer, cases: Sequence[Case]) -> list[Case]:
    """Those on which this viewer may act himself."""
    alike: dict[tuple[str, int, str], list[Case]] = {}
    for case in cases:
        alike.setdefault((case.kind, case.flow_version, case.step), []).append(case)
    barred: set[int] = set()
    for group in alike.values():
        action = asking(group[0])
        if action is None:
            barred |= {case.case_no for case in group}
            continue
        barred |= guards.bars(viewer, action, group).keys()
        barred |= {case.case_no for case in group if guards.seat_bar(viewer, case, group[0].at, action)}
    return [case for case in cases if case.case_no not in barred]


def _rows(cases: Sequence[Case], language: str) -> Rows:
    told, proofs = _briefs(cases, language), Proofs(cases)
    rows: Rows = []
    for case in cases:
        brief, action = told[case.case_no], asking(case)
        shown = {
            "household": str(case.household_no or ""),
            "person": brief.person,
            "village": "\n".join((near_name(brief.village or case.area_code), *brief.elsewhere)),
            "suspected": _with_outcome(case, brief.suspected, language),
        }
        cells: dict[str, Cell] = {
            "case_no": case.case_no,
            **shown,
            "checks": "\n".join(f"□ {check}" for check in brief.checks),
            "due_on": case.due_on.isoformat() if case.due_on else "",
            "proof": _proof(proofs.has(case), action),
            "check": check_of(case.case_no, case.version, shown),
        }
        rows.append([cells.get(title.key) for title in TITLES])
    return rows


def _with_room(rows: Rows, n: int) -> Rows:
    """The rows with `n` empty cells before the last one."""
    return [[*row[:-1], *([None] * n), row[-1]] for row in rows]


def _with_outcome(case: Case, suspected: str, language: str) -> str:
    """What is suspected and, where a correction is asked for, what was found."""
    outcome = case.flow.outcome(case.outcome)
    return suspected if outcome is None else f"{suspected} → {outcome.code} {outcome.title.text(language)}"


def _proof(filed: bool, action: Action | None) -> str:
    if action is None or not action.evidence_for:
        return "—"
    return _("已上传") if filed else _("未上传")


def _briefs(cases: Sequence[Case], language: str) -> dict[int, Brief]:
    """Each case in few words, by number."""
    by_flow: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        by_flow.setdefault((case.kind, case.flow_version), []).append(case)
    found: dict[int, Brief] = {}
    for key, group in by_flow.items():
        found |= declared.offered_for(*key).callbacks.briefs(group, language)
    return {case.case_no: found.get(case.case_no, Brief("", case.topic)) for case in cases}


def _columns(found: Choices, cases: Sequence[Case], language: str) -> list[Column]:
    today = clock.today()
    lists: Mapping[str, Sequence[str]] = {"outcome": list(found.outcomes), "change": list(found.changes)}
    earliest = min((clock.day_of(case.opened_at) for case in cases), default=today)
    days = {"visited_on": (earliest, today), "until": (today, today + timedelta(days=3_660))}
    columns = [_column(title, lists.get(title.key, ()), days.get(title.key), language) for title in TITLES]
    columns[-1:-1] = [_asked_column(asked, language) for asked in found.asked.values()]
    return columns


def _column(title: Title, listed: Sequence[str], day: tuple[date, date] | None, language: str) -> Column:
    nothing = title.key in ("change", "outcome") and not listed
    return Column(
        width=title.width,
        locked=not title.filled or nothing,
        hidden=title.key == "check" or nothing,
        choices=listed,
        day=day,
        note=title.note.text(language),
    )


def _asked_column(asked: AskedField, language: str) -> Column:
    note = asked.help.text(language) if asked.help is not None else _("只在所选整改方式需要时填写")
    return Column(
        width=18,
        locked=False,
        hidden=False,
        choices=[words for _code, words in asked.choices],
        day=(LONG_AGO, clock.today()) if asked.kind is Ask.DAY else None,
        note=note,
    )


def _header(asked: Iterable[str], language: str) -> list[str]:
    header = [title.words.text(language) for title in TITLES]
    header[-1:-1] = list(asked)
    return header


@dataclass(slots=True)
class Choices:
    """What may be chosen in a form: outcomes, corrections, and what the corrections ask for by column."""

    outcomes: dict[str, None] = field(default_factory=dict)
    changes: dict[str, None] = field(default_factory=dict)
    asked: dict[str, AskedField] = field(default_factory=dict)  # by words

    def ask(self, fields: Iterable[AskedField], language: str) -> None:
        """Have a column for each field; one of several corrections has the choices of all."""
        for each in fields:
            words = each.title.text(language)
            known = self.asked.get(words)
            listed = dict.fromkeys((*(known.choices if known else ()), *each.choices))
            self.asked[words] = replace(each, choices=tuple(listed))


def choices(cases: Sequence[Case], language: str) -> Choices:
    """What may be chosen in the form of these cases."""
    found = Choices()
    alike: dict[tuple[str, int, str], list[Case]] = {}
    for case in cases:
        alike.setdefault((case.kind, case.flow_version, case.step), []).append(case)
    for group in alike.values():
        action, flow = asking(group[0]), group[0].flow
        if action is None:
            continue
        for outcome in flow.outcomes:
            if outcome.code in action.outcomes:
                proven = _("（须先上传照片或文件）") if outcome.code in action.evidence_for else ""
                found.outcomes.setdefault(f"{outcome.code} {outcome.title.text(language)}{proven}")
        if Need.CORRECTION in action.needs:
            callbacks = declared.offered_for(group[0].kind, group[0].flow_version).callbacks
            for choice in callbacks.usual_corrections(group, language):
                found.changes.setdefault(f"{choice.code} {choice.title.text(language)}")
                found.ask(choice.fields if choice.on_sheet else (), language)
    return found


def _advice() -> list[tuple[str, str]]:
    return [
        (_("怎样填写"), _("只填写白色单元格；不要增删、移动行，不要另存为其他格式。没有填写的行不受影响。")),
        (_("照片"), _("注明“须先上传照片或文件”的结果，请先在该件或该户页面上传，再上传本表。")),
        (_("上传以后"), _("先预览，确认后才生效；有问题的行会退回并说明原因。")),
    ]
