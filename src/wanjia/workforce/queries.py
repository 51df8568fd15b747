"""Who helps whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from wanjia.accounts.models import User
from wanjia.accounts.queries import names_of
from wanjia.kernel import clock
from wanjia.scope.bulk import pieces
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.workforce.models import Pairing

READ = "workforce.read"


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who answers for a household."""

    user_id: int
    name: str
    since: date


def in_force(on: date) -> Q:
    """Pairings that hold on that day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def contacts_of(household_no: int, on: date | None = None) -> list[Contact]:
    """Who answers for a household on that day, longest first; for callers that hold the household already."""
    rows = Pairing.objects.visible_to(system_viewer("workforce.guards")).filter(in_force(on or clock.today()))
    return _contacts(rows.filter(household_no=household_no))


def visible_contacts(viewer: Viewer, household_no: int) -> list[Contact]:
    """The same, cut to what the viewer may see of pairings."""
    rows = Pairing.objects.visible_to(viewer, READ).filter(in_force(clock.today()))
    return _contacts(rows.filter(household_no=household_no))


def households_of(viewer: Viewer, user_id: int) -> list[int]:
    """The households a contact answers for today, cut to the viewer, in order of number."""
    rows = Pairing.objects.visible_to(viewer, READ).filter(in_force(clock.today()), user_id=user_id)
    return list(rows.order_by("household_no").values_list("household_no", flat=True))


@dataclass(frozen=True, slots=True)
class FormerContact:
    """Somebody who answered for a household until `until`, and why he stopped."""

    name: str
    since: date
    until: date
    reason: str


def history_of(viewer: Viewer, household_no: int) -> list[FormerContact]:
    """Who answered for a household before, latest first, cut to what the viewer may see of pairings."""
    rows = Pairing.objects.visible_to(viewer, READ).filter(household_no=household_no, valid_to__lte=clock.today())
    found = list(rows.order_by("-valid_to", "-pk").values_list("user_id", "valid_from", "valid_to", "end_reason"))
    names = names_of(user for user, *_ in found)
    return [FormerContact(names.get(user, ""), since, until, why) for user, since, until, why in found if until]


def active_accounts(user_ids: Iterable[int]) -> set[int]:
    """Which of the ids are accounts that may sign in."""
    rows = User.objects.visible_to(system_viewer("workforce.guards")).filter(is_active=True)
    found: set[int] = set()
    for some in pieces(sorted(set(user_ids))):
        found.update(rows.filter(pk__in=some).values_list("pk", flat=True))
    return found


def _contacts(rows: QuerySet[Pairing]) -> list[Contact]:
    found = list(rows.order_by("valid_from", "pk").values_list("user_id", "valid_from"))
    names = names_of(user for user, _ in found)
    return [Contact(user, names.get(user, ""), since) for user, since in found]
