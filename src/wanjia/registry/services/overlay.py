"""Corrections of a sealed year: kept beside it, so that what was published never moves (domain.md §4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from wanjia.registry import queries
from wanjia.registry.errors import (
    EditedTwice,
    FieldNotEditable,
    RecordChangedMeanwhile,
    YearNotSealed,
    YearUnknown,
)
from wanjia.registry.fields import FIELDS, Field
from wanjia.registry.models import SCOPE, HouseholdYear, PersonYear, ReportingYear
from wanjia.registry.services.change import COUNTY_LENGTH, Edit
from wanjia.registry.services.rows import APPROVE, wholes, write
from wanjia.registry.services.writing import Act, Changed, checked_reason, done_before, perform_beside
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
) -> Changed:
    """Correct facts of a sealed year, all or none, as one act; wholes follow their parts.

    What was published stays; whoever asks for what is known now gets these values. The standing at
    the year's end may be corrected too. The county decides: asks for `registry.approve` over the
    county of each record. Raises YearUnknown, YearNotSealed, NotVisible, FieldNotEditable,
    ValueNotAccepted, EditedTwice, ReasonMissing, and RecordChangedMeanwhile when an `expected_old`
    is not what is known now.
    """
    act = Act("registry.correct_sealed", viewer, checked_reason(reason), case_no, event_id, {"year": year})
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
        told = given.setdefault(key, {})
        if field.name in told:
            raise EditedTwice(field=field.title)
        new = write(field, row, field.parse(edit.new))
        told[field.name] = new.new
        conflicts += edit.expected_old is not None and edit.expected_old != new.old
        writes.append(new)
    if conflicts:
        raise RecordChangedMeanwhile(conflicts=conflicts)
    for key, row in rows.items():
        if isinstance(row, HouseholdYear):
            writes += [write(FIELDS[whole], row, total) for whole, total in wholes(row, given[key]).items()]
    return perform_beside(act, writes, year)


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
    if row is None:
        raise NotVisible(kind=kind)
    at = {"village_code": row.village_code, "household_no": row.household_no}
    if not holds(SCOPE, viewer, at, APPROVE) or not viewer.may(APPROVE, row.village_code[:COUNTY_LENGTH]):
        raise NotVisible(kind=kind)
    return row
