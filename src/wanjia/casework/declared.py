"""The flows other slices declare, found when the site starts, and what casework asks of them.

Casework knows no word of the matters it carries. A slice that owns a kind of case offers
`flows.py` with `FLOWS = [Offered(flow, callbacks), …]`; every question casework cannot answer
itself (what is this about, who is a relative, what does the verdict change) goes to the
callbacks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from wanjia.audit import acts
from wanjia.casework.rules import Action, Answer, Flow, FlowInvalid, problems_of
from wanjia.kernel.errors import Sentence

if TYPE_CHECKING:
    from wanjia.audit.services import JSON
    from wanjia.casework.choices import Bar
    from wanjia.casework.models import Case
    from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the two records side by side; `differs` marks what to look at."""

    label: str
    ours: str
    theirs: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """What a case page shows above the answers.

    `change` says in one sentence what the proposed correction will do to the registry, `changes`
    each value before and after; `changed` that it has been decided.
    """

    question: str
    explanation: str = ""
    ours_title: str = ""
    theirs_title: str = ""
    facts: tuple[Fact, ...] = ()
    checks: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()  # (text, address)
    change: str = ""
    changes: tuple[str, ...] = ()
    changed: bool = False
    warnings: tuple[str, ...] = ()


class Ask(StrEnum):
    """How a part of a correction is typed."""

    TEXT = "text"
    CHOICE = "choice"  # one of the choices, by code
    DAY = "day"  # not after today
    SEALED = "sealed"  # kept encrypted; typed on the page only


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedField:
    """One part of a correction: its name in the proposal, its words, how it is typed.

    `choices` are codes with their words; `usual` what stands there at first; `needed` is off where
    it may stay empty. What only fits a single case is not `on_sheet`.
    """

    name: str
    title: Sentence
    kind: Ask = Ask.TEXT
    choices: tuple[tuple[str, str], ...] = ()
    usual: str = ""
    needed: bool = True
    on_sheet: bool = True
    help: Sentence | None = None


@dataclass(frozen=True, slots=True)
class CorrectionChoice:
    """A change the corrector may propose: a code, its words, and the fields it asks for."""

    code: str
    title: Sentence
    consequence: Sentence
    fields: tuple[AskedField, ...] = ()

    @property
    def on_sheet(self) -> bool:
        """Whether a row of a sheet holds all it asks for."""
        return all(asked.on_sheet for asked in self.fields)


@dataclass(frozen=True, slots=True)
class Reexamined:
    """Whether what is known today would open the case again.

    `again` is None where nobody can tell, and `told` says why. `contradicts` marks a case whose
    outcome says that the matter was put right although it would be opened again. `facts` stay
    with the act.
    """

    again: bool | None
    told: Sentence
    contradicts: bool = False
    facts: Mapping[str, JSON] = field(default_factory=dict)

    def as_data(self) -> dict[str, JSON]:
        """What the case's history keeps: the answer in both languages, and what it rests on."""
        return {"again": self.again, "zh": self.told.zh, "en": self.told.en, **self.facts}


@dataclass(frozen=True, slots=True)
class Brief:
    """A case in the few words a sheet or a printed page has room for."""

    person: str
    suspected: str
    checks: tuple[str, ...] = ()
    village: str = ""  # the household's own, wherever the case lies
    hamlet: str = ""  # within the village
    elsewhere: tuple[str, ...] = ()  # the other household of a case of two, with its address


