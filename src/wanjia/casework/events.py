"""What casework announces after commit; whoever cares subscribes in its `receivers.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """A case reached a terminal step with this outcome."""

    kind: str
    case_no: int
    topic: str
    household_no: int | None
    outcome: str


cases_closed = Signal()  # sends `closed: Sequence[CaseClosed]`; one send per act, however many cases


def announce_closed(closed: Sequence[CaseClosed]) -> None:
    """Tell subscribers once the running transaction has committed."""
    if closed:
        transaction.on_commit(lambda: cases_closed.send(sender=CaseClosed, closed=tuple(closed)))
