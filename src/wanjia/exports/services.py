"""Asking to take a long list away, deciding about it, and using the approval once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext

from wanjia.accounts.deputies import links_of
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import JSON, Kind, record
from wanjia.exports import queries
from wanjia.exports.choices import State
from wanjia.exports.errors import (
    AlreadyDecided,
    ApprovalNeeded,
    ApprovalOver,
    NoApprovalNeeded,
    NotYourOwn,
    OtherList,
    RowsChanged,
)
from wanjia.exports.lists import listed
from wanjia.exports.models import ExportRequest
from wanjia.exports.queries import APPROVE
from wanjia.kernel import clock
from wanjia.scope.errors import NotAllowed
from wanjia.scope.viewer import Viewer


@transaction.atomic
def ask(*, viewer: Viewer, code: str, values: Mapping[str, str], expected: int, reason: str) -> ExportRequest:
    """Ask for a list, as its address narrows it, that is too long to be taken alone.

    Raises NotAllowed, NotVisible, RowsChanged, NoApprovalNeeded, IdentityNumberInPayload.
    """
    exportable = listed(code)
    if not viewer.may(exportable.permission):
        raise NotAllowed(action=exportable.permission)
    refuse_identity_numbers(reason, "reason")
    asked = exportable.read(viewer, values)
    if asked.rows != expected:
        raise RowsChanged(expected=expected, rows=asked.rows)
    if asked.rows <= (most := queries.most()) and not asked.always:
        raise NoApprovalNeeded(rows=asked.rows, most=most)
    row = ExportRequest.objects.create(
        listing=code,
        query=asked.query,
        area=asked.area,
        expected=expected,
        reason=reason,
        asked_by=viewer.user_id,
        asked_at=clock.now(),
    )
    _record(viewer, row, "exports.ask", filter=row.query, reason=reason)
    return row


@transaction.atomic
def decide(*, viewer: Viewer, request_id: int, approve: bool, note: str = "") -> ExportRequest:
    """Approve or decline what somebody else asked for. The decider sees the filter and the count, never the rows.

    Raises NotVisible, NotYourOwn, AlreadyDecided, IdentityNumberInPayload.
    """
    refuse_identity_numbers(note, "note")
    row = queries.request_for(viewer, request_id)
    _require_another(viewer, row)
    rows = ExportRequest.objects.visible_to(viewer).select_for_update()
    row = rows.get(pk=row.pk)
    if row.state != State.ASKED:
        raise AlreadyDecided(state=State(row.state).label)
    row.state = State.APPROVED if approve else State.DECLINED
    row.decided_by, row.decided_at, row.note = viewer.user_id, clock.now(), note
    if approve:
        row.expires_at = clock.now() + timedelta(days=queries.days_to_fetch())
    row.save(update_fields=["state", "decided_by", "decided_at", "note", "expires_at"])
    _record(viewer, row, "exports.approve" if approve else "exports.decline", note=note)
    return row


def require_approval(  # noqa: PLR0913 - the list, and the approval named for it
    *, viewer: Viewer, code: str, query: str, rows: int, request_id: int | None, always: bool = False
) -> int | None:
    """See that this list may be handed out, and use the approval up; the number of the request, None for a short list.

    A list that needs an approval `always` needs one however short it is. Called in the transaction that
    records the export. Raises ApprovalNeeded, NotVisible, OtherList, RowsChanged, ApprovalOver.
    """
    most = queries.most()
    if rows <= most and not always:
        return None
    if request_id is None:
        raise ApprovalNeeded(rows=rows, most=most)
    found = queries.own_requests(viewer).select_for_update().filter(pk=request_id).first()
    if found is None:
        raise ApprovalNeeded(rows=rows, most=most)
    if found.state != State.APPROVED:
        raise ApprovalOver(state=State(found.state).label)
    if found.expires_at is None or found.expires_at <= clock.now():
        raise ApprovalOver(state=gettext("已过期"))
    if (found.listing, found.query) != (code, query):
        raise OtherList
    if found.expected != rows:
        raise RowsChanged(expected=found.expected, rows=rows)
    found.state, found.fetched_at = State.FETCHED, clock.now()
    found.save(update_fields=["state", "fetched_at"])
    return found.pk


def _require_another(viewer: Viewer, row: ExportRequest) -> None:
    if row.asked_by == viewer.user_id:
        raise NotYourOwn
    if not viewer.may_throughout(APPROVE, row.area):
        raise NotAllowed(action=APPROVE)
    days = (clock.day_of(row.asked_at), clock.today())
    for link in links_of([viewer.user_id]):
        if row.asked_by in (link.user_id, link.other_id) and link.on(*days):
            raise NotYourOwn


def _record(viewer: Viewer, row: ExportRequest, act: str, **said: str) -> None:
    content: dict[str, JSON] = {"request": row.pk, "list": row.listing, "rows": row.expected, **said}
    record(Kind.EXPORT, viewer=viewer, area=row.area, act=act, content=content)
