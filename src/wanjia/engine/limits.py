"""Limits a child process takes upon itself before it touches what others made. Standard library only."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child may use; None lifts a limit."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float
    file_bytes: int | None
    open_files: int


def take_upon_us(limits: Mapping[str, Any]) -> None:
    """Bind this process to `limits` (the fields of `Limits`) for the rest of its life."""

    def at_most(what: int, value: int | None) -> None:
        if value is not None:
            resource.setrlimit(what, (value, value))

    at_most(resource.RLIMIT_CORE, 0)  # a core file would hold people's data
    at_most(resource.RLIMIT_AS, limits["memory_bytes"])
    # soft before hard: the soft one ends the child with SIGXCPU, which the parent can name
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"], limits["cpu_seconds"] + 2))
    at_most(resource.RLIMIT_FSIZE, limits["file_bytes"])
    at_most(resource.RLIMIT_NOFILE, limits["open_files"])
