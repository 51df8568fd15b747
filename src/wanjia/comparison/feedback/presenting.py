"""Feedback as pages show it: the record as its department sent it, the person no further than the reader reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from wanjia.casework import declared
from wanjia.casework.choices import Seat
from wanjia.casework.presenting import tone_of
from wanjia.casework.rules import seat_area
from wanjia.comparison import describing
from wanjia.comparison.choices import FeedbackState
from wanjia.comparison.documents import RunRule
from wanjia.comparison.feedback import queries, records
from wanjia.comparison.feedback.records import DeliveredRow
from wanjia.comparison.models import Feedback
from wanjia.divisions.queries import name_of
from wanjia.intake.contracts import Reading
from wanjia.kernel.money import yuan
from wanjia.protection.masking import MASKS, without_key
from wanjia.reference.queries import label_of
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries as sources
from wanjia.sources.contracts import Contract, contracts
from wanjia.sources.presenting import dataset_title

KIND = "suspect"
TONES = {
    FeedbackState.AGREED: "done",
    FeedbackState.DISPUTED: "active",
    FeedbackState.STOOD_BY: "muted",
    FeedbackState.LIFTED: "muted",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A feedback in a list."""

    feedback: Feedback
    person: str
    dataset: str
    rule: str
    outcome: str
    source: str
    county: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A row as it was delivered: which line of which file, and (title, value, whether the rule rests on it)."""

    batch: int
    file: str  # empty where the reader may not open the delivery
    line: int
    facts: Sequence[tuple[str, str, bool]]
    kept: bool


@dataclass(frozen=True, slots=True)
class Page:
    """All a feedback page shows."""

    row: Row
    department: str
    found: str
    delivered: Sequence[Delivered]
    county_word: str
    case_no: int | None
    may_answer: bool


def rows(found: Sequence[Feedback], language: str) -> list[Row]:
    """The feedback of a page, in a fixed number of queries; names masked, as in every list."""
    rules = describing.rules_by_run(item.run_id for item in found if item.run_id)
    names = describing.masked_names(item.person_no for item in found if item.person_no)
    sources_of = _sources(found)
    return [
        _row(item, names.get(item.person_no or 0, ""), rules.get(item.run_id or 0, {}), sources_of[item.pk], language)
        for item in found
    ]


def _sources(found: Sequence[Feedback]) -> dict[int, str]:
    """Feedback → the lines it is about, in words."""
    return {
        number: _("、").join(_line(item.batch, item.source_row) for item in findings)
        for number, findings in records.findings_of(found).items()
    }


def _line(batch: int, row: int) -> str:
    return _("第 %(batch)s 批第 %(row)s 行") % {"batch": batch, "row": row}


def _row(item: Feedback, person: str, rules: Mapping[str, RunRule], source: str, language: str) -> Row:
    outcome = declared.newest(KIND).flow.outcome(item.outcome)
    state = FeedbackState(item.state)
    word = str(state.label)
    if item.is_overdue:
        word = (
            _("待部门答复，已超期并报%(place)s") % {"place": name_of(item.raised_to)}
            if item.raised_to
            else _("待部门答复，已超期")
        )
    return Row(
        feedback=item,
        person=person,
        dataset=dataset_title(item.dataset),
        rule=rules[item.rule].title.text(language) if item.rule in rules else item.rule,
        outcome=f"{item.outcome} {outcome.title.text(language)}" if outcome is not None else item.outcome,
        source=source,
        county=seat_area(item.area_code, Seat.COUNTY),
        state=word,
        tone=tone_of(item.due_on, item.warn_on) if state is FeedbackState.GIVEN else TONES[state],
    )


def page(feedback: Feedback, viewer: Viewer, language: str) -> Page:
    """The page of a feedback its caller fetched."""
    name = describing.names_for(viewer, [feedback.person_no] if feedback.person_no else [])
    rules = describing.rules_by_run([feedback.run_id] if feedback.run_id else [])
    source, ran = _sources([feedback])[feedback.pk], rules.get(feedback.run_id or 0, {})
    told = _row(feedback, name.get(feedback.person_no or 0, ""), ran, source, language)
    waits = queries.waiting(viewer).filter(pk=feedback.pk).exists()
    return Page(
        row=told,
        department=describing.department_title(feedback.department, language),
        found=feedback.found,
        delivered=_delivered(feedback, viewer, language),
        county_word=queries.county_word(feedback),
        case_no=feedback.case_no if viewer.may_throughout("suspects.read", feedback.area_code) else None,
        may_answer=waits,
    )


def _delivered(feedback: Feedback, viewer: Viewer, language: str) -> list[Delivered]:
    contract = contracts().get(feedback.dataset)
    if contract is None:
        return []
    mine = {batch.pk: batch for batch in sources.batches(viewer).filter(dataset=feedback.dataset)}
    found = []
    for row in records.rows_behind(feedback):
        # whoever may not open the delivery reads of its row what stands on the case page
        values = row.values if row.batch in mine and row.values else row.evidence
        batch = mine.get(row.batch)
        facts = _facts(contract, values, row, language)
        found.append(Delivered(row.batch, batch.file_name if batch else "", row.source_row, facts, bool(row.values)))
    return found


def _facts(
    contract: Contract, values: Mapping[str, Any], row: DeliveredRow, language: str
) -> list[tuple[str, str, bool]]:
    return [
        (
            field.title.text(language),
            _text(values[field.name], field.reading, field.personal, field.codes, language),
            field.name in row.columns,
        )
        for field in contract.fields
        if field.keep and field.name in values and field.reading is not Reading.IDENTITY
    ]


def _text(value: Any, reading: Reading, personal: str, codes: str, language: str) -> str:
    if value is None:
        return ""
    if reading is Reading.MONEY:
        return yuan(int(value))
    text = without_key(str(value))
    if personal in MASKS:
        return MASKS[personal](text)
    lang = "en" if language.startswith("en") else "zh"
    return (label_of(codes, text, lang) if codes else "") or text
