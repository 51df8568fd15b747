"""Taking sheets in: put away encrypted, read and shown, then applied whole or not at all.

The files go into the lake first and the import into the database last, so a process that stops in
between leaves encrypted files nobody refers to. What is applied is what was shown: the sheets are
read again from their encrypted files, and if by then they would do anything else, nothing is done
and the preview is made anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import IntegrityError, transaction

from wanjia.accounts.deputies import links_of
from wanjia.audit.exports import export
from wanjia.audit.services import Kind, record
from wanjia.engine.errors import WorkbookRefused
from wanjia.files.rules import clean_name
from wanjia.intake import raw
from wanjia.intake.errors import FileRefused
from wanjia.intake.raw import Sealed, Source, Upload
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.kernel.points import reached
from wanjia.lake import Columns, Type
from wanjia.lake.parquet import write as write_parquet
from wanjia.registry import queries
from wanjia.registry.choices import ImportMode, ImportStatus, RejectReason, SheetKind, YearState
from wanjia.registry.errors import (
    ColumnsNeeded,
    ImportMovedOn,
    NothingToImport,
    PreviewOutdated,
    SecondPersonNeeded,
    SheetBroughtBefore,
    SheetEnded,
    SheetTooLong,
    SheetTwice,
    YearNeeded,
    YearNotOpen,
)
from wanjia.registry.models import ReportingYear, SheetFile, SheetImport
from wanjia.registry.requests.policy import DIRECT, levels_for
from wanjia.registry.services.change import correct
from wanjia.registry.services.load import load_registry
from wanjia.registry.services.rows import locked
from wanjia.registry.services.sheets.columns import sheet
from wanjia.registry.services.sheets.comparing import Corrections, compare, in_figures
from wanjia.registry.services.sheets.reading import (
    Progress,
    Rows,
    flags,
    in_words,
    kind_of,
    preview_of,
    read,
    sentence_of,
)
from wanjia.registry.services.sheets.registering import Registration, registration
from wanjia.scope.errors import NotAllowed
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Format, Table

READ_TASK, APPLY_TASK = "registry.read_sheets", "registry.apply_sheets"
WRITE, APPROVE = "registry.write", "registry.approve"
RAW = "sheets/file={name}"
PROBLEMS: Columns = {"sheet": Type.TEXT, "line": Type.INTEGER, "field": Type.TEXT, "problem": Type.TEXT}
PROBLEM_COLUMN = "问题"
REASON = "表格更正（第 {number} 次导入）"
TOWNSHIP = 9
_FILE = "problems.parquet"
_LONGEST_NAME = 200

Bringing = Upload | Path


class _Done(Enum):
    """What was done with an import, as the log tells it."""

    BROUGHT = Sentence("上传了文件", "files brought")
    ASKED_TO_READ = Sentence("要求重新读取", "to be read again")
    UNREADABLE = Sentence("无法读取", "could not be read")
    PREVIEWED = Sentence("读取完成，等待确认", "read, to be confirmed")
    CONFIRMED = Sentence("确认导入", "confirmed")
    APPLIED = Sentence("已导入", "taken in")
    CANCELLED = Sentence("取消了导入", "cancelled")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sender says beside the sheets: the year, and what holds of households they say nothing of."""

    year: int | None = None
    household_category: str = ""
    poverty_status: str = ""
    identified_year: int | None = None

    def as_codes(self) -> dict[str, Any]:
        said = {
            "household_category": self.household_category,
            "poverty_status": self.poverty_status,
            "identified_year": self.identified_year,
        }
        return {name: value for name, value in said.items() if value}


