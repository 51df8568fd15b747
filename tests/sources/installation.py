"""An installation of its own in a child process, which may be killed at a named point.

python -m tests.sources.installation HOME receive FILE [POINT K]
python -m tests.sources.installation HOME read
python -m tests.sources.installation HOME tell

Ends with one line of JSON; a process that is to die kills itself the K-th time it passes POINT.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

os.environ["WANJIA_HOME"] = sys.argv[1]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")
os.environ.pop("WANJIA_DATABASE_URL", None)
os.environ["WANJIA_CLOCK_START"] = "2020-11-16T09:00:00+08:00"  # weeks after the data, not years

import django

django.setup()

from tests.common.operator import reach_everywhere  # noqa: E402

reach_everywhere()

from django.core.management import call_command  # noqa: E402

from wanjia.config.server import start_clock  # noqa: E402
from wanjia.kernel import points  # noqa: E402
from wanjia.reference.services import load_reference  # noqa: E402
from wanjia.scope.keys import create_missing_keys  # noqa: E402
from wanjia.scope.stores import lake  # noqa: E402
from wanjia.scope.system import system_viewer  # noqa: E402
from wanjia.sources import queries, services  # noqa: E402

VIEWER = system_viewer("cli.intake")


def die_at(point: str, passing: int) -> None:
    """Kill this process, as a power cut would, the `passing`-th time it stands at `point`."""
    seen = 0

    def listen(reached: str) -> None:
        nonlocal seen
        seen += reached == point
        if seen == passing:
            os.kill(os.getpid(), signal.SIGKILL)

    points.use(listen)


def told() -> dict[str, object]:
    """What can be seen from outside."""
    return {
        "batches": [
            {"id": batch.pk, "status": str(batch.status), "accepted": batch.accepted, "lines": batch.lines}
            for batch in queries.batches(VIEWER)
        ],
        "current": queries.current_batch(VIEWER, "gongan.vehicles") is not None,
        "typed": [address for address in lake().list() if address.startswith("sources/")],
    }


def main() -> None:
    _, home, act, *rest = sys.argv
    start_clock()
    if not Path(home, "wanjia.sqlite3").exists():
        Path(home).mkdir(parents=True, exist_ok=True)
        create_missing_keys()
        call_command("migrate", verbosity=0)
        load_reference()
    if len(rest) == 3:
        die_at(rest[1], int(rest[2]))
    if act == "receive":
        services.receive(viewer=VIEWER, path=Path(rest[0]))
    if act == "read":
        for batch in list(queries.batches(VIEWER)):
            services.inspect(viewer=VIEWER, batch_id=batch.pk)
    sys.stdout.write(json.dumps(told()) + "\n")


main()
