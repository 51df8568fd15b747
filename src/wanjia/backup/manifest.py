"""What a backup says of itself. It is written last: a folder without one is no backup.

The file is one canonical text with a seal over itself, so a byte changed anywhere in it shows.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wanjia.backup import tables
from wanjia.backup.errors import BackupDamaged, NotABackup
from wanjia.backup.tables import Table

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class File:
    """One file of the backup, by its path in it."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """See the module. `absent` are contents the database refers to that the disk did not hold."""

    program: str
    began: str
    ended: str
    database: str  # sqlite or postgresql
    version: str  # of the database's own programs
    migrations: list[str]
    keys: dict[str, str]  # name → fingerprint, never a key
    tables: list[Table]
    files: dict[str, File]
    absent: list[str]

    @property
    def digest(self) -> str:
        """Equal contents have equal digests: rows on whichever database, and files of lake and evidence."""
        return contents_digest(self.tables, self.files)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())

    def text(self) -> str:
        document = {"format": FORMAT, **asdict(self), "digest": self.digest}
        document["seal"] = _seal(document)
        return _render(document)


def contents_digest(read: list[Table], files: dict[str, File]) -> str:
    """One digest over rows and immutable files."""
    lines = [f"{name} {file.sha256}\n" for name, file in sorted(files.items()) if name.startswith(("lake/", "files/"))]
    return hashlib.sha256("".join([tables.digest_of(read), "\n", *lines]).encode()).hexdigest()


def load(folder: Path) -> Manifest:
    """The manifest of the backup in `folder`. Raises NotABackup, BackupDamaged."""
    try:
        text = (folder / NAME).read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        raise NotABackup(folder=folder) from None
    except UnicodeDecodeError:
        raise BackupDamaged(files=NAME, count=1) from None
    try:
        found = _parsed(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BackupDamaged(files=NAME, count=1) from None
    if found.text() != text:
        raise BackupDamaged(files=NAME, count=1)
    return found


def _parsed(text: str) -> Manifest:
    document = json.loads(text)
    if document.pop("format") != FORMAT:
        raise ValueError("another format")
    for derived in ("digest", "seal"):
        document.pop(derived)
    document["tables"] = [Table(**{**table, "order": tuple(table["order"])}) for table in document["tables"]]
    document["files"] = {name: File(**file) for name, file in document["files"].items()}
    return Manifest(**document)


def _seal(document: dict[str, Any]) -> str:
    return hashlib.sha256(_render(document).encode()).hexdigest()


def _render(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
