"""The household list as a file: equal to the query, counted, masked, recorded (domain.md §16.4)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.db import transaction
from django.utils.translation import get_language, gettext

from wanjia.audit.services import Kind, common_area, record
from wanjia.divisions.queries import full_name
from wanjia.kernel import clock
from wanjia.protection.masking import mask_name
from wanjia.reference.queries import code_list
from wanjia.reference.rules import CodeBook
from wanjia.registry.queries import Filters, HouseholdRow, all_rows, count_households
from wanjia.scope.viewer import Viewer

EXPORT = "registry.export"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"  # Excel reads UTF-8 only with it


def export_households(*, viewer: Viewer, filters: Filters, account: str) -> tuple[int, Iterator[str]]:
    """The number of rows and the lines of the CSV file, streamed.

    Cut to where the viewer may do `registry.export`; names masked; recorded before the first line.
    The last line says who exported how many rows when: a file without it is not whole.
    """
    count = count_households(viewer, filters, EXPORT)
    with transaction.atomic():
        record(
            Kind.EXPORT,
            viewer=viewer,
            area=filters.area or common_area(area.lo for area in viewer.ranges(EXPORT)),
            act="registry.export",
            content={"rows": count, "filters": filters.as_codes()},
        )
    return count, _lines(viewer, filters, account, count)


def _lines(viewer: Viewer, filters: Filters, account: str, promised: int) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _line(
        [
            gettext("户编号"),
            gettext("户主"),
            gettext("地点"),
            gettext("屯"),
            gettext("人口"),
            gettext("贫困户属性"),
            gettext("脱贫标志"),
            gettext("识别年度"),
            gettext("脱贫年度"),
        ]
    )
    language = get_language() or "zh-hans"
    categories, statuses = code_list("household_category"), code_list("poverty_status")
    written = 0
    for row in all_rows(viewer, filters, EXPORT):
        yield _line(_cells(row, categories.label(row.household_category, language), _status(row, statuses, language)))
        written += 1
    said = gettext("由 {account} 于 {at} 导出 {rows} 行").format(
        account=account, at=clock.now().astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M"), rows=written
    )
    if written != promised:
        said += gettext(";导出期间数据有变动，原计 {rows} 行").format(rows=promised)
    yield _line([said])


def _status(row: HouseholdRow, statuses: CodeBook, language: str) -> str:
    return statuses.label(row.poverty_status, language) if row.poverty_status else str(row.standing_label)


def _cells(row: HouseholdRow, category: str, status: str) -> list[object]:
    return [
        row.household_no,
        mask_name(row.head_name),
        full_name(row.village_code),
        row.hamlet,
        row.member_count,
        category,
        status,
        row.identified_year,
        row.exit_year or "",
    ]


def _line(cells: list[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([formula_safe(cell) for cell in cells])
    return buffer.getvalue()


def formula_safe(cell: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
