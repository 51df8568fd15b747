"""A county's suspects through the flow in bulk, each part by its CPU; the child of `bench.cases`.

    WANJIA_HOME=… python -m bench.flowing --households 100000 --dispatched 500000

`dispatched` more suspicions are opened and sent down after the county's own have been answered and
closed, so they lie in tables that are not empty. CPU is this process's and, on PostgreSQL, the
server's.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bench import county
from bench.harness import Figures, cpu

if TYPE_CHECKING:
    from wanjia.demo.county import Founded

SHARE = 0.55  # of the households have a suspect
MOST_IN_A_FORM = 20_000
TICKS = os.sysconf("SC_CLK_TCK")
OUTCOMES = ("06 不属实，部门数据错误", "07 不属实，非同一人", "08 不属实，数据过期")
TOPICS = ("RA-01", "RA-02", "RA-04", "RA-05", "RB-03", "RB-05")


class Meter:
    """What each part of the work spent: this process, the database's server, and the clock on the wall."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, float]] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add what the block spends to the part."""
        before, served, began = cpu(), _server_cpu(), time.perf_counter()
        yield
        spent = {"client": cpu() - before, "server": _server_cpu() - served, "wall": time.perf_counter() - began}
        known = self.parts.setdefault(name, dict.fromkeys(spent, 0.0))
        self.parts[name] = {key: known[key] + value for key, value in spent.items()}

    def cpu_of(self, *names: str) -> float:
        """CPU seconds of these parts, client and server."""
        return round(sum(self.parts[name]["client"] + self.parts[name]["server"] for name in names), 1)

    def figures(self) -> Figures:
        """Everything, rounded."""
        return {name: {key: round(value, 1) for key, value in part.items()} for name, part in self.parts.items()}


def _server_cpu() -> float:
    """CPU seconds of PostgreSQL's postmaster and all it has started; 0 on SQLite, which works inside us."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    postmaster = _stat(backend)[1]
    ticks = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (facts := _stat(int(folder.name))):
            if int(folder.name) == postmaster:
                ticks += sum(facts[11:15])  # with those that have ended
            elif facts[1] == postmaster:
                ticks += sum(facts[11:13])
    return ticks / TICKS


def _stat(pid: int) -> list[int]:
    """The numbers of /proc/PID/stat behind the name: state, parent, …; nothing of a process that has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return [0, *(int(word) for word in text.rpartition(")")[2].split()[1:])]


def measured(households: int, dispatched: int) -> Figures:
    """Build the county in the installation at WANJIA_HOME, which must be new, and send its suspects round."""
    from wanjia.config.install import prepare
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    prepare()
    meter = Meter()
    with serving(system_viewer("demo.build")):
        scene, run = _compared(households)
        opened = _sent_down(scene, run, meter)
        answered = _answered(scene, meter)
        closed = _closed(scene, meter)
        more = _many(scene, meter, dispatched) if dispatched else 0
    parts = meter.figures()
    return {
        "cases": opened,
        "answered": answered,
        "closed": closed,
        "dispatch_cpu_s": meter.cpu_of("issue", "pass_on", "distribute"),
        "answer_cpu_s": meter.cpu_of("answer"),
        "close_cpu_s": meter.cpu_of("close"),
        "many": more,
        "many_pass_on_cpu_s": meter.cpu_of("many pass_on") if more else None,
        "many_distribute_cpu_s": meter.cpu_of("many distribute") if more else None,
        "parts": parts,
    }


def _compared(households: int) -> tuple[Founded, int]:
    from wanjia.comparison.choices import RunStatus
    from wanjia.comparison.services import compare_now, release_run
    from wanjia.sources import services as sources

    with county.on(date(2020, 10, 12)):
        scene = county.founded(Random(1), households, SHARE)  # noqa: S311 - an invented county
    with county.on(date(2020, 10, 30)):
        province = scene.viewer("province")
        batch = sources.receive(viewer=province, path=scene.files[0])
        sources.accept(viewer=province, batch_id=batch.pk)
        run = compare_now(viewer=province)
        if run.status == RunStatus.HELD:
            run = release_run(viewer=province, run_id=run.pk, reason="本批数据经核对属实。")
    return scene, run.pk


def _sent_down(scene: Founded, run: int, meter: Meter) -> int:
    """The province issues everything a rule found; city and county send it on in one act each."""
    from wanjia.comparison.queries import Filters
    from wanjia.comparison.services import issue_findings, screen

    province, filters = scene.viewer("province"), Filters(rule="RA-02")
    with county.on(date(2020, 11, 2)), meter.part("issue"):
        found = screen(province, run, filters)
        issued = issue_findings(viewer=province, run_id=run, filters=filters, expected_count=found.total)
    _moved_on(scene, meter, "")
    return issued.opened


