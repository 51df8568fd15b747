"""Reading cases: what waits for me, lists, one case, its history, the lines of the home page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Substr

from wanjia.accounts import queries as accounts
from wanjia.casework import declared, guards
from wanjia.casework.choices import SEAT_LENGTH, Bar, Mutes, Need, Seat
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseCounter, CaseEvent, CaseMove
from wanjia.casework.rules import Action, Step
from wanjia.files import queries as files
from wanjia.kernel import clock
from wanjia.scope.areas import EVERYWHERE, AreaRange
from wanjia.scope.models import NOTHING, range_q
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

PAGE = 50


def case_for(viewer: Viewer, case_no: int) -> Case:
    """One case. Raises NotVisible."""
    return Case.objects.get_visible(viewer, case_no=case_no)


def matching(viewer: Viewer, case_filter: CaseFilter) -> QuerySet[Case]:
    """The cases in the filter that the viewer may read."""
    rows = Case.objects.visible_to(viewer).filter(case_filter.condition())
    if case_filter.mine:
        rows = rows.filter(guards.turn_q(viewer, declared.flows()))
    if case_filter.raised:
        rows = rows.filter(closed_at=None, raised_to__in=_offices(viewer))
    return rows


def work_queue(viewer: Viewer) -> QuerySet[Case]:
    """What waits for this viewer, at his desks and in person, the most urgent first."""
    turn = guards.turn_q(viewer, declared.flows())
    return Case.objects.visible_to(viewer).filter(turn).order_by("due_on", "case_no")


def count(viewer: Viewer, case_filter: CaseFilter) -> int:
    """How many open cases the filter holds: what a bulk act over it must be confirmed for."""
    return matching(viewer, case_filter).filter(closed_at=None).count()


def waiting_by_step(viewer: Viewer, case_filter: CaseFilter) -> dict[tuple[str, str], int]:
    """(kind, step) → how many open cases of the filter stand there; the filter's own step is left aside."""
    rows = matching(viewer, replace(case_filter, step="", state="open"))
    found = rows.values_list("kind", "step").annotate(n=Count("pk")).order_by()
    return {(kind, step): n for kind, step, n in found}


def topics(viewer: Viewer) -> list[str]:
    """The topics there have been cases about where the viewer oversees an area."""
    return sorted(set(_moves(viewer).values_list("topic", flat=True)))


