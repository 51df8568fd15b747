"""Forms of the registry and of exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import accounts as factory
from tests.factories.exports import limit
from tests.factories.registry import YEAR, picture
from tests.walk.forms.scene import (
    COUNTY,
    EYE,
    REASON,
    RECORD,
    SEAT,
    SESSION,
    TOUCHED,
    TOWNSHIP,
    Form,
    Scene,
    of,
)
from wanjia.files.uploads import sealed_from
from wanjia.registry.choices import ImportMode
from wanjia.registry.models import Household
from wanjia.registry.services.export import exportable
from wanjia.registry.services.sheets import importing


def _household(scene: Scene) -> Mapping[str, Any]:
    return scene.example("registry:correct").kwargs


def _correction(scene: Scene) -> dict[str, Any]:
    """The whole form as its page holds it, with another hamlet."""
    number = _household(scene)["household_no"]
    client = factory.client_for(scene.user("county_office", COUNTY))
    answer = client.get(f"/registry/households/{number}/correct/")
    form = answer.context["form"]
    shown = {name: form[name].value() for name in form.fields}
    values = {
        name: value if isinstance(value, list) else "" if value is None else str(value) for name, value in shown.items()
    }
    return values | {f"hamlet-{number}": "下屯", "reason": REASON}


def _request(scene: Scene) -> Mapping[str, Any]:
    return scene.example("registry:request").kwargs


def _correction_shapes(scene: Scene) -> tuple[str, ...]:
    number = _household(scene)["household_no"]
    household = Household.objects.visible_to(EYE).get(pk=number)
    others = Household.objects.visible_to(EYE).exclude(pk=number).order_by("pk").values_list("pk", "head_person_no")[0]
    numbers = (number, household.head_person_no, *others)
    return tuple(f"{{column}}-{one}" for one in numbers) + tuple(f"was-{{column}}-{one}" for one in numbers[:2])


def _of_the_sealed_year(scene: Scene) -> dict[str, Any]:
    """The page of a household's dwelling in a sealed year, with another fuel."""
    which = scene.example("registry:correct_year").kwargs
    client = factory.client_for(scene.user("county_office", COUNTY))
    answer = client.get(f"/registry/households/{which['household_no']}/years/{which['year']}/?part=living")
    form = answer.context["form"]
    shown = {field.html_name: "" if field.value() is None else str(field.value()) for field in form}
    return shown | {f"fuel-{which['household_no']}": "01", "reason": REASON}


def _of_the_village(scene: Scene) -> dict[str, Any]:
    """The page of a village in a sealed year, with another direction."""
    which = scene.example("registry:correct_village_year").kwargs
    client = factory.client_for(scene.user("county_office", COUNTY))
    answer = client.get(f"/registry/villages/{which['village_code']}/years/{which['year']}/")
    form = answer.context["form"]
    shown = {field.html_name: "" if field.value() is None else field.value() for field in form}
    return shown | {f"place_development_direction-{which['village_code']}": "种桑养蚕", "reason": REASON}


def _village_shapes(scene: Scene) -> tuple[str, ...]:
    code = scene.example("registry:correct_village_year").kwargs["village_code"]
    return (f"place_{{column}}-{code}", f"was-place_{{column}}-{code}", f"hamlet_{{column}}-{code}001")


def _sealed_shapes(scene: Scene) -> tuple[str, ...]:
    number = scene.example("registry:correct_year").kwargs["household_no"]
    others = Household.objects.visible_to(EYE).exclude(pk=number).order_by("pk").values_list("pk", "head_person_no")[0]
    return (*(f"{{column}}-{one}" for one in (number, *others)), f"was-{{column}}-{number}")


def _nothing_is_short(scene: Scene) -> None:
    limit(0)


def _sealing(scene: Scene) -> dict[str, str]:
    """The page's form with its warnings, and that they were looked at."""
    client = factory.client_for(scene.user("province_manager", "45"))
    form = client.get(f"/registry/years/{YEAR}/").context["form"]
    return {"confirmed": form["confirmed"].value(), "looked": "on"}


def _households(scene: Scene) -> int:
    return exportable(scene.viewer(*SEAT), {"area": COUNTY, "standing": "live"}).rows


SHEET = "户编号,年度,屯\r\nH999,2020,新屯\r\n"
PEOPLE = "人口编号,姓名\r\nP999,韦新\r\n"
IMPORT = {"registry_sheetimport", "registry_sheetfile"}


def _bring(scene: Scene) -> None:
    viewer = scene.viewer(*SEAT)
    file = sealed_from(SHEET.encode(), "户.csv", "registry_sheet")
    row = importing.bring(viewer=viewer, brought=[file], area=COUNTY, mode=ImportMode.CORRECTION)
    scene.made["import"] = row.pk


def _preview(scene: Scene) -> None:
    _bring(scene)
    importing.read_sheets(viewer=scene.viewer(*SEAT), import_id=scene.made["import"])


def _import(scene: Scene) -> Mapping[str, Any]:
    return {"import_id": scene.made["import"]}


