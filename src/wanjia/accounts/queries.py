"""Who is who: the viewer of an account, names, the people an administrator looks after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from wanjia.accounts import content
from wanjia.accounts.models import Deputyship, GrantRow, Role, User
from wanjia.kernel import clock
from wanjia.kernel.codes import LENGTHS
from wanjia.scope.areas import AreaRange
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Grant, Relation, Viewer


def in_force(on: date) -> Q:
    """Grants that hold on that day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def viewer_for(user: User | AbstractBaseUser, on: date | None = None) -> Viewer:
    """The viewer `user` is on that day, today if none is named. One query."""
    assert isinstance(user, User)  # noqa: S101 - Django's types know only the base class
    day = on or clock.today()
    rows = (
        GrantRow.objects.visible_to(system_viewer("accounts.sign_in"))
        .filter(in_force(day), Q(user_id=user.pk) | _of_a_principal(user.pk, day))
        .order_by("pk")
        .values_list("user_id", "role_id", "role__actions", "role__narrowed", "area_code", "relation", "department")
    )
    grants = [grant for owner, *row in rows for grant in _by_relation(*row, for_user=0 if owner == user.pk else owner)]
    return Viewer(user_id=user.pk, name=user.display_name, grants=tuple(grants), language=user.language)


def _of_a_principal(user_id: int, on: date) -> Q:
    """The grants, at the office both share, of an active colleague the user stands in for.

    Whoever has left the office, or the post he was named in, no longer shares it.
    """
    eye = system_viewer("accounts.sign_in")
    rows = Deputyship.objects.visible_to(eye).filter(
        deputy_id=user_id, principal_id=OuterRef("user_id"), area_code=OuterRef("area_code"),
        valid_from__lte=on, valid_to__gt=on,
    )  # fmt: skip
    own = GrantRow.objects.visible_to(eye).filter(
        in_force(on), user_id=user_id, area_code=OuterRef("area_code"), relation=Relation.ALL.value
    )
    return Q(Exists(rows), Exists(own), user__is_active=True, role__duty="", department="")


def _by_relation(  # noqa: PLR0913 - the columns of the query above
    role: str,
    actions: list[str],
    narrowed: dict[str, str],
    area_code: str,
    relation: str,
    department: str,
    *,
    for_user: int = 0,
) -> list[Grant]:
    """A row as the scope sees it: one grant for each relation its actions have."""
    words: dict[str, set[str]] = {}
    for action in content.deputised(actions) if for_user else actions:
        words.setdefault(narrowed.get(action, relation), set()).add(action)
    area = AreaRange.of(area_code)
    return [
        Grant(role, frozenset(allowed), area, Relation(kind), department, for_user) for kind, allowed in words.items()
    ]


def account(username: str) -> User | None:
    """The account that signs in under this name, before there is a viewer."""
    return User.objects.visible_to(system_viewer("accounts.sign_in")).filter(username=username).first()


def active_account(user_id: int) -> User | None:
    """The account a session belongs to, while it is not locked."""
    return User.objects.visible_to(system_viewer("accounts.sign_in")).filter(pk=user_id, is_active=True).first()


def names_of(user_ids: Iterable[int]) -> dict[int, str]:
    """Display names of colleagues, for showing who did something; unknown ids are left out.

    A colleague's name on an act is not personal data of the poor, and whoever may see the act
    may see whose it is.
    """
    wanted = {number for number in user_ids if number}
    rows = User.objects.visible_to(system_viewer("accounts.names")).filter(pk__in=wanted)
    return dict(rows.values_list("pk", "display_name"))


class Colleagues:
    """Names and posts as one page needs them again and again: each is asked for once."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def names_of(self, user_ids: Iterable[int]) -> Mapping[int, str]:
        """As the function; others' names may be among them."""
        unknown = {number for number in user_ids if number} - self._names.keys()
        if unknown:
            self._names |= dict.fromkeys(unknown, "") | names_of(unknown)
        return self._names

    @cached_property
    def roles(self) -> list[Role]:
        """Every role, in the order of the levels."""
        return roles()


