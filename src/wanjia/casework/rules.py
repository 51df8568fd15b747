"""What a flow is: steps, who acts, where each action leads, what it needs (design.md §5 Cases).

Pure: no database, no clock. A flow is declared by the slice that owns the matter and checked
once, when it is registered; afterwards casework may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from wanjia.casework.choices import SEAT_LENGTH, Mutes, Need, Seat
from wanjia.kernel.errors import Sentence

AREA_LENGTHS = (12, 9, 6, 4, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One possible answer to the case's question.

    `holds` says the suspicion was true; `feedback` that the sender of the record is told;
    `mutes` how long the same suspicion stays away; `lasts_parameter` names the reference
    parameter with the days an outcome lasts whose last day nobody named, `lasts_at_most_parameter`
    the one with the days it may last.
    """

    code: str
    title: Sentence
    holds: bool
    feedback: bool = False
    mutes: Mutes = Mutes.EVIDENCE
    lasts_parameter: str = ""
    lasts_at_most_parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A kind of reason for a return.

    `asks_place` where the household lives now; `recuses` whoever gives it: he is a relative from then on.
    """

    code: str
    title: Sentence
    asks_place: bool = False
    recuses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something one person can do to a case in a step.

    `routes` sends single outcomes elsewhere than `to`. `evidence_for` names the outcomes that
    must be proven. `apart_from` names actions whose performer must be somebody else; where
    `impartial` is set the flow's callbacks may bar people too. `goes_back` marks a return;
    `applies` an action whose effect the callbacks carry out in the same transaction; `settles`
    turns an outcome that was provisional into its final one. `also` are seats that may perform
    this one action though the case does not wait on their desk. `reexamines` asks the callbacks
    first whether the case would be opened again today, and keeps their answer with the act;
    `unlooked` closes without another look, so no person picks the cases: only the draw of a sample
    performs it, on those it leaves over. `staffed` sends only where somebody can act next. `unproposed`
    is the consequence on a case for which no correction was proposed. `whys` are the kinds of reason it
    takes; `limit_parameter` names the parameter with how often the same desk, or person, may do it to a
    case of one place; `moves` sends the case to the place named with it. `at_own_desk` are title and consequence of a
    return where the same desk decides it: a case of two places has no lower one.
    `record` is the kind of the audit entry.
    """

    code: str
    title: Sentence
    consequence: Sentence
    permission: str
    to: str
    routes: Mapping[str, str] = field(default_factory=dict)
    needs: frozenset[Need] = frozenset()
    outcomes: tuple[str, ...] = ()
    evidence_for: frozenset[str] = frozenset()
    apart_from: frozenset[str] = frozenset()
    impartial: bool = False
    bulk: bool = False
    goes_back: bool = False
    applies: bool = False
    reexamines: bool = False
    unlooked: bool = False
    staffed: bool = False
    moves: bool = False
    whys: tuple[Why, ...] = ()
    limit_parameter: str = ""
    also: tuple[Seat, ...] = ()
    settles: Mapping[str, str] = field(default_factory=dict)
    unproposed: Sentence | None = None
    at_own_desk: tuple[Sentence, Sentence] | None = None
    record: str = "decision"

    def stays_at(self, area: str, step: Step, flow: Flow) -> bool:
        """Whether a return of a case of `area` is decided by the very desk it stands on in `step`."""
        to = flow.step(self.to)
        return self.goes_back and seat_area(area, to.seat) == seat_area(area, step.seat)

    def title_at(self, area: str, step: Step, flow: Flow) -> Sentence:
        """What the action is called on a case of `area`."""
        stays = self.at_own_desk is not None and self.stays_at(area, step, flow)
        return self.at_own_desk[0] if stays and self.at_own_desk is not None else self.title

    def target(self, outcome: str) -> str:
        """The step this action leads to when the case's outcome is `outcome`."""
        return self.routes.get(outcome, self.to)

    def why(self, code: str) -> Why | None:
        """The kind of reason `code`, or None."""
        return next((item for item in self.whys if item.code == code), None)

    @property
    def asks(self) -> bool:
        """Whether it asks for an answer to each case that a sheet can hold: an outcome or a correction."""
        told = self.needs & {Need.OUTCOME, Need.CORRECTION}
        return bool(told) and not (self.goes_back or self.applies or self.reexamines)

    @property
    def targets(self) -> frozenset[str]:
        """Every step this action can lead to."""
        return frozenset({self.to, *self.routes.values()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Something outside the flow that concerns a case, such as an answer of the record's sender.

    No step offers it: the flow's owner asks who may, and writes it with `services.happen`. Without
    `to` the case stays where it is; with it the aside can happen in the steps `within` alone, of
    which a terminal one is left again.
    """

    code: str
    title: Sentence
    to: str = ""
    within: frozenset[str] = frozenset()
    record: str = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A state of a case and whose turn it is then.

    `also` are seats whose turn it is as well. A step without actions is terminal.
    `days_parameter` names the reference parameter with the working days it may take.
    """

    code: str
    title: Sentence
    seat: Seat
    also: tuple[Seat, ...] = ()
    days_parameter: str = ""
    actions: tuple[Action, ...] = ()

    @property
    def terminal(self) -> bool:
        """Whether the case is closed here."""
        return not self.actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How cases of one kind travel; the version is stored with each case.

    `sealed` names the parts of a correction that are kept encrypted until it is carried out, and nowhere after.
    """

    kind: str
    version: int
    title: Sentence
    read_permission: str
    open_permission: str
    first: str
    steps: tuple[Step, ...]
    outcomes: tuple[Outcome, ...] = ()
    asides: tuple[Aside, ...] = ()
    sealed: frozenset[str] = frozenset()
    export_permission: str = ""  # who takes lists of such cases away; nobody without one

    def step(self, code: str) -> Step:
        """The step `code`; KeyError if the flow has none."""
        for step in self.steps:
            if step.code == code:
                return step
        raise KeyError(f"{self.kind}/{self.version} has no step {code}")

    def action(self, step: str, code: str) -> Action | None:
        """The action `code` as offered in `step`, or None."""
        return next((item for item in self.step(step).actions if item.code == code), None)

    def outcome(self, code: str) -> Outcome | None:
        """The outcome `code`, or None."""
        return next((item for item in self.outcomes if item.code == code), None)

    def aside(self, code: str) -> Aside:
        """The aside `code`; KeyError if the flow has none."""
        for aside in self.asides:
            if aside.code == code:
                return aside
        raise KeyError(f"{self.kind}/{self.version} has no aside {code}")

    @property
    def leaving(self) -> frozenset[str]:
        """The asides that take a closed case up again."""
        ends = {step.code for step in self.steps if step.terminal}
        return frozenset(aside.code for aside in self.asides if aside.to and aside.within <= ends)

    def beyond(self, step: str) -> frozenset[str]:
        """Where the asides lead from `step`."""
        return frozenset(aside.to for aside in self.asides if aside.to and step in aside.within)

    def actions(self) -> Iterator[tuple[Step, Action]]:
        """Every action with the step that offers it."""
        for step in self.steps:
            for action in step.actions:
                yield step, action


@dataclass(frozen=True, slots=True)
class Visit:
    """When somebody went to the door, and whom he met there; one visit may answer several cases.

    Both must be told before it answers one.
    """

    on: date | None
    met: str = ""

    def as_data(self) -> dict[str, str]:
        """What a case's history keeps of it."""
        return {"on": self.on.isoformat() if self.on else "", "met": self.met}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person says when acting; which parts are needed, the action declares."""

    assignee: int | None = None
    outcome: str = ""
    note: str = ""
    reason: str = ""
    until: date | None = None
    why: str = ""
    place: str = ""  # a division code
    correction: Mapping[str, object] | None = None
    checked: tuple[str, ...] = ()  # what of the tick-list was looked at
    due_on: date | None = None
    visit: Visit | None = None


class FlowInvalid(ValueError):
    """A declared flow contradicts itself; the site does not start with it."""


def problems_of(flow: Flow) -> list[str]:
    """Everything that is wrong with a declared flow, as sentences for its author."""
    codes = [step.code for step in flow.steps]
    found = [f"step {code} is declared twice" for code in sorted({c for c in codes if codes.count(c) > 1})]
    if flow.first not in codes:
        return [*found, f"the first step {flow.first} does not exist"]
    found += _action_problems(flow, set(codes))
    found += _aside_problems(flow, set(codes))
    if found:
        return found
    leads = {
        step.code: {to for action in step.actions for to in action.targets} | flow.beyond(step.code)
        for step in flow.steps
    }
    terminal = {step.code for step in flow.steps if step.terminal}
    if not terminal:
        found.append("no step ends the flow")
    reachable = _closure({flow.first}, leads)
    found += [f"step {code} cannot be reached" for code in codes if code not in reachable]
    backwards = {code: {other for other in codes if code in leads[other]} for code in codes}
    ending = _closure(terminal, backwards)
    found += [f"from step {code} no end can be reached" for code in codes if code not in ending]
    return found


def _action_problems(flow: Flow, codes: set[str]) -> Iterator[str]:
    outcomes = {item.code for item in flow.outcomes}
    for item in flow.outcomes:
        if {item.mutes is Mutes.UNTIL} != {bool(item.lasts_parameter), bool(item.lasts_at_most_parameter)}:
            yield f"outcome {item.code} lasts until a day without saying how long, or the reverse"
    actions = {action.code for _, action in flow.actions()}
    for step in flow.steps:
        if not step.terminal and not step.days_parameter:
            yield f"step {step.code} has no deadline"
        names = [action.code for action in step.actions]
        if len(set(names)) != len(names):
            yield f"step {step.code} offers an action twice"
    for step, action in flow.actions():
        unknown = {
            "leads to the step": action.targets - codes,
            "names the outcome": {
                *action.outcomes,
                *action.routes,
                *action.evidence_for,
                *action.settles,
                *action.settles.values(),
            }
            - outcomes,
            "must be apart from": action.apart_from - actions,
        }
        where = f"{step.code}/{action.code}"
        for phrase, wrong in unknown.items():
            yield from (f"{where} {phrase} {name}, which does not exist" for name in sorted(wrong))
        yield from (f"{where} {problem}" for problem in _contradictions(action))


def _aside_problems(flow: Flow, codes: set[str]) -> Iterator[str]:
    taken = {action.code for _, action in flow.actions()}
    ends = {step.code for step in flow.steps if step.terminal}
    for aside in flow.asides:
        if aside.code in taken:
            yield f"aside {aside.code} has the name of something else"
        taken.add(aside.code)
        wrong = ({aside.to} - {""} | aside.within) - codes
        yield from (f"aside {aside.code} names the step {name}, which does not exist" for name in sorted(wrong))
        if bool(aside.to) != bool(aside.within):
            yield f"aside {aside.code} leads somewhere without saying from where, or the reverse"
        if aside.within & ends and aside.within - ends:
            yield f"aside {aside.code} takes up closed cases and open ones: figures need them apart"


def _contradictions(action: Action) -> Iterator[str]:
    """What one action says against itself."""
    if not action.permission:
        yield "needs no permission"
    if (Need.OUTCOME in action.needs) != bool(action.outcomes):
        yield "needs an outcome without naming which, or the reverse"
    if (Need.WHY in action.needs) != bool(action.whys):
        yield "needs a kind of reason without naming which, or the reverse"
    if action.moves != (Need.PLACE in action.needs):
        yield "moves a case without asking where to, or the reverse"
    if action.goes_back and Need.REASON not in action.needs:
        yield "returns a case without asking for a reason"
    if action.unlooked and not action.reexamines:
        yield "closes a case unlooked without re-examining it"
    if action.bulk and action.routes:
        yield "cannot be done in bulk: it leads to several steps"
    if action.bulk and action.needs - {Need.ASSIGNEE, Need.REASON, Need.WHY}:
        yield "cannot be done in bulk: it needs an answer for each case"


def _closure(start: set[str], leads: Mapping[str, set[str]]) -> set[str]:
    seen, waiting = set(start), list(start)
    while waiting:
        for code in leads[waiting.pop()] - seen:
            seen.add(code)
            waiting.append(code)
    return seen


def common_area(codes: Iterable[str]) -> str:
    """The smallest area that holds all `codes`; empty where they share no province.

    >>> common_area(["451228100201", "451228101"]), common_area(["451228", "451229"])
    ('451228', '4512')
    """
    known = list(codes)
    return next(
        (
            known[0][:length]
            for length in AREA_LENGTHS
            if len({code[:length] for code in known}) == 1 and len(known[0]) >= length
        ),
        "",
    )


def seat_area(area: str, seat: Seat) -> str:
    """Whose desk: `area` cut to the seat's level; a wider area stays as it is.

    A case that concerns two counties waits at their common city, never at one of them.
    """
    return area[: SEAT_LENGTH[seat]]


def level_up(area: str) -> str:
    """The area one level above; the province is its own."""
    return next((area[:length] for length in AREA_LENGTHS if length < len(area)), area)
