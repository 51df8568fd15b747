"""Taking a file in: what it is, whether it came before, and putting it away.

The file goes into the lake first and the batch into the database last, so a process that stops
in between leaves an encrypted file nobody refers to, and no batch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from uuid import uuid4

from django.db import IntegrityError, transaction

from wanjia.audit.services import Kind, record
from wanjia.divisions.resolver import mentioned
from wanjia.engine.workbook.process import SheetBeginning
from wanjia.files.rules import clean_name
from wanjia.intake import raw
from wanjia.intake.errors import UnknownLayout
from wanjia.intake.layout import Beginning, Layout, titles_of
from wanjia.intake.opening import beginnings, recognised
from wanjia.intake.raw import Sealed, Source, Upload
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.protection import masking
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import NotAllowed
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries
from wanjia.sources.choices import OVER, BatchStatus, DeliveryMode
from wanjia.sources.contracts import Contract, contract_for, contracts, departments
from wanjia.sources.errors import AlreadyDelivered, BatchMovedOn, OtherDepartment, OutsideCoverage, PeriodNeeded
from wanjia.sources.intake.proposal import Proposal, likeliest, proposed
from wanjia.sources.models import Batch
from wanjia.sources.services.mapping import in_force, map_columns, plain_proposal, saved_for

TASK = "sources.intake"
AS_NAMED = "?"  # for an area: what the file's name or title says, else the widest the viewer delivers for
_LONG_NUMBER = re.compile(r"[0-9]{15,}[Xx]?")
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_EXTENSION = re.compile(r"\.[A-Za-z]{1,5}$")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the sender says of a delivery beside the file; what is not said is the contract's or the file's."""

    mode: DeliveryMode | None = None
    period: tuple[date | None, date | None] = (None, None)
    as_of: date | None = None

    def mode_under(self, contract: Contract) -> DeliveryMode:
        """How it is delivered. Raises PeriodNeeded when the period does not go with it."""
        mode = self.mode or contract.mode
        first, last = self.period
        if mode is DeliveryMode.PERIOD:
            if first is None or last is None or first > last:
                raise PeriodNeeded
        elif first is not None or last is not None:
            raise PeriodNeeded
        return mode


def deliver(  # noqa: PLR0913 - what a delivery is, all by name
    *,
    viewer: Viewer,
    path: Path | None = None,
    upload: Upload | None = None,
    dataset: str | None = None,
    area: str | None = None,
    terms: Terms | None = None,
    background: bool = False,
) -> Batch:
    """Put a department's file away, encrypted, as a batch still to be read.

    With `background` a job is queued, in the same commit, that reads it. A file whose header is
    unknown waits with a proposal until somebody says what its columns are (`map_columns`).

    Its beginning is looked at before anything is kept: `dataset` may be left out, the header
    tells; `area` is what the delivery covers, the contract's coverage if not said, or AS_NAMED. Raises
    EmptyFile, UnsupportedFormat, BinaryFile, Undecodable, UnknownLayout, WrongDataset, HiddenSheet,
    WorkbookRefused, UnknownDataset, OutsideCoverage, PeriodNeeded, NotAllowed, AlreadyDelivered.
    """
    source = _source(path, upload)
    every = list(contracts().values())
    found = beginnings(source.parts, every)
    named = _named_area(source, [table for _, table in found], every)
    likely = next(iter(_areas(viewer, named)), None) if area == AS_NAMED else area
    seen = _recognised(viewer, found, dataset, likely)
    contract = seen.contract
    covered = _covered(viewer, contract, _as_named(viewer, contract, named) if area == AS_NAMED else area)
    terms = terms or Terms()
    terms.mode_under(contract)
    with lake().publishing(f"raw/{contract.dataset}/delivery={uuid4().hex}") as staging:
        sealed = raw.seal(
            source,
            staging,
            dataset=contract.dataset,
            retention_class=contract.retention_class,
            retention_days=contract.retention_days,
        )
        _require_new(contract.dataset, sealed.file_hash)  # leaving now leaves nothing
    batch = _new_batch(viewer, source, seen, covered, sealed, terms)
    batch.named_area = named
    _keep(viewer, batch, background=background)
    return batch


@transaction.atomic
def read_again(*, viewer: Viewer, batch_id: int) -> Batch:
    """Queue the reading of a batch whose job was cancelled or failed. Raises NotVisible, BatchMovedOn."""
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    if batch.status != BatchStatus.RECEIVED:
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
    _queue(viewer, batch)
    record(Kind.DELIVERY, viewer=viewer, area=batch.area, act="sources.read_again", subject=("batch", batch.pk))
    return batch


@transaction.atomic
def map_and_read(*, viewer: Viewer, batch_id: int, columns: Sequence[str]) -> Batch:
    """`map_columns`, and in the same commit a job that reads the file. Raises what it raises."""
    batch = map_columns(viewer=viewer, batch_id=batch_id, columns=columns)
    _queue(viewer, batch)
    return batch


def _queue(viewer: Viewer, batch: Batch) -> None:
    args = {"batch_id": batch.pk, "dataset": batch.dataset}
    key = f"{TASK}:{batch.pk}:{batch.mapping_id or 0}"
    batch.job_id = enqueue(TASK, args, viewer=viewer, title="读取部门数据文件", key=key).pk
    batch.save(update_fields=["job_id"])


