"""One line for each kind of walk at the end of the run: what was asked, in how many cells, and what leaked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

WALKED = "walked"


@dataclass
class Tally:
    """What one test walked. A cell is a viewer (role, area, relation) before a place whose objects it asks for."""

    routes: set[str] = field(default_factory=set)
    checked: set[tuple[str, str, str]] = field(default_factory=set)  # route, viewer, place
    answers: int = 0
    counts: int = 0
    leaks: int = 0
    wrong: int = 0

    def saw(self, route: str, viewer: str, *places: str) -> None:
        """One answer was judged against the objects of these places."""
        self.answers += 1
        self.routes.add(route)
        self.checked.update((route, viewer, place) for place in places)

    def judged(self, problems: list[str]) -> None:
        self.wrong += len(problems)
        self.leaks += sum("shows" in problem for problem in problems)

    def figures(self) -> dict[str, int]:
        cells = {(viewer, place) for _, viewer, place in self.checked}
        told = {"cells": len(cells), "checked": len(self.checked)}
        return told | {name: getattr(self, name) for name in ("answers", "counts", "leaks", "wrong")}

    @property
    def names(self) -> set[str]:
        return self.routes

    @staticmethod
    def line(names: int, n: Counter[str]) -> str:
        return (
            f"walker: {names} routes × {n['cells']:,} cells = {n['checked']:,} checked, {n['leaks']:,} leaks "
            f"({n['answers']:,} answers, {n['counts']:,} counts compared, {n['wrong']:,} wrong)"
        )


@dataclass
class Foreign:
    """Objects of others and of nobody that were asked for."""

    kinds: set[tuple[str, ...]] = field(default_factory=set)
    viewers: int = 0
    numbers: int = 0
    theirs: int = 0
    wrong: int = 0
    leaks: int = 0

    def asked(self, kind: tuple[str, ...], *, theirs: bool) -> None:
        self.kinds.add(kind)
        self.numbers += 1
        self.theirs += theirs

    judged = Tally.judged

    def figures(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("numbers", "theirs", "leaks", "wrong")}

    @property
    def names(self) -> set[str]:
        return {" ".join(kind) for kind in self.kinds}

    @staticmethod
    def line(names: int, n: Counter[str]) -> str:
        return (
            f"foreign numbers: {names} kinds of objects, {n['numbers']:,} numbers asked for, {n['theirs']:,} of them "
            f"others', {n['leaks']:,} leaks ({n['wrong']:,} wrong)"
        )


@dataclass
class Named:
    """Whatever else a walk counts, by name."""

    names: set[str] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, int]:
        return dict(self.told)


class Assigned(Named):
    """Forms with every column of every table in them."""

    @staticmethod
    def line(names: int, n: Counter[str]) -> str:
        return (
            f"mass assignment: {names} write routes in {n['forms']:,} forms, {n['columns']:,} columns posted, "
            f"{n['rows']:,} rows compared, {n['undeclared']:,} undeclared changes"
        )


class Fuzzed(Named):
    """Strange strings in the parameters of pages."""

    @staticmethod
    def line(names: int, n: Counter[str]) -> str:
        return (
            f"strange strings: {n['strings']:,} strings through {names} parameters in {n['answers']:,} requests, "
            f"{n['broken']:,} broken"
        )


KINDS = {kind.__name__: kind for kind in (Tally, Foreign, Assigned, Fuzzed)}


def _kept(request: pytest.FixtureRequest, tally) -> Iterator:
    yield tally
    told = {"kind": type(tally).__name__, "names": sorted(tally.names), "figures": tally.figures()}
    request.node.user_properties.append((WALKED, json.dumps(told)))


@pytest.fixture
def tally(request: pytest.FixtureRequest):
    """What this test walks; told at the end, whether it passes or not."""
    yield from _kept(request, Tally())


@pytest.fixture
def foreign_tally(request: pytest.FixtureRequest):
    """The foreign numbers this test asks for."""
    yield from _kept(request, Foreign())


@pytest.fixture
def assigned(request: pytest.FixtureRequest):
    """The forms this test posts."""
    yield from _kept(request, Assigned())


@pytest.fixture
def fuzzed(request: pytest.FixtureRequest):
    """The strings this test sends."""
    yield from _kept(request, Fuzzed())


_names: dict[str, set[str]] = {}
_figures: dict[str, Counter[str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # Properties travel from xdist's workers to the controller, which alone prints.
    for name, value in report.user_properties if report.when == "teardown" else ():
        if name == WALKED:
            told = json.loads(str(value))
            _names.setdefault(told["kind"], set()).update(told["names"])
            _figures.setdefault(told["kind"], Counter()).update(told["figures"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for kind, names in _names.items():
        terminalreporter.write_line(KINDS[kind].line(len(names), _figures[kind]))