def _moved_on(scene: Founded, meter: Meter, prefix: str) -> None:
    for day, desk, action, step in ((3, "city", "pass_on", "issued"), (4, "county", "distribute", "dispatched_county")):
        with county.on(date(2020, 11, day)), meter.part(f"{prefix}{action}"):
            county.in_bulk(scene.viewer(desk), action, step)


def _answered(scene: Founded, meter: Meter) -> int:
    """Each township gives its cases to an officer, who fills in one form and sends it back."""
    from wanjia.casework.answers import desk, form
    from wanjia.casework.filters import CaseFilter

    answered = 0
    for township in scene.place.townships:
        officer = scene.viewer(county.officer_of(scene, township.code))
        with meter.part("assign"):
            county.assigned(scene, township.code)
        with county.on(date(2020, 11, 9)):
            with meter.part("form"):
                count, content = form.form_for(officer, CaseFilter(step="assigned", mine="1"), "zh")
                blank = b"".join(content)
            if not count:
                continue
            filled = _filled(blank)
            with meter.part("answer"), closing(_sealed(filled)) as upload:
                kept = desk.keep(officer, upload)
                desk.preview(officer, kept)
                done = desk.apply(officer, kept.token)
            if done is None or done.refused:
                sys.exit(f"refused: {done and done.refused[:3]}")
            answered += done.applied
    return answered


def _filled(blank: bytes) -> bytes:
    """What somebody types: outcome, day, whom he met, a note."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(blank))
    sheet: Any = book.worksheets[0]
    column = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, column["核查结果"], OUTCOMES[row % len(OUTCOMES)])
        sheet.cell(row, column["入户日期"], date(2020, 11, 8))
        sheet.cell(row, column["见到何人"], "户主")
        sheet.cell(row, column["核查说明"], "入户核对，车辆不是本人的。")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sealed(content: bytes) -> Any:
    from wanjia.files.uploads import sealed_from

    return sealed_from(content, "答复.xlsx", "answers")


def _closed(scene: Founded, meter: Meter) -> int:
    """Townships review, the county decides, the city draws its sample and confirms it: one act each."""
    from wanjia.casework import queries
    from wanjia.casework.filters import CaseFilter
    from wanjia.casework.models import Case
    from wanjia.casework.services import Draw, draw_sample
    from wanjia.scope.system import system_viewer

    for township in scene.place.townships:
        reviewer = scene.viewer(county.holders(scene, "township_reviewer", township.code)[0])
        with county.on(date(2020, 11, 10)), meter.part("close"):
            county.in_bulk(reviewer, "review", "verified_no_change")
    with county.on(date(2020, 11, 11)), meter.part("close"):
        county.in_bulk(scene.viewer("county"), "decide", "town_reviewed")
    city, decided = scene.viewer("city"), CaseFilter(step="county_closed", mine="1")
    share = Draw(take="take", rest="pass", share_parameter="suspects.sample_share")
    with county.on(date(2020, 11, 12)), meter.part("close"):
        draw_sample(viewer=city, case_filter=decided, expected_count=queries.count(city, decided), draw=share)
        county.in_bulk(city, "confirm", "sampled")
    return Case.objects.visible_to(system_viewer("demo.build")).exclude(closed_at=None).count()


def _many(scene: Founded, meter: Meter, wanted: int) -> int:
    """Suspicions under several rules against the county's people, opened in one act and sent down in two."""
    from wanjia.casework.services import CaseSpec, SubjectSpec, open_cases
    from wanjia.comparison.standing import KIND, key_for
    from wanjia.registry.models import Membership
    from wanjia.scope.system import system_viewer

    rows = Membership.objects.visible_to(system_viewer("demo.build")).order_by("person_no")
    people = list(rows.values_list("person_no", "household_no", "village_code"))
    specs = [
        CaseSpec(
            key=key_for(topic, person), topic=topic, department="gongan", origin={"run": 1, "findings": [person]},
            subjects=(SubjectSpec(area_code=village, household_no=household, person_no=person),),
        )
        for topic in TOPICS
        for person, household, village in people
    ][:wanted]  # fmt: skip
    with county.on(date(2020, 11, 2)), meter.part("many open"):
        opened = open_cases(viewer=scene.viewer("province"), kind=KIND, specs=specs)
    _moved_on(scene, meter, "many ")
    return len(opened.opened)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--dispatched", type=int, default=0)
    parser.add_argument("--profile", default="")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")
    import django

    django.setup()
    work: Callable[[], Figures] = lambda: measured(asked.households, asked.dispatched)  # noqa: E731
    if asked.profile:
        import cProfile

        profile = cProfile.Profile()
        figures = profile.runcall(work)
        profile.dump_stats(asked.profile)
    else:
        figures = work()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
