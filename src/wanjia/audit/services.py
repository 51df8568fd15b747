"""Recording acts, in the transaction that performs them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from wanjia.audit import rules
from wanjia.audit.access import AccessRow, access_store
from wanjia.audit.choices import Kind
from wanjia.audit.errors import EventIdReused, RecordedOutsideTransaction
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.rules import JSON, SALT_SIZE, Detail, common_area, detail, details_of
from wanjia.kernel import clock
from wanjia.kernel.points import reached
from wanjia.scope.areas import AreaRange
from wanjia.scope.bulk import pieces
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.tlog.merkle import RootBuilder

__all__ = [
    "JSON",
    "Detail",
    "Kind",
    "Recorded",
    "commit_access",
    "common_area",
    "detail",
    "details_of",
    "erase_openings",
    "record",
    "record_access",
]

ENTRY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Recorded:
    """The receipt of a recorded act; `again` when the same event had been recorded before."""

    event_id: UUID
    commit: str
    again: bool = False


def record(  # noqa: PLR0913 - what an act is made of, all by name
    kind: Kind,
    *,
    viewer: Viewer,
    area: str,
    act: str,
    subject: tuple[str, int] | None = None,
    content: Mapping[str, JSON] | None = None,
    details: Iterable[bytes] = (),
    event_id: UUID | None = None,
) -> Recorded:
    """Record that `viewer` did `act`, in the same commit as the act itself.

    `area` is the exact division code; of a wider act the common ancestor (`common_area`). Content
    holds references and codes, never identity numbers. `details` are the digests of a bulk act's
    rows (`detail(...)`), in the order in which their owner reads them again.

    Called twice with one `event_id` it returns the first receipt with `again` set, and the caller
    leaves its own writes undone; the same id for something else raises EventIdReused. Raises
    RecordedOutsideTransaction, PayloadNotCanonical, IdentityNumberInPayload; ValueError for an
    area that is no division code of natural length.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RecordedOutsideTransaction(act=act)
    AreaRange.of(area)  # a padded or half code would make the trail of its area miss this act
    said = dict(content or {})
    rules.refuse_identity_numbers(said, act)
    event = event_id or uuid4()
    payload = _payload(event, viewer, area, act, subject, said, details)
    if event_id is not None:
        earlier = _earlier(event, payload)
        if earlier is not None:
            return earlier
    salt = os.urandom(SALT_SIZE)
    payload["previous"] = _previous(subject)
    commitment = rules.commit(salt, payload)
    entry = rules.canonical(
        {
            "v": ENTRY_VERSION,
            "event_id": str(event),
            "kind": str(kind),
            "area": rules.public_area(area),
            "at": payload["at"],
            "commit": commitment.sha256,
            "sm3": commitment.sm3,
        }
    )
    if not _insert(event, entry):
        # somebody else committed this event between our look and our insert
        earlier = _earlier(event, payload)
        assert earlier is not None  # noqa: S101 - the unique index just said so
        return earlier
    reached("audit.in_the_outbox")
    _open(event, kind, salt, payload)
    reached("audit.recorded")
    return Recorded(event, commitment.sha256)


def _payload(  # noqa: PLR0913 - as `record`
    event: UUID,
    viewer: Viewer,
    area: str,
    act: str,
    subject: tuple[str, int] | None,
    content: dict[str, JSON],
    details: Iterable[bytes],
) -> dict[str, Any]:
    builder = RootBuilder()
    builder.extend(map(bytes, details))
    payload: dict[str, Any] = {
        "v": ENTRY_VERSION,
        "event_id": str(event),
        "at": rules.stamp(clock.now()),
        "actor": {
            "user": viewer.user_id,
            "system": viewer.system,
            "roles": sorted({grant.role for grant in viewer.grants}),
        },
        "area": area,
        "act": act,
        "subject": [subject[0], subject[1]] if subject else None,
        "previous": None,
        "content": content,
    }
    if builder.size:
        payload["details"] = {"count": builder.size, "root": builder.root().hex()}
    return payload


# What a repeated submission may differ in: when it arrived, and what else happened meanwhile.
# Detail digests carry fresh salts, so of a bulk act only the number of rows can be compared.
_VARYING = ("at", "previous", "details")


