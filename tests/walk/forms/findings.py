"""Forms of comparisons, of the departments' feedback and of the auditors."""

from __future__ import annotations

from typing import Any

from tests.factories.comparison import staged
from tests.factories.walking import MINE
from tests.walk.forms.scene import (
    CASE_MOVES,
    CASE_ROWS,
    CITY,
    COUNTERS,
    COUNTY,
    OFFICER,
    REASON,
    RECORD,
    SEAT,
    TOWNSHIP,
    Data,
    Form,
    Scene,
    of,
    to_town,
)
from wanjia.audit.testing import unrecorded
from wanjia.casework.filters import CaseFilter
from wanjia.comparison.choices import RunStatus
from wanjia.comparison.models import Run
from wanjia.inspection import queries as audited
from wanjia.jobs.services import cancel

FEEDBACK_ANSWERED = {"comparison_feedback": {"answer", "state", "reason", "answered_by", "answered_at", "version"}}


def _seeded(scene: Scene) -> dict[str, Any]:
    """The draw as its page asks for it."""
    seen = audited.population(scene.viewer("auditor", COUNTY), COUNTY, CaseFilter(state="all"))
    return {"expected": str(seen.count), "digest": seen.digest, "seed": "双色球 05 11 17", "size": "1"}


def _decided(scene: Scene) -> None:
    to_town(scene)
    verifier = scene.user("information_officer", TOWNSHIP)
    scene.act("township_reviewer", TOWNSHIP, "assign", assignee=verifier.pk)
    scene.act("information_officer", TOWNSHIP, "verify", outcome="08", note="车辆已过户，有过户单。")
    scene.act("township_reviewer", TOWNSHIP, "review")
    scene.act("county_office", COUNTY, "decide")


def _says(answer: str) -> Data:
    return lambda _: {"answer": answer, "version": "1", "reason": REASON}


def _no_job_waits(scene: Scene) -> None:
    cancel(viewer=scene.viewer("system_admin", "45"), job_id=staged().job.pk)


def _hold_run(scene: Scene) -> None:
    with unrecorded():
        Run.objects.filter(pk=staged().run.pk).update(status=RunStatus.HELD, held_for=[])


FORMS = (
    Form(
        "comparison:save_filter", SEAT, kwargs=lambda _: {"run_id": staged().run.pk}, query="rule=RA-02",
        data=lambda _: {"name": "车辆"}, adds=frozenset({"accounts_savedfilter"}),
    ),
    Form(
        "comparison:feedback_answer", ("department_officer", "45"), kwargs=of("comparison:feedback_answer"),
        department=MINE.department, data=_says("agree"), name="agree", changes=FEEDBACK_ANSWERED,
        adds=RECORD | {"casework_caseevent", "comparison_wrongrecord"},
    ),
    Form(
        "comparison:feedback_answer", ("department_officer", "45"), kwargs=of("comparison:feedback_answer"),
        department=MINE.department, prepare=_decided, data=_says("dispute"), name="dispute",
        changes={"casework_case": CASE_MOVES, **FEEDBACK_ANSWERED, **COUNTERS}, adds=CASE_ROWS,
    ),
    Form("comparison:request", OFFICER, prepare=_no_job_waits, adds=RECORD | {"jobs_job"}),
    Form(
        "comparison:sample", ("city_office", CITY), prepare=_decided, data=lambda _: {"expected": "1", "percent": "100"},
        changes={"casework_case": CASE_MOVES, **COUNTERS}, adds=CASE_ROWS,
    ),
    Form(
        "comparison:decide_held", OFFICER, prepare=_hold_run, kwargs=lambda _: {"run_id": staged().run.pk},
        data=lambda _: {"decision": "release", "reason": REASON},
        changes={"comparison_run": {"status", "decided_by", "decided_at", "decision_note"}}, adds=RECORD,
    ),
    Form(
        "comparison:issue", OFFICER, kwargs=lambda _: {"run_id": staged().run.pk},
        data=lambda _: {"expected": str(staged().run.finding_count), "due_on": ""},
        changes=COUNTERS, adds=CASE_ROWS | {"casework_case", "casework_casesubject", "comparison_screening"},
    ),
    Form(
        "inspection:draw", ("auditor", COUNTY), query="state=all", data=_seeded, adds=RECORD | {"inspection_sample"},
    ),
    Form(
        "inspection:bulk_reading", ("audit_admin", COUNTY), kwargs=of("inspection:bulk_reading"),
        data=lambda _: {"answer": "年度核对，股长同意"},
        changes={"inspection_bulkreading": {"answered_by", "answered_at", "answer"}}, adds=RECORD,
    ),
)  # fmt: skip