def assignees(viewer: Viewer, case_filter: CaseFilter, action_code: str) -> dict[int, str]:
    """Whom a bulk act could give cases to: those who may do the next step all over the viewer's desk."""
    found: dict[int, str] = {}
    for action in bulk_actions(viewer, case_filter):
        if action.code != action_code or Need.ASSIGNEE not in action.needs:
            continue
        flow = declared.newest(case_filter.kind or declared.kinds()[0]).flow
        permission = next(after.permission for after in flow.step(action.to).actions if not after.goes_back)
        for desk in guards.seats_of(viewer, action.permission):
            found |= accounts.holders_of(permission, desk)
    return found


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What a bulk act would do, in numbers: how many cases, to how many desks, until when."""

    count: int
    by_desk: Sequence[tuple[str, int]]
    elsewhere: int  # open cases in the filter that offer no such action now

    @property
    def moving(self) -> int:
        return self.count - self.elsewhere


def bulk_preview(viewer: Viewer, case_filter: CaseFilter, action_code: str) -> BulkPreview:
    """The split of a bulk act by the desks its cases would go to."""
    rows = matching(viewer, case_filter).filter(closed_at=None)
    total = rows.count()
    by_desk: Counter[str] = Counter()
    for flow in declared.flows():
        for step in flow.steps:
            action = flow.action(step.code, action_code)
            if action is None or not action.bulk:
                continue
            length = SEAT_LENGTH[flow.step(action.to).seat]
            here = rows.filter(kind=flow.kind, flow_version=flow.version, step=step.code)
            areas = here.values_list(Substr("area_code", 1, length)).annotate(n=Count("pk")).order_by()
            for area, n in areas:
                by_desk[area] += n
    moving = sum(by_desk.values())
    return BulkPreview(total, sorted(by_desk.items()), total - moving)


def bulk_actions(viewer: Viewer, case_filter: CaseFilter) -> list[Action]:
    """The bulk actions this viewer's desks offer for the step the filter names."""
    found: dict[str, Action] = {}
    for flow in declared.flows():
        if case_filter.kind and flow.kind != case_filter.kind:
            continue
        for step, action in flow.actions():
            if action.bulk and step.code == case_filter.step and guards.seats_of(viewer, action.permission):
                found.setdefault(action.code, action)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of a list; `after` is the key of the next page, empty at the end."""

    rows: Sequence[Case]
    total: int
    after: str


def listing(viewer: Viewer, case_filter: CaseFilter, *, after: str = "", size: int = PAGE) -> CasePage:
    """A page of the filter, by deadline and number; pages are found by key, not by counting."""
    rows = matching(viewer, case_filter)
    total = rows.count()
    if case_filter.state in ("closed", "all"):
        ordered, key = rows.order_by("-case_no"), _before(after)
    else:
        ordered, key = rows.order_by("due_on", "case_no"), _beyond(after)
    found = list(ordered.filter(key)[: size + 1])
    more = len(found) > size
    found = found[:size]
    last = found[-1] if more else None
    return CasePage(found, total, "" if last is None else f"{last.due_on or ''}~{last.case_no}")


def _beyond(after: str) -> Q:
    """Behind the key of an ascending list; a key that makes no sense is the beginning."""
    day, _, number = after.partition("~")
    try:
        due, case_no = date.fromisoformat(day), int(number)
    except ValueError:
        return Q()
    return Q(due_on__gt=due) | Q(due_on=due, case_no__gt=case_no)


def _before(after: str) -> Q:
    number = after.partition("~")[2]
    return Q(case_no__lt=int(number)) if number.isascii() and number.isdigit() else Q()


def next_in_queue(viewer: Viewer, case: Case) -> int | None:
    """The case to turn to after this one: the next by deadline, else the first that waits."""
    waiting = work_queue(viewer).exclude(pk=case.pk)
    if case.due_on is not None:
        later = waiting.filter(Q(due_on__gt=case.due_on) | Q(due_on=case.due_on, case_no__gt=case.case_no))
        number = later.values_list("case_no", flat=True).first()
        if number is not None:
            return number
    return waiting.values_list("case_no", flat=True).first()


def of_household(viewer: Viewer, household_no: int, *, except_case: int | None = None) -> QuerySet[Case]:
    """Every case about a household or one of its people, the open ones first."""
    rows = Case.objects.visible_to(viewer).filter(household_no=household_no)
    if except_case is not None:
        rows = rows.exclude(pk=except_case)
    return rows.order_by(F("closed_at").desc(nulls_first=True), "case_no")


# History


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One act on a case, ready to be told."""

    event: CaseEvent
    by: str
    title: str
    from_title: str
    to_title: str
    outcome: str
    holder: str


def last_move(case: Case) -> CaseEvent:
    """The latest act that changed the case's version."""
    return CaseEvent.objects.of(case).filter(version=case.version).order_by("id")[0]


def history(case: Case, language: str) -> list[HistoryLine]:
    """What happened to a case its caller fetched, oldest first."""
    rows = list(CaseEvent.objects.of(case).order_by("id"))
    names = accounts.names_of({n for row in rows for n in (row.by_user, row.holder_user_id) if n})
    flow = case.flow
    steps = {step.code: step.title.text(language) for step in flow.steps}
    titles = {action.code: action.title.text(language) for _, action in flow.actions()} | {
        code: sentence.text(language) for code, sentence in declared.OWN_ACTS.items()
    }
    outcomes = {item.code: f"{item.code} {item.title.text(language)}" for item in flow.outcomes}
    return [
        HistoryLine(
            event=row,
            by=names.get(row.by_user, ""),
            title=titles.get(row.action, row.action),
            from_title=steps.get(row.from_step, ""),
            to_title=steps.get(row.to_step, row.to_step),
            outcome=outcomes.get(row.outcome, row.outcome),
            holder=names.get(row.holder_user_id or 0, ""),
        )
        for row in rows
    ]


# What may be done


@dataclass(frozen=True, slots=True)
class Offer:
    """An action of the present step, with the reason against it if there is one."""

    action: Action
    bar: Bar | None