def bring(  # noqa: PLR0913 - what was brought, all by name
    *,
    viewer: Viewer,
    brought: Sequence[Bringing],
    area: str,
    mode: ImportMode,
    terms: Terms | None = None,
    background: bool = False,
) -> SheetImport:
    """Put one sheet or both away, encrypted, as an import still to be read.

    A first registration waits until it has both. With `background` a job reads them. Raises NotAllowed
    unless the viewer may write throughout `area` (and, for a first registration, approve there);
    FileRefused, WorkbookRefused, SheetTwice, SheetBroughtBefore.
    """
    _require(viewer, area, mode)
    terms = terms or Terms()
    put = [_put_away(mode, each) for each in brought]
    with transaction.atomic():
        row = SheetImport.objects.create(
            area=area,
            year=terms.year,
            mode=mode,
            status=ImportStatus.WAITING,
            terms=terms.as_codes(),
            brought_by=viewer.user_id,
            brought_at=clock.now(),
        )
        _add(viewer, row, put)
        _begin(viewer, row, background=background)
    return row


def add(*, viewer: Viewer, import_id: int, brought: Sequence[Bringing], background: bool = False) -> SheetImport:
    """Bring the other sheet. Raises as `bring`, and ImportMovedOn."""
    row = _standing(viewer, import_id, (ImportStatus.WAITING, ImportStatus.PREVIEWED))
    _require(viewer, row.area, row.mode)
    put = [_put_away(row.mode, each) for each in brought]
    with transaction.atomic():
        row = _held(viewer, import_id, (ImportStatus.WAITING, ImportStatus.PREVIEWED))
        _add(viewer, row, put)
        _begin(viewer, row, background=background)
    return row


def _require(viewer: Viewer, area: str, mode: str) -> None:
    for action in (WRITE, APPROVE) if mode == ImportMode.NEW else (WRITE,):
        if not viewer.may_throughout(action, area):
            raise NotAllowed(action=action)


def may_decide(viewer: Viewer, row: SheetImport) -> bool:
    """Whether the viewer may confirm what an import would do."""
    reviewed = row.mode == ImportMode.NEW or row.preview.get("changes", {}).get("reviewed")
    if not all(viewer.may_throughout(action, row.area) for action in ((WRITE, APPROVE) if reviewed else (WRITE,))):
        return False
    return row.mode == ImportMode.NEW or not reviewed or viewer.is_system or not _had_part(viewer, row)


def _had_part(viewer: Viewer, row: SheetImport) -> bool:
    """Whether the viewer brought any file of the import, or was one with somebody who did, then or now (ADR 0034)."""
    parts = {(row.brought_by, row.brought_at)}
    parts.update(queries.files_of(viewer, row).values_list("brought_by", "brought_at"))
    if any(user_id == viewer.user_id for user_id, _ in parts):
        return True
    today = clock.today()
    return any(
        link.other_id == user_id and link.on(clock.day_of(at), today)
        for link in links_of([viewer.user_id])
        for user_id, at in parts
    )


def waiting_for(viewer: Viewer) -> int:
    """How many corrections by sheet that somebody else brought wait for the viewer to look at and confirm."""
    if not (viewer.may(WRITE) and viewer.may(APPROVE)):
        return 0
    waiting = SheetImport.objects.visible_to(viewer).filter(
        mode=ImportMode.CORRECTION, status=ImportStatus.PREVIEWED, preview__changes__reviewed=True
    )
    return sum(may_decide(viewer, row) for row in waiting)


def _require_decider(viewer: Viewer, row: SheetImport) -> None:
    _require(viewer, row.area, row.mode)
    if not may_decide(viewer, row):
        raise SecondPersonNeeded(number=row.pk)


@dataclass(frozen=True, slots=True)
class _Put:
    """A file put away: which sheet it is, and what was learned of it."""

    kind: SheetKind
    name: str
    sealed: Sealed


def _put_away(mode: str, each: Bringing) -> _Put:
    """Raises FileRefused, WorkbookRefused, SheetBroughtBefore."""
    source = Source(each.name or "", each)
    kind = kind_of(source.parts)
    with lake().publishing(RAW.format(name=uuid4().hex)) as staging:
        sealed = raw.seal(source, staging)
        _require_fresh(mode, sealed.file_hash)  # leaving now leaves nothing
    return _Put(kind, clean_name(Path(source.name).name, "")[:_LONGEST_NAME], sealed)


