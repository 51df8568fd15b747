"""What the processes of the fault tests do: the acts of people and of the worker, through the services.

python -m tests.faults.child ACT

Ends with one line of JSON. Where it is to die, WANJIA_CRASH_AT says; with FAULT_TRACE it writes the
points it passes into that file instead.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import django
from PIL import Image

django.setup()

from tests.common.operator import reach_everywhere  # noqa: E402

reach_everywhere()

from django.conf import settings  # noqa: E402 - Django first, here and below
from django.db import connections  # noqa: E402

from tests.faults import facts  # noqa: E402
from wanjia.accounts.models import User  # noqa: E402
from wanjia.accounts.queries import viewer_for  # noqa: E402
from wanjia.audit.access import node_name  # noqa: E402
from wanjia.audit.services import commit_access, record_access  # noqa: E402
from wanjia.casework import counters  # noqa: E402
from wanjia.casework import services as casework  # noqa: E402
from wanjia.casework.filters import CaseFilter  # noqa: E402
from wanjia.casework.models import Case  # noqa: E402
from wanjia.casework.queries import matching  # noqa: E402
from wanjia.casework.rules import Answer  # noqa: E402
from wanjia.comparison.models import Run  # noqa: E402
from wanjia.comparison.queries import Filters  # noqa: E402
from wanjia.comparison.services import ask_for_comparison, issue_findings, screen  # noqa: E402
from wanjia.config.server import start_clock  # noqa: E402
from wanjia.files.models import StoredFile  # noqa: E402
from wanjia.files.services import store  # noqa: E402
from wanjia.files.uploads import sealed_from  # noqa: E402
from wanjia.jobs import beats  # noqa: E402
from wanjia.jobs.choices import Lane  # noqa: E402
from wanjia.jobs.models import Job, ScheduleSlot  # noqa: E402
from wanjia.jobs.services import enqueue_due  # noqa: E402
from wanjia.jobs.worker import Worker  # noqa: E402
from wanjia.kernel import clock, points  # noqa: E402
from wanjia.registry import queries  # noqa: E402
from wanjia.registry import services as registry  # noqa: E402
from wanjia.registry.choices import ErasureState, ImportMode, ImportStatus  # noqa: E402
from wanjia.registry.models import (  # noqa: E402
    Erasure,
    Household,
    HouseholdYear,
    Membership,
    Person,
    ReportingYear,
    SheetImport,
    YearCorrection,
)
from wanjia.registry.rights import erasing, forgetting  # noqa: E402
from wanjia.registry.services.sheets import importing  # noqa: E402
from wanjia.scope.system import system_viewer  # noqa: E402
from wanjia.scope.viewer import Viewer  # noqa: E402
from wanjia.sources import services as sources  # noqa: E402
from wanjia.sources.choices import BatchStatus  # noqa: E402
from wanjia.sources.errors import AlreadyDelivered  # noqa: E402
from wanjia.sources.models import Batch  # noqa: E402

EYE = system_viewer("demo.build")
LEASE = 1.5
HOME = Path(settings.WANJIA_HOME)
FILTERS = Filters(rule="RA-02")
VEHICLES = "*机动车*"  # of the files in the inbox, the one of the works here


def someone(username: str) -> Viewer:
    return viewer_for(User.objects.get_visible(EYE, username=username))


def file_in_the_inbox() -> Path:
    return next((HOME / "inbox").glob(VEHICLES))


# -- the works that are interrupted; done again, each ends where it would have ended ------------


def receive() -> None:
    """The province's officer takes the file in and accepts its good rows."""
    province = someone("province")
    try:
        batch = sources.receive(viewer=province, path=file_in_the_inbox())
    except AlreadyDelivered as earlier:  # before it was interrupted
        batch = Batch.objects.get_visible(province, pk=earlier.values["batch"])
    if batch.status == BatchStatus.PREVIEWED:
        sources.accept(viewer=province, batch_id=batch.pk)


def issue() -> None:
    """The province issues what one rule found."""
    province, run_id = someone("province"), Run.objects.get().pk
    screened = screen(province, run_id, FILTERS)
    if screened.fresh:
        issue_findings(viewer=province, run_id=run_id, filters=FILTERS, expected_count=screened.total)