def _source(path: Path | None, upload: Upload | None) -> Source:
    if path is not None and upload is None:
        return Source(path.name, path)
    if upload is not None and path is None:
        return Source(Path(upload.name or "").name, upload)
    raise TypeError("deliver takes a path or an upload")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a file is taken for by its beginning: known, or proposed to a person."""

    contract: Contract
    layout: Layout | None
    proposal: Proposal | None = None


def _recognised(
    viewer: Viewer, found: Sequence[tuple[SheetBeginning | None, Beginning]], dataset: str | None, area: str | None
) -> _Seen:
    """What the file is. Raises UnknownLayout where not even a proposal can be made."""
    every = list(contracts().values())
    if dataset is not None:
        contract_for(dataset)
    try:
        layout = recognised(found, every, wanted=dataset, saved=saved_for(every, area)).layout
    except UnknownLayout as unknown:
        proposal = _proposal(viewer, found, dataset)
        if proposal is None:
            raise unknown from None
        return _Seen(proposal.contract, None, proposal)
    return _Seen(contract_for(layout.contract.dataset), layout)


def _proposal(
    viewer: Viewer, found: Sequence[tuple[SheetBeginning | None, Beginning]], dataset: str | None
) -> Proposal | None:
    """What the columns may be, of the tables that can be seen and the datasets that may be meant."""
    tables = [table for sheet, table in found if sheet is None or (sheet.table and not sheet.hidden)]
    if dataset is not None:
        return likeliest(proposed(table, contract_for(dataset), clock.today()) for table in tables)
    meant = queries.deliverable(viewer)
    best = likeliest(proposed(table, contract, clock.today()) for table in tables for contract in meant)
    return best if best is not None and best.is_convincing else None


def _named_area(source: Source, tables: Sequence[Beginning], datasets: Sequence[Contract]) -> str:
    """The city or county that the file's name or title is about; empty if there is none or are several."""
    said = " ".join([source.name, *(title for table in tables for title in titles_of(table))])
    found = mentioned(said, within=min((contract.coverage for contract in datasets), key=len))
    return found[0] if len(found) == 1 else ""


def _areas(viewer: Viewer, named: str) -> list[str]:
    """What a delivery that does not say may cover: the place it names, then the viewer's own, the widest first."""
    own = sorted(grant.area.lo for grant in viewer.grants_for(queries.LOAD))
    return [code for code in (named, *own) if code]


def _as_named(viewer: Viewer, contract: Contract, named: str) -> str | None:
    return next((code for code in _areas(viewer, named) if queries.may_deliver(viewer, contract, code)), None)


def _covered(viewer: Viewer, contract: Contract, area: str | None) -> str:
    covered = area or contract.coverage
    if not AreaRange.of(contract.coverage).covers(AreaRange.of(covered)):
        raise OutsideCoverage(area=covered, coverage=contract.coverage)
    if not queries.may_deliver(viewer, contract, covered):
        if any(queries.may_deliver(viewer, contract, grant.area.lo) for grant in viewer.grants_for(queries.LOAD)):
            raise NotAllowed(action=queries.LOAD)  # elsewhere he may
        raise OtherDepartment(dataset=contract.title, department=departments()[contract.department])
    return covered


def _require_new(dataset: str, file_hash: str) -> None:
    # whoever brought it first need not be visible to this viewer; only number and day are told
    everything = Batch.objects.visible_to(system_viewer("sources.earlier"))
    same = everything.filter(dataset=dataset, file_hash=file_hash).exclude(status__in=OVER).first()
    if same is not None:
        undo = AlreadyDelivered.WITHDRAW if same.status == BatchStatus.ACCEPTED else AlreadyDelivered.SEND_BACK
        raise AlreadyDelivered(batch=same.pk, received_on=clock.day_of(same.received_at), undo=undo)


def _new_batch(  # noqa: PLR0913 - all that is known of a delivery
    viewer: Viewer, source: Source, seen: _Seen, covered: str, sealed: Sealed, terms: Terms
) -> Batch:
    contract, layout = seen.contract, seen.layout
    used = in_force(contract.dataset, covered) if layout else []
    return Batch(
        status=BatchStatus.RECEIVED if layout else BatchStatus.MAPPING,
        proposal=plain_proposal(seen.proposal) if seen.proposal else {},
        mapping=next((mapping for mapping in used if layout and mapping.layout == layout.fingerprint), None),
        department=contract.department,
        dataset=contract.dataset,
        contract_version=contract.version,
        area=covered,
        delivery_mode=terms.mode_under(contract),
        as_of=(layout.as_of if layout else None) or terms.as_of,
        period_from=terms.period[0],
        period_to=terms.period[1],
        file_name=_told_name(source.name),
        file_hash=sealed.file_hash,
        file_bytes=sealed.size,
        raw=sealed.address,
        received_by=viewer.user_id,
        received_at=clock.now(),
    )


def _told_name(name: str) -> str:
    """The sender's file name as it may be kept and shown: people write identity numbers and telephones into names."""
    told = _LONG_NUMBER.sub(lambda found: masking.mask_id(found[0]), unicodedata.normalize("NFKC", name))
    told = _MOBILE.sub(lambda found: masking.mask_phone(found[0]), told)
    return clean_name(told, extension[0].lower() if (extension := _EXTENSION.search(told)) else "")


def _keep(viewer: Viewer, batch: Batch, *, background: bool) -> None:
    """Write the batch, its record and its job in one commit."""
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
            if background and batch.status == BatchStatus.RECEIVED:
                _queue(viewer, batch)
            record(
                Kind.DELIVERY,
                viewer=viewer,
                area=batch.area,
                act="sources.receive",
                subject=("batch", batch.pk),
                content={"dataset": batch.dataset, "file_hash": batch.file_hash, "bytes": batch.file_bytes},
            )
            reached("sources.delivering")
            transaction.on_commit(partial(reached, "sources.delivered"))
    except IntegrityError:
        _require_new(batch.dataset, batch.file_hash)  # the same file arrived at the same moment and was faster
        raise
