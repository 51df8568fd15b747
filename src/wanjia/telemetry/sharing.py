"""One folder of counters for all processes of a machine; named before the counters are made.

prometheus_client decides when it is imported whether its counters live in memory or in files, so
`share` comes before everything else in `wanjia serve` and `wanjia worker`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share(home: Path) -> None:
    """Let this process and its children count into `<home>/run/metrics`; clear what dead ones left.

    What a process counted is forgotten when the next one starts after its end: monitoring sees
    counters that begin again, as after any restart. A folder that cannot be written costs the
    sharing, not the start.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported before the counters' folder was named")
    folder = home / "run" / "metrics"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in folder.glob("*.db"):
            if not _alive(file.stem.rpartition("_")[2]):
                file.unlink(missing_ok=True)
    except OSError:
        return
    os.environ[FOLDER_VARIABLE] = str(folder)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (ValueError, PermissionError):
        return True  # not ours to judge
    return True
