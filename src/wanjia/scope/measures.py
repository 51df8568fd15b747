"""How much the lake holds and how much room is left."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

from django.conf import settings

from wanjia.scope.stores import lake
from wanjia.telemetry.metrics import Measure, Series


def _lake_bytes() -> Series:
    found: Counter[str] = Counter()
    for folder, _, names in os.walk(lake().root):
        parts = Path(folder).relative_to(lake().root).parts
        found[parts[0] if parts else "."] += sum(_size(os.path.join(folder, name)) for name in names)  # noqa: PTH118 - many files
    return [((zone,), size) for zone, size in sorted(found.items()) if size]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - many files
    except FileNotFoundError:
        return 0  # removed since it was listed


def _disk_free() -> Series:
    home = Path(settings.WANJIA_HOME)
    places = {"home": home, "lake": lake().root, "files": home / "files"}
    return [((name,), shutil.disk_usage(path).free) for name, path in places.items() if path.exists()]


MEASURES = [
    Measure("wanjia_lake_bytes", "Bytes in the lake, by zone.", ("zone",), _lake_bytes, every=300),
    Measure("wanjia_disk_free_bytes", "Room left on the disk.", ("place",), _disk_free),
]
