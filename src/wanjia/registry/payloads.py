"""The exact content a change row commits to; the same when it is written and when it is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from wanjia.audit.services import JSON
from wanjia.registry.models import Change

COMMITTED = ("seq", "village_code", "household_no", "person_no", "field", "old", "new")


def change_payload(row: Mapping[str, Any]) -> dict[str, JSON]:
    """What one change row commits to. Of sealed values the digest of the stored bytes, never the value."""
    payload: dict[str, JSON] = {name: row[name] for name in COMMITTED}
    if row["year"] is not None:  # a fact of one year says which; the others' form is older than such changes
        payload["year"] = row["year"]
    if row["hamlet_code"]:
        payload["hamlet_code"] = row["hamlet_code"]
    for name in ("old_sealed", "new_sealed"):
        stored = row[name]
        payload[name] = None if stored is None else hashlib.sha256(stored).hexdigest()
    return payload


def payload_of_change(change: Change) -> dict[str, JSON]:
    """The same of a row read back."""
    row: dict[str, Any] = {name: getattr(change, name) for name in (*COMMITTED, "year", "hamlet_code")}
    for name in ("old_sealed", "new_sealed"):
        sealed = getattr(change, name)
        row[name] = None if sealed is None else sealed.blob
    return change_payload(row)
