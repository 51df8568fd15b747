"""What a correction is: what it asks for, what it would change, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from wanjia.casework.declared import Ask, AskedField
from wanjia.comparison.corrections.matter import Matter, Unusable
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import code_list
from wanjia.registry import services as registry
from wanjia.registry.choices import HEAD
from wanjia.registry.fields import FIELDS, Field, as_text
from wanjia.registry.models import Household, Membership
from wanjia.scope.viewer import Viewer

APPROVE = "registry.approve"

Said: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Why:
    """What every act a correction carries out says of itself."""

    reason: str
    case_no: int


Write: TypeAlias = Callable[[Viewer, Why], object]


@dataclass(frozen=True, slots=True)
class Planned:
    """One value that would change: whose, and what stands there before and after, as change rows write it."""

    field: Field
    before: str
    after: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a proposal comes to; `done` where the registry is so already and that is in order."""

    changes: Sequence[Planned]
    write: Write
    done: bool = False

    @property
    def changes_nothing(self) -> bool:
        return all(change.before == change.after for change in self.changes)


def nothing_to_write(_viewer: Viewer, _why: Why) -> None:
    """The registry stays as it is."""


DONE = Intent((), nothing_to_write, done=True)


@dataclass(frozen=True, slots=True)
class Kind:
    """`asks` for its parts in a language; `intends` with what was said. Raises Unusable and the registry's refusals."""

    consequence: Sentence
    asks: Callable[[Matter, str], tuple[AskedField, ...]]
    intends: Callable[[Matter, Said], Intent]


# What corrections ask for


def codes(name: str, language: str, *, but: frozenset[str] = frozenset()) -> tuple[tuple[str, str], ...]:
    """The codes of a list in use today, each with its words."""
    return tuple((code, f"{code} {label}") for code, label in code_list(name).choices(language) if code not in but)


def combined(name: str, language: str) -> tuple[tuple[str, str], ...]:
    """Everything several codes of a short list can say together, the single ones first."""
    book = code_list(name)
    listed = book.choices(language)
    alone = book.with_trait("excludes_others")
    free = [code for code, _ in listed if code not in alone]
    sets: list[tuple[str, ...]] = [(code,) for code, _ in listed]
    sets += [some for size in range(2, len(free) + 1) for some in combinations(free, size)]
    comma = ", " if language.startswith("en") else "、"
    joined = {",".join(some): comma.join(book.label(one, language) for one in some) for some in sets}
    return tuple((code, f"{code} {label}") for code, label in joined.items())


def household_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    """Which household, where the case is about several."""
    del language
    numbers = tuple((str(number), str(number)) for number in matter.households)
    if len(numbers) == 1:
        return ()
    title = Sentence("哪一户（户编号）", "Which household (number)")
    return (AskedField(name="household", title=title, kind=Ask.CHOICE, choices=numbers, on_sheet=False),)


def household_said(matter: Matter, said: Said) -> Household:
    """The household a proposal is about: the named one, or the case's own."""
    return matter.household(int(said.get("household") or matter.case.household_no or 0))


def person_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    """Whose value, where the case is about several people."""
    if len(matter.people) == 1:
        return ()
    listed = tuple((str(number), placed(matter, matter.stays[number], language)) for number in matter.people)
    title = Sentence("更正哪一人", "Whose")
    return (AskedField(name="person", title=title, kind=Ask.CHOICE, choices=listed, on_sheet=False),)


def person_said(matter: Matter, said: Said) -> int:
    """The person a proposal is about."""
    return int(said.get("person") or matter.people[0])


def placed(matter: Matter, stay: Membership, language: str) -> str:
    """Somebody with his household, and what he is there."""
    relation = code_list("relation").label(stay.relation, "en" if language.startswith("en") else "zh")
    if language.startswith("en"):
        return f"{matter.name(stay.person_no)}, household {stay.household_no}, {relation}"
    return f"{matter.name(stay.person_no)}（户 {stay.household_no}，{relation}）"


