"""Handing the two sheets out, in the header rows of domain.md §18, a village at a time along an index.

Numbers of people are masked unless a second person has approved them whole; names are not, for a
sheet without them is of no use. Who took it is recorded before the first byte.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
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
from wanjia.registry.choices import IN_HOUSEHOLD, SheetKind, Standing
from wanjia.registry.errors import WholeNumbersNeedApproval
from wanjia.registry.fields import Field
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation
from wanjia.registry.services.sheets.columns import SheetField, sheet
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import NotAllowed
from wanjia.scope.fields import open_column
from wanjia.scope.models import range_q
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Cell, Encoding, Format, Table

EXPORT, REVEAL = "registry.export", "registry.reveal"
SHEET = "registry_sheet"  # the code under which one is approved
PIECE = 1_000  # households read at a time
YEAR_DIGITS = 4
_LEVELS = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sheet of which area and year, as codes or labels, masked or whole."""

    kind: SheetKind
    year: int
    area: str = ""
    codes: bool = False
    whole: bool = False

    def as_values(self) -> dict[str, str]:
        """As an address says it."""
        said = {"sheet": self.kind.value, "year": str(self.year), "area": self.area}
        return said | ({"codes": "1"} if self.codes else {}) | ({"whole": "1"} if self.whole else {})


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
    homes = _homes(viewer, wanted)
    if wanted.kind == SheetKind.HOUSEHOLDS:
        return homes.count()
    stays = Membership._base_manager.filter(latest=True, member_status__in=sorted(IN_HOUSEHOLD))
    return stays.filter(household_no__in=homes.values("household_no")).count()


def _homes(viewer: Viewer, wanted: Wanted) -> QuerySet[Household]:
    """Live households of the area that are of the year: reported in it, or on record for it."""
    rows = Household.objects.visible_to(viewer, EXPORT).filter(standing=Standing.LIVE)
    if wanted.whole:
        rows = rows & Household.objects.visible_to(viewer, REVEAL)
    if wanted.area:
        rows = rows.filter(range_q("village_code", AreaRange.of(wanted.area)))
    on_record = HouseholdYear._base_manager.filter(household_no=OuterRef("household_no"), year=wanted.year)
    return rows.filter(Q(year=wanted.year) | Exists(on_record)).order_by("village_code", "household_no")


def _area(viewer: Viewer, wanted: Wanted) -> str:
    return wanted.area or common_area(area.lo for area in viewer.ranges(EXPORT))


def _conditions(wanted: Wanted) -> list[tuple[str, str]]:
    return [
        (gettext("表"), str(SheetKind(wanted.kind).label)),
        (gettext("年度"), str(wanted.year)),
        (gettext("地点"), full_name(wanted.area) if wanted.area else gettext("管辖范围")),
        (gettext("代码或名称"), gettext("代码") if wanted.codes else gettext("名称")),
        (gettext("证件号码、电话、账号"), gettext("完整") if wanted.whole else gettext("掩码")),
    ]


@dataclass(slots=True)
class _Piece:
    """A thousand households and what is registered of them, by number."""

    homes: list[Household]
    tables: dict[type[models.Model], dict[int, Any]]
    heads: dict[int, Person]
    members: dict[int, list[int]]  # household → its people in order, the head first
    clear: dict[tuple[type[models.Model], str], dict[int, str | None]]


@dataclass(frozen=True, slots=True)
class _At:
    """A row of the sheet: the household, and the number of whoever it is about."""

    piece: _Piece
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
        self._viewer, self._wanted = viewer, wanted
        contract = sheet(wanted.kind)
        self._columns = [contract.by_name[name] for _, name in contract.header]
        self._cells = [self._cell_of(item) for item in self._columns]  # type: ignore[arg-type]
        self._places: dict[str, dict[str, str]] = {}

    def rows(self) -> Iterator[Sequence[Cell]]:
        found = _homes(self._viewer, self._wanted)
        after: Household | None = None
        while True:
            some = found
            if after is not None:
                further = Q(village_code__gt=after.village_code) | Q(household_no__gt=after.household_no)
                some = found.filter(Q(village_code__gte=after.village_code) & further)
            homes = list(some[:PIECE])
            if homes:
                yield from self._rows_of(self._piece(homes))
            if len(homes) < PIECE:
                return
            after = homes[-1]

    def _piece(self, homes: list[Household]) -> _Piece:
        numbers = [home.pk for home in homes]
        heads = Person._base_manager.in_bulk([home.head_person_no for home in homes])
        tables: dict[type[models.Model], dict[int, Any]] = {Household: {home.pk: home for home in homes}}
        members: dict[int, list[int]] = defaultdict(list)
        if self._wanted.kind == SheetKind.HOUSEHOLDS:
            years = HouseholdYear._base_manager.filter(household_no__in=numbers, year=self._wanted.year)
            tables[HouseholdYear] = {row.household_no: row for row in years}
            tables[Relocation] = Relocation._base_manager.in_bulk(numbers)
        else:
            stays = Membership._base_manager.filter(
                household_no__in=numbers, latest=True, member_status__in=sorted(IN_HOUSEHOLD)
            )
            tables[Membership] = {stay.person_no: stay for stay in stays}
            for stay in sorted(tables[Membership].values(), key=lambda stay: (stay.relation != "01", stay.person_no)):
                members[stay.household_no].append(stay.person_no)
            tables[Person] = Person._base_manager.in_bulk(list(tables[Membership]))
            personal = PersonYear._base_manager.filter(person_no__in=list(tables[Membership]), year=self._wanted.year)
            tables[PersonYear] = {row.person_no: row for row in personal}
        piece = _Piece(homes, tables, heads, members, {})
        self._open(piece)
        return piece

    def _open(self, piece: _Piece) -> None:
        """Decrypt what the sheet shows or masks, a column at a time."""
        wanted = [(item.of.model, item.of.name) for item in self._columns if item.of and item.of.protected]  # type: ignore[attr-defined]
        if self._wanted.kind == SheetKind.MEMBERS:
            wanted.append((Household, "phone"))
        for model, name in wanted:
            rows = piece.tables[model]
            piece.clear[model, name] = _opened(model, name, rows)
        piece.clear[Person, "head"] = _opened(Person, "id_number", piece.heads)

    def _rows_of(self, piece: _Piece) -> Iterator[Sequence[Cell]]:
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


def _opened(model: type[models.Model], name: str, rows: Mapping[int, Any]) -> dict[int, str | None]:
    numbers = list(rows)
    sealed = [getattr(rows[no], name) for no in numbers]
    return dict(
        zip(numbers, open_column(model, name, numbers, [value and value.blob for value in sealed]), strict=True)
    )


def _head(piece: _Piece, home: Household, told: Callable[[Person], str]) -> Cell:
    head = piece.heads.get(home.head_person_no)
    return told(head) if head is not None else None


def _yuan(piece: _Piece, no: int, name: str) -> Cell:
    row = piece.tables[HouseholdYear].get(no)
    fen = None if row is None else getattr(row, name)
    return None if fen is None else Decimal(fen).scaleb(-2)
