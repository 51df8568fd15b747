"""What a delivery looks like in figures, for telling whether it is what it should be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.engine.duck import DuckDB
from wanjia.engine.errors import TooExpensive
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.intake.contracts import SOURCE_ROW, Reading
from wanjia.protection.keys import Keyring
from wanjia.sources.contracts import Contract

_ENGINE = DuckDB(memory_limit="512MB", threads=1)


class Figures:
    """Looks at the accepted rows while they pass.

    `content` is a keyed digest of what they say, in their order, whatever file they came in: the
    same data sent again as a workbook, or under another title, has the same.
    """

    def __init__(self, contract: Contract, keyring: Keyring) -> None:
        self._contract, self._keyring = contract, keyring
        self._digests = {name: keyring.content_digest() for name in contract.columns if name != SOURCE_ROW}
        self._has_number = any(item.reading is Reading.IDENTITY for item in contract.fields)
        self._valid = self._rows = 0
        self._days = [item.name for item in contract.fields if item.reading is Reading.DATE and item.past and item.keep]
        self._newest: dict[str, str] = {}

    def see(self, typed: pa.Table) -> None:
        """Take some more rows into account."""
        self._rows += typed.num_rows
        for name, digest in self._digests.items():
            for chunk in typed.column(name).chunks:
                digest.update(_bytes_of(chunk))
        if self._has_number:
            self._valid += pc.sum(typed.column("id_valid")).as_py() or 0
        for name in self._days:
            newest = pc.max(typed.column(name)).as_py()
            if newest is not None:
                self._newest[name] = max(self._newest.get(name, ""), newest.isoformat())

    def told(self, paths: Sequence[Path]) -> dict[str, Any]:
        """The figures, once all rows have passed and lie in the files `paths`."""
        whole = self._keyring.content_digest()
        for name, digest in sorted(self._digests.items()):
            whole.update(f"{name} ".encode() + digest.digest())
        told: dict[str, Any] = {"rows": self._rows, "content": whole.hexdigest(), "newest": self._newest}
        if self._has_number:
            told["valid_ids"] = self._valid
        told.update(_keys(self._contract, paths))
        return told


def _bytes_of(chunk: pa.Array) -> bytes:
    """An array's values as bytes that do not depend on how the rows were cut into arrays."""
    if pa.types.is_string(chunk.type):
        if not len(chunk):
            return b""
        all_of_them = pa.ListArray.from_arrays(pa.array([0, len(chunk)], pa.int32()), pc.fill_null(chunk, "\x00"))
        joined: str = pc.binary_join(all_of_them, "\x1f")[0].as_py()
        return f"{joined}\x1f".encode("utf-8", "surrogatepass")
    filled = pc.fill_null(chunk.cast(pa.int64() if not pa.types.is_date32(chunk.type) else pa.int32()), -(2**31))
    return np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)).tobytes()


def _keys(contract: Contract, paths: Sequence[Path]) -> dict[str, int]:
    """How many rows have all parts of the contract's key, and how many different keys there are."""
    columns = [name for part in contract.key if (name := _column_of(contract, part)) in contract.columns]
    if not columns or not paths:
        return {}
    present = " and ".join(f"{name} is not null" for name in columns)
    sql = f"select {', '.join(columns)}, count(*) as n from {{rows}} where {present} group by all"  # noqa: S608 - declared names
    total = "select cast(coalesce(sum(n), 0) as bigint) as keyed, count(*) as keys from {by_key}"
    source = Source("rows", tuple(paths), {name: contract.columns[name] for name in columns})
    steps = [
        Step("by_key", "How often does each key stand?", sql, ("rows",)),
        Step("total", "How many keys?", total, ("by_key",)),
    ]
    try:
        found = _ENGINE.table(Pipeline([source], steps)).to_pylist()[0]
    except TooExpensive:  # a delivery of tens of millions is not counted key by key
        return {}
    return {"keyed": int(found["keyed"]), "keys": int(found["keys"])}


def _column_of(contract: Contract, part: str) -> str:
    return "person_key" if contract.by_name[part].reading is Reading.IDENTITY else part
