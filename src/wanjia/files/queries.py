from __future__ import annotations

from django.db.models import QuerySet

from wanjia.files.models import StoredFile
from wanjia.scope.viewer import Viewer


def file_for(viewer: Viewer, file_id: int) -> StoredFile:
    """One file the viewer may read. Raises NotVisible."""
    return StoredFile.objects.get_visible(viewer, pk=file_id)


def files_of(viewer: Viewer, owner_kind: str, owner_id: int) -> QuerySet[StoredFile]:
    """The files of one owner the viewer may read, oldest first."""
    return StoredFile.objects.visible_to(viewer).filter(owner_kind=owner_kind, owner_id=owner_id).order_by("pk")
