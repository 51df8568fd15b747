"""System checks: the key files, and that what encrypts really encrypts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it
from django.db import connections

from wanjia.kernel.errors import Refusal
from wanjia.protection.errors import WrongKey
from wanjia.scope import keys
from wanjia.scope.models import KeyFingerprint
from wanjia.scope.postgresql import policies


@register(Tags.security)
def key_files_are_in_order(**_: Any) -> list[CheckMessage]:
    """E101: present, well formed, private. A home that was never set up only gets a warning."""
    if not keys.folder().exists():
        return [Warning(f"There are no keys in {keys.folder()} yet.", hint="Run `wanjia setup`.", id="scope.W101")]
    try:
        keys.keyring()
    except Refusal as refusal:
        return [_error(refusal, "scope.E101")]
    return []


@register(Tags.security)
def values_are_really_encrypted(**_: Any) -> list[CheckMessage]:
    """E102: a cipher that does not protect exists for tests and is refused anywhere else."""
    if not getattr(settings, "WANJIA_CIPHER", None) or getattr(settings, "TESTING", False):
        return []
    hint = "Remove WANJIA_CIPHER from the settings."
    return [Error("WANJIA_CIPHER replaces the cipher of personal data.", hint=hint, id="scope.E102")]


@register(Tags.database)
def keys_belong_to_the_database(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """E103: the fingerprints the database remembers are those of the key files."""
    if not databases or "default" not in databases or not keys.folder().exists():
        return []
    if KeyFingerprint._meta.db_table not in connections["default"].introspection.table_names():
        return []
    try:
        keys.require_own_keys()
    except WrongKey as refusal:
        return [_error(refusal, "scope.E103")]
    except Refusal:
        return []  # E101 has said so
    return []


@register(Tags.database)
def rows_are_locked_twice(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """E104: on PostgreSQL, every table of a scoped model has the policy its scope rule declares."""
    if not databases or "default" not in databases or connections["default"].vendor != "postgresql":
        return []
    hint = "Run `wanjia setup`."
    return [
        Error(f"{model._meta.db_table}: {wrong}.", hint=hint, id="scope.E104")
        for model, wrong in policies.differences()
    ]


def _error(refusal: Refusal, number: str) -> CheckMessage:
    happened, cure = refusal.sentences("en")
    return Error(happened, hint=cure, id=number)
