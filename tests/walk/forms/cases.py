"""Forms of cases: acts, visits, answers in Excel."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from tests.factories import accounts as factory
from tests.factories.walking import HOME
from tests.walk.forms.scene import (
    CASE_MOVES,
    CASE_ROWS,
    CITY,
    COUNTERS,
    RECORD,
    SEAT,
    TOUCHED,
    TOWNSHIP,
    XLSX,
    Data,
    Form,
    Scene,
    to_town,
)
from wanjia.casework.answers import desk
from wanjia.casework.models import Case
from wanjia.files.services import store
from wanjia.files.uploads import sealed_from


def _case(scene: Scene) -> Mapping[str, Any]:
    return {"case_no": scene.case_no}


def _photo() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 180, 150)).save(content, "JPEG")
    return content.getvalue()


def _assigned(scene: Scene) -> None:
    to_town(scene)
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


def _answer(action: str, **answer: Any) -> Data:
    # one form for all actions: what this one does not need is declared all the same
    rest = dict.fromkeys(("assignee", "outcome", "note", "reason", "until", "visited_on", "met", "why", "place"), "")
    return lambda scene: {**rest, "action": action, "version": str(scene.case().version), **answer}


def _answer_shapes(scene: Scene) -> tuple[str, ...]:
    return (
        "correction.{column}",
        "correction.identified.{column}",
        "correction.number.{column}",
        "answer.{column}",
        "{column}[]",
    )


def _waiting(scene: Scene) -> int:
    """The cases on the city's desk."""
    return Case.objects.for_writing().filter(holder_area=CITY, step="issued", closed_at=None).count()


FORMS = (
    Form(
        "casework:save_filter", SEAT, query="state=overdue", data=lambda _: {"name": "已超期"},
        adds=frozenset({"accounts_savedfilter"}),
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
)  # fmt: skip