class FlowCallbacks(Protocol):
    """What the slice that owns a kind of case must be able to answer."""

    def describe(self, case: Case, viewer: Viewer, language: str) -> Description:
        """The question in plain words, both records, what to check."""
        ...

    def headlines(self, cases: Sequence[Case], viewer: Viewer, language: str) -> Mapping[int, str]:
        """One line per case for lists, by case number, masked for this viewer."""
        ...

    def topics(self, language: str) -> Mapping[str, str]:
        """What each topic is called, as far as that is known today."""
        ...

    def department(self, code: str, language: str) -> str:
        """What a department is called; the code itself where nobody knows."""
        ...

    def briefs(self, cases: Sequence[Case], language: str, viewer: Viewer | None = None) -> Mapping[int, Brief]:
        """Whom each case is about, what is suspected in one sentence, what to check; set-based.

        Names are masked, for a `viewer` as far as he may read them.
        """
        ...

    def barred(
        self, user_ids: Collection[int], actions: Collection[Action], cases: Sequence[Case]
    ) -> Mapping[str, Mapping[tuple[int, int], Bar]]:
        """By code of the action: (user, case number) → why this person may not act, set-based; others are free."""
        ...

    def remarks(self, user_ids: Collection[int], case: Case, language: str) -> Mapping[int, str]:
        """What speaks for giving the case to one of these people (he is the household's contact)."""
        ...

    def responsible(self, user_ids: Collection[int], cases: Sequence[Case]) -> Collection[tuple[int, int]]:
        """(user, case number) for whom among these people looks after what the case is about, set-based."""
        ...

    def corrections(self, case: Case, language: str) -> Sequence[CorrectionChoice]:
        """Which changes may be proposed for this case."""
        ...

    def usual_corrections(self, cases: Sequence[Case], language: str) -> Sequence[CorrectionChoice]:
        """What may be proposed for some of these cases, as a sheet of all of them lists it; set-based."""
        ...

    def check(self, case: Case, action: Action, answer: Answer) -> None:
        """Refuse an answer that cannot be carried out later; raises a Refusal."""
        ...

    def reexamine(self, cases: Sequence[Case]) -> Mapping[int, Reexamined]:
        """By case number: would the case be opened again today? Asked before an action that `reexamines`."""
        ...

    def apply(self, *, viewer: Viewer, case: Case, action: Action) -> Mapping[str, object]:
        """Carry out what the verdict changes, in the running transaction; facts for the history."""
        ...

    def apply_together(
        self, *, viewer: Viewer, cases: Sequence[Case], action: Action
    ) -> Mapping[int, Mapping[str, JSON]]:
        """As `apply`, set-based, for cases without a proposal; facts by case number."""
        ...


@dataclass(frozen=True, slots=True)
class Offered:
    """A flow with the callbacks of the slice that owns it."""

    flow: Flow
    callbacks: FlowCallbacks


# What the platform itself does to a case, told like the actions of a flow.
OWN_ACTS = {
    "open": Sentence("立件", "Opened"),
    "warn": Sentence("临期提醒", "Deadline near"),
    "raise": Sentence("逾期，报上一级", "Overdue, raised one level"),
}

_offered: dict[tuple[str, int], Offered] = {}


def register(offered: Offered) -> None:
    """Admit a flow. Raises FlowInvalid with everything that is wrong with it."""
    flow = offered.flow
    problems = problems_of(flow)
    if problems:
        raise FlowInvalid(f"flow {flow.kind}/{flow.version}: " + "; ".join(problems))
    if _offered.get((flow.kind, flow.version), offered) != offered:
        raise FlowInvalid(f"flow {flow.kind}/{flow.version} is declared twice")
    _offered[flow.kind, flow.version] = offered
    acts.register(_acts_of(flow))


def _acts_of(flow: Flow) -> list[acts.Act]:
    """How the audit tells each act of this flow."""
    titles = titles_of(flow)
    return [
        acts.Act(
            f"{flow.kind}.{code}",
            Sentence(f"{flow.title.zh}：{title.zh}（{{count}} 件）", f"{flow.title.en}: {title.en} ({{count}})"),
        )
        for code, title in sorted(titles.items())
        if not acts.known(f"{flow.kind}.{code}")  # an older version's sentence stays
    ]


def titles_of(flow: Flow) -> dict[str, Sentence]:
    """What an act on a case of this flow is called, by its code."""
    return (
        OWN_ACTS
        | {action.code: action.title for _, action in flow.actions()}
        | {aside.code: aside.title for aside in flow.asides}
    )


def withdraw(flow: Flow) -> None:
    """Forget a flow; for tests that declare one of their own."""
    _offered.pop((flow.kind, flow.version), None)


def offered_for(kind: str, version: int) -> Offered:
    """The flow a case was opened under, with its callbacks."""
    return _offered[kind, version]


def newest(kind: str) -> Offered:
    """The version new cases of `kind` are opened under."""
    return _offered[max(key for key in _offered if key[0] == kind)]


def flows() -> tuple[Flow, ...]:
    """Every flow declared, all versions, in a fixed order."""
    return tuple(_offered[key].flow for key in sorted(_offered))


def deciding() -> frozenset[str]:
    """The codes of the actions by which a case is decided: those whose effect is carried out."""
    return frozenset(action.code for flow in flows() for _, action in flow.actions() if action.applies)


def topics_in_words(topics: Iterable[str], language: str) -> list[tuple[str, str]]:
    """Topics with their words behind the code, as a choice lists them."""
    titles: dict[str, str] = {}
    for kind in kinds():
        titles |= newest(kind).callbacks.topics(language)
    return [(code, f"{code} {titles[code]}" if code in titles else code) for code in topics]


def department_in_words(code: str, language: str) -> str:
    """What the slices that own cases call a department."""
    named = (newest(kind).callbacks.department(code, language) for kind in kinds())
    return next((name for name in named if name != code), code)


def kinds() -> tuple[str, ...]:
    """The kinds of case there are."""
    return tuple(sorted({kind for kind, _ in _offered}))
