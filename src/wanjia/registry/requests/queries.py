"""Change requests and what they mean beside the values that stand now. All cut to the viewer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from wanjia.kernel import clock
from wanjia.kernel.errors import Language
from wanjia.registry import sealed
from wanjia.registry.choices import OPEN_REQUESTS, RequestState
from wanjia.registry.errors import FieldNotEditable
from wanjia.registry.fields import FIELDS, Field, as_text
from wanjia.registry.models import (
    ChangeRequest,
    ChangeRequestItem,
    Household,
    HouseholdYear,
    Membership,
    Person,
    PersonYear,
    Relocation,
)
from wanjia.registry.overlaid import sealed_year
from wanjia.registry.queries import sealed_record, words_for
from wanjia.registry.requests.merging import Merge, merge
from wanjia.registry.requests.policy import APPROVE, COUNTY_LENGTH, TOWNSHIP_LENGTH
from wanjia.registry.services import Edit
from wanjia.registry.services.years import carried
from wanjia.scope.errors import NotVisible
from wanjia.scope.models import NOTHING, Holding, range_q
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer

DESKS = {TOWNSHIP_LENGTH: RequestState.TOWNSHIP, COUNTY_LENGTH: RequestState.COUNTY}
JUDGE = system_viewer("registry.requests")


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a request: what was seen, what stands now, what is wanted, as texts in clear.

    Pages show the words below, in which protected values are masked.
    """

    field: Field
    person_no: int | None
    who: str
    base: str
    current: str
    wanted: str
    item: ChangeRequestItem | None = None

    @property
    def merge(self) -> Merge:
        return merge(self.base, self.current, self.wanted)

    @property
    def in_conflict(self) -> bool:
        return self.merge is Merge.CONFLICT

    def words(self, side: str, language: Language) -> str:
        """`base`, `current` or `wanted` as people read it."""
        return words_for(self.field, getattr(self, side), language)


class Present:
    """The values of one household and its people as they stand; of years the open one, or what it would begin with."""

    def __init__(self, household: Household, people: Iterable[int] = ()) -> None:
        numbers = sorted(set(people))
        self._rows: dict[tuple[Any, int], Any] = {(Household, household.pk): household}
        for model, key, wanted in (
            (Person, "person_no", numbers),
            (Membership, "person_no", numbers),
            (Relocation, "household_no", [household.pk]),
            (HouseholdYear, "household_no", [household.pk]),
            (PersonYear, "person_no", numbers),
        ):
            rows: QuerySet[Any] = model.objects.visible_to(JUDGE).filter(**{f"{key}__in": wanted})
            if model is Membership:
                rows = rows.filter(latest=True, household_no=household.pk)
            if model in (HouseholdYear, PersonYear):
                rows = rows.order_by("year")
            self._rows |= {(model, getattr(row, key)): row for row in rows}
        self._household = household

    def row(self, field: Field, person_no: int | None) -> Any:
        """The row a field stands in, if there is one."""
        number = self._household.pk if field.of_household else person_no
        return self._rows.get((field.model, number or 0))

    def belongs(self, person_no: int) -> bool:
        """Whether somebody's record stands on this household."""
        return (Membership, person_no) in self._rows

    def text(self, field: Field, person_no: int | None = None) -> str:
        """A value as change rows write it; "" where there is none."""
        row = self.row(field, person_no)
        if row is None:
            return ""
        if field.of_year and row.year < self._household.year and field.id not in carried(field.model):
            return ""
        return as_text(getattr(row, field.name))

    def name(self, person_no: int | None) -> str:
        """What somebody is called; "" for the household itself."""
        row = self._rows.get((Person, person_no or 0))
        return row.name if row is not None else ""


class KnownInYear:
    """The values of one household and its people in a sealed year, as they are known now; as `Present` tells them."""

    def __init__(self, household_no: int, year: int) -> None:
        self._year, self._household_no = sealed_year(year), household_no
        self._people = {one["person_no"]: one["name"] for one in sealed.people_of(self._year.serving, household_no)}
        self._rows: dict[int | None, Any] = {}

    def row(self, field: Field, person_no: int | None) -> Any:
        """The record a field stands in, if there is one."""
        number = None if field.of_household else person_no
        if number not in self._rows:
            whose = {"household_no": self._household_no if number is None else None, "person_no": number}
            self._rows[number] = sealed_record(self._year, **whose)
        return self._rows[number]

    def belongs(self, person_no: int) -> bool:
        """Whether somebody was of this household in the year."""
        return person_no in self._people

    def text(self, field: Field, person_no: int | None = None) -> str:
        """A value as change rows write it; "" where there is none."""
        row = self.row(field, person_no)
        return "" if row is None else as_text(getattr(row, field.name))

    def name(self, person_no: int | None) -> str:
        """What somebody was called; "" for the household itself."""
        return str(self._people.get(person_no or 0, ""))


