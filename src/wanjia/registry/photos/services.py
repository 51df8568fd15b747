"""Adding a photo to a household and taking one away, with a reason; who reads the household reads its photos.

The picture is drawn anew from its pixels when it is stored, so nothing of the camera's own data is
kept, and where it was taken is not written down: a household's position is a field of its own.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from wanjia.files import services as files
from wanjia.files.models import HOUSEHOLD, StoredFile
from wanjia.files.uploads import SealedUpload
from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.registry.errors import HouseholdNotLive, TooManyPhotos
from wanjia.registry.models import Household
from wanjia.registry.queries import household_for
from wanjia.registry.services.rows import live_household
from wanjia.registry.services.writing import checked_reason
from wanjia.scope.errors import NotVisible
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

WRITE = "registry.write"
PURPOSE = "household_photo"
MOST = "registry.household_photos_most"
OF_A_HOUSEHOLD = system_viewer("registry.photos")


def photos_of(household: Household) -> QuerySet[StoredFile]:
    """The photos of a household its caller has fetched, the oldest first."""
    rows = StoredFile.objects.visible_to(OF_A_HOUSEHOLD).filter(owner_kind=HOUSEHOLD, owner_id=household.pk)
    return rows.filter(purpose=PURPOSE).order_by("pk")


def photo_for(viewer: Viewer, household_no: int, file_id: int) -> tuple[Household, StoredFile]:
    """One photo of a household the viewer may read. Raises NotVisible."""
    household = household_for(viewer, household_no)
    found = photos_of(household).filter(pk=file_id).first()
    if found is None:
        raise NotVisible(kind="file")
    return household, found


def add_photo(*, viewer: Viewer, household_no: int, upload: SealedUpload) -> StoredFile:
    """Keep a photo of a live household. Asks for `registry.write` there.

    Raises NotVisible, HouseholdNotLive, TooManyPhotos, WrongType, TooManyPixels, UnreadablePicture.
    """
    household = household_for(viewer, household_no, WRITE)
    _require_room(household)  # before the picture is drawn, and again once nobody else adds one
    if not household.is_live:
        raise HouseholdNotLive(household_no=household.pk)
    with transaction.atomic():
        household = live_household(viewer, WRITE, household.pk)
        _require_room(household)
        return files.store(
            viewer=viewer,
            upload=upload,
            owner_kind=HOUSEHOLD,
            owner_id=household.pk,
            area=household.village_code,
            purpose=PURPOSE,
        )


@transaction.atomic
def remove_photo(*, viewer: Viewer, household_no: int, file_id: int, reason: str) -> None:
    """Take a photo of a household away, and say why. Asks for `registry.write` there.

    Raises NotVisible, ReasonMissing, IdentityNumberInPayload.
    """
    household = household_for(viewer, household_no, WRITE)
    _, found = photo_for(viewer, household.pk, file_id)
    files.remove(viewer=viewer, stored=found, reason=checked_reason(reason))


def forget_photos(household_no: int) -> int:
    """Take all photos of a household away that is erased; in the transaction of that act, which records it."""
    rows = StoredFile.objects.visible_to(OF_A_HOUSEHOLD).filter(owner_kind=HOUSEHOLD, owner_id=household_no)
    return rows.delete()[0]


def _require_room(household: Household) -> None:
    most = int(parameter(MOST, clock.today(), household.village_code))
    if photos_of(household).count() >= most:
        raise TooManyPhotos(most=most)
