"""The rows an act on the registry is about: read with the permission to change them, locked, turned into writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

from django.db import connection, models

from wanjia.kernel import clock
from wanjia.registry.choices import IN_HOUSEHOLD, Standing
from wanjia.registry.errors import HouseholdNotLive, ValueNotAccepted
from wanjia.registry.fields import FIELDS, Field, as_text
from wanjia.registry.income import PARTS, together
from wanjia.registry.models import Household, HouseholdYear, Membership, Relocation
from wanjia.registry.problems import SUM_OF_PARTS
from wanjia.registry.services.writing import Write
from wanjia.scope.bulk import pieces
from wanjia.scope.errors import NotVisible
from wanjia.scope.models import ScopedModel
from wanjia.scope.viewer import Viewer

WRITE, APPROVE = "registry.write", "registry.approve"

Row = TypeVar("Row", bound=ScopedModel)


def by_number(
    model: type[Row],
    viewer: Viewer,
    action: str,
    numbers: Collection[int],
    only: Collection[str] = (),
    **where: object,
) -> dict[int, Row]:
    """Rows by household or person number, cut to what the viewer may do `action` on, locked.

    With `only` these columns and where the row belongs; any other would be asked for row by row.
    """
    key = "household_no" if model is Household else "person_no"
    found: dict[int, Row] = {}
    for some in pieces(sorted(numbers)):
        rows = model.objects.visible_to(viewer, action).filter(**{f"{key}__among": some}, **where)
        if only:
            rows = rows.only("pk", "household_no", key, "village_code", *only)
        found |= {getattr(row, key): row for row in locked(rows)}
    return found


def locked(rows: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """The rows under a lock until the transaction ends."""
    # SQLite's IMMEDIATE transaction already holds the only write lock
    return rows.select_for_update(of=("self",)) if connection.features.has_select_for_update_of else rows


def live_household(viewer: Viewer, action: str, household_no: int) -> Household:
    """The household, locked. Raises NotVisible, HouseholdNotLive."""
    found = by_number(Household, viewer, action, [household_no])
    if household_no not in found:
        raise NotVisible(kind="household")
    if not found[household_no].is_live:
        raise HouseholdNotLive(household_no=household_no)
    return found[household_no]


def present_members(household: Household) -> list[Membership]:
    """Who belongs to the household now. Its permission is the household's, which was just checked."""
    rows = Membership._base_manager.filter(household_no=household.household_no, latest=True)
    return list(locked(rows.filter(member_status__in=sorted(IN_HOUSEHOLD)).order_by("person_no")))


def moves_of(homes: Iterable[Household]) -> list[Relocation]:
    """The households' moves, begun empty where nothing was known of one; permission as above."""
    by_number = {home.pk: home for home in homes}
    known = list(locked(Relocation._base_manager.filter(pk__in=list(by_number))))
    missing = by_number.keys() - {row.pk for row in known}
    begun = [Relocation(pk=number, village_code=by_number[number].village_code) for number in sorted(missing)]
    return [*known, *Relocation._base_manager.bulk_create(begun)]


def write(field: Field, row: Any, new: Any) -> Write:
    """A new value for one field of a row at hand."""
    return Write(
        field=field,
        row=row.pk,
        household_no=row.household_no,
        person_no=getattr(row, "person_no", None),
        village_code=row.village_code,
        old=as_text(getattr(row, field.name)),
        new=new,
        year=row.year if field.of_year else None,
    )


def wholes(row: HouseholdYear, given: Mapping[str, Any]) -> dict[str, int]:
    """The incomes of a year that follow from parts newly given (domain.md §4.4).

    Raises ValueNotAccepted where such a whole was itself given and is not their sum.
    """
    found: dict[str, int] = {}
    for whole, parts in PARTS.items():
        if not given.keys() & {whole, *parts}:
            continue
        total = together(*(given.get(part, getattr(row, part)) for part in parts))
        if total is None:
            continue
        if given.get(whole, total) != total:
            raise ValueNotAccepted(field=FIELDS[whole].title, problem=SUM_OF_PARTS)
        if whole not in given:
            found[whole] = total
    return found


def household_writes(household: Household, news: Mapping[str, Any]) -> list[Write]:
    """New values of the household itself."""
    return [write(FIELDS[name], household, value) for name, value in news.items()]


def ended(members: Iterable[Membership], status: str, change_reason: str, on: date) -> Iterator[Write]:
    """The members leave as `status` on a day, or on the day they came if that was later."""
    for member in members:
        yield write(FIELDS["member_status"], member, status)
        yield write(FIELDS["left_on"], member, max(on, member.joined_on or on))
        if change_reason:
            yield write(FIELDS["change_reason"], member, change_reason)


def closed(household: Household, standing: Standing) -> list[Write]:
    """The household leaves the registry today."""
    return household_writes(
        household,
        {"standing": standing.value, "poverty_status": "", "member_count": 0, "removed_on": clock.today()},
    )
