"""Loading the policy that comes with the program, and changing it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from django.db import IntegrityError, models, transaction

from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import Kind, record
from wanjia.kernel import clock
from wanjia.reference import files, queries
from wanjia.reference.choices import LineKind, ValueType
from wanjia.reference.errors import NotThatType, NoValue, SourceMissing, ValueExists
from wanjia.reference.models import Parameter, PovertyLine, Revision
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

P = TypeVar("P", Parameter, PovertyLine)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: rows in the files, rows written, and administrators' rows left as they are.

    `kept` names rows that an administrator has set and the files would say otherwise.
    """

    rows: int
    written: int
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """How rows of one model are told apart and compared."""

    rows: Sequence[models.Model]
    key: tuple[str, ...]


def load_reference(folder: Path | None = None) -> Loaded:
    """Bring the tables to what the files say; set-based, and a second time nothing is written.

    A row an administrator wrote stays, and is named in `kept` if the files disagree. Raises
    DataFileInvalid, and then nothing has changed.
    """
    held = files.read(folder or files.DATA)
    parts = (
        _Part(held.code_lists, ("name",)),
        _Part(held.codes, ("code_list_id", "vintage", "code")),
        _Part(held.parameters, ("name", "region", "valid_from")),
        _Part(held.lines, ("year", "kind", "region", "valid_from")),
        _Part(held.days, ("day", "region")),
        _Part(held.profiles, ("code",)),
        _Part(held.switches, ("profile_id", "code")),
    )
    with transaction.atomic():
        results = [_load(part) for part in parts]
        written, kept = sum(count for count, _ in results), tuple(name for _, names in results for name in names)
        if written:
            _changed()
            record(
                Kind.REFERENCE,
                viewer=system_viewer("reference.load"),
                area="",
                act="reference.load",
                content={"written": written, "kept": list(kept)},
            )
    return Loaded(sum(len(part.rows) for part in parts), written, kept)


def _load(part: _Part) -> tuple[int, list[str]]:
    """Write the rows that differ; returns how many, and the administrators' rows that differ."""
    model = type(part.rows[0])
    names = [field.attname for field in model._meta.concrete_fields if not field.auto_created]
    said = [name for name in names if name not in ("edited_by", "edited_at")]
    existing = {tuple(row[name] for name in part.key): row for row in model._base_manager.values(*names)}
    differing, kept = [], []
    for row in part.rows:
        before = existing.get(tuple(getattr(row, name) for name in part.key))
        if before is not None and all(before[name] == getattr(row, name) for name in said):
            continue
        if before is not None and before.get("edited_by") is not None:
            kept.append(str(row))
        else:
            differing.append(row)
    if differing:
        rest = [name for name in said if name not in part.key]
        model._base_manager.bulk_create(
            differing,
            update_conflicts=True,
            unique_fields=[_field_name(model, name) for name in part.key],
            update_fields=[_field_name(model, name) for name in rest],
        )
    return len(differing), kept


def _field_name(model: type[models.Model], attname: str) -> str:
    return next(field.name for field in model._meta.concrete_fields if field.attname == attname)


def _changed() -> None:
    """Tell this process now, and the others through the token, that there is something new."""
    Revision.objects.update_or_create(pk=1, defaults={"token": uuid4().hex})
    queries.look_again()
    transaction.on_commit(queries.look_again)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a new value of policy rests on: its document, its first day, and where it holds."""

    source: str
    valid_from: date
    region: str = queries.HOME_REGION


def set_parameter(viewer: Viewer, *, name: str, value: str, notice: Notice) -> Parameter:
    """Give a known parameter a new value from a day on; what held before stays on record.

    Raises NotAllowed (the viewer has no reference.write over the region), NoValue (no such
    parameter), NotThatType, SourceMissing, ValueExists.
    """
    _require_write(viewer, notice.region)
    known = Parameter.objects.filter(name=name).order_by("-valid_from").first()
    if known is None:
        raise NoValue(name=name, on=notice.valid_from.isoformat(), region=notice.region)
    read = _value_of(name, value, ValueType(known.value_type))
    row = Parameter(
        name=name, value=read, value_type=known.value_type, title_zh=known.title_zh, title_en=known.title_en
    )
    return _decree(viewer, row, name, str(read), notice)


def set_poverty_line(viewer: Viewer, *, year: int, kind: LineKind, amount: Decimal, notice: Notice) -> PovertyLine:
    """Set the line of a year, in yuan per head, as known from the notice's first day on.

    Raises NotAllowed, NotThatType, SourceMissing, ValueExists.
    """
    _require_write(viewer, notice.region)
    name = f"poverty_line {LineKind(kind).value} {year}"
    if amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise NotThatType(name=name, expected="> 0, 0.01")
    row = PovertyLine(year=year, kind=kind, amount=amount)
    return _decree(viewer, row, name, str(amount), notice)


def _decree(viewer: Viewer, row: P, name: str, value: str, notice: Notice) -> P:
    """Insert a new value with its notice and record it; one act, refused if the day is taken."""
    source = notice.source.strip()
    if not source:
        raise SourceMissing(name=name)
    refuse_identity_numbers([source, value], "source")
    row.region, row.valid_from, row.source = notice.region, notice.valid_from, source
    row.edited_by, row.edited_at = viewer.user_id, clock.now()
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _changed()
            record(
                Kind.REFERENCE,
                viewer=viewer,
                area=notice.region,
                act="reference.set_parameter" if isinstance(row, Parameter) else "reference.set_poverty_line",
                subject=(str(row._meta.model_name), row.pk),
                content={"name": name, "value": value, "valid_from": notice.valid_from.isoformat(), "source": source},
            )
    except IntegrityError as taken:
        raise ValueExists(name=name, valid_from=notice.valid_from.isoformat(), region=notice.region) from taken
    return row


def _require_write(viewer: Viewer, region: str) -> None:
    """A region's policy is set by whoever may write all of it; the country's by the system alone."""
    if not (viewer.may("reference.write", region) if region else viewer.is_system):
        raise NotAllowed(action="reference.write")


MOST_DAYS = 365
EXPECTED = {  # in figures, so that the refusal reads alike in both languages
    ValueType.DAYS: f"1–{MOST_DAYS}",
    ValueType.INTEGER: "0, 1, 2 …",
    ValueType.SHARE: "0–1",
    ValueType.DECIMAL: "0.00",
    ValueType.TEXT: "…",
}


def _value_of(name: str, text: str, value_type: ValueType) -> Any:
    """A value as stored: whole numbers as integers, shares and decimals as exact text."""
    body = text.strip()
    if value_type is ValueType.TEXT:
        return body
    try:
        number = Decimal(body)
    except InvalidOperation:
        raise NotThatType(name=name, expected=EXPECTED[value_type]) from None
    if not number.is_finite():
        raise NotThatType(name=name, expected=EXPECTED[value_type])
    whole = number == number.to_integral_value()
    fits = {
        ValueType.DAYS: whole and 0 < number <= MOST_DAYS,
        ValueType.INTEGER: whole and number >= 0,
        ValueType.SHARE: 0 <= number <= 1,
        ValueType.DECIMAL: True,
    }[value_type]
    if not fits:
        raise NotThatType(name=name, expected=EXPECTED[value_type])
    return int(number) if value_type in (ValueType.DAYS, ValueType.INTEGER) else format(number, "f")