def _add(viewer: Viewer, row: SheetImport, put: Sequence[_Put]) -> None:
    """Write the files of an import; in the transaction that refers to them."""
    for each in put:
        if queries.files_of(viewer, row).filter(sheet=each.kind).exists():
            raise SheetTwice(sheet=each.kind.label)
        try:
            with transaction.atomic():
                SheetFile.objects.create(
                    of=row,
                    area=row.area,
                    mode=row.mode,
                    sheet=each.kind,
                    file_name=each.name,
                    file_hash=each.sealed.file_hash,
                    file_bytes=each.sealed.size,
                    raw=each.sealed.address,
                    brought_by=viewer.user_id,
                    brought_at=clock.now(),
                )
        except IntegrityError:
            _require_fresh(row.mode, each.sealed.file_hash)  # it arrived at the same moment and was faster
            raise
    _record(viewer, row, _Done.BROUGHT, files=len(put))


def _require_fresh(mode: str, file_hash: str) -> None:
    # whoever brought it first need not be visible to this viewer; only number and day are told
    everything = SheetFile.objects.visible_to(system_viewer("registry.earlier"))
    same = everything.filter(mode=mode, file_hash=file_hash, counts=True).first()
    if same is not None:
        raise SheetBroughtBefore(number=same.of_id, brought_on=clock.day_of(same.brought_at))


def _begin(viewer: Viewer, row: SheetImport, *, background: bool) -> None:
    """Say that there is something to read, if there is, and queue it; the import is new or held."""
    whole = row.mode == ImportMode.CORRECTION or queries.files_of(viewer, row).count() == len(SheetKind)
    row.status = ImportStatus.RECEIVED if whole else ImportStatus.WAITING
    if whole and background:
        row.job_id = enqueue(
            READ_TASK, {"import_id": row.pk}, viewer=viewer, title="读取户表和成员表", key=f"{READ_TASK}:{row.pk}"
        ).pk
    row.save(update_fields=["status", "job_id"])


@dataclass(slots=True)
class Outcome:
    """What the sheets would do, as they stand now."""

    sheets: dict[SheetKind, Rows]
    year: int
    year_said: bool = True  # False where no row that could be read was left to say it
    new: Registration | None = None
    changes: Corrections = field(default_factory=Corrections)

    @property
    def is_reviewed(self) -> bool:
        """Whether somebody else must look at some of the corrections before they stand (ADR 0051)."""
        return any(
            levels_for(name, region, proposes_only=False) != DIRECT
            for name in self.changes.fields
            for region in self.changes.areas
        )

    @property
    def does_anything(self) -> bool:
        if self.new is not None:
            return bool(self.new.households or self.new.persons)
        return bool(self.changes.edits)

    def digest(self) -> str:
        """Keyed, of every row that would be taken in and every value that would change."""
        told = keyring().content_digest()
        for kind, rows in sorted(self.sheets.items()):
            told.update(f"{kind} {rows.counts()}".encode())
            told.update(rows.lines[rows.alive & ~rows.known].tobytes())
        for edit in self.changes.edits:
            said = f"{edit.field}\x1f{edit.household_no}\x1f{edit.person_no}\x1f{edit.expected_old}\x1f{edit.new}\x1e"
            told.update(said.encode())
        return told.hexdigest()


def read_sheets(*, viewer: Viewer, import_id: int, job: JobHandle | None = None) -> SheetImport:
    """Read what was brought and show what it would do; nothing is done until it is applied.

    Raises NotVisible. Asked again it answers with the import as it is; so it does when the import was
    cancelled while it was read.
    """
    row = queries.import_for(viewer, import_id)
    if row.status != ImportStatus.RECEIVED:
        return row
    files = list(queries.files_of(viewer, row))
    try:
        outcome = _outcome(viewer, row, files, _progress(job))
    except (FileRefused, WorkbookRefused, SheetTooLong, YearNeeded, YearNotOpen, ColumnsNeeded) as refused:
        what, cure = ({language: refused.sentences(language)[n] for language in ("zh", "en")} for n in range(2))
        told = {"code": refused.code, "what": what, "cure": cure}
        with _finishing(job):
            if _move(viewer, row, files, status=ImportStatus.UNREADABLE, refusal=told):
                queries.files_of(viewer, row).update(counts=False)
                _record(viewer, row, _Done.UNREADABLE, refusal=refused.code)
        return row
    _keep_problems(row, outcome)
    with _finishing(job):
        _show(viewer, row, files, outcome)
        reached("registry.sheets_read")
    return row


