"""Loading divisions: set-based, repeatable, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

import yaml
from django.db import transaction

from wanjia.audit.services import Kind, record
from wanjia.divisions import queries
from wanjia.divisions.errors import DivisionFileIncomplete, NotADivisionFile
from wanjia.divisions.models import Division, DivisionAlias, Revision
from wanjia.divisions.rules import FileRow, read_rows
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

DATA = Path(__file__).parent / "data"
GUANGXI = DATA / "divisions_45.csv"
CODE_CHANGES = DATA / "code_changes.yaml"

PART_SHARE = 0.05  # a new edition that lacks more of the province than this is taken for a part

_WRITTEN = ("name", "official_name", "level", "parent_code", "valid_from", "valid_to")
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a file changes: rows to write, codes to close."""

    written: list[Division]
    closed: list[str]

    def __bool__(self) -> bool:
        return bool(self.written or self.closed)


def load_divisions(csv_path: Path | None = None, *, viewer: Viewer | None = None) -> int:
    """Load a province's divisions, Guangxi's own file if none is named; returns how many it holds.

    Loading the same file again changes nothing. A division that is no longer in its province's
    file is closed from today, not deleted. Raises the refusals of `errors`.
    """
    rows = read_rows(_text_of(csv_path or GUANGXI).splitlines())
    if not rows:
        raise NotADivisionFile(file=(csv_path or GUANGXI).name)
    viewer = viewer or system_viewer("divisions.load")
    with transaction.atomic():
        former = _load_code_changes()
        changes = _compare(rows, former)
        _write(changes)
        if changes:
            Revision.objects.update_or_create(pk=1, defaults={"token": uuid4().hex})
            record(
                Kind.REFERENCE,
                viewer=viewer,
                area=rows[0].code[:2],
                act="divisions.load",
                content={"written": len(changes.written), "closed": len(changes.closed), "rows": len(rows)},
            )
            transaction.on_commit(queries.look_again)
    queries.look_again()
    return len(rows)


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise NotADivisionFile(file=path.name) from fault
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.strip():
            return text
    raise NotADivisionFile(file=path.name)


def _load_code_changes() -> dict[str, date]:
    """Write the former codes; returns from which day each new code holds."""
    held = yaml.safe_load(CODE_CHANGES.read_text("utf-8"))
    aliases = [DivisionAlias(**change, source=held["source"]) for change in held["changes"]]
    fields = ("old_code", "old_name", "new_code", "valid_to", "source")
    wanted = {tuple(getattr(alias, field) for field in fields) for alias in aliases}
    if wanted - set(DivisionAlias.objects.values_list(*fields)):
        DivisionAlias.objects.bulk_create(
            aliases, update_conflicts=True, unique_fields=["old_code"], update_fields=list(fields[1:])
        )
        Revision.objects.update_or_create(pk=1, defaults={"token": uuid4().hex})
    return {alias.new_code: alias.valid_to for alias in aliases}


def _compare(rows: Iterable[FileRow], starts: Mapping[str, date]) -> _Changes:
    """What must be written so that the tables say what the file says."""
    wanted = {
        row.code: (row.name, row.official_name, row.level, row.parent_code, starts.get(row.code[:6]), None)
        for row in rows
    }
    provinces = {code[:2] for code in wanted}
    held = {row[0]: row[1:] for row in Division.objects.values_list("code", *_WRITTEN) if row[0][:2] in provinces}
    closed = [code for code, values in held.items() if code not in wanted and values[-1] is None]
    if len(closed) > PART_SHARE * len(held):
        raise DivisionFileIncomplete(missing=len(closed), known=len(held))
    written = [
        Division(code=code, **dict(zip(_WRITTEN, values, strict=True)))
        for code, values in wanted.items()
        if held.get(code) != values
    ]
    return _Changes(written, closed)


def _write(changes: _Changes) -> None:
    Division.objects.bulk_create(
        changes.written,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=list(_WRITTEN),
    )
    for start in range(0, len(changes.closed), _BATCH):
        part = changes.closed[start : start + _BATCH]
        Division.objects.filter(code__in=part).update(valid_to=clock.today())