def _earlier(event: UUID, payload: dict[str, Any]) -> Recorded | None:
    """The receipt of an event recorded before; raises EventIdReused if it was a different act."""
    row = Opening.objects.visible_to(system_viewer("audit.record")).filter(event_id=event).first()
    if row is None:
        return None
    if row.payload is None or row.salt is None:
        raise EventIdReused(event_id=event)
    fixed, again = ({key: value for key, value in one.items() if key not in _VARYING} for one in (row.payload, payload))
    counts = {(one.get("details") or {}).get("count", 0) for one in (row.payload, payload)}
    if rules.canonical(fixed) != rules.canonical(again) or len(counts) != 1:
        raise EventIdReused(event_id=event)
    return Recorded(event, rules.commit(bytes(row.salt), row.payload).sha256, again=True)


def _previous(subject: tuple[str, int] | None) -> str | None:
    if subject is None:
        return None
    rows = Opening.objects.visible_to(system_viewer("audit.record"))
    found = rows.filter(subject_kind=subject[0], subject_id=subject[1]).order_by("-id")
    latest = found.values_list("event_id", flat=True).first()
    return None if latest is None else str(latest)


def _insert(event: UUID, entry: bytes) -> bool:
    """Put the entry into the outbox; False when the event is there already.

    ON CONFLICT instead of catching the error, because on PostgreSQL an error would spoil the
    caller's transaction.
    """
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(
            "INSERT INTO log_outbox (event_id, entry) VALUES (%s, %s) ON CONFLICT (event_id) DO NOTHING",
            [Outbox._meta.get_field("event_id").get_db_prep_value(event, transaction.get_connection()), entry],
        )
        return bool(cursor.rowcount == 1)


def _open(event: UUID, kind: Kind, salt: bytes, payload: dict[str, Any]) -> None:
    subject = payload["subject"]
    Opening.objects.create(
        event_id=event,
        salt=salt,
        payload=payload,
        at=datetime.fromisoformat(payload["at"]),
        kind=str(kind),
        act=payload["act"],
        area=payload["area"],
        actor_id=payload["actor"]["user"],
        actor_system=payload["actor"]["system"],
        subject_kind=subject[0] if subject else "",
        subject_id=subject[1] if subject else None,
    )


def erase_openings(event_ids: Collection[UUID]) -> int:
    """Forget what these acts said of themselves: salt and content go, the entries in the log stay (ADR 0005).

    Who did what kind of act when remains. Belongs into the transaction of the act that erases;
    returns how many there were.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("erase_openings() belongs into the transaction of the act that erases")
    rows = Opening.objects.visible_to(system_viewer("audit.erase")).filter(erased_at=None)
    return sum(
        rows.filter(event_id__in=some).update(salt=None, payload=None, erased_at=clock.now())
        for some in pieces(sorted(event_ids))
    )


def record_access(  # noqa: PLR0913 - who, what, of whom, why: all by name
    *,
    viewer: Viewer,
    action: str,
    subject_kind: str,
    subject_ids: Collection[int],
    fields: Collection[str],
    reason: str = "",
    area: str = "",
) -> None:
    """Record that `viewer` is about to read personal data, before the answer is sent.

    One row for each subject, in a store of its own: kept even when the request's transaction is
    rolled back, and committed to the log once a minute. `area` is where the subjects are, the
    viewer's own area if not said. Names of `fields`, never their values.
    """
    if not subject_ids:
        return
    rules.refuse_identity_numbers(reason, "reason")
    access_store().append(
        AccessRow(
            actor_id=viewer.user_id,
            actor_system=viewer.system,
            action=action,
            subject_kind=subject_kind,
            subject_id=number,
            fields=",".join(sorted(fields)),
            reason=reason,
            area=area or viewer.home_area,
        )
        for number in subject_ids
    )


def commit_access() -> int:
    """Commit the access rows of every finished minute, one entry a minute; returns how many entries.

    Safe to stop anywhere: the store first notes which rows a leaf will cover and under which event
    id, then the entry is recorded, then the leaf is marked as done. After a crash between any two
    of these the same leaf is recorded again, under the same id, which records nothing new.
    """
    store = access_store()
    store.plan_leaves()
    reached("audit.leaves_planned")
    done = 0
    for leaf in store.leaves_to_commit():
        with transaction.atomic():
            record(
                Kind.ACCESS,
                viewer=system_viewer("audit.commit_access"),
                area=leaf.area,
                act="audit.commit_access",
                content={"minute": leaf.minute, "node": store.node},
                details=leaf.digests(),
                event_id=leaf.event_id,
            )
        reached("audit.leaf_recorded")
        store.mark_committed(leaf.event_id)
        reached("audit.leaf_marked")
        done += 1
    return done
