"""What casework asks of the slice that owns suspects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from wanjia.audit.services import JSON
from wanjia.casework.choices import Bar
from wanjia.casework.declared import Brief, CorrectionChoice, Description, Reexamined
from wanjia.casework.models import Case
from wanjia.casework.rules import Action, Answer
from wanjia.comparison import again, corrections, describing
from wanjia.comparison.feedback import services as feedback
from wanjia.comparison.feedback import telling
from wanjia.comparison.flows import guards
from wanjia.kernel import clock
from wanjia.registry.models import Household
from wanjia.scope.viewer import Viewer

VILLAGE = 12  # digits


class SuspectCallbacks:
    """Answers for cases of kind `suspect`. `origin` holds run, rule, person and finding numbers."""

    def describe(self, case: Case, viewer: Viewer, language: str) -> Description:
        """The question in plain words, the registry beside the department's record, what to check."""
        found = [
            describing.described(finding, rule, viewer, language) for finding, rule in describing.behind(case.origin)
        ]
        if not found:
            return _without_record(case, viewer, language)
        first, told = found[0], telling.about(case, viewer, language)
        several = _("同一人有 %(n)s 条记录。") % {"n": len(found)} if len(found) > 1 else ""
        return Description(
            question=first.question,
            explanation=several + "".join(item.explanation for item in found),
            ours_title=_("建档立卡"),
            theirs_title=first.theirs_title,
            facts=tuple(fact for item in found for fact in item.facts),
            checks=describing.combined_checks(found),
            links=(*_links(case, viewer, several=any(item.paired for item in found)), *told.links),
            **_change(case, viewer, language),
            warnings=(
                *told.warnings,
                *_asked_before(case, language),
                *(() if first.live else (_("该户已不在册，核实时请注意。"),)),
            ),
        )

    def headlines(self, cases: Sequence[Case], viewer: Viewer, language: str) -> Mapping[int, str]:
        """The rule and the masked name, for lists."""
        del viewer  # lists mask for everybody
        origins = [case.origin for case in cases]
        titles = describing.rules_by_run(origin["run"] for origin in origins if "run" in origin)
        names = describing.masked_names(origin["person_no"] for origin in origins if "person_no" in origin)
        found = {}
        for case in cases:
            rule = titles.get(case.origin.get("run"), {}).get(case.origin.get("rule", case.topic))
            title = rule.title.text(language) if rule is not None else case.topic
            found[case.case_no] = f"{names.get(case.origin.get('person_no'), '')} {title}".strip()
        return found

    def topics(self, language: str) -> Mapping[str, str]:
        """The rules of the newest comparison."""
        return describing.rule_titles(language)

    def department(self, code: str, language: str) -> str:
        """Whose records were compared."""
        return describing.department_title(code, language)

    def briefs(self, cases: Sequence[Case], language: str, viewer: Viewer | None = None) -> Mapping[int, Brief]:
        """The name, the rule's sentence over the department's record, the rule's checks."""
        return describing.briefs(cases, language, viewer)

    def barred(
        self, user_ids: Collection[int], actions: Collection[Action], cases: Sequence[Case]
    ) -> Mapping[str, Mapping[tuple[int, int], Bar]]:
        """Who entered the data, is of the household, or approves about his own pairing."""
        return guards.barred(user_ids, [action.code for action in actions], cases)

    def remarks(self, user_ids: Collection[int], case: Case, language: str) -> Mapping[int, str]:
        """The household's contact knows the way to the door."""
        del language  # gettext follows the reader
        if case.household_no is None:
            return {}
        return {user_id: _("该户帮扶联系人") for user_id, _no in guards.contacts(user_ids, [case.household_no])}

    def responsible(self, user_ids: Collection[int], cases: Sequence[Case]) -> Collection[tuple[int, int]]:
        """The contacts of the households the cases are about."""
        households = {case.household_no for case in cases if case.household_no is not None}
        paired = guards.contacts(user_ids, households)
        of_household: dict[int, set[int]] = {}
        for user_id, number in paired:
            of_household.setdefault(number, set()).add(user_id)
        return {(user_id, case.case_no) for case in cases for user_id in of_household.get(case.household_no or 0, ())}

    def corrections(self, case: Case, language: str) -> Sequence[CorrectionChoice]:
        """The corrections that fit the verdict."""
        return corrections.choices(case, language)

    def usual_corrections(self, cases: Sequence[Case], language: str) -> Sequence[CorrectionChoice]:
        """The corrections the rules of these cases offer, apart from whom each is about."""
        return corrections.usual_choices(cases, language)

    def check(self, case: Case, action: Action, answer: Answer) -> None:
        """A correction must be one the county can carry out. Raises CorrectionNotPossible."""
        if action.code == "correct" and answer.correction is not None:
            corrections.check(case, answer.correction)

    def reexamine(self, cases: Sequence[Case]) -> Mapping[int, Reexamined]:
        """The rule, run again for these people over the registry and the records as they are now."""
        return again.reexamine(cases)

    def apply(self, *, viewer: Viewer, case: Case, action: Action) -> Mapping[str, object]:
        """Write the correction to the registry as the county decides, and keep the department's feedback in step."""
        if action.code == "stand_by":
            return feedback.stand_by(viewer, case)
        if action.goes_back:
            return feedback.lift(viewer, case)
        return corrections.apply(viewer, case) | feedback.give(viewer, [case]).get(case.case_no, {})

    def apply_together(
        self, *, viewer: Viewer, cases: Sequence[Case], action: Action
    ) -> Mapping[int, Mapping[str, JSON]]:
        """Nothing is written to the registry for many cases at once; departments are told all the same."""
        return feedback.give(viewer, cases) if action.code == "decide" else {}


