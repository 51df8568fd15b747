"""The reject sheet: the rows that were not accepted, as the sender wrote them, with what is wrong.

Made on demand from the encrypted file and never kept, because it holds what the typed rows must
not: identity numbers as written.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from wanjia.audit.services import Kind, record
from wanjia.lake import Manifest
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries, rules
from wanjia.sources.choices import BatchStatus
from wanjia.sources.contracts import Contract, contract_for
from wanjia.sources.errors import BatchMovedOn
from wanjia.sources.intake.lines import records
from wanjia.sources.models import Batch
from wanjia.sources.services import raw
from wanjia.sources.services.inspect import PROBLEMS_FILE, REJECTS_FILE

COLUMN = "问题"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LONG_NUMBER = re.compile(r"[0-9]{12,}[0-9A-Za-z]*")  # a spreadsheet would turn it into 4.59999E+17


def reject_sheet(*, viewer: Viewer, batch_id: int) -> Iterator[bytes]:
    """The rejected rows in the sender's columns with one more, 问题: CSV in UTF-8 with a mark.

    The export is recorded before the first byte. A cell that a spreadsheet would compute or
    round is preceded by an apostrophe, which intake takes off again: a corrected sheet can be
    delivered as it is. Raises NotVisible, BatchMovedOn.
    """
    batch = queries.batch_for(viewer, batch_id, action=queries.LOAD)
    if batch.status not in (BatchStatus.PREVIEWED, BatchStatus.ACCEPTED, BatchStatus.REJECTED) or not batch.preview:
        raise BatchMovedOn(batch=batch.pk, status=batch.get_status_display())
    with transaction.atomic():
        record(
            Kind.EXPORT,
            viewer=viewer,
            area=batch.area,
            act="sources.reject_sheet",
            subject=("batch", batch.pk),
            content={"dataset": batch.dataset, "rows": batch.rejected},
        )
    return _sheet(batch)


def _sheet(batch: Batch) -> Iterator[bytes]:
    manifest = lake().read_manifest(batch.typed)
    wrong = _problems(batch, contract_for(batch.dataset))
    yield b"\xef\xbb\xbf" + _line([*manifest.facts["header"], COLUMN])
    for line, cells in _rejected_rows(batch, manifest):
        width = len(manifest.facts["header"])
        padded = [*cells[:width], *[""] * (width - len(cells)), wrong[line], *cells[width:]]
        yield _line(padded)


def _problems(batch: Batch, contract: Contract) -> Mapping[int, str]:
    """Line → what is wrong with it, in words."""
    found: dict[int, list[str]] = defaultdict(list)
    table = pq.read_table(lake().path(batch.typed, PROBLEMS_FILE), filters=[("severity", "=", "reject")])
    for line, name, problem, _ in zip(*(column.to_pylist() for column in table.columns), strict=True):
        field = contract.by_name.get(name)
        found[line].append((field.title.zh if field else "") + rules.PROBLEMS[problem].sentence.zh)
    return {line: ";".join(texts) for line, texts in found.items()}


def _rejected_rows(batch: Batch, manifest: Manifest) -> Iterator[tuple[int, Sequence[str]]]:
    """The rejected records as the sender wrote them, in the order of the file."""
    lines = pq.read_table(lake().path(batch.typed, REJECTS_FILE)).column("line").to_numpy()
    wanted = set(lines.tolist())
    header, delimiter = manifest.facts["header"], manifest.facts["delimiter"]
    for block in records(raw.text(batch.raw), width=len(header), delimiter=delimiter):
        at = np.flatnonzero(np.isin(block.lines, lines))
        rows: Iterable[dict[str, str]] = block.cells.take(pa.array(at)).to_pylist()
        found = [(int(block.lines[n]), list(row.values())) for n, row in zip(at, rows, strict=True)]
        found += [(odd.line, odd.cells) for odd in block.odd if odd.line in wanted]
        yield from sorted(found)


def _line(cells: Iterable[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([_safe(cell) for cell in cells])
    return buffer.getvalue().encode()


def _safe(cell: str) -> str:
    risky = (
        cell.lstrip(" \u3000").startswith(_FORMULA) or cell.startswith(_FORMULA) or _LONG_NUMBER.fullmatch(cell.strip())
    )
    return f"'{cell}" if risky else cell