def compared(viewer: Viewer, household: Household, edits: Sequence[Edit]) -> list[Line]:
    """What a submission means beside what stands. `household` was fetched with the permission to propose.

    Raises NotVisible for somebody of another household, ValueNotAccepted for a value that does not fit.
    """
    del viewer
    people = {edit.person_no for edit in edits if edit.person_no is not None}
    return _beside(Present(household, people), household.pk, edits)


def compared_in_year(household_no: int, year: int, edits: Sequence[Edit]) -> list[Line]:
    """The same of a sealed year, for a caller who may decide about its record. Raises FieldNotEditable too."""
    if wrong := [edit.field for edit in edits if edit.field not in FIELDS or not FIELDS[edit.field].of_year]:
        raise FieldNotEditable(field=wrong[0])
    return _beside(KnownInYear(household_no, year), household_no, edits)


def _beside(present: Present | KnownInYear, household_no: int, edits: Sequence[Edit]) -> list[Line]:
    people = {edit.person_no for edit in edits if edit.person_no is not None}
    if any(not present.belongs(number) for number in people):
        raise NotVisible(kind="person")
    lines = []
    for edit in edits:
        field = FIELDS[edit.field]
        if field.of_household and edit.household_no != household_no:
            raise NotVisible(kind="household")
        if not field.of_household and edit.person_no is None:
            raise NotVisible(kind="person")
        person_no = None if field.of_household else edit.person_no
        current = present.text(field, person_no)
        base = current if edit.expected_old is None else edit.expected_old
        wanted = as_text(field.parse(edit.new))
        lines.append(Line(field, person_no, present.name(person_no), base, current, wanted))
    return lines


def lines_of(request: ChangeRequest) -> list[Line]:
    """The fields of a request the caller holds, each beside what stands now."""
    items = list(ChangeRequestItem.objects.visible_to(JUDGE).filter(request=request).order_by("pk"))
    present: Present | KnownInYear
    if request.year is not None:
        present = KnownInYear(request.household_no, request.year)
    else:
        household = Household.objects.visible_to(JUDGE).get(pk=request.household_no)
        present = Present(household, [item.person_no for item in items if item.person_no is not None])
    return [_line(item, present) for item in items]


def _line(item: ChangeRequestItem, present: Present | KnownInYear) -> Line:
    field = FIELDS[item.field]
    sealed = [item.base_sealed, item.wanted_sealed]
    base, wanted = (value.clear() if value is not None else "" for value in sealed)
    if not field.protected:
        base, wanted = item.base, item.wanted
    current = present.text(field, item.person_no)
    return Line(field, item.person_no, present.name(item.person_no), base, current, wanted, item)


def request_for(viewer: Viewer, request_id: int) -> ChangeRequest:
    """One request whose household the viewer may read. Raises NotVisible."""
    return ChangeRequest.objects.get_visible(viewer, pk=request_id)


def of_household(viewer: Viewer, household_no: int) -> QuerySet[ChangeRequest]:
    """What waits in a household, the oldest first."""
    rows = ChangeRequest.objects.visible_to(viewer).filter(household_no=household_no, state__in=OPEN_REQUESTS)
    return rows.order_by("pk")


def at_my_desk(viewer: Viewer) -> QuerySet[ChangeRequest]:
    """Open requests that wait where the viewer decides, without his own, the oldest first."""
    rows = ChangeRequest.objects.visible_to(viewer, APPROVE).exclude(proposed_by=viewer.user_id)
    rows = rows.exclude(reviewed_by=viewer.user_id)
    desks = NOTHING
    for grant in viewer.grants_for(APPROVE):
        state = DESKS.get(len(grant.area.lo))
        if state is not None:
            desks |= range_q("village_code", grant.area) & Q(state=state)
    return rows.filter(desks).order_by("pk")


def proposed_by_me(viewer: Viewer) -> QuerySet[ChangeRequest]:
    """What the viewer proposed, the newest first."""
    return ChangeRequest.objects.visible_to(viewer).filter(proposed_by=viewer.user_id).order_by("-pk")


def helps(user_id: int, household_no: int) -> bool:
    """Whether the household is given to somebody to help (domain.md §16.3: nobody decides about his own pairing)."""
    held = Holding.objects.filter(
        user_id=user_id,
        relation=Relation.OWN_HOUSEHOLDS.value,
        subject_kind="household",
        subject_id=household_no,
        valid_from__lte=clock.today(),
    )
    return held.filter(Q(valid_to=None) | Q(valid_to__gt=clock.today())).exists()