def apply_sheets(*, viewer: Viewer, import_id: int, job: JobHandle | None = None) -> SheetImport:
    """Do what was shown, in one transaction, or nothing.

    Raises NotVisible, ImportMovedOn, NothingToImport, NotAllowed; SecondPersonNeeded; PreviewOutdated when by
    now the sheets would do something else, after making the preview anew.
    """
    row = _standing(viewer, import_id, (ImportStatus.PREVIEWED,))
    _require_decider(viewer, row)
    files = list(queries.files_of(viewer, row))
    outcome = _outcome(viewer, row, files, _progress(job))
    if outcome.digest() != row.digest:
        _keep_problems(row, outcome)
        with transaction.atomic():
            shown = _show(viewer, row, files, outcome)
        if not shown:
            raise _moved_on(row)
        raise PreviewOutdated(number=row.pk)
    if not outcome.does_anything:
        raise NothingToImport(number=row.pk)

    def done(event_id: UUID | None) -> None:
        decided = {"event_id": event_id, "decided_by": viewer.user_id, "decided_at": clock.now()}
        if not _move(viewer, row, files, status=ImportStatus.DONE, **decided):
            raise _moved_on(row)
        _record(viewer, row, _Done.APPLIED, event=str(event_id))
        reached("registry.sheets_applied")

    if outcome.new is not None:
        load_registry(
            viewer=viewer,
            batch=outcome.new.batch,
            year=outcome.year,
            joined=outcome.new.joined,
            within=partial(_finishing, job),
            also=done,
        )
    else:
        with _finishing(job):
            changed = correct(viewer=viewer, edits=outcome.changes.edits, reason=REASON.format(number=row.pk))
            done(changed.event_id)
    return row


@transaction.atomic
def read_later(*, viewer: Viewer, import_id: int) -> SheetImport:
    """Queue the reading of an import whose job was cancelled or failed. Raises NotVisible, ImportMovedOn."""
    row = _held(viewer, import_id, (ImportStatus.RECEIVED,))
    _begin(viewer, row, background=True)
    _record(viewer, row, _Done.ASKED_TO_READ)
    return row


@transaction.atomic
def apply_later(*, viewer: Viewer, import_id: int) -> SheetImport:
    """Queue the applying of what was shown. Raises NotVisible, ImportMovedOn, NotAllowed."""
    row = _held(viewer, import_id, (ImportStatus.PREVIEWED,))
    _require_decider(viewer, row)
    job = enqueue(
        APPLY_TASK, {"import_id": row.pk}, viewer=viewer, title="导入户表和成员表", key=f"{APPLY_TASK}:{row.pk}"
    )
    row.job_id = job.pk
    row.save(update_fields=["job_id"])
    _record(viewer, row, _Done.CONFIRMED)
    return row


@transaction.atomic
def cancel(*, viewer: Viewer, import_id: int) -> SheetImport:
    """Give an import up before it was applied; the same files may then be brought again.

    Raises NotVisible, ImportMovedOn.
    """
    row = _held(viewer, import_id, (ImportStatus.WAITING, ImportStatus.RECEIVED, ImportStatus.PREVIEWED))
    row.status, row.decided_by, row.decided_at = ImportStatus.CANCELLED, viewer.user_id, clock.now()
    row.save(update_fields=["status", "decided_by", "decided_at"])
    queries.files_of(viewer, row).update(counts=False)
    _record(viewer, row, _Done.CANCELLED)
    return row


