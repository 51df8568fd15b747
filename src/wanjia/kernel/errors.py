"""Refusals: what the platform answers when it will not do something.

A refusal has a code for machines, two sentences for people (what happened and whether
anything was lost; what to do next) in Chinese and English, and the facts both speak of
(`design.md` §5 Errors). Define one beside the code that raises it, in the slice's
`errors.py`; the reference lists every code and a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages; `{fact}` stands for a fact of the refusal."""

    zh: str
    en: str

    def text(self, language: str, /, **facts: object) -> str:
        """The sentence in `language` ("en…" is English, anything else Chinese)."""
        template = self.en if language.startswith("en") else self.zh
        return template.format(**facts)


class Refusal(Exception):
    """The platform refuses, nothing was changed, and it says what to do.

    Subclasses set `code` (stable, `slice.what_happened`), `status` (HTTP), `facts` (names of
    the keyword arguments they need), `what` and `cure`. A fact may itself be a `Sentence`. Facts
    never hold personal data: they end up in logs.
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 400
    facts: ClassVar[tuple[str, ...]] = ()
    what: ClassVar[Sentence]
    cure: ClassVar[Sentence]

    def __init__(self, **facts: object) -> None:
        missing = set(self.facts) - facts.keys()
        unknown = facts.keys() - set(self.facts)
        if missing or unknown:
            problem = f"{type(self).__name__} takes the facts {self.facts}: missing {missing}, unknown {unknown}"
            raise TypeError(problem)
        self.values = facts
        super().__init__(self.sentences("en")[0])

    def sentences(self, language: str) -> tuple[str, str]:
        """What happened and what to do, in `language`."""
        words = {name: _in(language, value) for name, value in self.values.items()}
        return self.what.text(language, **words), self.cure.text(language, **words)

    def as_dict(self, language: str = "zh") -> dict[str, object]:
        """The refusal as an API answers it."""
        happened, cure = self.sentences(language)
        facts = {name: _plain(_in(language, value)) for name, value in self.values.items()}
        return {"code": self.code, "what": happened, "cure": cure, "facts": facts}


def behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and each one that stands behind it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def all_refusals(base: type[Refusal] = Refusal) -> list[type[Refusal]]:
    """Every refusal with a code that is defined so far, sorted by code."""
    found: list[type[Refusal]] = []
    for kind in base.__subclasses__():
        if kind.code:
            found.append(kind)
        found.extend(all_refusals(kind))
    return sorted(set(found), key=lambda kind: kind.code)


def _in(language: str, value: object) -> object:
    return value.text(language) if isinstance(value, Sentence) else value


def _plain(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
