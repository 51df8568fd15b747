"""Accounts for tests: the real services, a real password."""

from __future__ import annotations

from wanjia.accounts import queries, services
from wanjia.accounts.models import GrantRow, Role, User
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
