"""For a process of a test's own: what it does itself reaches everywhere, as an operator's console does."""

from __future__ import annotations

from contextlib import ExitStack

from wanjia.scope.reach import serving
from wanjia.scope.viewer import Viewer

_process = ExitStack()


def reach_everywhere() -> None:
    """Until the process ends; the viewers of its jobs and requests keep their own reach."""
    _process.enter_context(serving(Viewer(user_id=0, name="test", system="test")))
