"""One comparison with a finding in every village of the walk, as registry, resolution and comparison make it.

`staged()` builds it once for each installation's folder: two households in each place, with a car
from before they were identified. The first household's finding stays a finding; the second's
becomes a case in `tests.factories.casework`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from tests.comparison.conftest import World
from tests.factories import accounts, registry
from tests.factories.walking import MINE, PLACES, Example, Place
from wanjia.accounts.models import User
from wanjia.comparison.models import Run
from wanjia.comparison.queries import Filters, each_finding
from wanjia.comparison.services import ask_for_comparison, run_comparison
from wanjia.jobs.models import Job
from wanjia.registry.models import Household
from wanjia.registry.services import load_registry, publish_snapshot
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer

EYE = system_viewer("comparison.case")
PROVINCE = "45"
VILLAGE = 12
DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Suspected:
    """A household, and what the run says against its head. Its head's name and his plate are nobody else's."""

    household_no: int
    person_no: int
    village_code: str
    name: str
    plate: str
    finding_no: int
    rule: str
    evidence_hash: str


@dataclass(frozen=True, slots=True)
class Stage:
    """The run and the job that might ask for another; by place, who has only a finding and who has a case."""

    run: Run
    job: Job
    officer: User
    found: dict[Place, Suspected]
    issued: dict[Place, Suspected]


def staged() -> Stage:
    """The stage of this test's installation, built when first asked for."""
    return _staged(str(settings.WANJIA_HOME))


@lru_cache(maxsize=1)
def _staged(home: str) -> Stage:
    del home  # names the database and the lake the stage is in
    officer = accounts.account("compares", "province_data_officer", PROVINCE)
    viewer = accounts.viewer(officer)
    places = [place for place in PLACES if len(place.area) == VILLAGE and place.area.startswith(PROVINCE)]
    serials = {f"H{700 + number}": place for number, place in enumerate([*places, *places])}
    heads = _register(serials)
    world = World()
    for name, household in heads.items():
        world.car(household.head_person_no, plate=_plate(name))
    world.deliver(publish_snapshot(viewer=viewer), area=PROVINCE, file_hash="c" * 64)
    run = run_comparison(viewer=viewer)
    findings = {finding.person_no: finding for finding in each_finding(viewer, run.pk, Filters())}
    found: dict[Place, Suspected] = {}
    issued: dict[Place, Suspected] = {}
    for name, place in serials.items():
        household = heads[name]
        finding = findings[household.head_person_no]
        (issued if place in found else found)[place] = Suspected(
            household_no=household.household_no,
            person_no=finding.person_no,
            village_code=finding.village_code,
            name=_head(name),
            plate=_plate(name),
            finding_no=finding.finding_no,
            rule=finding.rule,
            evidence_hash=finding.evidence_hash,
        )
    return Stage(run, _waiting_job(viewer), officer, found, issued)


def _register(serials: dict[str, Place]) -> dict[str, Household]:
    """A household in each place, by national number."""
    homes: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for name, place in serials.items():
        home, members = registry.family(name, place.area, poverty_status="0", exit_year=None)
        members[0]["name"] = _head(name)
        homes.append(home)
        people += members
    load_registry(viewer=registry.BUILDER, batch=registry.batch(homes, people), year=registry.YEAR)
    rows = Household.objects.visible_to(EYE).filter(national_household_no__in=serials)
    return {household.national_household_no: household for household in rows}


def _waiting_job(viewer: Viewer) -> Job:
    job = ask_for_comparison(viewer=viewer)
    job.note = JOB_NOTE
    job.save(update_fields=["note"])
    return job


def _head(name: str) -> str:
    return "蒙" + "".join(DIGITS[int(digit)] for digit in name[1:])


def _plate(name: str) -> str:
    return f"桂M9{name[1:]}X"


JOB_NOTE = "归户第七七七批"


def _reads(viewer: Viewer) -> bool:
    return viewer.may("comparison.read")


def _issues(viewer: Viewer) -> bool:
    return viewer.may("comparison.issue") and _reads(viewer)


def _runs(viewer: Viewer) -> bool:
    return viewer.may("comparison.run") and _reads(viewer)


def _sees_the_job(viewer: Viewer) -> bool:
    """The job is the province's: whoever looks after the whole province's jobs."""
    return any(
        grant.relation is Relation.ALL and "jobs.read" in grant.actions and PROVINCE.startswith(grant.area.lo)
        for grant in viewer.grants
    )


def _follows(viewer: Viewer) -> bool:
    return viewer.may("comparison.run") and _sees_the_job(viewer)


def examples(place: Place) -> list[Example]:
    """A finding at a place; the run, which speaks of no place, once."""
    stage = staged()
    return [*_of_the_run(stage, place), *_at(stage, place)]


def _of_the_run(stage: Stage, place: Place) -> list[Example]:
    if place is not MINE:
        return []
    run, job = {"run_id": stage.run.pk}, {"job_id": stage.job.pk}
    issue = {"expected": str(stage.run.finding_count)}
    discard = {"decision": "discard", "reason": "批次有误"}
    return [
        Example("comparison:run", run, (), seen_by=_reads),
        Example("comparison:save_filter", run, (), method="post", data={"name": ""}, seen_by=_reads),
        Example("comparison:issue", run, (), method="post", data=issue, seen_by=_issues),
        Example("comparison:decide_held", run, (), method="post", data=discard, seen_by=_runs),
        Example("comparison:comparing", job, (JOB_NOTE,), seen_by=_follows),
        Example("jobs:job", job, (JOB_NOTE,), seen_by=_sees_the_job),
    ]


def _at(stage: Stage, place: Place) -> list[Example]:
    suspected = stage.found.get(place)
    if suspected is None:
        return []
    which = {"run_id": stage.run.pk, "finding_no": suspected.finding_no}
    return [
        Example("comparison:finding", which, (suspected.plate,)),
        Example("registry:household", {"household_no": suspected.household_no}, (suspected.name,)),
    ]