def decide() -> None:
    """The county decides, and the registry changes."""
    case = Case.objects.visible_to(EYE).get(case_no=_decided_case())
    if case.step == "town_reviewed":
        _act("county", case.case_no, "decide", Answer(note="同意。"))


def evidence() -> None:
    """A verifier hands in a photo."""
    case = Case.objects.visible_to(EYE).filter(step="dispatched_town").order_by("case_no").first()
    if not StoredFile.objects.visible_to(EYE).filter(owner_kind="case", owner_id=case.case_no).exists():
        _photograph(someone("county"), case)


def access() -> None:
    """What people read in the last minutes is committed to the log."""
    commit_access()


def fold() -> None:
    """What acts added to the counters is put where it belongs."""
    counters.fold()


def amend() -> None:
    """A county corrects a value of the sealed year."""
    year = ReportingYear.objects.filter(state="sealed").order_by("year").first()
    if not YearCorrection.objects.visible_to(EYE).exists():
        numbers = Household.objects.visible_to(EYE).order_by("pk").values_list("pk", flat=True)
        number = next(one for one in numbers if any(each.sealed for each in queries.years_of(EYE, one)))
        edits = [registry.Edit("wage_income", "123.45", household_no=number)]
        registry.correct_sealed(viewer=someone("county"), year=year.year, edits=edits, reason="年报核对后更正")


def take_in() -> None:
    """A county looks at what its sheet would do, and confirms."""
    row, county = SheetImport.objects.visible_to(EYE).get(), someone("county")
    if importing.read_sheets(viewer=county, import_id=row.pk).status == ImportStatus.PREVIEWED:
        importing.apply_sheets(viewer=county, import_id=row.pk)


def erase() -> None:
    """The leader of the province's office decides that somebody is erased, and the lake follows."""
    row = Erasure.objects.visible_to(EYE).get()
    if row.state == ErasureState.ASKED:
        erasing.approve(viewer=someone("leader"), erasure_id=row.pk)
    forgetting.finish_erasures()


def nothing() -> None:
    """Nothing is to be done again."""


def photos() -> None:
    """A verifier hands in many photos, one commit each."""
    cases = list(Case.objects.visible_to(EYE).filter(step="dispatched_town").order_by("case_no"))
    for number in range(int(os.environ["FAULT_PHOTOS"])):
        _photograph(someone("county"), cases[number % len(cases)], shade=os.getpid() + 7 * number)


