"""Rows found by the number the national system gave them (domain.md §4.2, §4.3)."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q


def numbered(column: str, numbers: Collection[str]) -> Q:
    """The rows whose national number in `column` is one of these; those without a number never are.

    Their index leaves the empty numbers out, so a database uses it only where the question does too.
    """
    return Q(**{f"{column}__among": numbers}) & ~Q(**{column: ""})
