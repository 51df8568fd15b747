"""Accounts for tests: the real services, a real password."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from django.test import Client

from tests.factories.walking import MINE, Example, Place
from wanjia.accounts import queries, saved, services, sessions
from wanjia.accounts.models import Deputyship, GrantRow, Role, SavedFilter, User
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.scope.areas import level_of
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

PASSWORD = "correct-horse-9"
OPERATOR = system_viewer("accounts.administer")


def account(username: str, role: str = "", area: str = "451228", *, relation: str = "", department: str = "") -> User:
    """An account that can sign in with PASSWORD, with one role unless none is named."""
    if not Role.objects.exists():
        services.load_roles()
    if not relation and role and not department and Role.objects.get(pk=role).relation == "own_department":
        department = "D01"
    grants = [services.NewGrant(role, area, relation, department)] if role else []
    wanted = services.NewAccount(username, f"测试{username}", area, PASSWORD, grants=grants)
    return services.open_accounts(viewer=OPERATOR, accounts=[wanted])[0]


def viewer(user: User) -> Viewer:
    """What the middleware puts on the account's next request."""
    return queries.viewer_for(user)


def grants(user: User) -> list[GrantRow]:
    """All grants of an account, whoever may see them."""
    return list(GrantRow.objects.visible_to(OPERATOR).filter(user=user).order_by("pk"))


def client_for(user: User, kind: type[Client] = Client) -> Client:
    """A browser in which the account is signed in, without the price of a password."""
    client = kind(raise_request_exception=False)
    client.force_login(user, "wanjia.accounts.backends.AccountBackend")
    session = client.session
    session[sessions.STARTED] = session[sessions.SEEN] = clock.now().timestamp()
    session.save()
    return client


def examples(place: Place) -> list[Example]:
    """A colleague with a post at the place, and a filter he saved; at the walker's own place it is the walker's."""
    name = f"p{next(_numbers)}x"
    user = account(name, POSTS[level_of(place.area)], place.area)
    (grant,) = grants(user)
    secrets = (f"测试{name}", f">{name}<")
    whom = {"user_id": user.pk}
    colleague = account(f"{name}-deputy", POSTS[level_of(place.area)], place.area)
    with unrecorded():  # only he himself names and ends it
        standing_in = Deputyship.objects.create(
            principal=user, deputy=colleague, area_code=place.area, valid_from=clock.today(),
            valid_to=clock.today() + timedelta(days=5), reason="年休假", named_at=clock.now(),
        )  # fmt: skip
    return [
        Example("accounts:person", whom, secrets),
        Example("accounts:grant", whom, secrets, method="post", data={"role": "nonsense"}),
        Example("accounts:lock", whom, secrets, method="post", data={"reason": "离岗"}),
        Example("accounts:unlock", whom, secrets, method="post"),
        Example("accounts:set_password", whom, secrets, method="post", data={"password": "short"}),
        Example("accounts:revoke", {"grant_id": grant.pk}, secrets, method="post"),
        Example("accounts:end_deputy", {"deputyship_id": standing_in.pk}, secrets, "accounts.write", "post"),
        *_filters(place, user, f"筛选{name}"),
    ]


def _filters(place: Place, user: User, name: str) -> list[Example]:
    kept = saved.save(viewer=viewer(user), page="cases", name=name, conditions={"state": "overdue"})
    which, held = {"filter_id": kept.pk}, ("filter", kept.pk) if place is MINE else None

    def his(reader: Viewer) -> bool:
        return SavedFilter.objects.filter(pk=kept.pk, user_id=reader.user_id).exists()

    routes = (("rename_filter", {"name": ""}), ("remove_filter", {}))
    return [
        Example(f"accounts:{route}", which, (name,), method="post", data=data, held=held, seen_by=his)
        for route, data in routes
    ]


POSTS = {
    "village": "information_officer",
    "township": "township_reviewer",
    "county": "county_office",
    "city": "city_office",
}
_numbers = count(1)
