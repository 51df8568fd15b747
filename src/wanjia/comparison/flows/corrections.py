"""What a true suspect changes in the registry: proposed by the village, written when the county decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from wanjia.casework.declared import CorrectionChoice
from wanjia.casework.models import Case, CaseSubject
from wanjia.comparison.choices import CORRECTIONS_FOR, Correction
from wanjia.comparison.errors import CorrectionNotPossible
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal, Sentence
from wanjia.reference.queries import code_list
from wanjia.registry import services as registry
from wanjia.registry.choices import EXITED
from wanjia.registry.fields import FIELDS, editable
from wanjia.registry.models import Household
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

CASE = system_viewer("comparison.case")
LONGEST_MEASURE = 500
LONGEST_NUMBER = 18  # digits of a number the database can hold

TITLES: Mapping[Correction, tuple[Sentence, Sentence]] = {
    Correction.REMOVE: (
        Sentence("错评清退", "Remove: wrongly identified"),
        Sentence(
            "县级同意后，该户退出在册，家庭成员状态改为“户清退时清退人员”",
            "Once the county agrees the household leaves the registry; its members get the status of removed people",
        ),
    ),
    Correction.EXIT: (
        Sentence("按正常脱贫退出", "Normal exit"),
        Sentence(
            "县级同意后，脱贫标志改为“已脱贫”，仍享受政策",
            "Once the county agrees the household is marked as exited; it keeps its entitlements",
        ),
    ),
    Correction.FIELD: (
        Sentence("更正一项登记信息", "Correct one registered value"),
        Sentence("县级同意后写入建档立卡", "Written to the registry once the county agrees"),
    ),
    Correction.MEASURE: (
        Sentence("已采取措施整改，登记信息不变", "Put right on the ground, nothing registered changes"),
        Sentence("只记录整改措施", "Only the measure is recorded"),
    ),
}  # fmt: skip


# What each correction asks for, beside the household of a case of several.
ASKED: Mapping[Correction, tuple[str, ...]] = {
    Correction.REMOVE: (),
    Correction.EXIT: ("exit_year",),
    Correction.FIELD: ("field", "new"),
    Correction.MEASURE: ("measure",),
}


def households_of(case: Case) -> list[int]:
    """The households a correction may be about, the case's own first: registered twice, either may be the wrong one."""
    rows = CaseSubject.objects.visible_to(CASE).filter(case=case)
    numbers = {number for number in rows.values_list("household_no", flat=True) if number is not None}
    first = [] if case.household_no is None else [case.household_no]
    return [*first, *sorted(numbers - set(first))]


def household_of(case: Case, proposal: Mapping[str, object]) -> Household | None:
    """The household a correction is about, whoever asks: he fetched the case with permission."""
    return Household.objects.visible_to(CASE).filter(pk=_number(case, proposal)).first()


def choices(case: Case, language: str) -> list[CorrectionChoice]:
    """The corrections that fit the verdict, the usual one first."""
    return [
        CorrectionChoice(kind.value, *TITLES[kind], fields=_fields_of(kind, case, language))
        for kind in CORRECTIONS_FOR.get(case.outcome, ())
    ]


def _fields_of(kind: Correction, case: Case, language: str) -> tuple[Any, ...]:
    which = () if kind is Correction.MEASURE else _which(case)
    return (*which, *_asked(kind, case, language))


def _which(case: Case) -> tuple[Any, ...]:
    """Which household, where the case is about several."""
    numbers = tuple((str(number), str(number)) for number in households_of(case))
    if len(numbers) == 1:
        return ()
    return (("household", Sentence("哪一户（户编号）", "Which household (number)"), numbers),)


def _asked(kind: Correction, case: Case, language: str) -> tuple[Any, ...]:
    match kind:
        case Correction.EXIT:
            years = tuple((str(year), str(year)) for year in _exit_years(case, {}))
            return (("exit_year", Sentence("脱贫年度", "Year of exit"), years),)
        case Correction.FIELD:
            names = tuple((name, FIELDS[name].title.text(language)) for name in correctable())
            return (
                ("field", Sentence("登记项目", "Registered value"), names),
                ("new", Sentence("更正为（代码或内容）", "New value (code or text)"), ()),
            )
        case Correction.MEASURE:
            return (("measure", Sentence("整改措施", "What was done"), ()),)
        case Correction.REMOVE:
            return ()
        case _:
            assert_never(kind)


def correctable() -> list[str]:
    """Household values a suspect may correct. Protected ones are corrected on the household's page only."""
    return [name for name, field in FIELDS.items() if field.editable and field.of_household and not field.protected]


def _exit_years(case: Case, proposal: Mapping[str, object]) -> range:
    household = household_of(case, proposal)
    this_year = clock.today().year
    first = household.identified_year if household is not None else this_year
    return range(this_year, max(first, this_year - 4) - 1, -1)


def check(case: Case, proposal: Mapping[str, object]) -> None:
    """Refuse a proposal the county could not carry out. Raises CorrectionNotPossible."""
    try:
        kind = Correction(str(proposal.get("change", "")))
    except ValueError:
        raise _refused(case, Sentence("没有选择整改方式", "no correction was chosen")) from None
    if kind not in CORRECTIONS_FOR.get(case.outcome, ()):
        raise _refused(case, Sentence("与核查结果不相符", "it does not fit the verdict"))
    _check_extent(case, kind, proposal)
    match kind:
        case Correction.EXIT:
            if str(proposal.get("exit_year", "")) not in {str(year) for year in _exit_years(case, proposal)}:
                raise _refused(case, Sentence("脱贫年度不可用", "the year of exit cannot be used"))
        case Correction.FIELD:
            _check_field(case, proposal)
        case Correction.MEASURE:
            measure = str(proposal.get("measure", "")).strip()
            if not measure or len(measure) > LONGEST_MEASURE:
                raise _refused(
                    case, Sentence("请写明整改措施（500 字以内）", "say what was done, in at most 500 characters")
                )
        case Correction.REMOVE:
            pass