def work_off(lanes: dict[Lane, int]) -> None:
    """A worker, until nothing is open."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            time.sleep(0.1)
            if not Job.objects.open().filter(lane__in=list(lanes)).exists():
                stop.set()
        connections.close_all()

    watcher = threading.Thread(target=watch)
    watcher.start()
    Worker(lanes, lease=LEASE).run(stop)
    watcher.join()


def frozen_worker() -> None:
    """A worker that stands still at its first claim, until somebody lets it go on."""
    points.use(lambda point: os.kill(os.getpid(), signal.SIGSTOP) if point == "jobs.claimed" else None)
    Worker({Lane.HEAVY: 1}, lease=LEASE).run(threading.Event())


def worker() -> None:
    """The heavy lane alone: what is scheduled stays out of the count of passings."""
    work_off({Lane.HEAVY: 1})


# -- stages between the works -------------------------------------------------------------------


def deliver() -> None:
    """The file lies in the raw zone and a job is to read it."""
    sources.deliver(viewer=someone("province"), path=file_in_the_inbox(), background=True)


def ask() -> None:
    """A comparison is asked for."""
    ask_for_comparison(viewer=someone("province"))


def bring_sheet() -> None:
    """A county brings a sheet with the new telephone of a household."""
    home = Household.objects.visible_to(EYE).order_by("pk").first()
    sheet = f"户编号,年度,联系电话\n{home.national_household_no},{home.year},13900139001\n".encode()
    importing.bring(
        viewer=someone("county"),
        brought=[sealed_from(sheet, "sheet.csv", "registry_sheet")],
        area=home.village_code[:6],
        mode=ImportMode.CORRECTION,
        terms=importing.Terms(year=home.year),
    )


def leave() -> None:
    """Somebody is called as nobody else is, is corrected, stands in a snapshot and on a sheet, and is long gone."""
    county = someone("county")
    oldest = ReportingYear.objects.exclude(state="sealed").order_by("year").first().year
    of_it = HouseholdYear.objects.visible_to(EYE).filter(year=oldest).values("household_no")
    homes = Household.objects.visible_to(county).filter(member_count__gt=1, standing="live", pk__in=of_it)
    home = homes.order_by("pk").first()
    members = Membership.objects.visible_to(EYE).filter(household_no=home.pk, latest=True, member_status="1")
    number = members.exclude(person_no=home.head_person_no).order_by("pk").first().person_no
    for field, value in (("name", facts.FORGOTTEN_NAMES[0]), ("name", facts.FORGOTTEN_NAMES[1])):
        registry.correct(viewer=county, edits=[registry.Edit(field, value, person_no=number)], reason="按证件更正")
    phone = registry.Edit("member_phone", facts.FORGOTTEN_PHONE, person_no=number)
    registry.correct(viewer=county, edits=[phone], reason=f"{facts.FORGOTTEN_NAMES[1]}换了号码")
    registry.publish_snapshot(viewer=EYE)
    stay = members.get(person_no=number)
    gone = registry.Leaving(number, "3", "", max(date(2014, 5, 6), stay.joined_on or date(2014, 5, 6)))
    registry.remove_members(viewer=county, household_no=home.pk, leaving=[gone], reason="迁出本县")
    sheet = f"人口编号,姓名\nP-{number},{facts.FORGOTTEN_NAMES[1]}\n".encode()
    row = importing.bring(
        viewer=county, brought=[sealed_from(sheet, "sheet.csv", "registry_sheet")], area=home.village_code[:6],
        mode=ImportMode.CORRECTION, terms=importing.Terms(year=home.year),
    )  # fmt: skip
    importing.read_sheets(viewer=county, import_id=row.pk)
    importing.cancel(viewer=county, import_id=row.pk)


def ask_to_erase() -> None:
    """The county asks for his erasure."""
    person = Person.objects.visible_to(EYE).get(name=facts.FORGOTTEN_NAMES[1])
    erasing.ask(viewer=someone("county"), person_no=person.pk, reason="留存期已满")


def ask_to_seal() -> None:
    """The province asks for its oldest year to be sealed."""
    year = ReportingYear.objects.exclude(state="sealed").order_by("year").first().year
    found = registry.checks_of(EYE, year)
    registry.ask_to_seal(viewer=EYE, year=year, confirmed={one.code: one.count for one in found})


def field_work() -> None:
    """Everything issued goes down to the townships; one case goes through to the county's desk."""
    _all("city", "pass_on", "issued")
    _all("county", "distribute", "dispatched_county")
    case = Case.objects.visible_to(EYE).filter(step="dispatched_town", area_code=_stage()).order_by("case_no").first()
    verifier = User.objects.get_visible(EYE, username="verifier")
    _act("township", case.case_no, "assign", Answer(assignee=verifier.pk))
    _photograph(someone("verifier"), case)
    _act("verifier", case.case_no, "verify", Answer(outcome="04", note="入户核实，车辆在识别前购置。"))
    _act("village", case.case_no, "correct", Answer(correction={"change": "T5"}))
    _act("township", case.case_no, "review", Answer(note="材料齐全，同意。"))


def read_people() -> None:
    """Two people look at households, in two minutes that are over."""
    for minute in (50, 55):
        with clock.frozen(clock.now().replace(hour=8, minute=minute)):
            for reader in ("county", "township"):
                record_access(
                    viewer=someone(reader), action="registry.read", subject_kind="household",
                    subject_ids=[1, 2, 3], fields=["name"],
                )  # fmt: skip


def waiting_for_the_county() -> dict[str, Any]:
    """The case on the county's desk."""
    case = Case.objects.visible_to(EYE).get(case_no=_decided_case())
    return {"decide": case.case_no, "version": case.version}


def waiting() -> dict[str, Any]:
    """A case on the county's desk, and another that is given to an officer now."""
    other = Case.objects.visible_to(EYE).filter(step="dispatched_town").order_by("case_no").first()
    officer = User.objects.get_visible(EYE, username=f"officer-{other.holder_area}-1")
    _act(f"township-{other.holder_area}", other.case_no, "assign", Answer(assignee=officer.pk))
    return waiting_for_the_county() | {"photograph": other.case_no, "officer": officer.username}


def alive() -> list[str]:
    """The machines whose workers have said that they are there."""
    return sorted(beats.ages())


