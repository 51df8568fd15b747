from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from wanjia.files.models import StoredFile
from wanjia.scope.viewer import Viewer


def file_for(viewer: Viewer, file_id: int) -> StoredFile:
    """One file the viewer may read. Raises NotVisible."""
    return StoredFile.objects.get_visible(viewer, pk=file_id)


def files_of_many(viewer: Viewer, owner_kind: str, owner_ids: Collection[int]) -> QuerySet[StoredFile]:
    """As `files_of`, for several owners of one kind."""
    return StoredFile.objects.visible_to(viewer).filter(owner_kind=owner_kind, owner_id__in=owner_ids).order_by("pk")


def files_of(viewer: Viewer, owner_kind: str, owner_id: int) -> QuerySet[StoredFile]:
    """The files of one owner the viewer may read, oldest first."""
    return StoredFile.objects.visible_to(viewer).filter(owner_kind=owner_kind, owner_id=owner_id).order_by("pk")