def offers(viewer: Viewer, case: Case) -> list[Offer]:
    """What the present step offers, and to this viewer in particular."""
    step = case.at
    found = []
    for action in step.actions:
        bar = guards.seat_bar(viewer, case, step, action)
        if bar is None:
            bar = guards.bars(viewer, action, [case]).get(case.case_no)
        found.append(Offer(action, bar))
    return found


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a case might be given to; `bar` says why not, `remark` what speaks for him."""

    user_id: int
    name: str
    remark: str
    bar: Bar | None
    open_cases: int


def candidates(case: Case, action: Action, language: str) -> list[Candidate]:
    """Whom `action` could give the case to: the suitable first, the barred last with the reason."""
    permission = _permission_of_assignee(case, action)
    people = accounts.holders_of(permission, case.area_code)
    reasons = assignee_bars(case, action, people)
    callbacks = declared.offered_for(case.kind, case.flow_version).callbacks
    remarks = callbacks.remarks(list(people), case, language)
    busy = dict(
        Case.objects.visible_to(system_viewer("casework.candidates"))
        .filter(closed_at=None, holder_user_id__in=people)
        .values_list("holder_user_id")
        .annotate(n=Count("pk"))
    )
    found = [
        Candidate(number, name, remarks.get(number, ""), reasons.get(number), busy.get(number, 0))
        for number, name in people.items()
    ]
    return sorted(found, key=lambda item: (item.bar is not None, not item.remark, item.open_cases, item.name))


def assignee_bars(case: Case, action: Action, user_ids: Collection[int]) -> dict[int, Bar]:
    """Why these people may not be given the case by `action`; the others may."""
    permission, following = _permission_of_assignee(case, action), _following(case, action)
    able = accounts.holders_of(permission, case.area_code)
    found = {number: Bar.NO_ROLE for number in user_ids if number not in able}
    for after in following:
        for (number, _), bar in guards.personal_bars(user_ids, after, [case]).items():
            found.setdefault(number, bar)
    return found


def assignee_bars_over(cases: Sequence[Case], action: Action, user_id: int) -> dict[int, Bar]:
    """Case number → why this one person may not be given it; set-based over a bulk act."""
    found: dict[int, Bar] = {}
    able = {
        area: user_id in accounts.holders_of(_permission_of_assignee(cases[0], action), area)
        for area in {case.area_code for case in cases}
    }
    found |= {case.case_no: Bar.NO_ROLE for case in cases if not able[case.area_code]}
    for after in _following(cases[0], action):
        for (_, number), bar in guards.personal_bars([user_id], after, cases).items():
            found.setdefault(number, bar)
    return found


def _following(case: Case, action: Action) -> tuple[Action, ...]:
    """What the person will be asked to do with the case: the forward actions of the next step."""
    return tuple(after for after in case.flow.step(action.to).actions if not after.goes_back)


def _permission_of_assignee(case: Case, action: Action) -> str:
    return _following(case, action)[0].permission


# Evidence


def has_evidence(case: Case) -> bool:
    """Whether something was filed with the case since it came to this step."""
    rows = files.files_of(system_viewer("casework.evidence"), "case", case.case_no)
    return any(row.stored_at >= case.step_entered_at for row in rows)


def evidence_digests(case: Case) -> list[str]:
    """The digests of what was filed with the case, so that history names exactly these files."""
    rows = files.files_of(system_viewer("casework.evidence"), "case", case.case_no)
    return sorted(row.content_key for row in rows)


# The home page


@dataclass(frozen=True, slots=True)
class HomeLines:
    """The three lines of the home page, from counters and two short indexes."""

    waiting: int
    waiting_yellow: int
    waiting_overdue: int
    overdue_below: int
    raised: int
    moved_since_yesterday: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for somebody at his desks and in person, and how pressing it is."""

    all: int
    yellow: int
    overdue: int


def waiting_for(viewer: Viewer) -> Waiting:
    """What waits for this viewer: his desks from the counters, his own cases from their short index."""
    today = clock.today()
    yellow, red = Q(warn_on__lte=today, due_on__gte=today), Q(due_on__lt=today)
    mine = (
        Case.objects.visible_to(viewer)
        .filter(closed_at=None, holder_user_id=viewer.user_id)
        .aggregate(all=Count("pk"), yellow=Count("pk", filter=yellow), red=Count("pk", filter=red))
    )
    desks = (
        _counters(viewer)
        .filter(_my_desks(viewer))
        .aggregate(all=Sum("n"), yellow=Sum("n", filter=yellow), red=Sum("n", filter=red))
    )
    return Waiting(*(mine[name] + (desks[name] or 0) for name in ("all", "yellow", "red")))