def reject_sheet(*, viewer: Viewer, import_id: int, kind: SheetKind, form: Format = Format.CSV) -> Iterator[bytes]:
    """The refused rows in the sender's columns with one more, 问题; made from the encrypted file, recorded first.

    Raises NotVisible, ImportMovedOn, SheetEnded.
    """
    row = queries.import_for(viewer, import_id)
    file = queries.files_of(viewer, row).filter(sheet=kind).first()
    if file is None or not file.layout:
        raise ImportMovedOn(number=row.pk, status=row.get_status_display())
    if file.removed_on is not None:
        raise SheetEnded(number=row.pk, removed_on=file.removed_on)
    table = Table(
        title=PROBLEM_COLUMN,
        header=[*file.layout["header"], PROBLEM_COLUMN],
        rows=_rejected(row, file),
        promised=file.rejected,
        account=viewer.name,
        conditions=[(str(SheetKind(kind).label), f"{file.file_name} ({row.pk})")],
        signed=False,
    )
    return export(
        table,
        form,
        viewer=viewer,
        area=row.area,
        act="registry.reject_sheet",
        content={"import": row.pk, "sheet": str(kind)},
    )


def _rejected(row: SheetImport, file: SheetFile) -> Iterator[list[str]]:
    contract = sheet(SheetKind(file.sheet))
    told: dict[int, list[str]] = {}
    kept = pq.read_table(lake().path(row.kept, _FILE), filters=[("sheet", "=", file.sheet)])
    for line, name, code in zip(*(kept.column(n).to_pylist() for n in ("line", "field", "problem")), strict=True):
        if sentence_of(code)[0] == "reject":
            told.setdefault(line, []).append(in_words(name, code, contract))
    header = file.layout["header"]
    width = len(header)
    lines = pa.array(sorted(told), pa.int32()).to_numpy()
    found = raw.rows_at(file.raw, lines, width=width, delimiter=file.layout["delimiter"], sheets=file.layout["sheets"])
    for line, cells in found:
        yield [*cells[:width], *[""] * (width - len(cells)), ";".join(told[line]), *cells[width:]]


def _outcome(viewer: Viewer, row: SheetImport, files: Sequence[SheetFile], progress: Progress) -> Outcome:
    """What the sheets would do now.

    Raises FileRefused, WorkbookRefused, SheetTooLong, YearNeeded, YearNotOpen, ColumnsNeeded.
    """
    sheets: dict[SheetKind, Rows] = {}
    before = 0
    for file in files:
        sheets[SheetKind(file.sheet)] = rows = read(file.raw, lambda lines, done=before: progress(done + lines))  # type: ignore[misc]
        before += rows.total
    opened = ReportingYear.objects.filter(state=YearState.OPEN).values_list("year", flat=True).first()
    said = row.year or _year_of(sheets)
    year = said or opened or clock.today().year
    for rows in sheets.values():
        rows.refuse(flags(pc.not_equal(rows.column("year"), year)), "year", RejectReason.OTHER_YEAR)
    outcome = Outcome(sheets, year, year_said=said is not None)
    if row.mode == ImportMode.NEW:
        if opened not in (None, year):
            raise YearNotOpen(year=year, open=opened)
        homes, people = sheets[SheetKind.HOUSEHOLDS], sheets[SheetKind.MEMBERS]
        source = ", ".join(file.file_hash[:16] for file in files)
        outcome.new = registration(
            viewer=viewer, homes=homes, people=people, area=row.area, year=year, terms=row.terms, source=source
        )
    else:
        for rows in sheets.values():
            compare(viewer, rows, row.area, year, outcome.changes)
    return outcome


def _year_of(sheets: Mapping[SheetKind, Rows]) -> int | None:
    """The year most rows say; None if not one of them could be read. Raises YearNeeded."""
    said: Counter[int] = Counter()
    for rows in sheets.values():
        said.update(year for year in rows.column("year").to_pylist() if year)
    if not said and not any(len(rows.lines) for rows in sheets.values()):
        return None
    if not said:
        raise YearNeeded
    return said.most_common(1)[0][0]


