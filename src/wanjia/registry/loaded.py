"""The rows of a load as they were taken in, kept in the lake with their salts.

They are what the load's audit entry commits to. The tables change afterwards; this does not, but
for rows about somebody who was erased: of them the digest stays, in the place of the salt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from json.encoder import encode_basestring
from uuid import UUID

import pyarrow.parquet as pq

from wanjia.audit.services import JSON
from wanjia.lake import Columns, Type
from wanjia.scope.stores import lake

PREFIX = "registry/load="
FILE = "rows.parquet"
COLUMNS: Columns = {"table": Type.TEXT, "row": Type.TEXT, "salt": Type.TEXT}


def address_of(event_id: UUID) -> str:
    """Where in the lake the rows of a load are."""
    return f"{PREFIX}{event_id}"


def loaded_payload(table: str, row: str) -> dict[str, JSON]:
    """What one row of a load commits to: its values joined in the order the manifest names."""
    return {"table": table, "row": row}


def loaded_digests(tables: Iterable[str], rows: Iterable[str], salts: Iterable[bytes]) -> list[bytes]:
    """`audit.rules.detail_digest(salt, loaded_payload(table, row))` of each row, four times as fast.

    Both values are plain texts, so the canonical form needs no walk over the payload. A test holds
    the two equal.
    """
    return [
        sha256(salt + f'{{"row":{encode_basestring(row)},"table":"{table}"}}'.encode()).digest()
        for table, row, salt in zip(tables, rows, salts, strict=True)
    ]


def loaded_rows(event_id: UUID) -> Iterator[tuple[bytes, dict[str, JSON] | None]]:
    """(salt, payload) of the rows of a load, in the order recorded; nothing if the event was no load.

    Of an erased row (digest, None).
    """
    address = address_of(event_id)
    if not lake().exists(address):
        return
    file = pq.ParquetFile(lake().path(address, FILE))
    for batch in file.iter_batches(batch_size=50_000):
        for table, row, salt in zip(*(batch.column(name).to_pylist() for name in COLUMNS), strict=True):
            yield bytes.fromhex(salt), None if row is None else loaded_payload(table, row)
