"""Corrections of a sealed year: kept beside it, so that what was published never moves (domain.md §4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from wanjia.audit.services import JSON
from wanjia.registry import overlaid, queries
from wanjia.registry.errors import (
    EditedTwice,
    FieldNotEditable,
    RecordChangedMeanwhile,
    YearNotSealed,
    YearUnknown,
)
from wanjia.registry.fields import FIELDS, Field, as_text
from wanjia.registry.models import SCOPE, HamletYear, HouseholdYear, PersonYear, ReportingYear, VillageYear
from wanjia.registry.services.change import COUNTY_LENGTH, Edit
from wanjia.registry.services.rows import APPROVE, wholes, write
from wanjia.registry.services.writing import Act, Changed, Write, checked_reason, done_before, perform_beside
from wanjia.scope.errors import NotVisible
from wanjia.scope.models import holds
from wanjia.scope.viewer import Viewer


@transaction.atomic
def correct_sealed(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    year: int,
    edits: Sequence[Edit],
    reason: str,
    case_no: int | None = None,
    event_id: UUID | None = None,
    content: Mapping[str, JSON] | None = None,
) -> Changed:
    """Correct facts of a sealed year, all or none, as one act; wholes follow their parts.

    `content` is what its entry says besides the year.

    What was published stays; whoever asks for what is known now gets these values. The standing at
    the year's end may be corrected too. The county decides: asks for `registry.approve` over the
    county of each record. Raises YearUnknown, YearNotSealed, NotVisible, FieldNotEditable,
    ValueNotAccepted, EditedTwice, ReasonMissing, and RecordChangedMeanwhile when an `expected_old`
    is not what is known now.
    """
    told: dict[str, JSON] = {"year": year, **(content or {})}
    act = Act("registry.correct_sealed", viewer, checked_reason(reason), case_no, event_id, told)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    sealed = ReportingYear.objects.select_for_update().filter(year=year).first()  # one corrector at a time
    if sealed is None:
        raise YearUnknown(year=year)
    if not sealed.is_sealed:
        raise YearNotSealed(year=year)
    rows: dict[tuple[bool, int], HouseholdYear | PersonYear] = {}
    given: dict[tuple[bool, int], dict[str, object]] = {}
    writes, conflicts = [], 0
    for edit in edits:
        field = _of_a_year(edit.field)
        key = (field.of_household, (edit.household_no if field.of_household else edit.person_no) or 0)
        row = rows.setdefault(key, rows.get(key) or _record(viewer, sealed, *key))
        news = given.setdefault(key, {})
        if field.name in news:
            raise EditedTwice(field=field.title)
        new = write(field, row, field.parse(edit.new))
        news[field.name] = new.new
        conflicts += edit.expected_old is not None and edit.expected_old != new.old
        writes.append(new)
    if conflicts:
        raise RecordChangedMeanwhile(conflicts=conflicts)
    for key, row in rows.items():
        if isinstance(row, HouseholdYear):
            writes += [write(FIELDS[whole], row, total) for whole, total in wholes(row, given[key]).items()]
    return perform_beside(act, writes, year)


@dataclass(frozen=True, slots=True)
class PlaceEdit:
    """One new value of a village's record, or of a hamlet's, as `Edit` is one of a household's."""

    field: str
    new: object
    hamlet_code: str = ""  # of a hamlet
    expected_old: str | None = None


@transaction.atomic
def correct_sealed_village(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    year: int,
    village_code: str,
    edits: Sequence[PlaceEdit],
    reason: str,
    event_id: UUID | None = None,
) -> Changed:
    """Correct facts of a village and its hamlets in a sealed year, all or none, as one act beside it.

    The county decides: asks for `registry.approve` over it. Raises YearUnknown, YearNotSealed, NotVisible,
    FieldNotEditable, ValueNotAccepted, EditedTwice, ReasonMissing, and RecordChangedMeanwhile when an
    `expected_old` is not what is known now.
    """
    told: dict[str, JSON] = {"year": year, "village": village_code, "values": 0}
    act = Act("registry.correct_sealed_village", viewer, checked_reason(reason), None, event_id, told)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    ReportingYear.objects.select_for_update().filter(year=year).first()  # one corrector at a time
    found = overlaid.sealed_village(viewer, village_code, year)
    if not may_correct_village(viewer, village_code):
        raise NotVisible(kind="village")
    rows: dict[str, VillageYear | HamletYear] = {known.hamlet_code: known for _, known in found.hamlets}
    if found.known is not None:
        rows[""] = found.known
    writes, seen, conflicts = list[Write](), set[tuple[str, str]](), 0
    for edit in edits:
        field = FIELDS.get(edit.field)
        if field is None or field.model is not (HamletYear if edit.hamlet_code else VillageYear):
            raise FieldNotEditable(field=edit.field)
        if edit.hamlet_code not in rows:
            raise NotVisible(kind="hamlet" if edit.hamlet_code else "village")
        if (edit.field, edit.hamlet_code) in seen:
            raise EditedTwice(field=field.title)
        seen.add((edit.field, edit.hamlet_code))
        old = as_text(getattr(rows[edit.hamlet_code], field.name))
        conflicts += edit.expected_old not in (None, old)
        writes.append(Write(field, 0, None, None, village_code, old, field.parse(edit.new), year, edit.hamlet_code))
    if conflicts:
        raise RecordChangedMeanwhile(conflicts=conflicts)
    told["values"] = sum(as_text(item.new) != item.old for item in writes)
    return perform_beside(act, writes, year)


def may_correct_village(viewer: Viewer, village_code: str) -> bool:
    """Whether the viewer decides about a village's sealed records: throughout its county."""
    return viewer.may_throughout(APPROVE, village_code[:COUNTY_LENGTH])


def _of_a_year(name: str) -> Field:
    field = FIELDS.get(name)
    if field is None or not field.of_year or field.protected:
        raise FieldNotEditable(field=name)
    return field


def _record(viewer: Viewer, year: ReportingYear, of_household: bool, number: int) -> HouseholdYear | PersonYear:
    """The record as it is known now, with the permission to correct it. Raises NotVisible."""
    kind = "household" if of_household else "person"
    named = {"household_no": number if of_household else None, "person_no": None if of_household else number}
    row = queries.sealed_record(year, **named)
    if row is None or not may_correct_sealed(viewer, row.village_code, row.household_no):
        raise NotVisible(kind=kind)
    return row


def may_correct_sealed(viewer: Viewer, village_code: str, household_no: int) -> bool:
    """Whether the viewer decides about a sealed record that lies in that village: for its county."""
    at = {"village_code": village_code, "household_no": household_no}
    return holds(SCOPE, viewer, at, APPROVE) and viewer.may(APPROVE, village_code[:COUNTY_LENGTH])