def holders_of(action: str, area: str) -> dict[int, str]:
    """User → name of the active accounts whose grants in force allow `action` in the whole of `area`."""
    roles_with = [role.code for role in Role.objects.all() if action in role.actions]
    above = [area[:length] for length in (0, *LENGTHS) if length <= len(area)]
    rows = GrantRow.objects.visible_to(system_viewer("accounts.holders")).filter(
        in_force(clock.today()), role_id__in=roles_with, area_code__in=above, user__is_active=True
    )
    return dict(rows.values_list("user_id", "user__display_name"))


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose grants allow an action in an area: the narrowest of them, and how it relates him to the rows."""

    user_id: int
    name: str
    area_code: str
    relation: str

    @property
    def of_own_households(self) -> bool:
        """Whether he looks after single households only."""
        return self.relation == Relation.OWN_HOUSEHOLDS.value


def holders_by_area(action: str, areas: Collection[str]) -> dict[str, list[Holder]]:
    """Area → who may do `action` in the whole of it; one query for all areas.

    Each stands there with his narrowest grant, one for everything before one for his own households.
    """
    roles_with = [role.code for role in Role.objects.all() if action in role.actions]
    above = {area: [area[:length] for length in (0, *LENGTHS) if length <= len(area)] for area in areas}
    rows = GrantRow.objects.visible_to(system_viewer("accounts.holders")).filter(
        in_force(clock.today()),
        role_id__in=roles_with,
        area_code__in=frozenset[str]().union(*above.values()),
        user__is_active=True,
    )
    told = [Holder(*row) for row in rows.values_list("user_id", "user__display_name", "area_code", "relation")]
    told.sort(key=lambda item: (not item.of_own_households, len(item.area_code)))
    return {
        area: list({item.user_id: item for item in told if item.area_code in codes}.values())
        for area, codes in above.items()
    }


def staffed(actions: Collection[str], areas: Collection[str]) -> set[str]:
    """Those of the areas at whose own desk an active account may do one of the actions."""
    able = [
        role.code
        for role in Role.objects.all()
        if any(action in role.actions and action not in role.narrowed for action in actions)
    ]
    rows = GrantRow.objects.visible_to(system_viewer("accounts.holders")).filter(
        in_force(clock.today()),
        role_id__in=able,
        relation=Relation.ALL.value,
        area_code__in=areas,
        user__is_active=True,
    )
    return set(rows.values_list("area_code", flat=True))


def able_at(action: str, seat: str) -> set[int]:
    """The active accounts that may do `action` with exactly this office as their seat, whoever stands in there too."""
    eye, today = system_viewer("accounts.holders"), clock.today()
    codes = [role.code for role in Role.objects.all() if action in role.actions]
    here = GrantRow.objects.visible_to(eye).filter(in_force(today), area_code=seat, user__is_active=True)
    posts = here.filter(role_id__in=codes)
    own = set(posts.values_list("user_id", flat=True))
    if not content.deputised([action]):
        return own
    left = posts.filter(role__duty="", department="").values("user_id")
    standing = Deputyship.objects.visible_to(eye).filter(
        principal_id__in=left, area_code=seat, valid_from__lte=today, valid_to__gt=today,
        deputy_id__in=here.filter(relation=Relation.ALL.value).values("user_id"),
    )  # fmt: skip
    return own | set(standing.values_list("deputy_id", flat=True))


def roles_with(action: str, level: str = "") -> list[Role]:
    """The roles that allow `action`, of one level if it is named, in the order of the levels."""
    return [role for role in roles() if action in role.actions and level in ("", role.level)]


def people(viewer: Viewer, text: str = "") -> QuerySet[User]:
    """The accounts `viewer` looks after whose name or login contains `text`, by login."""
    found = User.objects.visible_to(viewer, "accounts.read").order_by("username")
    words = text.strip()
    return found.filter(Q(username__icontains=words) | Q(display_name__icontains=words)) if words else found


def user_for(viewer: Viewer, user_id: int, action: str = "accounts.read") -> User:
    """One account. Raises NotVisible."""
    return User.objects.get_visible(viewer, action=action, pk=user_id)


def grants_of(viewer: Viewer, user: User) -> list[GrantRow]:
    """The account's grants in the viewer's area, present ones first, then the latest ended."""
    rows = GrantRow.objects.visible_to(viewer, "accounts.read").filter(user=user).select_related("role")
    on = clock.today()
    return sorted(rows, key=lambda row: (not row.in_force(on), -row.valid_from.toordinal(), row.pk))


@dataclass(frozen=True, slots=True)
class Listed:
    """An account in a list, with its grants in force that the viewer may see."""

    account: User
    grants: tuple[GrantRow, ...]


def with_grants(viewer: Viewer, accounts: Sequence[User]) -> list[Listed]:
    """The accounts of one page of a list, with one more query for all of them."""
    rows = GrantRow.objects.visible_to(viewer, "accounts.read").filter(
        in_force(clock.today()), user__in=[account.pk for account in accounts]
    )
    held: dict[int, list[GrantRow]] = {}
    for row in rows.order_by("pk"):
        held.setdefault(row.user_id, []).append(row)
    return [Listed(account, tuple(held.get(account.pk, ()))) for account in accounts]


def own_grants(viewer: Viewer) -> list[GrantRow]:
    """What the viewer himself holds now."""
    rows = GrantRow.objects.visible_to(system_viewer("accounts.own")).filter(
        in_force(clock.today()), user_id=viewer.user_id
    )
    return list(rows.order_by("pk"))


def roles() -> list[Role]:
    """Every role, in the order of the levels."""
    return list(Role.objects.order_by("position"))


def roles_given_by(viewer: Viewer) -> list[Role]:
    """The roles `viewer` may give to somebody."""
    known = roles()
    if viewer.is_system:
        return known
    own = {grant.role for grant in viewer.grants_for("accounts.write")}
    given = {code for role in known if role.code in own for code in role.gives}
    return [role for role in known if role.code in given]


def may_see(viewer: Viewer, user_id: int) -> bool:
    """Whether `viewer` looks after this account."""
    return User.objects.visible_to(viewer, "accounts.read").filter(pk=user_id).exists()
