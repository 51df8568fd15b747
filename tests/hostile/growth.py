"""How much a process grows over each hostile file: `python -m tests.hostile.growth FOLDER` prints `megabytes name`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

os.environ["WANJIA_HOME"] = str(Path(sys.argv[1]) / "home")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")
os.environ.pop("WANJIA_DATABASE_URL", None)

import django

django.setup()

from tests.common.operator import reach_everywhere  # noqa: E402

reach_everywhere()

from django.core.management import call_command  # noqa: E402

from tests.hostile.departments import FILES, HEAD, MEGABYTE, File, _long, _rows, long_cell  # noqa: E402
from wanjia.engine.workbook import process  # noqa: E402
from wanjia.kernel.errors import Refusal  # noqa: E402
from wanjia.reference.services import load_reference  # noqa: E402
from wanjia.scope.keys import create_missing_keys  # noqa: E402
from wanjia.scope.system import system_viewer  # noqa: E402
from wanjia.sources import services  # noqa: E402

FOLDER = Path(sys.argv[1])
HONEST = File("an honest file", lambda: iter([_rows(60_000)]), "")  # what reading costs is paid before
CHILD = "the largest child process"
WORKBOOKS = [
    *(file for file in FILES if file.name.endswith((".xlsx", ".xlsm"))),
    File("a cell of 300 MB", lambda: iter([long_cell(300 * MEGABYTE)]), ""),
]
LONG = [
    File("a line of 200 MB", _long(b"", b"x" * MEGABYTE, 200), "intake.endless_line"),
    File("good, then a line of 200 MB", _long(HEAD, b"x" * MEGABYTE, 200), "intake.endless_line"),
    File("12 million line ends", _long(HEAD, b"\r\n" * 500_000, 24), ""),
    File("300,000 lines of one letter", _long(HEAD, b"x\r\n" * 100_000, 3), "intake.mostly_broken"),
    File("a cell of 300 MB", lambda: iter([long_cell(300 * MEGABYTE)]), "engine.workbook_too_large"),
    File("ten rows of a million columns", _long(HEAD, b"1," * 1_000_000 + b"\r\n", 10), ""),
]


_CHILD = (  # the child as it is, which tells its own peak at the end: what a fork has before it is replaced counts not
    "import sys; from wanjia.engine.workbook import child; child.main(sys.stdin.buffer, sys.stdout.buffer);"
    "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')), file=sys.stderr)"
)


def child_growth(file: File) -> int:
    """The most memory the child had that opens workbooks, in MB."""
    bounds = {"limits": asdict(process.LIMITS), "bounds": asdict(process.BOUNDS), "file_bytes": process.LARGEST}
    task = {"kind": "look", "rows": 45, **bounds}
    told = subprocess.run(
        [sys.executable, "-I", "-c", _CHILD], input=json.dumps(task).encode() + b"\n" + b"".join(file.parts()),
        capture_output=True, timeout=300, check=True,
    )  # fmt: skip
    return int(told.stderr.split()[-1]) // 1024


def _kilobytes(what: str) -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1])


def growth(file: File) -> int:
    """Read the file; the process's peak while it did, above what it had before, in MB."""
    path = FOLDER / "file"
    with path.open("wb") as out:
        out.writelines(file.parts())
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins here
    before = _kilobytes("VmRSS")
    try:
        services.receive(viewer=system_viewer("cli.intake"), path=path)
        code = ""
    except Refusal as refused:
        code = refused.values.get("reason", refused.code)
    assert code == file.code, (file.name, code)
    return (_kilobytes("VmHWM") - before) // 1024


if __name__ == "__main__":
    create_missing_keys()
    call_command("migrate", verbosity=0)
    load_reference()
    growth(HONEST)
    for file in [*FILES, *LONG]:
        sys.stdout.write(f"{growth(file)} {file.name}\n")
    sys.stdout.write(f"{max(map(child_growth, WORKBOOKS))} {CHILD}\n")