FORMS = (
    Form(
        "exports:ask", SEAT, prepare=_nothing_is_short, kwargs=lambda _: {"code": "households"},
        query=f"area={COUNTY}&standing=live",
        data=lambda scene: {"expected": str(_households(scene)), "reason": "月报核对"},
        adds=RECORD | {"exports_exportrequest"},
    ),
    Form(
        "exports:request", SEAT, kwargs=of("exports:request"), data=lambda _: {"decision": "approve", "note": "同意"},
        changes={"exports_exportrequest": {"state", "decided_by", "decided_at", "note", "expires_at"}}, adds=RECORD,
    ),
    Form(
        "registry:seal", ("province_manager", "45"), kwargs=lambda _: {"year": YEAR}, data=_sealing,
        adds={"jobs_job"},
    ),
    Form("registry:search", SEAT, data=lambda _: {"text": "韦"}, changes=SESSION),
    Form(
        "registry:save_filter", SEAT, query="standing=all", data=lambda _: {"name": "全部户"},
        adds={"accounts_savedfilter"},
    ),
    Form("registry:suggest", SEAT, data=lambda _: {"text": "韦"}),
    Form(
        "registry:reveal", SEAT, kwargs=_household, data=lambda _: {"what": "phone:", "reason": REASON},
    ),  # it is recorded where readings are, in a store of their own
    Form(
        "registry:imports", SEAT,
        data=lambda _: {
            "mode": "correction", "area": COUNTY, "year": "2020", "household_category": "", "poverty_status": "",
            "identified_year": "", "file": SimpleUploadedFile("户.csv", SHEET.encode("gb18030"), "text/csv"),
        },
        adds=RECORD | IMPORT | {"jobs_job"},
    ),
    Form(
        "registry:add_sheet", SEAT, prepare=_preview, kwargs=_import,
        data=lambda _: {"file": SimpleUploadedFile("成员.csv", PEOPLE.encode("gb18030"), "text/csv")},
        changes={"registry_sheetimport": {"status", "job_id"}}, adds=RECORD | {"registry_sheetfile", "jobs_job"},
    ),
    Form(
        "registry:read_sheets", SEAT, prepare=_bring, kwargs=_import,
        changes={"registry_sheetimport": {"job_id"}}, adds=RECORD | {"jobs_job"},
    ),
    Form(
        "registry:apply_sheets", SEAT, prepare=_preview, kwargs=_import,
        changes={"registry_sheetimport": {"job_id"}}, adds=RECORD | {"jobs_job"},
    ),
    Form(
        "registry:cancel_import", SEAT, prepare=_bring, kwargs=_import,
        changes={
            "registry_sheetimport": {"status", "decided_by", "decided_at"}, "registry_sheetfile": {"counts"},
        },
        adds=RECORD,
    ),
    Form(
        "registry:correct", SEAT, kwargs=_household, data=_correction, shapes=_correction_shapes,
        changes={"registry_household": {"hamlet"} | TOUCHED},
        adds=RECORD | {"registry_change"},
    ),
    Form(
        "registry:add_photo", SEAT, kwargs=_household,
        data=lambda _: {"photo": SimpleUploadedFile("house.jpg", picture(), "image/jpeg")},
        adds=RECORD | {"files_storedfile"},
    ),
    Form(
        "registry:remove_photo", SEAT, kwargs=of("registry:remove_photo"), data=lambda _: {"reason": REASON},
        adds=RECORD, removes=frozenset({"files_storedfile"}),
    ),
    Form(
        "registry:erase", SEAT, kwargs=of("registry:erase"), data=lambda _: {"reason": REASON, "meant": "on"},
        adds=RECORD | {"registry_erasure"},
    ),
    Form(
        "registry:erasure", SEAT, kwargs=of("registry:erasure"),
        data=lambda _: {"decision": "decline", "note": REASON}, name="decline",
        changes={"registry_erasure": {"state", "note", "decided_by", "decided_at"}}, adds=RECORD,
    ),
    Form(
        "registry:erasure", SEAT, kwargs=of("registry:erasure"),
        data=lambda _: {"decision": "approve", "meant": "on", "note": "同意"}, name="approve",
        changes={
            "registry_erasure": {"state", "note", "decided_by", "decided_at", "event_id"},
            "registry_person": {
                "national_person_no", "name", "name_match", "id_type", "id_number", "person_key", "id_valid", "sex",
                "birth_date", "ethnicity",
            },
            "registry_membership": {"joined_on", "left_on"},
        },
        adds=RECORD | {"jobs_job"}, removes=frozenset({"registry_nametoken"}),
    ),
    Form(
        "registry:correct_year", SEAT, kwargs=of("registry:correct_year"), data=_of_the_sealed_year, query="part=living",
        shapes=_sealed_shapes, adds=RECORD | {"registry_changerequest", "registry_changerequestitem"},
    ),
    Form(
        "registry:correct_village_year", SEAT, kwargs=of("registry:correct_village_year"), data=_of_the_village,
        shapes=_village_shapes, adds=RECORD | {"registry_yearcorrection", "registry_change"},
    ),
    Form(
        "registry:request", ("township_reviewer", TOWNSHIP), kwargs=_request, data=lambda _: {"decision": "decline", "note": REASON},
        changes={"registry_changerequest": {"state", "note", "decided_by", "decided_at"}}, adds=RECORD,
    ),
)  # fmt: skip
