"""Forms of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import sources as deliveries
from tests.walk.forms.scene import (
    OFFICER,
    REASON,
    RECORD,
    Form,
    Scene,
)
from wanjia.audit.testing import unrecorded
from wanjia.scope.system import system_viewer
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch
from wanjia.sources.services import accept, map_columns, receive

BATCH_DECIDED = {"sources_batch": {"status", "decided_by", "decided_at", "decision_note"}}


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


FORMS = (
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