def open_jobs() -> list[str]:
    """What has been asked for and is not done."""
    jobs = Job.objects.open().exclude(key__startswith="schedule:")
    return [f"{job.name} {job.state} {job.note}" for job in jobs]


def _stage() -> str:
    return someone("village").home_area


def _decided_case() -> int:
    """The case that came to the county's desk: the only one with a photo when it is asked for first."""
    files = StoredFile.objects.visible_to(EYE).filter(owner_kind="case").order_by("pk")
    return int(files.first().owner_id)


def _act(username: str, case_no: int, action: str, answer: Answer) -> None:
    version = Case.objects.visible_to(EYE).get(case_no=case_no).version
    casework.act(viewer=someone(username), case_no=case_no, action=action, seen_version=version, answer=answer)


def _all(username: str, action: str, step: str) -> None:
    waiting, viewer = CaseFilter(step=step, mine="1"), someone(username)
    count = matching(viewer, waiting).count()
    casework.act_in_bulk(viewer=viewer, action=action, case_filter=waiting, expected_count=count)


def _photograph(viewer: Viewer, case: Case, shade: int = 0) -> None:
    picture = BytesIO()
    colour = (120, 30 * case.case_no % 256, (shade or case.case_no) % 256)
    Image.new("RGB", (64, 48), colour).save(picture, "JPEG")
    with sealed_from(picture.getvalue(), "photo.jpg", "evidence") as upload:
        store(
            viewer=viewer, upload=upload, owner_kind="case", owner_id=case.case_no, area=case.area_code,
            purpose="evidence",
        )  # fmt: skip


# -- afterwards ---------------------------------------------------------------------------------


def a_day_later() -> None:
    """Everything written so far was written more than a day ago, as far as the file system knows."""
    before = time.time() - 25 * 3600  # noqa: TID251 - the file system's clock is the machine's
    for folder in ("lake/raw", "lake/registry", "lake/serving", "files", "spool"):
        for path in (HOME / folder).rglob("*"):
            os.utime(path, (before, before))


def settle() -> None:
    """What the worker does on the next day: finishes what is open, and sweeps."""
    a_day_later()
    ScheduleSlot.objects.all().update(slot=0)
    enqueue_due(node_name())
    work_off({Lane.HEAVY: 1, Lane.INTERACTIVE: 1})


def recover(again: str) -> dict[str, Any]:
    """Start again after a crash: the act once more, the worker, the next day; then tell what is there."""
    WORKS[again]()
    settle()
    return facts.everything()


WORKS: dict[str, Callable[[], None]] = {
    "receive": receive, "read": worker, "compare": worker, "issue": issue, "decide": decide, "evidence": evidence,
    "access": access, "fold": fold, "seal": worker, "amend": amend, "take in": take_in, "erase": erase, "nothing": nothing,
}  # fmt: skip
STAGES: dict[str, Callable[[], Any]] = {
    "deliver": deliver, "ask": ask, "ask_to_seal": ask_to_seal, "bring_sheet": bring_sheet, "worker": worker,
    "leave": leave, "ask_to_erase": ask_to_erase,
    "field_work": field_work, "read_people": read_people, "photos": photos,
    "frozen_worker": frozen_worker, "waiting": waiting,
    "waiting_for_the_county": waiting_for_the_county, "open_jobs": open_jobs,
    "alive": alive,
}  # fmt: skip


def standing_at(where: str) -> Callable[[str], None]:
    """Say so in a file at that passing, and go on slowly: somebody outside will choose the moment."""
    wanted, _, number = where.partition(":")
    seen = [0]

    def listen(point: str) -> None:
        seen[0] += point == wanted
        if seen[0] >= int(number):
            (HOME / "standing").touch()
            time.sleep(0.1)

    return listen


def main(act: str, *rest: str) -> None:
    start_clock()
    if trace := os.environ.get("FAULT_TRACE"):
        passed = Path(trace).open("a", encoding="ascii")  # noqa: SIM115 - as long as the process
        points.use(lambda point: print(point, file=passed, flush=True))
    if where := os.environ.get("FAULT_STOP"):
        points.use(standing_at(where))
    answer: Any = {}
    if act == "recover":
        answer = recover(*rest)
    elif act == "tell":
        answer = facts.everything()
    else:
        answer = {**WORKS, **STAGES}[act]()
    sys.stdout.write(json.dumps(answer, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
