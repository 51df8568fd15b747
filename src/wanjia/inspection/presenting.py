"""Samples in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from wanjia.casework import declared
from wanjia.casework.forms import STATES
from wanjia.divisions.queries import full_name
from wanjia.inspection.models import Sample


def outcomes(language: str) -> list[tuple[str, str]]:
    """Every outcome a case may have, with its code."""
    found = {
        item.code: f"{item.code} {item.title.text(language)}" for flow in declared.flows() for item in flow.outcomes
    }
    return sorted(found.items())


def conditions(sample: Sample, language: str) -> list[tuple[str, str]]:
    """What the sample was drawn from, each condition with its title."""
    return [(_("区域"), full_name(sample.area) or sample.area), *_narrowing(sample.conditions, language)]


def _narrowing(said: Mapping[str, str], language: str) -> Iterator[tuple[str, str]]:
    titles = {
        "topic": _("规则"),
        "outcome": _("核查结果"),
        "state": _("办理情况"),
        "decided_from": _("决定日期起"),
        "decided_to": _("决定日期止"),
    }
    words = {"outcome": dict(outcomes(language)), "state": {code: str(title) for code, title in STATES}}
    for name, title in titles.items():
        if value := said.get(name):
            yield title, words.get(name, {}).get(value, value)
