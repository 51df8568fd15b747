"""Reading a delivery: typed rows into the lake, counts and a preview onto the batch.

The typed rows are published under the batch's number before the batch says they are there. A
reading that stops in between is done again and finds them published: they are the rows of the
same file under the contract their manifest names, so it takes their figures and goes on.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from wanjia.audit.services import Kind, record
from wanjia.intake import raw, reading
from wanjia.intake.contracts import Field, Reading
from wanjia.intake.layout import Layout
from wanjia.intake.opening import REFUSED, Plan, Recognised, beginnings, recognised, text_of
from wanjia.intake.reading import DeliveryReader, Part
from wanjia.intake.samples import visible
from wanjia.jobs.handle import JobHandle
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.lake import Columns, Staging, arrow_schema
from wanjia.lake.parquet import ROW_GROUP
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries
from wanjia.sources.choices import BatchStatus
from wanjia.sources.contracts import Contract, contract_for
from wanjia.sources.errors import BatchMovedOn
from wanjia.sources.intake.figures import Figures
from wanjia.sources.models import Batch
from wanjia.sources.services import guards

ROWS_PER_FILE = 1_000_000

REJECTS_FILE, PROBLEMS_FILE, NON_DATA_FILE = "rejects.parquet", "problems.parquet", "non-data.parquet"


def inspect(*, viewer: Viewer, batch_id: int, job: JobHandle | None = None) -> Batch:
    """Read a received delivery and show what it holds; nothing of it counts until it is accepted.

    Afterwards the batch is previewed, held when a guard finds it doubtful, or unreadable with the
    reason. Asked again it answers with the batch as it is. Raises NotVisible, BatchMovedOn.
    """
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    if batch.status != BatchStatus.RECEIVED:
        return batch
    contract = contract_for(batch.dataset)
    try:
        facts = _published_facts(batch, contract, job)
    except REFUSED as refused:
        sentences = {
            part: {language: refused.sentences(language)[number] for language in ("zh", "en")}
            for number, part in enumerate(("what", "cure"))
        }
        changes: dict[str, Any] = {"status": BatchStatus.UNREADABLE, "refusal": {"code": refused.code, **sentences}}
    else:
        holds = guards.holds_of(batch, facts["figures"])
        changes = {"status": BatchStatus.HELD if holds else BatchStatus.PREVIEWED, "holds": holds, **facts}
    with _finishing(job):
        if not Batch.objects.visible_to(viewer).filter(pk=batch.pk, status=BatchStatus.RECEIVED).update(**changes):
            raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
        batch.refresh_from_db()
        _record(viewer, batch)
        reached("sources.reading")
        transaction.on_commit(partial(reached, "sources.read"))
    return batch


def _finishing(job: JobHandle | None) -> AbstractContextManager[None]:
    return transaction.atomic() if job is None else job.finishing()


def _record(viewer: Viewer, batch: Batch) -> None:
    counts = {name: getattr(batch, name) for name in ("lines", "accepted", "warned", "rejected", "non_data")}
    record(
        Kind.DELIVERY,
        viewer=viewer,
        area=batch.area,
        act="sources.inspect",
        subject=("batch", batch.pk),
        content={
            "status": batch.status,
            "refusal": batch.refusal.get("code", ""),
            "held": ", ".join(hold["guard"] for hold in batch.holds),
            **counts,
        },
    )


def _published_facts(batch: Batch, contract: Contract, job: JobHandle | None) -> dict[str, Any]:
    """The batch's figures; reads and publishes the rows unless an earlier attempt has."""
    if lake().exists(batch.typed) and lake().read_manifest(batch.typed).facts.get("mapping") != batch.mapping_id:
        lake().discard(batch.typed)  # read by what its columns were taken for before
    if not lake().exists(batch.typed):
        found = _recognised(batch, contract)
        with lake().publishing(batch.typed) as staging:
            _publish(batch, found, staging, job)
    facts: dict[str, Any] = dict(lake().read_manifest(batch.typed).facts["batch"])
    return facts


def _recognised(batch: Batch, contract: Contract) -> Recognised:
    """The layout of the batch's file, by the mapping it was received with if there is one."""
    found = beginnings(partial(raw.opened, batch.raw), [contract])
    mapping = batch.mapping
    saved = {} if mapping is None else {contract.dataset: {mapping.layout: mapping.columns}}
    return recognised(found, [contract], wanted=contract.dataset, saved=saved)


