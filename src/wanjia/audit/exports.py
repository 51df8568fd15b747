"""Handing out a table: recorded, then written. What leaves as a spreadsheet leaves through here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import transaction

from wanjia.audit.services import JSON, Kind, record
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Format, Table, written


def export(  # noqa: PLR0913 - what is handed out and how it is recorded, all by name
    table: Table,
    form: Format,
    *,
    viewer: Viewer,
    area: str,
    act: str,
    subject: tuple[str, int] | None = None,
    content: Mapping[str, JSON] | None = None,
) -> Iterator[bytes]:
    """The file, streamed; the record of who took how many rows is committed before its first byte.

    The caller has cut the rows to what `viewer` may export and masked what stays masked.
    """
    said = {"rows": table.promised, "format": form.value, **(content or {})}
    with transaction.atomic():
        record(Kind.EXPORT, viewer=viewer, area=area, act=act, subject=subject, content=said)
    return written(table, form)
