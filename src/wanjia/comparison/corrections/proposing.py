"""A proposal: what may be chosen, whether it can be carried out, what it says in words, carrying it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from wanjia.casework.declared import Ask, AskedField, CorrectionChoice
from wanjia.casework.models import Case
from wanjia.comparison.choices import ALWAYS_OFFERED, CORRECTIONS, FITS, Correction
from wanjia.comparison.corrections.kind import Intent, Planned, Why
from wanjia.comparison.corrections.kinds import KINDS
from wanjia.comparison.corrections.matter import Anybody, Matter, Unusable, offers_of
from wanjia.comparison.errors import CorrectionNotPossible
from wanjia.kernel import clock
from wanjia.kernel.errors import Language, Refusal, Sentence
from wanjia.reference.queries import code_list
from wanjia.registry import queries as registry
from wanjia.registry.errors import ValueNotAccepted
from wanjia.scope.viewer import Viewer

LONGEST = 500
TOLD = ("exit_year", "identified_year", "field")  # what the history keeps: nothing sealed, no free text
LEAVING = frozenset({Correction.DIED, Correction.LEFT, Correction.STRUCK, Correction.KEEP})
PENDING = frozenset({"corrected", "town_reviewed"})  # proposed, and not decided yet


def choices(case: Case, language: str) -> list[CorrectionChoice]:
    """The corrections the case's rule offers for its verdict, the usual one first."""
    matter = Matter(case)
    return [
        CorrectionChoice(kind.value, _title(kind), KINDS[kind].consequence, KINDS[kind].asks(matter, language))
        for kind in _fitting(matter)
    ]


def usual_choices(cases: Sequence[Case], language: str) -> list[CorrectionChoice]:
    """The corrections offered for some of these cases, as they are where nothing special is the matter."""
    offered = offers_of(cases)
    seen = dict.fromkeys(kind for case in cases for kind in _listed(offered[case.case_no], case.outcome))
    anybody = Anybody()
    return [
        CorrectionChoice(kind.value, _title(kind), KINDS[kind].consequence, KINDS[kind].asks(anybody, language))
        for kind in seen
    ]


def _fitting(matter: Matter) -> list[Correction]:
    """What the rule offers and the list has today, for the verdict."""
    return _listed(matter.offered, matter.case.outcome)


def _listed(offered: Sequence[str], outcome: str) -> list[Correction]:
    """Those of the offered that are in the list today and fit; where none does, what the verdict itself means."""
    book = code_list(CORRECTIONS)
    known = {code for code, _ in book.choices()} & {kind.value for kind in KINDS}
    fitting = {code for code in known if outcome in (book.trait(code, FITS) or ())}
    return [Correction(code) for code in offered if code in fitting] or [
        code for code in ALWAYS_OFFERED if code in fitting
    ]


def _title(kind: Correction) -> Sentence:
    book = code_list(CORRECTIONS)
    return Sentence(book.label(kind.value, "zh"), book.label(kind.value, "en"))


def check(case: Case, proposal: Mapping[str, object]) -> None:
    """Refuse a proposal the county could not carry out. Raises CorrectionNotPossible."""
    try:
        _require_possible(Matter(case), proposal)
    except Unusable as problem:
        raise CorrectionNotPossible(case_no=case.case_no, problem=problem.problem) from problem
    except Refusal as refusal:
        raise CorrectionNotPossible(case_no=case.case_no, problem=_problem(refusal)) from refusal


def _require_possible(matter: Matter, proposal: Mapping[str, object]) -> None:
    kind = _kind_of(proposal)
    if kind not in _fitting(matter):
        raise Unusable("这条规则按此核查结果没有这种整改方式", "its rule offers no such correction for this verdict")
    intent = KINDS[kind].intends(matter, _said(kind, matter, proposal))
    if intent.changes_nothing and not intent.done:
        raise Unusable("与现有登记相同，没有可更正的内容", "the registry says so already, nothing would change")


def _kind_of(proposal: Mapping[str, object]) -> Correction:
    try:
        return Correction(str(proposal.get("change", "")))
    except ValueError:
        raise Unusable("没有选择整改方式", "no correction was chosen") from None


def _said(kind: Correction, matter: Matter, proposal: Mapping[str, object]) -> dict[str, str]:
    """The parts of a proposal as texts, each of a form it can have. Raises Unusable."""
    asked = {part.name: part for part in KINDS[kind].asks(matter, "zh")}
    if proposal.keys() - {"change"} - asked.keys():
        raise Unusable("含有这种整改没有的内容", "it says more than this correction asks")
    said = {name: str(proposal.get(name) or "").strip() for name in asked}
    for name, part in asked.items():
        _require(part, said[name])
    return said


