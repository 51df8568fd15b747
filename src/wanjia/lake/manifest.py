"""What a published dataset says about itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a dataset; `rows` and `schema` (column → type) are known for Parquet only."""

    sha256: str
    bytes: int
    rows: int | None = None
    schema: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a dataset with their digests, and the facts its writer stated."""

    address: str
    made_at: datetime
    files: Mapping[str, FileEntry]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows over all Parquet files."""
        return sum(entry.rows or 0 for entry in self.files.values())

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.files.values())

    @property
    def content(self) -> str:
        """One digest over the files' names and digests: equal content, equal text."""
        lines = "".join(f"{name}\n{self.files[name].sha256}\n" for name in sorted(self.files))
        return hashlib.sha256(lines.encode()).hexdigest()

    def to_json(self) -> str:
        files = {
            name: {"sha256": e.sha256, "bytes": e.bytes, "rows": e.rows, "schema": e.schema and dict(e.schema)}
            for name, e in sorted(self.files.items())
        }
        document = {
            "address": self.address,
            "made_at": self.made_at.isoformat(),
            "files": files,
            "facts": dict(self.facts),
        }
        return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        document = json.loads(text)
        return cls(
            address=document["address"],
            made_at=datetime.fromisoformat(document["made_at"]),
            files={name: FileEntry(**entry) for name, entry in document["files"].items()},
            facts=document["facts"],
        )


def describe(path: Path) -> FileEntry:
    """Digest, size and, for Parquet, rows and columns of a file."""
    digest, size = digest_of(path), path.stat().st_size
    if path.suffix != ".parquet":
        return FileEntry(digest, size)
    footer = pq.ParquetFile(path)
    schema = {item.name: str(item.type) for item in footer.schema_arrow}
    return FileEntry(digest, size, footer.metadata.num_rows, schema)


def digest_of(path: Path) -> str:
    """SHA-256 over a file's bytes; reads nothing into their meaning, so a damaged file has one too."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
