"""The exact content a pairing commits to; the same when it is made and when it is verified."""

from __future__ import annotations

from datetime import date

from wanjia.audit.services import JSON
from wanjia.workforce.models import Pairing


def pairing_payload(user_id: int, household_no: int, valid_from: date) -> dict[str, JSON]:
    """Who helps which household from when. Its end is an act of its own."""
    return {"user": user_id, "household": household_no, "from": valid_from.isoformat()}


def payload_of_pairing(row: Pairing) -> dict[str, JSON]:
    """The same of a row read back."""
    return pairing_payload(row.user_id, row.household_no, row.valid_from)
