"""The measured half of `bench.sheets`, in a process and an installation of its own.

WANJIA_HOME=… python -m bench.importing import|fill|export HOUSEHOLDS DEFECTS
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.harness import Figures, cpu, own_peak_kb

COUNTY = "451228"


def timed(name: str, work: Callable[[], Any], figures: Figures) -> Any:
    """Seconds and CPU seconds of some work, under its name."""
    wall, before = time.monotonic(), cpu()
    done = work()
    figures[f"{name}_s"] = round(time.monotonic() - wall, 1)
    figures[f"{name}_cpu_s"] = round(cpu() - before, 1)
    return done


def measured(what: str, households: int, defects: int) -> Figures:
    """An import of so many households of four, or an export of those an earlier process filled the registry with."""
    from tests.factories import sheets as made
    from wanjia.config.install import prepare
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    viewer = system_viewer("cli.registry")
    if what == "export":
        with serving(viewer):
            return _export(viewer) | {"export_rows": households, "export_peak_rss_mb": own_peak_kb() // 1024}
    prepare()
    with serving(viewer), tempfile.TemporaryDirectory() as folder:
        county = made.county(households, every=max(1, households // defects) if defects else 0)
        homes, members = Path(folder, "homes.csv"), Path(folder, "members.csv")
        homes.write_bytes(made.text(county.homes, made.HOME_HEADER).encode("gb18030"))
        members.write_bytes(made.text(county.members, made.MEMBER_HEADER).encode("gb18030"))
        planted = set(county.planted)
        right: Path | None = None
        if what == "import":
            county.put_right()
            right = Path(folder, "right.csv")
            again = [row for row in county.members if row["人口编号"] in planted]
            right.write_bytes(made.text(again, made.MEMBER_HEADER).encode("gb18030"))
        rows = len(county.members)
        for held in (county.homes, county.members, county.sound):
            held.clear()
        if what == "fill":
            _fill(viewer, homes, members)
            return {"filled": households}
        start = own_peak_kb()
        figures = _import(viewer, homes, members, right, planted)
        figures |= {
            "import_rows": rows,
            "import_peak_rss_mb": own_peak_kb() // 1024,
            "import_before_mb": start // 1024,
        }
    return figures


def _import(viewer: Any, homes: Path, members: Path, right: Path | None, planted: set[str]) -> Figures:
    from wanjia.registry.choices import ImportMode, SheetKind
    from wanjia.registry.models import Person
    from wanjia.registry.services.sheets import importing

    figures: Figures = {}

    def bring(*files: Path) -> Any:
        return importing.bring(viewer=viewer, brought=files, area=COUNTY, mode=ImportMode.NEW)

    row = timed("put_away", lambda: bring(homes, members), figures)
    timed("read", lambda: importing.read_sheets(viewer=viewer, import_id=row.pk), figures)
    pieces = importing.reject_sheet(viewer=viewer, import_id=row.pk, kind=SheetKind.MEMBERS)
    sheet = timed("reject_sheet", lambda: b"".join(pieces), figures).decode("utf-8-sig")
    refused = {line.split(",")[6].strip("'") for line in sheet.splitlines()[1:] if line.count(",") > 6}  # noqa: PLR2004
    figures["missed_defects"] = len(planted ^ refused)
    timed("apply", lambda: importing.apply_sheets(viewer=viewer, import_id=row.pk), figures)
    if right is not None and planted:
        first = homes.with_name("first.csv")
        first.write_bytes(b"\r\n".join(homes.read_bytes().split(b"\r\n")[:2]) + b"\r\n")
        row = bring(first, right)
        importing.read_sheets(viewer=viewer, import_id=row.pk)
        timed("again", lambda: importing.apply_sheets(viewer=viewer, import_id=row.pk), figures)
    figures["registered"] = Person.objects.visible_to(viewer).count()
    return figures


def _fill(viewer: Any, homes: Path, members: Path) -> None:
    from wanjia.registry.choices import ImportMode
    from wanjia.registry.services.sheets import importing

    row = importing.bring(viewer=viewer, brought=[homes, members], area=COUNTY, mode=ImportMode.NEW)
    importing.read_sheets(viewer=viewer, import_id=row.pk)
    importing.apply_sheets(viewer=viewer, import_id=row.pk)


def _export(viewer: Any) -> Figures:
    from wanjia.registry.choices import SheetKind
    from wanjia.registry.services.sheets import exporting
    from wanjia.ui.sheets import Format

    figures: Figures = {}
    for kind in SheetKind:
        for form in Format:

            def write(kind: SheetKind = kind, form: Format = form) -> int:
                wanted = exporting.Wanted(kind, 2020, COUNTY)
                _, pieces = exporting.export_sheet(viewer=viewer, wanted=wanted, account="bench", form=form)
                return sum(map(len, pieces))

            size = timed(f"export_{kind}_{form}", write, figures)
            figures[f"export_{kind}_{form}_mb"] = round(size / 1e6, 1)
    return figures


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")
    import django

    django.setup()
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
