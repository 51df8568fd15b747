"""The words and shapes every page uses: `{% load wanjia %}`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from wanjia.kernel import clock, money
from wanjia.ui import assets, hooks

register = template.Library()

DASH = "—"
FEN_IN_WAN = 1_000_000  # ten thousand yuan

# Tone → icon. A status is a word with a shape; its colour only repeats what both say.
TONES = {
    "new": "dot",
    "active": "progress",
    "waiting": "clock",
    "done": "check",
    "warn": "alert",
    "late": "late",
    "refused": "cross",
    "muted": "minus",
}


@register.filter
def num(value: Any, places: int | None = None) -> str:
    """1234567 → 1,234,567; with `places` fixed decimals; a dash for nothing."""
    if value is None or value == "":
        return DASH
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if places is not None:
        return f"{number:,.{int(places)}f}"
    return f"{number:,}"


@register.filter
def percent(share: Any, places: int = 0) -> str:
    """0.82 → 82%; a dash for nothing."""
    return DASH if share is None or share == "" else f"{float(share) * 100:.{int(places)}f}%"


@register.filter
def day(value: Any) -> str:
    """A day as 2020-11-20; an instant counts as its day in China; text stays as it is."""
    if value is None or value == "":
        return DASH
    if isinstance(value, datetime):
        return clock.day_of(value).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


@register.filter
def moment(value: datetime | None) -> str:
    """An instant in China's time, to the minute: 2020-11-20 09:30."""
    return value.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M") if value else DASH


@register.filter
def yuan(fen: int | None) -> SafeString | str:
    """Integer fen as yuan, 1,234.50, with 万元 on hover from ten thousand up where Chinese is read."""
    if fen is None:
        return DASH
    text = money.yuan(fen)
    if abs(fen) < FEN_IN_WAN or (get_language() or "").startswith("en"):
        return text
    return format_html('<span title="{} 万元">{}</span>', f"{Decimal(fen) / FEN_IN_WAN:,.2f}", text)


@register.filter
def area(code: str | None) -> SafeString | str:
    """The name of an area with its code on hover."""
    if not code:
        return DASH
    name = hooks.area_name(code)
    return code if name == code else format_html('<span title="{}">{}</span>', code, name)


@register.simple_tag
def code(code_list: str, value: Any) -> SafeString | str:
    """The label of a value of a code list, with the value beside it: 缺技术 (07)."""
    if value is None or value == "":
        return DASH
    label = hooks.code_label(code_list, str(value), get_language() or "zh-hans")
    if label == str(value):
        return str(value)
    return format_html('{} <span class="w-code">{}</span>', label, value)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon drawn into the page; decoration unless it has a label."""
    drawing = assets.icon(name)
    described = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="w-icon" viewBox="0 0 24 24" width="20" height="20" {}>{}</svg>',
        described,
        mark_safe(drawing),  # noqa: S308 - our own build
    )


@register.simple_tag
def status(word: str, tone: str = "muted") -> SafeString:
    """A status by word and shape: new, active, waiting, done, warn, late, refused or muted."""
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"{tone} is no tone; there are {', '.join(TONES)}")
    return format_html('<span class="w-status w-status-{}">{}{}</span>', tone, icon(TONES[tone]), word)


@register.simple_tag
def asset(name: str) -> SafeString:
    """The links to the built files of an entry point; nothing when the front end is not built."""
    found = assets.entry(name)
    if found is None:
        return SafeString("")
    styles = format_html_join("", '<link rel="stylesheet" href="{}">', ((static(path),) for path in found.styles))
    return format_html('{}<script type="module" src="{}"></script>', styles, static(found.script))


@register.inclusion_tag("ui/_empty.html")
def empty(why: str, what_to_do: str = "", url: str = "", action: str = "") -> dict[str, str]:
    """Why there is nothing here and what to do about it, with a button when there is one."""
    return {"why": why, "what_to_do": what_to_do, "url": url, "action": action}


@register.inclusion_tag("ui/_pager.html", takes_context=True)
def pager(context: RequestContext, page: Page[Any] | Any) -> dict[str, Any]:
    """Links to the other pages of a list, keeping its filters.

    Takes Django's `Page`, or anything with `next_cursor` or `after` (and perhaps `total`), as
    attributes or as keys, for lists that are read after a key: those go forward with `?after=`.
    """
    part = page.get if isinstance(page, Mapping) else partial(_attribute, page)
    numbers = (
        list(page.paginator.get_elided_page_range(page.number, on_each_side=2)) if hasattr(page, "paginator") else []
    )
    return {
        "query": context["request"].GET,
        "page": page,
        "numbers": numbers,
        "first": page.start_index() if numbers else None,
        "last": page.end_index() if numbers else None,
        "total": page.paginator.count if numbers else part("total"),
        "next_cursor": part("next_cursor") or part("after"),
    }


def _attribute(page: object, name: str) -> Any:
    return getattr(page, name, None)
