"""A correction: what a sheet says otherwise than the registry, field by field.

An empty cell says nothing, and so does a masked number that is the mask of what is registered.
A row that says of its household or its person who they are and where they live, and says somebody
or somewhere else than is registered under its number, is refused: its cells have slipped.
Only fields that may be corrected become changes; another value in a field that changes by a
procedure of its own is remarked and left.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import models

from wanjia.kernel import clock, identity, names
from wanjia.protection.masking import MASKS, mask_id
from wanjia.registry.choices import HEAD, RejectReason, Remark, SheetKind, Standing
from wanjia.registry.errors import ValueNotAccepted
from wanjia.registry.fields import FIELDS, Field, as_text
from wanjia.registry.income import PARTS
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation
from wanjia.registry.services.change import Edit
from wanjia.registry.services.rows import WRITE
from wanjia.registry.services.sheets.pieces import opened
from wanjia.registry.services.sheets.placing import refuse_elsewhere
from wanjia.registry.services.sheets.readers import MASK
from wanjia.registry.services.sheets.reading import Rows, fields_in, flags
from wanjia.registry.services.years import carried
from wanjia.scope.bulk import pieces
from wanjia.scope.fields import open_column
from wanjia.scope.viewer import Viewer

OWN_NUMBER = 10  # digits; our own numbers are shorter


@dataclass(slots=True)
class Corrections:
    """What would change: the edits, and in figures by field and by where."""

    edits: list[Edit] = field(default_factory=list)
    fields: Counter[str] = field(default_factory=Counter)
    areas: Counter[str] = field(default_factory=Counter)  # changed values by township

    def add(self, edit: Edit, village: str) -> None:
        self.edits.append(edit)
        self.fields[edit.field] += 1
        self.areas[village[:9]] += 1


def compare(viewer: Viewer, rows: Rows, area: str, year: int, found: Corrections) -> None:
    """Add to `found` what the rows of one sheet would change; refuse those that cannot be corrected."""
    of_people = rows.kind == "members"
    numbers = rows.column("member_no" if of_people else "household_no")
    owner, number = (Person, "national_person_no") if of_people else (Household, "national_household_no")
    registered = _registered(viewer, owner, number, area, numbers)
    mine = [registered.get(text) for text in numbers.to_pylist()]
    rows.refuse(np.array([no is None for no in mine], np.bool_), "", RejectReason.NOT_REGISTERED)
    rows.refuse(_repeated(mine), "", RejectReason.NUMBER_REPEATED)
    at = np.flatnonzero(rows.alive)
    nos = [mine[row] for row in at]
    tables = _Tables(nos, of_people=of_people)
    rows.refuse(_scattered(rows, at, [not tables.live(no) for no in nos]), "", RejectReason.NOT_LIVE)
    rows.refuse(_scattered(rows, at, [tables.year(no) != year for no in nos]), "year", RejectReason.YEAR_NOT_OPEN)
    _refuse_others(rows, [(int(row), no) for row, no in zip(at, nos, strict=True) if no is not None], tables)
    _Comparison(rows, at, nos, tables, of_people=of_people).into(found)


def _refuse_others(rows: Rows, at: Sequence[tuple[int, int]], tables: _Tables) -> None:
    """Refuse the rows that speak of others than their numbers do."""
    where = [row for row, _ in at]
    homes = [tables.home(no) for _, no in at]
    refuse_elsewhere(rows, where, [home.village_code for home in homes])
    heads = tables.heads() if rows.has & {"head_name", "head_id_number"} else {}
    if "head_name" in rows.has:
        said = rows.column("head_name").to_pylist()
        for row, home in zip(where, homes, strict=True):
            head = heads.get(home.head_person_no)
            if head is not None and is_other_name(said[row], head.name):
                rows.refuse_row(row, "head_name", RejectReason.REGISTERED_OTHERWISE)
    if "head_id_number" in rows.has:
        said = rows.column("head_id_number").to_pylist()
        registered = opened(Person, "id_number", heads)
        for row, home in zip(where, homes, strict=True):
            number = registered.get(home.head_person_no)
            if said[row] and number and not is_same_number(said[row], number):
                rows.refuse_row(row, "head_id_number", RejectReason.REGISTERED_OTHERWISE)
    if rows.kind == SheetKind.MEMBERS:
        _refuse_other_people(rows, at, tables)
        _remark_other_homes(rows, at, tables)


def _refuse_other_people(rows: Rows, at: Sequence[tuple[int, int]], tables: _Tables) -> None:
    """Another name is another person, unless the identity number says that it is the same one renamed."""
    said, numbers = rows.column("name").to_pylist(), rows.column("id_number").to_pylist()
    people: dict[int, Person] = tables.rows[Person]
    other = [(row, no) for row, no in at if is_other_name(said[row], people[no].name)]
    registered = opened(Person, "id_number", {no: people[no] for _, no in other})
    renamed = np.zeros(len(rows.lines), np.bool_)
    for row, no in other:
        number = registered[no]
        if numbers[row] and number and is_same_number(numbers[row], number):
            renamed[row] = True
        else:
            rows.refuse_row(row, "name", RejectReason.OTHER_NAME)
    rows.remark(renamed, "name", Remark.RENAMED)


def _remark_other_homes(rows: Rows, at: Sequence[tuple[int, int]], tables: _Tables) -> None:
    said = rows.column("household_no").to_pylist()
    other = np.zeros(len(rows.lines), np.bool_)
    for row, no in at:
        home = tables.home(no)
        other[row] = bool(said[row]) and said[row] not in (home.national_household_no, str(home.pk))
    rows.remark(other, "household_no", Remark.PROCEDURE)


def is_masked(text: str) -> bool:
    """Whether characters of a name or number were left out on purpose, whatever star stands for them."""
    return MASK in unicodedata.normalize("NFKC", text)


def is_other_name(said: str | None, registered: str) -> bool:
    """Whether a cell names somebody else; an empty one and a masked one name nobody."""
    return bool(said) and bool(registered) and not is_masked(said or "") and not names.same(said or "", registered)


def is_same_number(said: str, registered: str) -> bool:
    """Whether a cell holds an identity number, or its mask."""
    if is_masked(said):
        return mask_id(registered) == identity.normalise(said)
    judged = identity.judge(said, clock.today())
    mine = identity.key_text(registered)
    return mine is not None and mine in (identity.key_text(judged.text), identity.key_text(judged.suggestion))


def _registered(
    viewer: Viewer, model: type[Person | Household], number: str, area: str, texts: pa.Array
) -> dict[str, int]:
    """Our number behind each text: the national one, or our own where there is no national one."""
    visible = model.objects.visible_to(viewer, WRITE).filter(village_code__startswith=area)
    found: dict[str, int] = {}
    distinct = [text for text in pc.unique(texts).to_pylist() if text]
    for some in pieces(distinct):
        found.update(visible.filter(**{f"{number}__in": some}).values_list(number, "pk"))
    own = [int(text) for text in distinct if text not in found and text.isdecimal() and len(text) < OWN_NUMBER]
    for some in pieces(own):
        found.update((str(no), no) for no in visible.filter(**{number: ""}, pk__in=some).values_list("pk", flat=True))
    return found


def _repeated(numbers: Sequence[int | None]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    seen: set[int] = set()
    told = []
    for no in numbers:
        told.append(no is not None and no in seen)
        if no is not None:
            seen.add(no)
    return np.array(told, np.bool_)


def _scattered(rows: Rows, at: Any, said: Iterable[bool]) -> Any:
    flagged = np.zeros(len(rows.lines), np.bool_)
    flagged[at] = list(said)
    return flagged


class _Tables:
    """What is registered of the households or people of a sheet, by their number."""

    def __init__(self, numbers: Sequence[int | None], *, of_people: bool) -> None:
        self._nos = [no for no in numbers if no is not None]
        self.rows: dict[type[models.Model], dict[int, Any]] = {}
        if of_people:
            people = self._read(Person, "person_no")
            self._read(Membership, "person_no", latest=True)
            homes = {row.household_no for row in people.values()}
            self._homes = _by_key(Household, "household_no", sorted(homes))
            self._home_of = {no: row.household_no for no, row in people.items()}
            self._years(PersonYear, "person_no")
        else:
            self._homes = self._read(Household, "household_no")
            self._home_of = {no: no for no in self._homes}
            self._read(Relocation, "household_no")
            self._years(HouseholdYear, "household_no")

    def _read(self, model: type[models.Model], key: str, **where: Any) -> dict[int, Any]:
        self.rows[model] = _by_key(model, key, self._nos, **where)
        return self.rows[model]

    def _years(self, model: type[models.Model], key: str) -> None:
        """The latest year on record of each."""
        self.year_model = model
        latest: dict[int, Any] = {}
        for some in pieces(self._nos):
            for row in model._base_manager.filter(**{f"{key}__in": some}).order_by("year"):
                latest[getattr(row, key)] = row
        self.rows[model] = latest

    def heads(self) -> dict[int, Person]:
        """The heads of the households, by their number."""
        return _by_key(Person, "person_no", sorted({home.head_person_no for home in self._homes.values()}))

    def home(self, no: int | None) -> Household:
        home: Household = self._homes[self._home_of[no or 0]]
        return home

    def live(self, no: int | None) -> bool:
        return self.home(no).standing == Standing.LIVE

    def year(self, no: int | None) -> int:
        """The year corrections go to."""
        latest = self.rows[self.year_model].get(no or 0)
        return max(self.home(no).year, latest.year if latest else 0)

    def value(self, of: Field, no: int) -> Any:
        """What is registered; of a year that is only begun what it begins with."""
        row = self.rows[of.model].get(no)
        if row is None:
            return None
        if of.of_year and row.year < self.home(no).year and of.id not in carried(of.model):
            return None
        return getattr(row, of.name)


def _by_key(model: type[models.Model], key: str, numbers: Sequence[int], **where: Any) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in pieces(numbers):
        found |= {getattr(row, key): row for row in model._base_manager.filter(**{f"{key}__in": some}, **where)}
    return found


class _Comparison:
    """The rows of one sheet beside what is registered."""

    def __init__(self, rows: Rows, at: Any, numbers: Sequence[int | None], tables: _Tables, *, of_people: bool) -> None:
        self._rows, self._tables, self._of_people = rows, tables, of_people
        standing = [(int(row), no) for row, no in zip(at, numbers, strict=True) if no is not None and rows.alive[row]]
        self._at = [row for row, _ in standing]
        self._nos = [no for _, no in standing]
        self._edits: dict[int, list[Edit]] = defaultdict(list)

    def into(self, found: Corrections) -> None:
        for item in fields_in(self._rows):
            assert item.of is not None  # noqa: S101 - asked for
            self._compare(item.of, self._rows.column(item.name).take(pa.array(self._at, pa.int64())).to_pylist())
        if not self._of_people:
            self._refuse_sums()
        for row, no in zip(self._at, self._nos, strict=True):
            if self._rows.alive[row]:
                village = self._tables.home(no).village_code
                for edit in self._edits.get(row, ()):
                    found.add(edit, village)
                self._rows.known[row] = row not in self._edits

    def _compare(self, of: Field, said: Sequence[Any]) -> None:
        registered = self._registered(of)
        other = np.zeros(len(self._rows.lines), np.bool_)
        for row, no, new, old in zip(self._at, self._nos, said, registered, strict=True):
            if new is None or new == old or (old is None and new == "") or not self._rows.alive[row]:
                continue
            if of.id == "name" and is_masked(new):
                continue
            if of.protected and MASK in str(new):
                if old is None or MASKS[of.column.mask](old) != new:  # type: ignore[attr-defined]
                    self._rows.refuse_row(row, of.id, RejectReason.OTHER_MASK)
            elif not of.editable:
                other[row] = True
            elif of.name == "relation" and HEAD in (new, old):
                self._rows.refuse_row(row, of.id, RejectReason.HEAD_PROCEDURE)
            else:
                self._edit(of, row, no, new, old)
        self._rows.remark(other, of.id, Remark.PROCEDURE)

    def _edit(self, of: Field, row: int, no: int, new: Any, old: Any) -> None:
        try:
            of.parse(new)
        except ValueNotAccepted:
            self._rows.refuse_row(row, of.id, RejectReason.VALUE_REFUSED)
            return
        expected = None if of.of_year else as_text(old)
        about = {"household_no": no} if of.of_household else {"person_no": no}
        self._edits[row].append(Edit(of.id, new, expected_old=expected, **about))

    def _registered(self, of: Field) -> list[Any]:
        if not of.protected:
            return [self._tables.value(of, no) for no in self._nos]
        sealed = [self._tables.value(of, no) for no in self._nos]
        blobs = [value.blob if value is not None else None for value in sealed]
        return list(open_column(of.model, of.name, self._nos, blobs))

    def _refuse_sums(self) -> None:
        """Rows that say of an income something else than its parts add up to (domain.md §4.4)."""
        names = self._rows.has
        for whole, parts in PARTS.items():
            if whole not in names:
                continue
            told = {name: self._rows.column(name).to_pylist() for name in (whole, *parts)}
            for row, no in zip(self._at, self._nos, strict=True):
                if told[whole][row] is None or not self._rows.alive[row]:
                    continue
                after = [
                    told[part][row] if told[part][row] is not None else self._tables.value(FIELDS[part], no)
                    for part in parts
                ]
                known = [value for value in after if value is not None]
                if known and sum(known) != told[whole][row]:
                    self._rows.refuse_row(row, whole, RejectReason.INCOME_DISAGREES)


def in_figures(found: Corrections) -> Mapping[str, Any]:
    """What the page says of the changes."""
    return {"fields": dict(found.fields.most_common()), "areas": dict(sorted(found.areas.items()))}


__all__ = ["Corrections", "compare", "flags", "in_figures"]
