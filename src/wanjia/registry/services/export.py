"""The household list as a file: equal to the query, counted, masked, recorded (domain.md §16.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.db import transaction
from django.utils.translation import get_language, gettext

from wanjia.audit.exports import export
from wanjia.audit.services import common_area
from wanjia.divisions.queries import full_name
from wanjia.exports.lists import Asked, as_query
from wanjia.exports.services import require_approval
from wanjia.kernel.codes import LENGTHS
from wanjia.protection.masking import mask_name
from wanjia.reference.queries import code_list
from wanjia.reference.rules import CodeBook
from wanjia.registry.choices import Standing
from wanjia.registry.queries import Filters, HouseholdRow, WholeList, count_households
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Cell, Format, Table

EXPORT = "registry.export"
LONGEST_CODE = 20
HOUSEHOLDS = "households"  # the code under which a long list is approved


def export_households(
    *, viewer: Viewer, filters: Filters, account: str, form: Format = Format.CSV, request_id: int | None = None
) -> tuple[int, Iterator[bytes]]:
    """The number of rows and the bytes of the file, streamed.

    Cut to where the viewer may do `registry.export`; names masked; recorded before the first byte.
    The last row says who exported how many rows when: a file without it is not whole. A long list needs the
    number of an approved request. Raises ApprovalNeeded, ApprovalOver, OtherList, RowsChanged.
    """
    count = count_households(viewer, filters, EXPORT)
    language = get_language() or "zh-hans"
    listed = WholeList(viewer, filters, EXPORT)
    table = Table(
        title=gettext("户名单"),
        header=[
            gettext("户编号"),
            gettext("户主"),
            gettext("地点"),
            gettext("屯"),
            gettext("人口"),
            gettext("贫困户属性"),
            gettext("脱贫标志"),
            gettext("识别年度"),
            gettext("脱贫年度"),
        ],
        rows=_rows(listed, language),
        promised=count,
        account=account,
        conditions=_conditions(filters, language),
        as_it_is=listed.as_it_is,
    )
    with transaction.atomic():
        approved = require_approval(
            viewer=viewer, code=HOUSEHOLDS, query=_query(filters), rows=count, request_id=request_id
        )
        return count, export(
            table,
            form,
            viewer=viewer,
            area=_area(viewer, filters),
            act="registry.export",
            content={"filters": filters.as_codes()} | ({"request": approved} if approved else {}),
        )


def exportable(viewer: Viewer, values: Mapping[str, str]) -> Asked:
    """The list as an address narrows it, for a request to export it; what was typed is in no address."""
    area, standing = values.get("area", ""), values.get("standing", "")
    known = area.isascii() and area.isdigit() and len(area) in LENGTHS
    filters = Filters(
        area=area if known else "",
        status=_code(values, "status"),
        category=_code(values, "category"),
        standing="" if standing == "all" else standing if standing in Standing else Standing.LIVE.value,
    )
    conditions = _conditions(filters, get_language() or "zh-hans")[:-1]
    rows = count_households(viewer, filters, EXPORT)
    return Asked(rows, _area(viewer, filters), _query(filters), tuple(conditions))


def _code(values: Mapping[str, str], name: str) -> str:
    return values.get(name, "")[:LONGEST_CODE].replace("\0", "")


def _area(viewer: Viewer, filters: Filters) -> str:
    return filters.area or common_area(area.lo for area in viewer.ranges(EXPORT))


def _query(filters: Filters) -> str:
    """The filter as an address says it; that something was typed makes it another one."""
    return as_query({**filters.as_codes(), "standing": filters.standing or "all"})


def _rows(listed: Iterable[HouseholdRow], language: str) -> Iterator[list[Cell]]:
    categories, statuses = code_list("household_category"), code_list("poverty_status")
    for row in listed:
        yield [
            row.household_no,
            mask_name(row.head_name),
            full_name(row.village_code),
            row.hamlet,
            row.member_count,
            categories.label(row.household_category, language),
            _status(row, statuses, language),
            row.identified_year,
            row.exit_year,
        ]


def _status(row: HouseholdRow, statuses: CodeBook, language: str) -> str:
    return statuses.label(row.poverty_status, language) if row.poverty_status else str(row.standing_label)


def _conditions(filters: Filters, language: str) -> list[tuple[str, str]]:
    """The filters in words. What was typed is only said to be there: it may be somebody's name."""
    everything = gettext("全部")
    standing = str(Standing(filters.standing).label) if filters.standing else everything
    category = code_list("household_category").label(filters.category, language) if filters.category else everything
    status = code_list("poverty_status").label(filters.status, language) if filters.status else everything
    return [
        (gettext("地点"), full_name(filters.area) if filters.area else gettext("管辖范围")),
        (gettext("脱贫标志"), status),
        (gettext("贫困户属性"), category),
        (gettext("在册状态"), standing),
        (gettext("查询内容"), gettext("已填写") if filters.text else gettext("未填写")),
    ]
