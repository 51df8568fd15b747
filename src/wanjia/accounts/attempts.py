"""Under which name a failed sign-in is remembered (axes' table, its log lines, its lock-out).

People type into the first field what they have at hand: their identity number, their telephone,
now and then their password. What could not be a login is remembered by a keyed digest: still one
and the same for the lock-out, and nothing to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from wanjia.accounts.rules import is_username
from wanjia.scope.keys import keyring

_DIGITS = 24


def name_for_attempts(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str | None:
    """The name that was typed, or a digest of it when no account can have such a name."""
    typed = (credentials or {}).get("username")
    if typed is None and request is not None:
        typed = request.POST.get("username")
    if typed is None or is_username(typed):
        return typed
    digest = keyring().content_digest()
    digest.update(f"sign-in name {typed}".encode("utf-8", "surrogatepass"))
    return f"#{digest.hexdigest()[:_DIGITS]}"