def _check_extent(case: Case, kind: Correction, proposal: Mapping[str, object]) -> None:
    if proposal.keys() - {"change", "household", *ASKED[kind]}:
        raise _refused(case, Sentence("含有这种整改没有的内容", "it says more than this correction asks"))
    if "household" in proposal and _number(case, proposal) not in households_of(case):
        raise _refused(case, Sentence("不是本件所涉的户", "it is not a household of this case"))


def _check_field(case: Case, proposal: Mapping[str, object]) -> None:
    name = str(proposal.get("field", ""))
    if name not in correctable():
        raise _refused(case, Sentence("这一项不能在核查件中更正", "this value cannot be corrected through a case"))
    try:
        editable(name).parse(proposal.get("new", ""))
    except Refusal as refusal:
        raise _refused(case, Sentence(refusal.sentences("zh")[0], refusal.sentences("en")[0])) from refusal


def _refused(case: Case, problem: Sentence) -> CorrectionNotPossible:
    return CorrectionNotPossible(case_no=case.case_no, problem=problem)


def apply(viewer: Viewer, case: Case) -> dict[str, object]:
    """Write the proposed correction to the registry, in the transaction of the county's decision.

    Two suspects of one household may both end in its removal or exit: the second finds it done.
    """
    proposal = case.proposal
    if not proposal or case.household_no is None:
        return {}
    return WRITES[Correction(str(proposal["change"]))](viewer, case, proposal)


def _remove(viewer: Viewer, case: Case, proposal: Mapping[str, Any]) -> dict[str, object]:
    household = household_of(case, proposal)
    if household is not None and not household.is_live:
        return {"already": "T5"}
    number = _number(case, proposal)
    registry.remove_household(viewer=viewer, household_no=number, reason=_reason(case), case_no=case.case_no)
    return {"applied": "T5"}


def _exit(viewer: Viewer, case: Case, proposal: Mapping[str, Any]) -> dict[str, object]:
    household = household_of(case, proposal)
    if household is not None and household.poverty_status == EXITED:
        return {"already": "T3"}
    year = int(str(proposal["exit_year"]))
    registry.exit_normally(
        viewer=viewer, household_no=_number(case, proposal), exit_year=year, reason=_reason(case), case_no=case.case_no
    )
    return {"applied": "T3", "exit_year": year}


def _correct(viewer: Viewer, case: Case, proposal: Mapping[str, Any]) -> dict[str, object]:
    edit = registry.Edit(str(proposal["field"]), proposal["new"], household_no=_number(case, proposal))
    registry.correct(viewer=viewer, edits=[edit], reason=_reason(case), case_no=case.case_no, action="registry.approve")
    return {"applied": "field", "field": edit.field}


def _measure(viewer: Viewer, case: Case, proposal: Mapping[str, Any]) -> dict[str, object]:
    del viewer, case, proposal  # it stands in the history; the registry says nothing of it
    return {"applied": "measure"}


WRITES: Mapping[Correction, Callable[[Viewer, Case, Mapping[str, Any]], dict[str, object]]] = {
    Correction.REMOVE: _remove,
    Correction.EXIT: _exit,
    Correction.FIELD: _correct,
    Correction.MEASURE: _measure,
}


def _number(case: Case, proposal: Mapping[str, object]) -> int:
    """The household a proposal names, or the case's own; 0 is nobody's number."""
    named = str(proposal.get("household", ""))
    if named:
        return int(named) if named.isascii() and named.isdigit() and len(named) <= LONGEST_NUMBER else 0
    return case.household_no or 0


def _reason(case: Case) -> str:
    outcome = case.flow.outcome(case.outcome)
    title = outcome.title.zh if outcome is not None else ""
    return f"疑似问题核查 {case.case_no}（{case.topic}）：{title}"


def in_words(case: Case, language: str) -> str:
    """What deciding as proposed will do, in one sentence; empty without a proposal."""
    proposal = case.proposal
    if not proposal:
        return ""
    kind = Correction(str(proposal["change"]))
    title, consequence = (sentence.text(language) for sentence in TITLES[kind])
    detail = f" {proposal['household']}" if proposal.get("household") else ""
    if kind is Correction.EXIT:
        detail += f" {proposal['exit_year']}"
    elif kind is Correction.FIELD:
        detail += _field_in_words(proposal, language)
    elif kind is Correction.MEASURE:
        detail = f" {proposal['measure']}"
    return f"{title}{detail} — {consequence}" if language.startswith("en") else f"{title}{detail}。{consequence}。"


def _field_in_words(proposal: Mapping[str, object], language: str) -> str:
    field = FIELDS[str(proposal["field"])]
    new = str(proposal["new"])
    if field.code_list:
        book = code_list(field.code_list)
        new = "、".join(
            f"{book.label(code, 'en' if language.startswith('en') else 'zh')}({code})" for code in new.split(",")
        )
    return f" {field.title.text(language)} → {new}"