def home_lines(viewer: Viewer) -> HomeLines:
    """What waits for me, what is overdue below me, what changed since yesterday."""
    today, waiting = clock.today(), waiting_for(viewer)
    late = _counters(viewer).exclude(_my_desks(viewer)).filter(due_on__lt=today)
    below = late.aggregate(all=Sum("n"))["all"] or 0
    offices = _offices(viewer)
    raised = Case.objects.visible_to(viewer).filter(closed_at=None, raised_to__in=offices).count() if offices else 0
    moved = _moves(viewer).filter(on__gte=today - timedelta(days=1)).aggregate(all=Sum("n"))["all"] or 0
    return HomeLines(
        waiting=waiting.all,
        waiting_yellow=waiting.yellow,
        waiting_overdue=waiting.overdue,
        overdue_below=below,
        raised=raised,
        moved_since_yesterday=moved,
    )


@dataclass(frozen=True, slots=True)
class AreaFigure:
    """Open and overdue cases lying in one part of an area."""

    area: str
    open: int
    overdue: int


def figures_by_area(viewer: Viewer, length: int) -> list[AreaFigure]:
    """Open and overdue cases by area codes cut to `length`, worst first, from the counters."""
    today, found = clock.today(), dict[str, list[int]]()
    for area, due_on, n in _counters(viewer).values_list("holder_area", "due_on", "n"):
        figure = found.setdefault(area[:length], [0, 0])
        figure[0] += n
        figure[1] += n if due_on < today else 0
    return sorted(
        (AreaFigure(area, *pair) for area, pair in found.items()), key=lambda f: (-f.overdue, -f.open, f.area)
    )


@dataclass(frozen=True, slots=True)
class TopicVerdicts:
    """How the verdicts on one topic went; `share` is the part that held, None before the first."""

    topic: str
    answered: int
    held: int

    @property
    def share(self) -> float | None:
        return self.held / self.answered if self.answered else None


def verdicts(viewer: Viewer, kind: str, area: str = "") -> dict[str, TopicVerdicts]:
    """Topic → how closed cases were answered, in an area the viewer oversees; "cannot verify" counts as neither."""
    holds = {item.code: item.holds for item in declared.newest(kind).flow.outcomes if item.mutes is not Mutes.NEVER}
    terminal = [step.code for step in declared.newest(kind).flow.steps if step.terminal]
    rows = _moves(viewer).filter(range_q("area_code", AreaRange.of(area) if area else EVERYWHERE))
    rows = rows.filter(kind=kind, to_step__in=terminal)
    found: dict[str, list[int]] = {}
    for topic, outcome, n in rows.values_list("topic", "outcome").annotate(total=Sum("n")):
        if outcome in holds:
            tally = found.setdefault(topic, [0, 0])
            tally[0] += n
            tally[1] += n if holds[outcome] else 0
    return {topic: TopicVerdicts(topic, answered, held) for topic, (answered, held) in found.items()}


def _my_desks(viewer: Viewer) -> Q:
    """The counters that are this viewer's own turn."""
    wanted = NOTHING
    for flow in declared.flows():
        for step in flow.steps:
            if step.seat is Seat.PERSON or step.terminal:
                continue
            desks = {desk for action in step.actions for desk in guards.seats_of(viewer, action.permission)}
            if desks:
                wanted |= Q(kind=flow.kind, step=step.code, holder_area__in=sorted(desks))
    return wanted


def _offices(viewer: Viewer) -> list[str]:
    """Areas whose office this viewer belongs to, for what was raised to him."""
    acts = {action.permission for flow in declared.flows() for _, action in flow.actions()}
    reads = {flow.read_permission for flow in declared.flows()}
    return sorted({desk for permission in acts | reads for desk in guards.seats_of(viewer, permission)})


def _counters(viewer: Viewer) -> QuerySet[CaseCounter]:
    return CaseCounter.objects.overseen_by(viewer)


def _moves(viewer: Viewer) -> QuerySet[CaseMove]:
    return CaseMove.objects.overseen_by(viewer)


def step_titles(kind: str, language: str) -> dict[str, str]:
    """Step code → title, over every version of the kind."""
    titles: dict[str, str] = {}
    for flow in declared.flows():
        if flow.kind == kind:
            titles |= {step.code: step.title.text(language) for step in flow.steps}
    return titles


def open_steps(kind: str) -> list[Step]:
    """The steps of the newest flow in which a case is open."""
    return [step for step in declared.newest(kind).flow.steps if not step.terminal]
