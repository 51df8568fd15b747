"""Showing what is being done: a title, how much of it, how fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

from wanjia.backup.copying import Tell


class Meter(Protocol):
    """Somebody who is told of progress."""

    def bytes(self, title: str, total: int | None) -> Tell:
        """A new piece of work, counted in bytes; `total` where it is known."""

    def rows(self, title: str) -> Tell:
        """A new piece of work, counted in rows."""


class Shown:
    """Progress on a terminal; into a file, one line for each piece of work when all is done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def bytes(self, title: str, total: int | None) -> Tell:
        task = self._progress.add_task(title, total=total)
        return lambda amount: self._progress.advance(task, amount)

    def rows(self, title: str) -> Tell:
        task = self._progress.add_task(title, total=None, visible=True)
        seen = 0

        def tell(amount: int) -> None:
            nonlocal seen
            seen += amount
            self._progress.update(task, description=f"{title} {seen:,}")

        return tell


@contextmanager
def shown(console: Console) -> Iterator[Meter]:
    """A meter that writes to the console."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        yield Shown(progress)