def _require(part: AskedField, value: str) -> None:
    if not value:
        if part.needed:
            raise Unusable(f"没有填写“{part.title.zh}”", f"“{part.title.en}” is empty")
        return
    if len(value) > LONGEST or not value.isprintable():
        raise Unusable(f"“{part.title.zh}”过长或含有控制字符", f"“{part.title.en}” is too long or unprintable")
    if part.kind is Ask.CHOICE and value not in dict(part.choices):
        raise Unusable(f"“{part.title.zh}”没有这个选项", f"“{part.title.en}” has no such choice")
    if part.kind is Ask.DAY:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise Unusable(
                f"“{part.title.zh}”须写成 2020-11-16", f"“{part.title.en}” is written as 2020-11-16"
            ) from None
        if day > clock.today():
            raise Unusable(f"“{part.title.zh}”在今天以后", f"“{part.title.en}” lies in the future")


def _problem(refusal: Refusal) -> Sentence:
    """A refusal of the registry as the reason of ours."""
    if isinstance(refusal, ValueNotAccepted):
        field, problem = refusal.values["field"], refusal.values["problem"]
        assert isinstance(field, Sentence)  # noqa: S101 - its fields name themselves so
        assert isinstance(problem, Sentence)  # noqa: S101 - as above
        return Sentence(f"“{field.zh}”{problem.zh}", f"{field.en}: {problem.en}")
    zh, en = (refusal.sentences(language)[0] for language in ("zh", "en"))
    return Sentence(zh.partition("，没有任何内容被改动")[0], en.partition("; nothing was")[0])


def apply(viewer: Viewer, case: Case) -> dict[str, object]:
    """Write the proposed correction to the registry, in the transaction of the county's decision.

    Two suspects may end in the same change, or one may remove the household another is about: the
    second then finds it done, which the history says. Raises the registry's refusals.
    """
    proposal = case.proposed
    if not proposal or case.household_no is None:
        return {}
    kind, matter = Correction(str(proposal["change"])), Matter(case)
    try:
        intent = KINDS[kind].intends(matter, _texts(proposal))
    except Unusable as problem:
        if _is_moot(kind, matter, proposal):
            return {"already": kind.value}
        raise CorrectionNotPossible(case_no=case.case_no, problem=problem.problem) from problem
    if kind is not Correction.MEASURE and intent.changes_nothing:
        return {"already": kind.value}
    intent.write(viewer, Why(_reason(case), case.case_no))
    return {"applied": kind.value, **{name: proposal[name] for name in TOLD if name in proposal}}


def _texts(proposal: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value or "").strip() for name, value in proposal.items() if name != "change"}


def _is_moot(kind: Correction, matter: Matter, proposal: Mapping[str, Any]) -> bool:
    """Whether somebody else's decision did it, or took the household out of the registry."""
    number = int(proposal.get("household") or proposal.get("person") or 0)
    home = number if "household" in proposal else None
    if home is None and matter.people:
        stay = matter.stays.get(number or matter.people[0])
        home = None if stay is None else stay.household_no
    if home is not None and not matter.household(home).is_live:
        return True
    return kind in LEAVING and any(not stay.in_household for stay in matter.stays.values())


def _reason(case: Case) -> str:
    outcome = case.flow.outcome(case.outcome)
    title = outcome.title.zh if outcome is not None else ""
    return f"疑似问题核查 {case.case_no}（{case.topic}）：{title}"


@dataclass(frozen=True, slots=True)
class Told:
    """What deciding as proposed will do, or did: in one sentence, and value by value for who reads the registry."""

    sentence: str = ""
    values: tuple[str, ...] = ()
    decided: bool = False


def told(case: Case, viewer: Viewer, language: str) -> Told:
    """The case's proposal in words; nothing where there is none."""
    proposal = case.proposed
    if not proposal:
        return Told()
    lang: Language = "en" if language.startswith("en") else "zh"
    kind = Correction(str(proposal["change"]))
    title, consequence = _title(kind).text(lang), KINDS[kind].consequence.text(lang)
    sentence = f"{title} — {consequence}" if lang == "en" else f"{title}。{consequence}。"
    if case.step not in PENDING:
        done = (str(proposal["measure"]),) if kind is Correction.MEASURE else ()
        return Told(title, (*done, *registry.changes_by_case(viewer, case.case_no, lang)), decided=True)
    if not viewer.may("registry.read", case.area_code):
        return Told(sentence)
    return Told(sentence, tuple(_becomes(case, kind, proposal, lang)))


def _becomes(case: Case, kind: Correction, proposal: Mapping[str, Any], language: Language) -> Iterator[str]:
    """Each value a proposal would change, before and after, or why it cannot be carried out as things stand."""
    if kind is Correction.MEASURE:
        yield str(proposal["measure"])
    try:
        yield from _lines(KINDS[kind].intends(Matter(case), _texts(proposal)), language)
    except Unusable as problem:
        yield problem.problem.text(language)
    except Refusal as refusal:
        yield _problem(refusal).text(language)


def _lines(intent: Intent, language: Language) -> Iterator[str]:
    for change in intent.changes:
        if change.before != change.after:
            yield _line(change, language)


def _line(change: Planned, language: Language) -> str:
    before, after = (registry.words_for(change.field, text, language) for text in (change.before, change.after))
    return registry.changed_in_words(change.field, before, after, language, who=change.who)
