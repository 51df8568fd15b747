"""The households somebody answers for."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from wanjia.audit.services import record_access
from wanjia.registry.queries import rows_for
from wanjia.scope.routes import ViewerRequest, access
from wanjia.workforce.queries import READ, households_of


@access(READ)
@require_GET
def mine(request: ViewerRequest) -> HttpResponse:
    """My households with what a contact needs to know before he sets out."""
    rows = rows_for(request.viewer, households_of(request.viewer, request.viewer.user_id))
    record_access(
        viewer=request.viewer,
        action=READ,
        subject_kind="household",
        subject_ids=[row.household_no for row in rows],
        fields=["head_name"],
    )
    return render(request, "workforce/mine.html", {"rows": rows})
