"""The installation's lake, found in one place."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from wanjia.lake import Lake


def lake() -> Lake:
    """The lake under the installation's home."""
    return _lake(Path(settings.WANJIA_HOME) / "lake")


def recover_lake() -> None:
    """Remove what writers that died left in the lake; safe beside living ones."""
    lake().recover()


@lru_cache(maxsize=4)
def _lake(root: Path) -> Lake:
    return Lake(root)
