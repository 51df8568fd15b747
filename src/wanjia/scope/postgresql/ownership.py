"""Who the connection is: the application, which owns nothing, or for a moment the owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

APPLICATION_ROLE = "wanjia_app"
LOGIN_ITSELF = "none"

_owner: ContextVar[bool] = ContextVar("wanjia_owner", default=False)


@contextmanager
def as_owner() -> Iterator[None]:
    """Statements inside run as the login itself and reach everything: migrations, policies, test tools."""
    token = _owner.set(True)
    try:
        yield
    finally:
        _owner.reset(token)


def is_owner() -> bool:
    """Whether the statement at hand runs as the owner."""
    return _owner.get()


def role() -> str:
    """The role statements run under."""
    return LOGIN_ITSELF if is_owner() else APPLICATION_ROLE
