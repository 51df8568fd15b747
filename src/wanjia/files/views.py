from __future__ import annotations

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from wanjia.audit.services import record_access
from wanjia.files import queries
from wanjia.files.answers import sent
from wanjia.scope.routes import ViewerRequest, access


@access("files.read")
@require_safe
def open_file(request: ViewerRequest, file_id: int) -> HttpResponseBase:
    """A file somebody may open."""
    stored = queries.file_for(request.viewer, file_id)

    def recorded() -> None:
        record_access(
            viewer=request.viewer,
            action="files.read",
            subject_kind="file",
            subject_ids=[stored.pk],
            fields=["content"],
            area=stored.area,
        )

    return sent(request, stored, recorded)