def _keep_problems(row: SheetImport, outcome: Outcome) -> None:
    if lake().exists(row.kept):
        lake().discard(row.kept)
    with lake().publishing(row.kept) as staging:
        told = [(kind.value, *each) for kind, rows in outcome.sheets.items() for each in rows.told()]
        columns = list(zip(*told, strict=True)) or [()] * len(PROBLEMS)
        table = pa.table(
            {name: pa.array(values, kind.arrow) for (name, kind), values in zip(PROBLEMS.items(), columns, strict=True)}
        )
        write_parquet(staging.path(_FILE), table, PROBLEMS)


def _show(viewer: Viewer, row: SheetImport, files: Sequence[SheetFile], outcome: Outcome) -> bool:
    """Write down what the sheets would do; False, and nothing is written, if the import has moved on meanwhile."""
    preview: dict[str, Any] = {"sheets": {kind.value: preview_of(rows) for kind, rows in outcome.sheets.items()}}
    if outcome.new is not None:
        villages = Counter(code[:TOWNSHIP] for code in outcome.new.villages)
        preview["new"] = {
            "households": outcome.new.households,
            "persons": outcome.new.persons,
            "areas": dict(sorted(villages.items())),
        }
    else:
        preview["changes"] = {
            "values": len(outcome.changes.edits),
            "reviewed": outcome.is_reviewed,
            **in_figures(outcome.changes),
        }
    shown = {"preview": preview, "year": outcome.year if outcome.year_said else None, "digest": outcome.digest()}
    if not _move(viewer, row, files, status=ImportStatus.PREVIEWED, **shown):
        return False
    for file in files:
        rows = outcome.sheets[SheetKind(file.sheet)]
        layout = rows.layout
        file.layout = {
            "header": list(layout.header),
            "delimiter": layout.delimiter,
            "sheets": [] if rows.plan is None else [number for number, _ in rows.plan.sheets],
        }
        for name, count in rows.counts().items():
            setattr(file, name, count)
        file.save(update_fields=["layout", "lines", "accepted", "known", "rejected", "non_data"])
    _record(viewer, row, _Done.PREVIEWED, rejected=sum(file.rejected for file in files))
    return True


def _move(viewer: Viewer, row: SheetImport, files: Sequence[SheetFile], **to: Any) -> bool:
    """Move an import on from where it stood when `row` and its files were read; False if it stands elsewhere by now.

    `row` is afterwards what the database says, either way.
    """
    here = SheetImport.objects.visible_to(viewer).filter(pk=row.pk, status=row.status, digest=row.digest)
    held = list(locked(here).values_list("pk"))
    mine, now = {file.pk for file in files}, queries.files_of(viewer, row).values_list("pk", flat=True)
    moved = bool(held) and mine == set(now) and here.update(**to) == 1
    row.refresh_from_db()
    return moved


def _moved_on(row: SheetImport) -> ImportMovedOn:
    return ImportMovedOn(number=row.pk, status=row.get_status_display())


def _standing(viewer: Viewer, import_id: int, states: Sequence[ImportStatus]) -> SheetImport:
    """An import in one of these states, as far as reading tells. Raises NotVisible, ImportMovedOn."""
    row = queries.import_for(viewer, import_id)
    if row.status not in states:
        raise _moved_on(row)
    return row


def _held(viewer: Viewer, import_id: int, states: Sequence[ImportStatus]) -> SheetImport:
    """An import in one of these states, under a lock until the transaction ends. Raises NotVisible, ImportMovedOn."""
    list(locked(SheetImport.objects.visible_to(viewer).filter(pk=import_id)).values_list("pk"))
    return _standing(viewer, import_id, states)


def _progress(job: JobHandle | None) -> Progress:
    def tell(lines: int) -> None:
        if job is not None:
            job.progress(lines)
            job.check()

    return tell


def _finishing(job: JobHandle | None) -> AbstractContextManager[None]:
    return transaction.atomic() if job is None else job.finishing()


def _record(viewer: Viewer, row: SheetImport, done: _Done, **content: str | int) -> None:
    record(
        Kind.DELIVERY,
        viewer=viewer,
        area=row.area,
        act="registry.import_sheets",
        content={
            "import": row.pk,
            "status": str(row.status),
            "mode": str(row.mode),
            "done": done.value.zh,
            "done_en": done.value.en,
            **content,
        },
    )
