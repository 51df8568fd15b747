"""Forms of accounts: signing in, posts, deputies, saved filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.factories import accounts as factory
from tests.factories.walking import HOME
from tests.walk.forms.scene import (
    COUNTY,
    NEW_PASSWORD,
    RECORD,
    SEAT,
    SECURITY,
    SESSION,
    Form,
    Scene,
    of,
)
from wanjia.accounts import saved
from wanjia.kernel import clock


def _saved(scene: Scene) -> None:
    kept = saved.save(viewer=scene.viewer(*SEAT), page="cases", name="每周要看", conditions={"state": "overdue"})
    scene.made["filter"] = kept.pk


def _filter(scene: Scene) -> Mapping[str, Any]:
    return {"filter_id": scene.made["filter"]}


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
        changes={"accounts_deputyship": {"valid_to", "ended_by", "ended_at"}}, adds=RECORD,
    ),
    Form(
        "accounts:rename_filter", SEAT, prepare=_saved, kwargs=_filter, data=lambda _: {"name": "月底要看"},
        changes={"accounts_savedfilter": {"name"}},
    ),
    Form(
        "accounts:remove_filter", SEAT, prepare=_saved, kwargs=_filter, removes=frozenset({"accounts_savedfilter"}),
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
        "accounts:grant", SECURITY, kwargs=of("accounts:grant"),
        data=lambda _: {
            "role": "village_operator", "area_code": HOME, "relation": "", "department": "", "valid_from": "2020-11-16",
            "last_day": "2020-12-31",
        },
        adds=RECORD | {"accounts_grantrow"},
    ),
    Form(
        "accounts:lock", SECURITY, kwargs=of("accounts:lock"), data=lambda _: {"reason": "离岗"},
        changes={"accounts_user": {"is_active", "locked_on"}}, adds=RECORD,
    ),
    Form(
        "accounts:unlock", SECURITY, kwargs=of("accounts:unlock"), prepare=_lock,
        changes={"accounts_user": {"is_active", "locked_on"}}, adds=RECORD,
    ),
    Form(
        "accounts:set_password", SECURITY, kwargs=of("accounts:set_password"),
        data=lambda _: {"password": NEW_PASSWORD},
        changes={"accounts_user": {"password", "password_set_on", "former_passwords"}}, adds=RECORD,
    ),
    Form(
        "accounts:revoke", SECURITY, kwargs=of("accounts:revoke"),
        changes={"accounts_grantrow": {"valid_to", "ended_by"}}, adds=RECORD,
    ),
)  # fmt: skip
