"""Recorded acts for tests."""

from __future__ import annotations

from itertools import count

from django.db import transaction

from tests.factories.walking import Example, Place
from wanjia.audit.services import Kind, record
from wanjia.scope.system import system_viewer

_numbers = count(1)


def examples(place: Place) -> list[Example]:
    """An act at the place that belongs to no subject, so that only the log's readers may open it."""
    reason = f"原因{next(_numbers)}号"
    with transaction.atomic():
        recorded = record(
            Kind.ACCOUNT,
            viewer=system_viewer("accounts.administer"),
            area=place.area,
            act="accounts.lock",
            content={"reason": reason},
        )
    return [Example("audit:event", {"event_id": recorded.event_id}, (reason,), action="audit.read")]
