"""Which requests there are, for those who made them and those who decide."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from wanjia.exports.choices import State
from wanjia.exports.lists import may_take_any
from wanjia.exports.models import ExportRequest
from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.scope.errors import NotVisible
from wanjia.scope.viewer import Viewer

APPROVE = "exports.approve"
MOST, DAYS = "exports.rows_without_approval", "exports.days_to_fetch"


def most() -> int:
    """How many rows anybody takes away without a second person today."""
    return int(parameter(MOST, clock.today()))


def days_to_fetch() -> int:
    """Days within which an approved list is fetched."""
    return int(parameter(DAYS, clock.today()))


def own_requests(viewer: Viewer) -> QuerySet[ExportRequest]:
    """What the viewer asked for, the newest first."""
    return ExportRequest.objects.own(viewer).order_by("-pk")


def waiting(viewer: Viewer) -> QuerySet[ExportRequest]:
    """What others asked for and the viewer may decide about, the oldest first."""
    rows = ExportRequest.objects.visible_to(viewer).filter(state=State.ASKED)
    return rows.exclude(asked_by=viewer.user_id).order_by("pk")


def ready(viewer: Viewer) -> QuerySet[ExportRequest]:
    """What the viewer asked for, was approved and has not been fetched yet, while it still may be."""
    return own_requests(viewer).filter(state=State.APPROVED, expires_at__gt=clock.now())


@dataclass(frozen=True, slots=True)
class Home:
    """Requests as the home page tells them: to decide about, and approved for the viewer himself."""

    waiting: int = 0
    ready: int = 0


def home(viewer: Viewer) -> Home:
    """Two statements at most; none for whoever neither decides nor takes lists away."""
    return Home(
        waiting(viewer).count() if viewer.may(APPROVE) else 0, ready(viewer).count() if may_take_any(viewer) else 0
    )


def request_for(viewer: Viewer, request_id: int) -> ExportRequest:
    """A request of his own, or one in an area where he may decide. Raises NotVisible."""
    for rows in (ExportRequest.objects.own(viewer), ExportRequest.objects.visible_to(viewer)):
        found = rows.filter(pk=request_id).first()
        if found is not None:
            return found
    raise NotVisible(kind="export request")
