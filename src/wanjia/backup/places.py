"""Where things lie: in the home of an installation, and in a backup of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from wanjia.backup.copying import files_below
from wanjia.backup.tables import Table

DATABASE = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
ACCESS = "access"
IMMUTABLE = ("lake", "files")  # never edited, so an earlier backup's copy is as good as a new one
LOOSE = ("demo.json",)  # by it `wanjia demo` knows its own home again
KEYS = "keys"


def home() -> Path:
    """The installation's home, without detours."""
    return Path(settings.WANJIA_HOME).resolve()


def database() -> Mapping[str, Any]:
    """Django's description of the installation's database."""
    found: Mapping[str, Any] = connection.settings_dict
    return found


def vendor() -> str:
    """Which database it is: sqlite or postgresql."""
    return str(connection.vendor)


def access_files(root: Path) -> list[Path]:
    """The access stores below a home or a backup, one a node."""
    return sorted((root / ACCESS).glob("*.sqlite3"))


def access_table(store: Path, table: Table) -> str:
    """The name under which a table of an access store stands in the manifest."""
    return f"{ACCESS}/{store.stem}/{table.name}"


def lake_files(root: Path) -> list[str]:
    """What the lake holds now, by path below the home."""
    return [file.relative_to(root).as_posix() for file in files_below(root / "lake")]


def contents(root: Path) -> Iterator[str]:
    """Evidence and other contents there are now, and loose files, by path below the home."""
    yield from (file.relative_to(root).as_posix() for file in files_below(root / "files"))
    yield from (name for name in LOOSE if (root / name).is_file())
