"""The form each writing route takes, who sends it, and all that it may change: the fields of trust.md S3.

A route that writes and stands here in no form fails a test. Each form is one that succeeds, sent by whoever may do
most there; what it may change is written down as tables and columns, and nothing else in the database may move.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from tests.factories import accounts as factory
from tests.factories import sources as deliveries
from tests.factories.comparison import staged
from tests.factories.exports import limit
from tests.factories.walking import HOME, MINE, Example
from tests.walk.site import Asker
from wanjia.accounts import saved
from wanjia.accounts.models import User
from wanjia.audit.testing import unrecorded
from wanjia.casework.answers import desk
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.rules import Answer
from wanjia.casework.services import act
from wanjia.comparison.choices import RunStatus
from wanjia.comparison.models import Run
from wanjia.files.services import store
from wanjia.files.uploads import sealed_from
from wanjia.inspection import queries as audited
from wanjia.jobs.services import cancel
from wanjia.kernel import clock
from wanjia.registry.models import Household
from wanjia.registry.services.export import exportable
from wanjia.scope.system import system_viewer
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch
from wanjia.sources.services import accept, map_columns, receive

EYE = system_viewer("comparison.case")
CITY, COUNTY, TOWNSHIP, SAMPLE_CITY = HOME[:4], HOME[:6], HOME[:9], HOME[:4]
NEW_PASSWORD = "another-horse-77"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REASON = "走访时发现登记有误"
# Every act leaves these; nobody can name them.
RECORD = frozenset({"log_outbox", "log_opening"})
CASE_MOVES = {"step", "holder_area", "holder_user_id", "assignee_id", "step_entered_at", "warn_on", "due_on", "version"}
CASE_MOVES |= {"alarm", "raised_to"}
CASE_ROWS = RECORD | {"casework_caseevent", "casework_casemove", "casework_casecounter", "scope_holding"}
COUNTERS = {"casework_casecounter": {"n"}, "casework_casemove": {"n"}}


@dataclass(slots=True)
class Scene:
    """The world of the walk, and who is at work in it."""

    world: list[Example]
    users: dict[tuple[str, str], User] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def user(self, role: str, area: str, **more: str) -> User:
        key = (role, area)
        if key not in self.users:
            name = f"w-{role.replace('_', '-')}-{area}"
            self.users[key] = factory.account(name, role, area, **more)
        return self.users[key]

    def viewer(self, role: str, area: str):
        return factory.viewer(self.user(role, area))

    def example(self, route: str, place: str = MINE.name) -> Example:
        return next(one for one in self.world if one.route == route and one.place.name == place)

    @property
    def case_no(self) -> int:
        return int(self.example("casework:case").kwargs["case_no"])

    def case(self) -> Case:
        return Case.objects.for_writing().get(pk=self.case_no)

    def act(self, role: str, area: str, action: str, **answer: Any) -> None:
        """One step of the case, as the services take it."""
        act(
            viewer=self.viewer(role, area), case_no=self.case_no, action=action, seen_version=self.case().version,
            answer=Answer(**answer),
        )  # fmt: skip


Data = Callable[[Scene], dict[str, Any]]
Kwargs = Callable[[Scene], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form that succeeds. `changes` are columns of rows that were there; `adds` and `removes` name tables.

    `shapes` are the ways field names are made of columns on this form, beside the column and `table.column`.
    """

    route: str
    actor: tuple[str, str]
    data: Data = lambda _: {}
    kwargs: Kwargs = lambda _: {}
    changes: Mapping[str, set[str]] = field(default_factory=dict)
    adds: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    prepare: Callable[[Scene], None] | None = None
    query: str = ""
    shapes: Callable[[Scene], tuple[str, ...]] = lambda _: ()
    name: str = ""
    stranger: bool = False
    department: str = ""

    def __str__(self) -> str:
        return f"{self.route} {self.name}".strip()

    def client(self, scene: Scene) -> Client:
        """The browser the form is sent from."""
        if self.stranger:
            return Asker(raise_request_exception=False)
        relation = {"relation": "own_department", "department": self.department} if self.department else {}
        return factory.client_for(scene.user(*self.actor, **relation), Asker)


def _of(route: str, place: str = "own") -> Kwargs:
    return lambda scene: scene.example(route, place).kwargs


def _case(scene: Scene) -> Mapping[str, Any]:
    return {"case_no": scene.case_no}


