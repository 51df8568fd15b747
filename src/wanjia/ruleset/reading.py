"""Reading YAML strictly: every key is known, every value has its kind, every refusal names both."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wanjia.engine.dialect import nearest
from wanjia.kernel.errors import Sentence
from wanjia.ruleset.errors import MissingKey, NotARuleFile, UnknownKey, WrongValue

MAX_BYTES = 50_000
LONGEST_NUMBER = 40  # characters; in another base, or with signs in it, a number may be read as an endless one


_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, where the library is there
_DEEPEST = 50


class _Loader(_BASE):  # type: ignore[misc]
    """YAML without two of its traps: a key written twice, endless numbers; `_require_plain` finds the others."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(str(self.construct_object(key, deep=True)) for key, _ in node.value)
        twice = sorted(key for key, count in keys.items() if count > 1)
        if twice:
            raise yaml.YAMLError(f"the key {twice[0]} stands there twice")
        return dict(super().construct_mapping(node, deep=deep))

    def construct_yaml_int(self, node: Any) -> int:
        if len(node.value) > LONGEST_NUMBER:
            raise yaml.YAMLError(f"a number is longer than {LONGEST_NUMBER} characters")
        return int(super().construct_yaml_int(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _require_plain(text: str) -> None:
    """Refuse what multiplies, chooses its own type, or is nested without end, before anything is built."""
    depth = 0
    for event in yaml.parse(text, Loader=_BASE):
        if isinstance(event, yaml.events.AliasEvent):
            raise yaml.YAMLError("references (*name) are not used in rule files")
        if getattr(event, "tag", None) is not None:
            raise yaml.YAMLError("types (!name) are not used in rule files")
        depth += isinstance(event, yaml.events.CollectionStartEvent)
        depth -= isinstance(event, yaml.events.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError("it is nested too deeply")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a file, with where it stands."""

    file: str
    key: str
    value: Any

    def wrong(self, wanted: str) -> WrongValue:
        found = "nothing" if self.value is None else f"{type(self.value).__name__} {str(self.value)[:60]}"
        return WrongValue(file=self.file, key=self.key or "the file", wanted=wanted, found=found)

    def keys(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Node]:
        """The nodes of a mapping that has these keys and no other."""
        nodes = self.mapping()
        known = (*required, *optional)
        for name in nodes:
            if name not in known:
                raise UnknownKey(file=self.file, key=self._under(name), nearest=nearest(name, known))
        for name in required:
            if name not in nodes:
                raise MissingKey(file=self.file, key=self._under(name))
        return nodes

    def mapping(self) -> dict[str, Node]:
        """The nodes of a mapping with free keys."""
        if not isinstance(self.value, dict) or not all(isinstance(name, str) for name in self.value):
            raise self.wrong("a mapping of names")
        return {name: Node(self.file, self._under(name), value) for name, value in self.value.items()}

    def items(self) -> Iterator[Node]:
        """The nodes of a list that is not empty."""
        if not isinstance(self.value, list) or not self.value:
            raise self.wrong("a list")
        for position, value in enumerate(self.value, start=1):
            yield Node(self.file, f"{self.key}[{position}]", value)

    def text(self, pattern: str = "", wanted: str = "text") -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong(wanted)
        if pattern and not re.fullmatch(pattern, self.value):
            raise self.wrong(wanted)
        return self.value.strip()

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def one_of(self, known: tuple[str, ...]) -> str:
        if self.value not in known:
            raise self.wrong("one of " + ", ".join(known))
        return str(self.value)

    def number(self, least: int, most: int) -> int:
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.wrong(f"a whole number from {least} to {most}")
        return int(self.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def day(self) -> dt.date:
        # type(), not isinstance(): a datetime is a date to Python but not to a rule
        if type(self.value) is not dt.date:
            raise self.wrong("a day such as 2015-12-31")
        return self.value

    def sentence(self) -> Sentence:
        """The same in Chinese and in English."""
        parts = self.keys(("zh", "en"))
        return Sentence(zh=parts["zh"].text(), en=parts["en"].text())

    def _under(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name


def read(path: Path) -> Node:
    """The file's content. Raises NotARuleFile."""
    name = path.name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise NotARuleFile(file=name, problem=f"it is larger than {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
        _require_plain(text)
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - derives from SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise NotARuleFile(file=name, problem=str(error)[:200]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotARuleFile(file=name, problem=" ".join(str(error).split())[:200]) from None
    if not isinstance(content, dict):
        raise NotARuleFile(file=name, problem="it holds no keys")
    return Node(name, "", content)
