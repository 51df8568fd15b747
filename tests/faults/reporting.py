"""One line for each fault, at the end of the run: what was done to whom, and what was found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

FAULT = "fault line"
_lines: list[str] = []


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Say what a fault came to: `tell("compare at jobs.claimed", killed=1, cases=12)`."""

    def said(name: str, **figures: object) -> None:
        words = "  ".join(f"{word.replace('_', ' ')} {_plain(value)}" for word, value in figures.items())
        request.node.user_properties.append((FAULT, f"fault  {name}  {words}  ok"))

    return said


def _plain(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # Properties travel from xdist's workers to the controller, which alone prints.
    if report.when == "call" and report.passed:
        _lines.extend(str(value) for name, value in report.user_properties if name == FAULT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in sorted(_lines):
        terminalreporter.write_line(line)
    if _lines:
        terminalreporter.write_line(f"{len(_lines)} faults survived.")
