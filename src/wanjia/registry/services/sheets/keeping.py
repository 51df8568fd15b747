"""How long the files of an import are kept, and their end (domain.md §16.4; §16.5: imports end after the load).

The days are policy. That a file's time is over is recorded before the file goes: a process that stops
in between leaves a file no import owns any more, which the next night's sweep removes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby

from django.db import transaction

from wanjia.audit.services import Kind, record
from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.registry.choices import ImportStatus
from wanjia.registry.models import SheetFile, SheetImport
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer

DAYS = "retention.sheet_days"
FINISHED = (ImportStatus.DONE, ImportStatus.CANCELLED, ImportStatus.UNREADABLE)
ABANDONED_AFTER = 24 * 3600  # seconds; whoever brings a sheet puts the file away first

EVERYONE = system_viewer("registry.retention")


def days_kept(row: SheetImport) -> int:
    """For how many days after it was finished the files of an import in its area are kept."""
    return int(parameter(DAYS, clock.today(), row.area))


def kept_until(row: SheetImport) -> date | None:
    """The last day on which the files of a finished import are there; None while somebody still has to decide."""
    if row.status not in FINISHED:
        return None
    # nobody decides about sheets that could not be read: their day is the day they came
    return clock.day_of(row.decided_at or row.brought_at) + timedelta(days=days_kept(row))


def sweep_sheets() -> int:
    """End the files of imports whose time is over, and remove what belongs to no import; returns how many went.

    They hold identity numbers, encrypted, and nothing else would ever end them.
    """
    end_sheets()
    store = lake()
    old = [address for address in store.list("sheets") if store.age(address) > ABANDONED_AFTER]
    kept = set(_kept()) if old else set()
    over = [address for address in old if address not in kept]
    for address in over:
        store.discard(address)
    return len(over)


def end_sheets() -> int:
    """Say of each finished import whose time is over that its files are no more; returns of how many files."""
    today, ended = clock.today(), 0
    files = SheetFile.objects.visible_to(EVERYONE).filter(removed_on=None, of__status__in=FINISHED)
    for row, mine in groupby(files.select_related("of").order_by("of_id", "sheet"), key=lambda file: file.of):
        until = kept_until(row)
        if until is not None and until < today:
            ended += _end(row, [file.pk for file in mine], today)
    return ended


@transaction.atomic
def _end(row: SheetImport, files: list[int], today: date) -> int:
    ended = SheetFile.objects.visible_to(EVERYONE).filter(pk__in=files, removed_on=None).update(removed_on=today)
    if ended:
        content = {"import": row.pk, "files": ended, "days": days_kept(row)}
        record(Kind.DELIVERY, viewer=EVERYONE, area=row.area, act="registry.end_sheets", content=content)
    return ended


def _kept() -> Iterable[str]:
    """The lake's addresses of imports whose files have not ended."""
    files = SheetFile.objects.visible_to(EVERYONE).filter(removed_on=None).select_related("of")
    for file in files:
        yield file.raw
        yield file.of.kept
