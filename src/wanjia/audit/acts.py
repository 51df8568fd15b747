"""The sentence for each act, in both languages, declared by the slice that performs it.

A slice lists its acts in `<slice>/acts.py`:

    ACTS = [
        Act("registry.correct", Sentence("更正了 {count} 项登记内容", "corrected {count} registered values")),
    ]

Discovered at start-up. `{count}` is the number of detail rows (1 for an act without any); every
other name is a key of the act's content. Sentences have no subject: the page puts the actor
before them and the time behind. Acts made from data (the actions of a flow) are declared with
`register`, from the owner's `AppConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from wanjia.kernel.errors import Sentence


@dataclass(frozen=True, slots=True)
class Act:
    """An act's code (`slice.verb`) and how a history tells it."""

    code: str
    sentence: Sentence


_acts: dict[str, Act] = {}


def register(acts: Iterable[Act]) -> None:
    """Declare acts; the same code with another sentence is refused."""
    for act in acts:
        known = _acts.setdefault(act.code, act)
        if known != act:
            raise ValueError(f"two sentences for the act {act.code}")


def discover() -> None:
    """Register the ACTS of every installed slice that has an `acts` module."""
    for config in apps.get_app_configs():
        path = f"{config.name}.acts"
        if config.name.startswith("wanjia.") and find_spec(path) is not None:
            register(getattr(import_module(path), "ACTS", ()))


def known(code: str) -> bool:
    """Whether a sentence is declared for `code`."""
    return code in _acts


class _Gaps(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def sentence(code: str, language: str, values: Mapping[str, object]) -> str:
    """How a history tells the act `code`; the code itself when nobody declared a sentence.

    A value the content no longer holds (erased, or written by an older version) shows as an
    ellipsis: a history never fails to be read.
    """
    act = _acts.get(code)
    if act is None:
        return code
    template = act.sentence.en if language.startswith("en") else act.sentence.zh
    return template.format_map(_Gaps(values))


ACTS = [
    Act("audit.log_export", Sentence("导出操作记录（{rows} 行）", "exported the log of acts ({rows} rows)")),
    Act("audit.commit_access", Sentence("将 {count} 条查阅记录存证", "committed {count} access rows")),
]