# What corrections change


def planned(row: object, name: str, new: object, who: str = "") -> Planned:
    """A new value of a row at hand; a year that has no row yet says nothing."""
    before = "" if row is None else as_text(getattr(row, name))
    return Planned(FIELDS[name], before, as_text(new), who)


def editing(matter: Matter, edits: Sequence[registry.Edit]) -> Intent:
    """Values corrected as one act."""
    changes = []
    for edit in edits:
        field = FIELDS[edit.field]
        changes.append(planned(_row(matter, field, edit), edit.field, field.parse(edit.new), _who(matter, edit)))

    def write(viewer: Viewer, why: Why) -> object:
        return registry.correct(viewer=viewer, edits=edits, reason=why.reason, case_no=why.case_no, action=APPROVE)

    return Intent(changes, write)


def _row(matter: Matter, field: Field, edit: registry.Edit) -> object:
    if field.of_household:
        return matter.household(edit.household_no or 0)
    number = edit.person_no or 0
    if field.of_year:
        return matter.year_of(number)
    return matter.stays[number] if field.name == "relation" else matter.person(number)


def _who(matter: Matter, edit: registry.Edit) -> str:
    return matter.name(edit.person_no) if edit.person_no is not None else ""


# Who is the head when a head leaves


def heads_asked(matter: Matter, leavers: Sequence[int], language: str) -> tuple[AskedField, ...]:
    """For each of these people who leads others: who leads them after him, and what the others are to that one.

    Where several might leave, only one does: nothing is needed before it is said which.
    """
    asked: list[AskedField] = []
    for leaver in leavers:
        others = matter.others(leaver)
        if not matter.leads_others(leaver):
            continue
        home = others[0].household_no
        if len(others) > 1:
            listed = tuple((str(row.person_no), placed(matter, row, language)) for row in others)
            title = Sentence(f"{matter.name(leaver)}离户后的新户主", f"Head after {matter.name(leaver)}")
            needed = len(leavers) == 1
            asked.append(
                AskedField(
                    name=f"head_{home}", title=title, kind=Ask.CHOICE, choices=listed, needed=needed, on_sheet=False
                )
            )
            asked += [_relation_asked(matter, row.person_no, language) for row in others]
    return tuple(asked)


def _relation_asked(matter: Matter, person_no: int, language: str) -> AskedField:
    name = matter.name(person_no)
    return AskedField(
        name=f"relation_{person_no}",
        title=Sentence(f"{name}与新户主的关系", f"{name}, to the new head"),
        kind=Ask.CHOICE,
        choices=codes("relation", language, but=frozenset({HEAD})),
        needed=False,
        on_sheet=False,
        help=Sentence("不填则保持原登记", "Left empty it stays as registered"),
    )


@dataclass(frozen=True, slots=True)
class Succession:
    """Who leads a household its head leaves, and the relations that change with him."""

    new_head: int | None = None
    relations: Mapping[int, str] | None = None
    changes: Sequence[Planned] = ()


def succession(matter: Matter, leaver: int, said: Said) -> Succession:
    """What is said of a head's household after him; nothing where he leads nobody. Raises Unusable."""
    if not matter.leads_others(leaver):
        return Succession()
    others = {row.person_no: row for row in matter.others(leaver)}
    home = next(iter(others.values())).household_no
    named = next(iter(others)) if len(others) == 1 else int(said.get(f"head_{home}") or 0)
    if named not in others:
        raise Unusable("户主离户，请指定新户主", "the head leaves; name who is the head after him")
    relations = {
        number: said[f"relation_{number}"] for number in others if number != named and said.get(f"relation_{number}")
    }
    news = {named: HEAD, **relations}
    changes = [planned(others[number], "relation", code, matter.name(number)) for number, code in news.items()]
    return Succession(named, relations, changes)