def _without_record(case: Case, viewer: Viewer, language: str) -> Description:
    """A case whose findings are not, or no longer, kept here: it can still be answered, and says what is missing."""
    told = telling.about(case, viewer, language)
    return Description(
        question=_("疑似问题 %(topic)s，请核实。") % {"topic": case.topic},
        links=(*_links(case, viewer), *told.links),
        **_change(case, viewer, language),
        warnings=(*told.warnings, _("部门记录未保存或已清理，请向派发单位索取。")),
    )


def _asked_before(case: Case, language: str) -> Iterator[str]:
    """The answer to the case before this one, which the record has outrun."""
    number = case.origin.get("earlier")
    rows = Case.objects.visible_to(describing.BEHIND_A_CASE)
    earlier = None if number is None else rows.filter(pk=number).first()
    if earlier is None or earlier.closed_at is None:
        return
    outcome = earlier.flow.outcome(earlier.outcome)
    yield _("同一疑点曾于 %(day)s 办结（核查件 %(no)s，%(outcome)s）；此后部门记录有变化，或原结论已过有效期。") % {
        "day": clock.day_of(earlier.closed_at).isoformat(),
        "no": earlier.case_no,
        "outcome": outcome.title.text(language) if outcome else "—",
    }


def _change(case: Case, viewer: Viewer, language: str) -> dict[str, Any]:
    """What was proposed, and value by value what becomes of it."""
    told = corrections.told(case, viewer, language)
    return {"change": told.sentence, "changes": told.values, "changed": told.decided}


def _links(case: Case, viewer: Viewer, *, several: bool = False) -> tuple[tuple[str, str], ...]:
    """The households of the case this reader may open: a department reads cases, not the registry."""
    if not viewer.may("registry.read"):
        return ()
    if not several and len(case.area_code) == VILLAGE:  # it lies where its household is
        return _addresses(case, [case.household_no]) if viewer.may("registry.read", case.area_code) else ()
    numbers = corrections.Matter(case).households
    open_to = set(Household.objects.visible_to(viewer).filter(pk__in=numbers).values_list("household_no", flat=True))
    return _addresses(case, [number for number in numbers if number in open_to])


def _addresses(case: Case, numbers: Sequence[int | None]) -> tuple[tuple[str, str], ...]:
    words = _("打开该户"), _("打开另一户 %(no)s")
    try:
        return tuple(
            (words[number != case.household_no] % {"no": number}, reverse("registry:household", args=[number]))
            for number in numbers
        )
    except NoReverseMatch:
        return ()
