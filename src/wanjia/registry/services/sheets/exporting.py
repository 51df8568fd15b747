"""Handing the two sheets out, in the header rows of domain.md §18, a village at a time along an index.

Numbers of people are masked unless a second person has approved them whole; names are not, for a
sheet without them is of no use. Who took it is recorded before the first byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from wanjia.audit.exports import export
from wanjia.audit.services import common_area
from wanjia.divisions.queries import full_name, gazetteer
from wanjia.exports.lists import Asked, as_query
from wanjia.exports.services import require_approval
from wanjia.kernel import clock
from wanjia.kernel.codes import LENGTHS
from wanjia.protection.masking import MASKS
from wanjia.reference.queries import code_list
from wanjia.registry.choices import AsOf, SheetKind, YearState
from wanjia.registry.errors import WholeNumbersNeedApproval
from wanjia.registry.fields import Field
from wanjia.registry.models import Household, HouseholdYear, Person, ReportingYear
from wanjia.registry.services.sheets.columns import SheetField, sheet
from wanjia.registry.services.sheets.past import Past
from wanjia.registry.services.sheets.pieces import EXPORT, REVEAL, Living, Piece, Wanted
from wanjia.scope.errors import NotAllowed
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Cell, Encoding, Format, Table

SHEET = "registry_sheet"  # the code under which one is approved
YEAR_DIGITS = 4
_LEVELS = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}


def wanted_of(values: Mapping[str, str], default_year: int) -> Wanted:
    """What an address asks for; what it says wrongly counts as not said."""
    area, year = values.get("area", ""), values.get("year", "")
    known = area.isascii() and area.isdigit() and len(area) in LENGTHS
    dated = year.isascii() and year.isdigit() and len(year) == YEAR_DIGITS
    kind = values.get("sheet", "")
    return Wanted(
        kind=SheetKind(kind) if kind in SheetKind else SheetKind.HOUSEHOLDS,
        year=int(year) if dated else default_year,
        area=area if known else "",
        codes=values.get("codes") == "1",
        whole=values.get("whole") == "1",
        as_of=AsOf.PUBLISHED if values.get("as_of") == AsOf.PUBLISHED else AsOf.KNOWN,
    )


def exportable_sheet(viewer: Viewer, values: Mapping[str, str]) -> Asked:
    """The sheet as an address narrows it, for a request to export it."""
    wanted = wanted_of(values, clock.today().year)
    return Asked(
        count(viewer, wanted), _area(viewer, wanted), as_query(wanted.as_values()), tuple(_conditions(wanted)),
        always=wanted.whole,
    )  # fmt: skip


def export_sheet(  # noqa: PLR0913 - what is taken and how, all by name
    *,
    viewer: Viewer,
    wanted: Wanted,
    account: str,
    form: Format = Format.CSV,
    encoding: Encoding = Encoding.UTF8,
    request_id: int | None = None,
) -> tuple[int, Iterator[bytes]]:
    """The number of rows and the bytes of the sheet, streamed; recorded before the first byte.

    Cut to where the viewer may do `registry.export`; with whole numbers to where he may also do
    `registry.reveal`, and then always with an approved request. Raises NotAllowed, ApprovalNeeded,
    ApprovalOver, OtherList, RowsChanged, WholeNumbersNeedApproval.
    """
    if wanted.whole and not viewer.may(REVEAL):
        raise NotAllowed(action=REVEAL)
    if wanted.whole and request_id is None:
        raise WholeNumbersNeedApproval
    rows = count(viewer, wanted)
    contract = sheet(wanted.kind)
    table = Table(
        title=contract.title.zh,
        header=[title for title, _ in contract.header],
        rows=_Sheet(viewer, wanted).rows(),
        promised=rows,
        account=account,
        conditions=_conditions(wanted),
        as_it_is=lambda: count(viewer, wanted) == rows,
    )
    with transaction.atomic():
        approved = None
        if not viewer.is_system:  # at the machine's own console nobody else is asked
            approved = require_approval(
                viewer=viewer, code=SHEET, query=as_query(wanted.as_values()), rows=rows, request_id=request_id,
                always=wanted.whole,
            )  # fmt: skip
        content: dict[str, Any] = {
            "sheet": contract.title.zh,
            "year": wanted.year,
            "codes": wanted.codes,
            "whole": wanted.whole,
        }
        if isinstance(_source(viewer, wanted), Past):
            content["as_of"] = wanted.as_of.value
        pieces = export(
            table,
            form,
            viewer=viewer,
            area=_area(viewer, wanted),
            act="registry.export_sheet",
            content=content | ({"request": approved} if approved else {}),
            encoding=encoding,
        )
    return rows, pieces


def count(viewer: Viewer, wanted: Wanted) -> int:
    """How many rows the sheet has."""
    return _source(viewer, wanted).count()


def _source(viewer: Viewer, wanted: Wanted) -> Living | Past:
    """The tables of today, or the files of the year where it is sealed."""
    sealed = ReportingYear.objects.filter(year=wanted.year, state=YearState.SEALED).first()
    return Living(viewer, wanted) if sealed is None else Past(viewer, wanted, sealed)


def _area(viewer: Viewer, wanted: Wanted) -> str:
    return wanted.area or common_area(area.lo for area in viewer.ranges(EXPORT))


def _conditions(wanted: Wanted) -> list[tuple[str, str]]:
    return [
        (gettext("表"), str(SheetKind(wanted.kind).label)),
        (gettext("年度"), str(wanted.year)),
        *_as_of(wanted),
        (gettext("地点"), full_name(wanted.area) if wanted.area else gettext("管辖范围")),
        (gettext("代码或名称"), gettext("代码") if wanted.codes else gettext("名称")),
        (gettext("证件号码、电话、账号"), gettext("完整") if wanted.whole else gettext("掩码")),
    ]


def _as_of(wanted: Wanted) -> list[tuple[str, str]]:
    sealed = ReportingYear.objects.filter(year=wanted.year, state=YearState.SEALED).exists()
    return [(gettext("口径"), str(AsOf(wanted.as_of).label))] if sealed else []


@dataclass(frozen=True, slots=True)
class _At:
    """A row of the sheet: the household, and the number of whoever it is about."""

    piece: Piece
    home: Household
    no: int

    @property
    def head_number(self) -> str | None:
        return self.piece.clear[Person, "head"].get(self.home.head_person_no)

    @property
    def home_phone(self) -> str | None:
        return self.piece.clear[Household, "phone"].get(self.home.pk)

    @property
    def standard(self) -> tuple[str, str]:
        return "recognition_standard", self.home.recognition_standard


class _Sheet:
    """The rows of one sheet."""

    def __init__(self, viewer: Viewer, wanted: Wanted) -> None:
        self._wanted, self._source = wanted, _source(viewer, wanted)
        contract = sheet(wanted.kind)
        self._columns = [contract.by_name[name] for _, name in contract.header]
        self._cells = [self._cell_of(item) for item in self._columns]  # type: ignore[arg-type]
        self._places: dict[str, dict[str, str]] = {}

    def rows(self) -> Iterator[Sequence[Cell]]:
        for piece in self._source.pieces():
            yield from self._rows_of(piece)

    def _rows_of(self, piece: Piece) -> Iterator[Sequence[Cell]]:
        for home in piece.homes:
            if self._wanted.kind == SheetKind.HOUSEHOLDS:
                at = _At(piece, home, home.pk)
                yield [cell(at) for cell in self._cells]
                continue
            for person_no in piece.members[home.pk]:
                at = _At(piece, home, person_no)
                yield [cell(at) for cell in self._cells]

    def _cell_of(self, item: SheetField) -> Callable[[_At], Cell]:
        if item.of is not None:
            return self._registered(item.of)
        name, year = item.name, self._wanted.year
        if name in _LEVELS:
            return lambda at: self._place(at.home.village_code)[name]
        given: dict[str, Callable[[_At], Cell]] = {
            "household_no": lambda at: at.home.national_household_no or str(at.home.pk),
            "member_no": lambda at: at.piece.tables[Person][at.no].national_person_no or str(at.no),
            "head_no": lambda at: _head(at.piece, at.home, lambda one: one.national_person_no or str(one.pk)),
            "head_name": lambda at: _head(at.piece, at.home, lambda one: one.name),
            "head_id_number": lambda at: self._masked("id", at.head_number),
            "household_phone": lambda at: self._masked("phone", at.home_phone),
            "household_standard": lambda at: self._coded(*at.standard),
            "members": lambda at: at.home.member_count,
            "year": lambda at: year,  # noqa: ARG005
            "gross_income": lambda at: _yuan(at.piece, at.no, "gross_income"),
            "net_income": lambda at: _yuan(at.piece, at.no, "net_income"),
            "net_income_per_head": lambda at: _yuan(at.piece, at.no, "net_income_per_head"),
        }  # fmt: skip
        return given.get(name, lambda at: None)  # noqa: ARG005

    def _registered(self, of: Field) -> Callable[[_At], Cell]:
        if of.protected:
            mask = of.column.mask  # type: ignore[attr-defined]
            return lambda at: self._masked(mask, at.piece.clear[of.model, of.name].get(at.no))
        listed = of.code_list or ("id_type" if of.name == "id_type" else "")

        def cell(at: _At) -> Cell:
            row = at.piece.tables[of.model].get(at.no)
            value = None if row is None else getattr(row, of.name)
            if value is None or value == "":
                return None
            if listed:
                return self._coded(listed, value)
            if isinstance(value, bool):
                return "是" if value else "否"
            if isinstance(value, date | str):
                return value
            if of.unit is not None and of.unit.per > 1:
                return Decimal(of.shown(value))
            return int(value)

        return cell

    def _coded(self, listed: str, value: str) -> str:
        if self._wanted.codes or not value:
            return value
        book = code_list(listed)
        return "、".join(book.label(code, "zh") for code in value.split(","))

    def _masked(self, mask: str, value: str | None) -> Cell:
        if not value:
            return None
        return value if self._wanted.whole else MASKS[mask](value)

    def _place(self, village: str) -> dict[str, str]:
        if village not in self._places:
            places = gazetteer().places
            names = {level: places.get(village[:length]) for level, length in _LEVELS.items()}
            self._places[village] = {level: place.official_name if place else "" for level, place in names.items()}
        return self._places[village]


def _head(piece: Piece, home: Household, told: Callable[[Person], str]) -> Cell:
    head = piece.heads.get(home.head_person_no)
    return told(head) if head is not None else None


def _yuan(piece: Piece, no: int, name: str) -> Cell:
    row = piece.tables[HouseholdYear].get(no)
    fen = None if row is None else getattr(row, name)
    return None if fen is None else Decimal(fen).scaleb(-2)
