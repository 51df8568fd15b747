"""The lake: what arrives or is computed in bulk and is never edited. Runs without Django."""

from wanjia.lake.columns import Columns, Type, arrow_schema
from wanjia.lake.errors import AlreadyPublished, BadAddress, Damaged, NotPublished, SchemaMismatch
from wanjia.lake.manifest import FileEntry, Manifest
from wanjia.lake.store import Lake, Staging

__all__ = [
    "AlreadyPublished",
    "BadAddress",
    "Columns",
    "Damaged",
    "FileEntry",
    "Lake",
    "Manifest",
    "NotPublished",
    "SchemaMismatch",
    "Staging",
    "Type",
    "arrow_schema",
]
