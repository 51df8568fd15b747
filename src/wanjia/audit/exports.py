"""Handing out a table: recorded, then written. What leaves as a spreadsheet leaves through here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from wanjia.audit import queries
from wanjia.audit.models import Opening
from wanjia.audit.rules import common_area
from wanjia.audit.services import JSON, Kind, record
from wanjia.kernel import clock
from wanjia.scope.viewer import Viewer
from wanjia.ui.hooks import area_name
from wanjia.ui.sheets import Cell, Encoding, Format, Table, written

EXPORT = "audit.export"
CHUNK = 500  # lines told at a time: names are looked up for each


def export(  # noqa: PLR0913 - what is handed out and how it is recorded, all by name
    table: Table,
    form: Format,
    *,
    viewer: Viewer,
    area: str,
    act: str,
    subject: tuple[str, int] | None = None,
    content: Mapping[str, JSON] | None = None,
    encoding: Encoding = Encoding.UTF8,
) -> Iterator[bytes]:
    """The file, streamed; the record of who took how many rows is committed before its first byte.

    The caller has cut the rows to what `viewer` may export and masked what stays masked.
    """
    said = {"rows": table.promised, "format": form.value, **(content or {})}
    with transaction.atomic():
        record(Kind.EXPORT, viewer=viewer, area=area, act=act, subject=subject, content=said)
    return written(table, form, encoding)


def trail_file(
    *, viewer: Viewer, lookup: Mapping[str, Any], oldest_first: bool, account: str, form: Format
) -> Iterator[bytes]:
    """The list of acts `queries.found` gives, as a file: who did what when, to what, in how many rows."""
    rows = queries.found(viewer, lookup, oldest_first=oldest_first)
    conditions = {name: str(value) for name, value in lookup.items()}
    table = Table(
        title=_("操作记录"),
        header=[
            _("时间"), _("操作人"), _("操作人编号"), _("当时的岗位"), _("操作"), _("类别"), _("对象"), _("编号"),
            _("明细条数"), _("区划"), _("区划代码"), _("存证编号"),
        ],
        rows=_told(rows, translation.get_language() or "zh-hans"),
        promised=rows.count(),
        account=account,
        conditions=list(conditions.items()),
    )  # fmt: skip
    area = common_area(reach.lo for reach in viewer.ranges(EXPORT))
    said: dict[str, JSON] = {"conditions": dict(conditions)}
    return export(table, form, viewer=viewer, area=area, act="audit.log_export", content=said)


def _told(rows: QuerySet[Opening], language: str) -> Iterator[list[Cell]]:
    found = rows.iterator(chunk_size=CHUNK)
    while piece := list(islice(found, CHUNK)):
        with translation.override(language):  # the file is written after its request, in nobody's language
            lines = [_cells(row, line) for row, line in zip(piece, queries.told(piece), strict=True)]
        yield from lines


def _cells(row: Opening, line: queries.TrailEntry) -> list[Cell]:
    return [
        line.at.astimezone(clock.CHINA).replace(tzinfo=None), line.actor, line.actor_id, "、".join(line.roles),
        line.sentence, str(Kind(row.kind).label), line.subject_title, line.subject_id, line.count,
        area_name(line.area), line.area, str(line.event_id),
    ]  # fmt: skip
