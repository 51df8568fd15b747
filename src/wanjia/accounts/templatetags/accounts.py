"""Words of the account pages: `{% load accounts %}`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django import template

from wanjia.accounts.models import GrantRow

register = template.Library()


@register.filter
def word(words: Mapping[str, str], code: str) -> str:
    """The word for a code, or the code."""
    return words.get(code, code)


@register.filter
def in_force(row: GrantRow, on: date) -> bool:
    """Whether a grant holds on a day."""
    return row.in_force(on)
