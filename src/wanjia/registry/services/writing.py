"""One act on the registry: its columns updated, its change rows written, its entry recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import models, transaction

from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import JSON, Detail, Kind, common_area, details_of, record
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.registry.errors import ReasonMissing
from wanjia.registry.fields import Field, as_text
from wanjia.registry.models import Change, YearCorrection
from wanjia.registry.payloads import change_payload
from wanjia.registry.services.names import learn, tokens_of
from wanjia.scope import bulk
from wanjia.scope.fields import seal_column
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

SHORTEST_REASON, LONGEST_REASON = 4, 200


@dataclass(frozen=True, slots=True)
class Write:
    """One field of one row getting a new value. `row` is the row's primary key, `year` the one a fact is of.

    A fact of a village or of a hamlet has no household.
    """

    field: Field
    row: int
    household_no: int | None
    person_no: int | None
    village_code: str
    old: str
    new: Any
    year: int | None = None
    hamlet_code: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """What is being done, by whom and why; the entry's side of a set of writes."""

    code: str
    viewer: Viewer
    reason: str
    case_no: int | None = None
    event_id: UUID | None = None
    content: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What an act changed: `fields` values in `households` households; `again` if it had been done before."""

    event_id: UUID | None
    fields: int
    households: int
    again: bool = False


def checked_reason(reason: str) -> str:
    """The reason as it is kept. Raises ReasonMissing, and IdentityNumberInPayload before anything is written.

    The entry would be refused too, but later: on PostgreSQL a row that was rolled back stays in the
    table's file and in the write-ahead log.
    """
    text = reason.strip()
    if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
        raise ReasonMissing(shortest=SHORTEST_REASON, longest=LONGEST_REASON)
    refuse_identity_numbers(text, "reason")
    return text


def done_before(event_id: UUID | None) -> Changed | None:
    """What the act with this event id changed, if it was done already."""
    if event_id is None:
        return None
    rows = Change.objects.visible_to(system_viewer("registry.repeat")).filter(event_id=event_id)
    households = list(rows.values_list("household_no", flat=True))
    return Changed(event_id, len(households), len(set(households)), again=True) if households else None


def perform(act: Act, writes: Sequence[Write]) -> Changed:
    """Write everything and record it as one act. Must run inside the transaction that read the old values.

    Writes that change nothing are left out; an act that changes nothing at all is not recorded.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("perform() belongs into the transaction that read the old values")
    effective = [write for write in writes if as_text(write.new) != write.old]
    if not effective:
        return Changed(None, 0, 0)
    event_id = act.event_id or uuid4()
    _update(effective)
    reached("registry.updated")
    details = _write_changes(act, event_id, effective)
    _record(act, event_id, effective, details)
    reached("registry.changed")
    return Changed(event_id, len(effective), _households(effective))


def perform_beside(act: Act, writes: Sequence[Write], year: int) -> Changed:
    """As `perform`, of values of a sealed year: the corrections are kept beside it, and it stays as it was."""
    effective = [write for write in writes if as_text(write.new) != write.old]
    if not effective:
        return Changed(None, 0, 0)
    event_id, count = act.event_id or uuid4(), len(effective)
    bulk.insert(
        YearCorrection,
        {
            "year": [year] * count,
            "household_no": [write.household_no for write in effective],
            "person_no": [write.person_no for write in effective],
            "village_code": [write.village_code for write in effective],
            "hamlet_code": [write.hamlet_code for write in effective],
            "field": [write.field.id for write in effective],
            "old": [write.old for write in effective],
            "new": [as_text(write.new) for write in effective],
            "decided_on": [clock.today()] * count,
            "event_id": [event_id] * count,
        },
    )
    reached("registry.corrected_beside")
    details = _write_changes(act, event_id, effective)
    _record(act, event_id, effective, details)
    reached("registry.amended")
    return Changed(event_id, count, _households(effective))


def _households(writes: Iterable[Write]) -> int:
    return len({write.household_no for write in writes} - {None})


def _update(writes: Iterable[Write]) -> None:
    """All new values of a row go in together: the tables' constraints speak of several columns at once."""
    by_row: dict[tuple[type[models.Model], int], list[Write]] = defaultdict(list)
    for write in writes:
        by_row[write.field.model, write.row].append(write)
    alike: dict[tuple[Field, ...], list[list[Write]]] = defaultdict(list)
    for group in by_row.values():
        alike[tuple(write.field for write in group)].append(group)
    for fields, groups in alike.items():
        _update_alike(fields, groups)


def _update_alike(fields: Sequence[Field], groups: Sequence[Sequence[Write]]) -> None:
    """Rows in which the same fields change, in one statement."""
    model = fields[0].model
    keys = [group[0].row for group in groups]
    columns: dict[str, Sequence[Any]] = {model._meta.pk.name: keys}
    for place, field in enumerate(fields):
        values = [group[place].new for group in groups]
        columns |= field.derived(values) if field.derived else {}
        columns[field.name] = seal_column(model, field.name, keys, values) if field.protected else values
    if bulk.update(model, next(iter(columns)), columns) != len(groups):
        raise RuntimeError(f"{model.__name__}: a row disappeared inside its own transaction")
    if "name_match" in columns:
        learn(tokens_of(sorted(set(columns["name_match"]))))


def _write_changes(act: Act, event_id: UUID, writes: Sequence[Write]) -> list[Detail]:
    count = len(writes)
    olds = [write.old for write in writes]
    news = [as_text(write.new) for write in writes]
    hidden = [write.field.protected for write in writes]
    sealed = {
        name: seal_column(
            Change, name, [event_id] * count, [v if h and v else None for v, h in zip(values, hidden, strict=True)]
        )
        for name, values in (("old_sealed", olds), ("new_sealed", news))
    }
    columns: dict[str, Sequence[Any]] = {
        "event_id": [event_id] * count,
        "seq": list(range(count)),
        "village_code": [write.village_code for write in writes],
        "household_no": [write.household_no for write in writes],
        "person_no": [write.person_no for write in writes],
        "hamlet_code": [write.hamlet_code for write in writes],
        "year": [write.year for write in writes],
        "field": [write.field.id for write in writes],
        "old": ["" if h else v for v, h in zip(olds, hidden, strict=True)],
        "new": ["" if h else v for v, h in zip(news, hidden, strict=True)],
        **sealed,
    }
    names = list(columns)
    rows = (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))
    details = list(details_of([change_payload(row) for row in rows]))
    bulk.insert(
        Change,
        {
            **columns,
            "reason": [act.reason] * count,
            "case_no": [act.case_no] * count,
            "by_user": [act.viewer.user_id] * count,
            "at": [clock.now()] * count,
            "salt": [item.salt for item in details],
        },
    )
    return details


def _record(act: Act, event_id: UUID, writes: Sequence[Write], details: Sequence[Detail]) -> None:
    households = {write.household_no for write in writes if write.household_no is not None}
    content: dict[str, JSON] = {
        "reason": act.reason,
        "case": act.case_no,
        "fields": sorted({write.field.id for write in writes}),
        "households": len(households),
        **(act.content or {}),
    }
    record(
        Kind.CORRECTION,
        viewer=act.viewer,
        area=common_area(write.village_code for write in writes),
        act=act.code,
        subject=("household", households.pop()) if len(households) == 1 else None,
        content=content,
        details=(item.digest for item in details),
        event_id=event_id,
    )
