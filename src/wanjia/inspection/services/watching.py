from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction

from wanjia.accounts.deputies import links_of
from wanjia.audit.access import AccessStore, access_store
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import Kind, record
from wanjia.inspection.bursts import Burst, bursts
from wanjia.inspection.errors import AlreadyAnswered, YourOwnReading
from wanjia.inspection.models import BulkReading
from wanjia.inspection.queries import ANSWER
from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

SUBJECTS, MINUTES = "audit.bulk_reading_subjects", "audit.bulk_reading_minutes"

log = logging.getLogger(__name__)


def most_subjects() -> int:
    """How many subjects read within `minutes` raise an alert today."""
    return int(parameter(SUBJECTS, clock.today()))


def minutes() -> int:
    """Within how many minutes."""
    return int(parameter(MINUTES, clock.today()))


def watch_readings() -> int:
    """Raise an alert for everybody who read of too many since the last time; returns how many were raised.

    Looks at this machine's readings only. Safe to stop anywhere and to run twice: what was raised
    before is found again by its rows.
    """
    store, window = access_store(), timedelta(minutes=minutes())
    looks = store.unwatched(window)
    if not looks:
        return 0
    raised = 0
    for burst in bursts(looks, window=window, most=most_subjects()):
        with transaction.atomic():
            raised += _raise(store, burst)
    store.mark_watched(looks[-1].row)
    return raised


def _raise(store: AccessStore, burst: Burst) -> bool:
    """Add the burst to the alert it goes on from, or raise one; whether one was raised."""
    viewer = system_viewer("inspection.watch_readings")
    known = BulkReading.objects.visible_to(viewer).select_for_update().filter(node=store.node, reader=burst.reader)
    latest, first = known.order_by("-last_row").first(), burst.first
    if latest is not None and burst.last <= latest.last_row:
        return False
    if latest is not None and burst.first <= latest.last_row:
        if latest.answered_by is None:
            first = latest.first_row
        else:  # he went on after somebody had looked into it
            first, latest = latest.last_row + 1, None
    else:
        latest = None
    read = store.read_by(burst.reader, first, burst.last)
    if latest is None:
        latest = BulkReading(node=store.node, reader=burst.reader, first_row=first, raised_at=clock.now())
    latest.last_row, latest.since, latest.until = burst.last, read.since, read.until
    latest.subjects, latest.area = read.subjects, read.area
    fresh = latest.pk is None
    latest.save()
    if fresh:
        log.warning("bulk reading", extra={"reader": burst.reader, "subjects": read.subjects})
        record(
            Kind.INSPECTION,
            viewer=viewer,
            area=read.area,
            act="inspection.bulk_reading",
            subject=("bulk_reading", latest.pk),
            content={"reader": burst.reader, "subjects": read.subjects, "node": store.node},
        )
    return fresh


@transaction.atomic
def answer_reading(*, viewer: Viewer, reading_id: int, answer: str) -> BulkReading:
    """Note what came of looking into an alert.

    Raises NotVisible, NotAllowed, YourOwnReading, AlreadyAnswered, IdentityNumberInPayload.
    """
    refuse_identity_numbers(answer, "answer")
    found = BulkReading.objects.get_visible(viewer, pk=reading_id)
    if not viewer.may_throughout(ANSWER, found.area):
        raise NotAllowed(action=ANSWER)
    _require_another(viewer, found)
    found = BulkReading.objects.visible_to(viewer).select_for_update().get(pk=found.pk)
    if found.answered_by is not None:
        raise AlreadyAnswered
    found.answered_by, found.answered_at, found.answer = viewer.user_id, clock.now(), answer
    found.save(update_fields=["answered_by", "answered_at", "answer"])
    record(
        Kind.INSPECTION,
        viewer=viewer,
        area=found.area,
        act="inspection.answer_reading",
        subject=("bulk_reading", found.pk),
        content={"answer": answer, "subjects": found.subjects},
    )
    return found


def _require_another(viewer: Viewer, found: BulkReading) -> None:
    if found.reader == viewer.user_id:
        raise YourOwnReading
    days = (clock.day_of(found.since), clock.today())
    for link in links_of([viewer.user_id]):
        if found.reader in (link.user_id, link.other_id) and link.on(*days):
            raise YourOwnReading
