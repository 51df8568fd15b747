"""Forms of the registry and of exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.factories import accounts as factory
from tests.factories.exports import limit
from tests.factories.registry import YEAR
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
from wanjia.registry.models import Household
from wanjia.registry.services.export import exportable


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


def _nothing_is_short(scene: Scene) -> None:
    limit(0)


def _sealing(scene: Scene) -> dict[str, str]:
    """The page's form with its warnings, and that they were looked at."""
    client = factory.client_for(scene.user("province_manager", "45"))
    form = client.get(f"/registry/years/{YEAR}/").context["form"]
    return {"confirmed": form["confirmed"].value(), "looked": "on"}


def _households(scene: Scene) -> int:
    return exportable(scene.viewer(*SEAT), {"area": COUNTY, "standing": "live"}).rows


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
        "registry:correct", SEAT, kwargs=_household, data=_correction, shapes=_correction_shapes,
        changes={"registry_household": {"hamlet"} | TOUCHED},
        adds=RECORD | {"registry_change"},
    ),
    Form(
        "registry:request", ("township_reviewer", TOWNSHIP), kwargs=_request, data=lambda _: {"decision": "decline", "note": REASON},
        changes={"registry_changerequest": {"state", "note", "decided_by", "decided_at"}}, adds=RECORD,
    ),
)  # fmt: skip
