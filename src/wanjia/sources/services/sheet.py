"""The reject sheet: the rows that were not accepted, as the sender wrote them, with what is wrong.

Made on demand from the encrypted file and never kept, because it holds what the typed rows must
not: identity numbers as written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import pyarrow.parquet as pq

from wanjia.audit.exports import export
from wanjia.intake import raw
from wanjia.intake.rules import PROBLEMS
from wanjia.lake import Manifest
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries
from wanjia.sources.choices import BatchStatus
from wanjia.sources.contracts import Contract, contract_for
from wanjia.sources.errors import BatchMovedOn
from wanjia.sources.models import Batch
from wanjia.sources.services.inspect import PROBLEMS_FILE, REJECTS_FILE
from wanjia.ui.sheets import Format, Table

COLUMN = "问题"


def reject_sheet(*, viewer: Viewer, batch_id: int, form: Format = Format.CSV) -> Iterator[bytes]:
    """The rejected rows in the sender's columns with one more, 问题.

    The export is recorded before the first byte. In a CSV a cell that a spreadsheet would compute
    or round is preceded by an apostrophe, which intake takes off again: a corrected sheet can be
    delivered as it is. Raises NotVisible, BatchMovedOn.
    """
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    if batch.status in (BatchStatus.RECEIVED, BatchStatus.MAPPING, BatchStatus.UNREADABLE) or not batch.preview:
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
    manifest = lake().read_manifest(batch.typed)
    contract = contract_for(batch.dataset)
    table = Table(
        title=COLUMN,
        header=[*manifest.facts["header"], COLUMN],
        rows=_rows(batch, contract, manifest),
        promised=batch.rejected,
        account=viewer.name,
        conditions=[(contract.title.zh, f"{batch.file_name} ({batch.pk})")],
        signed=False,
    )
    return export(
        table,
        form,
        viewer=viewer,
        area=batch.area,
        act="sources.reject_sheet",
        subject=("batch", batch.pk),
        content={"dataset": batch.dataset},
    )


def _rows(batch: Batch, contract: Contract, manifest: Manifest) -> Iterator[list[str]]:
    wrong = _problems(batch, contract)
    width = len(manifest.facts["header"])
    for line, cells in _rejected_rows(batch, manifest):
        yield [*cells[:width], *[""] * (width - len(cells)), wrong[line], *cells[width:]]


def _problems(batch: Batch, contract: Contract) -> Mapping[int, str]:
    """Line → what is wrong with it, in words."""
    found: dict[int, list[str]] = defaultdict(list)
    table = pq.read_table(lake().path(batch.typed, PROBLEMS_FILE), filters=[("severity", "=", "reject")])
    for line, name, problem, _ in zip(*(column.to_pylist() for column in table.columns), strict=True):
        field = contract.by_name.get(name)
        found[line].append((field.title.zh if field else "") + PROBLEMS[problem].sentence.zh)
    return {line: ";".join(texts) for line, texts in found.items()}


def _rejected_rows(batch: Batch, manifest: Manifest) -> Iterator[tuple[int, Sequence[str]]]:
    lines = pq.read_table(lake().path(batch.typed, REJECTS_FILE)).column("line").to_numpy()
    facts = manifest.facts
    return raw.rows_at(
        batch.raw, lines, width=len(facts["header"]), delimiter=facts["delimiter"], sheets=facts["sheets"]
    )
