"""The words and shapes every page uses: `{% load wanjia %}`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.base import Node, Parser, Token
from django.template.context import Context, RequestContext
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as do_url
from django.templatetags.i18n import TranslateNode, do_translate
from django.templatetags.static import static
from django.urls import NoReverseMatch
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from wanjia.kernel import clock, money
from wanjia.ui import assets, hooks
from wanjia.ui.addresses import address

register = template.Library()


class Said(Node):
    """A sentence of the template itself, in each language looked up once."""

    child_nodelists = ()

    def __init__(self, sentence: TranslateNode) -> None:
        self._sentence = sentence
        self._in: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        text = self._in.get(language)
        if text is None:
            text = self._in[language] = self._sentence.render(context)
        return text


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    """Django's `{% translate %}`. Lists say the same words in each of their rows, so what is constant is kept."""
    node = do_translate(parser, token)
    said = node.filter_expression
    constant = said.var.literal is not None and not said.filters
    return Said(node) if constant and node.asvar is None and node.message_context is None else node


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


class Address(Node):
    """A link to a route the template names itself, by the numbers in it."""

    child_nodelists = ()

    def __init__(self, link: URLNode, route: str) -> None:
        self._link = link
        self._route = route

    def render(self, context: Context) -> str:
        numbers = [number.resolve(context) for number in self._link.args]
        if self._link.asvar is None:
            found = address(self._route, *numbers)
            return conditional_escape(found) if context.autoescape else found
        with suppress(NoReverseMatch):
            context[self._link.asvar] = ""
            context[self._link.asvar] = address(self._route, *numbers)
        return ""


@register.tag
def url(parser: Parser, token: Token) -> Node:
    """Django's `{% url %}`. Lists link to the same route in each of their rows, so its shape is kept."""
    link = do_url(parser, token)
    route = link.view_name.var
    plain = isinstance(route, str) and not link.view_name.filters and not link.kwargs
    return Address(link, str(route)) if plain else link


@register.filter
def num(value: Any, places: int | None = None) -> str:
    """1234567 → 1,234,567; with `places` fixed decimals; a dash for nothing."""
    if value is None or value == "":
        return DASH
    if type(value) is int and places is None:
        return f"{value:,}"
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
    if name == code:
        return code
    return mark_safe(f'<span title="{conditional_escape(code)}">{conditional_escape(name)}</span>')  # noqa: S308 - both escaped


@register.simple_tag
def code(code_list: str, value: Any) -> SafeString | str:
    """The label of a value of a code list, with the value beside it: 缺技术 (07)."""
    if value is None or value == "":
        return DASH
    label = hooks.code_label(code_list, str(value), get_language() or "zh-hans")
    if label == str(value):
        return str(value)
    return mark_safe(f'{conditional_escape(label)} <span class="w-code">{conditional_escape(value)}</span>')  # noqa: S308 - both escaped


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon drawn into the page; decoration unless it has a label."""
    described = f'role="img" aria-label="{conditional_escape(label)}"' if label else 'aria-hidden="true"'
    return mark_safe(  # noqa: S308 - our own build
        f'<svg class="w-icon" viewBox="0 0 24 24" width="20" height="20" {described}>{assets.icon(name)}</svg>'
    )


@register.simple_tag
def status(word: str, tone: str = "muted") -> SafeString:
    """A status by word and shape: new, active, waiting, done, warn, late, refused or muted."""
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"{tone} is no tone; there are {', '.join(TONES)}")
    return mark_safe(  # noqa: S308 - the word is escaped
        f'<span class="w-status w-status-{tone}">{icon(TONES[tone])}{conditional_escape(word)}</span>'
    )


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

    Takes Django's `Page`, or anything with `next_cursor` or `after` (and perhaps `total`, and
    `at_least` where the total is no more than that), as attributes or as keys, for lists that are
    read after a key: those go forward with `?after=`.
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
        "at_least": part("at_least"),
        "next_cursor": part("next_cursor") or part("after"),
    }


def _attribute(page: object, name: str) -> Any:
    return getattr(page, name, None)
