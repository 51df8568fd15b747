"""Forms of the other slices."""

from __future__ import annotations

from tests.walk.forms.scene import (
    OFFICER,
    RECORD,
    SEAT,
    SESSION,
    TOWNSHIP,
    Form,
    of,
)

FORMS = (
    Form(
        "jobs:cancel", ("system_admin", "45"), kwargs=of("jobs:cancel"),
        changes={"jobs_job": {"state", "finished_at"}}, adds=RECORD,
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
)  # fmt: skip
