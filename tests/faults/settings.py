"""As in development; and processes of the real site and worker wait at the point FAULT_STAND names ("point:k").

They leave the file `standing` in their home, and go on when somebody has renamed it to `stood`.
"""

import os
import time

from wanjia.config.settings.dev import *  # noqa: F403 - settings modules override by name
from wanjia.kernel import points

WANTED, _, NUMBER = os.environ.get("FAULT_STAND", "").partition(":")
_passed: list[str] = []


def _stand(point: str) -> None:
    if point != WANTED:
        return
    _passed.append(point)
    if len(_passed) == int(NUMBER or 1):
        home = ENVIRONMENT.home  # noqa: F405
        if not (home / "stood").exists():
            (home / "standing").touch()
        deadline = time.monotonic() + 120
        while (home / "standing").exists() and time.monotonic() < deadline:
            time.sleep(0.02)


if WANTED:
    points.use(_stand)