def _publish(batch: Batch, found: Recognised, staging: Staging, job: JobHandle | None) -> None:
    layout, contract = found.layout, contract_for(batch.dataset)
    reader = DeliveryReader(layout, today=clock.today(), keyring=keyring())
    if found.plan is None:
        text = raw.text(batch.raw)
    else:
        text = text_of(found, raw.opened(batch.raw), reader.remarks, reader.above)
    figures = Figures(contract, keyring())
    with _Sheets(staging, contract) as sheets:
        expected = raw.manifest_of(batch.raw).facts["lines"]
        for part in reader.parts(text):
            sheets.add(part)
            figures.see(part.typed)
            reached("sources.rows_staged")
            if job is not None:
                job.progress(part.end - 1, max(expected, part.end - 1))
                job.check()
    tally = reader.tally
    encoding = raw.encoding_of(raw.manifest_of(batch.raw))
    staging.manifest.update(
        dataset=batch.dataset,
        mapping=batch.mapping_id,
        encoding=encoding.name,
        delimiter=layout.delimiter,
        header=list(layout.header),
        sheets=[] if found.plan is None else [number for number, _ in found.plan.sheets],
        batch={
            "contract_version": contract.version,
            "lines": tally.lines,
            "accepted": tally.accepted,
            "warned": tally.warned,
            "rejected": tally.rejected,
            "non_data": tally.non_data.total(),
            "figures": figures.told(sheets.typed_paths) | {"rows": tally.rows, "stated": tally.stated},
            "preview": _preview(reader, encoding.shown) | _workbook(found.plan, reader),
        },
    )


def _workbook(plan: Plan | None, reader: DeliveryReader) -> dict[str, Any]:
    """What the page says of a workbook: which sheets were read and where they begin, which were not and why."""
    if plan is None:
        return {}
    begins = reader.remarks.begins
    return {
        "sheets": [{"name": visible(name), "begins": begins[number]} for number, name in plan.sheets],
        "unread": [{"name": visible(name), "why": str(why)} for name, why in plan.unread],
        "hidden_columns": [visible(name) for name in plan.hidden_columns],
    }


def _preview(reader: DeliveryReader, encoding: str) -> dict[str, Any]:
    """What the page shows, as plain JSON; personal values are masked already."""
    layout, tally, examples = reader.layout, reader.tally, reader.examples
    return {
        "encoding": encoding,
        "delimiter": layout.delimiter,
        "header_line": layout.header_line,
        "layout": layout.fingerprint,
        "columns": [
            {"header": visible(column.header), **_understood(layout, column.field), "samples": samples}
            for column, samples in zip(layout.columns, examples.columns or [[]] * layout.width, strict=True)
        ],
        "missing": [item.name for item in layout.missing],
        "problems": [
            {"field": name, "problem": problem, "count": count, "examples": examples.problems[name, problem]}
            for (name, problem), count in sorted(tally.problems.items())
        ],
        "non_data": dict(sorted(tally.non_data.items())),
    }


def _understood(layout: Layout, field: Field | None) -> dict[str, Any]:
    if field is None:
        return {"field": ""}
    if field.reading is not Reading.MONEY:
        return {"field": field.name}
    return {"field": field.name, "unit": layout.unit_of(field), "unit_said": bool(layout.unit_said(field))}


class _Sheets:
    """The files of a batch, written side by side as the delivery is read."""

    def __init__(self, staging: Staging, contract: Contract) -> None:
        self._typed = _Sheet(staging, "part-{number}.parquet", contract.columns)
        self._others = (
            _Sheet(staging, REJECTS_FILE, reading.REJECTS),
            _Sheet(staging, PROBLEMS_FILE, reading.PROBLEMS),
            _Sheet(staging, NON_DATA_FILE, reading.NON_DATA),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for sheet in (self._typed, *self._others):
            sheet.close(flush=kind is None)

    @property
    def typed_paths(self) -> list[Path]:
        """The files of the accepted rows, once all are written."""
        return self._typed.paths

    def add(self, part: Part) -> None:
        self._typed.add(part.typed)
        for sheet, rows in zip(self._others, (part.rejects, part.problems, part.non_data), strict=True):
            sheet.add(rows)


class _Sheet:
    """One kind of rows, in full row groups; a name with a number makes a new file every million rows."""

    def __init__(self, staging: Staging, name: str, columns: Columns) -> None:
        self._staging, self._name = staging, name
        self._schema = arrow_schema(columns)
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None
        self._number = self._rows = 0
        self.paths: list[Path] = []

    def add(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        while sum(table.num_rows for table in self._waiting) >= ROW_GROUP:
            whole = pa.concat_tables(self._waiting)
            self._write(whole.slice(0, ROW_GROUP))
            self._waiting = [whole.slice(ROW_GROUP)]

    def close(self, *, flush: bool) -> None:
        if flush:
            self._write(pa.concat_tables(self._waiting) if self._waiting else self._schema.empty_table())
        if self._writer is not None:
            self._writer.close()

    def _write(self, rows: pa.Table) -> None:
        if self._writer is not None and "{" in self._name and self._rows >= ROWS_PER_FILE:
            self._writer.close()
            self._writer, self._number, self._rows = None, self._number + 1, 0
        if self._writer is None:
            path = self._staging.path(self._name.format(number=self._number))
            self.paths.append(path)
            self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", write_page_index=True)
        if rows.num_rows:
            self._writer.write_table(rows, row_group_size=ROW_GROUP)
            self._rows += rows.num_rows