def _seeded(scene: Scene) -> dict[str, Any]:
    """The draw as its page asks for it."""
    seen = audited.population(scene.viewer("auditor", COUNTY), COUNTY, CaseFilter(state="all"))
    return {"expected": str(seen.count), "digest": seen.digest, "seed": "双色球 05 11 17", "size": "1"}


def _photo() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 180, 150)).save(content, "JPEG")
    return content.getvalue()


# How far the case has come before the form under test is sent.


def _to_town(scene: Scene) -> None:
    scene.user("township_reviewer", TOWNSHIP)  # nothing is sent where nobody could act
    scene.act("city_office", CITY, "pass_on")
    scene.act("county_office", COUNTY, "distribute")


def _assigned(scene: Scene) -> None:
    _to_town(scene)
    verifier = scene.user("information_officer", TOWNSHIP)
    scene.act("township_reviewer", TOWNSHIP, "assign", assignee=verifier.pk)


def _photographed(scene: Scene) -> None:
    _assigned(scene)
    store(
        viewer=scene.viewer("information_officer", TOWNSHIP), upload=sealed_from(_photo(), "door.jpg", "evidence"),
        owner_kind="case", owner_id=scene.case_no, area=scene.case().area_code, purpose="evidence",
    )  # fmt: skip


def _sheet(scene: Scene) -> bytes:
    """The form in Excel as the verifier has filled it: his one case is not true."""
    client = factory.client_for(scene.user("information_officer", TOWNSHIP))
    answer = client.get(reverse("casework:answers_form"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    said = {"核查结果": "08 不属实，数据过期", "入户日期": "2020-11-16", "见到何人": "户主", "核查说明": "车辆已过户"}
    for cell in book.worksheets[0][1]:
        if cell.value in said:
            book.worksheets[0].cell(2, cell.column).value = said[cell.value]
    filled = io.BytesIO()
    book.save(filled)
    return filled.getvalue()


def _uploaded(scene: Scene) -> None:
    _assigned(scene)
    upload = sealed_from(_sheet(scene), "answers.xlsx", "answers")
    scene.made["token"] = desk.keep(scene.viewer("information_officer", TOWNSHIP), upload).token


def _visit(scene: Scene) -> dict[str, Any]:
    number = scene.case_no
    answer = {f"outcome-{number}": "02", f"version-{number}": str(scene.case().version), f"note-{number}": ""}
    return {"visited_on": "2020-11-16", "met": "户主", "note": "入户查看，已拍照。", "until": "", **answer}


def _verified(scene: Scene) -> None:
    _photographed(scene)
    scene.act("information_officer", TOWNSHIP, "verify", outcome="02", note="入户查看，已拍照。")


def _reviewed(scene: Scene) -> None:
    _verified(scene)
    correction = {"change": "identified", "identified_year": "2014"}
    scene.act("village_operator", HOME, "correct", correction=correction)
    scene.act("township_reviewer", TOWNSHIP, "review")


def _decided(scene: Scene) -> None:
    _to_town(scene)
    verifier = scene.user("information_officer", TOWNSHIP)
    scene.act("township_reviewer", TOWNSHIP, "assign", assignee=verifier.pk)
    scene.act("information_officer", TOWNSHIP, "verify", outcome="08", note="车辆已过户，有过户单。")
    scene.act("township_reviewer", TOWNSHIP, "review")
    scene.act("county_office", COUNTY, "decide")


def _answer(action: str, **answer: Any) -> Data:
    # one form for all actions: what this one does not need is declared all the same
    rest = dict.fromkeys(("assignee", "outcome", "note", "reason", "until", "visited_on", "met", "why", "place"), "")
    return lambda scene: {**rest, "action": action, "version": str(scene.case().version), **answer}


def _says(answer: str) -> Data:
    return lambda _: {"answer": answer, "version": "1", "reason": REASON}


def _answer_shapes(scene: Scene) -> tuple[str, ...]:
    return (
        "correction.{column}",
        "correction.identified.{column}",
        "correction.number.{column}",
        "answer.{column}",
        "{column}[]",
    )


def _household(scene: Scene) -> Mapping[str, Any]:
    return scene.example("registry:correct").kwargs


def _correction(scene: Scene) -> dict[str, Any]:
    """The whole form as its page holds it, with another hamlet."""
    number = _household(scene)["household_no"]
    client = factory.client_for(scene.user("county_office", COUNTY))
    answer = client.get(f"/registry/households/{number}/correct/")
    form = answer.context["form"]
    shown = {name: form[name].value() for name in form.fields}
    values = {name: "" if value is None else str(value) for name, value in shown.items()}
    return values | {f"hamlet-{number}": "下屯", "reason": REASON}


def _correction_shapes(scene: Scene) -> tuple[str, ...]:
    number = _household(scene)["household_no"]
    household = Household.objects.visible_to(EYE).get(pk=number)
    others = Household.objects.visible_to(EYE).exclude(pk=number).order_by("pk").values_list("pk", "head_person_no")[0]
    numbers = (number, household.head_person_no, *others)
    return tuple(f"{{column}}-{one}" for one in numbers) + tuple(f"was-{{column}}-{one}" for one in numbers[:2])


def _saved(scene: Scene) -> None:
    kept = saved.save(viewer=scene.viewer(*SEAT), page="cases", name="每周要看", conditions={"state": "overdue"})
    scene.made["filter"] = kept.pk


def _filter(scene: Scene) -> Mapping[str, Any]:
    return {"filter_id": scene.made["filter"]}


def _nothing_is_short(scene: Scene) -> None:
    limit(0)


def _households(scene: Scene) -> int:
    return exportable(scene.viewer(*SEAT), {"area": COUNTY, "standing": "live"}).rows


def _no_job_waits(scene: Scene) -> None:
    cancel(viewer=scene.viewer(*OFFICER), job_id=staged().job.pk)


def _hold_run(scene: Scene) -> None:
    with unrecorded():
        Run.objects.filter(pk=staged().run.pk).update(status=RunStatus.HELD, held_for=[])


def _read_batch(scene: Scene, **more: Any) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vehicles.csv")
        path.write_text(deliveries.delivery(**more), "gb18030")
        scene.made["batch"] = receive(viewer=system_viewer("cli.intake"), path=path).pk


def _ask_for_columns(scene: Scene) -> None:
    _read_batch(scene, header=deliveries.STRANGE)


def _map(scene: Scene) -> None:
    _ask_for_columns(scene)
    viewer = scene.viewer(*OFFICER)
    scene.made["mapping"] = map_columns(
        viewer=viewer, batch_id=scene.made["batch"], columns=deliveries.STRANGE_FIELDS
    ).mapping_id


def _hold_batch(scene: Scene) -> None:
    _read_batch(scene)
    with unrecorded():
        held = Batch.objects.visible_to(system_viewer("cli.intake")).filter(pk=scene.made["batch"])
        held.update(status=BatchStatus.HELD, holds=[{"guard": "rows"}])


def _accept_batch(scene: Scene) -> None:
    _read_batch(scene)
    accept(viewer=system_viewer("cli.intake"), batch_id=scene.made["batch"])


def _batch(scene: Scene) -> Mapping[str, Any]:
    return {"batch_id": scene.made["batch"]}


def _interrupt(scene: Scene) -> None:
    scene.made["batch"] = scene.example("sources:batch").kwargs["batch_id"]


def _colleague(scene: Scene) -> None:
    scene.made["colleague"] = factory.account("w-colleague", *SEAT)


def _deputy(scene: Scene) -> None:
    from wanjia.accounts.deputies import name_deputy

    _colleague(scene)
    scene.made["deputyship"] = name_deputy(
        viewer=scene.viewer(*SEAT), deputy_id=scene.made["colleague"].pk, area_code=COUNTY,
        valid_from=clock.today(), valid_to=clock.today() + timedelta(days=5), reason="年休假",
    )  # fmt: skip


def _lock(scene: Scene) -> None:
    from wanjia.accounts.services import lock

    number = scene.example("accounts:person").kwargs["user_id"]
    lock(viewer=scene.viewer("security_admin", "45"), user_id=number, reason="离岗")


SECURITY, OFFICER, SEAT = ("security_admin", "45"), ("province_data_officer", "45"), ("county_office", COUNTY)
FEEDBACK_ANSWERED = {"comparison_feedback": {"answer", "state", "reason", "answered_by", "answered_at", "version"}}
BATCH_DECIDED = {"sources_batch": {"status", "decided_by", "decided_at", "decision_note"}}
SESSION = {"django_session": {"session_data", "expire_date"}}
# Columns the whole registry's row gets with any correction.
TOUCHED = {"updated_at", "updated_on", "version"}

FORMS = (
    Form(
        "accounts:sign_in", ("auditor", "45"), stranger=True,
        data=lambda scene: {"username": scene.user("auditor", "45").username, "password": factory.PASSWORD},
        changes={"accounts_user": {"last_login"}}, adds=frozenset({"django_session", "axes_accesslog"}),
    ),
    Form(
        "accounts:sign_out", SEAT, changes={"axes_accesslog": {"logout_time"}}, removes=frozenset({"django_session"}),
    ),
    Form(
        "accounts:language", SEAT, data=lambda _: {"language": "en", "next": "/"},
        changes={"accounts_user": {"language"}}, adds=RECORD,
    ),
    Form(
        "accounts:me", SEAT,
        data=lambda _: {"present": factory.PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD},
        changes={"accounts_user": {"password", "password_set_on", "former_passwords"}},
        adds=RECORD | {"django_session"}, removes=frozenset({"django_session"}),
    ),
    Form(
        "accounts:name_deputy", SEAT, prepare=_colleague,
        data=lambda scene: {
            "colleague": "w-colleague", "office": COUNTY, "valid_from": "2020-11-16", "last_day": "2020-11-20",
            "reason": "年休假",
        },
        adds=RECORD | {"accounts_deputyship"},
    ),
    Form(
        "accounts:end_deputy", SEAT, prepare=_deputy,
        kwargs=lambda scene: {"deputyship_id": scene.made["deputyship"].pk},
        changes={"accounts_deputyship": {"valid_to", "ended_by"}}, adds=RECORD,
    ),
    Form(
        "accounts:rename_filter", SEAT, prepare=_saved, kwargs=_filter, data=lambda _: {"name": "月底要看"},
        changes={"accounts_savedfilter": {"name"}},
    ),
    Form(
        "accounts:remove_filter", SEAT, prepare=_saved, kwargs=_filter, removes=frozenset({"accounts_savedfilter"}),
    ),
    Form(
        "casework:save_filter", SEAT, query="state=overdue", data=lambda _: {"name": "已超期"},
        adds=frozenset({"accounts_savedfilter"}),
    ),
    Form(
        "comparison:save_filter", SEAT, kwargs=lambda _: {"run_id": staged().run.pk}, query="rule=RA-02",
        data=lambda _: {"name": "车辆"}, adds=frozenset({"accounts_savedfilter"}),
    ),
    Form("accounts:people", SECURITY, data=lambda _: {"q": "测试"}, changes=SESSION),
    Form(
        "accounts:open", SECURITY,
        data=lambda _: {
            "username": "opened-now", "display_name": "新开", "area_code": COUNTY, "phone": "13800138000", "id_number": "",
            "password": NEW_PASSWORD,
        },
        adds=RECORD | {"accounts_user"},
    ),
    Form(
        "accounts:grant", SECURITY, kwargs=_of("accounts:grant"),
        data=lambda _: {
            "role": "village_operator", "area_code": HOME, "relation": "", "department": "", "valid_from": "2020-11-16",
            "last_day": "2020-12-31",
        },
        adds=RECORD | {"accounts_grantrow"},
    ),
    Form(
        "accounts:lock", SECURITY, kwargs=_of("accounts:lock"), data=lambda _: {"reason": "离岗"},
        changes={"accounts_user": {"is_active", "locked_on"}}, adds=RECORD,
    ),
    Form(
        "accounts:unlock", SECURITY, kwargs=_of("accounts:unlock"), prepare=_lock,
        changes={"accounts_user": {"is_active", "locked_on"}}, adds=RECORD,
    ),
    Form(
        "accounts:set_password", SECURITY, kwargs=_of("accounts:set_password"),
        data=lambda _: {"password": NEW_PASSWORD},
        changes={"accounts_user": {"password", "password_set_on", "former_passwords"}}, adds=RECORD,
    ),
    Form(
        "accounts:revoke", SECURITY, kwargs=_of("accounts:revoke"),
        changes={"accounts_grantrow": {"valid_to", "ended_by"}}, adds=RECORD,
    ),
    Form(
        "casework:bulk", ("city_office", CITY), query="action=pass_on&step=issued&kind=suspect",
        data=lambda scene: {"expected": str(_waiting(scene)), "due_on": ""},
        changes={"casework_case": CASE_MOVES, **COUNTERS}, adds=CASE_ROWS,
    ),
    Form(
        "casework:act", ("city_office", CITY), kwargs=_case, data=_answer("pass_on"), name="pass on",
        changes={"casework_case": CASE_MOVES, **COUNTERS}, adds=CASE_ROWS, shapes=_answer_shapes,
    ),
    Form(
        "casework:act", ("information_officer", TOWNSHIP), kwargs=_case, prepare=_photographed, name="verify",
        data=_answer("verify", outcome="02", note="入户查看，已拍照。", visited_on="2020-11-16", met="户主"), shapes=_answer_shapes,
        changes={"casework_case": CASE_MOVES | {"outcome", "outcome_note"}, "scope_holding": {"valid_to"}, **COUNTERS},
        adds=CASE_ROWS,
    ),
    Form(
        "casework:act", ("village_operator", HOME), kwargs=_case, prepare=_verified, name="correct",
        data=_answer("correct", **{"correction.change": "identified", "correction.identified.identified_year": "2014"}),
        changes={"casework_case": CASE_MOVES | {"proposal"}, **COUNTERS}, adds=CASE_ROWS, shapes=_answer_shapes,
    ),
    Form(
        "casework:act", SEAT, kwargs=_case, prepare=_reviewed, data=_answer("decide"), name="decide",
        changes={"casework_case": CASE_MOVES | {"outcome"}, "registry_household": {"identified_year"} | TOUCHED, **COUNTERS},
        adds=CASE_ROWS | {"registry_change"}, shapes=_answer_shapes,
    ),
    Form(
        "casework:evidence", ("information_officer", TOWNSHIP), kwargs=_case, prepare=_assigned,
        data=lambda _: {"evidence": SimpleUploadedFile("door.jpg", _photo(), "image/jpeg")},
        adds=RECORD | {"files_storedfile"},
    ),
    Form(
        "casework:visit", ("information_officer", TOWNSHIP), prepare=_photographed, data=_visit,
        kwargs=lambda scene: {"household_no": scene.case().household_no},
        changes={"casework_case": CASE_MOVES | {"outcome", "outcome_note"}, "scope_holding": {"valid_to"}, **COUNTERS},
        adds=CASE_ROWS, shapes=lambda scene: (f"{{column}}-{scene.case_no}", "visit.{column}"),
    ),
    Form(
        "casework:answers_upload", ("information_officer", TOWNSHIP), prepare=_assigned,
        data=lambda scene: {"sheet": SimpleUploadedFile("answers.xlsx", _sheet(scene), XLSX)},
        adds=frozenset({"casework_answersheet"}),
    ),
    Form(
        "casework:answers_apply", ("information_officer", TOWNSHIP), prepare=_uploaded,
        data=lambda scene: {"token": str(scene.made["token"])},
        changes={
            "casework_case": CASE_MOVES | {"outcome", "outcome_note"}, "scope_holding": {"valid_to"}, **COUNTERS,
            "casework_answersheet": {"applied_at", "applied", "refused", "rows"},
        },
        adds=CASE_ROWS,
    ),
    Form(
        "comparison:feedback_answer", ("department_officer", "45"), kwargs=_of("comparison:feedback_answer"),
        department=MINE.department, data=_says("agree"), name="agree", changes=FEEDBACK_ANSWERED,
        adds=RECORD | {"casework_caseevent", "comparison_wrongrecord"},
    ),
    Form(
        "comparison:feedback_answer", ("department_officer", "45"), kwargs=_of("comparison:feedback_answer"),
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
        "exports:ask", SEAT, prepare=_nothing_is_short, kwargs=lambda _: {"code": "households"},
        query=f"area={COUNTY}&standing=live",
        data=lambda scene: {"expected": str(_households(scene)), "reason": "月报核对"},
        adds=RECORD | {"exports_exportrequest"},
    ),
    Form(
        "exports:request", SEAT, kwargs=_of("exports:request"), data=lambda _: {"decision": "approve", "note": "同意"},
        changes={"exports_exportrequest": {"state", "decided_by", "decided_at", "note", "expires_at"}}, adds=RECORD,
    ),
    Form(
        "inspection:draw", ("auditor", COUNTY), query="state=all", data=_seeded, adds=RECORD | {"inspection_sample"},
    ),
    Form(
        "inspection:bulk_reading", ("audit_admin", COUNTY), kwargs=_of("inspection:bulk_reading"),
        data=lambda _: {"answer": "年度核对，股长同意"},
        changes={"inspection_bulkreading": {"answered_by", "answered_at", "answer"}}, adds=RECORD,
    ),
    Form(
        "jobs:cancel", OFFICER, kwargs=_of("jobs:cancel"), changes={"jobs_job": {"state", "finished_at"}}, adds=RECORD,
    ),
    Form("office:area", SEAT, data=lambda _: {"code": TOWNSHIP, "next": "/"}, changes=SESSION),
    Form(
        "reference:parameter", OFFICER, kwargs=lambda _: {"name": "suspects.days.assigned"},
        data=lambda _: {"value": "12", "region": "45", "valid_from": "2021-01-01", "source": "桂扶领发〔2020〕99号"},
        adds=RECORD | {"reference_parameter", "reference_revision"}, changes={"reference_revision": {"token"}},
    ),
    Form(
        "reference:lines", OFFICER,
        data=lambda _: {
            "year": "2021", "kind": "working", "amount": "4300.00", "region": "45", "valid_from": "2021-01-01",
            "source": "桂扶领发〔2020〕99号",
        },
        adds=RECORD | {"reference_povertyline", "reference_revision"}, changes={"reference_revision": {"token"}},
    ),
    Form("registry:search", SEAT, data=lambda _: {"text": "韦"}, changes=SESSION),
    Form("registry:suggest", SEAT, data=lambda _: {"text": "韦"}),
    Form(
        "registry:reveal", SEAT, kwargs=_household, data=lambda _: {"what": "phone:", "reason": REASON},
    ),  # it is recorded where readings are, in a store of their own
    Form(
        "registry:correct", SEAT, kwargs=_household, data=_correction, shapes=_correction_shapes,
        changes={"registry_household": {"hamlet"} | TOUCHED}, adds=RECORD | {"registry_change"},
    ),
    Form(
        "sources:upload", ("department_officer", "45"), department="gongan",
        data=lambda _: {
            "dataset": "", "area": "45", "mode": "", "period_from": "", "period_to": "", "as_of": "",
            "file": SimpleUploadedFile("vehicles.csv", deliveries.delivery().encode("gb18030"), "text/csv"),
        },
        adds=RECORD | {"sources_batch", "jobs_job"},
    ),
    Form("sources:accept", OFFICER, prepare=_read_batch, kwargs=_batch, changes=BATCH_DECIDED, adds=RECORD),
    Form(
        "sources:columns", OFFICER, prepare=_ask_for_columns, kwargs=_batch,
        data=lambda _: {f"column-{n}": name for n, name in enumerate(deliveries.STRANGE_FIELDS)},
        changes={"sources_batch": {"status", "mapping_id", "proposal", "preview", "figures", "holds", "job_id"}},
        adds=RECORD | {"jobs_job", "sources_columnmapping"}, shapes=lambda _: ("column-{column}",),
    ),
    Form(
        "sources:end_mapping", OFFICER, prepare=_map, kwargs=lambda scene: {"mapping_id": scene.made["mapping"]},
        changes={"sources_columnmapping": {"ended_by", "ended_at", "valid_to"}}, adds=RECORD,
    ),
    Form(
        "sources:let_go_on", OFFICER, prepare=_hold_batch, kwargs=_batch, data=lambda _: {"reason": REASON},
        changes={"sources_batch": {"status", "let_go_by", "let_go_at", "let_go_reason"}}, adds=RECORD,
    ),
    Form(
        "sources:reject", OFFICER, prepare=_read_batch, kwargs=_batch, data=lambda _: {"reason": "请按季度重报"},
        changes=BATCH_DECIDED, adds=RECORD,
    ),
    Form(
        "sources:withdraw", OFFICER, prepare=_accept_batch, kwargs=_batch, data=lambda _: {"reason": REASON},
        changes={"sources_batch": {"status", "withdrawn_by", "withdrawn_at", "withdrawn_reason"}}, adds=RECORD,
    ),
    Form(
        "sources:read_again", OFFICER, prepare=_interrupt, kwargs=_batch, changes={"sources_batch": {"job_id"}},
        adds=RECORD | {"jobs_job"},
    ),
)  # fmt: skip


def _waiting(scene: Scene) -> int:
    """The cases on the city's desk."""
    return Case.objects.for_writing().filter(holder_area=CITY, step="issued", closed_at=None).count()
