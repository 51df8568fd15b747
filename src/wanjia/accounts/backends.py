"""Signing in: accounts are scoped, and before sign-in nobody has a scope."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from wanjia.accounts import queries
from wanjia.accounts.models import User


class AccountBackend(ModelBackend):
    """Finds accounts as the system viewer `accounts.sign_in`.

    Whoever guesses learns nothing from the time an answer takes: a password is hashed whether
    or not there is such an account.
    """

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django's signature
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        user = queries.account(username)
        if user is None or not user.has_usable_password():
            make_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        """The account of a session; a locked one has none from the next request on."""
        return queries.active_account(user_id)
