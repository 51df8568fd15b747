"""A finding in words: the question, both records side by side, what to check. For the list and the case page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from wanjia.casework.declared import Brief, Fact
from wanjia.casework.models import Case
from wanjia.comparison import queries
from wanjia.comparison.documents import RunRule, ShownAs
from wanjia.comparison.inputs import snapshot_address
from wanjia.comparison.models import Run
from wanjia.comparison.queries import Finding
from wanjia.divisions.queries import full_name, known_name
from wanjia.kernel.money import yuan
from wanjia.lake import NotPublished
from wanjia.protection.masking import mask_name, without_key
from wanjia.reference.queries import code_list, label_of
from wanjia.registry.models import Household, Person
from wanjia.registry.queries import earlier_name
from wanjia.ruleset.rule import Shape
from wanjia.ruleset.vocabulary import OTHER, REGISTRY, registry_columns
from wanjia.scope.errors import NotVisible
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources.contracts import departments

ITSELF = REGISTRY.partition(".")[0]  # stands where a department would, for rules over the registry alone
ABSENT = Shape.ABSENT.value
BEHIND_A_CASE = system_viewer("comparison.case")


@dataclass(frozen=True, slots=True)
class Described:
    """A finding as its reader meets it."""

    question: str
    explanation: str
    facts: tuple[Fact, ...]
    checks: tuple[str, ...]
    source: str  # which line of which delivery says so
    rule: RunRule
    live: bool
    paired: bool  # whether it holds two entries of the registry against each other
    theirs_title: str  # whose records stand beside the registry's own


def described(finding: Finding, rule: RunRule, viewer: Viewer, language: str) -> Described:
    """The finding for somebody who may see it, in his language; the name as far as he may read it."""
    sides = Sides.of(finding)
    names, read = _names_for(viewer, [finding.person_no])
    in_full = finding.person_no in read
    name = _called(finding, rule, names.get(finding.person_no, ""), in_full=in_full)
    texts = _texts(finding, rule, language, in_full=in_full)
    question = _("%(name)s 疑似“%(rule)s”，请核实。") % {"name": name, "rule": rule.title.text(language)}
    return Described(
        question=question,
        explanation=rule.explain(texts, language),
        facts=tuple(_facts(rule, texts, sides, name, language)),
        checks=tuple(item.text(language) for item in rule.check),
        source=_source(finding, rule, language),
        rule=rule,
        live=sides.own is not None and sides.own.is_live,
        paired=sides.paired and rule.dataset == REGISTRY,
        theirs_title=_("建档立卡（另一户）") if sides.paired and rule.dataset == REGISTRY else _("部门记录"),
    )


@dataclass(frozen=True, slots=True)
class Sides:
    """The household a finding is about and, where it holds two against each other, the other one."""

    own: Household | None
    other: Household | None
    paired: bool

    @classmethod
    def of(cls, finding: Finding) -> Sides:
        number = finding.evidence.get("other_household_no")
        numbers = [finding.household_no, *([] if number is None else [int(number)])]
        rows = {row.pk: row for row in Household.objects.visible_to(BEHIND_A_CASE).filter(pk__in=numbers)}
        return cls(
            rows.get(finding.household_no), rows.get(numbers[-1]) if len(numbers) > 1 else None, number is not None
        )


def _called(finding: Finding, rule: RunRule, name: str, *, in_full: bool) -> str:
    """The registered name; where the finding is about names and it was another then, that one beside it."""
    if not rule.of_names:
        return name
    at = _compared_at(finding.run_id)
    then = "" if at is None else earlier_name(finding.person_no, finding.household_no, at)
    then = then if in_full else mask_name(then)
    return _("%(now)s（比对时为 %(then)s）") % {"now": name, "then": then} if then and then != name else name


def _compared_at(run_id: int) -> datetime | None:
    """The instant of which a run saw the registry; when it was asked for, if its snapshot is not kept any more."""
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        return None
    try:
        return lake().read_manifest(snapshot_address(run.snapshot)).made_at
    except NotPublished:
        return run.requested_at


def _source(finding: Finding, rule: RunRule, language: str) -> str:
    facts = {"dataset": rule.dataset_title.text(language), "batch": finding.batch, "row": finding.source_row}
    if rule.dataset == REGISTRY:
        return _("来自建档立卡登记数据")
    if rule.shape == ABSENT:
        return _("%(dataset)s：截至第 %(batch)s 批，没有此人的有效记录") % facts
    return _("来自 %(dataset)s 第 %(batch)s 批第 %(row)s 行") % facts


def names_for(viewer: Viewer, person_nos: Iterable[int]) -> dict[int, str]:
    """Names by person: in full where the viewer reads the registry, masked elsewhere."""
    return _names_for(viewer, person_nos)[0]


def _names_for(viewer: Viewer, person_nos: Iterable[int]) -> tuple[dict[int, str], Collection[int]]:
    """The names, and whose the viewer reads in full."""
    wanted = set(person_nos)
    clear = dict(Person.objects.visible_to(viewer).filter(pk__in=wanted).values_list("person_no", "name"))
    hidden = Person.objects.visible_to(BEHIND_A_CASE).filter(pk__in=wanted - clear.keys())
    return clear | {number: mask_name(name) for number, name in hidden.values_list("person_no", "name")}, clear.keys()


def masked_names(person_nos: Iterable[int]) -> dict[int, str]:
    """Names by person as lists show them."""
    rows = Person.objects.visible_to(BEHIND_A_CASE).filter(pk__in=set(person_nos))
    return {number: mask_name(name) for number, name in rows.values_list("person_no", "name")}


def rule_titles(language: str) -> dict[str, str]:
    """The rules of the newest comparison by id, for tables over many runs."""
    newest = Run.objects.order_by("-id").first()
    rules = {} if newest is None else queries.rules_of(newest)
    return {code: rule.title.text(language) for code, rule in sorted(rules.items())}


def department_title(department: str, language: str) -> str:
    """Whose records were compared, in words; the registry, held against itself, is no department."""
    if department in ("", ITSELF):
        return _("建档立卡自查")
    known = departments().get(department)
    return department if known is None else known.text(language)


def rules_by_run(run_ids: Iterable[int]) -> dict[int, dict[str, RunRule]]:
    """The rules as they ran, of several runs."""
    return {run.pk: queries.rules_of(run) for run in Run.objects.filter(pk__in=set(run_ids))}


def behind(origin: Mapping[str, Any]) -> list[tuple[Finding, RunRule]]:
    """The findings a case was opened for, with their rule as it ran; its reader was allowed to fetch the case.

    Empty for a case that names no run, and for one whose run, rule or findings are not kept any more.
    """
    run = Run.objects.filter(pk=origin["run"]).first() if "run" in origin else None
    rule = None if run is None else queries.rules_of(run).get(origin.get("rule", ""))
    if run is None or rule is None:
        return []
    numbers = origin.get("findings", ())
    try:
        found = queries.findings_numbered(BEHIND_A_CASE, run, numbers)
    except NotPublished:
        return []
    return [(found[number], rule) for number in numbers] if found.keys() >= set(numbers) else []


def _read_by(viewer: Viewer, person_nos: Iterable[int]) -> set[int]:
    return set(Person.objects.visible_to(viewer).filter(pk__in=set(person_nos)).values_list("person_no", flat=True))


def _texts(finding: Finding, rule: RunRule, language: str, *, in_full: bool) -> dict[str, str | None]:
    """The evidence as people read it: yuan, labels instead of codes, names of others as far as one may read them."""
    lang = "en" if language.startswith("en") else "zh"
    return {name: _text(finding.evidence.get(name), shown, lang, in_full) for name, shown in rule.shown.items()}


def _text(value: Any, shown: ShownAs, language: str, in_full: bool) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return {("zh", True): "是", ("zh", False): "否", ("en", True): "yes", ("en", False): "no"}[language, value]
    if shown.unit == "fen":
        return yuan(int(value))
    if shown.personal == "name" and not in_full:
        return mask_name(str(value))
    if shown.codes:
        parts = [label_of(shown.codes, code, language) or code for code in str(value).split(",")]
        return ("、" if language == "zh" else ", ").join(parts)
    return known_name(str(value)) if shown.format == "division" else without_key(str(value))


def briefs(cases: Sequence[Case], language: str, viewer: Viewer | None = None) -> dict[int, Brief]:
    """Cases in few words, by number; a case whose findings are not kept any more says only its rule.

    Names are masked, for a `viewer` as far as he may read them; only he is told the hamlet.
    """
    rules = rules_by_run(case.origin["run"] for case in cases if "run" in case.origin)
    people = [case.origin["person_no"] for case in cases if "person_no" in case.origin]
    clear = set[int]() if viewer is None else _read_by(viewer, people)
    names = masked_names(people) if viewer is None else names_for(viewer, people)
    wanted: dict[int, set[int]] = {}
    for case in cases:
        if "run" in case.origin:
            wanted.setdefault(case.origin["run"], set()).update(case.origin.get("findings", ()))
    found = {run: _numbered(run, numbers) for run, numbers in wanted.items()}
    homes = _homes(case.household_no for case in cases)
    homes |= _homes(_other_household(record) for records in found.values() for record in records.values())
    told = {}
    for case in cases:
        run = case.origin.get("run")
        rule = rules.get(run, {}).get(case.origin.get("rule", ""))
        records = [found[run][n] for n in case.origin.get("findings", ()) if n in found[run]] if run in found else []
        told[case.case_no] = Brief(
            person=names.get(case.origin.get("person_no"), ""),
            suspected=_suspected(case, rule, records, language, in_full=case.origin.get("person_no") in clear),
            checks=tuple(item.text(language) for item in rule.check) if rule is not None else (),
            village=homes.get(case.household_no or 0, ("", ""))[0],
            hamlet="" if viewer is None else homes.get(case.household_no or 0, ("", ""))[1],
            elsewhere=tuple(
                _("另一户 %(no)s：%(place)s")
                % {"no": number, "place": _address(*homes[number], named=viewer is not None)}
                for number in dict.fromkeys(_other_household(record) for record in records)
                if number is not None and number in homes
            ),
        )
    return told


def _homes(household_nos: Iterable[int | None]) -> dict[int, tuple[str, str]]:
    """Household → its own village and hamlet, wherever a case about it lies."""
    wanted = {number for number in household_nos if number is not None}
    if not wanted:
        return {}
    rows = Household.objects.visible_to(BEHIND_A_CASE).filter(pk__in=wanted)
    return {
        number: (village, hamlet)
        for number, village, hamlet in rows.values_list("household_no", "village_code", "hamlet")
    }


def _other_household(finding: Finding) -> int | None:
    number = finding.evidence.get("other_household_no")
    return None if number is None else int(number)


_AS_ADDRESS = frozenset({OTHER + "village_code"})  # told with the hamlet where the household is still there


def _address(village: str, hamlet: str, *, named: bool) -> str:
    """County, township and village, for it may be another county; with the hamlet if `named`."""
    return f"{full_name(village, below=village[:4])}{hamlet if named else ''}"


def _suspected(case: Case, rule: RunRule | None, records: Sequence[Finding], language: str, *, in_full: bool) -> str:
    if rule is None:
        return case.topic
    title = rule.title.text(language)
    said = "".join(rule.explain(_texts(record, rule, language, in_full=in_full), language) for record in records)
    return f"{title}: {said}" if language.startswith("en") and said else f"{title}：{said}" if said else title


def _numbered(run: int, numbers: set[int]) -> dict[int, Finding]:
    try:
        return queries.findings_numbered(BEHIND_A_CASE, run, numbers)
    except (NotVisible, NotPublished):
        return {}


def _facts(rule: RunRule, texts: Mapping[str, str | None], sides: Sides, name: str, language: str) -> Iterable[Fact]:
    household = sides.own
    pair = sides.paired and rule.dataset == REGISTRY
    called = (
        next((column for column, shown in rule.shown.items() if shown.personal == "name"), "") if rule.of_names else ""
    )
    if called:
        yield Fact(_("姓名"), name, texts[called] or "", differs=True)
    else:
        yield Fact(_("姓名"), name, _("与登记姓名一致") if rule.by_name and rule.shape != ABSENT else "")
    other = sides.other if pair else None
    if household is not None:
        yield Fact(_("住址"), _home(household), _home(other) if other else "", differs=other is not None)
        yield Fact(_("脱贫标志"), _status(household, language), _status(other, language) if other else "")
    if pair:
        yield from _pair_facts(rule, texts, sides, language)
        return
    identified = str(household.identified_year) if household is not None else ""
    dated = "identified_year" in rule.labels
    for column, label in rule.labels.items():
        text = texts[column] or ""
        if column == called:
            continue
        if column == "identified_year":
            # what is registered now, and what the run saw if that was something else
            changed = text != identified
            seen = _("%(now)s（比对时为 %(then)s）") % {"now": identified, "then": text} if changed else identified
            yield Fact(label.text(language), seen, "", differs=changed)
        elif column in registry_columns():
            yield Fact(label.text(language), text, "")
        elif dated and _is_day(text):
            # the one thing that decides between removal and a normal exit: which came first
            yield Fact(label.text(language), _("%(year)s 年识别") % {"year": identified}, text, differs=True)
        else:
            yield Fact(label.text(language), "", text, differs=rule.shown[column].personal == "name")


def _pair_facts(rule: RunRule, texts: Mapping[str, str | None], sides: Sides, language: str) -> Iterable[Fact]:
    """Two entries of the registry side by side, each value beside its counterpart."""
    own = {OTHER + "household_no": (_("户编号"), str(sides.own.pk) if sides.own is not None else "")}
    for column, label in rule.labels.items():
        text = texts[column] or ""
        if not column.startswith(OTHER):
            yield Fact(label.text(language), text, texts.get(OTHER + column) or "")
        elif column.removeprefix(OTHER) not in rule.labels and not (column in _AS_ADDRESS and sides.other is not None):
            title, ours = own.get(column, (label.text(language), ""))
            yield Fact(title, ours, text)


def _home(household: Household) -> str:
    return _address(household.village_code, household.hamlet, named=True)


def _status(household: Household, language: str) -> str:
    if not household.is_live:
        return household.get_standing_display()
    label = code_list("poverty_status").label(household.poverty_status, "en" if language.startswith("en") else "zh")
    return f"{label} ({household.poverty_status})"


def _is_day(text: str) -> bool:
    return len(text) == len("2020-01-01") and text[4:5] == text[7:8] == "-" and text.replace("-", "").isdigit()


def combined_checks(items: Sequence[Described]) -> tuple[str, ...]:
    """What to check for several findings of one case, each once."""
    return tuple(dict.fromkeys(check for item in items for check in item.checks))
