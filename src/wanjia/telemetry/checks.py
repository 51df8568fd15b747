"""What `wanjia doctor` asks: each slice offers `CHECKS = [Check(…)]` in `<slice>/health.py`.

    def worker_is_alive() -> Iterator[Finding]:
        yield fail("没有后台程序。", "No worker runs.", cure=("执行 wanjia worker。", "Run `wanjia worker`."))

A check looks and changes nothing. It yields one finding for each thing it looked at; a finding that
is not in order carries its cure. Findings hold counts, names of files and codes, never personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from wanjia.kernel.errors import Refusal, Sentence


class State(StrEnum):
    """How something stands; `info` is said, and never wrong."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it stands, in a sentence, and what to do about it."""

    state: State
    said: Sentence
    cure: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A question with a code (`slice.what`). Those that need the database are left out while it is away."""

    code: str
    title: Sentence
    run: Callable[[], Iterable[Finding]]
    needs_database: bool = True


def ok(zh: str, en: str) -> Finding:
    """In order."""
    return Finding(State.OK, _plain(zh, en))


def info(zh: str, en: str) -> Finding:
    """Worth knowing, and in order either way."""
    return Finding(State.INFO, _plain(zh, en))


def warn(zh: str, en: str, *, cure: tuple[str, str]) -> Finding:
    """Works, and somebody should look at it."""
    return Finding(State.WARN, _plain(zh, en), _plain(*cure))


def fail(zh: str, en: str, *, cure: tuple[str, str]) -> Finding:
    """Broken, or about to lose something."""
    return Finding(State.FAIL, _plain(zh, en), _plain(*cure))


def refused(refusal: Refusal) -> Finding:
    """What the platform itself refuses, with its own cure."""
    happened, cure = zip(refusal.sentences("zh"), refusal.sentences("en"), strict=True)
    return Finding(State.FAIL, _plain(*happened), _plain(*cure))


def _plain(zh: str, en: str) -> Sentence:
    return Sentence(zh.replace("{", "{{").replace("}", "}}"), en.replace("{", "{{").replace("}", "}}"))
