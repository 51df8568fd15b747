from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from wanjia.audit.choices import Kind
from wanjia.audit.rules import holds_identity_number
from wanjia.audit.services import record
from wanjia.files import photos, vault
from wanjia.files.models import CASE, HOUSEHOLD, StoredFile
from wanjia.files.photos import PhotoFacts
from wanjia.files.purposes import Purpose, purpose_named
from wanjia.files.rules import clean_name
from wanjia.files.sniffing import KINDS, PICTURES
from wanjia.files.uploads import SealedUpload, wrong_type
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.scope.keys import keyring
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class _Content:
    """What will be kept, and what the log will say it was."""

    parts: Iterable[bytes]
    content_key: str
    sha256: str
    size: int
    kind: str
    facts: PhotoFacts | None = None


def store(  # noqa: PLR0913 - whose, where and what for, all by name
    *,
    viewer: Viewer,
    upload: SealedUpload,
    owner_kind: str,
    owner_id: int,
    area: str,
    purpose: str,
    department: str = "",
) -> StoredFile:
    """Keep an upload for its owner: checked, encrypted, recorded.

    Photos are drawn anew and small; the position in them is kept nowhere (`store_photo` hands it
    to a caller who needs it). `area` is the owner's division code. Whether `viewer` may hand in
    something for this owner is judged by the owner's slice, which fetched the owner with
    permission. The content is on disk before the row is committed; if the transaction fails, what
    stays behind is an unreadable blob no row points to.

    Raises WrongType, TooManyPixels, UnreadablePicture, UnknownPurpose.
    """
    stored, _ = store_photo(
        viewer=viewer,
        upload=upload,
        owner_kind=owner_kind,
        owner_id=owner_id,
        area=area,
        purpose=purpose,
        department=department,
    )
    return stored


def store_photo(  # noqa: PLR0913 - whose, where and what for, all by name
    *,
    viewer: Viewer,
    upload: SealedUpload,
    owner_kind: str,
    owner_id: int,
    area: str,
    purpose: str,
    department: str = "",
) -> tuple[StoredFile, PhotoFacts | None]:
    """As `store`, and beside the file what the photo said of place and time (None for no picture).

    The caller decides whether they may be kept, and where.
    """
    rules = purpose_named(purpose)
    if upload.kind not in rules.types:  # the view declared one purpose and stores for another
        raise wrong_type(KINDS[upload.kind].title, rules)
    content = _content(upload, rules)
    vault.keep(content.content_key, content.parts)
    with transaction.atomic():
        stored = StoredFile.objects.create(
            owner_kind=owner_kind,
            owner_id=owner_id,
            case_no=owner_id if owner_kind == CASE else None,
            household_no=owner_id if owner_kind == HOUSEHOLD else None,
            area=area,
            department=department,
            purpose=purpose,
            name=_name(upload, content, rules, owner_kind, owner_id),
            media_type=KINDS[content.kind].media_type,
            size=content.size,
            content_key=content.content_key,
            stored_by=viewer.user_id,
            stored_at=clock.now(),
        )
        record(
            Kind.EVIDENCE,
            viewer=viewer,
            area=area,
            act="files.store",
            subject=(owner_kind, owner_id),
            content={
                "file": stored.pk,
                "name": stored.name,
                "purpose": purpose,
                "media_type": stored.media_type,
                "size": stored.size,
                "sha256": content.sha256,  # in the opening, behind its salt; never in public
            },
        )
        reached("files.storing")
        transaction.on_commit(partial(reached, "files.stored"))
    return stored, content.facts


def _content(upload: SealedUpload, purpose: Purpose) -> _Content:
    if upload.kind not in PICTURES or purpose.photo is None:
        return _Content(upload.chunks(), upload.content_key, upload.sha256, upload.size or 0, upload.kind)
    photo = photos.prepare(upload.read(), purpose.photo, purpose.max_pixels)
    key = keyring().content_digest()
    key.update(photo.jpeg)
    digest = hashlib.sha256(photo.jpeg).hexdigest()
    return _Content([photo.jpeg], key.hexdigest(), digest, len(photo.jpeg), "jpeg", photo.facts)


def _name(upload: SealedUpload, content: _Content, purpose: Purpose, owner_kind: str, owner_id: int) -> str:
    """A department's file keeps its name; evidence gets one of ours, since people put names into names."""
    extension = KINDS[content.kind].extension
    if purpose.keeps_name:
        name = clean_name(upload.name or "", extension)
        if not holds_identity_number(name):
            return name
    return f"{owner_kind}-{owner_id}-{content.content_key[:6]}{extension}"


def contents(stored: StoredFile) -> Iterator[bytes]:
    """The clear content of a file that was fetched with permission. Raises ContentMissing, Unreadable."""
    return vault.read(stored.content_key)


def remove(*, viewer: Viewer, stored: StoredFile, reason: str) -> None:
    """Take a file away that was fetched with permission; its content goes the night after, where nothing else is it.

    Belongs into a transaction. Whether it may go, and that the reason is one, its owner's slice has judged.
    """
    record(
        Kind.EVIDENCE,
        viewer=viewer,
        area=stored.area,
        act="files.remove",
        subject=(stored.owner_kind, stored.owner_id),
        content={"file": stored.pk, "name": stored.name, "purpose": stored.purpose, "reason": reason},
    )
    stored.delete()


def sweep_contents() -> int:
    """Remove contents no row points to, a day after they were handed in; returns how many."""

    def known(keys: Collection[str]) -> set[str]:
        rows = StoredFile.objects.visible_to(system_viewer("files.sweep"))
        return set(rows.filter(content_key__in=keys).values_list("content_key", flat=True))

    return vault.sweep_contents(known)
