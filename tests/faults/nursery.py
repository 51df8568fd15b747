"""Children in numbers: one process that has everything imported, and forks a child for each act.

A fault test needs hundreds of processes that may be killed, and three quarters of each would go
into importing. Each child is a process of its own with connections, locks and files of its own; it
is told which installation it works in before it opens anything. Reads one JSON object a line,
answers with one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from tests.faults import child
from tests.faults.places import MARK, PATIENCE
from wanjia.config import env
from wanjia.jobs.registry import schedules
from wanjia.kernel import points


def move_in() -> None:
    """Work in the installation the environment names now."""
    from django.conf import settings
    from django.db import connections

    environment = env.read()
    settings.WANJIA_HOME = child.HOME = environment.home
    settings.ENVIRONMENT_CLOCK_START = environment.clock_start
    described = connections.settings["default"]
    described.update({"USER": "", "PASSWORD": "", "HOST": "", "PORT": ""} | env.database(environment))
    connections.configure_settings({"default": described})
    del connections["default"]
    if environment.crash_at:  # as the development settings do
        points.crash_at(environment.crash_at, environment.home / MARK)


def live(order: dict[str, Any], out: Any, errors: Any) -> None:
    """The child: does what it is told, and ends."""
    signal.alarm(PATIENCE)
    os.dup2(out.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    os.environ.clear()
    os.environ.update(order["environment"])
    status = 1
    try:
        move_in()
        child.main(*order["arguments"])
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it was, it is told and the child ends
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def raise_one(order: dict[str, Any]) -> dict[str, Any]:
    """Fork a child, wait for its end, tell how it ended and what it said."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        number = os.fork()
        if number == 0:
            live(order, out, errors)
        _, status = os.waitpid(number, 0)
        for stream in (out, errors):
            stream.seek(0)
        said = (out.read().decode("utf-8", "replace"), errors.read().decode("utf-8", "replace"))
    return {"status": os.waitstatus_to_exitcode(status), "out": said[0], "errors": said[1]}


def main() -> None:
    schedules()
    Path(os.environ["WANJIA_HOME"]).mkdir(parents=True, exist_ok=True)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(raise_one(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
